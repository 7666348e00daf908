// hot: `setNextTargetMsgSeqNum` and `received`, per message. No allocation, no exception.
import { assert } from '../assert.ts';
import type { Durability, FixStore, StoredMessage } from './fix-store.ts';

/**
 * A store behind which an application commits its effects later than it takes the messages: the number that the store behind learns stays behind what
 * `committed` says, so that a process which dies in between is sent again what it had taken and not committed. Within the process, over any number of connections,
 * numbers go on with what was taken.
 */
export class HeldTargetStore implements FixStore {
  readonly durability?: Durability;
  readonly #store: FixStore;
  #nextTargetMsgSeqNum: number;
  /** Of the last application message that was taken in this epoch. */
  #lastReceived = 0;
  #lastCommitted = 0;
  /** Of the one before that. */
  #receivedBefore = 0;
  /** The delivery on hand could not be taken: the number that follows from it does not count. */
  #isNotTaken = false;

  constructor(store: FixStore) {
    this.#store = store;
    this.#nextTargetMsgSeqNum = store.nextTargetMsgSeqNum;
    if (store.durability !== undefined) this.durability = store.durability;
  }

  get epoch(): number {
    return this.#store.epoch;
  }

  get nextSenderMsgSeqNum(): number {
    return this.#store.nextSenderMsgSeqNum;
  }

  get nextTargetMsgSeqNum(): number {
    return this.#nextTargetMsgSeqNum;
  }

  /** Whether a delivery was taken whose effects are not committed yet: it must be able to come again under its number. */
  get isOpen(): boolean {
    return this.#lastCommitted < this.#lastReceived;
  }

  /** The effects of this delivery and of those before it are committed. One of an earlier epoch means nothing any more. */
  committed(epoch: number, msgSeqNum: number): void {
    if (epoch !== this.epoch || msgSeqNum <= this.#lastCommitted) return;
    assert(msgSeqNum <= this.#lastReceived, 'what is committed was delivered');
    this.#lastCommitted = msgSeqNum;
    this.#release();
  }

  /** The application cannot take the delivery on hand, and ends its connection: the next one asks for it again. */
  notTaken(): void {
    this.#isNotTaken = true;
    this.#lastReceived = this.#receivedBefore;
  }

  append(msgSeqNum: number, buffer: Uint8Array, start: number, end: number): void {
    this.#store.append(msgSeqNum, buffer, start, end);
  }

  setNextTargetMsgSeqNum(msgSeqNum: number): void {
    if (this.#isNotTaken) {
      this.#isNotTaken = false;
      return;
    }
    this.#nextTargetMsgSeqNum = msgSeqNum;
    this.#release();
  }

  setNextSenderMsgSeqNum(msgSeqNum: number): void {
    this.#store.setNextSenderMsgSeqNum(msgSeqNum);
  }

  read(msgSeqNum: number): StoredMessage | null {
    return this.#store.read(msgSeqNum);
  }

  received(msgSeqNum: number, buffer: Uint8Array, start: number, end: number): void {
    this.#receivedBefore = this.#lastReceived;
    this.#lastReceived = msgSeqNum;
    this.#store.received(msgSeqNum, buffer, start, end);
  }

  reset(nowMs: number, nextSenderMsgSeqNum?: number): void {
    this.#store.reset(nowMs, nextSenderMsgSeqNum);
    this.#nextTargetMsgSeqNum = this.#store.nextTargetMsgSeqNum;
    this.#lastReceived = 0;
    this.#receivedBefore = 0;
    this.#lastCommitted = 0;
    this.#isNotTaken = false;
  }

  /** Administrative messages have no effect that is committed: their numbers pass when no delivery before them is open. */
  #release(): void {
    const msgSeqNum = this.isOpen ? this.#lastCommitted + 1 : this.#nextTargetMsgSeqNum;
    if (msgSeqNum > this.#store.nextTargetMsgSeqNum) this.#store.setNextTargetMsgSeqNum(msgSeqNum);
  }
}
