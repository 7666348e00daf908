// hot: per inbound message. No allocation, no exception.
import type { FixMessage } from './fix-message.ts';
import { INVALID_VALUE } from './fix-values.ts';
import { HEADER_TAGS, Tag } from './generated/fix-tags.gen.ts';

const HEADER_TAG_LIMIT = 1024;
const YES = 89;
const isHeaderTag = new Uint8Array(HEADER_TAG_LIMIT);
for (const tag of HEADER_TAGS) isHeaderTag[tag] = 1;

/** Reads the standard header of a message into its fields; keeps the positions of what the session checks, -1 for absent. */
export class SessionHeader {
  senderCompID = -1;
  targetCompID = -1;
  msgSeqNum = -1;
  sendingTime = -1;
  origSendingTime = -1;

  /** Sets `msgType`, `msgSeqNum`, `possDup`, `possResend`, `sendingTimeMicros` and `bodyPosition` of the message. */
  read(message: FixMessage): void {
    this.senderCompID = -1;
    this.targetCompID = -1;
    this.msgSeqNum = -1;
    this.sendingTime = -1;
    this.origSendingTime = -1;
    message.possDup = false;
    message.possResend = false;
    message.msgType = msgTypeAt(message, 0);
    const count = message.count;
    let position = 1;
    while (position < count && this.#take(message, position)) position++;
    message.bodyPosition = position;
    // A header field behind the body makes a message to be rejected, but one with a number.
    if (this.msgSeqNum < 0) {
      for (; position < count; position++) this.#take(message, position);
    }
    message.msgSeqNum = this.msgSeqNum < 0 ? INVALID_VALUE : message.int(this.msgSeqNum);
    message.sendingTimeMicros = this.sendingTime < 0 ? INVALID_VALUE : message.utcTimestampMicros(this.sendingTime);
  }

  /** Keeps a field of the header; false for any other. */
  #take(message: FixMessage, position: number): boolean {
    const tag = message.tags[position]!;
    if (tag >= HEADER_TAG_LIMIT || isHeaderTag[tag] === 0) return false;
    if (tag === Tag.SenderCompID) this.senderCompID = position;
    else if (tag === Tag.TargetCompID) this.targetCompID = position;
    else if (tag === Tag.MsgSeqNum) this.msgSeqNum = position;
    else if (tag === Tag.SendingTime) this.sendingTime = position;
    else if (tag === Tag.OrigSendingTime) this.origSendingTime = position;
    else if (tag === Tag.PossDupFlag) message.possDup = message.char(position) === YES;
    else if (tag === Tag.PossResend) message.possResend = message.char(position) === YES;
    return true;
  }
}

/** Character code, or two as `(first << 8) | second`; 0 for a value of another length. */
function msgTypeAt(message: FixMessage, position: number): number {
  const start = message.starts[position]!;
  const length = message.ends[position]! - start;
  if (length === 1) return message.buffer[start]!;
  return length === 2 ? (message.buffer[start]! << 8) | message.buffer[start + 1]! : 0;
}
