// hot: per record. No allocation, no closure, no exception.
import { assert } from '../assert.ts';
import {
  BROADCAST_RING_STRIDE_WORDS,
  BROADCAST_RING_TAIL,
  BROADCAST_RING_TAIL_INTENT,
} from './generated/broadcast-ring.gen.ts';
import { BYTES_PER_WORD } from './layout.ts';

/**
 * A ring with one producer that never waits and any number of readers, each at its own pace. A reader that falls more
 * than the ring behind is *lapped*: it counts what it lost, goes on with the oldest record that is still safe, and
 * recovers the rest from the quote board (trade count, volume, day high and low).
 *
 * Memory order. The producer raises `tailIntent`, writes the record, then raises `tail`. A reader copies the record and
 * only then looks at `tailIntent`: if by then the producer had begun a record that reuses the slot, the copy is thrown
 * away. Payload words are Atomics accesses: with plain ones the language would let the copy be ordered after the check.
 */
export function broadcastRingByteLength(recordWords: number, capacityRecords: number): number {
  assert(
    Number.isInteger(Math.log2(capacityRecords)) && capacityRecords >= 2 && capacityRecords <= 2 ** 24,
    `ring capacity ${capacityRecords} is no power of two from 2 to 2^24`,
  );
  return (BROADCAST_RING_STRIDE_WORDS + recordWords * capacityRecords) * BYTES_PER_WORD;
}

export class BroadcastRingProducer {
  /** One record to fill in before `publish`: words as the record's layout has them. */
  readonly record: Int32Array;
  /** The same memory for the record's f64 fields, indexed by half the word offset. */
  readonly recordF64: Float64Array;
  readonly #words: Int32Array;
  readonly #recordWords: number;
  readonly #mask: number;
  #tail: number;

  constructor(buffer: SharedArrayBuffer, recordWords: number) {
    assert(recordWords % 2 === 0, 'records are whole f64');
    this.#words = new Int32Array(buffer);
    this.#recordWords = recordWords;
    const capacity = (this.#words.length - BROADCAST_RING_STRIDE_WORDS) / recordWords;
    assert(broadcastRingByteLength(recordWords, capacity) === buffer.byteLength, 'buffer is no broadcast ring');
    this.#mask = capacity - 1;
    this.#tail = Atomics.load(this.#words, BROADCAST_RING_TAIL) >>> 0;
    const scratch = new ArrayBuffer(recordWords * BYTES_PER_WORD);
    this.record = new Int32Array(scratch);
    this.recordF64 = new Float64Array(scratch);
  }

  /** Copies `record` into the ring and makes it visible. Never waits, never fails. */
  publish(): void {
    const words = this.#words;
    const record = this.record;
    const recordWords = this.#recordWords;
    const tail = this.#tail;
    const next = (tail + 1) | 0;
    Atomics.store(words, BROADCAST_RING_TAIL_INTENT, next);
    const base = BROADCAST_RING_STRIDE_WORDS + (tail & this.#mask) * recordWords;
    for (let i = 0; i < recordWords; i++) Atomics.store(words, base + i, record[i] as number);
    Atomics.store(words, BROADCAST_RING_TAIL, next);
    this.#tail = next >>> 0;
  }
}

export class BroadcastRingReader {
  /** The record that `poll` took last. */
  readonly record: Int32Array;
  /** The same memory for the record's f64 fields, indexed by half the word offset. */
  readonly recordF64: Float64Array;
  readonly #words: Int32Array;
  readonly #recordWords: number;
  readonly #capacity: number;
  #position: number;
  #lostCount = 0;

  /** A reader begins with the first record published after it was made. */
  constructor(buffer: SharedArrayBuffer, recordWords: number) {
    this.#words = new Int32Array(buffer);
    this.#recordWords = recordWords;
    this.#capacity = (this.#words.length - BROADCAST_RING_STRIDE_WORDS) / recordWords;
    assert(broadcastRingByteLength(recordWords, this.#capacity) === buffer.byteLength, 'buffer is no broadcast ring');
    this.#position = Atomics.load(this.#words, BROADCAST_RING_TAIL) >>> 0;
    const scratch = new ArrayBuffer(recordWords * BYTES_PER_WORD);
    this.record = new Int32Array(scratch);
    this.recordF64 = new Float64Array(scratch);
  }

  /** Records lost to laps so far. */
  get lostCount(): number {
    return this.#lostCount;
  }

  /** Takes the next whole record into `record`; false when there is none. */
  poll(): boolean {
    const words = this.#words;
    const record = this.record;
    const recordWords = this.#recordWords;
    const capacity = this.#capacity;
    for (;;) {
      const position = this.#position;
      if (Atomics.load(words, BROADCAST_RING_TAIL) >>> 0 === position) return false;
      const base = BROADCAST_RING_STRIDE_WORDS + (position & (capacity - 1)) * recordWords;
      for (let i = 0; i < recordWords; i++) record[i] = Atomics.load(words, base + i);
      const begun = ((Atomics.load(words, BROADCAST_RING_TAIL_INTENT) >>> 0) - position) >>> 0;
      if (begun <= capacity) {
        this.#position = (position + 1) >>> 0;
        return true;
      }
      // Half a ring of room, so that a reader just behind a fast producer is not lapped again at once.
      const skipped = begun - (capacity >>> 1);
      this.#position = (position + skipped) >>> 0;
      this.#lostCount += skipped;
    }
  }
}
