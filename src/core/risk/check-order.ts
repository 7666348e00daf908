// hot: `checkPlacement` per order. Nothing is allocated when it passes.
import type { Account } from '../ledger/account.ts';
import { boundCharges, chargesPaise, NO_CHARGES } from '../ledger/charges.ts';
import type { Charges } from '../ledger/ledger-event.ts';
import type { Order, OrderTerms } from '../ledger/order.ts';
import { holdWithChange } from '../ledger/order-events.ts';
import { brokerageLeftPaise } from '../ledger/order-hold.ts';
import { RefusalCode } from '../refusal-codes.ts';
import type { CheckResult } from './check-result.ts';
import type { OrderActivity, PlacedOrder } from './order-activity.ts';
import { RISK_RULES, type RiskRule, RuleNumbers } from './risk-rules.ts';
import type { RiskTerms } from './risk-settings.ts';
import { heldAtPaise, type MarketState, RiskSubject } from './risk-subject.ts';

/** What an order would do, told and not done. */
export interface DryRun {
  /** Of the first check that fails; None when all pass. */
  readonly code: RefusalCode;
  readonly checks: readonly CheckResult[];
  /** Held for the order, without what is held for its charges. */
  readonly marginPaise: number;
  /** What it can be charged at most. */
  readonly charges: Charges;
}

/**
 * Pre-trade risk: asks every rule in the order of RISK_RULES, and stops at the first that refuses. What it found stays readable until the next decision; one
 * instance serves all accounts of a thread.
 */
export class OrderCheck {
  /** The refusal's numbers; null after a decision that allowed. */
  failed: CheckResult | null = null;
  readonly #subject = new RiskSubject();
  readonly #numbers = new RuleNumbers();

  /** Of the order that was decided about: what `orderPlaced` or `modifyRequested` is to be given. */
  get holdPaise(): number {
    return this.#subject.holdPaise;
  }

  get holdPricePaise(): number {
    return this.#subject.holdPricePaise;
  }

  get exposureQty(): number {
    return this.#subject.exposureQty;
  }

  /** What it counts as in the day's notional. */
  get notionalPaise(): number {
    return this.#subject.leavesQty * this.#subject.holdPricePaise;
  }

  checkPlacement(
    account: Account,
    order: PlacedOrder,
    market: MarketState,
    { limits, money }: RiskTerms,
    activity: OrderActivity,
    nowMicros: number,
    tradingDay: string,
  ): RefusalCode {
    this.#subject.place(account, order, market, limits, money, activity, nowMicros, tradingDay);
    return this.#firstRefusal();
  }

  /** New terms for an order that is there: what is asked of the venue, or for a stop order that waits here. */
  checkChange(
    account: Account,
    order: Order,
    terms: OrderTerms,
    market: MarketState,
    { limits, money }: RiskTerms,
  ): RefusalCode {
    const holdPricePaise = heldAtPaise(order, terms, market, limits);
    const hold = holdWithChange(money, account, order, { terms, holdPricePaise });
    this.#subject.change(account, order, terms, market, limits, hold);
    return this.#firstRefusal();
  }

  /** Every check of a placement with its numbers, by the same rules; nothing is changed. */
  dryRun(
    account: Account,
    order: PlacedOrder,
    market: MarketState,
    { limits, money }: RiskTerms,
    activity: OrderActivity,
    nowMicros: number,
    tradingDay: string,
  ): DryRun {
    const subject = this.#subject;
    subject.place(account, order, market, limits, money, activity, nowMicros, tradingDay);
    let code: RefusalCode = RefusalCode.None;
    const checks: CheckResult[] = [];
    for (const rule of RISK_RULES) {
      const passed = rule.ask(subject, this.#numbers);
      if (passed === null) continue;
      checks.push(this.#result(rule, passed));
      if (!passed && code === RefusalCode.None) code = rule.code;
    }
    const { leavesQty, holdPaise, holdPricePaise } = subject;
    const valuePaise = leavesQty * holdPricePaise;
    const brokeragePaise = brokerageLeftPaise(money.charges, order.product, 0, valuePaise, 0);
    const charges = { ...NO_CHARGES };
    boundCharges(charges, money.charges, order.product, order.side, valuePaise, leavesQty, brokeragePaise);
    // A CNC sale holds nothing: its charges come out of what it fetches.
    const marginPaise = Math.max(0, holdPaise - chargesPaise(charges));
    return { code, checks, marginPaise, charges };
  }

  #firstRefusal(): RefusalCode {
    const subject = this.#subject;
    this.failed = null;
    for (let i = 0; i < RISK_RULES.length; i++) {
      const rule = RISK_RULES[i] as RiskRule;
      if (!subject.isPlacement && !rule.atChange) continue;
      if (rule.ask(subject, this.#numbers) === false) {
        this.failed = this.#result(rule, false);
        return rule.code;
      }
    }
    return RefusalCode.None;
  }

  #result({ check, unit }: RiskRule, passed: boolean): CheckResult {
    const { limit, used, after } = this.#numbers;
    return { check, unit, limit, used, after, passed };
  }
}
