import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { assert } from '../src/core/assert.ts';
import { writeExecutionReport } from '../src/core/fix/execution-report.ts';
import { ExecutionReportRecord } from '../src/core/fix/execution-report-record.ts';
import { DecodeStatus, FixDecoder } from '../src/core/fix/fix-decoder.ts';
import { fixDictionary } from '../src/core/fix/fix-dictionaries.ts';
import { FixEncoder } from '../src/core/fix/fix-encoder.ts';
import type { FixFramer } from '../src/core/fix/fix-framer.ts';
import { FixMessage } from '../src/core/fix/fix-message.ts';
import { FixReceiver, type FrameSink } from '../src/core/fix/fix-receiver.ts';
import { FixVersion } from '../src/core/fix/fix-version.ts';
import { MsgType } from '../src/core/fix/generated/fix-enums.gen.ts';
import { Tag } from '../src/core/fix/generated/fix-tags.gen.ts';
import { writeNewOrderSingle } from '../src/core/fix/order-messages.ts';
import { SESSION_DEFAULTS } from '../src/core/fix/session-contract.ts';
import { openFixStore } from '../src/net/fix-store-file.ts';
import { connectFix, type FixInitiator } from '../src/net/fix-tcp.ts';
import { modulePath } from './child-process.ts';
import { countCollections } from './gc-count.ts';
import type { BenchSetup, Measurement, Subject } from './harness.ts';
import { benchOrder, benchReport, SESSION_COMP_IDS } from './session-messages.ts';
import type { PeerAnswer, PeerRequest } from './session-peer.ts';

export interface SessionOptions {
  /** Messages of a round of the codec. */
  readonly codecMessages: number;
  /** Messages of a round over TCP, each way. */
  readonly messages: number;
}

const WAIT_MS = 60_000;
const OUTBOUND_BYTES_MAX = 256 * 1024 * 1024;
/** Orders given to the session in one turn of the loop, as a gateway takes them from its queue. */
const ORDERS_A_TURN = 64;

/** Codec alone, then a session over TCP: validated by the dictionary, stored in files, group-committed. */
export async function sessionBench(options: SessionOptions): Promise<BenchSetup> {
  const link = await SessionLink.open();
  const { codecMessages, messages } = options;
  const subjects: Subject[] = [
    { impl: 'outcry', case: 'encode-D', measure: () => codecRound(codecMessages, () => encodeOrders(codecMessages)) },
    { impl: 'outcry', case: 'decode-8', measure: decodeSubject(codecMessages) },
    { impl: 'outcry', case: 'tcp-in', measure: () => link.receive(messages) },
    { impl: 'outcry', case: 'tcp-out', measure: () => link.send(messages) },
  ];
  return { subjects, close: () => link.close() };
}

async function codecRound(count: number, work: () => number): Promise<Measurement> {
  const startMs = performance.now();
  const { result, collections } = await countCollections(() => {
    const checksum = work();
    return { checksum, seconds: (performance.now() - startMs) / 1_000 };
  });
  return {
    samples: [
      { metric: 'messages_per_s', unit: 'messages/s', value: count / result.seconds },
      { metric: 'gc_per_million', unit: 'collections', value: (collections / count) * 1e6 },
    ],
    checksum: result.checksum,
  };
}

const encoder = new FixEncoder('FIX.4.4');
encoder.setCompIDs(SESSION_COMP_IDS.broker, SESSION_COMP_IDS.venue);

function encodeOrders(count: number): number {
  let checksum = 0;
  for (let i = 0; i < count; i++) {
    const order = benchOrder(i);
    encoder.begin(MsgType.NewOrderSingle, i + 1, order.transactTimeMicros);
    writeNewOrderSingle(encoder, order);
    encoder.finish();
    checksum = (checksum + encoder.buffer[encoder.end - 2]!) | 0;
  }
  return checksum;
}

function decodeSubject(count: number): () => Promise<Measurement> {
  const bytes = reportBytes();
  const reader = new ReportReader();
  return () =>
    codecRound(count, () => {
      reader.messageCount = 0;
      reader.checksum = 0;
      while (reader.messageCount < count) reader.receiver.receive(bytes, 0, bytes.length);
      return reader.checksum;
    });
}

/** 1,000 reports, one after the other. */
function reportBytes(): Uint8Array {
  const messages: Uint8Array[] = [];
  for (let i = 0; i < 1_000; i++) {
    encoder.begin(MsgType.ExecutionReport, i + 1, benchReport(i).transactTimeMicros);
    writeExecutionReport(encoder, benchReport(i));
    encoder.finish();
    messages.push(encoder.buffer.slice(encoder.start, encoder.end));
  }
  return Buffer.concat(messages);
}

/** CheckSum verified, and an ExecutionReport filled in place from every message. */
class ReportReader implements FrameSink {
  messageCount = 0;
  checksum = 0;
  readonly receiver: FixReceiver = new FixReceiver(this);
  readonly #message = new FixMessage();
  readonly #decoder = new FixDecoder();
  readonly #record = new ExecutionReportRecord();

  onFrame(buffer: Uint8Array, framer: FixFramer): boolean {
    const status = this.#decoder.decode(this.#message, buffer, framer.bodyStart, framer.trailerStart);
    assert(status === DecodeStatus.Ok && this.#record.read(this.#message), 'every message of the bench is well formed');
    this.checksum = (this.checksum + this.#record.lastQty * this.#record.lastPxPaise) | 0;
    this.messageCount++;
    return true;
  }

  onGarbled(): boolean {
    assert(false, 'no byte of the bench is garbage');
  }
}

/** A session of the engine over TCP loopback with a counterparty in another thread. */
class SessionLink {
  readonly #peer: Worker;
  readonly #directory = mkdtempSync(join(tmpdir(), 'outcry-session-bench-'));
  #initiator: FixInitiator | undefined;
  #closeStore: () => Promise<void> = async () => undefined;
  #received = 0;
  #expected = 0;
  #checksum = 0;
  #onReceived: () => void = () => {};

  private constructor() {
    process.once('exit', () => rmSync(this.#directory, { recursive: true, force: true }));
    this.#peer = new Worker(modulePath('./session-peer'), { workerData: 'session-peer' });
  }

  static async open(): Promise<SessionLink> {
    const link = new SessionLink();
    const { port } = (await link.#answer()) as { port: number };
    const store = openFixStore({ directory: link.#directory, sessionId: 'bench' });
    link.#closeStore = () => store.close();
    await new Promise<void>((resolve) => {
      link.#initiator = connectFix({
        host: '127.0.0.1',
        port,
        store,
        outboundBytesMax: OUTBOUND_BYTES_MAX,
        session: {
          ...SESSION_DEFAULTS,
          role: 'initiator',
          senderCompID: SESSION_COMP_IDS.broker,
          targetCompID: SESSION_COMP_IDS.venue,
          gapPolicy: 'resend',
          dictionary: fixDictionary(FixVersion.Fix44),
        },
        application: {
          onLogon: () => resolve(),
          onMessage: (_session, message) => link.#take(message),
          onReject: () => assert(false, 'the counterparty rejects nothing'),
          onGap() {},
          onLogout() {},
        },
      });
    });
    return link;
  }

  /** The counterparty sends as fast as it can: from the request to the last delivery. */
  async receive(count: number): Promise<Measurement> {
    this.#received = 0;
    this.#checksum = 0;
    this.#expected = count;
    const done = new Promise<void>((resolve) => {
      this.#onReceived = resolve;
    });
    const startMs = performance.now();
    this.#peer.postMessage({ send: count } satisfies PeerRequest);
    await bounded(done);
    return rate(count, startMs, this.#checksum);
  }

  /** Orders as fast as they become durable: from the first to the counterparty's having got the last. */
  async send(count: number): Promise<Measurement> {
    const { session } = this.#initiator!;
    this.#peer.postMessage({ expect: count } satisfies PeerRequest);
    const answer = this.#answer();
    const startMs = performance.now();
    for (let sent = 0; sent < count; ) {
      const nowMs = Date.now();
      for (const turn = Math.min(count, sent + ORDERS_A_TURN); sent < turn; sent++) {
        writeNewOrderSingle(session.begin(MsgType.NewOrderSingle, nowMs), benchOrder(sent));
        assert(session.send(nowMs) > 0, 'the session takes the order');
      }
      await new Promise(setImmediate);
    }
    const { checksum } = (await bounded(answer)) as { checksum: number };
    return rate(count, startMs, checksum);
  }

  async close(): Promise<void> {
    await this.#initiator?.close('the bench is over');
    await this.#closeStore();
    const ended = once(this.#peer, 'exit');
    this.#peer.postMessage('close');
    await ended;
  }

  #take(message: FixMessage): void {
    this.#checksum = (this.#checksum + message.int(message.find(Tag.LastQty, message.bodyPosition))) | 0;
    this.#received++;
    if (this.#received === this.#expected) this.#onReceived();
  }

  async #answer(): Promise<PeerAnswer> {
    const [answer] = (await once(this.#peer, 'message')) as [PeerAnswer];
    return answer;
  }
}

function rate(count: number, startMs: number, checksum: number): Measurement {
  const value = count / ((performance.now() - startMs) / 1_000);
  return { samples: [{ metric: 'messages_per_s', unit: 'messages/s', value }], checksum };
}

async function bounded<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${WAIT_MS / 1_000} s`)), WAIT_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
