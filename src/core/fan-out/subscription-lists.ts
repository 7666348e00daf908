// hot: `words` is walked per connection and tick. Growing happens at subscriptions only.

/** A list's words hold a stream index, and this bit when the connection must get a keyframe of it. It is the sign. */
export const NEEDS_KEYFRAME = 0x8000_0000 | 0;
export const STREAM_MASK = 0x7fff_ffff;

const FIRST_WORDS = 4_096;
const MIN_LIST_SHIFT = 3;

/**
 * The subscription lists of all connections in one array: no object a connection, nothing for the garbage collector to walk,
 * and neighbours in memory. Lists have room for a power of two; freed room of each size is kept for the next of that size.
 */
export class SubscriptionLists {
  words = new Int32Array(FIRST_WORDS);
  readonly #freeBySize: number[][] = [];
  #used = 0;

  /** Words of a list with room for `count`; 0 for none. */
  static roomFor(count: number): number {
    return count === 0 ? 0 : 1 << Math.max(MIN_LIST_SHIFT, 32 - Math.clz32(count - 1));
  }

  /** Where a list of `room` words begins. `room` is what `roomFor` said and not 0. */
  allocate(room: number): number {
    const size = 31 - Math.clz32(room);
    while (this.#freeBySize.length <= size) this.#freeBySize.push([]);
    const free = this.#freeBySize[size]!.pop();
    if (free !== undefined) return free;
    const at = this.#used;
    this.#used += room;
    if (this.#used > this.words.length) {
      const words = new Int32Array(Math.max(this.words.length * 2, this.#used));
      words.set(this.words);
      this.words = words;
    }
    return at;
  }

  free(at: number, room: number): void {
    if (room > 0) this.#freeBySize[31 - Math.clz32(room)]!.push(at);
  }
}
