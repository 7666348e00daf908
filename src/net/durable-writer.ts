// hot: per outbound message of a session with a store. Bytes are copied once more than without; no allocation but when the buffer grows.
import type { Durability } from '../core/fix/fix-store.ts';

const BUFFER_BYTES_MIN = 65_536;

/** Where bytes go that may leave; see `GatherWriter`. */
export interface ByteWriter {
  readonly waitingBytes: number;
  append(bytes: Uint8Array, start: number, end: number): boolean;
}

/**
 * Stands before a connection's writer and lets bytes through once what the store had been given by then is durable. Order is kept: what needs no store
 * (a resend, a gap fill) waits behind what does. After a failure of the store nothing more goes out.
 */
export class DurableWriter {
  readonly #writer: ByteWriter;
  readonly #durability: Durability;
  readonly #bytesMax: number;
  #held: Uint8Array = new Uint8Array(BUFFER_BYTES_MIN);
  #heldBytes = 0;
  /** For each group that bytes wait for, oldest first: where its bytes end. One is under way and one gathers, so there are few. */
  readonly #groups: number[] = [];
  readonly #ends: number[] = [];
  #onEmpty: (() => void) | null = null;

  constructor(writer: ByteWriter, durability: Durability, bytesMax: number) {
    this.#writer = writer;
    this.#durability = durability;
    this.#bytesMax = bytesMax;
  }

  /** Takes a copy of `bytes[start .. end)`; false, and nothing is taken, when too much waits already, here and behind. */
  append(bytes: Uint8Array, start: number, end: number): boolean {
    const durability = this.#durability;
    if (durability.failure !== null) return true;
    const group = durability.appendedGroup;
    const heldBytes = this.#heldBytes;
    if (heldBytes === 0 && durability.durableGroup >= group) return this.#writer.append(bytes, start, end);
    const total = heldBytes + end - start;
    if (total + this.#writer.waitingBytes > this.#bytesMax) return false;
    if (total > this.#held.length) this.#grow(total);
    const held = this.#held;
    for (let from = start, to = heldBytes; from < end; from++, to++) held[to] = bytes[from]!;
    this.#heldBytes = total;
    const last = this.#groups.length - 1;
    if (last >= 0 && this.#groups[last] === group) {
      this.#ends[last] = total;
    } else {
      this.#groups.push(group);
      this.#ends.push(total);
    }
    return true;
  }

  /** More is durable than was: writes what waited for it. */
  release(): void {
    const { durableGroup, failure } = this.#durability;
    if (failure !== null) {
      this.#heldBytes = 0;
      this.#groups.length = 0;
      this.#ends.length = 0;
      return;
    }
    let end = 0;
    while (this.#groups.length > 0 && this.#groups[0]! <= durableGroup) {
      this.#groups.shift();
      end = this.#ends.shift()!;
    }
    if (end > 0) {
      this.#writer.append(this.#held, 0, end);
      this.#held.copyWithin(0, end, this.#heldBytes);
      this.#heldBytes -= end;
      for (let i = 0; i < this.#ends.length; i++) this.#ends[i]! -= end;
    }
    if (this.#heldBytes === 0) {
      this.#onEmpty?.();
      this.#onEmpty = null;
    }
  }

  /** Calls once nothing waits here any more: at once, or after a `release`. */
  whenEmpty(callback: () => void): void {
    if (this.#heldBytes === 0) callback();
    else this.#onEmpty = callback;
  }

  #grow(total: number): void {
    const larger = new Uint8Array(Math.min(this.#bytesMax, Math.max(total, this.#held.length * 2)));
    larger.set(this.#held.subarray(0, this.#heldBytes));
    this.#held = larger;
  }
}
