import type { ExecutionReport } from '../fix/execution-report.ts';
import { ExecType, Side } from '../fix/generated/fix-enums.gen.ts';
import { type Account, cashPaise, marginUsedPaise, newAccount, positionKey } from '../ledger/account.ts';
import { applyEvent } from '../ledger/apply-event.ts';
import type { AccountRow, LedgerBatch, TradeRow } from '../ledger/ledger-batch.ts';
import { EventType, type LedgerEvent } from '../ledger/ledger-event.ts';
import { isTerminal, type Order, OrderSide, type OrderTerms, Product } from '../ledger/order.ts';
import { totalValuePaise } from '../ledger/total-value.ts';
import type { DayEndAudit } from './day-end-audit.ts';
import { auditEvent, executed, isExecution, leavesMax } from './event-audit.ts';
import { type Findings, Invariant } from './findings.ts';
import { referenceOf } from './model-database.ts';
import type { ModelTables } from './model-tables.ts';

/** What the exchange says, to compare with what was booked. */
export interface ExchangeLookup {
  execution(execID: string): ExecutionReport | undefined;
  /** Whether a price at or beyond this one traded since then. */
  hasTraded(instrumentId: number, isAtOrAbove: boolean, pricePaise: number, sinceMicros: number): boolean;
}

/** A trade is known to the engine so much later at most. */
const TRADE_LATE_MICROS = 5_000;

/**
 * Looks at every batch that became durable: replays its events, and compares what they make of the accounts with the rows of the batch, with the fills of the exchange, and
 * with plain sums of its own.
 */
export class LedgerAudit {
  /** As the events say that they are. */
  readonly accounts = new Map<number, Account>();
  readonly #findings: Findings;
  readonly #dayEnd: DayEndAudit;
  readonly #exchange: ExchangeLookup;
  readonly #references = new Set<string>();
  /** Net shares by user, instrument and product, from fills alone. */
  readonly #shares = new Map<string, number>();
  /** By user, the orders that have not ended, by OrderID. */
  readonly #live = new Map<number, Map<number, Order>>();
  /** ExecIDs that are booked. */
  readonly booked = new Set<string>();

  constructor(findings: Findings, exchange: ExchangeLookup, dayEnd: DayEndAudit) {
    this.#findings = findings;
    this.#dayEnd = dayEnd;
    this.#exchange = exchange;
  }

  batchCommitted(batch: LedgerBatch): void {
    const touched = new Set<Account>();
    for (const event of batch.events) {
      const account = this.#apply(event);
      if (account === undefined) return;
      touched.add(account);
    }
    for (const account of touched) this.#auditHolds(account);
    for (const row of batch.accounts) this.#auditAccountRow(row);
    for (const order of [...batch.newOrders, ...batch.changedOrders]) this.#auditOrderRow(order);
    for (const { userId, position } of batch.positions) {
      const found = this.accounts.get(userId)?.positions.get(positionKey(position.instrumentId, position.product));
      this.#same(position, found, () => `position of user ${userId}`);
    }
    for (const { userId, holding } of batch.holdings) {
      const found = this.accounts.get(userId)?.holdings.get(holding.instrumentId);
      this.#same(holding, found, () => `holding of user ${userId}`);
    }
    for (const trade of batch.trades) this.#auditTrade(trade);
  }

  /** Replays everything from the first event, and compares it with every row. */
  auditTables(tables: ModelTables): void {
    for (const [userId, events] of tables.events) {
      const account = newAccount(userId);
      for (const event of events) applyEvent(account, event);
      const { availablePaise, heldPaise, marginPaise, ...rest } = tables.accounts.get(userId)!;
      const marginUsed = heldPaise + marginPaise;
      this.#auditAccountRow(
        { ...rest, userId, cashPaise: availablePaise + marginUsed, marginUsedPaise: marginUsed },
        account,
      );
      for (const order of account.orders.values())
        this.#same(tables.orders.get(order.orderID), order, () => `order ${order.orderID}`);
      for (const [key, position] of account.positions)
        this.#same(tables.positions.get(userId)?.get(key), position, () => `position ${key} of user ${userId}`);
      for (const [key, holding] of account.holdings)
        this.#same(tables.holdings.get(userId)?.get(key), holding, () => `holding ${key} of user ${userId}`);
    }
  }

  #apply(event: LedgerEvent): Account | undefined {
    const { userId, seq } = event;
    let account = this.accounts.get(userId);
    if (account === undefined) {
      account = newAccount(userId);
      this.accounts.set(userId, account);
    }
    if (seq !== account.seq + 1) {
      this.#findings.add(Invariant.SeqWithoutGap, `event ${seq} of user ${userId} follows ${account.seq}`);
      return undefined;
    }
    auditEvent(account, event, this.#findings);
    this.#dayEnd.event(account, event);
    this.#auditReference(event);
    if (event.detail.type === EventType.OrderTriggered) this.#auditTrigger(account, event);
    try {
      applyEvent(account, event);
    } catch (error) {
      this.#findings.add(
        Invariant.ProjectionsEqualReplay,
        `event ${seq} of user ${userId} cannot be replayed: ${error}`,
      );
      return undefined;
    }
    const order = account.orders.get(event.orderID);
    if (order !== undefined) this.#noteOrder(order);
    if (isExecution(event.detail)) this.#count(account, event);
    return account;
  }

  #auditReference(event: LedgerEvent): void {
    const reference = referenceOf(event);
    if (reference === '') return;
    const key = `${event.userId} ${reference}`;
    this.#findings.check(!this.#references.has(key), Invariant.MoneyConserved, () => `${key} is booked twice`);
    this.#references.add(key);
  }

  #auditTrigger(account: Account, { orderID }: LedgerEvent): void {
    const order = account.orders.get(orderID);
    if (order === undefined) return;
    const { instrumentId, side, terms, placedMicros } = order;
    const isBuy = side === OrderSide.Buy;
    this.#findings.check(
      this.#exchange.hasTraded(instrumentId, isBuy, terms.triggerPricePaise, placedMicros - TRADE_LATE_MICROS),
      Invariant.TriggerTraded,
      () => `order ${orderID} fired at ${terms.triggerPricePaise}, which has not traded since it was placed`,
    );
  }

  #count(account: Account, event: LedgerEvent): void {
    const { detail } = event;
    if (!isExecution(detail)) return;
    const { instrumentId, product, side } = account.orders.get(event.orderID)!;
    const key = positionKey(instrumentId, product);
    const userKey = `${account.userId} ${key}`;
    const sign = side === OrderSide.Buy ? 1 : -1;
    const shares = (this.#shares.get(userKey) ?? 0) + sign * executed(detail).quantity;
    this.#shares.set(userKey, shares);
    const settled = product === Product.CNC ? (account.holdings.get(instrumentId)?.quantity ?? 0) : 0;
    const found = account.positions.get(key)!.quantity + settled;
    this.#findings.check(
      found === shares,
      Invariant.PositionsEqualFills,
      () => `user ${account.userId} has ${found} of ${key}, fills make ${shares}`,
    );
    this.#findings.check(!this.booked.has(detail.execID), Invariant.FillOnce, () => `${detail.execID} is booked twice`);
    this.booked.add(detail.execID);
  }

  /** Of an order that an event was about: it is among the live ones, or holds nothing. No other event can change it. */
  #noteOrder(order: Order): void {
    const live = this.#liveOf(order.userId);
    if (!isTerminal(order.status)) {
      live.set(order.orderID, order);
      return;
    }
    live.delete(order.orderID);
    this.#findings.check(
      order.holdPaise === 0,
      Invariant.HoldsCoverOrders,
      () => `order ${order.orderID} has ended and holds ${order.holdPaise}`,
    );
  }

  /** The orders of a user that have not ended, by their events. */
  liveOrders(userId: number): Iterable<Order> {
    return this.#liveOf(userId).values();
  }

  #liveOf(userId: number): Map<number, Order> {
    let live = this.#live.get(userId);
    if (live === undefined) {
      live = new Map();
      this.#live.set(userId, live);
    }
    return live;
  }

  /** What is held is the sum of what the orders hold, and what is held is enough. */
  #auditHolds(account: Account): void {
    const live = this.#liveOf(account.userId);
    let held = 0;
    for (const order of live.values()) {
      held += order.holdPaise;
      this.#auditHold(order);
    }
    this.#auditClaims(account, live);
    this.#findings.check(
      held === account.heldPaise,
      Invariant.HoldsCoverOrders,
      () => `user ${account.userId} has ${account.heldPaise} held, the orders hold ${held}`,
    );
  }

  /** Orders that count on closing a position count on no more than is open, whatever happened since they were placed. */
  #auditClaims(account: Account, live: ReadonlyMap<number, Order>): void {
    const claims = new Map<number, number>();
    for (const order of live.values()) {
      const { instrumentId, product, side, exposureQty } = order;
      const closing = leavesMax(order) - exposureQty;
      if (product === Product.CNC || closing === 0) continue;
      const open = account.positions.get(positionKey(instrumentId, product))?.quantity ?? 0;
      const closable = Math.max(0, side === OrderSide.Buy ? -open : open);
      const key = (instrumentId * 4 + product) * 4 + side;
      const claimed = (claims.get(key) ?? 0) + closing;
      claims.set(key, claimed);
      this.#findings.check(
        claimed <= closable,
        Invariant.HoldsCoverOrders,
        () =>
          `orders of user ${account.userId} count on ${claimed} of ${closable} units of ${instrumentId} ${product} ${side}`,
      );
    }
  }

  #auditHold(order: Order): void {
    const percent = order.product === Product.MIS ? 20 : 100;
    const isBought = order.side === OrderSide.Buy;
    if (order.product === Product.CNC && !isBought) return;
    const closing = leavesMax(order) - order.exposureQty;
    let needed = neededPaise(order, order.terms, closing, percent);
    for (const { terms } of order.pendingChanges)
      if (terms !== null) needed = Math.max(needed, neededPaise(order, terms, closing, percent));
    this.#findings.check(
      order.holdPaise >= needed,
      Invariant.HoldsCoverOrders,
      () => `order ${order.orderID} holds ${order.holdPaise} where ${needed} may be needed`,
    );
  }

  #auditAccountRow(row: Omit<AccountRow, 'firstSeq' | 'mustBeCovered'>, account = this.accounts.get(row.userId)): void {
    const { userId, lastSeq, cashPaise: cash, marginUsedPaise: marginUsed, totalValuePaise: total, frozenReason } = row;
    const found = account && {
      userId,
      lastSeq: account.seq,
      cash: cashPaise(account),
      marginUsed: marginUsedPaise(account),
      total: totalValuePaise(account),
      frozenReason: account.frozenReason,
    };
    this.#same({ userId, lastSeq, cash, marginUsed, total, frozenReason }, found, () => `account ${userId}`);
  }

  #auditOrderRow(order: Order): void {
    const found = this.accounts.get(order.userId)?.orders.get(order.orderID);
    this.#same(order, found, () => `order ${order.orderID}`);
  }

  /** A fill is booked as the exchange says it was. Rows that take back are checked with their events. */
  #auditTrade(trade: TradeRow): void {
    if (trade.execRefID !== '') return;
    const report = this.#exchange.execution(trade.execID);
    if (report === undefined) {
      this.#findings.add(Invariant.FillOnce, `${trade.execID} is booked, and the exchange knows nothing of it`);
      return;
    }
    const quantity = report.side === Side.Buy ? report.lastQty : -report.lastQty;
    const isSame =
      quantity === trade.quantity &&
      report.lastPxPaise === trade.pricePaise &&
      report.account === String(trade.userId) &&
      report.execType !== ExecType.TradeCancel;
    this.#findings.check(
      isSame,
      Invariant.FillOnce,
      () =>
        `${trade.execID} is ${quantity} at ${report.lastPxPaise}, booked are ${trade.quantity} at ${trade.pricePaise}`,
    );
  }

  #same(row: object | undefined, found: object | undefined, name: () => string): void {
    this.#findings.check(
      row !== undefined && found !== undefined && isSame(row, found),
      Invariant.ProjectionsEqualReplay,
      () => `${name()}: ${JSON.stringify(row)} in its table, ${JSON.stringify(found)} by its events`,
    );
  }
}

/** What an order must hold for by these terms, charges aside. */
function neededPaise({ product, cumQty }: Order, terms: OrderTerms, closing: number, percent: number): number {
  const leaves = Math.max(0, terms.quantity - cumQty);
  const units = product === Product.CNC ? leaves : Math.max(0, leaves - closing);
  return Math.ceil((units * terms.pricePaise * percent) / 100);
}

/** Same fields, same values, whatever their order. */
function isSame(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  let count = 0;
  for (const key in left) {
    if (!isSame(left[key as keyof typeof left], right[key as keyof typeof right])) return false;
    count++;
  }
  for (const _ in right) count--;
  return count === 0;
}
