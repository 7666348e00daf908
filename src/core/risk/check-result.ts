/** One check of a decision, with its numbers; in paise, shares, orders or basis points as `unit` says. */
export interface CheckResult {
  /** Stable name: `buying-power`, `position-limit`, … */
  readonly check: string;
  readonly unit: 'paise' | 'shares' | 'orders' | 'bps';
  readonly limit: number;
  readonly used: number;
  /** What would be in use with this order. */
  readonly after: number;
  readonly passed: boolean;
}
