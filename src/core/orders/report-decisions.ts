import type { ExecutionReport } from '../fix/execution-report.ts';
import { ExecType, OrdStatus } from '../fix/generated/fix-enums.gen.ts';
import type { OrderCancelReject } from '../fix/order-messages.ts';
import { orderRejectedCode, VenueRefusal } from '../fix/venue-refusals.ts';
import { endsOrder } from '../fix/venue-reports.ts';
import type { Account } from '../ledger/account.ts';
import { accountFrozen } from '../ledger/cash-events.ts';
import { EventType } from '../ledger/ledger-event.ts';
import { isTerminal, type Order, parseClOrdID } from '../ledger/order.ts';
import {
  type ChangedTerms,
  changeRejected,
  type EndType,
  orderAccepted,
  orderEnded,
  orderModified,
} from '../ledger/order-events.ts';
import { canApply } from '../ledger/order-transitions.ts';
import { RefusalCode } from '../refusal-codes.ts';
import { heldAtPaise } from '../risk/risk-subject.ts';
import type { ChangeSettlement } from './change-settlement.ts';
import type { Decision } from './decision.ts';
import type { ExecutionDecisions } from './execution-decisions.ts';
import { type MarketView, marketStateOf } from './market-view.ts';
import type { OrderBooks } from './order-books.ts';
import { AlarmKind } from './order-effects.ts';

/** An order that a message of the venue is about, and which of its requests. */
export interface Subject {
  readonly account: Account;
  readonly order: Order;
  readonly version: number;
}

/**
 * What the venue says of orders. Nothing here is refused: it has happened. What comes again changes nothing, since each report says what state or version it
 * leads to; what does not fit to what we have raises an alarm and is never guessed away.
 */
export class ReportDecisions {
  readonly #books: OrderBooks;
  readonly #executions: ExecutionDecisions;
  readonly #market: MarketView;
  readonly #settlement: ChangeSettlement;

  constructor(books: OrderBooks, executions: ExecutionDecisions, settlement: ChangeSettlement, market: MarketView) {
    this.#books = books;
    this.#executions = executions;
    this.#settlement = settlement;
    this.#market = market;
  }

  decide(decision: Decision, report: ExecutionReport, nowMicros: number): void {
    const subject = this.subject(report.clOrdID) ?? this.subject(report.origClOrdID);
    if (subject === undefined) {
      // The answer that there is no such order: a question of ours, of this process or the one before, and nothing that happened.
      if (report.execType === ExecType.OrderStatus && report.ordStatus === OrdStatus.Rejected) return;
      const text = `ClOrdID ${report.clOrdID}, OrderID ${report.orderID}, ExecID ${report.execID}: ${report.text}`;
      decision.alarm(AlarmKind.UnknownOrder, 0, 0, text);
      return;
    }
    const { account, order } = subject;
    switch (report.execType) {
      case ExecType.New:
        this.#accepted(decision, subject, report, nowMicros);
        break;
      case ExecType.Trade:
      case ExecType.TradeCancel:
      case ExecType.TradeCorrect:
        this.#executions.decide(decision, account, order, report, nowMicros);
        this.#endedWith(decision, subject, report, nowMicros);
        break;
      case ExecType.Replace:
        this.#replaced(decision, subject, report, nowMicros);
        break;
      case ExecType.Canceled:
        this.#ended(decision, subject, EventType.OrderCanceled, RefusalCode.None, report, nowMicros);
        break;
      case ExecType.Expired:
      case ExecType.DoneForDay:
        this.#ended(decision, subject, EventType.OrderExpired, RefusalCode.None, report, nowMicros);
        break;
      case ExecType.Rejected:
        this.#ended(
          decision,
          subject,
          EventType.OrderRejected,
          orderRejectedCode(report.ordRejReason),
          report,
          nowMicros,
        );
        break;
      case ExecType.OrderStatus:
        this.#status(decision, subject, report, nowMicros);
        break;
      default:
      // Pending states and what else changes nothing of ours.
    }
  }

  /** OrderCancelReject. */
  changeRejected(decision: Decision, reject: OrderCancelReject, code: number, nowMicros: number): void {
    const subject = this.subject(reject.clOrdID);
    if (subject === undefined)
      decision.alarm(AlarmKind.UnknownOrder, 0, 0, `OrderCancelReject of ClOrdID ${reject.clOrdID}: ${reject.text}`);
    else this.rejectChange(decision, subject, code, reject.text, nowMicros);
  }

  /** A change came to nothing; one that is not waited for any more is passed over. */
  rejectChange(
    decision: Decision,
    { account, order, version }: Subject,
    code: number,
    text: string,
    nowMicros: number,
  ): void {
    const isPending = order.pendingChanges.some((pending) => pending.version === version);
    if (!isPending || !canApply(order.status, EventType.ChangeRejected)) return;
    const rules = this.#books.rulesOf(order);
    this.#books.apply(decision, account, changeRejected(rules, account, order, version, code, text, nowMicros));
  }

  /** Ends an order that has not ended. What was executed in part cannot be rejected any more: the rest of it is canceled. */
  end(
    decision: Decision,
    account: Account,
    order: Order,
    type: EndType,
    code: number,
    text: string,
    nowMicros: number,
  ): void {
    if (isTerminal(order.status)) return;
    const endType = canApply(order.status, type) ? type : EventType.OrderCanceled;
    this.#books.apply(decision, account, orderEnded(account, order, endType, code, text, nowMicros));
  }

  /** The order of ours that a ClOrdID(11) names. */
  subject(clOrdID: string): Subject | undefined {
    const parsed = parseClOrdID(clOrdID);
    if (parsed === undefined) return undefined;
    const { orderID, version } = parsed;
    const account = this.#books.accounts.ownerOf(orderID);
    const order = account?.orders.get(orderID);
    return account === undefined || order === undefined ? undefined : { account, order, version };
  }

  #accepted(decision: Decision, { account, order }: Subject, report: ExecutionReport, nowMicros: number): void {
    if (order.venueOrderID !== '' || !canApply(order.status, EventType.OrderAccepted)) return;
    this.#books.apply(decision, account, orderAccepted(account, order, report.orderID, nowMicros));
  }

  /** After a bust or a correction the venue's book can be empty before the order is executed whole: its last execution is then its end. */
  #endedWith(decision: Decision, subject: Subject, report: ExecutionReport, nowMicros: number): void {
    if (!endsOrder(report) || report.ordStatus === OrdStatus.Filled) return;
    const type = report.ordStatus === OrdStatus.Expired ? EventType.OrderExpired : EventType.OrderCanceled;
    this.#ended(decision, subject, type, RefusalCode.None, report, nowMicros);
  }

  #ended(
    decision: Decision,
    { account, order }: Subject,
    type: EndType,
    code: number,
    report: ExecutionReport,
    nowMicros: number,
  ): void {
    if (isTerminal(order.status)) return;
    if (report.cumQty !== order.cumQty) {
      this.#differs(decision, account, order, report, nowMicros);
      if (report.cumQty > order.cumQty) return;
    }
    this.end(decision, account, order, type, code, report.text, nowMicros);
  }

  #replaced(
    decision: Decision,
    { account, order, version }: Subject,
    report: ExecutionReport,
    nowMicros: number,
  ): void {
    if (version <= order.venueVersion) return;
    if (!canApply(order.status, EventType.OrderModified)) {
      decision.alarm(
        AlarmKind.VenueDiffers,
        account.userId,
        order.orderID,
        `replaced when it was in status ${order.status}`,
      );
      return;
    }
    const confirmed = this.#confirmedTerms(order, version, report);
    if (confirmed !== null) {
      const text = `replaced by ${report.orderQty} at ${report.pricePaise} paise, which was not asked for`;
      decision.alarm(AlarmKind.VenueDiffers, account.userId, order.orderID, text);
    }
    const rules = this.#books.rulesOf(order);
    this.#books.apply(decision, account, orderModified(rules, account, order, version, confirmed, nowMicros));
  }

  /** What the venue made of a replace when that is not what was asked; null when it is. */
  #confirmedTerms(order: Order, version: number, { orderQty, pricePaise }: ExecutionReport): ChangedTerms | null {
    const asked = order.pendingChanges.find((pending) => pending.version === version)?.terms ?? null;
    const base = asked ?? order.terms;
    const terms = {
      ...base,
      quantity: orderQty === 0 ? base.quantity : orderQty,
      pricePaise: pricePaise === 0 ? base.pricePaise : pricePaise,
    };
    if (asked !== null && terms.quantity === asked.quantity && terms.pricePaise === asked.pricePaise) return null;
    const facts = this.#books.instruments.byId(order.instrumentId);
    if (facts === undefined) return { terms, holdPricePaise: order.holdPricePaise };
    const { limits } = this.#books.risk.terms(order.userId, order.instrumentId);
    const holdPricePaise = heldAtPaise(order, terms, marketStateOf(this.#market, facts), limits);
    return { terms, holdPricePaise };
  }

  /** The answer to a question: what was missed is made up for where nothing has to be guessed. */
  #status(decision: Decision, subject: Subject, report: ExecutionReport, nowMicros: number): void {
    const { account, order } = subject;
    if (report.cumQty !== order.cumQty) {
      this.#differs(decision, account, order, report, nowMicros);
      if (report.cumQty > order.cumQty) return;
    }
    if (report.ordStatus === OrdStatus.Rejected) {
      // "Unknown order" has been told as a refusal; this is an order that the venue knows and rejected.
      this.#ended(
        decision,
        subject,
        EventType.OrderRejected,
        orderRejectedCode(report.ordRejReason),
        report,
        nowMicros,
      );
      return;
    }
    if (report.ordStatus !== OrdStatus.PendingNew) this.#accepted(decision, subject, report, nowMicros);
    if (subject.version > order.venueVersion && !isTerminal(order.status) && this.#isReplace(subject))
      this.#replaced(decision, subject, report, nowMicros);
    for (const clOrdID of this.#settlement.unknownBy(report, order.orderID)) {
      const change = this.subject(clOrdID)!;
      const text = 'the venue knows nothing of the change';
      this.rejectChange(decision, change, VenueRefusal.NotAtVenue, text, nowMicros);
    }
    if (!endsOrder(report) || report.ordStatus === OrdStatus.Filled) return;
    const type = report.ordStatus === OrdStatus.Canceled ? EventType.OrderCanceled : EventType.OrderExpired;
    this.#ended(decision, subject, type, RefusalCode.None, report, nowMicros);
  }

  /** A status may name a request to cancel, which is no version that the venue has. */
  #isReplace({ order, version }: Subject): boolean {
    return order.pendingChanges.some((pending) => pending.version === version && pending.terms !== null);
  }

  /** The venue has executed more or less than we have: everything that it sent before has come in, so somebody must look before the account goes on. */
  #differs(decision: Decision, account: Account, order: Order, report: ExecutionReport, nowMicros: number): void {
    const text = `the venue has ${report.cumQty} executed, we have ${order.cumQty}`;
    decision.alarm(AlarmKind.VenueDiffers, account.userId, order.orderID, text);
    if (account.frozenReason !== '') return;
    this.#books.apply(decision, account, accountFrozen(account, `order ${order.orderID}: ${text}`, nowMicros));
  }
}
