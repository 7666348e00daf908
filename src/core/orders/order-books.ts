import type { Account } from '../ledger/account.ts';
import { applyEvent } from '../ledger/apply-event.ts';
import { nextHoldRaised } from '../ledger/hold-cover.ts';
import type { LedgerEvent } from '../ledger/ledger-event.ts';
import type { MoneyRules } from '../ledger/money-rules.ts';
import { isTerminal, type Order, OrderStatus } from '../ledger/order.ts';
import { forgetEndedOrders, recallOrder } from '../ledger/order-memory.ts';
import type { RiskTerms } from '../risk/risk-settings.ts';
import { AccountBook } from './account-book.ts';
import type { Decision } from './decision.ts';
import type { InstrumentFacts } from './order-validation.ts';
import { TradeBook } from './trade-book.ts';
import { TriggerBook } from './trigger-book.ts';

/** The instruments as they are today. */
export interface InstrumentDirectory {
  bySymbol(symbol: string): InstrumentFacts | undefined;
  byId(instrumentId: number): InstrumentFacts | undefined;
}

/** Limits and rates in force today, for the orders of one user in one instrument: a `RiskSettings`. */
export interface RiskSource {
  terms(userId: number, instrumentId: number): RiskTerms;
}

/** An account as the database has it, and the executions of the orders in it as events, in their order: fills, busts, corrections. */
export interface LoadedAccount {
  readonly account: Account;
  readonly executions: readonly LedgerEvent[];
}

/** An ended order as the database has it, with its executions as in `LoadedAccount`. */
export interface LoadedOrder {
  readonly order: Order;
  readonly executions: readonly LedgerEvent[];
}

/** All that memory has of accounts and orders; every change of it is an event. */
export class OrderBooks {
  readonly accounts = new AccountBook();
  readonly trades = new TradeBook();
  readonly triggers: TriggerBook;
  readonly instruments: InstrumentDirectory;
  /** ClOrdID(11) of requests that were decided and may not leave yet: of them the venue cannot know. */
  readonly unsent = new Set<string>();
  risk: RiskSource;
  #liveOrderCount = 0;

  constructor(instruments: InstrumentDirectory, risk: RiskSource, stopOrdersMax: number) {
    this.instruments = instruments;
    this.risk = risk;
    this.triggers = new TriggerBook(stopOrdersMax);
  }

  /** Orders that are not done. Kept up, since those of a day are too many to be looked at often. */
  get liveOrderCount(): number {
    return this.#liveOrderCount;
  }

  /** What the money of an order is reckoned by. */
  rulesOf({ userId, instrumentId }: Pick<Order, 'userId' | 'instrumentId'>): MoneyRules {
    return this.risk.terms(userId, instrumentId).money;
  }

  /** Applies an event that was decided, and keeps it with its decision; with it, what makes the holds of other orders cover them again. */
  apply(decision: Decision, account: Account, event: LedgerEvent): void {
    this.#apply(decision, account, event);
    const order = account.orders.get(event.orderID);
    if (order === undefined) return;
    const { instrumentId, product } = order;
    const rules = this.rulesOf(order);
    for (;;) {
      const raised = nextHoldRaised(rules, account, instrumentId, product, event.tsMicros);
      if (raised === null) return;
      this.#apply(decision, account, raised);
    }
  }

  /** Puts an account in place of what memory had of it. */
  put({ account, executions }: LoadedAccount): void {
    this.drop(account.userId);
    this.accounts.put(account);
    for (const event of executions) this.trades.apply(event);
    for (const order of account.orders.values()) {
      this.#liveOrderCount += Number(isLive(order));
      this.#keepTrigger(order);
    }
  }

  /** Nothing is kept of the account. */
  drop(userId: number): void {
    const account = this.accounts.find(userId);
    if (account === undefined) return;
    for (const order of account.orders.values()) {
      this.#liveOrderCount -= Number(isLive(order));
      this.#forget(order.orderID);
    }
    this.accounts.remove(userId);
  }

  /** Takes in an order that was let go of, until orders are forgotten again. */
  recall({ order, executions }: LoadedOrder): void {
    const account = this.accounts.get(order.userId);
    recallOrder(account, order);
    this.accounts.placed(account, order.orderID);
    for (const event of executions) this.trades.apply(event);
  }

  /** Orders that ended before this are no longer kept: what comes about one recalls it (`OrderRecall`). */
  forgetDoneBefore(micros: number): void {
    for (const account of this.accounts.accounts()) {
      const orderIDs = [...account.orders.keys()];
      forgetEndedOrders(account, micros);
      for (const orderID of orderIDs) {
        if (account.orders.has(orderID)) continue;
        this.accounts.forgotten(orderID);
        this.#forget(orderID);
      }
    }
  }

  #apply(decision: Decision, account: Account, event: LedgerEvent): void {
    const wasLive = isLive(account.orders.get(event.orderID));
    applyEvent(account, event);
    decision.events.push(event);
    this.trades.apply(event);
    const order = account.orders.get(event.orderID);
    if (order === undefined) return;
    this.#liveOrderCount += Number(isLive(order)) - Number(wasLive);
    this.accounts.placed(account, order.orderID);
    this.#keepTrigger(order);
  }

  #keepTrigger(order: Order): void {
    const { orderID, instrumentId, side, status, terms } = order;
    const instrument = status === OrderStatus.TriggerPending ? this.instruments.byId(instrumentId) : undefined;
    if (instrument === undefined) {
      this.triggers.remove(orderID);
      return;
    }
    const { instrumentIndex } = instrument;
    this.triggers.add({ orderID, instrumentIndex, side, triggerPricePaise: terms.triggerPricePaise });
  }

  #forget(orderID: number): void {
    this.trades.forget(orderID);
    this.triggers.remove(orderID);
  }
}

function isLive(order: Order | undefined): boolean {
  return order !== undefined && !isTerminal(order.status);
}
