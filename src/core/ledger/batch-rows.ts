import { assert } from '../assert.ts';
import {
  type Account,
  cashPaise,
  copyHolding,
  copyPosition,
  type Holding,
  marginUsedPaise,
  type Position,
  positionKey,
} from './account.ts';
import { chargesPaise } from './charges.ts';
import type { AccountRow, LedgerBatch, TradeRow } from './ledger-batch.ts';
import { EventType, LedgerAccount, type LedgerEvent } from './ledger-event.ts';
import { copyOrder, type Order, OrderSide, Product } from './order.ts';
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
  const users = new Map<number, TouchedRows>();
  const trades: TradeRow[] = [];
  for (const event of events) {
    let touched = users.get(event.userId);
    if (touched === undefined) {
      touched = new TouchedRows(accountOf(event.userId), event.seq);
      users.set(event.userId, touched);
    }
    touched.add(event);
    addTrades(touched.account, event, trades);
  }
  const all = [...users.values()];
  return {
    events,
    accounts: all.map((touched) => touched.accountRow()),
    newOrders: all.flatMap((touched) => touched.orders(true)),
    changedOrders: all.flatMap((touched) => touched.orders(false)),
    positions: all.flatMap(({ account: { userId }, positions }) =>
      [...positions].map((position) => ({ userId, position: copyPosition(position) })),
    ),
    holdings: all.flatMap(({ account: { userId }, holdings }) =>
      [...holdings].map((holding) => ({ userId, holding: copyHolding(holding) })),
    ),
    trades,
  };
}

/** What the events of one account touch. */
class TouchedRows {
  readonly account: Account;
  readonly positions = new Set<Position>();
  readonly holdings = new Set<Holding>();
  readonly #firstSeq: number;
  #lastSeq: number;
  #mustBeCovered = false;
  /** Whether it was placed in this batch, by order. */
  readonly #orders = new Map<Order, boolean>();

  constructor(account: Account, firstSeq: number) {
    this.account = account;
    this.#firstSeq = firstSeq;
    this.#lastSeq = firstSeq - 1;
  }

  add(event: LedgerEvent): void {
    const { account } = this;
    assert(event.seq === this.#lastSeq + 1, `event ${event.seq} of user ${event.userId} follows ${this.#lastSeq}`);
    this.#lastSeq = event.seq;
    if (takesFrom(event)) this.#mustBeCovered = COVERED.has(event.detail.type);
    const order = account.orders.get(event.orderID);
    if (order !== undefined && !this.#orders.has(order))
      this.#orders.set(order, event.detail.type === EventType.OrderPlaced);
    switch (event.detail.type) {
      case EventType.OrderFilled:
      case EventType.TradeBusted:
      case EventType.TradeCorrected:
        this.positions.add(account.positions.get(positionKey(order!.instrumentId, order!.product))!);
        break;
      case EventType.PositionSettled:
        this.positions.add(account.positions.get(positionKey(event.instrumentId, Product.CNC))!);
        this.holdings.add(account.holdings.get(event.instrumentId)!);
        break;
      default:
    }
  }

  orders(placed: boolean): Order[] {
    return [...this.#orders].filter(([, isNew]) => isNew === placed).map(([order]) => copyOrder(order));
  }

  accountRow(): AccountRow {
    const { account } = this;
    assert(account.seq === this.#lastSeq, `user ${account.userId} is at ${account.seq}, the batch at ${this.#lastSeq}`);
    return {
      userId: account.userId,
      firstSeq: this.#firstSeq,
      lastSeq: this.#lastSeq,
      cashPaise: cashPaise(account),
      marginUsedPaise: marginUsedPaise(account),
      totalValuePaise: totalValuePaise(account),
      frozenReason: account.frozenReason,
      mustBeCovered: this.#mustBeCovered,
    };
  }
}

/** What is only done when it is covered. What the venue or the day does may take more: after it the account can be short, whatever was covered before. */
const COVERED: ReadonlySet<EventType> = new Set([
  EventType.OrderPlaced,
  EventType.ModifyRequested,
  EventType.Withdrawn,
] as const);

function takesFrom(event: LedgerEvent): boolean {
  return event.postings.some(({ account, amountPaise }) => account === LedgerAccount.Available && amountPaise < 0);
}

function addTrades(account: Account, event: LedgerEvent, trades: TradeRow[]): void {
  const { detail, seq, orderID, tsMicros } = event;
  if (
    detail.type !== EventType.OrderFilled &&
    detail.type !== EventType.TradeBusted &&
    detail.type !== EventType.TradeCorrected
  )
    return;
  const { instrumentId, side } = account.orders.get(orderID)!;
  const sign = side === OrderSide.Buy ? 1 : -1;
  const { venue, tradingDay, execID } = detail;
  const add = (execRefID: string, quantity: number, pricePaise: number, paid: number): void => {
    trades.push({
      userId: account.userId,
      seq,
      orderID,
      instrumentId,
      venue,
      tradingDay,
      execID,
      execRefID,
      quantity,
      pricePaise,
      chargesPaise: paid,
      tsMicros,
    });
  };
  const { lastQty, lastPxPaise, charges } = detail;
  if (detail.type === EventType.OrderFilled) {
    add('', sign * lastQty, lastPxPaise, chargesPaise(charges));
    return;
  }
  const { undone, execRefID } = detail;
  const isBust = detail.type === EventType.TradeBusted;
  const undonePaise = chargesPaise(undone.charges);
  // A bust may leave a part of the brokerage where it was, with what is left of the order.
  const backPaise = isBust ? chargesPaise(charges) : -undonePaise;
  add(execRefID, -sign * undone.lastQty, undone.lastPxPaise, backPaise);
  if (!isBust) add('', sign * lastQty, lastPxPaise, undonePaise + chargesPaise(charges));
}
