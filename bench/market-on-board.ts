import { generateInstrumentMaster } from '../src/core/exchange/instrument-generator.ts';
import type { MarketDataBody } from '../src/core/exchange/market-data-body.ts';
import { Simulation, TURN_MICROS } from '../src/core/exchange/simulation.ts';
import { FixDecoder } from '../src/core/fix/fix-decoder.ts';
import { FixEncoder } from '../src/core/fix/fix-encoder.ts';
import { FixFramer } from '../src/core/fix/fix-framer.ts';
import { FixMessage } from '../src/core/fix/fix-message.ts';
import { Tag } from '../src/core/fix/generated/fix-tags.gen.ts';
import { SessionHeader } from '../src/core/fix/session-header.ts';
import { FeedHandler } from '../src/core/market-data/feed-handler.ts';
import { InstrumentTable } from '../src/core/market-data/instrument-table.ts';
import { QuoteBoardWriter, quoteBoardByteLength } from '../src/core/market-data/quote-board.ts';
import { QuoteFreshness } from '../src/core/market-data/quote-freshness.ts';
import { BroadcastRingProducer, broadcastRingByteLength } from '../src/core/shm/broadcast-ring.ts';
import { DirtyBitmapWriter, dirtyBitmapByteLength } from '../src/core/shm/dirty-bitmap.ts';
import { TRADE_RECORD_STRIDE_WORDS } from '../src/core/shm/generated/broadcast-ring.gen.ts';

export interface MarketOptions {
  readonly seed: number;
  readonly updatesPerSecond: number;
  readonly madeUpInstruments: number;
  /** Fan-outs that will read: a dirty set each. */
  readonly readers: number;
}

/** The trading day that is played: 1 January 2026, from the open. */
const DATE = '2026-01-01';
const OPEN_MICROS = Date.parse(`${DATE}T09:15:00+05:30`) * 1_000;
const ORDERS_MAX = 4_000_000;
const TRADE_RECORDS = 1_024;
const NEVER_STALE_MS = 1e9;
const NO_OUTSIDE_ORDERS = { accepted() {}, traded() {}, canceled() {}, replaced() {} };

/** The simulated exchange and the engine's way from its FIX messages to a quote board, in one thread and on the market's own clock. */
export class MarketOnBoard {
  readonly table: InstrumentTable;
  readonly board: SharedArrayBuffer;
  readonly dirtySets: readonly SharedArrayBuffer[];
  readonly #simulation: Simulation;
  readonly #handler: FeedHandler;
  readonly #encoder = new FixEncoder('FIX.4.4');
  readonly #framer = new FixFramer();
  readonly #decoder = new FixDecoder();
  readonly #header = new SessionHeader();
  readonly #message = new FixMessage();
  #messages = 0;

  constructor(options: MarketOptions) {
    const { seed, updatesPerSecond, madeUpInstruments, readers } = options;
    const master = generateInstrumentMaster({ seed, madeUpCount: madeUpInstruments, from: DATE });
    const table = new InstrumentTable(master.entries.length);
    table.load(master, DATE);
    this.table = table;
    const { capacity } = table;
    this.board = new SharedArrayBuffer(quoteBoardByteLength(capacity));
    this.dirtySets = Array.from({ length: readers }, () => new SharedArrayBuffer(dirtyBitmapByteLength(capacity)));
    const marks = this.dirtySets.map((set) => new DirtyBitmapWriter(set, capacity));
    const writer = new QuoteBoardWriter(this.board, capacity, marks);
    const ring = new SharedArrayBuffer(broadcastRingByteLength(TRADE_RECORD_STRIDE_WORDS, TRADE_RECORDS));
    const trades = new BroadcastRingProducer(ring, TRADE_RECORD_STRIDE_WORDS);
    this.#handler = new FeedHandler(writer, trades, table, new QuoteFreshness(writer, table, capacity, NEVER_STALE_MS));
    this.#encoder.setCompIDs('EXCHANGE', 'OUTCRY');
    this.#simulation = new Simulation(
      {
        seed,
        table,
        startMicros: OPEN_MICROS,
        updatesPerSecond,
        openBurstFactor: 1,
        marketHours: 'always',
        ordersMax: ORDERS_MAX,
      },
      { published: (body) => this.#take(body, false) },
      NO_OUTSIDE_ORDERS,
    );
    for (let index = 0; index < table.count; index++) this.#take(this.#simulation.snapshot(index), true);
  }

  /** Changes of one instrument that have come so far. */
  get updateCount(): number {
    return this.#handler.updateCount;
  }

  get clockMicros(): number {
    return this.#simulation.clockMicros;
  }

  /** Lets the market run for a turn; what it publishes is on the board then. */
  turn(): void {
    this.#simulation.step(this.#simulation.clockMicros + TURN_MICROS);
  }

  #take(body: MarketDataBody, isSnapshot: boolean): void {
    const encoder = this.#encoder;
    encoder.begin(body.msgType, ++this.#messages, body.tsMicros);
    if (isSnapshot) encoder.ascii(Tag.MDReqID, 'md');
    encoder.fields(body.buffer, body.start, body.end);
    encoder.finish();
    const { buffer, start, end } = encoder;
    this.#framer.frame(buffer, start, end);
    this.#decoder.decode(this.#message, buffer, this.#framer.bodyStart, this.#framer.trailerStart);
    this.#header.read(this.#message);
    this.#handler.onMessage(this.#message, body.tsMicros);
  }
}
