// hot: every column of every row that is committed passes here. Written in place, once, in a buffer that is kept.

const INT8 = 20;
const TEXT = 25;
/** Dimensions, a flag that there may be NULLs, type; of each dimension its length and first index. */
const HEADER_BYTES = 28;
const EMPTY_BYTES = 12;
const NUMBER_BYTES = 12;
const BYTES_MIN = 4_096;
const HIGH = 2 ** 32;
/** Of whole numbers that a number can carry. */
const HIGH_MAX = 2 ** 21;
/** Longer texts are left to the platform, whose call costs as much as some dozens of characters. */
const SHORT_TEXT = 40;
const REPLACEMENT = '\ufffd';

/** A value that no column takes. */
export class UnfitValue extends Error {}

/** Arrays as PostgreSQL receives them in binary: `bigint[]` and `text[]`, of rows that have `width` elements each. An empty one has no dimensions. */
class BinaryArray {
  readonly #type: number;
  readonly #width: number;
  protected bytes = Buffer.allocUnsafeSlow(BYTES_MIN);
  protected view = new DataView(this.bytes.buffer);
  protected at = HEADER_BYTES;
  #length = 0;

  protected constructor(type: number, width: number) {
    this.#type = type;
    this.#width = width;
  }

  clear(): void {
    this.at = HEADER_BYTES;
    this.#length = 0;
  }

  /** What was added since it was cleared; good until it is again. */
  encoded(): Buffer {
    const { bytes, view, at } = this;
    const dimensions = this.#length === 0 ? 0 : 2;
    view.setInt32(0, dimensions);
    view.setInt32(4, 1);
    view.setInt32(8, this.#type);
    view.setInt32(12, this.#length / this.#width);
    view.setInt32(16, 1);
    view.setInt32(20, this.#width);
    view.setInt32(24, 1);
    return bytes.subarray(0, dimensions === 0 ? EMPTY_BYTES : at);
  }

  addNull(): void {
    this.element(4);
    this.view.setInt32(this.at, -1);
    this.at += 4;
  }

  /** Counts one, and makes room for it. */
  protected element(bytes: number): void {
    this.#length++;
    this.room(bytes);
  }

  protected room(bytes: number): void {
    if (this.at + bytes > this.bytes.length) this.#grow(bytes);
  }

  #grow(bytes: number): void {
    const wider = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, this.at + bytes));
    this.bytes.copy(wider, 0, 0, this.at);
    this.bytes = wider;
    this.view = new DataView(wider.buffer);
  }
}

export class NumberArray extends BinaryArray {
  constructor(width: number) {
    super(INT8, width);
  }

  /** A whole number, or an UnfitValue. */
  add(value: number): void {
    this.element(NUMBER_BYTES);
    const { view, at } = this;
    const high = Math.floor(value / HIGH);
    const low = value - high * HIGH;
    if (low >>> 0 !== low || high < -HIGH_MAX || high >= HIGH_MAX)
      throw new UnfitValue(`${value} is beyond every amount there is`);
    view.setInt32(at, 8);
    view.setInt32(at + 4, high);
    view.setUint32(at + 8, low);
    this.at = at + NUMBER_BYTES;
  }
}

export class TextArray extends BinaryArray {
  constructor(width: number) {
    super(TEXT, width);
  }

  /** As the database can keep it: a zero byte is not possible there, and what a venue writes must not make a report one that cannot be kept. */
  add(text: string): void {
    const { length } = text;
    if (length > SHORT_TEXT) {
      this.#addLong(text);
      return;
    }
    this.element(4 + length);
    const { bytes, at } = this;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code === 0 || code > 127) {
        this.#putLong(text);
        return;
      }
      bytes[at + 4 + i] = code;
    }
    this.view.setInt32(at, length);
    this.at = at + 4 + length;
  }

  #addLong(text: string): void {
    this.element(4);
    this.#putLong(text);
  }

  /** Of an element that is counted. */
  #putLong(text: string): void {
    const fit = text.includes('\0') ? text.replaceAll('\0', REPLACEMENT) : text;
    // Of UTF-16 no unit makes more than three bytes of UTF-8.
    this.room(4 + 3 * fit.length);
    const written = this.bytes.write(fit, this.at + 4);
    this.view.setInt32(this.at, written);
    this.at += 4 + written;
  }
}
