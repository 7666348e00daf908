// hot: per record. No allocation, no closure, no exception; refusals are return codes.

import { assert } from '../assert.ts';
import {
  SPSC_RECORD_LENGTH_BYTES,
  SPSC_RECORD_STRIDE_WORDS,
  SPSC_RECORD_TYPE,
  SPSC_RING_FULL_COUNT,
  SPSC_RING_HEAD_BYTES,
  SPSC_RING_STRIDE_WORDS,
  SPSC_RING_TAIL_BYTES,
} from './generated/spsc-ring.gen.ts';
import { BYTES_PER_WORD } from './layout.ts';

/**
 * A ring for what must not be lost: one producer thread, one consumer thread, records of any length.
 *
 * Memory order. The producer writes header and payload with plain stores and publishes them with one `Atomics.store` of
 * `tailBytes`; the consumer reads `tailBytes` with `Atomics.load` before it touches a record. That store and load
 * synchronise (ECMA-262, "Memory Model": SeqCst events on one location), so every plain store before the one happens
 * before every plain read after the other. The other way round the consumer's `Atomics.store` of `headBytes` gives the
 * space back: the producer overwrites only what it has seen released. Each side keeps the other's cursor in a plain field
 * and loads it again only when the ring looks full (producer) or empty (consumer): a load costs ten times a plain read.
 */
const HEADER_BYTES = SPSC_RING_STRIDE_WORDS * BYTES_PER_WORD;
const RECORD_HEADER_BYTES = SPSC_RECORD_STRIDE_WORDS * BYTES_PER_WORD;
const PADDING_TYPE = 0;

/** `claim` found no room: nothing was written, and the caller's rule for a full ring applies. */
export const RING_FULL = -1;
/** `poll` found no record. */
export const RING_EMPTY = -1;

/** Bytes of a SharedArrayBuffer for a ring of `capacityBytes`, which is a power of two. */
export function spscRingByteLength(capacityBytes: number): number {
  assert(
    Number.isInteger(Math.log2(capacityBytes)) && capacityBytes >= 64 && capacityBytes <= 2 ** 30,
    `ring capacity ${capacityBytes} is no power of two from 64 to 2^30`,
  );
  return HEADER_BYTES + capacityBytes;
}

/** The most that one record may carry: half the ring, less its header, so that a record always fits an empty ring. */
export function maxRecordBytes(capacityBytes: number): number {
  return capacityBytes / 2 - RECORD_HEADER_BYTES;
}

export class SpscRingProducer {
  /** The ring's memory: `claim` returns a word offset into it. */
  readonly words: Int32Array;
  readonly #capacityBytes: number;
  readonly #maxRecordBytes: number;
  #claimedTail: number;
  #cachedHead: number;

  constructor(buffer: SharedArrayBuffer) {
    this.words = new Int32Array(buffer);
    this.#capacityBytes = buffer.byteLength - HEADER_BYTES;
    assert(spscRingByteLength(this.#capacityBytes) === buffer.byteLength, 'buffer is no ring');
    this.#maxRecordBytes = maxRecordBytes(this.#capacityBytes);
    this.#claimedTail = Atomics.load(this.words, SPSC_RING_TAIL_BYTES) >>> 0;
    this.#cachedHead = Atomics.load(this.words, SPSC_RING_HEAD_BYTES) >>> 0;
  }

  /**
   * Room for a record of `lengthBytes` (0 to `maxRecordBytes`): the word offset of its payload, or RING_FULL.
   * The record is the consumer's after the next `publish`.
   */
  claim(type: number, lengthBytes: number): number {
    assert(type !== PADDING_TYPE && lengthBytes >= 0 && lengthBytes <= this.#maxRecordBytes, 'record type or length');
    const words = this.words;
    const capacity = this.#capacityBytes;
    const recordBytes = (RECORD_HEADER_BYTES + lengthBytes + 7) & ~7;
    let tail = this.#claimedTail;
    const position = tail & (capacity - 1);
    const toEnd = capacity - position;
    const needed = recordBytes <= toEnd ? recordBytes : toEnd + recordBytes;
    if (capacity - ((tail - this.#cachedHead) >>> 0) < needed) {
      this.#cachedHead = Atomics.load(words, SPSC_RING_HEAD_BYTES) >>> 0;
      if (capacity - ((tail - this.#cachedHead) >>> 0) < needed) {
        Atomics.add(words, SPSC_RING_FULL_COUNT, 1);
        return RING_FULL;
      }
    }
    let word = (HEADER_BYTES + position) >> 2;
    if (needed !== recordBytes) {
      words[word + SPSC_RECORD_LENGTH_BYTES] = toEnd - RECORD_HEADER_BYTES;
      words[word + SPSC_RECORD_TYPE] = PADDING_TYPE;
      tail = (tail + toEnd) >>> 0;
      word = HEADER_BYTES >> 2;
    }
    words[word + SPSC_RECORD_LENGTH_BYTES] = lengthBytes;
    words[word + SPSC_RECORD_TYPE] = type;
    this.#claimedTail = (tail + recordBytes) >>> 0;
    return word + SPSC_RECORD_STRIDE_WORDS;
  }

  /** Hands every claimed record to the consumer: once a batch, since it is the only atomic store of the producer. */
  publish(): void {
    Atomics.store(this.words, SPSC_RING_TAIL_BYTES, this.#claimedTail | 0);
  }
}

export class SpscRingConsumer {
  /** The ring's memory: `poll` returns a word offset into it. */
  readonly words: Int32Array;
  readonly #capacityBytes: number;
  #head: number;
  #cachedTail: number;
  #type = PADDING_TYPE;
  #lengthBytes = 0;

  constructor(buffer: SharedArrayBuffer) {
    this.words = new Int32Array(buffer);
    this.#capacityBytes = buffer.byteLength - HEADER_BYTES;
    assert(spscRingByteLength(this.#capacityBytes) === buffer.byteLength, 'buffer is no ring');
    this.#head = Atomics.load(this.words, SPSC_RING_HEAD_BYTES) >>> 0;
    this.#cachedTail = this.#head;
  }

  /** Type of the record that `poll` returned last. */
  get type(): number {
    return this.#type;
  }

  /** Payload length of the record that `poll` returned last. */
  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  /** Claims refused so far for want of room. */
  get fullCount(): number {
    return Atomics.load(this.words, SPSC_RING_FULL_COUNT) >>> 0;
  }

  /** The word offset of the next record's payload, or RING_EMPTY. Its memory stays ours until `release`. */
  poll(): number {
    const words = this.words;
    for (;;) {
      if (this.#head === this.#cachedTail) {
        this.#cachedTail = Atomics.load(words, SPSC_RING_TAIL_BYTES) >>> 0;
        if (this.#head === this.#cachedTail) return RING_EMPTY;
      }
      const word = (HEADER_BYTES + (this.#head & (this.#capacityBytes - 1))) >> 2;
      const lengthBytes = words[word + SPSC_RECORD_LENGTH_BYTES] as number;
      this.#head = (this.#head + ((RECORD_HEADER_BYTES + lengthBytes + 7) & ~7)) >>> 0;
      const type = words[word + SPSC_RECORD_TYPE] as number;
      if (type !== PADDING_TYPE) {
        this.#type = type;
        this.#lengthBytes = lengthBytes;
        return word + SPSC_RECORD_STRIDE_WORDS;
      }
    }
  }

  /** Gives the space of every polled record back to the producer: once a batch. */
  release(): void {
    Atomics.store(this.words, SPSC_RING_HEAD_BYTES, this.#head | 0);
  }
}
