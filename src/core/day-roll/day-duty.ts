import type { Account, Position } from '../ledger/account.ts';
import { isTerminal, type Order, OrderStatus, Product } from '../ledger/order.ts';
import type { DayMarks } from './trading-day.ts';

/** The steps of a day's end, in the order in which an account goes through them. */
export const DayStep = {
  /** Orders of a day that has closed end, and what they hold is free. */
  Expire: 'expire',
  ContractNote: 'contract-note',
  /** T+1: deliveries become holdings. */
  Settle: 'settle',
  /** Shortly before the close: what could still change an intraday position is canceled. */
  CancelIntraday: 'cancel-intraday',
  /** What is left of intraday positions is closed at the market. */
  SquareOff: 'square-off',
} as const;
export type DayStep = (typeof DayStep)[keyof typeof DayStep];

/** What an account's day asks for now. With nothing in `orders` and `positions` that can be done now, something is waited for. */
export interface DayDuty {
  readonly step: DayStep;
  /** False: what was done before has no answer yet. */
  readonly isActionable: boolean;
  readonly orders: readonly Order[];
  readonly positions: readonly Position[];
}

/** What an account cannot tell by itself. */
export interface DayOutlook {
  readonly marks: DayMarks;
  readonly nowMicros: number;
  readonly isMarketOpen: boolean;
  /** Since the last close the venue has answered for every order that was alive. */
  readonly isSettled: boolean;
}

/** Between two attempts to close a position. */
export const SQUARE_OFF_PAUSE_MICROS = 15_000_000;

/**
 * The step that an account is in, or null when its days are in order. It follows from the account alone, whose state is its events: nothing else keeps how far a day's end has
 * come, so a process that dies between two steps, or starts days later, goes on where the ledger is. A step is left when what it was about is durable.
 */
export function dayDutyOf(account: Account, outlook: DayOutlook): DayDuty | null {
  return closingDuty(account, outlook) ?? intradayDuty(account, outlook);
}

/** Of days that have closed: until it is done an account does not trade in the next one. */
export function closingDuty(account: Account, { marks, isSettled }: DayOutlook): DayDuty | null {
  const { closeMicros, date } = marks.closed;
  let isStale = false;
  // What waits here for its trigger the venue does not know: it ends by itself. Of the others the venue says what became of them.
  const orders: Order[] = [];
  for (const order of account.orders.values()) {
    if (isTerminal(order.status) || order.placedMicros >= closeMicros) continue;
    isStale = true;
    if (isSettled || order.status === OrderStatus.TriggerPending) orders.push(order);
  }
  if (isStale) return duty(DayStep.Expire, orders, []);
  const { noteDue } = account;
  if (noteDue.executionCount > 0 && noteDue.tradingDay <= date)
    return { step: DayStep.ContractNote, isActionable: true, orders: [], positions: [] };
  const delivered: Position[] = [];
  for (const position of account.positions.values()) {
    const { product, quantity, tradingDay } = position;
    if (product === Product.CNC && quantity !== 0 && tradingDay <= marks.settled.date) delivered.push(position);
  }
  return delivered.length > 0 ? duty(DayStep.Settle, [], delivered) : null;
}

/** Of the day whose intraday positions are being closed, and what a day before has left open. */
function intradayDuty(account: Account, { marks, nowMicros, isMarketOpen }: DayOutlook): DayDuty | null {
  const { squareOffMicros, date } = marks.squaredOff;
  const today = marks.current.date;
  const old: Order[] = [];
  for (const order of account.orders.values())
    if (order.product === Product.MIS && !isTerminal(order.status) && order.placedMicros < squareOffMicros)
      old.push(order);
  if (old.length > 0)
    return duty(
      DayStep.CancelIntraday,
      old.filter((order) => !isCancelAsked(order)),
      [],
    );
  let isOpen = false;
  const positions: Position[] = [];
  for (const position of account.positions.values()) {
    const { product, quantity, tradingDay, instrumentId } = position;
    if (product !== Product.MIS || quantity === 0 || tradingDay > date) continue;
    isOpen = true;
    // Orders of its user do not stand in the way of what was carried into the day that they are of.
    if (isMarketOpen && nextAttemptMicros(account, today, instrumentId) <= nowMicros) positions.push(position);
  }
  return isOpen ? duty(DayStep.SquareOff, [], positions) : null;
}

function duty(step: DayStep, orders: readonly Order[], positions: readonly Position[]): DayDuty {
  return { step, isActionable: orders.length + positions.length > 0, orders, positions };
}

function isCancelAsked({ pendingChanges }: Order): boolean {
  return pendingChanges.some(({ terms }) => terms === null);
}

/** The client order id of the nth order of a day that closes an intraday position: of the day on which it is placed, whose orders are all in memory. */
export function squareOffID(date: string, instrumentId: number, attempt: number): string {
  return `SQUAREOFF-${date}-${instrumentId}-${attempt}`;
}

/** The next attempt of a day to close a position, from 1, and the order of the last one. */
export function squareOffAttempt(
  account: Account,
  date: string,
  instrumentId: number,
): { readonly attempt: number; readonly last: Order | undefined } {
  let last: Order | undefined;
  for (let attempt = 1; ; attempt++) {
    const orderID = account.clientOrders.get(squareOffID(date, instrumentId, attempt));
    if (orderID === undefined) return { attempt, last };
    last = account.orders.get(orderID);
  }
}

/** When a position may be tried again: after the answer to the last attempt. A filled one was no failure: what it left is closed at once. */
function nextAttemptMicros(account: Account, date: string, instrumentId: number): number {
  const { last } = squareOffAttempt(account, date, instrumentId);
  if (last === undefined || last.status === OrderStatus.Filled) return Number.NEGATIVE_INFINITY;
  return isTerminal(last.status) ? last.updatedMicros + SQUARE_OFF_PAUSE_MICROS : Number.POSITIVE_INFINITY;
}
