// hot: per order event. Orders are rows of typed arrays, linked by row number; nothing is allocated until the pool grows.

export const NO_ORDER = -1;

export const Side = { Buy: 0, Sell: 1 } as const;
export type Side = (typeof Side)[keyof typeof Side];

const INITIAL_ROWS = 4096;

/**
 * All live orders of the exchange. A row is claimed for each order that passes its checks and released when it is done; `owner` and `reference`
 * are the submitter's and mean nothing here. The pool doubles up to `rowsMax`, after which `claim` returns NO_ORDER.
 */
export class OrderPool {
  readonly rowsMax: number;
  liveCount = 0;
  pricePaise = new Int32Array(0);
  /** Open shares. */
  leavesQty = new Int32Array(0);
  /** Executed shares. */
  cumQty = new Int32Array(0);
  instrument = new Int32Array(0);
  side = new Uint8Array(0);
  owner = new Int32Array(0);
  reference = new Int32Array(0);
  /** The level of its book side that the order rests at. */
  level = new Int32Array(0);
  next = new Int32Array(0);
  previous = new Int32Array(0);
  #free = NO_ORDER;
  #rows = 0;

  constructor(rowsMax: number) {
    this.rowsMax = rowsMax;
    this.#grow(Math.min(INITIAL_ROWS, rowsMax));
  }

  claim(): number {
    if (this.#free === NO_ORDER) {
      if (this.#rows >= this.rowsMax) return NO_ORDER;
      this.#grow(Math.min(this.#rows * 2, this.rowsMax));
    }
    const row = this.#free;
    this.#free = this.next[row]!;
    this.liveCount++;
    return row;
  }

  release(row: number): void {
    this.next[row] = this.#free;
    this.#free = row;
    this.liveCount--;
  }

  #grow(rows: number): void {
    this.pricePaise = grown(this.pricePaise, rows);
    this.leavesQty = grown(this.leavesQty, rows);
    this.cumQty = grown(this.cumQty, rows);
    this.instrument = grown(this.instrument, rows);
    this.owner = grown(this.owner, rows);
    this.reference = grown(this.reference, rows);
    this.level = grown(this.level, rows);
    this.next = grown(this.next, rows);
    this.previous = grown(this.previous, rows);
    const side = new Uint8Array(rows);
    side.set(this.side);
    this.side = side;
    for (let row = rows - 1; row >= this.#rows; row--) {
      this.next[row] = this.#free;
      this.#free = row;
    }
    this.#rows = rows;
  }
}

/** A copy of `array` with room for `length` elements. */
export function grown(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(length);
  copy.set(array);
  return copy;
}
