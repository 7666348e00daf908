// hot: per frame. No allocation once every length has been seen.

/** Bytes that may be written behind what is copied by words. */
export const COPY_SLACK_BYTES = 3;

/** Bytes of the largest frame. What is longer goes out in several. */
export const FRAME_MAX_BYTES = 32_768;

const NO_VIEW = new Uint8Array(0);

/**
 * The one buffer in which frames are put together, and a view of its beginning for each length: `subarray` at every send
 * would make garbage at every send.
 */
export class FrameScratch {
  readonly bytes = new Uint8Array(FRAME_MAX_BYTES);
  readonly #numbers = new DataView(this.bytes.buffer);
  readonly #views: Uint8Array[] = new Array<Uint8Array>(FRAME_MAX_BYTES + 1).fill(NO_VIEW);

  /** The first `length` bytes. */
  view(length: number): Uint8Array {
    const view = this.#views[length]!;
    if (view.length === length) return view;
    const made = this.bytes.subarray(0, length);
    this.#views[length] = made;
    return made;
  }

  /**
   * Copies `length` bytes from the word `fromByte >> 2` on to `at`, and up to three more that the next writing covers. Slices are a few words long: this
   * beats both a call of `set` with a view and a loop over bytes.
   */
  copyWords(words: Int32Array, fromByte: number, length: number, at: number): void {
    const numbers = this.#numbers;
    let from = fromByte >> 2;
    for (let to = at; to < at + length; to += 4) numbers.setInt32(to, words[from++]!, true);
  }

  writeF64(at: number, value: number): void {
    this.#numbers.setFloat64(at, value, true);
  }
}
