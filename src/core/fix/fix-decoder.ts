// hot: per message. No allocation, no exception.
import { dataTags, fieldEnds, fieldStarts, fieldTags, indexFields, place } from './byte-scan.ts';
import { type FixMessage, MESSAGE_FIELDS_MAX } from './fix-message.ts';
import { INVALID_VALUE, readInt } from './fix-values.ts';

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

/**
 * Fills a message's field index in one pass over the bytes of a framed message. Runs of plain fields are entered by `byte-scan.wat`, and what is not
 * plain is looked at here, field by field.
 */
export class FixDecoder {
  errorTag = 0;

  /** Reads `buffer[bodyStart .. trailerStart)`, MsgType(35) first; the framer has seen to it that SOH ends it, and to its length. */
  decode(message: FixMessage, buffer: Uint8Array, bodyStart: number, trailerStart: number): DecodeStatus {
    message.beginIndex(buffer);
    const bias = place(buffer, bodyStart, trailerStart);
    let status: DecodeStatus = DecodeStatus.Ok;
    let count = 0;
    let at = bodyStart;
    this.errorTag = 0;
    for (;;) {
      const before = count;
      count = indexFields(bias, at, trailerStart, count);
      if (count !== before) at = fieldEnds[count - 1]! + 1;
      if (at >= trailerStart) break;
      const valueStart = endOfNumber(buffer, at);
      if (valueStart < 0) {
        status = DecodeStatus.Unreadable;
        break;
      }
      const tag = readInt(buffer, at, valueStart - 1);
      const firstDigit = buffer[at]! - ZERO;
      if (firstDigit < 1 || firstDigit > 9) {
        if (status === DecodeStatus.Ok) {
          status = DecodeStatus.InvalidTag;
          this.errorTag = tag;
        }
        at = valueStart;
        while (buffer[at] !== SOH) at++;
        at++;
        continue;
      }
      if (count === MESSAGE_FIELDS_MAX) {
        if (status === DecodeStatus.Ok) status = DecodeStatus.TooManyFields;
        break;
      }
      at = valueStart;
      if (tag < dataTags.length && dataTags[tag] === 1) {
        const length = count === 0 ? INVALID_VALUE : readInt(buffer, fieldStarts[count - 1]!, fieldEnds[count - 1]!);
        at += length;
        if (length < 0 || at >= trailerStart || buffer[at] !== SOH) {
          if (status === DecodeStatus.Ok) {
            status = DecodeStatus.DataLength;
            this.errorTag = tag;
          }
          break;
        }
      } else {
        while (buffer[at] !== SOH) at++;
      }
      if (at === valueStart && status === DecodeStatus.Ok) {
        status = DecodeStatus.EmptyValue;
        this.errorTag = tag;
      }
      fieldTags[count] = tag;
      fieldStarts[count] = valueStart;
      fieldEnds[count] = at;
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
