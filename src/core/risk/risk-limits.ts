/**
 * Limits of pre-trade risk, all of them: one flat record of numbers. Infinity turns a rule off; in settings that is written as null. Of the first four the number is
 * how many orders may be placed in that state.
 */
export interface RiskLimits {
  readonly ordersWhileFrozen: number;
  readonly ordersWhileMarketHalted: number;
  readonly ordersWhileInstrumentHalted: number;
  readonly ordersWithoutReference: number;
  /** Of an order; the exchange's own freeze quantity holds besides. */
  readonly orderQty: number;
  /** How far a price may be from the last one. */
  readonly priceCollarBps: number;
  /** Orders that are the same as this one within the window before it. */
  readonly duplicateOrders: number;
  readonly duplicateWindowMs: number;
  readonly ordersPerSecond: number;
  readonly ordersPerMinute: number;
  readonly ordersPerDay: number;
  readonly dailyNotionalPaise: number;
  /** Shares that CNC may sell beyond what is there. */
  readonly uncoveredSaleQty: number;
  /** Net shares of an instrument, long or short. */
  readonly positionQty: number;
  /** Of the portfolio's value, in one instrument. */
  readonly concentrationBps: number;
  /** Of the value, held for intraday positions and for those that are carried over. Not a check: buying power is reckoned by it. */
  readonly misMarginBps: number;
  readonly nrmlMarginBps: number;
}

export const DEFAULT_LIMITS: RiskLimits = {
  ordersWhileFrozen: 0,
  ordersWhileMarketHalted: 0,
  ordersWhileInstrumentHalted: 0,
  ordersWithoutReference: 0,
  orderQty: Number.POSITIVE_INFINITY,
  priceCollarBps: 1_000,
  duplicateOrders: 0,
  duplicateWindowMs: 1_000,
  ordersPerSecond: 10,
  ordersPerMinute: 200,
  ordersPerDay: 3_000,
  dailyNotionalPaise: 10_000_000_000,
  uncoveredSaleQty: 0,
  positionQty: 5_000,
  concentrationBps: Number.POSITIVE_INFINITY,
  misMarginBps: 2_000,
  nrmlMarginBps: 10_000,
};

/** Limits that an operator can choose together by name. */
export const RISK_PROFILES = {
  standard: {},
  'retail-strict': {
    concentrationBps: 2_500,
    ordersPerMinute: 20,
    ordersPerDay: 100,
    dailyNotionalPaise: 1_000_000_000,
  },
} as const satisfies Record<string, Partial<RiskLimits>>;

export type RiskProfile = keyof typeof RISK_PROFILES;

/** What remembers orders remembers so many: a rate above it could not be counted. */
export const WINDOW_ORDERS_MAX = 4_096;

const LEAST: Partial<Record<keyof RiskLimits, number>> = { misMarginBps: 1, nrmlMarginBps: 1 };
const GREATEST: Partial<Record<keyof RiskLimits, number>> = {
  duplicateWindowMs: 60_000,
  ordersPerSecond: WINDOW_ORDERS_MAX,
  ordersPerMinute: WINDOW_ORDERS_MAX,
  misMarginBps: 10_000,
  nrmlMarginBps: 10_000,
};
/** What has no meaning when it is off. */
const NEVER_OFF: ReadonlySet<string> = new Set(['duplicateWindowMs', 'misMarginBps', 'nrmlMarginBps']);

/** What is wrong with a limit as a setting has it (null: off), or undefined. */
export function limitProblem(name: string, value: number | null): string | undefined {
  if (!Object.hasOwn(DEFAULT_LIMITS, name)) return `there is no limit ${name}`;
  const limit = name as keyof RiskLimits;
  if (value === null) return NEVER_OFF.has(limit) ? `${limit} cannot be turned off` : undefined;
  const least = LEAST[limit] ?? 0;
  const greatest = GREATEST[limit] ?? Number.MAX_SAFE_INTEGER;
  if (Number.isSafeInteger(value) && value >= least && value <= greatest) return undefined;
  return `${limit} must be a whole number from ${least} to ${greatest}`;
}
