// hot: per simulated event. Orders go to the engine as any other; state is typed arrays by dense instrument index; nothing is allocated.
import type { Instrument } from '../market-data/instrument-master.ts';
import { type MatchingEngine, OrderType, TimeInForce } from './matching-engine.ts';
import { NO_ORDER, Side } from './order-pool.ts';
import { Prng } from './prng.ts';

/** Owners of orders in the engine's pool. */
export const Owner = { MarketMaker: 0, Public: 1, Taker: 2, Outside: 3 } as const;

/** Quotes a side: more than are published, so that a level taken out is followed by another. */
const RUNGS = 8;
/** A side that is thinner is quoted again before anything more is taken from it. */
const LEVELS_LEFT_MIN = 6;
const RUNGS_BOTH_SIDES = RUNGS * 2;
/** Resting orders of the simulated public in one instrument; they join levels of the market maker, or sit between. */
const PUBLIC_ORDERS = 6;
/** About ₹2,00,000 of shares a quote. */
const QUOTE_VALUE_PAISE = 20_000_000;
/** Volatility of the fair value: 0.01 to 0.02 % of the price in a second, which is 1.5 to 3 % over a trading day of 6¼ hours. */
const VOLATILITY_MIN = 1.0e-4;
const VOLATILITY_SPAN = 1.0e-4;
/** Pull back to the long-run price, a second: with the volatility above the price stays within some percent of it for years. */
const REVERSION = 3.0e-5;
/** A fair value after a long pause moves as if the pause had been this long. */
const WALK_SECONDS_MAX = 600;

/** With a grid of a tick the quotes of both sides span 18 ticks: a band must leave the fair value room beside them. */
const BAND_TICKS_A_GRID_TICK = 25;
/** A quote is up to five times the usual size, and that stays under the freeze quantity. */
const FREEZE_PARTS = 8;

const TAKER_PERCENT = 30;
const QUOTE_PERCENT = 40;
const PUBLIC_PERCENT = 15;

/**
 * The simulated participants. Each instrument has a fair value that walks at random around the close it was listed with; a market maker quotes
 * eight prices a side around it, members of the public place and pull orders near the touch, and takers cross the spread.
 *
 * A quote's rung is its price in grid steps modulo eight: when the fair value moves by a step, one far quote is pulled and one near quote placed,
 * and the other fourteen keep their place in the queue.
 */
export class MarketMaker {
  readonly #engine: MatchingEngine;
  readonly #random: Prng;
  readonly #seed: number;
  readonly #longRunPaise: Float64Array;
  readonly #fairPaise: Float64Array;
  readonly #volatility: Float64Array;
  readonly #walkedMicros: Float64Array;
  readonly #gridPaise: Int32Array;
  readonly #spreadPaise: Int32Array;
  readonly #quoteQty: Int32Array;
  readonly #lotSize: Int32Array;
  readonly #rungOrders: Int32Array;
  readonly #publicOrders: Int32Array;

  constructor(capacity: number, engine: MatchingEngine, seed: number) {
    this.#engine = engine;
    this.#seed = seed;
    this.#random = new Prng(seed);
    this.#longRunPaise = new Float64Array(capacity);
    this.#fairPaise = new Float64Array(capacity);
    this.#volatility = new Float64Array(capacity);
    this.#walkedMicros = new Float64Array(capacity);
    this.#gridPaise = new Int32Array(capacity);
    this.#spreadPaise = new Int32Array(capacity);
    this.#quoteQty = new Int32Array(capacity);
    this.#lotSize = new Int32Array(capacity);
    this.#rungOrders = new Int32Array(capacity * RUNGS_BOTH_SIDES).fill(NO_ORDER);
    this.#publicOrders = new Int32Array(capacity * PUBLIC_ORDERS).fill(NO_ORDER);
  }

  /** Takes up an instrument; its character is drawn from the seed and its id, whatever else is listed. */
  list(index: number, instrument: Instrument): void {
    const own = this.#shape(index, instrument);
    const closePaise = instrument.previousClosePaise;
    this.#longRunPaise[index] = closePaise;
    this.#fairPaise[index] = closePaise * (1 + (own.unit() - 0.5) * 0.01);
    this.#volatility[index] = VOLATILITY_MIN + own.unit() * VOLATILITY_SPAN;
    this.#walkedMicros[index] = this.#engine.nowMicros;
  }

  /** Follows a new tick, lot or freeze quantity: quotes of the old shape are pulled, the fair value stays. */
  reshape(index: number, instrument: Instrument): void {
    const { marketOpen } = this.#engine;
    for (let rung = index * RUNGS_BOTH_SIDES; marketOpen && rung < (index + 1) * RUNGS_BOTH_SIDES; rung++) {
      const order = this.#rungOrders[rung]!;
      if (order !== NO_ORDER) this.#engine.cancel(order);
    }
    this.#shape(index, instrument);
  }

  /** Sets the grid and sizes of quotes, and returns the instrument's own generator. */
  #shape(index: number, instrument: Instrument): Prng {
    const own = new Prng(this.#seed ^ Math.imul(instrument.instrumentId, 0x9e3779b1));
    const { lotSize, previousClosePaise, tickPaise } = instrument;
    const bandTicks = Math.floor((previousClosePaise * (instrument.priceBandBps ?? 10_000)) / 10_000 / tickPaise);
    const ticks = Math.max(1, Math.min(1 + own.below(3), Math.floor(bandTicks / BAND_TICKS_A_GRID_TICK)));
    const lots = Math.round(QUOTE_VALUE_PAISE / previousClosePaise / lotSize);
    const lotsMax = Math.floor(instrument.freezeQuantity / lotSize / FREEZE_PARTS);
    this.#gridPaise[index] = tickPaise * ticks;
    this.#spreadPaise[index] = tickPaise * ticks * (1 + own.below(2));
    this.#lotSize[index] = lotSize;
    this.#quoteQty[index] = Math.max(1, Math.min(lots, lotsMax)) * lotSize;
    return own;
  }

  /** Quotes the instrument for the first time of a day and makes its opening trade. */
  open(index: number): void {
    this.#walk(index);
    this.#quote(index);
    this.#take(index);
  }

  /** One event in the instrument: a trade, a change of quotes or an order of the public. */
  act(index: number): void {
    this.#walk(index);
    const choice = this.#random.below(100);
    if (choice < TAKER_PERCENT) this.#take(index);
    else if (choice < TAKER_PERCENT + QUOTE_PERCENT) {
      if (!this.#quote(index)) this.#resize(index);
    } else if (choice < TAKER_PERCENT + QUOTE_PERCENT + PUBLIC_PERCENT) this.#placeOrPull(index);
    else this.#resize(index);
  }

  /** An order of {@link Owner} MarketMaker or Public left the book. */
  done(owner: number, reference: number): void {
    if (owner === Owner.MarketMaker) this.#rungOrders[reference] = NO_ORDER;
    else if (owner === Owner.Public) this.#publicOrders[reference] = NO_ORDER;
  }

  #walk(index: number): void {
    const engine = this.#engine;
    const seconds = Math.min((engine.nowMicros - this.#walkedMicros[index]!) / 1e6, WALK_SECONDS_MAX);
    this.#walkedMicros[index] = engine.nowMicros;
    const longRun = this.#longRunPaise[index]!;
    const step = longRun * this.#volatility[index]! * Math.sqrt(seconds) * this.#random.normal();
    const fair = this.#fairPaise[index]! + step + (longRun - this.#fairPaise[index]!) * REVERSION * seconds;
    // All quotes fit inside the band on both sides of the fair value.
    const margin = this.#gridPaise[index]! * RUNGS + this.#spreadPaise[index]!;
    const low = engine.lowerBandPaise(index) + margin;
    const high = engine.upperBandPaise(index) - margin;
    this.#fairPaise[index] = high < low ? (low + high) / 2 : Math.min(Math.max(fair, low), high);
  }

  /** Moves the quotes to the fair value and fills up those taken; returns whether any changed. */
  #quote(index: number): boolean {
    const engine = this.#engine;
    const pool = engine.pool;
    const grid = this.#gridPaise[index]!;
    const bestBid = Math.floor(this.#fairPaise[index]! / grid) * grid;
    const bestOffer = bestBid + this.#spreadPaise[index]!;
    const lowestBid = bestBid - (RUNGS - 1) * grid;
    const highestOffer = bestOffer + (RUNGS - 1) * grid;
    const first = index * RUNGS_BOTH_SIDES;
    let changed = false;
    for (let rung = first; rung < first + RUNGS_BOTH_SIDES; rung++) {
      const order = this.#rungOrders[rung]!;
      if (order === NO_ORDER) continue;
      const pricePaise = pool.pricePaise[order]!;
      const isBid = rung < first + RUNGS;
      if (
        isBid ? pricePaise < lowestBid || pricePaise > bestBid : pricePaise < bestOffer || pricePaise > highestOffer
      ) {
        engine.cancel(order);
        changed = true;
      }
    }
    for (let depth = 0; depth < RUNGS; depth++) {
      if (this.#fillRung(index, first, Side.Buy, bestBid - depth * grid, depth)) changed = true;
      if (this.#fillRung(index, first + RUNGS, Side.Sell, bestOffer + depth * grid, depth)) changed = true;
    }
    return changed;
  }

  /** Places the quote at this price if its rung is free. */
  #fillRung(index: number, firstRung: number, side: Side, pricePaise: number, depth: number): boolean {
    const rung = firstRung + ((pricePaise / this.#gridPaise[index]!) % RUNGS);
    if (this.#rungOrders[rung] !== NO_ORDER) return false;
    const engine = this.#engine;
    if (pricePaise < engine.lowerBandPaise(index) || pricePaise > engine.upperBandPaise(index)) return false;
    const quantity = this.#randomQty(index, depth);
    engine.submit(index, side, OrderType.Limit, TimeInForce.Day, pricePaise, quantity, Owner.MarketMaker, rung);
    this.#rungOrders[rung] = engine.resting;
    return true;
  }

  /** Crosses the spread: mostly a part of the best level, at times all of it or more. */
  #take(index: number): void {
    const engine = this.#engine;
    const random = this.#random;
    const side = random.below(2) as Side;
    const opposite = engine.book(index).opposite(side);
    if (opposite.levelCount < LEVELS_LEFT_MIN && this.#quote(index)) return;
    if (opposite.levelCount === 0) return;
    const lot = this.#lotSize[index]!;
    const best = opposite.quantityAt(0);
    const choice = random.below(20);
    let depth = 0;
    let quantity = lot * (1 + random.below(Math.max(1, Math.floor(best / lot / 4))));
    if (choice === 0 && opposite.levelCount > 1) {
      depth = 1;
      quantity = best + lot;
    } else if (choice < 4) {
      quantity = best;
    }
    // A level may hold more than the largest order: outside orders add to it.
    const largest = this.#quoteQty[index]! * 4;
    const limit = opposite.pricePaiseAt(depth);
    engine.submit(
      index,
      side,
      OrderType.Limit,
      TimeInForce.ImmediateOrCancel,
      limit,
      Math.min(quantity, largest),
      Owner.Taker,
      index,
    );
  }

  /** A member of the public joins a level near the touch, or pulls an order placed before. */
  #placeOrPull(index: number): void {
    const engine = this.#engine;
    const random = this.#random;
    const slot = index * PUBLIC_ORDERS + random.below(PUBLIC_ORDERS);
    const order = this.#publicOrders[slot]!;
    if (order !== NO_ORDER) {
      engine.cancel(order);
      return;
    }
    const side = random.below(2) as Side;
    const own = engine.book(index).side(side);
    if (own.levelCount === 0) {
      this.#quote(index);
      return;
    }
    const pricePaise = own.pricePaiseAt(Math.min(random.below(4), own.levelCount - 1));
    const quantity = Math.max(this.#lotSize[index]!, this.#randomQty(index, 0) >> 2);
    const lots = Math.floor(quantity / this.#lotSize[index]!) * this.#lotSize[index]!;
    engine.submit(index, side, OrderType.Limit, TimeInForce.Day, pricePaise, lots, Owner.Public, slot);
    this.#publicOrders[slot] = engine.resting;
  }

  /** Changes the size of one quote, or places it again when it was taken. */
  #resize(index: number): void {
    const engine = this.#engine;
    const rung = index * RUNGS_BOTH_SIDES + this.#random.below(RUNGS_BOTH_SIDES);
    const order = this.#rungOrders[rung]!;
    if (order === NO_ORDER) {
      this.#quote(index);
      return;
    }
    const pool = engine.pool;
    const quantity = pool.cumQty[order]! + this.#randomQty(index, 1);
    if (engine.replace(order, pool.pricePaise[order]!, quantity) !== 0) engine.cancel(order);
  }

  /** Half to twice the instrument's size, more at deeper levels; whole lots, well under the freeze quantity. */
  #randomQty(index: number, depth: number): number {
    const lot = this.#lotSize[index]!;
    const quantity = this.#quoteQty[index]! * (0.5 + this.#random.unit() * 1.5) * (1 + depth * 0.2);
    return Math.max(1, Math.floor(quantity / lot)) * lot;
  }
}
