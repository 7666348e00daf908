// hot: per field of a validated message. No allocation, no exception.
import { ValueFormat } from './dictionary.ts';
import type { FixMessage } from './fix-message.ts';
import { INVALID_VALUE } from './fix-values.ts';

const ZERO = 48;
const NINE = 57;
const MINUS = 45;
const DOT = 46;
const LETTER_N = 78;
const LETTER_Y = 89;
const LETTER_W = 119;
const ONE = 49;
const FIVE = 53;
/** `YYYYMM`, and the same with a day or a week (`w1` to `w5`). */
const MONTH_BYTES = 6;
const MONTH_AND_MORE_BYTES = 8;

/** Whether the value at `position`, which is not empty, is written as its type asks (FIX volume 1, "Data types"). */
export function isFormatted(message: FixMessage, position: number, format: ValueFormat): boolean {
  const { buffer } = message;
  const start = message.starts[position]!;
  const end = message.ends[position]!;
  switch (format) {
    case ValueFormat.Char:
      return end - start === 1;
    case ValueFormat.Boolean:
      return end - start === 1 && (buffer[start] === LETTER_Y || buffer[start] === LETTER_N);
    case ValueFormat.Int:
      return areDigits(buffer, buffer[start] === MINUS ? start + 1 : start, end);
    case ValueFormat.Count:
      return areDigits(buffer, start, end);
    case ValueFormat.Decimal:
      return isDecimal(buffer, buffer[start] === MINUS ? start + 1 : start, end);
    case ValueFormat.DayOfMonth: {
      const day = message.int(position);
      return day >= 1 && day <= 31;
    }
    case ValueFormat.MonthYear:
      return isMonthYear(buffer, start, end);
    case ValueFormat.Date:
      return message.utcDateMicros(position) !== INVALID_VALUE;
    case ValueFormat.TimeOnly:
      return message.utcTimeOnlyMicros(position) !== INVALID_VALUE;
    case ValueFormat.Timestamp:
      return message.utcTimestampMicros(position) !== INVALID_VALUE;
    case ValueFormat.Text:
    case ValueFormat.Several:
    case ValueFormat.Data:
      return true;
    case ValueFormat.None:
      return false;
  }
}

function areDigits(buffer: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (buffer[at]! < ZERO || buffer[at]! > NINE) return false;
  return end > start;
}

/** Digits with at most one point among them; no plus, no exponent. */
function isDecimal(buffer: Uint8Array, start: number, end: number): boolean {
  let digitCount = 0;
  let pointCount = 0;
  for (let at = start; at < end; at++) {
    const byte = buffer[at]!;
    if (byte === DOT) pointCount++;
    else if (byte >= ZERO && byte <= NINE) digitCount++;
    else return false;
  }
  return digitCount > 0 && pointCount <= 1;
}

function isMonthYear(buffer: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if ((length !== MONTH_BYTES && length !== MONTH_AND_MORE_BYTES) || !areDigits(buffer, start, start + MONTH_BYTES)) {
    return false;
  }
  const month = (buffer[start + 4]! - ZERO) * 10 + buffer[start + 5]! - ZERO;
  if (month < 1 || month > 12) return false;
  if (length === MONTH_BYTES) return true;
  const last = buffer[start + 7]!;
  if (buffer[start + MONTH_BYTES] === LETTER_W) return last >= ONE && last <= FIVE;
  if (!areDigits(buffer, start + MONTH_BYTES, end)) return false;
  const day = (buffer[start + 6]! - ZERO) * 10 + last - ZERO;
  return day >= 1 && day <= 31;
}
