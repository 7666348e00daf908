import type { ExecutionReport } from '../fix/execution-report.ts';
import { ExecType } from '../fix/generated/fix-enums.gen.ts';
import type { Account } from '../ledger/account.ts';
import { type Execution, orderFilled, tradeBusted, tradeCorrected } from '../ledger/execution-events.ts';
import { EventType, type LedgerEvent } from '../ledger/ledger-event.ts';
import { isTerminal, type Order } from '../ledger/order.ts';
import { canApply } from '../ledger/order-transitions.ts';
import { indianDate, lastOpenMicros, type MarketHours } from '../market/calendar.ts';
import type { Decision } from './decision.ts';
import type { OrderBooks } from './order-books.ts';
import { AlarmKind } from './order-effects.ts';

/** The venue whose executions come in, and by which hours its trading days go. */
export interface Venue {
  readonly name: string;
  readonly marketHours: MarketHours;
}

/** Executions, and what undoes them: facts that are posted whatever the account has, each exactly once. */
export class ExecutionDecisions {
  /** Reports that had been applied before. */
  repeatCount = 0;
  readonly #books: OrderBooks;
  readonly #venue: Venue;

  constructor(books: OrderBooks, venue: Venue) {
    this.#books = books;
    this.#venue = venue;
  }

  /** ExecType Trade, TradeCancel or TradeCorrect of an order of ours. */
  decide(decision: Decision, account: Account, order: Order, report: ExecutionReport, nowMicros: number): void {
    const { execID, lastQty, lastPxPaise } = report;
    // A report that comes again has the same time, and so the same day.
    const tradedMicros = report.transactTimeMicros || nowMicros;
    const tradingDay = indianDate(lastOpenMicros(tradedMicros, this.#venue.marketHours));
    if (this.#books.trades.has(order.orderID, this.#venue.name, tradingDay, execID)) {
      this.repeatCount++;
      return;
    }
    const execution = { execID, venue: this.#venue.name, tradingDay, lastQty, lastPxPaise };
    if (report.execType === ExecType.Trade) this.#fill(decision, account, order, execution, nowMicros);
    else this.#undo(decision, account, order, execution, report, nowMicros);
    if (account.availablePaise < 0) {
      const text = `${account.availablePaise} paise are free after execution ${execID}`;
      decision.alarm(AlarmKind.AccountShort, account.userId, order.orderID, text);
    }
  }

  #fill(decision: Decision, account: Account, order: Order, execution: Execution, nowMicros: number): void {
    const { userId } = account;
    const { orderID } = order;
    const { execID, lastQty, lastPxPaise } = execution;
    if (lastQty <= 0 || lastPxPaise <= 0 || !canApply(order.status, EventType.OrderFilled)) {
      const text = `execution ${execID} of ${lastQty} at ${lastPxPaise} paise for an order in status ${order.status}`;
      decision.alarm(AlarmKind.VenueDiffers, userId, orderID, text);
      return;
    }
    if (isTerminal(order.status))
      decision.alarm(
        AlarmKind.LateFill,
        userId,
        orderID,
        `execution ${execID} of ${lastQty} after the order had ended`,
      );
    const { quantity } = order.terms;
    if (order.cumQty + lastQty > quantity)
      decision.alarm(AlarmKind.Overfill, userId, orderID, `${order.cumQty + lastQty} executed of ${quantity}`);
    this.#books.apply(decision, account, orderFilled(this.#books.rulesOf(order), account, order, execution, nowMicros));
  }

  #undo(
    decision: Decision,
    account: Account,
    order: Order,
    execution: Execution,
    report: ExecutionReport,
    nowMicros: number,
  ): void {
    const { execRefID, execType } = report;
    const standing = this.#books.trades.find(order.orderID, this.#venue.name, execRefID);
    const isBust = execType === ExecType.TradeCancel;
    const isUsable = isBust || (execution.lastQty > 0 && execution.lastPxPaise > 0);
    if (standing === undefined || !isUsable) {
      const text = `${isBust ? 'bust' : 'correction'} ${execution.execID} of execution ${execRefID}, which is not there`;
      decision.alarm(AlarmKind.UnknownTrade, account.userId, order.orderID, text);
      return;
    }
    const rules = this.#books.rulesOf(order);
    const { lastQty, lastPxPaise } = standing;
    const event: LedgerEvent = isBust
      ? tradeBusted(rules, account, order, { ...execution, lastQty, lastPxPaise }, standing, nowMicros)
      : tradeCorrected(rules, account, order, execution, standing, nowMicros);
    this.#books.apply(decision, account, event);
  }
}
