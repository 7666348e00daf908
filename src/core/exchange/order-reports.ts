import type { ExecutionReport } from '../fix/execution-report.ts';
import {
  type CxlRejResponseTo,
  ExecType,
  MsgType,
  OrdRejReason,
  OrdStatus,
  OrdType,
  Side,
  TimeInForce,
} from '../fix/generated/fix-enums.gen.ts';
import type { NewOrderSingle } from '../fix/order-messages.ts';
import type { OrderMassCancelReport } from '../fix/order-status-messages.ts';
import { NO_ORDER, type OrderPool } from './order-pool.ts';
import type { OutsideOrder } from './outside-orders.ts';
import { REJECT_RULES, RejectCode } from './reject-codes.ts';
import type { ReportMailboxes } from './report-mailboxes.ts';

/** What of an execution is not in its order. */
export interface Execution {
  readonly execType: ExecType;
  /** Of `newExecID`, or of when it was told before; a new one when left out. */
  readonly execID?: string;
  /** That of the book when left out. */
  readonly leavesQty?: number;
  readonly lastPxPaise?: number;
  readonly lastQty?: number;
  readonly text?: string;
  /** The ClOrdID(11) of the request that it answers, when that is not the order's own; the order's then goes to OrigClOrdID(41). */
  readonly requestClOrdID?: string;
  readonly origClOrdID?: string;
  /** The execution that this one undoes or corrects. */
  readonly execRefID?: string;
  readonly ordStatusReqID?: string;
  readonly massStatusReqID?: string;
  readonly totNumReports?: number;
  readonly lastRptRequested?: boolean;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Of an order that there is none of. */
const NO_ORDER_ID = 'NONE';
/** FIX asks for a Symbol(55) and a Side(54) where there is no order to name one. */
const NO_SYMBOL = '[N/A]';

const NOTHING: NewOrderSingle = {
  clOrdID: '',
  account: '',
  symbol: NO_SYMBOL,
  side: Side.Undisclosed,
  orderQty: 0,
  ordType: OrdType.Market,
  pricePaise: 0,
  timeInForce: TimeInForce.Day,
  transactTimeMicros: 0,
};

/** Makes the reports of outside orders and hands them to their CompID's mailbox. */
export class OrderReports {
  readonly #mailboxes: ReportMailboxes;
  readonly #pool: () => OrderPool;
  readonly #idPrefix: string;
  #execNumber = 0;

  /** `idPrefix` makes ExecID(17) differ from those of an earlier process: it is unique for a venue's trading day. */
  constructor(mailboxes: ReportMailboxes, pool: () => OrderPool, idPrefix: string) {
    this.#mailboxes = mailboxes;
    this.#pool = pool;
    this.#idPrefix = idPrefix;
  }

  newExecID(): string {
    return `${this.#idPrefix}-E${++this.#execNumber}`;
  }

  /** Reports an execution of an order and returns its ExecID(17). */
  execution(order: OutsideOrder, tsMicros: number, execution: Execution): string {
    const { terms, cumQty } = order;
    const { requestClOrdID } = execution;
    const execID = execution.execID ?? this.newExecID();
    const report = this.#report(terms, execution, execID, tsMicros);
    report.orderID = order.orderID;
    report.clOrdID = requestClOrdID ?? terms.clOrdID;
    report.origClOrdID = requestClOrdID === undefined ? (execution.origClOrdID ?? '') : terms.clOrdID;
    report.ordStatus = order.ordStatus;
    report.leavesQty = execution.leavesQty ?? (order.row === NO_ORDER ? 0 : this.#pool().leavesQty[order.row]!);
    report.cumQty = cumQty;
    report.avgPxPaise = cumQty === 0 ? 0 : Math.round(order.turnoverPaise / cumQty);
    this.#deliver(order.compID, report);
    return execID;
  }

  /** A new order that is refused. */
  refuseNew(compID: string, terms: NewOrderSingle, code: RejectCode): void {
    const { ordRejReason, text } = REJECT_RULES[code];
    const execution = { execType: ExecType.Rejected, text };
    const report = this.#report(terms, execution, this.newExecID(), this.#mailboxes.nowMs * 1000);
    report.ordRejReason = ordRejReason;
    this.#deliver(compID, report);
  }

  /** The answer to a question about an order or orders that there are none of; `known` is what the question named. */
  refuseStatus(compID: string, known: Partial<NewOrderSingle>, execution: Omit<Execution, 'execType'>): void {
    const terms = { ...NOTHING, ...known };
    const answer = { text: REJECT_RULES[RejectCode.UnknownOrder].text, ...execution, execType: ExecType.OrderStatus };
    const report = this.#report(terms, answer, this.newExecID(), this.#mailboxes.nowMs * 1000);
    report.ordRejReason = OrdRejReason.UnknownOrder;
    this.#deliver(compID, report);
  }

  /** A cancel or replace that is refused. */
  refuseChange(
    compID: string,
    order: OutsideOrder | undefined,
    clOrdID: string,
    origClOrdID: string,
    cxlRejResponseTo: CxlRejResponseTo,
    code: RejectCode,
  ): void {
    const { cxlRejReason, text } = REJECT_RULES[code];
    const reject = {
      orderID: order?.orderID ?? NO_ORDER_ID,
      clOrdID,
      origClOrdID,
      ordStatus: order?.ordStatus ?? OrdStatus.Rejected,
      cxlRejResponseTo,
      cxlRejReason,
      transactTimeMicros: this.#mailboxes.nowMs * 1000,
      text,
    };
    this.#mailboxes.deliver(compID, { msgType: MsgType.OrderCancelReject, reject });
  }

  massCancel(compID: string, report: Omit<OrderMassCancelReport, 'transactTimeMicros'>): void {
    const massCancel = { ...report, transactTimeMicros: this.#mailboxes.nowMs * 1000 };
    this.#mailboxes.deliver(compID, { msgType: MsgType.OrderMassCancelReport, massCancel });
  }

  /** As of no order: who has one fills in the rest. Field by field, since spreading objects here was a fifth of the exchange's work for an order. */
  #report(terms: NewOrderSingle, execution: Execution, execID: string, tsMicros: number): Mutable<ExecutionReport> {
    return {
      account: terms.account,
      symbol: terms.symbol,
      side: terms.side,
      orderQty: terms.orderQty,
      ordType: terms.ordType,
      pricePaise: terms.pricePaise,
      timeInForce: terms.timeInForce,
      clOrdID: terms.clOrdID,
      orderID: NO_ORDER_ID,
      origClOrdID: '',
      execID,
      execType: execution.execType,
      ordStatus: OrdStatus.Rejected,
      ordRejReason: null,
      leavesQty: 0,
      cumQty: 0,
      avgPxPaise: 0,
      lastQty: execution.lastQty ?? 0,
      lastPxPaise: execution.lastPxPaise ?? 0,
      execRefID: execution.execRefID ?? '',
      ordStatusReqID: execution.ordStatusReqID ?? '',
      massStatusReqID: execution.massStatusReqID ?? '',
      totNumReports: execution.totNumReports ?? 0,
      lastRptRequested: execution.lastRptRequested ?? false,
      transactTimeMicros: tsMicros,
      text: execution.text ?? '',
    };
  }

  #deliver(compID: string, report: ExecutionReport): void {
    this.#mailboxes.deliver(compID, { msgType: MsgType.ExecutionReport, report });
  }
}
