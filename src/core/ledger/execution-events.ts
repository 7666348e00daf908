import { assert } from '../assert.ts';
import { type Account, type Position, positionKey } from './account.ts';
import { addCharges, orderBrokeragePaise, tradeCharges } from './charges.ts';
import { rateCeil } from './exact-arithmetic.ts';
import {
  type Charges,
  type EventDetail,
  EventType,
  LedgerAccount,
  type LedgerEvent,
  type PositionChange,
  type UndoneTrade,
} from './ledger-event.ts';
import type { MoneyRules } from './money-rules.ts';
import { isTerminal, type Order, OrderSide, Product } from './order.ts';
import { claimedQty, type HeldOrder, heldBy, maxLeavesQty, type OrderHold } from './order-hold.ts';
import { type TradedUnits, tradeInto } from './position-value.ts';
import { chargeTransfers, postingsOf, type Transfer } from './postings.ts';

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
  const after = executedOrder(order, lastQty, valuePaise, charges);
  return executionEvent(account, tsMicros, {
    order,
    execution,
    charges,
    position: positionChange(rules, order, units),
    cashPaise: order.product === Product.CNC ? -sign * valuePaise : units.realisedPaise,
    marginBeforePaise: position?.marginPaise ?? 0,
    hold: holdAfter(rules, order, after),
    after,
    undoing: null,
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
  const realisedPaise = back.realisedPaise + again.realisedPaise;
  const units = { quantity: again.quantity, openValuePaise: again.openValuePaise, realisedPaise };
  const charges = changedCharges(rules, order, position, undone, newQty, newPaise);
  const after = executedOrder(order, newQty - lastQty, newPaise - oldPaise, charges);
  return executionEvent(account, tsMicros, {
    order,
    execution,
    charges,
    position: positionChange(rules, order, units),
    cashPaise: order.product === Product.CNC ? sign * (oldPaise - newPaise) : units.realisedPaise,
    marginBeforePaise: position?.marginPaise ?? 0,
    hold: holdAfter(rules, order, after),
    after,
    undoing: { type, execRefID: standing.execID, undone },
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

/** The order as it would be with `quantity` more executed. */
function executedOrder(order: Order, quantity: number, valuePaise: number, charges: Charges): HeldOrder {
  const { side, product, terms, holdPricePaise, pendingChanges, exposureQty } = order;
  return {
    side,
    product,
    terms,
    holdPricePaise,
    pendingChanges,
    cumQty: order.cumQty + quantity,
    cumValuePaise: order.cumValuePaise + valuePaise,
    brokeragePaise: order.brokeragePaise + charges.brokeragePaise,
    exposureQty,
  };
}

/** The units that close a position fill first. Units that come back count as opening one: what they closed may be gone. */
function holdAfter(rules: MoneyRules, before: Order, after: HeldOrder): OrderHold {
  const isDone = isTerminal(before.status) || after.cumQty >= after.terms.quantity;
  if (isDone) return { holdPaise: 0, exposureQty: 0 };
  const filledQty = maxLeavesQty(before) - maxLeavesQty(after);
  return heldBy(rules, after, Math.max(0, claimedQty(before) - Math.max(0, filledQty)));
}

function positionChange(rules: MoneyRules, order: Order, units: TradedUnits): PositionChange {
  const { quantity, openValuePaise, realisedPaise } = units;
  const isMargined = order.product !== Product.CNC;
  const marginPaise = isMargined ? rateCeil(Math.abs(openValuePaise), rules.marginRates[order.product]) : 0;
  return { quantity, openValuePaise, marginPaise, realisedPaise };
}

interface Posted {
  readonly order: Order;
  readonly execution: Execution;
  readonly charges: Charges;
  readonly position: PositionChange;
  /** To the user from the clearing house. */
  readonly cashPaise: number;
  readonly marginBeforePaise: number;
  readonly hold: OrderHold;
  /** The order with it. */
  readonly after: HeldOrder;
  /** What a bust or a correction has beside. */
  readonly undoing: Undoing | null;
}

type Undoing = Pick<Extract<EventDetail, { readonly undone: UndoneTrade }>, 'type' | 'execRefID' | 'undone'>;

function executionEvent(account: Account, tsMicros: number, posted: Posted): LedgerEvent {
  const { order, hold, charges, position, cashPaise, marginBeforePaise } = posted;
  const transfers: Transfer[] = [
    [LedgerAccount.Held, LedgerAccount.Available, order.holdPaise - hold.holdPaise],
    [LedgerAccount.Exchange, LedgerAccount.Available, cashPaise],
    [LedgerAccount.Available, LedgerAccount.Margin, position.marginPaise - marginBeforePaise],
    ...chargeTransfers(charges),
  ];
  return {
    userId: account.userId,
    seq: account.seq + 1,
    tsMicros,
    orderID: order.orderID,
    instrumentId: order.instrumentId,
    product: order.product,
    postings: postingsOf(transfers),
    detail: executionDetail(posted),
  };
}

function executionDetail({ order, execution, charges, position, hold, after, undoing }: Posted): EventDetail {
  const { execID, venue, tradingDay, lastQty, lastPxPaise } = execution;
  const { cumQty, cumValuePaise, terms } = after;
  const { holdPaise, exposureQty } = hold;
  const isLate = isTerminal(order.status);
  const leavesQty = isLate ? 0 : Math.max(0, terms.quantity - cumQty);
  if (undoing === null)
    return {
      type: EventType.OrderFilled,
      execID,
      venue,
      tradingDay,
      lastQty,
      lastPxPaise,
      charges,
      position,
      cumQty,
      cumValuePaise,
      leavesQty,
      holdPaise,
      exposureQty,
      isLate,
    };
  return {
    type: undoing.type,
    execID,
    venue,
    tradingDay,
    lastQty,
    lastPxPaise,
    charges,
    position,
    execRefID: undoing.execRefID,
    undone: undoing.undone,
    cumQty,
    cumValuePaise,
    leavesQty,
    holdPaise,
    exposureQty,
    isLate,
  };
}
