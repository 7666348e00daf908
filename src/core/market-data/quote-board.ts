// hot: per update on the writer's side, per changed instrument and tick on the reader's. No allocation, no closure, no exception.
import type { DirtyBitmapWriter } from '../shm/dirty-bitmap.ts';
import {
  DEPTH_SLOT_ASKS,
  DEPTH_SLOT_BIDS,
  DEPTH_SLOT_SEQ,
  DEPTH_SLOT_STRIDE_WORDS,
} from '../shm/generated/depth-slot.gen.ts';
import { QUOTE_SLOT_FLAGS, QUOTE_SLOT_SEQ, QUOTE_SLOT_STRIDE_WORDS } from '../shm/generated/quote-slot.gen.ts';
import { BYTES_PER_WORD } from '../shm/layout.ts';

/**
 * The quote board: the latest quote of each instrument, in shared memory. Its content *is* the state; nothing queues.
 *
 * Memory order: each slot is a sequence lock. The writer makes `seq` odd, stores the changed words, makes `seq` even; the
 * reader loads `seq`, the words, and `seq` again, and believes the copy if both were the same even number. All of these
 * are Atomics accesses and so in one total order (ECMA-262, "Memory Model"): had a word of a later update been read, the
 * odd `seq` stored before that word would be seen by the load after it. With plain words that load could be ordered first.
 * The writer reads its own words plainly: nobody else stores them.
 */
export function quoteBoardByteLength(instrumentCapacity: number): number {
  return instrumentCapacity * (QUOTE_SLOT_STRIDE_WORDS + DEPTH_SLOT_STRIDE_WORDS) * BYTES_PER_WORD;
}

/** Bits of a slot's `flags`. A stale quote is the last one known, and nobody vouches for it. */
export const QuoteFlag = {
  /** Messages were missed: stale until the next snapshot. */
  StaleGap: 1,
  /** Nothing was heard of the instrument for longer than `staleAfterMs`. */
  StaleAge: 2,
  /** The feed is disconnected. */
  StaleFeedDown: 4,
  /** The venue has halted trading in the instrument. */
  Halted: 8,
  /** The instrument is an index: a value, no book. */
  Index: 16,
} as const;

export const STALE_MASK = QuoteFlag.StaleGap | QuoteFlag.StaleAge | QuoteFlag.StaleFeedDown;

export const DEPTH_LEVELS = 5;
/** Words of one depth level: price, quantity, orders. */
export const DEPTH_LEVEL_WORDS = 3;

/** What `close` found changed. */
export const QUOTE_CHANGED = 1;
export const DEPTH_CHANGED = 2;

/**
 * The one writer. Between `open` and `close` the setters store words that differ and nothing else; `close` releases the
 * slot and marks it dirty for every reader. Opening another instrument without `close` is a programming error.
 */
export class QuoteBoardWriter {
  readonly #words: Int32Array;
  readonly #capacity: number;
  readonly #readers: readonly DirtyBitmapWriter[];
  readonly #f64 = new Float64Array(1);
  readonly #f64Words = new Int32Array(this.#f64.buffer);
  #instrumentIndex = -1;
  #quote = 0;
  #depth = 0;
  #changed = 0;

  constructor(buffer: SharedArrayBuffer, instrumentCapacity: number, readers: readonly DirtyBitmapWriter[]) {
    this.#words = new Int32Array(buffer, 0, quoteBoardByteLength(instrumentCapacity) / BYTES_PER_WORD);
    this.#capacity = instrumentCapacity;
    this.#readers = readers;
  }

  /** Begins an update; nothing is visible and the slot is not locked until a word differs. */
  open(instrumentIndex: number): void {
    this.#instrumentIndex = instrumentIndex;
    this.#quote = instrumentIndex * QUOTE_SLOT_STRIDE_WORDS;
    this.#depth = this.#capacity * QUOTE_SLOT_STRIDE_WORDS + instrumentIndex * DEPTH_SLOT_STRIDE_WORDS;
    this.#changed = 0;
  }

  /** A word of the open quote slot, as last written. `field` is one of the QUOTE_SLOT offsets. */
  i32(field: number): number {
    return this.#words[this.#quote + field] as number;
  }

  f64(field: number): number {
    const words = this.#words;
    this.#f64Words[0] = words[this.#quote + field] as number;
    this.#f64Words[1] = words[this.#quote + field + 1] as number;
    return this.#f64[0] as number;
  }

  setI32(field: number, value: number): void {
    const word = this.#quote + field;
    if (this.#words[word] === value) return;
    if ((this.#changed & QUOTE_CHANGED) === 0) this.#lockQuote();
    Atomics.store(this.#words, word, value);
  }

  setF64(field: number, value: number): void {
    this.#f64[0] = value;
    const low = this.#f64Words[0] as number;
    const high = this.#f64Words[1] as number;
    const words = this.#words;
    const word = this.#quote + field;
    if (words[word] === low && words[word + 1] === high) return;
    if ((this.#changed & QUOTE_CHANGED) === 0) this.#lockQuote();
    Atomics.store(words, word, low);
    Atomics.store(words, word + 1, high);
  }

  /** Sets and clears bits of the flags; the others stay. */
  setFlags(set: number, clear: number): void {
    this.setI32(QUOTE_SLOT_FLAGS, (this.i32(QUOTE_SLOT_FLAGS) & ~clear) | set);
  }

  /** Price in paise of a bid level (0 is best), as last written. */
  bidLevelPaise(level: number): number {
    return this.#words[this.#depth + DEPTH_SLOT_BIDS + level * DEPTH_LEVEL_WORDS] as number;
  }

  /** Shares at a bid level, as last written. */
  bidLevelQty(level: number): number {
    return this.#words[this.#depth + DEPTH_SLOT_BIDS + level * DEPTH_LEVEL_WORDS + 1] as number;
  }

  askLevelPaise(level: number): number {
    return this.#words[this.#depth + DEPTH_SLOT_ASKS + level * DEPTH_LEVEL_WORDS] as number;
  }

  askLevelQty(level: number): number {
    return this.#words[this.#depth + DEPTH_SLOT_ASKS + level * DEPTH_LEVEL_WORDS + 1] as number;
  }

  /** Sets a bid level, 0 to DEPTH_LEVELS - 1; all zero for none. */
  setBidLevel(level: number, pricePaise: number, qty: number, orders: number): void {
    this.#setLevel(this.#depth + DEPTH_SLOT_BIDS + level * DEPTH_LEVEL_WORDS, pricePaise, qty, orders);
  }

  setAskLevel(level: number, pricePaise: number, qty: number, orders: number): void {
    this.#setLevel(this.#depth + DEPTH_SLOT_ASKS + level * DEPTH_LEVEL_WORDS, pricePaise, qty, orders);
  }

  /**
   * Ends the update: unlocks what was changed and marks it dirty. `arrivalMicros` is the low 32 bits of the time the
   * bytes arrived. Returns QUOTE_CHANGED and DEPTH_CHANGED bits.
   */
  close(arrivalMicros: number): number {
    const changed = this.#changed;
    if (changed === 0) return 0;
    const words = this.#words;
    const readers = this.#readers;
    const instrumentIndex = this.#instrumentIndex;
    if ((changed & QUOTE_CHANGED) !== 0) {
      Atomics.store(words, this.#quote + QUOTE_SLOT_SEQ, ((words[this.#quote + QUOTE_SLOT_SEQ] as number) + 1) | 0);
      for (let r = 0; r < readers.length; r++)
        (readers[r] as DirtyBitmapWriter).markQuote(instrumentIndex, arrivalMicros);
    }
    if ((changed & DEPTH_CHANGED) !== 0) {
      Atomics.store(words, this.#depth + DEPTH_SLOT_SEQ, ((words[this.#depth + DEPTH_SLOT_SEQ] as number) + 1) | 0);
      for (let r = 0; r < readers.length; r++)
        (readers[r] as DirtyBitmapWriter).markDepth(instrumentIndex, arrivalMicros);
    }
    this.#changed = 0;
    return changed;
  }

  /**
   * Unlocks what an earlier writer left locked when it died inside a slot, and marks it StaleGap: its words may be of two
   * updates. Called once, before the first `open`. Returns the number of slots repaired.
   */
  repair(arrivalMicros: number): number {
    let repaired = 0;
    for (let index = 0; index < this.#capacity; index++) {
      this.open(index);
      const quoteLocked = (this.i32(QUOTE_SLOT_SEQ) & 1) !== 0;
      const depthLocked = ((this.#words[this.#depth + DEPTH_SLOT_SEQ] as number) & 1) !== 0;
      if (!quoteLocked && !depthLocked) continue;
      if (quoteLocked) this.#changed |= QUOTE_CHANGED;
      if (depthLocked) this.#changed |= DEPTH_CHANGED;
      this.setFlags(QuoteFlag.StaleGap, 0);
      this.close(arrivalMicros);
      repaired++;
    }
    return repaired;
  }

  /** Wakes the readers that sleep until something changes. Once a batch. */
  wakeReaders(): void {
    const readers = this.#readers;
    for (let r = 0; r < readers.length; r++) (readers[r] as DirtyBitmapWriter).wake();
  }

  #setLevel(word: number, pricePaise: number, qty: number, orders: number): void {
    const words = this.#words;
    if (words[word] === pricePaise && words[word + 1] === qty && words[word + 2] === orders) return;
    if ((this.#changed & DEPTH_CHANGED) === 0) {
      this.#changed |= DEPTH_CHANGED;
      Atomics.store(words, this.#depth + DEPTH_SLOT_SEQ, ((words[this.#depth + DEPTH_SLOT_SEQ] as number) + 1) | 0);
    }
    Atomics.store(words, word, pricePaise);
    Atomics.store(words, word + 1, qty);
    Atomics.store(words, word + 2, orders);
  }

  #lockQuote(): void {
    const words = this.#words;
    this.#changed |= QUOTE_CHANGED;
    Atomics.store(words, this.#quote + QUOTE_SLOT_SEQ, ((words[this.#quote + QUOTE_SLOT_SEQ] as number) + 1) | 0);
  }
}

/** Tries of a read before the caller is told to come again at its next tick: the writer may be preempted in the slot. */
const READ_TRIES = 2;

/** Any thread's view of the board. */
export class QuoteBoardReader {
  readonly #words: Int32Array;
  readonly #depthBase: number;

  constructor(buffer: SharedArrayBuffer, instrumentCapacity: number) {
    this.#words = new Int32Array(buffer, 0, quoteBoardByteLength(instrumentCapacity) / BYTES_PER_WORD);
    this.#depthBase = instrumentCapacity * QUOTE_SLOT_STRIDE_WORDS;
  }

  /** Copies a quote slot, QUOTE_SLOT_STRIDE_WORDS words, to `out` at `at`; false when the writer was inside: come again. */
  readQuote(instrumentIndex: number, out: Int32Array, at: number): boolean {
    return this.#read(instrumentIndex * QUOTE_SLOT_STRIDE_WORDS, QUOTE_SLOT_STRIDE_WORDS, out, at);
  }

  /** Copies a depth slot, DEPTH_SLOT_STRIDE_WORDS words. */
  readDepth(instrumentIndex: number, out: Int32Array, at: number): boolean {
    return this.#read(this.#depthBase + instrumentIndex * DEPTH_SLOT_STRIDE_WORDS, DEPTH_SLOT_STRIDE_WORDS, out, at);
  }

  #read(base: number, wordCount: number, out: Int32Array, at: number): boolean {
    const words = this.#words;
    for (let tries = 0; tries < READ_TRIES; tries++) {
      // Both layouts have their sequence in word 0.
      const seq = Atomics.load(words, base);
      if ((seq & 1) !== 0) continue;
      out[at] = seq;
      for (let i = 1; i < wordCount; i++) out[at + i] = Atomics.load(words, base + i);
      if (Atomics.load(words, base) === seq) return true;
    }
    return false;
  }
}
