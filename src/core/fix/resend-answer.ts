import { isAdminType } from './admin-messages.ts';
import { DecodeStatus, FixDecoder } from './fix-decoder.ts';
import type { FixEncoder } from './fix-encoder.ts';
import { FixFramer, FrameVerdict } from './fix-framer.ts';
import { FixMessage } from './fix-message.ts';
import type { FixStore } from './fix-store.ts';
import { Tag } from './generated/fix-tags.gen.ts';
import type { OutboundMessages } from './outbound-messages.ts';
import { SessionHeader } from './session-header.ts';

const YES = 89;
/** What is sent again, and looked at, in one go: a quarter of what may wait for a slow reader, four times a second at least. */
const BYTES_AT_ONCE = 1_048_576;
const MESSAGES_AT_ONCE = 16_384;

/**
 * Answers to ResendRequest(2) from the store (FIX volume 2): an application message goes out as it was sent, with PossDupFlag(43)=Y, its
 * number, a new SendingTime(52) and the old one in OrigSendingTime(122); one gap fill passes over each run of administrative messages, of
 * messages that the store has not kept, and of those that the settings forbid. A long answer goes out in pieces, `proceed` sends the next.
 */
export class ResendAnswer {
  readonly #outbound: OutboundMessages;
  readonly #store: FixStore;
  readonly #resendable: ((message: FixMessage, nowMs: number) => boolean) | null;
  readonly #framer: FixFramer = new FixFramer();
  readonly #decoder: FixDecoder = new FixDecoder();
  readonly #header: SessionHeader = new SessionHeader();
  /** Made for the first answer: most connections never need it. */
  #message: FixMessage | null = null;
  /** The numbers still to be answered: `#next` to before `#end`, and before them a run to pass over from `#gapFrom`, 0 for none. */
  #next = 0;
  #end = 0;
  #gapFrom = 0;

  constructor(
    outbound: OutboundMessages,
    store: FixStore,
    resendable: ((message: FixMessage, nowMs: number) => boolean) | null,
  ) {
    this.#outbound = outbound;
    this.#store = store;
    this.#resendable = resendable;
  }

  /** Whether more is still to be sent. */
  get isUnderWay(): boolean {
    return this.#next < this.#end;
  }

  /** Begins an answer from `beginSeqNo` to `endSeqNo`, 0 for all that was sent; a request during another's answer widens that. */
  begin(beginSeqNo: number, endSeqNo: number, nowMs: number): void {
    const limit = this.#outbound.nextSeqNum;
    if (beginSeqNo >= limit) return;
    const end = endSeqNo === 0 || endSeqNo >= limit ? limit : endSeqNo + 1;
    const pending = this.isUnderWay;
    const pendingFrom = this.#gapFrom === 0 ? this.#next : this.#gapFrom;
    this.#end = pending ? Math.max(end, this.#end) : end;
    this.#next = pending ? Math.min(beginSeqNo, pendingFrom) : beginSeqNo;
    this.#gapFrom = 0;
    this.proceed(nowMs);
  }

  /** Sends the next piece of an answer under way. */
  proceed(nowMs: number): void {
    const outbound = this.#outbound;
    let bytes = 0;
    let messages = 0;
    while (this.#next < this.#end && bytes < BYTES_AT_ONCE && messages < MESSAGES_AT_ONCE) {
      const sent = this.#sendAgain(this.#next, nowMs);
      if (sent === 0 && this.#gapFrom === 0) this.#gapFrom = this.#next;
      bytes += sent;
      messages++;
      this.#next++;
    }
    if (this.#next === this.#end && this.#gapFrom !== 0) {
      outbound.gapFill(this.#gapFrom, this.#end, nowMs);
      this.#gapFrom = 0;
    }
  }

  /** The numbers begin anew, or the connection is gone. */
  cancel(): void {
    this.#end = 0;
    this.#next = 0;
    this.#gapFrom = 0;
  }

  /** Bytes sent; 0 for a message that is to be passed over. */
  #sendAgain(msgSeqNum: number, nowMs: number): number {
    const stored = this.#store.read(msgSeqNum);
    if (stored === null) return 0;
    this.#message ??= new FixMessage();
    const message = this.#message;
    const framer = this.#framer;
    framer.reset();
    if (framer.frame(stored.buffer, stored.start, stored.end) !== FrameVerdict.Complete) return 0;
    const status = this.#decoder.decode(message, stored.buffer, framer.bodyStart, framer.trailerStart);
    this.#header.read(message);
    if (status !== DecodeStatus.Ok || isAdminType(message.msgType) || this.#header.sendingTime < 0) return 0;
    if (this.#resendable !== null && !this.#resendable(message, nowMs)) return 0;
    if (this.#gapFrom !== 0) {
      this.#outbound.gapFill(this.#gapFrom, msgSeqNum, nowMs);
      this.#gapFrom = 0;
    }
    const encoder = this.#outbound.beginAgain(message.msgType, msgSeqNum, nowMs);
    copyResent(encoder, message, this.#header.sendingTime);
    return this.#outbound.sendAgain(nowMs) ? stored.end - stored.start : 0;
  }
}

/** Everything behind the header's own fields, which the encoder has written anew. */
function copyResent(encoder: FixEncoder, message: FixMessage, sendingTime: number): void {
  const { buffer, tags, starts, ends } = message;
  encoder.char(Tag.PossDupFlag, YES);
  encoder.bytes(Tag.OrigSendingTime, buffer, starts[sendingTime]!, ends[sendingTime]!);
  for (let position = 1; position < message.bodyPosition; position++) {
    const tag = tags[position]!;
    if (!isWrittenAnew(tag)) encoder.bytes(tag, buffer, starts[position]!, ends[position]!);
  }
  if (message.bodyPosition === message.count) return;
  const first = message.bodyPosition;
  // From behind the SOH of the field before to that of the last field: data fields may have SOH in them.
  encoder.fields(buffer, ends[first - 1]! + 1, ends[message.count - 1]! + 1);
}

function isWrittenAnew(tag: number): boolean {
  return (
    tag === Tag.SenderCompID ||
    tag === Tag.TargetCompID ||
    tag === Tag.MsgSeqNum ||
    tag === Tag.SendingTime ||
    tag === Tag.PossDupFlag ||
    tag === Tag.OrigSendingTime
  );
}
