// hot: several times a decision. No remainder operator: on numbers above 2^31 it is a call and a tenth as quick.

/**
 * Arithmetic on integer paise that is exact wherever the result is a safe integer. A product that would not be one is split, so that no step rounds. The
 * quotient a / b of safe integers never rounds to a whole number that it is not: it is at least 1 / b away from one, and that is more than half of
 * the last binary place as long as a < 2^53. So the floor and the ceiling of it are exact.
 */

/** Rates are integers: parts of ten million, so that 0.00297 % is 297. */
export const RATE_ONE = 10_000_000;

/** `valuePaise` × `rate`, a half paisa rounded away from zero (half up for what is not negative). */
export function rateHalfUp(valuePaise: number, rate: number): number {
  if (valuePaise < 0) return -rateHalfUp(-valuePaise, rate);
  const tenMillions = Math.floor(valuePaise / RATE_ONE);
  const rest = valuePaise - tenMillions * RATE_ONE;
  return tenMillions * rate + Math.floor((rest * rate + RATE_ONE / 2) / RATE_ONE);
}

/** `valuePaise` × `rate`, rounded up; for what is not negative. */
export function rateCeil(valuePaise: number, rate: number): number {
  const tenMillions = Math.floor(valuePaise / RATE_ONE);
  const rest = valuePaise - tenMillions * RATE_ONE;
  return tenMillions * rate + Math.ceil((rest * rate) / RATE_ONE);
}

/**
 * The most that `rateHalfUp` can come to in all when a value is cut into pieces of whole units, `units` in all, and each piece is rounded by itself. A piece is rounded up
 * by half a paisa at most, and by no more than itself: for X unrounded the sum is at most X + units / 2, and at most 2 X.
 */
export function rateBound(valuePaise: number, rate: number, units: number): number {
  const tenMillions = Math.floor(valuePaise / RATE_ONE);
  const rest = valuePaise - tenMillions * RATE_ONE;
  const wholePaise = tenMillions * rate;
  const doubled = 2 * wholePaise + Math.ceil((2 * rest * rate) / RATE_ONE);
  const pairs = Math.floor(units / 2);
  const oddUnit = units - 2 * pairs;
  const byPiece = wholePaise + pairs + Math.ceil((2 * rest * rate + oddUnit * RATE_ONE) / (2 * RATE_ONE));
  return Math.min(doubled, byPiece);
}

/** `valuePaise` × `part` / `whole`, cut off towards zero. 0 ≤ part ≤ whole. */
export function shareOf(valuePaise: number, part: number, whole: number): number {
  const wholes = Math.trunc(valuePaise / whole);
  const rest = valuePaise - wholes * whole;
  const product = rest * part;
  // Shares by the hundred million in one position: off every path that has to be quick.
  const restShare = Number.isSafeInteger(product)
    ? Math.trunc(product / whole)
    : Number((BigInt(rest) * BigInt(part)) / BigInt(whole));
  return wholes * part + restShare;
}

/** `part` / `whole` in ten thousandths, rounded up; for what is not negative. */
export function ratioBps(part: number, whole: number): number {
  const wholes = Math.floor(part / whole);
  const rest = part - wholes * whole;
  const scaled = rest * 10_000;
  const restBps = Number.isSafeInteger(scaled)
    ? Math.ceil(scaled / whole)
    : Number((BigInt(rest) * 10_000n + BigInt(whole) - 1n) / BigInt(whole));
  return wholes * 10_000 + restBps;
}
