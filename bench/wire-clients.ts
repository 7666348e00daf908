import { DecodeStatus, QuoteDecoder } from '../src/client/quote-decoder.ts';
import { assert } from '../src/core/assert.ts';
import { Prng } from '../src/core/exchange/prng.ts';
import { FanOut } from '../src/core/fan-out/fan-out.ts';
import { InstrumentDirectory } from '../src/core/fan-out/instrument-directory.ts';
import { type QuoteSink, SendStatus, type Subscriber } from '../src/core/fan-out/subscriber.ts';
import { ACK_INTERVAL_MS, MODE_BY_NAME, QuoteMode } from '../src/core/fan-out/wire.ts';
import { instrumentRows } from '../src/core/market-data/instrument-row.ts';
import { FAN_OUT_STATS_STRIDE_WORDS } from '../src/core/shm/generated/worker-stats.gen.ts';
import { BYTES_PER_WORD } from '../src/core/shm/layout.ts';
import { InstrumentDraw } from './instrument-draw.ts';
import type { MarketOnBoard } from './market-on-board.ts';

/** What the clients of a fan-out are served: a mode of `outcry.v1`, or JSON. */
export const WIRE_FORMATS = ['json', 'ltp', 'quote', 'full'] as const;
export type WireFormat = (typeof WIRE_FORMATS)[number];

export interface WireClientsOptions {
  readonly connections: number;
  readonly symbols: number;
  readonly seed: number;
}

const PHASES = 8;
const FILTER_BPS = 10;
/** RFC 6455: two bytes before a payload of up to 125 bytes, four up to 65,535. */
const SHORT_PAYLOAD_MAX = 125;

/** Frames of which it is told what they cost. */
export interface WireCost {
  readonly frames: number;
  /** With the WebSocket's own. */
  readonly bytes: number;
  readonly changes: number;
  /** The median over all changes of what their frame cost each of its changes. */
  readonly medianBytes: number;
}

/** A fan-out over the market's board, and clients that keep every frame. */
export class WireClients {
  /** Frames from the first on, by client. */
  readonly received: Uint8Array[][] = [];
  readonly #fanOut: FanOut;
  readonly #subscribers: Subscriber[] = [];
  readonly #isJson: boolean;
  /** Frames of each client before `begin`. */
  #warmupFrames: number[] = [];
  #phase = 0;
  #ackDueMs = 0;

  constructor(market: MarketOnBoard, reader: number, format: WireFormat, options: WireClientsOptions) {
    const { table } = market;
    const directory = new InstrumentDirectory(table.capacity);
    directory.load(instrumentRows(table));
    this.#isJson = format === 'json';
    this.#fanOut = new FanOut({
      board: market.board,
      dirtySet: market.dirtySets[reader]!,
      stats: new SharedArrayBuffer(FAN_OUT_STATS_STRIDE_WORDS * BYTES_PER_WORD),
      instrumentCapacity: table.capacity,
      directory,
      phaseCount: PHASES,
      filterBps: FILTER_BPS,
      maxConnections: options.connections,
      maxSubscriptions: options.symbols,
    });
    const draw = new InstrumentDraw('zipf', table.count, new Prng(options.seed));
    const mode = format === 'json' ? QuoteMode.Json : MODE_BY_NAME[format];
    for (let client = 0; client < options.connections; client++) {
      const frames: Uint8Array[] = [];
      const sink: QuoteSink = {
        sendQuotes(bytes) {
          frames.push(bytes.slice());
          return SendStatus.Sent;
        },
      };
      const subscriber = this.#fanOut.connect(sink, this.#isJson);
      this.#fanOut.setFilter(subscriber, FILTER_BPS, market.clockMicros);
      this.#fanOut.subscribe(subscriber, draw.distinct(options.symbols), mode, market.clockMicros);
      this.#subscribers.push(subscriber);
      this.received.push(frames);
    }
  }

  /** The warm-up is over. */
  begin(): void {
    this.#warmupFrames = this.received.map((frames) => frames.length);
  }

  /** Serves the phases that are due when so much of the tick is over. */
  serve(tickShare: number, nowMs: number): void {
    const fanOut = this.#fanOut;
    if (nowMs >= this.#ackDueMs) {
      this.#ackDueMs = nowMs + ACK_INTERVAL_MS;
      for (const subscriber of this.#subscribers) fanOut.acknowledge(subscriber, subscriber.lastTick);
    }
    while (!fanOut.flush(this.#subscribers.length, nowMs));
    const next = Math.ceil(tickShare * PHASES) % PHASES;
    while (this.#phase !== next) {
      fanOut.beginTick(this.#phase, nowMs);
      while (!fanOut.sweep(this.#subscribers.length, nowMs));
      this.#phase = (this.#phase + 1) % PHASES;
    }
  }

  /** What the frames since `begin` cost. */
  cost(): WireCost {
    const perFrame: { bytes: number; changes: number }[] = [];
    this.received.forEach((frames, client) => {
      const decoder = new QuoteDecoder();
      frames.forEach((frame, n) => {
        const changes = this.#isJson ? jsonQuotes(frame) : changesIn(decoder, frame);
        if (n < this.#warmupFrames[client]!) return;
        perFrame.push({ bytes: frame.length + (frame.length <= SHORT_PAYLOAD_MAX ? 2 : 4), changes });
      });
    });
    const bytes = perFrame.reduce((sum, frame) => sum + frame.bytes, 0);
    const changes = perFrame.reduce((sum, frame) => sum + frame.changes, 0);
    perFrame.sort((a, b) => a.bytes / a.changes - b.bytes / b.changes);
    let seen = 0;
    const middle = perFrame.find((frame) => {
      seen += frame.changes;
      return seen >= changes / 2;
    })!;
    return { frames: perFrame.length, bytes, changes, medianBytes: middle.bytes / middle.changes };
  }
}

function changesIn(decoder: QuoteDecoder, frame: Uint8Array): number {
  assert(decoder.decode(frame) === DecodeStatus.Ok, 'every frame can be read');
  return decoder.changedCount;
}

function jsonQuotes(frame: Uint8Array): number {
  const value: unknown = JSON.parse(Buffer.from(frame).toString('utf8'));
  return Array.isArray(value) ? value.length : 1;
}
