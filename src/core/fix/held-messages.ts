/** What may wait for a gap to be filled: messages and bytes. One that does not fit is dropped, and asked for again later. */
export const HELD_MESSAGES_MAX = 10_000;
export const HELD_BYTES_MAX = 1_048_576;

/**
 * Messages that came ahead of a gap, in the order of their numbers, as bytes: `buffer[start .. end)` after `take`.
 * The memory is taken when the first gap opens and kept.
 */
export class HeldMessages {
  buffer: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  readonly #seqNums: number[] = [];
  readonly #ends: number[] = [];
  #next = 0;

  get count(): number {
    return this.#seqNums.length - this.#next;
  }

  /** Keeps a copy; false when there is no room. A number that is held already, or was passed by, changes nothing. */
  hold(msgSeqNum: number, bytes: Uint8Array, start: number, end: number): boolean {
    const last = this.#seqNums.at(-1);
    if (last !== undefined && msgSeqNum <= last) return true;
    const at = this.#ends.at(-1) ?? 0;
    const length = end - start;
    if (this.#seqNums.length >= HELD_MESSAGES_MAX || at + length > HELD_BYTES_MAX) return false;
    if (this.buffer.length === 0) this.buffer = new Uint8Array(HELD_BYTES_MAX);
    this.buffer.set(bytes.subarray(start, end), at);
    this.#seqNums.push(msgSeqNum);
    this.#ends.push(at + length);
    return true;
  }

  /** Moves to the message of this number and drops those before it; false when it is not held. */
  take(msgSeqNum: number): boolean {
    const seqNums = this.#seqNums;
    while (this.#next < seqNums.length && seqNums[this.#next]! < msgSeqNum) this.#next++;
    if (this.#next === seqNums.length) {
      this.clear();
      return false;
    }
    if (seqNums[this.#next] !== msgSeqNum) return false;
    this.start = this.#next === 0 ? 0 : this.#ends[this.#next - 1]!;
    this.end = this.#ends[this.#next]!;
    this.#next++;
    return true;
  }

  clear(): void {
    this.#seqNums.length = 0;
    this.#ends.length = 0;
    this.#next = 0;
  }
}
