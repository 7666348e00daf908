import { assert } from '../assert.ts';
import { type Account, type Position, positionKey } from './account.ts';
import { addCharges, orderBrokeragePaise, tradeCharges } from './charges.ts';
import { rateCeil } from './exact-arithmetic.ts';
import {
  type Charges,
  type EventDetail,
  EventType,
  type ExecutionDetail,
  LedgerAccount,
  type LedgerEvent,
  type PositionChange,
  type UndoneTrade,
} from './ledger-event.ts';
import type { MoneyRules } from './money-rules.ts';
import { isTerminal, type Order, OrderSide, Product } from './order.ts';
import { claimedQty, heldBy, maxLeavesQty } from './order-hold.ts';
import { type TradedUnits, tradeInto } from './position-value.ts';
import { postingsOf, transfer, transferCharges } from './postings.ts';

/** What the venue tells of an execution, a bust or a correction. */
export interface Execution {
  readonly execID: string;
  readonly venue: string;
  readonly tradingDay: string;
  readonly lastQty: number;
  readonly lastPxPaise: number;
}

/** The execution that a bust or a correction is about, as it stands now. */
export interface StandingTrade extends UndoneTrade {
  readonly execID: string;
}

/** An execution is a fact: it is posted whatever the order's state and whatever the account has. */
export function orderFilled(
  rules: MoneyRules,
  account: Account,
  order: Order,
  execution: Execution,
  tsMicros: number,
): LedgerEvent {
  const { lastQty, lastPxPaise } = execution;
  const sign = signOf(order);
  const valuePaise = lastQty * lastPxPaise;
  const position = account.positions.get(positionKey(order.instrumentId, order.product));
  const units = tradeInto(position ?? NO_UNITS, sign * lastQty, sign * valuePaise);
  const charges = fillCharges(rules, order, position, valuePaise, execution.tradingDay);
  const cashPaise = order.product === Product.CNC ? -sign * valuePaise : units.realisedPaise;
  const after = orderAfter(rules, order, lastQty, valuePaise, charges);
  const change = positionChange(rules, order, units);
  return executionEvent(account, order, tsMicros, cashPaise, position?.marginPaise ?? 0, {
    type: EventType.OrderFilled,
    execID: execution.execID,
    venue: execution.venue,
    tradingDay: execution.tradingDay,
    lastQty,
    lastPxPaise,
    charges,
    position: change,
    cumQty: after.cumQty,
    cumValuePaise: after.cumValuePaise,
    leavesQty: after.leavesQty,
    holdPaise: after.holdPaise,
    exposureQty: after.exposureQty,
    isLate: after.isLate,
  });
}

/** The trade is taken back at its own price. */
export function tradeBusted(
  rules: MoneyRules,
  account: Account,
  order: Order,
  bust: Execution,
  undone: StandingTrade,
  tsMicros: number,
): LedgerEvent {
  assert(bust.lastQty === undone.lastQty, `a bust of ${bust.lastQty} of an execution of ${undone.lastQty}`);
  return changedTrade(rules, account, order, bust, undone, EventType.TradeBusted, tsMicros);
}

/** The trade is taken back at its own price, and made anew as the venue says it was. */
export function tradeCorrected(
  rules: MoneyRules,
  account: Account,
  order: Order,
  correction: Execution,
  undone: StandingTrade,
  tsMicros: number,
): LedgerEvent {
  return changedTrade(rules, account, order, correction, undone, EventType.TradeCorrected, tsMicros);
}

function changedTrade(
  rules: MoneyRules,
  account: Account,
  order: Order,
  execution: Execution,
  standing: StandingTrade,
  type: typeof EventType.TradeBusted | typeof EventType.TradeCorrected,
  tsMicros: number,
): LedgerEvent {
  const { tradingDay, lastQty, lastPxPaise } = standing;
  const undone = { tradingDay, lastQty, lastPxPaise, charges: standing.charges };
  const newQty = type === EventType.TradeBusted ? 0 : execution.lastQty;
  const newPaise = newQty * execution.lastPxPaise;
  const oldPaise = lastQty * lastPxPaise;
  const sign = signOf(order);
  const position = account.positions.get(positionKey(order.instrumentId, order.product));
  const back = tradeInto(position ?? NO_UNITS, -sign * lastQty, -sign * oldPaise);
  const again = tradeInto(back, sign * newQty, sign * newPaise);
  const units = { ...again, realisedPaise: back.realisedPaise + again.realisedPaise };
  const charges = changedCharges(rules, order, position, undone, newQty, newPaise);
  const cashPaise = order.product === Product.CNC ? sign * (oldPaise - newPaise) : units.realisedPaise;
  return executionEvent(account, order, tsMicros, cashPaise, position?.marginPaise ?? 0, {
    type,
    ...copyOf(execution),
    charges,
    position: positionChange(rules, order, units),
    execRefID: standing.execID,
    undone,
    ...orderAfter(rules, order, newQty - lastQty, newPaise - oldPaise, charges),
  });
}

const NO_UNITS = { quantity: 0, openValuePaise: 0 };

function signOf(order: Order): 1 | -1 {
  return order.side === OrderSide.Buy ? 1 : -1;
}

function fillCharges(
  { charges: table }: MoneyRules,
  { product, side, cumValuePaise, brokeragePaise }: Order,
  position: Position | undefined,
  valuePaise: number,
  tradingDay: string,
): Charges {
  const soldToday = position !== undefined && position.tradingDay === tradingDay && position.daySellQty > 0;
  const depositoryPaise = side === OrderSide.Sell && !soldToday ? table.products[product].depositoryPaise : 0;
  const morePaise = orderBrokeragePaise(table, product, cumValuePaise + valuePaise) - brokeragePaise;
  return tradeCharges(table, product, side, valuePaise, morePaise, depositoryPaise);
}

/** What the charges change by. The depository's stays with the day's other sales, and goes back with the last of them. */
function changedCharges(
  { charges: table }: MoneyRules,
  { product, side, cumValuePaise, brokeragePaise }: Order,
  position: Position | undefined,
  undone: UndoneTrade,
  newQty: number,
  newPaise: number,
): Charges {
  const turnoverPaise = cumValuePaise - undone.lastQty * undone.lastPxPaise + newPaise;
  const nowBrokeragePaise =
    undone.charges.brokeragePaise + orderBrokeragePaise(table, product, turnoverPaise) - brokeragePaise;
  const isDayOf = position?.tradingDay === undone.tradingDay;
  const daySellQty = isDayOf ? position.daySellQty : undone.lastQty;
  const isLastSale = side === OrderSide.Sell && daySellQty - undone.lastQty + newQty === 0;
  const depositoryPaise = isLastSale ? 0 : undone.charges.depositoryPaise;
  const now = tradeCharges(table, product, side, newPaise, nowBrokeragePaise, depositoryPaise);
  return addCharges(now, undone.charges, -1);
}

type OrderAfter = Pick<
  ExecutionDetail,
  'cumQty' | 'cumValuePaise' | 'leavesQty' | 'holdPaise' | 'exposureQty' | 'isLate'
>;

/** What the order will be with `quantity` more executed. Units that close a position fill first; units that come back count as opening one: what they closed may be gone. */
function orderAfter(
  rules: MoneyRules,
  order: Order,
  quantity: number,
  valuePaise: number,
  charges: Charges,
): OrderAfter {
  const isLate = isTerminal(order.status);
  const cumQty = order.cumQty + quantity;
  const cumValuePaise = order.cumValuePaise + valuePaise;
  const leavesQty = isLate ? 0 : Math.max(0, order.terms.quantity - cumQty);
  if (leavesQty === 0) return { cumQty, cumValuePaise, leavesQty, holdPaise: 0, exposureQty: 0, isLate };
  const brokeragePaise = order.brokeragePaise + charges.brokeragePaise;
  const after = { ...order, cumQty, cumValuePaise, brokeragePaise };
  const filledQty = maxLeavesQty(order) - maxLeavesQty(after);
  const closable = Math.max(0, claimedQty(order) - Math.max(0, filledQty));
  const { holdPaise, exposureQty } = heldBy(rules, after, closable);
  return { cumQty, cumValuePaise, leavesQty, holdPaise, exposureQty, isLate };
}

function positionChange(rules: MoneyRules, order: Order, units: TradedUnits): PositionChange {
  const { quantity, openValuePaise, realisedPaise } = units;
  const isMargined = order.product !== Product.CNC;
  const marginPaise = isMargined ? rateCeil(Math.abs(openValuePaise), rules.marginRates[order.product]) : 0;
  return { quantity, openValuePaise, marginPaise, realisedPaise };
}

function copyOf({ execID, venue, tradingDay, lastQty, lastPxPaise }: Execution): Execution {
  return { execID, venue, tradingDay, lastQty, lastPxPaise };
}

type Executed = Extract<EventDetail, { readonly execID: string }>;

/** `cashPaise` goes to the user from the clearing house. */
function executionEvent(
  account: Account,
  order: Order,
  tsMicros: number,
  cashPaise: number,
  marginBeforePaise: number,
  detail: Executed,
): LedgerEvent {
  const { Held, Available, Exchange, Margin } = LedgerAccount;
  const postings = postingsOf(Held, Available, order.holdPaise - detail.holdPaise);
  transfer(postings, Exchange, Available, cashPaise);
  transfer(postings, Available, Margin, detail.position.marginPaise - marginBeforePaise);
  transferCharges(postings, detail.charges);
  return {
    userId: account.userId,
    seq: account.seq + 1,
    tsMicros,
    orderID: order.orderID,
    instrumentId: order.instrumentId,
    product: order.product,
    postings,
    detail,
  };
}
