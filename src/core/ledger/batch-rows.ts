import { assert } from '../assert.ts';
import { type Account, cashPaise, type Holding, marginUsedPaise, type Position, positionKey } from './account.ts';
import { chargesPaise } from './charges.ts';
import type { AccountRow, LedgerBatch, TradeRow, UserHolding, UserPosition } from './ledger-batch.ts';
import { EventType, LedgerAccount, type LedgerEvent } from './ledger-event.ts';
import { type Order, OrderSide, Product } from './order.ts';
import { totalValuePaise } from './total-value.ts';

export type BatchRows = Pick<
  LedgerBatch,
  'events' | 'accounts' | 'newOrders' | 'changedOrders' | 'positions' | 'holdings' | 'trades'
>;

/**
 * The rows that `events` change, as they are after them: all events that the accounts have had since the last batch, in the order in which they were
 * applied. Rows are copies: what memory decides meanwhile does not change them.
 */
export function batchRows(events: readonly LedgerEvent[], accountOf: (userId: number) => Account): BatchRows {
  const touched = new TouchedRows();
  for (const event of events) touched.add(event, accountOf);
  return { events, ...touched.rows() };
}

/** Of one account: its events in a batch, and whether it must be able to pay for the last that took something. */
interface TouchedAccount {
  readonly account: Account;
  readonly firstSeq: number;
  lastSeq: number;
  mustBeCovered: boolean;
}

/** What the events of a batch touch, each once. */
class TouchedRows {
  readonly #accounts = new Map<number, TouchedAccount>();
  /** Whether it was placed in this batch, by order. */
  readonly #orders = new Map<Order, boolean>();
  /** With whose they are. */
  readonly #positions = new Map<Position, number>();
  readonly #holdings = new Map<Holding, number>();
  readonly #trades: TradeRow[] = [];

  add(event: LedgerEvent, accountOf: (userId: number) => Account): void {
    const { userId, seq, instrumentId } = event;
    let touched = this.#accounts.get(userId);
    if (touched === undefined) {
      touched = { account: accountOf(userId), firstSeq: seq, lastSeq: seq - 1, mustBeCovered: false };
      this.#accounts.set(userId, touched);
    }
    assert(seq === touched.lastSeq + 1, `event ${seq} of user ${userId} follows ${touched.lastSeq}`);
    touched.lastSeq = seq;
    const { type } = event.detail;
    if (takesFrom(event)) touched.mustBeCovered = COVERED.has(type);
    const { account } = touched;
    const order = account.orders.get(event.orderID);
    if (order !== undefined && !this.#orders.has(order)) this.#orders.set(order, type === EventType.OrderPlaced);
    switch (type) {
      case EventType.OrderFilled:
      case EventType.TradeBusted:
      case EventType.TradeCorrected:
        this.#positions.set(account.positions.get(positionKey(instrumentId, order!.product))!, userId);
        addTrades(order!, event, this.#trades);
        break;
      case EventType.PositionSettled:
        this.#positions.set(account.positions.get(positionKey(instrumentId, Product.CNC))!, userId);
        this.#holdings.set(account.holdings.get(instrumentId)!, userId);
        break;
      default:
    }
  }

  rows(): Omit<BatchRows, 'events'> {
    const accounts: AccountRow[] = [];
    for (const touched of this.#accounts.values()) accounts.push(accountRow(touched));
    const newOrders: Order[] = [];
    const changedOrders: Order[] = [];
    for (const [order, isNew] of this.#orders) (isNew ? newOrders : changedOrders).push({ ...order });
    const positions: UserPosition[] = [];
    for (const [position, userId] of this.#positions) positions.push({ userId, position: { ...position } });
    const holdings: UserHolding[] = [];
    for (const [holding, userId] of this.#holdings) holdings.push({ userId, holding: { ...holding } });
    return { accounts, newOrders, changedOrders, positions, holdings, trades: this.#trades };
  }
}

function accountRow({ account, firstSeq, lastSeq, mustBeCovered }: TouchedAccount): AccountRow {
  assert(account.seq === lastSeq, `user ${account.userId} is at ${account.seq}, the batch at ${lastSeq}`);
  return {
    userId: account.userId,
    firstSeq,
    lastSeq,
    cashPaise: cashPaise(account),
    marginUsedPaise: marginUsedPaise(account),
    totalValuePaise: totalValuePaise(account),
    frozenReason: account.frozenReason,
    mustBeCovered,
  };
}

/** What is only done when it is covered. What the venue or the day does may take more: after it the account can be short, whatever was covered before. */
const COVERED: ReadonlySet<EventType> = new Set([
  EventType.OrderPlaced,
  EventType.ModifyRequested,
  EventType.Withdrawn,
] as const);

function takesFrom({ postings }: LedgerEvent): boolean {
  // Postings are in the order of their accounts: the user's free cash is first where it is among them.
  const first = postings[0];
  return first !== undefined && first.account === LedgerAccount.Available && first.amountPaise < 0;
}

function addTrades({ userId, instrumentId, side }: Order, event: LedgerEvent, trades: TradeRow[]): void {
  const { detail, seq, orderID, tsMicros } = event;
  const sign = side === OrderSide.Buy ? 1 : -1;
  if (detail.type === EventType.OrderFilled) {
    trades.push({
      userId,
      seq,
      orderID,
      instrumentId,
      venue: detail.venue,
      tradingDay: detail.tradingDay,
      execID: detail.execID,
      execRefID: '',
      quantity: sign * detail.lastQty,
      pricePaise: detail.lastPxPaise,
      chargesPaise: chargesPaise(detail.charges),
      tsMicros,
    });
    return;
  }
  if (detail.type !== EventType.TradeBusted && detail.type !== EventType.TradeCorrected) return;
  const { venue, tradingDay, execID, undone, execRefID, lastQty, lastPxPaise, charges } = detail;
  const row = { userId, seq, orderID, instrumentId, venue, tradingDay, execID, tsMicros };
  const isBust = detail.type === EventType.TradeBusted;
  const undonePaise = chargesPaise(undone.charges);
  trades.push({
    ...row,
    execRefID,
    quantity: -sign * undone.lastQty,
    pricePaise: undone.lastPxPaise,
    // A bust may leave a part of the brokerage where it was, with what is left of the order.
    chargesPaise: isBust ? chargesPaise(charges) : -undonePaise,
  });
  if (isBust) return;
  trades.push({
    ...row,
    execRefID: '',
    quantity: sign * lastQty,
    pricePaise: lastPxPaise,
    chargesPaise: undonePaise + chargesPaise(charges),
  });
}
