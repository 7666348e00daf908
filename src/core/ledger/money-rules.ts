import margins from '../market/margins.json' with { type: 'json' };
import { type ChargeTable, chargeTableAsOf } from './charges.ts';
import { RATE_ONE } from './exact-arithmetic.ts';
import { Product } from './order.ts';

/** By what holds, margins and charges are reckoned on a day. */
export interface MoneyRules {
  readonly charges: ChargeTable;
  /** Of the open value, parts of ten million. CNC is paid in full and has no margin. */
  readonly marginRates: Readonly<Record<Product, number>>;
}

/** The rules of `date` (YYYY-MM-DD). Before the first table the first table holds. */
export function moneyRulesAsOf(date: string): MoneyRules {
  let version = margins.versions[0]!;
  for (const candidate of margins.versions) if (candidate.from <= date) version = candidate;
  const { MIS, NRML } = version.rates;
  return {
    charges: chargeTableAsOf(date),
    marginRates: { [Product.CNC]: RATE_ONE, [Product.MIS]: MIS, [Product.NRML]: NRML },
  };
}
