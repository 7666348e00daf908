import type { DayGate } from '../day-roll/day-gate.ts';
import { VenueRefusal } from '../fix/venue-refusals.ts';
import type { Account } from '../ledger/account.ts';
import { chargesPaise } from '../ledger/charges.ts';
import type { Order, OrderTerms } from '../ledger/order.ts';
import { orderPlaced } from '../ledger/order-events.ts';
import { indianDate, lastOpenMicros, type MarketHours } from '../market/calendar.ts';
import { RefusalCode } from '../refusal-codes.ts';
import { OrderCheck } from '../risk/check-order.ts';
import { OrderActivity } from '../risk/order-activity.ts';
import type { RiskTerms } from '../risk/risk-settings.ts';
import type { Decision } from './decision.ts';
import { type MarketView, marketStateOf } from './market-view.ts';
import type { OrderBooks } from './order-books.ts';
import type { CommandReply, PlaceOrder } from './order-command.ts';
import type { OrderIds } from './order-ids.ts';
import {
  type InstrumentFacts,
  isStop,
  kindRefusal,
  marketRefusal,
  type Refusal,
  termsRefusal,
} from './order-validation.ts';
import type { SessionDecisions } from './session-decisions.ts';
import { newOrderSingle, triggeredType } from './venue-terms.ts';

/** New orders: validation, pre-trade risk, the hold and the order itself, or the refusal and nothing. */
export class PlaceDecisions {
  readonly #books: OrderBooks;
  readonly #sessions: SessionDecisions;
  readonly #market: MarketView;
  readonly #marketHours: MarketHours;
  readonly #ids: OrderIds;
  readonly #days: DayGate;
  readonly #check = new OrderCheck();
  readonly #activities = new Map<number, OrderActivity>();

  constructor(
    books: OrderBooks,
    sessions: SessionDecisions,
    market: MarketView,
    marketHours: MarketHours,
    ids: OrderIds,
    days: DayGate,
  ) {
    this.#books = books;
    this.#sessions = sessions;
    this.#market = market;
    this.#marketHours = marketHours;
    this.#ids = ids;
    this.#days = days;
  }

  /**
   * `again`: the order was allowed before and that was undone, not by its own fault. It counts in the rates already, so they are not asked again. `isKnown`: the database has an order of its
   * client order id, which is in memory as well if it could be found.
   */
  decide(
    decision: Decision,
    command: PlaceOrder,
    nowMicros: number,
    again: boolean,
    isKnown: boolean = false,
  ): CommandReply {
    const account = this.#books.accounts.find(command.userId);
    if (account === undefined) return refused({ code: RefusalCode.UnknownAccount, text: 'no such account' });
    const facts = this.#books.instruments.bySymbol(command.symbol);
    const known = account.clientOrders.get(command.clientOrderID);
    if (known !== undefined && !command.dryRun)
      return repeated(account.orders.get(known)!, command, facts, account.seq);
    if (isKnown)
      return refused({ code: RefusalCode.LedgerRefused, text: 'the database has the client order id, and no order' });
    if (facts === undefined) return refused({ code: RefusalCode.UnknownSymbol, text: `no symbol ${command.symbol}` });
    const refusal = this.#refusal(account, command, facts, nowMicros);
    if (refusal !== null) return refused(refusal);
    const { side, product, validity, terms } = command;
    const order = { instrumentId: facts.instrumentId, side, product, validity, terms };
    const market = marketStateOf(this.#market, facts);
    const risk = this.#books.risk.terms(account.userId, facts.instrumentId);
    const activity = again ? new OrderActivity() : this.#activityOf(account.userId);
    const tradingDay = this.#tradingDay(nowMicros);
    if (command.dryRun) return this.#dryRun(account, order, market, risk, activity, nowMicros, tradingDay);
    const check = this.#check;
    const code = check.checkPlacement(account, order, market, risk, activity, nowMicros, tradingDay);
    if (code !== RefusalCode.None)
      return { kind: 'refused', code, text: check.failed?.check ?? '', check: check.failed };
    const { clientOrderID } = command;
    const { holdPaise, holdPricePaise, exposureQty } = check;
    const orderID = this.#ids.next(nowMicros);
    const { instrumentId } = facts;
    // Field by field: spreading one object into a larger one takes longer than the rest of the decision.
    const placed = {
      orderID,
      instrumentId,
      side,
      product,
      validity,
      terms,
      clientOrderID,
      holdPaise,
      holdPricePaise,
      exposureQty,
    };
    if (!again) this.#count(activity, placed, risk, nowMicros, tradingDay);
    this.#books.apply(decision, account, orderPlaced(account, placed, nowMicros));
    if (!isStop(terms.ordType)) {
      const body = newOrderSingle(account.orders.get(orderID)!, facts.symbol, nowMicros);
      decision.requests.push({ type: 'place', body, expires: true });
    }
    return { kind: 'placed', orderID, seq: account.seq, isRepeat: false };
  }

  /** After a start: what an account has placed today counts in its rates. */
  recall({ userId, orders }: Account, nowMicros: number): void {
    const activity = this.#activityOf(userId);
    const tradingDay = this.#tradingDay(nowMicros);
    const byTime = [...orders.values()].sort((a, b) => a.orderID - b.orderID);
    for (const order of byTime) {
      if (this.#tradingDay(order.placedMicros) !== tradingDay) continue;
      const risk = this.#books.risk.terms(userId, order.instrumentId);
      this.#count(activity, order, risk, order.placedMicros, tradingDay);
    }
  }

  #refusal(account: Account, command: PlaceOrder, facts: InstrumentFacts, nowMicros: number): Refusal | null {
    const lastPaise = this.#market.lastPaise(facts.instrumentIndex);
    const found =
      kindRefusal(command, facts) ??
      termsRefusal(command.side, command.terms, facts, lastPaise) ??
      marketRefusal(nowMicros, this.#marketHours);
    if (found !== null) return found;
    const dayText = this.#days.refusal(account, command.product, nowMicros);
    if (dayText !== '') return { code: RefusalCode.MarketClosed, text: dayText };
    if (!this.#sessions.isUp(command.userId))
      return { code: VenueRefusal.SessionDown, text: 'the session with the venue is down' };
    if (isStop(command.terms.ordType) && this.#books.triggers.isFull)
      return { code: VenueRefusal.TooManyOrders, text: 'as many stop orders wait as may' };
    return null;
  }

  #dryRun(...asked: Parameters<OrderCheck['dryRun']>): CommandReply {
    const { code, checks, marginPaise, charges } = this.#check.dryRun(...asked);
    return { kind: 'dry-run', code, checks, marginPaise, chargesPaise: chargesPaise(charges), charges: { ...charges } };
  }

  #count(
    activity: OrderActivity,
    order: Pick<Order, 'instrumentId' | 'side' | 'product' | 'validity' | 'terms' | 'holdPricePaise'>,
    { limits }: RiskTerms,
    nowMicros: number,
    tradingDay: string,
  ): void {
    const notionalPaise = order.terms.quantity * order.holdPricePaise;
    activity.placed(order, notionalPaise, nowMicros, tradingDay, limits.duplicateWindowMs * 1_000);
  }

  #activityOf(userId: number): OrderActivity {
    let activity = this.#activities.get(userId);
    if (activity === undefined) {
      activity = new OrderActivity();
      this.#activities.set(userId, activity);
    }
    return activity;
  }

  #tradingDay(nowMicros: number): string {
    return indianDate(lastOpenMicros(nowMicros, this.#marketHours));
  }
}

/** The same client order id again: the same order, or a mistake. Terms that were changed since are held against the order as it is. */
function repeated(order: Order, command: PlaceOrder, facts: InstrumentFacts | undefined, seq: number): CommandReply {
  const isSame =
    order.instrumentId === facts?.instrumentId &&
    order.side === command.side &&
    order.product === command.product &&
    order.validity === command.validity &&
    isSameTerms(order.terms, command.terms);
  if (isSame) return { kind: 'placed', orderID: order.orderID, seq, isRepeat: true };
  return refused({ code: RefusalCode.IdempotencyConflict, text: 'the client order id was used for another order' });
}

/** A stop order that has been triggered is what it was. */
function isSameTerms(a: OrderTerms, b: OrderTerms): boolean {
  return (
    a.quantity === b.quantity &&
    a.pricePaise === b.pricePaise &&
    a.triggerPricePaise === b.triggerPricePaise &&
    triggeredType(a.ordType) === triggeredType(b.ordType)
  );
}

function refused({ code, text }: Refusal): CommandReply {
  return { kind: 'refused', code, text, check: null };
}
