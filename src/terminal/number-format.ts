/** Numbers as an Indian trader reads them: lakhs and crores grouped, paise as two decimals, a true minus sign. */

/** What stands where there is nothing: no bid, no trade yet, an index's volume. */
export const NONE = '–';
const MINUS = '−';
/** India has one time zone and no summer time. */
const IST_OFFSET_MILLIS = 19_800_000;
const DAY_MILLIS = 86_400_000;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** 12345678 → `1,23,456.78`; 0 is none, since no instrument trades at it. */
export function formatPrice(paise: number): string {
  return paise === 0 ? NONE : formatPaise(paise);
}

/** 12345678 → `1,23,45,678`; 0 is none. */
export function formatQuantity(count: number): string {
  return count === 0 ? NONE : groupIndian(count);
}

/** 1230 → `+12.30`. */
export function formatChange(paise: number): string {
  return paise > 0 ? `+${formatPaise(paise)}` : formatPaise(paise);
}

/** Change against a base, both in paise → `+1.25%`. The base is not 0. */
export function formatChangePercent(changePaise: number, basePaise: number): string {
  // Halves round away from zero, so that a fall reads like the same rise.
  const hundredths = Math.round((Math.abs(changePaise) * 10_000) / basePaise);
  return `${formatChange(changePaise < 0 ? -hundredths : hundredths)}%`;
}

/** Epoch ms → `15:29:58` in India, or `20 Nov` when that is another day than now's; 0 is none. */
export function formatTime(tsMillis: number, nowMillis: number): string {
  if (tsMillis === 0) return NONE;
  const inIndia = tsMillis + IST_OFFSET_MILLIS;
  const day = Math.floor(inIndia / DAY_MILLIS);
  if (day !== Math.floor((nowMillis + IST_OFFSET_MILLIS) / DAY_MILLIS)) {
    const date = new Date(inIndia);
    return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
  }
  const seconds = Math.floor(inIndia / 1_000) % 86_400;
  return `${twoDigits(Math.floor(seconds / 3_600))}:${twoDigits(Math.floor(seconds / 60) % 60)}:${twoDigits(seconds % 60)}`;
}

function formatPaise(paise: number): string {
  const size = Math.abs(paise);
  const rupees = Math.floor(size / 100);
  return `${paise < 0 ? MINUS : ''}${groupIndian(rupees)}.${twoDigits(size % 100)}`;
}

/** The last three digits stand together, those before them in twos. */
function groupIndian(count: number): string {
  const digits = String(count);
  let end = digits.length - 3;
  if (end <= 0) return digits;
  let grouped = digits.slice(end);
  while (end > 0) {
    const start = Math.max(0, end - 2);
    grouped = `${digits.slice(start, end)},${grouped}`;
    end = start;
  }
  return grouped;
}

function twoDigits(number: number): string {
  return number < 10 ? `0${number}` : String(number);
}
