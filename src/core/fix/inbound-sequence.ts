// hot: `nextSeqNum` per message. The rest is for gaps, which are rare.
import { FixFramer } from './fix-framer.ts';
import type { FixStore } from './fix-store.ts';
import { HeldMessages } from './held-messages.ts';

/** The numbers of the counterparty's messages: the one expected, the gap that is being filled, and what waits behind it. */
export class InboundSequence {
  /** MsgSeqNum(34) that the next message must have. It runs ahead of the store's while a message is with the application. */
  nextSeqNum: number;
  /** Points at the message that `takeHeld` found, in `heldBuffer`. */
  readonly heldFramer: FixFramer = new FixFramer();

  readonly #held: HeldMessages = new HeldMessages();
  /** Last number that was asked for again; below `nextSeqNum` there is no gap. */
  #requestedTo = 0;
  #requestedAtMs = 0;
  readonly #store: FixStore;

  constructor(store: FixStore) {
    this.#store = store;
    this.nextSeqNum = store.nextTargetMsgSeqNum;
  }

  get heldBuffer(): Uint8Array {
    return this.#held.buffer;
  }

  /** The store has begun at 1 again. */
  restart(): void {
    this.nextSeqNum = this.#store.nextTargetMsgSeqNum;
    this.forgetGap();
  }

  /** What came before `nextSeqNum` has been taken: the store may know. */
  confirm(): void {
    if (this.nextSeqNum > this.#store.nextTargetMsgSeqNum) this.#store.setNextTargetMsgSeqNum(this.nextSeqNum);
  }

  /** Drops what waited: a new connection asks again. */
  forgetGap(): void {
    this.#requestedTo = 0;
    this.#held.clear();
  }

  /** Keeps a message that is ahead of a gap; one that finds no room is dropped, and will be asked for when it is next. */
  hold(msgSeqNum: number, framer: FixFramer, buffer: Uint8Array): void {
    this.#held.hold(msgSeqNum, buffer, framer.messageStart, framer.messageEnd);
  }

  /** Whether the messages up to `endSeqNo` must be asked for: not while an earlier request is unanswered. */
  mustRequest(endSeqNo: number, nowMs: number): boolean {
    if (this.hasGap) return false;
    this.#requestedTo = endSeqNo;
    this.#requestedAtMs = nowMs;
    return true;
  }

  /** Whether messages that were asked for are still missing. */
  get hasGap(): boolean {
    return this.#requestedTo >= this.nextSeqNum;
  }

  gapIsOlderThan(timeoutMs: number, nowMs: number): boolean {
    return this.hasGap && nowMs - this.#requestedAtMs >= timeoutMs;
  }

  /** Finds the message that is next among those held; `heldFramer` then has its positions. */
  takeHeld(): boolean {
    const held = this.#held;
    if (held.count === 0 || !held.take(this.nextSeqNum)) return false;
    this.heldFramer.frame(held.buffer, held.start, held.end);
    return true;
  }
}
