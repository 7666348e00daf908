// hot: per published update. Bodies are encoded once into reused buffers; nothing is allocated.
import { FixEncoder } from '../fix/fix-encoder.ts';
import { MDEntryType, MsgType, type SecurityTradingStatus } from '../fix/generated/fix-enums.gen.ts';
import { MARKET_DEPTH, MarketDataWriter } from '../fix/market-data-messages.ts';
import { BODY_SEGMENTS_MAX, MarketDataBody, type MarketDataListener } from './market-data-body.ts';
import type { MatchingEngine } from './matching-engine.ts';
import { LEVELS_EACH } from './published-state.ts';
import { SnapshotEncoder } from './snapshot-encoder.ts';

/** An X is closed when it has this many bytes; the longest change of one instrument (ten levels, 32 trades and the rest) is below 4 KB. */
const INCREMENTAL_BYTES_SOFT = 8_192;
const INCREMENTAL_BYTES_MAX = 16_384;
/** Trades of one update; an order that makes more makes several updates. */
const TRADES_MAX = 32;
const NO_REQUEST = new Uint8Array(0);

/**
 * Turns changes of the books into market data: compares an instrument with what was published of it and writes the difference into the open X.
 * The owner calls `publish` for each changed instrument and `flush` at the end of its turn.
 */
export class MarketDataPublisher {
  readonly snapshots: SnapshotEncoder;
  /** Updates published: one instrument's change in one X. */
  updateCount = 0;
  readonly #engine: MatchingEngine;
  readonly #listener: MarketDataListener;
  readonly #incremental = new FixEncoder('FIX.4.4', INCREMENTAL_BYTES_MAX);
  readonly #writer = new MarketDataWriter();
  readonly #body = new MarketDataBody();
  #entryCount = 0;
  /** The number of the X that an instrument was last written into: an instrument stands once in a message. */
  readonly #messageOf: Float64Array;
  #message = 1;

  readonly #tradePaise = new Int32Array(TRADES_MAX);
  readonly #tradeQty = new Int32Array(TRADES_MAX);
  #tradeCount = 0;

  constructor(capacity: number, engine: MatchingEngine, listener: MarketDataListener) {
    this.snapshots = new SnapshotEncoder(capacity);
    this.#engine = engine;
    this.#listener = listener;
    this.#messageOf = new Float64Array(capacity);
    this.#body.msgType = MsgType.MarketDataIncrementalRefresh;
    this.#body.buffer = this.#incremental.buffer;
  }

  /** Notes a trade, to be published with the change it is part of, or before when an order makes many. */
  trade(index: number, pricePaise: number, quantity: number): void {
    if (this.#tradeCount === TRADES_MAX) this.publish(index);
    this.#tradePaise[this.#tradeCount] = pricePaise;
    this.#tradeQty[this.#tradeCount] = quantity;
    this.#tradeCount++;
  }

  /** Whether the open X already has a change of the instrument, so that another would close it. */
  isInOpenMessage(index: number): boolean {
    return this.#messageOf[index] === this.#message;
  }

  /** Writes what changed of the instrument since it was last published; returns whether anything did. */
  publish(index: number): boolean {
    if (this.isInOpenMessage(index) || this.#body.segmentCount === BODY_SEGMENTS_MAX) this.flush();
    const encoder = this.#incremental;
    const writer = this.#writer;
    if (this.#body.segmentCount === 0) {
      encoder.beginBody();
      writer.beginIncremental(encoder, NO_REQUEST);
      this.#entryCount = 0;
    }
    const start = encoder.bodyEnd;
    writer.instrument(this.snapshots.symbolBytes(index));
    this.#writeLevels(index);
    this.#writeFigures(index);
    this.#tradeCount = 0;
    const end = encoder.bodyEnd;
    if (end === start) return false;
    const entryCount = writer.end();
    this.#body.addSegment(index, start, end, entryCount - this.#entryCount);
    this.#entryCount = entryCount;
    this.#messageOf[index] = this.#message;
    this.updateCount++;
    if (end - encoder.bodyStart >= INCREMENTAL_BYTES_SOFT) this.flush();
    return true;
  }

  /** Delivers the open X, if it has anything. */
  flush(): void {
    const body = this.#body;
    if (body.segmentCount === 0) return;
    body.tsMicros = this.#engine.nowMicros;
    body.start = this.#incremental.bodyStart;
    body.end = this.#incremental.bodyEnd;
    this.#listener.published(body);
    body.segmentCount = 0;
    this.#message++;
  }

  /** Publishes a W of the instrument as it is now, to everybody: the start of its day. */
  publishSnapshot(index: number): void {
    this.flush();
    this.capture(index);
    this.#listener.published(this.snapshots.snapshot(index, this.#engine.nowMicros));
  }

  publishSecurityStatus(index: number, status: SecurityTradingStatus): void {
    this.flush();
    this.#listener.published(this.snapshots.securityStatus(index, status, this.#engine.nowMicros));
  }

  #writeLevels(index: number): void {
    const engine = this.#engine;
    if (!engine.hasBook(index)) return;
    const state = this.snapshots.state;
    const writer = this.#writer;
    const book = engine.book(index);
    const first = index * LEVELS_EACH;
    for (let i = 0; i < LEVELS_EACH; i++) {
      const isOffer = i >= MARKET_DEPTH;
      const side = isOffer ? book.offers : book.bids;
      const depth = isOffer ? i - MARKET_DEPTH : i;
      const row = first + i;
      const quantity = side.quantityAt(depth);
      const pricePaise = side.pricePaiseAt(depth);
      const orders = side.orderCountAt(depth);
      if (quantity === state.levelQty[row] && pricePaise === state.levelPaise[row] && orders === state.levelOrders[row])
        continue;
      state.setLevel(row, pricePaise, quantity, orders);
      const entryType = isOffer ? MDEntryType.Offer : MDEntryType.Bid;
      if (quantity === 0) writer.deleteLevel(entryType, depth + 1);
      else writer.level(entryType, depth + 1, pricePaise, quantity, orders);
    }
  }

  #writeFigures(index: number): void {
    const state = this.snapshots.state;
    const writer = this.#writer;
    const figures = this.#engine.figures;
    const micros = figures.lastTradeMicros[index]!;
    if (this.#engine.hasBook(index)) {
      for (let i = 0; i < this.#tradeCount; i++) writer.trade(this.#tradePaise[i]!, this.#tradeQty[i]!, micros);
      state.lastPaise[index] = figures.lastPaise[index]!;
      state.lastQty[index] = figures.lastQty[index]!;
      state.lastMicros[index] = micros;
      const volume = figures.volume[index]!;
      if (volume !== state.volume[index]) {
        state.volume[index] = volume;
        writer.quantity(MDEntryType.TradeVolume, volume);
      }
      this.#price(state.averagePaise, index, MDEntryType.TradingSessionVwapPrice, figures.averagePaise(index));
    } else {
      this.#price(state.indexPaise, index, MDEntryType.IndexValue, figures.lastPaise[index]!);
    }
    this.#price(state.openPaise, index, MDEntryType.OpeningPrice, figures.openPaise[index]!);
    this.#price(state.highPaise, index, MDEntryType.TradingSessionHighPrice, figures.highPaise[index]!);
    this.#price(state.lowPaise, index, MDEntryType.TradingSessionLowPrice, figures.lowPaise[index]!);
    this.#price(state.previousClosePaise, index, MDEntryType.ClosingPrice, figures.previousClosePaise[index]!);
  }

  #price(published: Int32Array, index: number, entryType: MDEntryType, pricePaise: number): void {
    if (published[index] === pricePaise) return;
    published[index] = pricePaise;
    this.#writer.price(entryType, pricePaise);
  }

  /** Takes the instrument as it is now for published, without telling anybody. */
  capture(index: number): void {
    const engine = this.#engine;
    const figures = engine.figures;
    const state = this.snapshots.state;
    state.clear(index);
    this.#tradeCount = 0;
    if (engine.hasBook(index)) {
      const book = engine.book(index);
      for (let depth = 0; depth < MARKET_DEPTH; depth++) {
        const row = index * LEVELS_EACH + depth;
        const { bids, offers } = book;
        state.setLevel(row, bids.pricePaiseAt(depth), bids.quantityAt(depth), bids.orderCountAt(depth));
        state.setLevel(
          row + MARKET_DEPTH,
          offers.pricePaiseAt(depth),
          offers.quantityAt(depth),
          offers.orderCountAt(depth),
        );
      }
      state.lastPaise[index] = figures.lastPaise[index]!;
      state.lastQty[index] = figures.lastQty[index]!;
      state.lastMicros[index] = figures.lastTradeMicros[index]!;
      state.volume[index] = figures.volume[index]!;
      state.averagePaise[index] = figures.averagePaise(index);
    } else {
      state.indexPaise[index] = figures.lastPaise[index]!;
    }
    state.openPaise[index] = figures.openPaise[index]!;
    state.highPaise[index] = figures.highPaise[index]!;
    state.lowPaise[index] = figures.lowPaise[index]!;
    state.previousClosePaise[index] = figures.previousClosePaise[index]!;
  }
}
