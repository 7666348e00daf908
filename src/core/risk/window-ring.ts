// hot: per order. Nothing is allocated but to grow.
const ROWS_AT_FIRST = 8;

/** Rows of numbers with a time in front, the latest so many of a window. Grows to what the window needs and no further than its bound. */
export class WindowRing {
  readonly #stride: number;
  readonly #rowsMax: number;
  #rows: Float64Array;
  #capacity = ROWS_AT_FIRST;
  #first = 0;
  #count = 0;

  /** `stride`: numbers of a row, its time among them. `rowsMax` is a power of two. */
  constructor(stride: number, rowsMax: number) {
    this.#stride = stride;
    this.#rowsMax = rowsMax;
    this.#rows = new Float64Array(ROWS_AT_FIRST * stride);
  }

  get count(): number {
    return this.#count;
  }

  /** Position of the `back`th latest row, 0 for the latest. */
  at(back: number): number {
    return ((this.#first + this.#count - 1 - back) & (this.#capacity - 1)) * this.#stride;
  }

  value(position: number): number {
    return this.#rows[position] as number;
  }

  set(position: number, value: number): void {
    this.#rows[position] = value;
  }

  /** Rows later than `micros`. */
  countAfter(micros: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.value(this.at(middle)) > micros) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** A new latest row; what is not later than `forgetMicros` is forgotten. Position of the row, whose time is set. */
  push(micros: number, forgetMicros: number): number {
    while (this.#count > 0 && this.value(this.at(this.#count - 1)) <= forgetMicros) this.#dropOldest();
    if (this.#count === this.#capacity) {
      if (this.#capacity < this.#rowsMax) this.#grow();
      else this.#dropOldest();
    }
    this.#count++;
    const position = this.at(0);
    this.set(position, micros);
    return position;
  }

  #dropOldest(): void {
    this.#first = (this.#first + 1) & (this.#capacity - 1);
    this.#count--;
  }

  #grow(): void {
    const stride = this.#stride;
    const rows = new Float64Array(this.#capacity * 2 * stride);
    const tail = this.#capacity - this.#first;
    rows.set(this.#rows.subarray(this.#first * stride), 0);
    rows.set(this.#rows.subarray(0, this.#first * stride), tail * stride);
    this.#rows = rows;
    this.#first = 0;
    this.#capacity *= 2;
  }
}
