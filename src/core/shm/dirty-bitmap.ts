// hot: per update on the writer's side, per tick on the reader's. No allocation, no closure, no exception.
import {
  DIRTY_BITMAP_SLEEPING,
  DIRTY_BITMAP_STRIDE_WORDS,
  DIRTY_BITMAP_WAKE_SEQ,
} from './generated/dirty-bitmap.gen.ts';
import { BYTES_PER_WORD } from './layout.ts';

/**
 * What changed since a reader last looked: one bit an instrument for its quote slot, one for its depth slot, and when the
 * oldest unread change arrived. One writer (the feed worker), one reader (a fan-out worker); there is one set a reader.
 *
 * ```
 * header │ quote bits, 1 an instrument │ depth bits, 1 an instrument │ arrival, i32 an instrument
 * ```
 * Memory order. The writer finishes the slot, then sets the bit; the reader takes the bits, then reads the slot. Setting
 * and taking are SeqCst read-modify-writes of one location, so a reader that took a bit sees at least the change that set
 * it, and a change after the taking sets the bit again. A writer that finds the bit set already may go on: its slot was
 * finished before it looked, so before the taking that is still to come. No change is lost; some are merged.
 *
 * The arrival is stored before its bit is set and only while both of the instrument's bits are clear, and the reader copies
 * it while the bit is still set: the taking is a compare-exchange that fails if anything was marked since. If the writer
 * looks before a taking and sets the bit after it, the arrival stays the older one: an age may be overstated by a tick
 * and is never understated.
 */
export function dirtyBitmapByteLength(instrumentCapacity: number): number {
  return (DIRTY_BITMAP_STRIDE_WORDS + 2 * bitmapWords(instrumentCapacity) + instrumentCapacity) * BYTES_PER_WORD;
}

/** Words of one bitmap; a whole number of cache lines, so that the two bitmaps share none. */
export function bitmapWords(instrumentCapacity: number): number {
  return ((instrumentCapacity + 511) >> 9) << 4;
}

export class DirtyBitmapWriter {
  readonly #words: Int32Array;
  readonly #depthBase: number;
  readonly #arrivalBase: number;

  constructor(buffer: SharedArrayBuffer, instrumentCapacity: number) {
    this.#words = new Int32Array(buffer);
    this.#depthBase = DIRTY_BITMAP_STRIDE_WORDS + bitmapWords(instrumentCapacity);
    this.#arrivalBase = this.#depthBase + bitmapWords(instrumentCapacity);
  }

  /** Marks the quote slot changed. `arrivalMicros` is the low 32 bits of the time its bytes arrived, microseconds. */
  markQuote(instrumentIndex: number, arrivalMicros: number): void {
    const word = instrumentIndex >> 5;
    this.#mark(DIRTY_BITMAP_STRIDE_WORDS + word, this.#depthBase + word, instrumentIndex, arrivalMicros);
  }

  /** Marks the depth slot changed. */
  markDepth(instrumentIndex: number, arrivalMicros: number): void {
    const word = instrumentIndex >> 5;
    this.#mark(this.#depthBase + word, DIRTY_BITMAP_STRIDE_WORDS + word, instrumentIndex, arrivalMicros);
  }

  /** Wakes the reader if it sleeps until something changes. Once a batch. */
  wake(): void {
    const words = this.#words;
    if (Atomics.load(words, DIRTY_BITMAP_SLEEPING) === 0) return;
    Atomics.add(words, DIRTY_BITMAP_WAKE_SEQ, 1);
    Atomics.notify(words, DIRTY_BITMAP_WAKE_SEQ);
  }

  #mark(word: number, otherWord: number, instrumentIndex: number, arrivalMicros: number): void {
    const words = this.#words;
    const bit = 1 << (instrumentIndex & 31);
    if ((Atomics.load(words, word) & bit) !== 0) return;
    if ((Atomics.load(words, otherWord) & bit) === 0) {
      Atomics.store(words, this.#arrivalBase + instrumentIndex, arrivalMicros | 0);
    }
    Atomics.or(words, word, bit);
  }
}

/** Tries of a taking before the word is left for the next tick: the writer may mark faster than we can copy. */
const TAKE_TRIES = 4;

export class DirtyBitmapReader {
  /** Words in each of the two bitmaps: bit `b` of word `w` is instrument `w * 32 + b`. */
  readonly wordCount: number;
  /**
   * Arrivals of the bits taken last, indexed by bit: low 32 bits of epoch microseconds. Only those of set bits hold.
   */
  readonly arrivals = new Int32Array(32);
  readonly #words: Int32Array;
  readonly #depthBase: number;
  readonly #arrivalBase: number;

  constructor(buffer: SharedArrayBuffer, instrumentCapacity: number) {
    this.#words = new Int32Array(buffer);
    this.wordCount = bitmapWords(instrumentCapacity);
    this.#depthBase = DIRTY_BITMAP_STRIDE_WORDS + this.wordCount;
    this.#arrivalBase = this.#depthBase + this.wordCount;
  }

  /** Takes one word of quote bits, leaving zero, and their arrivals. A word that is clear costs a load. */
  takeQuoteWord(wordIndex: number): number {
    return this.#take(DIRTY_BITMAP_STRIDE_WORDS + wordIndex, wordIndex << 5);
  }

  /** Takes one word of depth bits, leaving zero, and their arrivals. */
  takeDepthWord(wordIndex: number): number {
    return this.#take(this.#depthBase + wordIndex, wordIndex << 5);
  }

  #take(word: number, firstInstrument: number): number {
    const words = this.#words;
    const arrivals = this.arrivals;
    const arrivalBase = this.#arrivalBase + firstInstrument;
    let bits = Atomics.load(words, word);
    for (let tries = 0; bits !== 0 && tries < TAKE_TRIES; tries++) {
      for (let rest = bits; rest !== 0; rest &= rest - 1) {
        const bit = 31 - Math.clz32(rest & -rest);
        arrivals[bit] = Atomics.load(words, arrivalBase + bit);
      }
      const seen = Atomics.compareExchange(words, word, bits, 0);
      if (seen === bits) return bits;
      bits = seen;
    }
    return 0;
  }

  /**
   * Announces that the reader will sleep and returns the promise of the next change. Take all words once more after the
   * call and before awaiting it: what was marked before the announcement woke nobody. A result that is not a promise
   * means that a change came meanwhile.
   */
  sleep(timeoutMs: number): Promise<unknown> | undefined {
    const words = this.#words;
    const wakeSeq = Atomics.load(words, DIRTY_BITMAP_WAKE_SEQ);
    Atomics.store(words, DIRTY_BITMAP_SLEEPING, 1);
    const result = Atomics.waitAsync(words, DIRTY_BITMAP_WAKE_SEQ, wakeSeq, timeoutMs);
    return result.async ? result.value : undefined;
  }

  /** Ends the announcement of `sleep`: the writer need not wake us. */
  awake(): void {
    Atomics.store(this.#words, DIRTY_BITMAP_SLEEPING, 0);
  }
}
