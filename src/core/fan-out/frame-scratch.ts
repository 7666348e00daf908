// hot: per frame. No allocation once every length has been seen.

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

  writeF64(at: number, value: number): void {
    this.#numbers.setFloat64(at, value, true);
  }
}
