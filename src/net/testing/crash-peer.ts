/**
 * One side of the order flow that `crash-rounds.ts` kills and starts again: a broker (initiator, orders out) or a venue (acceptor, a report for each).
 * Both commit what a message does with the message's key. Started with its settings as JSON in the first argument; talks to its parent over IPC.
 */
import { join } from 'node:path';
import type { FixMessage } from '../../core/fix/fix-message.ts';
import type { FixSession } from '../../core/fix/fix-session.ts';
import { MsgType, Side } from '../../core/fix/generated/fix-enums.gen.ts';
import { Tag } from '../../core/fix/generated/fix-tags.gen.ts';
import { namedFields } from '../../core/fix/message-text.ts';
import { type FixApplication, type FixSessionSettings, SESSION_DEFAULTS } from '../../core/fix/session-contract.ts';
import { fixSessionId } from '../../core/fix/store-state.ts';
import { type FileFixStore, openFixStore } from '../fix-store-file.ts';
import { connectFix, type FixAcceptor, type FixInitiator, listenFix } from '../fix-tcp.ts';
import { visitMessages } from '../store-view.ts';
import { EffectFile } from './effect-file.ts';

export interface CrashPeerSettings {
  readonly role: 'broker' | 'venue';
  readonly directory: string;
  /** Where the venue listens; 0 for its first start. */
  readonly port: number;
}

/** What a peer tells: when it is ready, and every 20 ms. */
export interface CrashPeerReport {
  readonly type: 'ready' | 'numbers' | 'drained';
  readonly port: number;
  readonly epoch: number;
  readonly nextOut: number;
  readonly nextIn: number;
  readonly tornBytes: number;
}

export type CrashPeerRequest = 'drain' | 'stop';

const REPORT_MS = 20;
const LISTEN_RETRY_MS = 20;
/** Orders without a report that the broker lets stand. */
const ORDERS_OUT_MAX = 40;
const BROKER = 'BROKER';
const VENUE = 'VENUE';

export function crashSessionId(role: CrashPeerSettings['role']): string {
  return role === 'broker'
    ? fixSessionId(SESSION_DEFAULTS.beginString, BROKER, VENUE)
    : fixSessionId(SESSION_DEFAULTS.beginString, VENUE, BROKER);
}

export function effectPath(directory: string): string {
  return join(directory, 'effects');
}

/** ClOrdIDs of the messages of one type and direction that a peer's store has. */
export function storedOrderIds(directory: string, role: CrashPeerSettings['role'], msgType: string): string[] {
  const found: string[] = [];
  visitMessages(join(directory, crashSessionId(role)), undefined, ({ direction, bytes }) => {
    const fields = namedFields(bytes);
    if (direction !== 'out' || fields.find(({ tag }) => tag === '35')?.value !== msgType) return;
    found.push(fields.find(({ tag }) => tag === String(Tag.ClOrdID))!.value);
  });
  return found;
}

abstract class CrashPeer implements FixApplication {
  readonly store: FileFixStore;
  protected readonly effects: EffectFile;

  constructor(directory: string, role: CrashPeerSettings['role']) {
    this.store = openFixStore({ directory, sessionId: crashSessionId(role), segmentBytes: 262_144 });
    this.effects = new EffectFile(effectPath(directory));
  }

  abstract onLogon(session: FixSession): void;
  abstract onMessage(session: FixSession, message: FixMessage): void;
  onGap(): void {}
  onLogout(): void {}

  async close(): Promise<void> {
    await this.store.close();
    this.effects.close();
  }

  protected orderId(message: FixMessage): string {
    return message.ascii(message.find(Tag.ClOrdID, message.bodyPosition));
  }
}

/** Takes each order once and reports each once, whatever was lost in between. */
class Venue extends CrashPeer {
  readonly #reported: Set<string>;

  constructor(directory: string) {
    super(directory, 'venue');
    this.#reported = new Set(storedOrderIds(directory, 'venue', '8'));
  }

  identify(): { settings: FixSessionSettings; store: FileFixStore } {
    return { settings: sessionSettings('venue'), store: this.store };
  }

  onLogon(session: FixSession): void {
    for (const { orderId } of this.effects.effects) this.#report(session, orderId);
  }

  onMessage(session: FixSession, message: FixMessage): void {
    const { epoch } = this.store;
    const { msgSeqNum } = message;
    const orderId = this.orderId(message);
    if (this.effects.mark.isNew(epoch, msgSeqNum)) this.effects.commitNow({ epoch, msgSeqNum, orderId });
    this.#report(session, orderId);
  }

  #report(session: FixSession, orderId: string): void {
    if (this.#reported.has(orderId)) return;
    const encoder = session.begin(MsgType.ExecutionReport, session.nowMs);
    encoder.ascii(Tag.ClOrdID, orderId);
    encoder.ascii(Tag.OrderID, `V${orderId}`);
    encoder.int(Tag.OrderQty, 10);
    // Not logged on any more: the next logon reports it.
    if (session.send(session.nowMs) > 0) this.#reported.add(orderId);
  }
}

/** Sends orders as long as few are unanswered; commits reports in groups, later than it takes them. */
class Broker extends CrashPeer {
  readonly #open: Set<string>;
  #isDraining = false;

  constructor(directory: string) {
    super(directory, 'broker');
    this.#open = new Set(storedOrderIds(directory, 'broker', 'D'));
    for (const { orderId } of this.effects.effects) this.#open.delete(orderId);
  }

  get isDrained(): boolean {
    return this.#isDraining && this.#open.size === 0;
  }

  drain(): void {
    this.#isDraining = true;
  }

  onLogon(session: FixSession): void {
    this.fill(session);
  }

  onMessage(session: FixSession, message: FixMessage): void {
    const { store, effects } = this;
    const { epoch } = store;
    const { msgSeqNum } = message;
    const orderId = this.orderId(message);
    if (!effects.mark.isNew(epoch, msgSeqNum)) return;
    store.hold(msgSeqNum);
    effects.commit({ epoch, msgSeqNum, orderId }, () => {
      store.committed(epoch, msgSeqNum);
      this.#open.delete(orderId);
      this.fill(session);
    });
  }

  fill(session: FixSession): void {
    while (!this.#isDraining && session.loggedOn && this.#open.size < ORDERS_OUT_MAX) {
      const nowMs = Date.now();
      const orderId = `${this.store.epoch}-${session.nextOutSeqNum}`;
      const encoder = session.begin(MsgType.NewOrderSingle, nowMs);
      encoder.ascii(Tag.ClOrdID, orderId);
      encoder.ascii(Tag.Symbol, 'RELIANCE');
      encoder.char(Tag.Side, Side.Buy);
      encoder.int(Tag.OrderQty, 10);
      encoder.pricePaise(Tag.Price, 250_000);
      if (session.send(nowMs) < 0) return;
      this.#open.add(orderId);
    }
  }
}

function sessionSettings(role: CrashPeerSettings['role']): FixSessionSettings {
  return {
    ...SESSION_DEFAULTS,
    role: role === 'broker' ? 'initiator' : 'acceptor',
    senderCompID: role === 'broker' ? BROKER : VENUE,
    targetCompID: role === 'broker' ? VENUE : BROKER,
    gapPolicy: 'resend',
    resetOnLogon: false,
    heartBtIntSeconds: 1,
    logonTimeoutMs: 2_000,
    logoutTimeoutMs: 300,
    hangUpTimeoutMs: 100,
    resendTimeoutMs: 5_000,
  };
}

/** The port of the process before may take a moment to be free. */
async function listenAgain(venue: Venue, port: number): Promise<FixAcceptor> {
  for (;;) {
    try {
      return await listenFix({ port, session: sessionSettings('venue'), application: venue });
    } catch {
      await new Promise((resolve) => setTimeout(resolve, LISTEN_RETRY_MS));
    }
  }
}

async function run({ role, directory, port }: CrashPeerSettings): Promise<void> {
  const peer = role === 'broker' ? new Broker(directory) : new Venue(directory);
  const { store } = peer;
  const opened = { nextOut: store.nextSenderMsgSeqNum, nextIn: store.nextTargetMsgSeqNum };
  let edge: FixInitiator | FixAcceptor;
  let venuePort = port;
  if (peer instanceof Venue) {
    const acceptor = await listenAgain(peer, port);
    venuePort = acceptor.port;
    edge = acceptor;
  } else {
    edge = connectFix({
      host: '127.0.0.1',
      port,
      session: sessionSettings('broker'),
      application: peer,
      store,
      reconnectMinMs: 10,
      reconnectMaxMs: 40,
    });
  }
  const report = (type: CrashPeerReport['type'], numbers: { nextOut: number; nextIn: number }): void => {
    const told: CrashPeerReport = { type, port: venuePort, epoch: store.epoch, tornBytes: store.tornBytes, ...numbers };
    process.send?.(told);
  };
  report('ready', opened);
  const timer = setInterval(() => {
    const numbers = { nextOut: store.nextSenderMsgSeqNum, nextIn: store.nextTargetMsgSeqNum };
    report(peer instanceof Broker && peer.isDrained ? 'drained' : 'numbers', numbers);
  }, REPORT_MS);
  process.on('message', async (request: CrashPeerRequest) => {
    if (request === 'drain') {
      if (peer instanceof Broker) peer.drain();
      return;
    }
    clearInterval(timer);
    await edge.close('done');
    await peer.close();
    process.disconnect();
  });
  // Without its parent it is nobody's.
  process.on('disconnect', () => process.exit());
}

const settings = process.argv[2];
if (process.send !== undefined && settings?.startsWith('{')) await run(JSON.parse(settings) as CrashPeerSettings);
