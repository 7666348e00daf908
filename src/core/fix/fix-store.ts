// hot: `append` and `setNextTargetMsgSeqNum`, per message. No allocation, no exception.
import { assert } from '../assert.ts';
import type { OutcryError } from '../errors.ts';

/** One outbound message as it was sent, from BeginString(8) to CheckSum(10). The view is reused: it holds until the next call. */
export interface StoredMessage {
  readonly buffer: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/**
 * What a session must not forget: both numbers and what it sent. Sans-I/O: an implementation says when things are durable, its
 * owner holds bytes back until then. The session calls `append` before it hands the bytes to its transport.
 */
export interface FixStore {
  /** Grows at each reset of the numbers: deliveries are keyed (session, epoch, MsgSeqNum). */
  readonly epoch: number;
  readonly nextSenderMsgSeqNum: number;
  readonly nextTargetMsgSeqNum: number;
  /** A whole outbound message, application or administrative; `msgSeqNum` is `nextSenderMsgSeqNum`, which grows by one. */
  append(msgSeqNum: number, buffer: Uint8Array, start: number, end: number): void;
  /** After the application took what came before `msgSeqNum`. Never lower but by `reset`. */
  setNextTargetMsgSeqNum(msgSeqNum: number): void;
  /** Passes over numbers that are never sent (SequenceReset out). Never lower but by `reset`. */
  setNextSenderMsgSeqNum(msgSeqNum: number): void;
  /** What was sent under this number in this epoch; null for what was not kept, which is gap-filled. */
  read(msgSeqNum: number): StoredMessage | null;
  /**
   * A whole inbound application message as it arrived, before it is delivered: for the log of an owner who wants one. No number
   * follows from it.
   */
  received(msgSeqNum: number, buffer: Uint8Array, start: number, end: number): void;
  /** Both numbers to 1, ours to `nextSenderMsgSeqNum` where that is given, in one step; a later `epoch`, nothing kept. */
  reset(nowMs: number, nextSenderMsgSeqNum?: number): void;
  /** Of a store that outlives its process: the owner of the connection lets no byte leave before what was appended is durable. */
  readonly durability?: Durability;
}

/** How far a store is with making things durable: records become so in groups, numbered in order. */
export interface Durability {
  /** The group of the message appended last; 0 before the first. */
  readonly appendedGroup: number;
  /** All of this group and of those before it is durable. */
  readonly durableGroup: number;
  /** Why nothing more will become durable; null while all is well. */
  readonly failure: OutcryError | null;
  /**
   * `listener`, in place of the one before, is called when `durableGroup` has grown or `failure` is set, never within a call to the store, until
   * what is returned is called.
   */
  listen(listener: () => void): () => void;
}

/** Numbers between a stored message and the newest: what is further back is not found. */
const MESSAGES_MAX = 16_384;
/** Enough for seconds of orders; what no longer fits is gap-filled, oldest first. */
export const MEMORY_STORE_BYTES_MAX = 1_048_576;

/** A store for sessions that begin anew with each process: a ring of the last bytes sent. */
export class MemoryFixStore implements FixStore {
  epoch = 1;
  nextSenderMsgSeqNum = 1;
  nextTargetMsgSeqNum = 1;

  readonly #bytesMax: number;
  #ring: Uint8Array = new Uint8Array(0);
  #msgSeqNums: Float64Array = new Float64Array(0);
  /** Where a message begins, counted in bytes ever written, so that what has been overwritten shows by comparison. */
  #positions: Float64Array = new Float64Array(0);
  #lengths: Int32Array = new Int32Array(0);
  #written = 0;
  readonly #found: { buffer: Uint8Array; start: number; end: number } = { buffer: this.#ring, start: 0, end: 0 };

  /** `bytesMax` 0 keeps the numbers only: every ResendRequest is then answered by a gap fill. */
  constructor(bytesMax: number = MEMORY_STORE_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  append(msgSeqNum: number, buffer: Uint8Array, start: number, end: number): void {
    assert(msgSeqNum === this.nextSenderMsgSeqNum, 'numbers are used one after another');
    this.nextSenderMsgSeqNum = msgSeqNum + 1;
    const bytesMax = this.#bytesMax;
    const length = end - start;
    if (length > bytesMax) return;
    // A connection that never gets as far as a Logon costs no ring.
    if (this.#ring.length === 0) this.#allocate();
    const ring = this.#ring;
    let position = this.#written;
    let at = position % bytesMax;
    // A message lies in one piece: what is left at the ring's end is passed over.
    if (at + length > bytesMax) {
      position += bytesMax - at;
      at = 0;
    }
    for (let i = 0; i < length; i++) ring[at + i] = buffer[start + i]!;
    const slot = msgSeqNum % MESSAGES_MAX;
    this.#msgSeqNums[slot] = msgSeqNum;
    this.#positions[slot] = position;
    this.#lengths[slot] = length;
    this.#written = position + length;
  }

  setNextTargetMsgSeqNum(msgSeqNum: number): void {
    assert(msgSeqNum >= this.nextTargetMsgSeqNum, 'numbers never go back');
    this.nextTargetMsgSeqNum = msgSeqNum;
  }

  setNextSenderMsgSeqNum(msgSeqNum: number): void {
    assert(msgSeqNum >= this.nextSenderMsgSeqNum, 'numbers never go back');
    this.nextSenderMsgSeqNum = msgSeqNum;
  }

  read(msgSeqNum: number): StoredMessage | null {
    if (this.#ring.length === 0) return null;
    const slot = msgSeqNum % MESSAGES_MAX;
    const position = this.#positions[slot]!;
    if (this.#msgSeqNums[slot] !== msgSeqNum || position < this.#written - this.#bytesMax) return null;
    this.#found.start = position % this.#bytesMax;
    this.#found.end = this.#found.start + this.#lengths[slot]!;
    return this.#found;
  }

  received(): void {}

  reset(_nowMs: number, nextSenderMsgSeqNum = 1): void {
    this.epoch++;
    this.nextSenderMsgSeqNum = nextSenderMsgSeqNum;
    this.nextTargetMsgSeqNum = 1;
    this.#msgSeqNums.fill(0);
  }

  #allocate(): void {
    this.#ring = new Uint8Array(this.#bytesMax);
    this.#msgSeqNums = new Float64Array(MESSAGES_MAX);
    this.#positions = new Float64Array(MESSAGES_MAX);
    this.#lengths = new Int32Array(MESSAGES_MAX);
    this.#found.buffer = this.#ring;
  }
}
