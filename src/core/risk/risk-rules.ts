// hot: each rule per decision. A rule writes its numbers to a place that is used over and over; nothing is allocated.

import { cashPaise, marginUsedPaise } from '../ledger/account.ts';
import { ratioBps } from '../ledger/exact-arithmetic.ts';
import { isPriced, isStop, OrderSide, Product } from '../ledger/order.ts';
import { totalValuePaise } from '../ledger/total-value.ts';
import { RefusalCode } from '../refusal-codes.ts';
import type { CheckResult } from './check-result.ts';
import type { RiskSubject } from './risk-subject.ts';

/** Numbers of the rule that was asked last. */
export class RuleNumbers {
  limit = 0;
  used = 0;
  after = 0;
}

export interface RiskRule {
  readonly check: string;
  readonly code: RefusalCode;
  readonly unit: CheckResult['unit'];
  /** False for what has no place at a change of an order that is there. */
  readonly atChange: boolean;
  /** Null when the rule is off or has nothing to say about this order, else whether it allows it. */
  ask(subject: RiskSubject, numbers: RuleNumbers): boolean | null;
}

/** Whether `after` is within the limit; Infinity is no limit, and then there is no answer. */
function within(numbers: RuleNumbers, limit: number, used: number, after: number): boolean | null {
  numbers.limit = limit;
  numbers.used = used;
  numbers.after = after;
  return limit === Number.POSITIVE_INFINITY ? null : after <= limit;
}

/** A state in which `limit` orders may be placed: none, as a rule. */
function whileIn(isIn: boolean, numbers: RuleNumbers, limit: number): boolean | null {
  return within(numbers, limit, isIn ? limit : 0, isIn ? limit + 1 : 0);
}

/** It only brings the net position nearer to nothing. */
function onlyReduces(before: number, after: number): boolean {
  return before >= 0 ? after >= 0 && after <= before : after <= 0 && after >= before;
}

function netAfterQty(subject: RiskSubject): number {
  return subject.netWithOpenQty + (subject.isBuy ? subject.leavesQty : -subject.leavesQty);
}

/** All rules, in the order in which they are asked: what says nothing about the order itself first, money last. */
export const RISK_RULES: readonly RiskRule[] = [
  {
    check: 'account-frozen',
    code: RefusalCode.AccountFrozen,
    unit: 'orders',
    atChange: true,
    ask: ({ account, limits }, numbers) => whileIn(account.frozenReason !== '', numbers, limits.ordersWhileFrozen),
  },
  {
    check: 'market-halted',
    code: RefusalCode.MarketHalted,
    unit: 'orders',
    atChange: true,
    ask: ({ market, limits }, numbers) => whileIn(market.marketHalted, numbers, limits.ordersWhileMarketHalted),
  },
  {
    check: 'instrument-halted',
    code: RefusalCode.InstrumentHalted,
    unit: 'orders',
    atChange: true,
    ask: ({ market, limits }, numbers) => whileIn(market.isHalted, numbers, limits.ordersWhileInstrumentHalted),
  },
  {
    check: 'freeze-quantity',
    code: RefusalCode.FreezeQuantity,
    unit: 'shares',
    atChange: true,
    ask({ market, limits, terms }, numbers) {
      const exchangeQty = market.freezeQuantity > 0 ? market.freezeQuantity : Number.POSITIVE_INFINITY;
      return within(numbers, Math.min(limits.orderQty, exchangeQty), 0, terms.quantity);
    },
  },
  {
    check: 'reference-price',
    code: RefusalCode.StaleReferencePrice,
    unit: 'orders',
    atChange: true,
    ask({ market, limits, holdPricePaise }, numbers) {
      // Without a price to hold at there is nothing to allow.
      if (holdPricePaise <= 0) return whileIn(true, numbers, 0);
      return whileIn(market.isStale || market.lastPaise <= 0, numbers, limits.ordersWithoutReference);
    },
  },
  {
    check: 'price-collar',
    code: RefusalCode.PriceCollar,
    unit: 'bps',
    atChange: true,
    ask({ market, limits, terms }, numbers) {
      const { lastPaise } = market;
      if (lastPaise <= 0) return null;
      const priceGap = isPriced(terms.ordType) ? Math.abs(terms.pricePaise - lastPaise) : 0;
      const triggerGap = isStop(terms.ordType) ? Math.abs(terms.triggerPricePaise - lastPaise) : 0;
      return within(numbers, limits.priceCollarBps, 0, ratioBps(Math.max(priceGap, triggerGap), lastPaise));
    },
  },
  {
    check: 'duplicate-order',
    code: RefusalCode.DuplicateOrder,
    unit: 'orders',
    atChange: false,
    ask({ activity, order, limits, nowMicros }, numbers) {
      const same = activity.duplicates(order, nowMicros, limits.duplicateWindowMs * 1_000);
      // The first of them is no duplicate.
      return within(numbers, limits.duplicateOrders, Math.max(0, same - 1), same);
    },
  },
  {
    check: 'orders-per-second',
    code: RefusalCode.OrdersPerSecond,
    unit: 'orders',
    atChange: false,
    ask({ activity, limits, nowMicros }, numbers) {
      const used = activity.ordersLastSecond(nowMicros);
      return within(numbers, limits.ordersPerSecond, used, used + 1);
    },
  },
  {
    check: 'orders-per-minute',
    code: RefusalCode.OrdersPerMinute,
    unit: 'orders',
    atChange: false,
    ask({ activity, limits, nowMicros }, numbers) {
      const used = activity.ordersLastMinute(nowMicros);
      return within(numbers, limits.ordersPerMinute, used, used + 1);
    },
  },
  {
    check: 'orders-per-day',
    code: RefusalCode.OrdersPerDay,
    unit: 'orders',
    atChange: false,
    ask({ activity, limits, tradingDay }, numbers) {
      const used = activity.ordersToday(tradingDay);
      return within(numbers, limits.ordersPerDay, used, used + 1);
    },
  },
  {
    check: 'daily-notional',
    code: RefusalCode.DailyNotional,
    unit: 'paise',
    atChange: false,
    ask({ activity, limits, tradingDay, leavesQty, holdPricePaise }, numbers) {
      const used = activity.notionalTodayPaise(tradingDay);
      return within(numbers, limits.dailyNotionalPaise, used, used + leavesQty * holdPricePaise);
    },
  },
  {
    check: 'holdings',
    code: RefusalCode.Holdings,
    unit: 'shares',
    atChange: true,
    ask({ order, limits, sellableQty, leavesQty }, numbers) {
      if (order.product !== Product.CNC || order.side !== OrderSide.Sell) return null;
      return within(numbers, Math.max(0, sellableQty) + limits.uncoveredSaleQty, 0, leavesQty);
    },
  },
  {
    check: 'position-limit',
    code: RefusalCode.PositionLimit,
    unit: 'shares',
    atChange: true,
    ask(subject, numbers) {
      const afterQty = netAfterQty(subject);
      const { netWithOpenQty, netQty, limits } = subject;
      const passed = within(numbers, limits.positionQty, Math.abs(netWithOpenQty), Math.abs(afterQty));
      return passed === false && onlyReduces(netQty, afterQty) ? true : passed;
    },
  },
  {
    check: 'concentration',
    code: RefusalCode.Concentration,
    unit: 'bps',
    atChange: true,
    ask(subject, numbers) {
      const { limits, account, market, netQty, netWithOpenQty, leavesQty, holdPricePaise } = subject;
      if (limits.concentrationBps === Number.POSITIVE_INFINITY) return null;
      const portfolioPaise = totalValuePaise(account);
      const usedPaise = Math.abs(netWithOpenQty) * market.lastPaise;
      const usedBps = portfolioPaise > 0 ? ratioBps(usedPaise, portfolioPaise) : ALL_OF_NOTHING;
      const afterPaise = usedPaise + leavesQty * holdPricePaise;
      const afterBps = portfolioPaise > 0 ? ratioBps(afterPaise, portfolioPaise) : ALL_OF_NOTHING;
      const passed = within(numbers, limits.concentrationBps, usedBps, afterBps);
      return passed === false && onlyReduces(netQty, netAfterQty(subject)) ? true : passed;
    },
  },
  {
    check: 'buying-power',
    code: RefusalCode.BuyingPower,
    unit: 'paise',
    atChange: true,
    ask({ account, moreHoldPaise }, numbers) {
      const used = marginUsedPaise(account);
      const passed = within(numbers, cashPaise(account), used, used + moreHoldPaise);
      // What takes nothing is allowed to an account that is short.
      return passed === true || moreHoldPaise <= 0;
    },
  },
];

const ALL_OF_NOTHING = 100 * 10_000;
