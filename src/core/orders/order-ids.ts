import { assert } from '../assert.ts';

/** 2026-01-01T00:00:00Z. */
const EPOCH_MS = 1_767_225_600_000;
const MILLIS_BITS = 40;
const SHARD_BITS = 7;
const SEQUENCE_BITS = 6;
const SHARDS = 2 ** SHARD_BITS;
const SEQUENCES = 2 ** SEQUENCE_BITS;
const IDS_A_MILLI = SHARDS * SEQUENCES;
/** Shards of one system: 0 to this. */
export const SHARD_MAX = SHARDS - 1;

/**
 * Order ids: 53 bits, so that a number carries them everywhere: 40 of milliseconds since 2026 (until 2060), 7 of the shard, 6 of a sequence. Each is
 * greater than the one before, whatever the clock does: a burst of more than 64 in a millisecond, or a clock that goes back, borrows from the milliseconds to come.
 */
export class OrderIds {
  readonly #shard: number;
  #millis: number;
  #sequence: number;

  /** `lastOrderID` is the greatest that was ever persisted; 0 for none. Ids begin above it. */
  constructor(shard: number, lastOrderID: number) {
    assert(Number.isInteger(shard) && shard >= 0 && shard <= SHARD_MAX, `a shard from 0 to ${SHARD_MAX}`);
    this.#shard = shard;
    // Whatever shard gave the last one: the whole millisecond counts as used.
    this.#millis = Math.floor(lastOrderID / IDS_A_MILLI);
    this.#sequence = lastOrderID === 0 ? -1 : SEQUENCES - 1;
  }

  next(nowMicros: number): number {
    const millis = Math.floor(nowMicros / 1000) - EPOCH_MS;
    if (millis > this.#millis) {
      this.#millis = millis;
      this.#sequence = 0;
    } else if (++this.#sequence === SEQUENCES) {
      this.#millis++;
      this.#sequence = 0;
    }
    assert(this.#millis < 2 ** MILLIS_BITS, 'order ids reach to 2060');
    return this.#millis * IDS_A_MILLI + this.#shard * SEQUENCES + this.#sequence;
  }
}

/** The least that an id of this time, or of a later one, can be. */
export function firstOrderIDAt(micros: number): number {
  return Math.max(0, Math.floor(micros / 1000) - EPOCH_MS) * IDS_A_MILLI;
}

/** The shard that gave an id. */
export function shardOf(orderID: number): number {
  return Math.floor(orderID / SEQUENCES) % SHARDS;
}
