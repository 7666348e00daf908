// hot: per message. The index is reused from message to message; nothing here allocates except `ascii`.
import { asciiText } from '../ascii-text.ts';
import { fieldEnds, fieldStarts, fieldTags } from './byte-scan.ts';
import { INVALID_VALUE, readInt, readPricePaise, readUtcTimeOnlyMicros, UtcDayCache } from './fix-values.ts';

/** Fields a message may have (a W of five levels has about 100); one with more is rejected, see {@link DecodeStatus}. */
export const MESSAGE_FIELDS_MAX: number = fieldTags.length;

/** Whose index `byte-scan.ts` holds. */
let indexed: FixMessage | null = null;

/**
 * One message as an index over the bytes it arrived in: field `i` has `tags[i]` and its value is `buffer[starts[i] .. ends[i])`.
 * Fields stand in the order of arrival, from MsgType(35) at 0 to the last before CheckSum(10); BeginString(8), BodyLength(9)
 * and CheckSum(10) are the framer's and not in it. The bytes belong to the socket: copy what must outlive the call.
 */
export class FixMessage {
  buffer: Uint8Array = new Uint8Array(0);
  readonly #ownTags: Int32Array = new Int32Array(MESSAGE_FIELDS_MAX);
  readonly #ownStarts: Int32Array = new Int32Array(MESSAGE_FIELDS_MAX);
  readonly #ownEnds: Int32Array = new Int32Array(MESSAGE_FIELDS_MAX);
  /** These three are others after another message has been decoded: take them from here again then. */
  tags: Int32Array = this.#ownTags;
  starts: Int32Array = this.#ownStarts;
  ends: Int32Array = this.#ownEnds;
  /** Fields in the index. */
  count = 0;
  /** Position of the first field after the header. */
  bodyPosition = 0;
  /** MsgType(35): the character code, or `(first << 8) | second` for a type of two characters; 0 when it is neither. */
  msgType = 0;
  /** MsgSeqNum(34), 0 before the session has read the header. */
  msgSeqNum = 0;
  /** PossDupFlag(43)=Y. */
  possDup = false;
  /** PossResend(97)=Y. */
  possResend = false;
  /** SendingTime(52), epoch microseconds. */
  sendingTimeMicros = 0;

  readonly #days: UtcDayCache = new UtcDayCache();

  /** Takes over the index that is made next: it is not copied. Whose it was until now copies what it has. */
  beginIndex(buffer: Uint8Array): void {
    this.buffer = buffer;
    if (indexed === this) return;
    if (indexed !== null) indexed.#keep();
    indexed = this;
    this.tags = fieldTags;
    this.starts = fieldStarts;
    this.ends = fieldEnds;
  }

  #keep(): void {
    const { count } = this;
    for (let position = 0; position < count; position++) {
      this.#ownTags[position] = fieldTags[position]!;
      this.#ownStarts[position] = fieldStarts[position]!;
      this.#ownEnds[position] = fieldEnds[position]!;
    }
    this.tags = this.#ownTags;
    this.starts = this.#ownStarts;
    this.ends = this.#ownEnds;
  }

  /** Position of the first field `tag` at or after `from`, or -1. */
  find(tag: number, from: number): number {
    const tags = this.tags;
    for (let position = from; position < this.count; position++) if (tags[position] === tag) return position;
    return -1;
  }

  /** Integer at a position, or INVALID_VALUE. */
  int(position: number): number {
    return readInt(this.buffer, this.starts[position]!, this.ends[position]!);
  }

  /** Price at a position in integer paise, or INVALID_VALUE. */
  pricePaise(position: number): number {
    return readPricePaise(this.buffer, this.starts[position]!, this.ends[position]!);
  }

  /** Character code of a one-character value, or INVALID_VALUE when it is longer. */
  char(position: number): number {
    const start = this.starts[position]!;
    return this.ends[position]! - start === 1 ? this.buffer[start]! : INVALID_VALUE;
  }

  /** UTCTimestamp at a position as epoch microseconds, or INVALID_VALUE. */
  utcTimestampMicros(position: number): number {
    return this.#days.readTimestampMicros(this.buffer, this.starts[position]!, this.ends[position]!);
  }

  /** UTCDateOnly at a position as epoch microseconds of its midnight, or INVALID_VALUE. */
  utcDateMicros(position: number): number {
    return this.#days.readDateMicros(this.buffer, this.starts[position]!, this.ends[position]!);
  }

  /** UTCTimeOnly at a position as microseconds since midnight UTC, or INVALID_VALUE. */
  utcTimeOnlyMicros(position: number): number {
    return readUtcTimeOnlyMicros(this.buffer, this.starts[position]!, this.ends[position]!);
  }

  /** Whether the value at a position is exactly these bytes. */
  equals(position: number, bytes: Uint8Array): boolean {
    const start = this.starts[position]!;
    const length = this.ends[position]! - start;
    if (length !== bytes.length) return false;
    const buffer = this.buffer;
    for (let i = 0; i < length; i++) if (buffer[start + i] !== bytes[i]) return false;
    return true;
  }

  /** The value at a position as a new string, one character a byte (ISO 8859-1): for order and admin messages, not for quotes. */
  ascii(position: number): string {
    return asciiText(this.buffer, this.starts[position]!, this.ends[position]!);
  }
}
