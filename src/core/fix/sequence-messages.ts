import { readResendRequest, readSequenceReset } from './admin-messages.ts';
import type { FixMessage } from './fix-message.ts';
import { SessionRejectReason } from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';
import { problem } from './inbound-checks.ts';
import type { InboundSequence } from './inbound-sequence.ts';
import { NO_REF_TAG } from './message-validator.ts';
import type { OutboundMessages } from './outbound-messages.ts';
import type { ResendAnswer } from './resend-answer.ts';

/** Answers to the admin messages that ask for something or move numbers; what is wrong with one is answered by Reject (3). */
export class SequenceMessages {
  readonly #inbound: InboundSequence;
  readonly #outbound: OutboundMessages;
  readonly #resendAnswer: ResendAnswer;

  constructor(inbound: InboundSequence, outbound: OutboundMessages, resendAnswer: ResendAnswer) {
    this.#inbound = inbound;
    this.#outbound = outbound;
    this.#resendAnswer = resendAnswer;
  }

  onTestRequest(message: FixMessage, nowMs: number): void {
    const position = message.find(Tag.TestReqID, message.bodyPosition);
    if (position >= 0) this.#outbound.testAnswer(message, position, nowMs);
    else this.#outbound.reject(message, problem(Tag.TestReqID, SessionRejectReason.RequiredTagMissing), nowMs);
  }

  onResendRequest(message: FixMessage, nowMs: number): void {
    const request = readResendRequest(message);
    if (request.ok) this.#resendAnswer.begin(request.value.beginSeqNo, request.value.endSeqNo, nowMs);
    else this.#outbound.reject(message, request, nowMs);
  }

  /** SequenceReset in gap-fill mode, in its turn: never backwards. */
  onGapFill(message: FixMessage, nowMs: number): void {
    const reset = readSequenceReset(message);
    if (!reset.ok) this.#outbound.reject(message, reset, nowMs);
    else if (reset.value.newSeqNo < this.#inbound.nextSeqNum) this.#rejectBackwards(message, nowMs);
    else this.#inbound.nextSeqNum = reset.value.newSeqNo;
  }

  /** SequenceReset in reset mode, whatever its own number: never backwards. False when it is a gap fill, or cannot be read. */
  onReset(message: FixMessage, nowMs: number): boolean {
    const reset = readSequenceReset(message);
    if (!reset.ok || reset.value.gapFill) return false;
    if (reset.value.newSeqNo < this.#inbound.nextSeqNum) {
      this.#rejectBackwards(message, nowMs);
    } else {
      this.#inbound.forgetGap();
      this.#inbound.nextSeqNum = reset.value.newSeqNo;
    }
    return true;
  }

  #rejectBackwards(message: FixMessage, nowMs: number): void {
    this.#outbound.reject(message, problem(NO_REF_TAG, SessionRejectReason.ValueIsIncorrect), nowMs);
  }
}
