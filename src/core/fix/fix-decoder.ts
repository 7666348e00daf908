// hot: per message, the inner loop per byte. No allocation, no exception.
import { type FixMessage, MESSAGE_FIELDS_MAX } from './fix-message.ts';
import { INVALID_VALUE, readInt } from './fix-values.ts';
import { DATA_TAGS } from './generated/fix-tags.gen.ts';

/** What the decoder found; the first fault counts and `FixDecoder.errorTag` names its field where it has a number. */
export const DecodeStatus = {
  Ok: 0,
  /** A tag is a number that no field has: 0, negative, or with a leading zero. The index goes on without it. */
  InvalidTag: 1,
  /** A field has no value. It is in the index, as are all others. */
  EmptyValue: 2,
  /** More fields than MESSAGE_FIELDS_MAX. The index holds the first of them. */
  TooManyFields: 3,
  /** A data field is not as long as the field before it says. The index ends before it. */
  DataLength: 4,
  /** A tag is no integer of at most 9 digits, or has no `=`: what follows cannot be told apart. The index ends before it. */
  Unreadable: 5,
} as const;
export type DecodeStatus = (typeof DecodeStatus)[keyof typeof DecodeStatus];

const SOH = 1;
const EQUALS = 61;
const MINUS = 45;
const ZERO = 48;
const TAG_MAX = 99_999_999;
const DATA_TAG_LIMIT = 1024;

const isDataTag = new Uint8Array(DATA_TAG_LIMIT);
for (const tag of DATA_TAGS) isDataTag[tag] = 1;

/** Fills a message's field index in one pass over the bytes of a framed message. */
export class FixDecoder {
  errorTag = 0;

  /** Reads `buffer[bodyStart .. trailerStart)`, MsgType(35) first; the framer has seen to it that SOH ends it. */
  decode(message: FixMessage, buffer: Uint8Array, bodyStart: number, trailerStart: number): DecodeStatus {
    const tags = message.tags;
    const starts = message.starts;
    const ends = message.ends;
    let status: DecodeStatus = DecodeStatus.Ok;
    let count = 0;
    let at = bodyStart;
    this.errorTag = 0;
    message.buffer = buffer;
    while (at < trailerStart) {
      let tag = buffer[at]! - ZERO;
      if (tag < 1 || tag > 9) {
        const valueStart = endOfNumber(buffer, at);
        if (valueStart < 0) {
          status = DecodeStatus.Unreadable;
          break;
        }
        if (status === DecodeStatus.Ok) {
          status = DecodeStatus.InvalidTag;
          this.errorTag = readInt(buffer, at, valueStart - 1);
        }
        at = valueStart;
        while (buffer[at] !== SOH) at++;
        at++;
        continue;
      }
      // Tags have one to three digits in most messages: unrolled, they cost a third less than in the loop below.
      let byte = buffer[at + 1]!;
      let digit = byte - ZERO;
      at += 2;
      if (digit >>> 0 <= 9) {
        tag = tag * 10 + digit;
        byte = buffer[at]!;
        digit = byte - ZERO;
        at++;
        if (digit >>> 0 <= 9) {
          tag = tag * 10 + digit;
          byte = buffer[at]!;
          at++;
        }
      }
      while (byte !== EQUALS) {
        digit = byte - ZERO;
        if (digit >>> 0 > 9 || tag > TAG_MAX) {
          message.count = count;
          return DecodeStatus.Unreadable;
        }
        tag = tag * 10 + digit;
        byte = buffer[at]!;
        at++;
      }
      if (count === MESSAGE_FIELDS_MAX) {
        if (status === DecodeStatus.Ok) status = DecodeStatus.TooManyFields;
        break;
      }
      const start = at;
      if (tag < DATA_TAG_LIMIT && isDataTag[tag] === 1) {
        const length = count === 0 ? INVALID_VALUE : readInt(buffer, starts[count - 1]!, ends[count - 1]!);
        at += length;
        if (length < 0 || at >= trailerStart || buffer[at] !== SOH) {
          message.count = count;
          if (status !== DecodeStatus.Ok) return status;
          this.errorTag = tag;
          return DecodeStatus.DataLength;
        }
      } else {
        while (buffer[at] !== SOH) at++;
      }
      if (at === start && status === DecodeStatus.Ok) {
        status = DecodeStatus.EmptyValue;
        this.errorTag = tag;
      }
      tags[count] = tag;
      starts[count] = start;
      ends[count] = at;
      count++;
      at++;
    }
    message.count = count;
    return status;
  }
}

/** Position after the `=` of an integer of at most 9 digits that begins at `start`, or -1 if there is none. */
function endOfNumber(buffer: Uint8Array, start: number): number {
  let at = buffer[start] === MINUS ? start + 1 : start;
  const digitsStart = at;
  while (buffer[at]! - ZERO >= 0 && buffer[at]! - ZERO <= 9) at++;
  return buffer[at] === EQUALS && at > digitsStart && at - digitsStart <= 9 ? at + 1 : -1;
}
