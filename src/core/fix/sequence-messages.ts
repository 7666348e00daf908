import { readResendRequest, readSequenceReset } from './admin-messages.ts';
import type { FixMessage } from './fix-message.ts';
import { SessionRejectReason } from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';
import { problem } from './inbound-checks.ts';
import type { InboundSequence } from './inbound-sequence.ts';
import type { OutboundMessages } from './outbound-messages.ts';

/** Answers to the admin messages that ask for something or move numbers; what is wrong with one is answered by Reject (3). */
export class SequenceMessages {
  readonly #inbound: InboundSequence;
  readonly #outbound: OutboundMessages;

  constructor(inbound: InboundSequence, outbound: OutboundMessages) {
    this.#inbound = inbound;
    this.#outbound = outbound;
  }

  onTestRequest(message: FixMessage, nowMs: number): void {
    const position = message.find(Tag.TestReqID, message.bodyPosition);
    if (position >= 0) {
      this.#outbound.testAnswer(message, position, nowMs);
      return;
    }
    const missing = problem(Tag.TestReqID, SessionRejectReason.RequiredTagMissing, 'required tag missing');
    this.#outbound.reject(message, missing, nowMs);
  }

  /** There is no store to send from: every number asked for is passed over by one gap fill. */
  onResendRequest(message: FixMessage, nowMs: number): void {
    const request = readResendRequest(message);
    if (request.ok) this.#outbound.gapFill(request.value.beginSeqNo, request.value.endSeqNo, nowMs);
    else this.#outbound.reject(message, request, nowMs);
  }

  /** SequenceReset in gap-fill mode, in its turn: never backwards. */
  onGapFill(message: FixMessage, nowMs: number): void {
    const reset = readSequenceReset(message);
    if (!reset.ok) this.#outbound.reject(message, reset, nowMs);
    else if (reset.value.newSeqNo < this.#inbound.nextSeqNum)
      this.#rejectBackwards(message, reset.value.newSeqNo, nowMs);
    else this.#inbound.nextSeqNum = reset.value.newSeqNo;
  }

  /** SequenceReset in reset mode, whatever its own number: never backwards. False when it is a gap fill, or cannot be read. */
  onReset(message: FixMessage, nowMs: number): boolean {
    const reset = readSequenceReset(message);
    if (!reset.ok || reset.value.gapFill) return false;
    const { newSeqNo } = reset.value;
    if (newSeqNo < this.#inbound.nextSeqNum) {
      this.#rejectBackwards(message, newSeqNo, nowMs);
    } else {
      this.#inbound.forgetGap();
      this.#inbound.nextSeqNum = newSeqNo;
    }
    return true;
  }

  #rejectBackwards(message: FixMessage, newSeqNo: number, nowMs: number): void {
    const text = `value is below the next expected number ${this.#inbound.nextSeqNum}: ${newSeqNo}`;
    this.#outbound.reject(message, problem(Tag.NewSeqNo, SessionRejectReason.ValueIsIncorrect, text), nowMs);
  }
}
