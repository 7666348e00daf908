import { VenueRefusal } from '../fix/venue-refusals.ts';
import { EventType } from '../ledger/ledger-event.ts';
import { isTerminal, type Order, OrderStatus, type OrderTerms, Validity } from '../ledger/order.ts';
import {
  cancelRequested,
  modifyRequested,
  orderEnded,
  orderTriggered,
  stopOrderModified,
} from '../ledger/order-events.ts';
import type { MarketHours } from '../market/calendar.ts';
import { RefusalCode } from '../refusal-codes.ts';
import { OrderCheck } from '../risk/check-order.ts';
import type { Decision } from './decision.ts';
import { type MarketView, marketStateOf } from './market-view.ts';
import type { OrderBooks } from './order-books.ts';
import type { CancelAll, CancelOrder, CommandReply, ModifyOrder } from './order-command.ts';
import { type InstrumentFacts, isStop, marketRefusal, type Refusal, termsRefusal } from './order-validation.ts';
import type { SessionDecisions } from './session-decisions.ts';
import { isReached } from './trigger-book.ts';
import { accountOf, cancelReplaceRequest, cancelRequest, newOrderSingle, triggeredType } from './venue-terms.ts';

/** Replaces of one order that may be unanswered at a time. */
const CHANGES_PENDING_MAX = 8;

/** Changes of orders that are there: modify, cancel, and the trigger of a stop order. */
export class ChangeDecisions {
  readonly #books: OrderBooks;
  readonly #sessions: SessionDecisions;
  readonly #market: MarketView;
  readonly #marketHours: MarketHours;
  readonly #check = new OrderCheck();

  constructor(books: OrderBooks, sessions: SessionDecisions, market: MarketView, marketHours: MarketHours) {
    this.#books = books;
    this.#sessions = sessions;
    this.#market = market;
    this.#marketHours = marketHours;
  }

  modify(decision: Decision, { userId, orderID, terms, clientOrderID }: ModifyOrder, nowMicros: number): CommandReply {
    const account = this.#books.accounts.find(userId);
    const order = account?.orders.get(orderID);
    const facts = order === undefined ? undefined : this.#books.instruments.byId(order.instrumentId);
    if (account === undefined || order === undefined || facts === undefined) return refused(UNKNOWN_ORDER);
    const refusal = this.#modifyRefusal(order, terms, facts, nowMicros);
    if (refusal !== null) return refused(refusal);
    const risk = this.#books.risk.terms(userId, order.instrumentId);
    const market = marketStateOf(this.#market, facts);
    const check = this.#check;
    const code = check.checkChange(account, order, terms, market, risk);
    if (code !== RefusalCode.None)
      return { kind: 'refused', code, text: check.failed?.check ?? '', check: check.failed };
    const change = { terms, holdPricePaise: check.holdPricePaise };
    if (order.status === OrderStatus.TriggerPending) {
      this.#books.apply(
        decision,
        account,
        stopOrderModified(risk.money, account, order, change, nowMicros, clientOrderID),
      );
      return { kind: 'done', orderID, seq: account.seq, isRepeat: false };
    }
    const event = modifyRequested(risk.money, account, order, change, nowMicros, clientOrderID);
    this.#books.apply(decision, account, event);
    const body = cancelReplaceRequest(order, order.version, terms, facts.symbol, nowMicros);
    decision.requests.push({ type: 'replace', body, expires: true });
    return { kind: 'change-requested', orderID, seq: account.seq };
  }

  cancel(decision: Decision, { userId, orderID, clientOrderID }: CancelOrder, nowMicros: number): CommandReply {
    const account = this.#books.accounts.find(userId);
    const order = account?.orders.get(orderID);
    const facts = order === undefined ? undefined : this.#books.instruments.byId(order.instrumentId);
    if (account === undefined || order === undefined || facts === undefined) return refused(UNKNOWN_ORDER);
    if (isTerminal(order.status)) return refused(ORDER_DONE);
    if (isBeingCanceled(order)) return refused(CHANGE_PENDING);
    if (order.status === OrderStatus.TriggerPending) {
      const event = orderEnded(account, order, EventType.OrderCanceled, RefusalCode.None, '', nowMicros, clientOrderID);
      this.#books.apply(decision, account, event);
      return { kind: 'done', orderID, seq: account.seq, isRepeat: false };
    }
    if (!this.#sessions.isUp(userId)) return refused(SESSION_DOWN);
    this.#books.apply(decision, account, cancelRequested(account, order, nowMicros, clientOrderID));
    const body = cancelRequest(order, order.version, facts.symbol, nowMicros);
    decision.requests.push({ type: 'cancel', body, account: accountOf(userId) });
    return { kind: 'change-requested', orderID, seq: account.seq };
  }

  /** Every open order of the user, or those in one instrument, one by one. Refused only when none could be canceled and one had to be. */
  cancelAll(decision: Decision, { userId, symbol, origin, clientOrderID }: CancelAll, nowMicros: number): CommandReply {
    const account = this.#books.accounts.find(userId);
    if (account === undefined) return refused({ code: RefusalCode.UnknownAccount, text: 'no such account' });
    const facts = symbol === '' ? undefined : this.#books.instruments.bySymbol(symbol);
    if (symbol !== '' && facts === undefined)
      return refused({ code: RefusalCode.UnknownSymbol, text: `no symbol ${symbol}` });
    const counts = { requested: 0, canceled: 0, left: 0 };
    const given = clientOrderID === undefined ? {} : { clientOrderID };
    let refusal: CommandReply | null = null;
    for (const { orderID, instrumentId, status, pendingChanges } of [...account.orders.values()]) {
      if (isTerminal(status) || (facts !== undefined && facts.instrumentId !== instrumentId)) continue;
      const reply = this.cancel(decision, { type: 'cancel', origin, userId, orderID, ...given }, nowMicros);
      // One whose cancel is on its way already is asked for.
      if (reply.kind === 'change-requested' || isBeingCanceled({ pendingChanges })) counts.requested++;
      else if (reply.kind === 'done') counts.canceled++;
      else {
        counts.left++;
        refusal = reply;
      }
    }
    if (refusal !== null && counts.requested + counts.canceled === 0) return refusal;
    return { kind: 'cancels-requested', ...counts, seq: account.seq };
  }

  /**
   * A trade at `lastPaise` reached the trigger price of a stop order. One that waits no longer is passed over, and so is one whose trigger is another by now: it was changed meanwhile, or the
   * change by which it was reached never became durable. That one is in the book again, and waits.
   */
  trigger(decision: Decision, orderID: number, lastPaise: number, nowMicros: number): void {
    const account = this.#books.accounts.ownerOf(orderID);
    const order = account?.orders.get(orderID);
    if (account === undefined || order === undefined || order.status !== OrderStatus.TriggerPending) return;
    if (!isReached(order.side, order.terms.triggerPricePaise, lastPaise)) return;
    const facts = this.#books.instruments.byId(order.instrumentId);
    if (facts === undefined) return;
    const ordType = triggeredType(order.terms.ordType);
    this.#books.apply(decision, account, orderTriggered(account, order, ordType, nowMicros));
    decision.requests.push({ type: 'place', body: newOrderSingle(order, facts.symbol, nowMicros), expires: false });
  }

  #modifyRefusal(order: Order, terms: OrderTerms, facts: InstrumentFacts, nowMicros: number): Refusal | null {
    if (isTerminal(order.status)) return ORDER_DONE;
    if (isBeingCanceled(order) || order.pendingChanges.length >= CHANGES_PENDING_MAX) return CHANGE_PENDING;
    const waitsHere = order.status === OrderStatus.TriggerPending;
    if (!waitsHere && order.validity === Validity.IOC)
      return { code: RefusalCode.ValidityNotAllowed, text: 'an immediate order does not rest' };
    if (isStop(terms.ordType) !== waitsHere) {
      const text = waitsHere ? 'a stop order stays one' : 'the order is at the venue';
      return { code: RefusalCode.BadTrigger, text };
    }
    const found =
      termsRefusal(order.side, terms, facts, this.#market.lastPaise(facts.instrumentIndex)) ??
      marketRefusal(nowMicros, this.#marketHours);
    if (found !== null) return found;
    if (terms.quantity <= order.cumQty)
      return { code: RefusalCode.BelowExecuted, text: `${order.cumQty} are executed` };
    if (isSame(terms, lastAsked(order))) return { code: RefusalCode.NothingChanged, text: 'nothing would change' };
    return waitsHere || this.#sessions.isUp(order.userId) ? null : SESSION_DOWN;
  }
}

const UNKNOWN_ORDER: Refusal = { code: RefusalCode.UnknownOrder, text: 'no such order' };
const ORDER_DONE: Refusal = { code: RefusalCode.OrderDone, text: 'the order has ended' };
const CHANGE_PENDING: Refusal = { code: RefusalCode.ChangePending, text: 'a change of the order is unanswered' };
const SESSION_DOWN: Refusal = { code: VenueRefusal.SessionDown, text: 'the session with the venue is down' };

function isBeingCanceled({ pendingChanges }: Pick<Order, 'pendingChanges'>): boolean {
  return pendingChanges.some(({ terms }) => terms === null);
}

/** The terms that the venue was asked for last, or has. */
function lastAsked({ pendingChanges, terms }: Order): OrderTerms {
  return pendingChanges.at(-1)?.terms ?? terms;
}

function isSame(a: OrderTerms, b: OrderTerms): boolean {
  return (
    a.quantity === b.quantity &&
    a.ordType === b.ordType &&
    a.pricePaise === b.pricePaise &&
    // Of an order that has been triggered it means nothing any more.
    (a.triggerPricePaise === b.triggerPricePaise || !isStop(a.ordType))
  );
}

function refused({ code, text }: Refusal): CommandReply {
  return { kind: 'refused', code, text, check: null };
}
