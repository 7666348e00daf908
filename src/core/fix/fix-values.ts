// hot: per field. Values are read from bytes and written as bytes: no string, no allocation, no exception.

/** What every reader here returns for a value that is not of its type; inside the 31-bit range, so that it costs nothing. */
export const INVALID_VALUE = -0x4000_0000;

const MICROS_PER_DAY = 86_400_000_000;
const MICROS_PER_SECOND = 1_000_000;
/** `HH:MM:SS` */
const TIME_BYTES = 8;
const ZERO = 48;
const SIX = 54;
const MINUS = 45;
const PLUS = 43;
const DOT = 46;
const COLON = 58;
/** Fifteen digits are exact in a double; FIX gives no bound of its own. */
const DIGITS_MAX = 15;
/** So many digits are below 2^31, and so many before the decimals of a price in paise. */
const SHORT_DIGITS = 9;
const SHORT_PRICE_DIGITS = 7;

/** FIX int: optional minus, digits, leading zeros allowed, at most 15 digits. INVALID_VALUE otherwise. */
export function readInt(buffer: Uint8Array, start: number, end: number): number {
  let value = 0;
  // What nearly all values are, in 32-bit arithmetic; anything else is read once more from its start.
  if (end - start <= SHORT_DIGITS) {
    let at = start;
    for (; at < end; at++) {
      const digit = buffer[at]! - ZERO;
      if (digit >>> 0 > 9) break;
      value = (value * 10 + digit) | 0;
    }
    if (at === end && at !== start) return value;
  }
  return readLongInt(buffer, start, end);
}

function readLongInt(buffer: Uint8Array, start: number, end: number): number {
  let at = start;
  const negative = at < end && buffer[at] === MINUS;
  if (negative) at++;
  if (at >= end || end - at > DIGITS_MAX) return INVALID_VALUE;
  let value = 0;
  for (; at < end; at++) {
    const digit = buffer[at]! - ZERO;
    if (digit < 0 || digit > 9) return INVALID_VALUE;
    value = value * 10 + digit;
  }
  return negative ? 0 - value : value;
}

/**
 * FIX price (float without exponent) as integer paise: at most two decimals, further ones only if zero.
 * INVALID_VALUE for anything else, a value of more than 13 integer digits included.
 */
export function readPricePaise(buffer: Uint8Array, start: number, end: number): number {
  // `nnnn.nn`, which nearly all prices are, in 32-bit arithmetic; anything else is read once more from its start.
  const dot = end - 3;
  const length = dot - start;
  if (length > 0 && length <= SHORT_PRICE_DIGITS && buffer[dot] === DOT) {
    const tens = buffer[dot + 1]! - ZERO;
    const ones = buffer[dot + 2]! - ZERO;
    let rupees = 0;
    let at = start;
    for (; at < dot; at++) {
      const digit = buffer[at]! - ZERO;
      if (digit >>> 0 > 9) break;
      rupees = (rupees * 10 + digit) | 0;
    }
    if (at === dot && tens >>> 0 <= 9 && ones >>> 0 <= 9) return (rupees * 100 + tens * 10 + ones) | 0;
  }
  return readAnyPricePaise(buffer, start, end);
}

function readAnyPricePaise(buffer: Uint8Array, start: number, end: number): number {
  let at = start;
  let negative = false;
  if (at < end && (buffer[at] === MINUS || buffer[at] === PLUS)) {
    negative = buffer[at] === MINUS;
    at++;
  }
  const digitsStart = at;
  let value = 0;
  for (; at < end; at++) {
    const digit = buffer[at]! - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  let digitCount = at - digitsStart;
  if (digitCount > DIGITS_MAX - 2) return INVALID_VALUE;
  value *= 100;
  if (at < end) {
    if (buffer[at] !== DOT) return INVALID_VALUE;
    at++;
    for (let scale = 10; at < end; at++, digitCount++) {
      const digit = buffer[at]! - ZERO;
      if (digit < 0 || digit > 9) return INVALID_VALUE;
      if (scale >= 1) value += digit * scale;
      else if (digit !== 0) return INVALID_VALUE;
      scale = scale === 10 ? 1 : 0;
    }
  }
  if (digitCount === 0) return INVALID_VALUE;
  return negative ? 0 - value : value;
}

/** FIX price of any number of decimals (an average, say), rounded half up to the paisa; INVALID_VALUE if it is none. */
export function readRoundedPricePaise(buffer: Uint8Array, start: number, end: number): number {
  let kept = start;
  while (kept < end && buffer[kept] !== DOT) kept++;
  kept = Math.min(kept + 3, end);
  const paise = readPricePaise(buffer, start, kept);
  if (kept === end || paise === INVALID_VALUE) return paise;
  // The digits that are cut off must still be digits; the first nine are looked at.
  const rest = readInt(buffer, kept, Math.min(end, kept + 9));
  if (rest < 0) return INVALID_VALUE;
  return buffer[kept]! >= ZERO + 5 ? paise + 1 : paise;
}

/** Two digits below `limit`, or -1. */
function readTwoDigits(buffer: Uint8Array, at: number, limit: number): number {
  const high = buffer[at]! - ZERO;
  const low = buffer[at + 1]! - ZERO;
  if (high < 0 || high > 9 || low < 0 || low > 9) return -1;
  const value = high * 10 + low;
  return value < limit ? value : -1;
}

/** Second of the day of `HH:MM:SS`, a leap second as the one before it; -1 if it is none. */
function readSecondOfDay(buffer: Uint8Array, start: number): number {
  if (buffer[start + 2] !== COLON || buffer[start + 5] !== COLON) return -1;
  const hours = readTwoDigits(buffer, start, 24);
  const minutes = readTwoDigits(buffer, start + 3, 60);
  const seconds = readTwoDigits(buffer, start + 6, 61);
  if (hours < 0 || minutes < 0 || seconds < 0) return -1;
  return hours * 3600 + minutes * 60 + (seconds === 60 ? 59 : seconds);
}

/** Microseconds of `.` and 1 to 9 digits, or of nothing; -1 for anything else. */
function readFractionMicros(buffer: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length === 0) return 0;
  if (length < 2 || length > 10 || buffer[start] !== DOT) return -1;
  let micros = 0;
  for (let at = start + 1; at < end; at++) {
    const digit = buffer[at]! - ZERO;
    if (digit < 0 || digit > 9) return -1;
    if (at <= start + 6) micros = micros * 10 + digit;
  }
  for (let digits = length - 1; digits < 6; digits++) micros *= 10;
  return micros;
}

function isLeapSecond(buffer: Uint8Array, start: number): boolean {
  return buffer[start + 6] === SIX;
}

/**
 * FIX UTCTimeOnly `HH:MM:SS` with an optional fraction of 1 to 9 digits, as microseconds since midnight (what is finer is cut off).
 * A leap second (`:60`) counts as the last microsecond before it, as FIX allows it and epoch time has no place for it.
 */
export function readUtcTimeOnlyMicros(buffer: Uint8Array, start: number, end: number): number {
  if (end - start < TIME_BYTES) return INVALID_VALUE;
  const second = readSecondOfDay(buffer, start);
  const fraction = readFractionMicros(buffer, start + TIME_BYTES, end);
  if (second < 0 || fraction < 0) return INVALID_VALUE;
  return second * MICROS_PER_SECOND + (isLeapSecond(buffer, start) ? MICROS_PER_SECOND - 1 : fraction);
}

/** Days since 1970-01-01 of a proleptic Gregorian date (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
export function epochDayOf(year: number, month: number, day: number): number {
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = ((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) | 0;
  const dayOfEra = yearOfEra * 365 + ((yearOfEra / 4) | 0) - ((yearOfEra / 100) | 0) + dayOfYear + day - 1;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Reads and writes dates; the last day met is kept, since all messages of a session but one in a day share it. */
export class UtcDayCache {
  #readKey = -1;
  #readDayMicros = 0;
  #writtenDay = -1;
  readonly #writtenDigits: Uint8Array = new Uint8Array(8);

  /** FIX UTCTimestamp `YYYYMMDD-HH:MM:SS[.fraction]` as epoch microseconds, or INVALID_VALUE. */
  readTimestampMicros(buffer: Uint8Array, start: number, end: number): number {
    const timeStart = start + 9;
    if (end - timeStart < TIME_BYTES || buffer[start + 8] !== MINUS || !this.#readDay(buffer, start))
      return INVALID_VALUE;
    const second = readSecondOfDay(buffer, timeStart);
    const fraction = readFractionMicros(buffer, timeStart + TIME_BYTES, end);
    if (second < 0 || fraction < 0) return INVALID_VALUE;
    const micros = isLeapSecond(buffer, timeStart) ? MICROS_PER_SECOND - 1 : fraction;
    return this.#readDayMicros + second * MICROS_PER_SECOND + micros;
  }

  /** FIX UTCDateOnly `YYYYMMDD`, from 1970 on, as epoch microseconds of its midnight, or INVALID_VALUE. */
  readDateMicros(buffer: Uint8Array, start: number, end: number): number {
    return end - start === 8 && this.#readDay(buffer, start) ? this.#readDayMicros : INVALID_VALUE;
  }

  /** Writes the eight digits of the day that `epochDay` is and returns the position after them. */
  writeDate(buffer: Uint8Array, at: number, epochDay: number): number {
    if (epochDay !== this.#writtenDay) this.#enterWrittenDay(epochDay);
    const digits = this.#writtenDigits;
    for (let i = 0; i < 8; i++) buffer[at + i] = digits[i]!;
    return at + 8;
  }

  /** Reads eight digits; `#readDayMicros` is then their day. */
  #readDay(buffer: Uint8Array, start: number): boolean {
    let key = 0;
    for (let at = start; at < start + 8; at++) {
      const digit = buffer[at]! - ZERO;
      if (digit < 0 || digit > 9) return false;
      key = key * 10 + digit;
    }
    return key === this.#readKey || this.#enterReadDay(key);
  }

  #enterReadDay(key: number): boolean {
    const year = (key / 10_000) | 0;
    const month = ((key / 100) | 0) % 100;
    const day = key % 100;
    if (year < 1970 || month < 1 || month > 12 || day < 1) return false;
    const epochDay = epochDayOf(year, month, day);
    const nextMonth = month === 12 ? epochDayOf(year + 1, 1, 1) : epochDayOf(year, month + 1, 1);
    if (epochDay >= nextMonth) return false;
    this.#readKey = key;
    this.#readDayMicros = epochDay * MICROS_PER_DAY;
    return true;
  }

  #enterWrittenDay(epochDay: number): void {
    const shifted = epochDay + 719_468;
    const era = Math.floor(shifted / 146_097);
    const dayOfEra = shifted - era * 146_097;
    const yearOfEra = Math.floor(
      (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
    );
    const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
    const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
    const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
    const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
    const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
    writeDigits(this.#writtenDigits, 0, year, 4);
    writeDigits(this.#writtenDigits, 4, month, 2);
    writeDigits(this.#writtenDigits, 6, day, 2);
    this.#writtenDay = epochDay;
  }
}

/** Writes `value` (0 to 2^31 − 1) in exactly `width` digits and returns the position after them. */
export function writeDigits(buffer: Uint8Array, at: number, value: number, width: number): number {
  let rest = value;
  for (let i = at + width - 1; i >= at; i--) {
    const next = (rest / 10) | 0;
    buffer[i] = ZERO + rest - next * 10;
    rest = next;
  }
  return at + width;
}

function digitCountOf(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1000) return 3;
  if (value < 10_000) return 4;
  if (value < 100_000) return 5;
  if (value < 1_000_000) return 6;
  if (value < 10_000_000) return 7;
  if (value < 100_000_000) return 8;
  return 9;
}

/** Writes an integer of magnitude up to 2^53 and returns the position after it; at most 17 bytes. */
export function writeInt(buffer: Uint8Array, at: number, value: number): number {
  let position = at;
  let magnitude = value;
  if (value < 0) {
    buffer[position++] = MINUS;
    magnitude = 0 - value;
  }
  if (magnitude < 1_000_000_000) return writeDigits(buffer, position, magnitude, digitCountOf(magnitude));
  const high = Math.floor(magnitude / 1_000_000_000);
  position = writeDigits(buffer, position, high, digitCountOf(high));
  return writeDigits(buffer, position, magnitude - high * 1_000_000_000, 9);
}

/** Writes `HH:MM:SS.sss`, or six decimals when there are microseconds, and returns the position after it. */
export function writeTimeOfDay(buffer: Uint8Array, at: number, microsOfDay: number): number {
  const seconds = Math.floor(microsOfDay / 1_000_000);
  const fraction = microsOfDay - seconds * 1_000_000;
  const minutes = (seconds / 60) | 0;
  const hours = (minutes / 60) | 0;
  let position = writeDigits(buffer, at, hours, 2);
  buffer[position++] = COLON;
  position = writeDigits(buffer, position, minutes - hours * 60, 2);
  buffer[position++] = COLON;
  position = writeDigits(buffer, position, seconds - minutes * 60, 2);
  buffer[position++] = DOT;
  const millis = (fraction / 1000) | 0;
  if (millis * 1000 === fraction) return writeDigits(buffer, position, millis, 3);
  return writeDigits(buffer, position, fraction, 6);
}
