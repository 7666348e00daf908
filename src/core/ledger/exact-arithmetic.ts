/**
 * Arithmetic on integer paise that is exact wherever the result is a safe integer. A product that would not be one is split, so that no step rounds.
 */

/** Rates are integers: parts of ten million, so that 0.00297 % is 297. */
export const RATE_ONE = 10_000_000;

/** `valuePaise` × `rate`, a half paisa rounded away from zero (half up for what is not negative). */
export function rateHalfUp(valuePaise: number, rate: number): number {
  if (valuePaise < 0) return -rateHalfUp(-valuePaise, rate);
  const rest = valuePaise % RATE_ONE;
  return ((valuePaise - rest) / RATE_ONE) * rate + Math.floor((rest * rate + RATE_ONE / 2) / RATE_ONE);
}

/** `valuePaise` × `rate`, rounded up; for what is not negative. */
export function rateCeil(valuePaise: number, rate: number): number {
  const rest = valuePaise % RATE_ONE;
  return ((valuePaise - rest) / RATE_ONE) * rate + Math.ceil((rest * rate) / RATE_ONE);
}

/**
 * The most that `rateHalfUp` can come to in all when a value is cut into pieces of whole units, `units` in all, and each piece is rounded by itself. A piece is rounded up
 * by half a paisa at most, and by no more than itself: for X unrounded the sum is at most X + units / 2, and at most 2 X.
 */
export function rateBound(valuePaise: number, rate: number, units: number): number {
  const rest = valuePaise % RATE_ONE;
  const wholePaise = ((valuePaise - rest) / RATE_ONE) * rate;
  const doubled = 2 * wholePaise + Math.ceil((2 * rest * rate) / RATE_ONE);
  const oddUnit = units % 2;
  const byPiece =
    wholePaise + (units - oddUnit) / 2 + Math.ceil((2 * rest * rate + oddUnit * RATE_ONE) / (2 * RATE_ONE));
  return Math.min(doubled, byPiece);
}

/** `valuePaise` × `part` / `whole`, cut off towards zero. 0 ≤ part ≤ whole. */
export function shareOf(valuePaise: number, part: number, whole: number): number {
  const rest = valuePaise % whole;
  const product = rest * part;
  // Shares by the hundred million in one position: off every path that has to be quick.
  const restShare = Number.isSafeInteger(product)
    ? (product - (product % whole)) / whole
    : Number((BigInt(rest) * BigInt(part)) / BigInt(whole));
  return ((valuePaise - rest) / whole) * part + restShare;
}

/** `part` / `whole` in ten thousandths, rounded up; for what is not negative. */
export function ratioBps(part: number, whole: number): number {
  const rest = part % whole;
  const scaled = rest * 10_000;
  const restBps = Number.isSafeInteger(scaled)
    ? Math.ceil(scaled / whole)
    : Number((BigInt(rest) * 10_000n + BigInt(whole) - 1n) / BigInt(whole));
  return ((part - rest) / whole) * 10_000 + restBps;
}
