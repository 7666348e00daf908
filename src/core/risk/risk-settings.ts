import { assert } from '../assert.ts';
import { RATE_ONE } from '../ledger/exact-arithmetic.ts';
import type { MoneyRules } from '../ledger/money-rules.ts';
import { Product } from '../ledger/order.ts';
import { DEFAULT_LIMITS, limitProblem, RISK_PROFILES, type RiskLimits, type RiskProfile } from './risk-limits.ts';

/** Limits that somebody set; null turns one off. */
export type LimitSettings = { readonly [K in keyof RiskLimits]?: number | null };

/** An operator's limits above those of the profile, each layer above the one before. */
export interface RiskLayers {
  readonly limits: LimitSettings;
  /** By symbol. */
  readonly instruments: ReadonlyMap<string, LimitSettings>;
  readonly users: ReadonlyMap<number, LimitSettings>;
}

export const NO_RISK_LAYERS: RiskLayers = { limits: {}, instruments: new Map(), users: new Map() };

/** What is in force for orders of one user in one instrument. */
export interface RiskTerms {
  readonly limits: RiskLimits;
  readonly money: MoneyRules;
}

/**
 * Limits in layers, each above the one before: defaults, the profile, global settings, the instrument's, the user's. Resolved once for each pair that differs from the
 * rest, so that a decision looks up and computes nothing.
 */
export class RiskSettings {
  readonly #money: MoneyRules;
  readonly #global: RiskLimits;
  readonly #globalTerms: RiskTerms;
  readonly #instruments: ReadonlyMap<number, LimitSettings>;
  readonly #users: ReadonlyMap<number, LimitSettings>;
  /** By instrument, of users without settings of their own. */
  readonly #ofInstruments = new Map<number, RiskTerms>();
  readonly #ofUsers = new Map<
    number,
    { readonly everywhere: RiskTerms; readonly instruments: Map<number, RiskTerms> }
  >();

  constructor(
    money: MoneyRules,
    profile: RiskProfile = 'standard',
    global: LimitSettings = {},
    instruments: ReadonlyMap<number, LimitSettings> = new Map(),
    users: ReadonlyMap<number, LimitSettings> = new Map(),
  ) {
    this.#money = money;
    this.#global = layered({ ...DEFAULT_LIMITS, ...RISK_PROFILES[profile] }, global);
    this.#globalTerms = termsOf(this.#global, money);
    this.#instruments = instruments;
    this.#users = users;
    for (const [instrumentId, settings] of instruments)
      this.#ofInstruments.set(instrumentId, termsOf(layered(this.#global, settings), money));
    for (const [userId, settings] of users) {
      const everywhere = termsOf(layered(this.#global, settings), money);
      this.#ofUsers.set(userId, { everywhere, instruments: new Map() });
    }
  }

  terms(userId: number, instrumentId: number): RiskTerms {
    const ofUser = this.#ofUsers.get(userId);
    const ofInstrument = this.#ofInstruments.get(instrumentId);
    if (ofUser === undefined) return ofInstrument ?? this.#globalTerms;
    if (ofInstrument === undefined) return ofUser.everywhere;
    let both = ofUser.instruments.get(instrumentId);
    if (both === undefined) {
      const ofInstrumentLimits = layered(this.#global, this.#instruments.get(instrumentId)!);
      both = termsOf(layered(ofInstrumentLimits, this.#users.get(userId)!), this.#money);
      ofUser.instruments.set(instrumentId, both);
    }
    return both;
  }
}

function layered(below: RiskLimits, settings: LimitSettings): RiskLimits {
  const limits: { -readonly [K in keyof RiskLimits]: number } = { ...below };
  for (const [name, value] of Object.entries(settings) as [keyof RiskLimits, number | null][]) {
    const problem = limitProblem(name, value);
    assert(problem === undefined, `risk settings are checked where they are read: ${problem}`);
    limits[name] = value ?? Number.POSITIVE_INFINITY;
  }
  return limits;
}

function termsOf(limits: RiskLimits, money: MoneyRules): RiskTerms {
  const rate = (bps: number): number => bps * (RATE_ONE / 10_000);
  const marginRates = {
    ...money.marginRates,
    [Product.MIS]: rate(limits.misMarginBps),
    [Product.NRML]: rate(limits.nrmlMarginBps),
  };
  return { limits, money: { ...money, marginRates } };
}
