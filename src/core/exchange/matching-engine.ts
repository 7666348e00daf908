// hot: per order event. Integers and typed arrays; refusals are RejectCodes, results go to a listener; nothing thrown or allocated.
import { assert } from '../assert.ts';
import { type Instrument, InstrumentKind } from '../market-data/instrument-master.ts';
import { DayFigures } from './day-figures.ts';
import { OrderBook } from './order-book.ts';
import { NO_ORDER, OrderPool, Side } from './order-pool.ts';
import { RejectCode } from './reject-codes.ts';

export const OrderType = { Market: 0, Limit: 1 } as const;
export type OrderType = (typeof OrderType)[keyof typeof OrderType];

export const TimeInForce = { Day: 0, ImmediateOrCancel: 1, FillOrKill: 2 } as const;
export type TimeInForce = (typeof TimeInForce)[keyof typeof TimeInForce];

export const CancelReason = {
  Requested: 0,
  /** The part of an IOC or market order that nothing in the book could fill. */
  Unfilled: 1,
  /** A FOK order that could not be filled whole. */
  Killed: 2,
  /** A DAY order at the end of its trading day. */
  Expired: 3,
  /** Its instrument was delisted. */
  Delisted: 4,
} as const;
export type CancelReason = (typeof CancelReason)[keyof typeof CancelReason];

/**
 * What happened, in order, told during the call that caused it. `order`, `maker` and `taker` are rows of the engine's pool: they may be read
 * during the callback; an order with no leavesQty, or canceled, is released right after it. The engine must not be called from inside.
 */
export interface ExecutionListener {
  accepted(order: number): void;
  /** Both orders' leavesQty and cumQty already include the trade; the price is the maker's. */
  traded(maker: number, taker: number, pricePaise: number, quantity: number): void;
  canceled(order: number, reason: CancelReason): void;
  /** Told before any trade that the new price leads to. */
  replaced(order: number): void;
}

const TradingState = { None: 0, Open: 1, Halted: 2, Index: 3 } as const;

const NO_UPPER_BAND = 0x7fffffff;

/**
 * Price-time priority matching for up to `capacity` instruments, by the instruments' dense indices. Market orders take what the book has, at
 * any price inside the band, and the rest is canceled. A replace keeps its place in the queue only with the same price and no more shares.
 */
export class MatchingEngine {
  readonly pool: OrderPool;
  readonly figures: DayFigures;
  /** Epoch microseconds; its owner moves it, trades are stamped with it. */
  nowMicros = 0;
  marketOpen = false;
  /** Nothing trades and no order comes in, in any instrument; its owner sets it. */
  marketHalted = false;
  /** The row of the last submitted or replaced order if it rests in the book now, else NO_ORDER. */
  resting = NO_ORDER;

  readonly #listener: ExecutionListener;
  readonly #books: (OrderBook | undefined)[] = [];
  readonly #state: Uint8Array;
  readonly #tickPaise: Int32Array;
  readonly #lotSize: Int32Array;
  readonly #freezeQuantity: Int32Array;
  readonly #lowerBandPaise: Int32Array;
  readonly #upperBandPaise: Int32Array;

  // Instruments changed since the owner last drained them, each once.
  readonly #changedFlags: Uint8Array;
  readonly changed: Int32Array;
  changedCount = 0;

  constructor(capacity: number, ordersMax: number, listener: ExecutionListener) {
    this.pool = new OrderPool(ordersMax);
    this.figures = new DayFigures(capacity);
    this.#listener = listener;
    this.#state = new Uint8Array(capacity);
    this.#tickPaise = new Int32Array(capacity);
    this.#lotSize = new Int32Array(capacity);
    this.#freezeQuantity = new Int32Array(capacity);
    this.#lowerBandPaise = new Int32Array(capacity);
    this.#upperBandPaise = new Int32Array(capacity);
    this.#changedFlags = new Uint8Array(capacity);
    this.changed = new Int32Array(capacity);
  }

  /**
   * Lists an instrument, or takes in its changed facts, and returns whether they changed. A band moves with the day, in {@link beginDay}; an order
   * that rests off a new tick stays.
   */
  list(index: number, instrument: Instrument): boolean {
    const { tickPaise, lotSize, freezeQuantity } = instrument;
    const changed =
      this.#tickPaise[index] !== tickPaise ||
      this.#lotSize[index] !== lotSize ||
      this.#freezeQuantity[index] !== freezeQuantity;
    this.#tickPaise[index] = tickPaise;
    this.#lotSize[index] = lotSize;
    this.#freezeQuantity[index] = freezeQuantity;
    if (this.#state[index] !== TradingState.None) return changed;
    if (instrument.kind === InstrumentKind.Equity) this.#books[index] ??= new OrderBook(this.pool);
    this.#state[index] = instrument.kind === InstrumentKind.Index ? TradingState.Index : TradingState.Open;
    this.beginDay(index, instrument.previousClosePaise, instrument.priceBandBps);
    return true;
  }

  /** Cancels what rests in the instrument and closes it for good. */
  delist(index: number): void {
    this.cancelAll(index, CancelReason.Delisted);
    this.#state[index] = TradingState.None;
  }

  /** Starts a trading day of the instrument: figures cleared, the band set around the previous close (the whole ticks inside it). */
  beginDay(index: number, previousClosePaise: number, priceBandBps: number | null): void {
    this.figures.begin(index, previousClosePaise);
    const tick = this.#tickPaise[index]!;
    if (priceBandBps === null) {
      this.#lowerBandPaise[index] = tick;
      this.#upperBandPaise[index] = NO_UPPER_BAND;
    } else {
      const width = Math.floor((previousClosePaise * priceBandBps) / 10_000);
      this.#lowerBandPaise[index] = Math.max(tick, Math.ceil((previousClosePaise - width) / tick) * tick);
      this.#upperBandPaise[index] = Math.floor((previousClosePaise + width) / tick) * tick;
    }
    this.markChanged(index);
  }

  /** Whether the instrument has a book: an index has none. */
  hasBook(index: number): boolean {
    return this.#books[index] !== undefined;
  }

  book(index: number): OrderBook {
    const book = this.#books[index];
    assert(book !== undefined, `instrument ${index} is listed`);
    return book;
  }

  tickPaise(index: number): number {
    return this.#tickPaise[index]!;
  }

  lowerBandPaise(index: number): number {
    return this.#lowerBandPaise[index]!;
  }

  upperBandPaise(index: number): number {
    return this.#upperBandPaise[index]!;
  }

  isTradable(index: number): boolean {
    return this.#state[index] === TradingState.Open && !this.marketHalted;
  }

  isHalted(index: number): boolean {
    return this.#state[index] === TradingState.Halted;
  }

  /** Stops or resumes trading in an instrument; resting orders stay and may be canceled. Returns whether it changed anything. */
  setHalted(index: number, halted: boolean): boolean {
    const from = halted ? TradingState.Open : TradingState.Halted;
    if (this.#state[index] !== from) return false;
    this.#state[index] = halted ? TradingState.Halted : TradingState.Open;
    return true;
  }

  /** A new order. `pricePaise` counts for limit orders only. */
  submit(
    index: number,
    side: Side,
    type: OrderType,
    timeInForce: TimeInForce,
    pricePaise: number,
    quantity: number,
    owner: number,
    reference: number,
  ): RejectCode {
    this.resting = NO_ORDER;
    const refusal = this.#check(index, type, pricePaise, quantity);
    if (refusal !== RejectCode.None) return refusal;
    const pool = this.pool;
    const order = pool.claim();
    if (order === NO_ORDER) return RejectCode.ExchangeFull;
    const limit = type === OrderType.Limit ? pricePaise : side === Side.Buy ? NO_UPPER_BAND : 1;
    pool.pricePaise[order] = limit;
    pool.leavesQty[order] = quantity;
    pool.cumQty[order] = 0;
    pool.instrument[order] = index;
    pool.side[order] = side;
    pool.owner[order] = owner;
    pool.reference[order] = reference;
    this.#listener.accepted(order);
    if (timeInForce === TimeInForce.FillOrKill) {
      const available = this.#books[index]!.opposite(side).quantityWithin(limit, quantity);
      if (available < quantity) {
        this.#finish(order, CancelReason.Killed);
        return RejectCode.None;
      }
    }
    this.#match(order);
    if (pool.leavesQty[order] === 0) pool.release(order);
    else if (type === OrderType.Limit && timeInForce === TimeInForce.Day) this.#rest(order);
    else this.#finish(order, CancelReason.Unfilled);
    return RejectCode.None;
  }

  /** Cancels a resting order; allowed in a halt, refused when the market is closed. */
  cancel(order: number): RejectCode {
    if (!this.marketOpen) return RejectCode.MarketClosed;
    this.#removeFromBook(order, CancelReason.Requested);
    return RejectCode.None;
  }

  /** Changes a resting order's price and total quantity (executed shares included). */
  replace(order: number, pricePaise: number, quantity: number): RejectCode {
    this.resting = order;
    const pool = this.pool;
    const index = pool.instrument[order]!;
    const refusal = this.#check(index, OrderType.Limit, pricePaise, quantity);
    if (refusal !== RejectCode.None) return refusal;
    const leaves = quantity - pool.cumQty[order]!;
    if (leaves <= 0) return RejectCode.BelowExecuted;
    const book = this.#books[index]!.side(pool.side[order]!);
    const less = pool.leavesQty[order]! - leaves;
    if (pricePaise === pool.pricePaise[order] && less >= 0) {
      if (less > 0) {
        book.reduce(order, less);
        this.markChanged(index);
      }
      this.#listener.replaced(order);
      return RejectCode.None;
    }
    book.remove(order);
    this.markChanged(index);
    pool.pricePaise[order] = pricePaise;
    pool.leavesQty[order] = leaves;
    this.#listener.replaced(order);
    this.#match(order);
    if (pool.leavesQty[order] === 0) {
      this.resting = NO_ORDER;
      pool.release(order);
    } else {
      this.#rest(order);
    }
    return RejectCode.None;
  }

  /** Cancels everything that rests in the instrument, best prices first. */
  cancelAll(index: number, reason: CancelReason): void {
    const book = this.#books[index];
    if (book === undefined) return;
    for (let order = book.bids.first(); order !== NO_ORDER; order = book.bids.first())
      this.#removeFromBook(order, reason);
    for (let order = book.offers.first(); order !== NO_ORDER; order = book.offers.first())
      this.#removeFromBook(order, reason);
  }

  markChanged(index: number): void {
    if (this.#changedFlags[index] === 1) return;
    this.#changedFlags[index] = 1;
    this.changed[this.changedCount++] = index;
  }

  /** Empties `changed`, once its owner has published what is in it. */
  clearChanged(): void {
    for (let i = 0; i < this.changedCount; i++) this.#changedFlags[this.changed[i]!] = 0;
    this.changedCount = 0;
  }

  #check(index: number, type: OrderType, pricePaise: number, quantity: number): RejectCode {
    const state = this.#state[index];
    if (state === TradingState.None) return RejectCode.UnknownSymbol;
    if (state === TradingState.Index) return RejectCode.NotTradable;
    if (!this.marketOpen) return RejectCode.MarketClosed;
    if (state === TradingState.Halted || this.marketHalted) return RejectCode.Halted;
    if (quantity <= 0) return RejectCode.InvalidQuantity;
    if (quantity > this.#freezeQuantity[index]!) return RejectCode.FreezeQuantity;
    if (quantity % this.#lotSize[index]! !== 0) return RejectCode.LotSize;
    if (type === OrderType.Market) return RejectCode.None;
    if (pricePaise <= 0 || pricePaise > NO_UPPER_BAND) return RejectCode.InvalidPrice;
    if (pricePaise % this.#tickPaise[index]! !== 0) return RejectCode.TickSize;
    if (pricePaise < this.#lowerBandPaise[index]! || pricePaise > this.#upperBandPaise[index]!)
      return RejectCode.PriceBand;
    return RejectCode.None;
  }

  /** Trades the order against the other side for as long as prices cross. */
  #match(taker: number): void {
    const pool = this.pool;
    const index = pool.instrument[taker]!;
    const opposite = this.#books[index]!.opposite(pool.side[taker]!);
    const limit = pool.pricePaise[taker]!;
    while (pool.leavesQty[taker]! > 0 && opposite.crosses(limit)) {
      const maker = opposite.first();
      const pricePaise = pool.pricePaise[maker]!;
      const makerLeaves = pool.leavesQty[maker]!;
      const takerLeaves = pool.leavesQty[taker]!;
      const quantity = Math.min(makerLeaves, takerLeaves);
      const makerFilled = quantity === makerLeaves;
      if (makerFilled) {
        opposite.remove(maker);
        pool.leavesQty[maker] = 0;
      } else {
        opposite.reduce(maker, quantity);
      }
      pool.cumQty[maker] = pool.cumQty[maker]! + quantity;
      pool.leavesQty[taker] = takerLeaves - quantity;
      pool.cumQty[taker] = pool.cumQty[taker]! + quantity;
      this.figures.trade(index, pricePaise, quantity, this.nowMicros);
      this.markChanged(index);
      this.#listener.traded(maker, taker, pricePaise, quantity);
      if (makerFilled) pool.release(maker);
    }
  }

  #rest(order: number): void {
    const index = this.pool.instrument[order]!;
    this.#books[index]!.side(this.pool.side[order]!).add(order);
    this.markChanged(index);
    this.resting = order;
  }

  #removeFromBook(order: number, reason: CancelReason): void {
    const index = this.pool.instrument[order]!;
    this.#books[index]!.side(this.pool.side[order]!).remove(order);
    this.markChanged(index);
    this.#finish(order, reason);
  }

  #finish(order: number, reason: CancelReason): void {
    this.#listener.canceled(order, reason);
    this.pool.release(order);
  }
}
