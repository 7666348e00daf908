// hot: per message. No allocation but a view of a buffer not seen before, no exception; bytes are looked at once here and once in the decoder.
import { place, sumBytes } from './byte-scan.ts';
import { MESSAGE_BYTES_MAX } from './fix-encoder.ts';

/** What stands at the start of the bytes given. */
export const FrameVerdict = {
  /** A whole message with BodyLength(9) and CheckSum(10) right: `messageStart`, `bodyStart`, `trailerStart`, `messageEnd`. */
  Complete: 0,
  /** Nothing wrong so far; come again with at least `missing` more bytes. */
  Partial: 1,
  /** No message: go on at `resumeAt`, the next place where one may begin, or the end of the bytes. */
  Garbled: 2,
} as const;
export type FrameVerdict = (typeof FrameVerdict)[keyof typeof FrameVerdict];

const SOH = 1;
const EQUALS = 61;
const ZERO = 48;
const ONE = 49;
const THREE = 51;
const FIVE = 53;
const EIGHT = 56;
const NINE = 57;
const LETTER_F = 70;
const LETTER_I = 73;
const LETTER_X = 88;
/** `8=FIX` */
const MARK_BYTES = 5;
const BEGIN_STRING_LENGTH_MAX = 16;
/** BodyLength may be padded with zeros to a fixed width. */
const BODY_LENGTH_DIGITS_MAX = 9;
/** `35=0|`: no body is shorter. */
const BODY_LENGTH_MIN = 5;
/** `10=nnn|` */
const TRAILER_BYTES = 7;
/** No message is shorter: `8=FIX|9=5|35=0|10=nnn|`. So asking for as much never reads into the message after. */
const MESSAGE_BYTES_MIN = 22;

/**
 * Finds messages in a run of bytes (FIX 4.4 volume 2, "Message format": the first three fields are 8, 9, 35, the last is 10;
 * a message that breaks this is garbled, is ignored and uses up no MsgSeqNum). When CheckSum is wrong or not where BodyLength says,
 * the bytes that BodyLength claims are passed over, and with them a message that begins among them: it is missed, not misread.
 * After any other fault the search goes on right behind the first byte.
 */
export class FixFramer {
  messageStart = 0;
  beginStringEnd = 0;
  bodyStart = 0;
  trailerStart = 0;
  messageEnd = 0;
  missing = 0;
  resumeAt = 0;

  /** The byte before the ones now given was a digit, so that `8=` continues a longer tag (`108=`). */
  #afterDigit = false;

  /** Forgets what came before: the bytes that follow are of a new connection. */
  reset(): void {
    this.#afterDigit = false;
  }

  /** Judges what begins at `start` of `buffer[start .. end)`. */
  frame(buffer: Uint8Array, start: number, end: number): FrameVerdict {
    if (this.#afterDigit || !isMark(buffer, start, end)) return this.#garbled(buffer, start, end);
    let at = start + 2;
    const beginStringLimit = at + BEGIN_STRING_LENGTH_MAX;
    while (at < end && buffer[at] !== SOH && at <= beginStringLimit) at++;
    if (at > beginStringLimit) return this.#garbled(buffer, start, end);
    this.messageStart = start;
    this.beginStringEnd = at;
    at++;
    if (at + 1 >= end) {
      if (at < end && buffer[at] !== NINE) return this.#garbled(buffer, start, end);
      return this.#partial(start, end);
    }
    if (buffer[at] !== NINE || buffer[at + 1] !== EQUALS) return this.#garbled(buffer, start, end);
    at += 2;
    let bodyLength = 0;
    const digitsLimit = at + BODY_LENGTH_DIGITS_MAX;
    for (; at < end && buffer[at] !== SOH; at++) {
      const digit = buffer[at]! - ZERO;
      if (digit < 0 || digit > 9 || at >= digitsLimit) return this.#garbled(buffer, start, end);
      bodyLength = bodyLength * 10 + digit;
    }
    if (at >= end) return this.#partial(start, end);
    const bodyStart = at + 1;
    const trailerStart = bodyStart + bodyLength;
    const messageEnd = trailerStart + TRAILER_BYTES;
    if (bodyLength < BODY_LENGTH_MIN || messageEnd - start > MESSAGE_BYTES_MAX)
      return this.#garbled(buffer, start, end);
    if (
      (bodyStart < end && buffer[bodyStart] !== THREE) ||
      (bodyStart + 1 < end && buffer[bodyStart + 1] !== FIVE) ||
      (bodyStart + 2 < end && buffer[bodyStart + 2] !== EQUALS)
    ) {
      return this.#garbled(buffer, start, end);
    }
    if (messageEnd > end) {
      this.missing = messageEnd - end;
      return FrameVerdict.Partial;
    }
    if (
      buffer[trailerStart - 1] !== SOH ||
      buffer[trailerStart] !== ONE ||
      buffer[trailerStart + 1] !== ZERO ||
      buffer[trailerStart + 2] !== EQUALS ||
      buffer[messageEnd - 1] !== SOH ||
      !checkSumHolds(buffer, start, trailerStart)
    ) {
      const resumeAt = endOfGarbled(buffer, trailerStart, messageEnd);
      this.#afterDigit = isDigit(buffer[resumeAt - 1]!);
      this.resumeAt = resumeAt;
      return FrameVerdict.Garbled;
    }
    this.bodyStart = bodyStart;
    this.trailerStart = trailerStart;
    this.messageEnd = messageEnd;
    return FrameVerdict.Complete;
  }

  #partial(start: number, end: number): FrameVerdict {
    this.missing = Math.max(1, MESSAGE_BYTES_MIN - (end - start));
    return FrameVerdict.Partial;
  }

  #garbled(buffer: Uint8Array, start: number, end: number): FrameVerdict {
    let afterDigit = isDigit(buffer[start]!);
    let at = start + 1;
    for (; at < end; at++) {
      if (!afterDigit && isMark(buffer, at, end)) break;
      afterDigit = isDigit(buffer[at]!);
    }
    this.#afterDigit = at >= end && afterDigit;
    this.resumeAt = at;
    return FrameVerdict.Garbled;
  }
}

/** Whether `8=FIX`, or as much of it as there is, stands at `at`. */
function isMark(buffer: Uint8Array, at: number, end: number): boolean {
  if (buffer[at] !== EIGHT) return false;
  if (end - at >= MARK_BYTES) {
    return (
      buffer[at + 1] === EQUALS &&
      buffer[at + 2] === LETTER_F &&
      buffer[at + 3] === LETTER_I &&
      buffer[at + 4] === LETTER_X
    );
  }
  return (
    (at + 1 >= end || buffer[at + 1] === EQUALS) &&
    (at + 2 >= end || buffer[at + 2] === LETTER_F) &&
    (at + 3 >= end || buffer[at + 3] === LETTER_I)
  );
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

/** Where a message ends whose CheckSum(10) is wrong or missing: behind that field if it is there, else where BodyLength puts its end. */
function endOfGarbled(buffer: Uint8Array, trailerStart: number, messageEnd: number): number {
  if (buffer[trailerStart] !== ONE || buffer[trailerStart + 1] !== ZERO || buffer[trailerStart + 2] !== EQUALS) {
    return messageEnd;
  }
  for (let at = trailerStart + 3; at < messageEnd; at++) if (buffer[at] === SOH) return at + 1;
  return messageEnd;
}

/** CheckSum(10): the sum of all bytes before it, modulo 256, as three digits. */
function checkSumHolds(buffer: Uint8Array, start: number, trailerStart: number): boolean {
  const hundreds = buffer[trailerStart + 3]! - ZERO;
  const tens = buffer[trailerStart + 4]! - ZERO;
  const ones = buffer[trailerStart + 5]! - ZERO;
  if (hundreds < 0 || hundreds > 2 || tens < 0 || tens > 9 || ones < 0 || ones > 9) return false;
  const sum = sumBytes(place(buffer, start, trailerStart), start, trailerStart);
  return hundreds * 100 + tens * 10 + ones === sum;
}
