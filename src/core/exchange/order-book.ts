// hot: per order event. Typed arrays only; nothing is allocated until a side holds more price levels than ever before.
import { grown, NO_ORDER, type OrderPool, Side } from './order-pool.ts';

const INITIAL_LEVELS = 16;

/**
 * One side of a book: price levels in an array sorted by *key*, the best last, where most changes happen and little has to move. The key is the
 * price of a bid and the negated price of an offer, so both sides run the same code. Orders of a level are a linked list through the pool,
 * first come first. A level's row is stable while it has orders; only the sorted array of row numbers moves.
 */
export class BookSide {
  readonly side: Side;
  /** Price levels; the best is position `levelCount` − 1. */
  levelCount = 0;
  readonly #pool: OrderPool;
  #sorted = new Int32Array(INITIAL_LEVELS);
  #key = new Int32Array(INITIAL_LEVELS);
  #quantity = new Float64Array(INITIAL_LEVELS);
  #orderCount = new Int32Array(INITIAL_LEVELS);
  #head = new Int32Array(INITIAL_LEVELS);
  #tail = new Int32Array(INITIAL_LEVELS);
  #freeRows = new Int32Array(INITIAL_LEVELS);
  #freeCount = INITIAL_LEVELS;

  constructor(side: Side, pool: OrderPool) {
    this.side = side;
    this.#pool = pool;
    for (let row = 0; row < INITIAL_LEVELS; row++) this.#freeRows[row] = row;
  }

  /** Price of the level `depth` places behind the best (0 is the best); 0 when there is none. */
  pricePaiseAt(depth: number): number {
    const position = this.levelCount - 1 - depth;
    if (position < 0) return 0;
    const key = this.#key[this.#sorted[position]!]!;
    return this.side === Side.Buy ? key : -key;
  }

  quantityAt(depth: number): number {
    const position = this.levelCount - 1 - depth;
    return position < 0 ? 0 : this.#quantity[this.#sorted[position]!]!;
  }

  orderCountAt(depth: number): number {
    const position = this.levelCount - 1 - depth;
    return position < 0 ? 0 : this.#orderCount[this.#sorted[position]!]!;
  }

  /** The first order in time at the best price, or NO_ORDER. */
  first(): number {
    return this.levelCount === 0 ? NO_ORDER : this.#head[this.#sorted[this.levelCount - 1]!]!;
  }

  /** The order behind `order` in priority at the same price, or NO_ORDER. */
  behind(order: number): number {
    return this.#pool.next[order]!;
  }

  /** Whether a limit of `pricePaise` on the other side trades with the best price here. */
  crosses(pricePaise: number): boolean {
    if (this.levelCount === 0) return false;
    const key = this.side === Side.Buy ? pricePaise : -pricePaise;
    return this.#key[this.#sorted[this.levelCount - 1]!]! >= key;
  }

  /** Shares that an order of the other side with this limit could take, counted up to `enough`. */
  quantityWithin(pricePaise: number, enough: number): number {
    const key = this.side === Side.Buy ? pricePaise : -pricePaise;
    let total = 0;
    for (let position = this.levelCount - 1; position >= 0 && total < enough; position--) {
      const row = this.#sorted[position]!;
      if (this.#key[row]! < key) break;
      total += this.#quantity[row]!;
    }
    return total;
  }

  /** Appends the order at the end of its price's queue. */
  add(order: number): void {
    const pool = this.#pool;
    const price = pool.pricePaise[order]!;
    const row = this.#levelOf(this.side === Side.Buy ? price : -price);
    const tail = this.#tail[row]!;
    pool.level[order] = row;
    pool.previous[order] = tail;
    pool.next[order] = NO_ORDER;
    if (tail === NO_ORDER) this.#head[row] = order;
    else pool.next[tail] = order;
    this.#tail[row] = order;
    this.#quantity[row] = this.#quantity[row]! + pool.leavesQty[order]!;
    this.#orderCount[row] = this.#orderCount[row]! + 1;
  }

  /** Takes shares off a resting order, which keeps its place; the order must keep some. */
  reduce(order: number, quantity: number): void {
    const pool = this.#pool;
    const row = pool.level[order]!;
    pool.leavesQty[order] = pool.leavesQty[order]! - quantity;
    this.#quantity[row] = this.#quantity[row]! - quantity;
  }

  /** Takes the order out of the book; its leavesQty stands as it was. */
  remove(order: number): void {
    const pool = this.#pool;
    const row = pool.level[order]!;
    const previous = pool.previous[order]!;
    const next = pool.next[order]!;
    if (previous === NO_ORDER) this.#head[row] = next;
    else pool.next[previous] = next;
    if (next === NO_ORDER) this.#tail[row] = previous;
    else pool.previous[next] = previous;
    this.#quantity[row] = this.#quantity[row]! - pool.leavesQty[order]!;
    const left = this.#orderCount[row]! - 1;
    this.#orderCount[row] = left;
    if (left === 0) this.#dropLevel(row);
  }

  /** The row of the level with this key, made if there is none. */
  #levelOf(key: number): number {
    const position = this.#lowerBound(key);
    if (position < this.levelCount) {
      const row = this.#sorted[position]!;
      if (this.#key[row] === key) return row;
    }
    if (this.#freeCount === 0) this.#grow();
    const row = this.#freeRows[--this.#freeCount]!;
    const sorted = this.#sorted;
    for (let i = this.levelCount; i > position; i--) sorted[i] = sorted[i - 1]!;
    sorted[position] = row;
    this.levelCount++;
    this.#key[row] = key;
    this.#quantity[row] = 0;
    this.#orderCount[row] = 0;
    this.#head[row] = NO_ORDER;
    this.#tail[row] = NO_ORDER;
    return row;
  }

  #dropLevel(row: number): void {
    const sorted = this.#sorted;
    this.levelCount--;
    for (let i = this.#lowerBound(this.#key[row]!); i < this.levelCount; i++) sorted[i] = sorted[i + 1]!;
    this.#freeRows[this.#freeCount++] = row;
  }

  /** First position whose key is at least `key`, searched from the best side, where nearly every hit is. */
  #lowerBound(key: number): number {
    const sorted = this.#sorted;
    const keys = this.#key;
    let high = this.levelCount;
    let step = 1;
    while (high - step >= 0 && keys[sorted[high - step]!]! >= key) {
      high -= step;
      step *= 2;
    }
    let low = Math.max(0, high - step);
    while (low < high) {
      const middle = (low + high) >> 1;
      if (keys[sorted[middle]!]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #grow(): void {
    const old = this.#key.length;
    const length = old * 2;
    this.#sorted = grown(this.#sorted, length);
    this.#key = grown(this.#key, length);
    this.#orderCount = grown(this.#orderCount, length);
    this.#head = grown(this.#head, length);
    this.#tail = grown(this.#tail, length);
    this.#freeRows = grown(this.#freeRows, length);
    const quantity = new Float64Array(length);
    quantity.set(this.#quantity);
    this.#quantity = quantity;
    for (let row = old; row < length; row++) this.#freeRows[this.#freeCount++] = row;
  }
}

/** The two sides of one instrument's book. */
export class OrderBook {
  readonly bids: BookSide;
  readonly offers: BookSide;

  constructor(pool: OrderPool) {
    this.bids = new BookSide(Side.Buy, pool);
    this.offers = new BookSide(Side.Sell, pool);
  }

  side(side: number): BookSide {
    return side === Side.Buy ? this.bids : this.offers;
  }

  opposite(side: number): BookSide {
    return side === Side.Buy ? this.offers : this.bids;
  }
}
