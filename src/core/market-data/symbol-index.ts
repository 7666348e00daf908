// hot: `find` per market data entry; no string, no allocation.
import { SYMBOL_MAX_BYTES } from './instrument-master.ts';

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

export const SYMBOL_NOT_FOUND = -1;

/** Symbols as raw bytes → index below `capacity`: a hash and open addressing, at most half full. An index has one symbol. */
export class SymbolIndex {
  readonly #symbolBytes: Uint8Array;
  readonly #symbolLengths: Uint8Array;
  /** Index + 1; 0 is an empty bucket. */
  readonly #buckets: Int32Array;
  readonly #bucketMask: number;

  constructor(capacity: number) {
    let bucketCount = 16;
    while (bucketCount < capacity * 2) bucketCount *= 2;
    this.#buckets = new Int32Array(bucketCount);
    this.#bucketMask = bucketCount - 1;
    this.#symbolBytes = new Uint8Array(capacity * SYMBOL_MAX_BYTES);
    this.#symbolLengths = new Uint8Array(capacity);
  }

  clear(): void {
    this.#buckets.fill(0);
  }

  /** Adds an ASCII symbol of at most SYMBOL_MAX_BYTES characters. */
  add(symbol: string, index: number): void {
    const row = index * SYMBOL_MAX_BYTES;
    for (let i = 0; i < symbol.length; i++) this.#symbolBytes[row + i] = symbol.charCodeAt(i);
    this.#symbolLengths[index] = symbol.length;
    let bucket = hashOf(this.#symbolBytes, row, row + symbol.length) & this.#bucketMask;
    while (this.#buckets[bucket] !== 0) bucket = (bucket + 1) & this.#bucketMask;
    this.#buckets[bucket] = index + 1;
  }

  /** The index of the symbol that is the bytes `start` to `end` (exclusive), or SYMBOL_NOT_FOUND. */
  find(buffer: Uint8Array, start: number, end: number): number {
    const length = end - start;
    const mask = this.#bucketMask;
    const buckets = this.#buckets;
    const symbolBytes = this.#symbolBytes;
    let bucket = hashOf(buffer, start, end) & mask;
    for (let held = buckets[bucket]!; held !== 0; held = buckets[bucket]!) {
      const index = held - 1;
      if (this.#symbolLengths[index] === length) {
        const row = index * SYMBOL_MAX_BYTES;
        let i = 0;
        while (i < length && symbolBytes[row + i] === buffer[start + i]) i++;
        if (i === length) return index;
      }
      bucket = (bucket + 1) & mask;
    }
    return SYMBOL_NOT_FOUND;
  }
}

/** FNV-1a over the even and over the odd bytes, which a processor multiplies side by side, put together. */
function hashOf(buffer: Uint8Array, start: number, end: number): number {
  let even = FNV_OFFSET;
  let odd = FNV_OFFSET;
  let at = start;
  for (; at < end - 1; at += 2) {
    even = Math.imul(even ^ buffer[at]!, FNV_PRIME);
    odd = Math.imul(odd ^ buffer[at + 1]!, FNV_PRIME);
  }
  if (at < end) even = Math.imul(even ^ buffer[at]!, FNV_PRIME);
  const hash = Math.imul(even, FNV_PRIME) ^ odd;
  return hash ^ (hash >>> 15);
}
