import type { ExecutionReport } from '../fix/execution-report.ts';
import {
  CxlRejResponseTo,
  ExecType,
  MsgType,
  OrdStatus,
  OrdType,
  TimeInForce,
} from '../fix/generated/fix-enums.gen.ts';
import type { OrderCancelReject } from '../fix/order-messages.ts';
import { type Account, newAccount } from '../ledger/account.ts';
import { applyOrderEvent } from '../ledger/apply-order-event.ts';
import { EventType, type LedgerEvent } from '../ledger/ledger-event.ts';
import { isStop, isTerminal, type Order, OrderStatus, OrderType, Validity } from '../ledger/order.ts';
import { accountOf, sideOf } from '../orders/venue-terms.ts';
import { cxlRejReasonOf, ordRejReasonOf, refusalText } from './client-refusals.ts';

/** What a client, or a drop copy of his orders, is told. */
export type ClientReport =
  | { readonly msgType: typeof MsgType.ExecutionReport; readonly report: ExecutionReport }
  | { readonly msgType: typeof MsgType.OrderCancelReject; readonly reject: OrderCancelReject };

/** An order as its reports have told of it so far. */
interface ReportedOrder {
  readonly order: Order;
  /** ClOrdID(11) of the terms in force. */
  clOrdID: string;
  /** Unanswered changes, by version. */
  readonly changes: Map<number, { readonly clOrdID: string; readonly isCancel: boolean }>;
  /** Our ExecID(17) by the venue's, for what undoes an execution. */
  readonly execIDs: Map<string, string>;
}

/** ExecID(17) of the report of an event: unique for ever, and it says how far the reports of a user have come. */
export function execIDOf(userId: number, seq: number): string {
  return `${userId}-${seq}`;
}

export function parseExecID(execID: string): { readonly userId: number; readonly seq: number } | undefined {
  const match = /^(\d{1,16})-(\d{1,16})$/.exec(execID);
  return match === null ? undefined : { userId: Number(match[1]), seq: Number(match[2]) };
}

const TYPES: Readonly<Record<OrderType, OrdType>> = {
  [OrderType.Market]: OrdType.Market,
  [OrderType.Limit]: OrdType.Limit,
  [OrderType.StopLimit]: OrdType.StopLimit,
  [OrderType.StopMarket]: OrdType.Stop,
};
const STATUSES: Readonly<Record<OrderStatus, OrdStatus>> = {
  [OrderStatus.Pending]: OrdStatus.PendingNew,
  [OrderStatus.TriggerPending]: OrdStatus.PendingNew,
  [OrderStatus.Open]: OrdStatus.New,
  [OrderStatus.PartiallyFilled]: OrdStatus.PartiallyFilled,
  [OrderStatus.Filled]: OrdStatus.Filled,
  [OrderStatus.Canceled]: OrdStatus.Canceled,
  [OrderStatus.Rejected]: OrdStatus.Rejected,
  [OrderStatus.Expired]: OrdStatus.Expired,
};

/**
 * Makes of one account's events, in their order, the reports that FIX has for them. It keeps the orders as they were at the last event, by the very function that the ledger does,
 * so that a report that is made late says what it would have said at the time.
 */
export class ClientReports {
  readonly #account: Account;
  readonly #symbolOf: (instrumentId: number) => string;
  readonly #orders = new Map<number, ReportedOrder>();
  /** OrderID by every ClOrdID(11) that its client ever gave for it. */
  readonly #byClOrdID = new Map<string, number>();

  constructor(userId: number, symbolOf: (instrumentId: number) => string) {
    this.#account = newAccount(userId);
    this.#symbolOf = symbolOf;
  }

  find(clOrdID: string): Order | undefined {
    return this.#account.orders.get(this.#byClOrdID.get(clOrdID) ?? 0);
  }

  /** The report of an event; null when there is nothing to tell, or it is about an order of before the first event here. */
  take(event: LedgerEvent): ClientReport | null {
    const { detail, orderID } = event;
    if (detail.type !== EventType.OrderPlaced && !this.#orders.has(orderID)) return null;
    const order = applyOrderEvent(this.#account, event)!;
    if (detail.type === EventType.OrderPlaced) {
      const clOrdID = detail.clientOrderID === '' ? String(orderID) : detail.clientOrderID;
      this.#orders.set(orderID, { order, clOrdID, changes: new Map(), execIDs: new Map() });
      this.#byClOrdID.set(clOrdID, orderID);
    }
    return this.#reportOf(this.#orders.get(orderID)!, event);
  }

  /** The answer to a question after an order: as it is. */
  status(clOrdID: string, ordStatusReqID: string, execID: string, tsMicros: number): ExecutionReport | null {
    const reported = this.#orders.get(this.#byClOrdID.get(clOrdID) ?? 0);
    if (reported === undefined) return null;
    return { ...this.#report(reported, ExecType.OrderStatus, execID, tsMicros), ordStatusReqID };
  }

  /** Orders that ended before this are no longer kept. */
  forgetDoneBefore(micros: number): void {
    for (const [orderID, { order }] of this.#orders) {
      if (!isTerminal(order.status) || order.updatedMicros >= micros) continue;
      this.#orders.delete(orderID);
      this.#account.orders.delete(orderID);
      this.#account.clientOrders.delete(order.clientOrderID);
    }
    for (const [clOrdID, orderID] of this.#byClOrdID) if (!this.#orders.has(orderID)) this.#byClOrdID.delete(clOrdID);
  }

  #reportOf(reported: ReportedOrder, event: LedgerEvent): ClientReport | null {
    const { userId, seq, tsMicros, detail } = event;
    const execID = execIDOf(userId, seq);
    const { order, clOrdID } = reported;
    const tell = (execType: ExecType, fields: Partial<ExecutionReport> = {}): ClientReport => {
      const report = { ...this.#report(reported, execType, execID, tsMicros), ...fields };
      return { msgType: MsgType.ExecutionReport, report };
    };
    switch (detail.type) {
      case EventType.OrderPlaced:
        return tell(ExecType.PendingNew);
      case EventType.OrderAccepted:
        return tell(ExecType.New);
      case EventType.ModifyRequested:
      case EventType.CancelRequested: {
        const asked = detail.clientOrderID ?? `${order.orderID}-${detail.version}`;
        const isCancel = detail.type === EventType.CancelRequested;
        reported.changes.set(detail.version, { clOrdID: asked, isCancel });
        this.#byClOrdID.set(asked, order.orderID);
        const execType = isCancel ? ExecType.PendingCancel : ExecType.PendingReplace;
        return tell(execType, { clOrdID: asked, origClOrdID: clOrdID });
      }
      case EventType.OrderModified: {
        const asked = reported.changes.get(detail.version)?.clOrdID ?? detail.clientOrderID;
        reported.changes.delete(detail.version);
        if (asked !== undefined) this.#rename(reported, asked);
        return tell(ExecType.Replace, { origClOrdID: clOrdID });
      }
      case EventType.ChangeRejected:
        return this.#changeRejected(reported, detail.version, detail.code, detail.text, tsMicros);
      case EventType.OrderFilled:
        reported.execIDs.set(detail.execID, execID);
        return tell(ExecType.Trade, { lastQty: detail.lastQty, lastPxPaise: detail.lastPxPaise });
      case EventType.TradeBusted:
      case EventType.TradeCorrected: {
        const execRefID = reported.execIDs.get(detail.execRefID) ?? '';
        reported.execIDs.set(detail.execID, execID);
        const isBust = detail.type === EventType.TradeBusted;
        const { lastQty, lastPxPaise } = isBust ? detail.undone : detail;
        return tell(isBust ? ExecType.TradeCancel : ExecType.TradeCorrect, { execRefID, lastQty, lastPxPaise });
      }
      case EventType.OrderCanceled:
      case EventType.OrderRejected:
      case EventType.OrderExpired:
        return tell(ENDS[detail.type], this.#end(reported, detail));
      default:
        // A stop order that was triggered: the venue's word on it follows. FIX has no word for what is held.
        return null;
    }
  }

  #rename(reported: ReportedOrder, clOrdID: string): void {
    reported.clOrdID = clOrdID;
    this.#byClOrdID.set(clOrdID, reported.order.orderID);
  }

  /** A cancel that was asked for is what the end answers; that of an order which waits here has no other answer. */
  #end(
    reported: ReportedOrder,
    { type, code, text, clientOrderID }: Extract<LedgerEvent['detail'], { readonly type: keyof typeof ENDS }>,
  ): Partial<ExecutionReport> {
    const words = { text: refusalText(code, text) };
    if (type === EventType.OrderRejected) return { ...words, ordRejReason: ordRejReasonOf(code) };
    const asked = [...reported.changes.values()].findLast(({ isCancel }) => isCancel)?.clOrdID ?? clientOrderID;
    if (type !== EventType.OrderCanceled || asked === undefined) return words;
    this.#byClOrdID.set(asked, reported.order.orderID);
    return { ...words, clOrdID: asked, origClOrdID: reported.clOrdID };
  }

  #changeRejected(
    reported: ReportedOrder,
    version: number,
    code: number,
    text: string,
    tsMicros: number,
  ): ClientReport {
    const { order, clOrdID: origClOrdID } = reported;
    const asked = reported.changes.get(version);
    reported.changes.delete(version);
    const isCancel = asked === undefined || asked.isCancel;
    const reject = {
      orderID: String(order.orderID),
      clOrdID: asked?.clOrdID ?? `${order.orderID}-${version}`,
      origClOrdID,
      ordStatus: ordStatusOf(order),
      cxlRejResponseTo: isCancel ? CxlRejResponseTo.OrderCancelRequest : CxlRejResponseTo.OrderCancelReplaceRequest,
      cxlRejReason: cxlRejReasonOf(code),
      transactTimeMicros: tsMicros,
      text: refusalText(code, text),
    };
    return { msgType: MsgType.OrderCancelReject, reject };
  }

  #report({ order, clOrdID }: ReportedOrder, execType: ExecType, execID: string, tsMicros: number): ExecutionReport {
    const { orderID, userId, instrumentId, side, validity, terms, cumQty, cumValuePaise, status } = order;
    return {
      orderID: String(orderID),
      clOrdID,
      origClOrdID: '',
      execID,
      execRefID: '',
      execType,
      ordStatus: ordStatusOf(order),
      ordRejReason: null,
      account: accountOf(userId),
      symbol: this.#symbolOf(instrumentId),
      side: sideOf(side),
      orderQty: terms.quantity,
      ordType: TYPES[terms.ordType],
      pricePaise: terms.pricePaise,
      ...(isStop(terms.ordType) ? { stopPxPaise: terms.triggerPricePaise } : {}),
      timeInForce: validity === Validity.IOC ? TimeInForce.ImmediateOrCancel : TimeInForce.Day,
      lastQty: 0,
      lastPxPaise: 0,
      leavesQty: isTerminal(status) ? 0 : Math.max(0, terms.quantity - cumQty),
      cumQty,
      avgPxPaise: cumQty === 0 ? 0 : Math.round(cumValuePaise / cumQty),
      transactTimeMicros: tsMicros,
      text: '',
      ordStatusReqID: '',
      massStatusReqID: '',
      totNumReports: 0,
      lastRptRequested: false,
    };
  }
}

const ENDS = {
  [EventType.OrderCanceled]: ExecType.Canceled,
  [EventType.OrderRejected]: ExecType.Rejected,
  [EventType.OrderExpired]: ExecType.Expired,
};

function ordStatusOf({ status, pendingChanges }: Order): OrdStatus {
  const last = pendingChanges.at(-1);
  if (isTerminal(status) || last === undefined) return STATUSES[status];
  return last.terms === null ? OrdStatus.PendingCancel : OrdStatus.PendingReplace;
}
