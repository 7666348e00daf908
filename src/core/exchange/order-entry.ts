import type { FieldProblem } from '../fix/field-reader.ts';
import type { FixMessage } from '../fix/fix-message.ts';
import type { FixSession } from '../fix/fix-session.ts';
import {
  BusinessRejectReason,
  CxlRejResponseTo,
  ExecType,
  Side as FixSide,
  TimeInForce as FixTimeInForce,
  MsgType,
  OrdStatus,
  OrdType,
} from '../fix/generated/fix-enums.gen.ts';
import {
  type ExecutionReport,
  type NewOrderSingle,
  type OrderCancelReject,
  type OrderCancelReplaceRequest,
  readNewOrderSingle,
  readOrderCancelReplaceRequest,
  readOrderCancelRequest,
} from '../fix/order-messages.ts';
import { Owner } from './market-maker.ts';
import { CancelReason, type ExecutionListener, OrderType, TimeInForce } from './matching-engine.ts';

import { NO_ORDER, type OrderPool, Side } from './order-pool.ts';
import { ORDERS_KEPT_MAX, type OutsideOrder, OutsideOrders } from './outside-orders.ts';
import { REJECT_RULES, RejectCode } from './reject-codes.ts';
import type { ReportMailboxes } from './report-mailboxes.ts';

/** The venue that orders go to: the running market. */
export interface OrderVenue {
  indexOfSymbol(symbol: string): number;
  submit(
    index: number,
    side: Side,
    type: OrderType,
    timeInForce: TimeInForce,
    pricePaise: number,
    quantity: number,
    reference: number,
  ): RejectCode;
  cancel(order: number): RejectCode;
  replace(order: number, pricePaise: number, quantity: number): RejectCode;
  readonly engine: { readonly pool: OrderPool; readonly nowMicros: number };
}

/** A cancel or replace on its way through the engine, whose answer comes by callback. */
interface PendingChange {
  readonly clOrdID: string;
  readonly terms: NewOrderSingle | null;
}

const SIDES: Readonly<Partial<Record<number, Side>>> = { [FixSide.Buy]: Side.Buy, [FixSide.Sell]: Side.Sell };
const TYPES: Readonly<Partial<Record<number, OrderType>>> = {
  [OrdType.Market]: OrderType.Market,
  [OrdType.Limit]: OrderType.Limit,
};
const TIMES: Readonly<Partial<Record<number, TimeInForce>>> = {
  [FixTimeInForce.Day]: TimeInForce.Day,
  [FixTimeInForce.ImmediateOrCancel]: TimeInForce.ImmediateOrCancel,
  [FixTimeInForce.FillOrKill]: TimeInForce.FillOrKill,
};
const CANCEL_TEXTS: Readonly<Record<CancelReason, string>> = {
  [CancelReason.Requested]: '',
  [CancelReason.Unfilled]: 'nothing more in the book to fill it with',
  [CancelReason.Killed]: 'the book could not fill it whole',
  [CancelReason.Expired]: 'the trading day is over',
  [CancelReason.Delisted]: 'the instrument was delisted',
};

/**
 * Orders from FIX sessions: NewOrderSingle (D), OrderCancelRequest (F) and OrderCancelReplaceRequest (G) in, ExecutionReport (8) and
 * OrderCancelReject (9) out. Orders belong to a SenderCompID, outlive its connections, and their reports wait in its mailbox while it is away.
 * With no venue (`null`, a replay) everything is refused.
 */
export class OrderEntry implements ExecutionListener {
  readonly #venue: () => OrderVenue | null;
  readonly #mailboxes: ReportMailboxes;
  readonly #idPrefix: string;
  readonly #orders: OutsideOrders;
  #orderNumber = 0;
  #execNumber = 0;
  #pending: PendingChange | null = null;

  /** `idPrefix` makes OrderID(37) and ExecID(17) differ from those of an earlier process: they are unique for a venue's trading day. */
  constructor(
    venue: () => OrderVenue | null,
    mailboxes: ReportMailboxes,
    idPrefix: string,
    ordersKeptMax: number = ORDERS_KEPT_MAX,
  ) {
    this.#venue = venue;
    this.#mailboxes = mailboxes;
    this.#idPrefix = idPrefix;
    this.#orders = new OutsideOrders(ordersKeptMax);
  }

  /** Takes D, F or G. */
  take(session: FixSession, message: FixMessage): void {
    if (!this.#mailboxes.bind(session)) {
      const text = 'the exchange serves no more CompIDs with orders';
      session.businessReject(message, '', BusinessRejectReason.ApplicationNotAvailable, text, session.nowMs);
      return;
    }
    if (message.msgType === MsgType.NewOrderSingle) this.#takeNew(session, message);
    else if (message.msgType === MsgType.OrderCancelRequest) this.#takeCancel(session, message);
    else this.#takeReplace(session, message);
  }

  accepted(row: number): void {
    const order = this.#orderOf(row);
    order.row = row;
    this.#report(order, ExecType.New, 0, 0, '');
  }

  traded(maker: number, taker: number, pricePaise: number, quantity: number): void {
    const pool = this.#pool();
    if (pool.owner[maker] === Owner.Outside) this.#fill(this.#orderOf(maker), pricePaise, quantity);
    if (pool.owner[taker] === Owner.Outside) this.#fill(this.#orderOf(taker), pricePaise, quantity);
  }

  canceled(row: number, reason: CancelReason): void {
    const order = this.#orderOf(row);
    const expired = reason === CancelReason.Expired;
    order.ordStatus = expired ? OrdStatus.Expired : OrdStatus.Canceled;
    this.#orders.retire(order);
    this.#report(order, expired ? ExecType.Expired : ExecType.Canceled, 0, 0, CANCEL_TEXTS[reason]);
  }

  replaced(row: number): void {
    const order = this.#orderOf(row);
    const previous = order.terms.clOrdID;
    if (this.#pending?.terms) order.terms = this.#pending.terms;
    this.#orders.name(order, order.terms.clOrdID);
    this.#report(order, ExecType.Replace, 0, 0, '', previous);
  }

  #takeNew(session: FixSession, message: FixMessage): void {
    const parsed = readNewOrderSingle(message);
    if (!parsed.ok) {
      rejectMessage(session, message, parsed);
      return;
    }
    const terms = parsed.value;
    const compID = session.counterpartyCompID;
    if (this.#orders.find(compID, terms.clOrdID) !== undefined) {
      this.#refuseNew(compID, terms, RejectCode.DuplicateClOrdID);
      return;
    }
    const venue = this.#venue();
    const side = SIDES[terms.side];
    const type = TYPES[terms.ordType];
    const time = TIMES[terms.timeInForce];
    const index = venue?.indexOfSymbol(terms.symbol) ?? -1;
    if (venue === null) this.#refuseNew(compID, terms, RejectCode.ReplayOnly);
    else if (index < 0) this.#refuseNew(compID, terms, RejectCode.UnknownSymbol);
    else if (side === undefined) this.#refuseNew(compID, terms, RejectCode.UnsupportedSide);
    else if (type === undefined) this.#refuseNew(compID, terms, RejectCode.UnsupportedOrdType);
    else if (time === undefined) this.#refuseNew(compID, terms, RejectCode.UnsupportedTimeInForce);
    else if (!this.#orders.makeRoom()) this.#refuseNew(compID, terms, RejectCode.ExchangeFull);
    else {
      const orderID = `${this.#idPrefix}-${++this.#orderNumber}`;
      const order = this.#orders.create(compID, orderID, terms, OrdStatus.New);
      const code = venue.submit(index, side, type, time, terms.pricePaise, terms.orderQty, order.reference);
      if (code === RejectCode.None) return;
      this.#orders.forget(compID, terms.clOrdID);
      this.#orders.retire(order);
      this.#refuseNew(compID, terms, code);
    }
  }

  #takeCancel(session: FixSession, message: FixMessage): void {
    const parsed = readOrderCancelRequest(message);
    if (!parsed.ok) {
      rejectMessage(session, message, parsed);
      return;
    }
    const { clOrdID, origClOrdID } = parsed.value;
    const compID = session.counterpartyCompID;
    const order = this.#orders.find(compID, origClOrdID);
    let code = this.#changeRefusal(order, compID, clOrdID, origClOrdID);
    if (code === RejectCode.None) {
      this.#orders.name(order!, clOrdID);
      this.#pending = { clOrdID, terms: null };
      code = this.#venue()!.cancel(order!.row);
      this.#pending = null;
      if (code !== RejectCode.None) this.#orders.forget(compID, clOrdID);
    }
    if (code === RejectCode.None) return;
    this.#refuseChange(compID, order, clOrdID, origClOrdID, CxlRejResponseTo.OrderCancelRequest, code);
  }

  #takeReplace(session: FixSession, message: FixMessage): void {
    const parsed = readOrderCancelReplaceRequest(message);
    if (!parsed.ok) {
      rejectMessage(session, message, parsed);
      return;
    }
    const request = parsed.value;
    const compID = session.counterpartyCompID;
    const order = this.#orders.find(compID, request.origClOrdID);
    let code = this.#changeRefusal(order, compID, request.clOrdID, request.origClOrdID);
    if (code === RejectCode.None) code = termsRefusal(order!.terms, request);
    if (code === RejectCode.None) {
      const { origClOrdID: _, ...terms } = request;
      this.#pending = { clOrdID: request.clOrdID, terms: { ...terms, account: order!.terms.account } };
      code = this.#venue()!.replace(order!.row, request.pricePaise, request.orderQty);
      this.#pending = null;
    }
    if (code === RejectCode.None) return;
    const { clOrdID, origClOrdID } = request;
    this.#refuseChange(compID, order, clOrdID, origClOrdID, CxlRejResponseTo.OrderCancelReplaceRequest, code);
  }

  /** What every change to an order must pass: the order is there, alive, named by its latest ClOrdID, and the new ClOrdID is new. */
  #changeRefusal(order: OutsideOrder | undefined, compID: string, clOrdID: string, origClOrdID: string): RejectCode {
    if (this.#venue() === null) return RejectCode.ReplayOnly;
    if (order === undefined) return RejectCode.UnknownOrder;
    if (order.row === NO_ORDER) return RejectCode.TooLate;
    if (order.terms.clOrdID !== origClOrdID) return RejectCode.UnknownOrder;
    if (this.#orders.find(compID, clOrdID) !== undefined) return RejectCode.DuplicateClOrdID;
    return this.#orders.makeRoom() ? RejectCode.None : RejectCode.ExchangeFull;
  }

  #fill(order: OutsideOrder, pricePaise: number, quantity: number): void {
    order.cumQty += quantity;
    order.turnoverPaise += pricePaise * quantity;
    const filled = order.cumQty === order.terms.orderQty;
    order.ordStatus = filled ? OrdStatus.Filled : OrdStatus.PartiallyFilled;
    if (filled) this.#orders.retire(order);
    this.#report(order, ExecType.Trade, pricePaise, quantity, '');
  }

  #orderOf(row: number): OutsideOrder {
    return this.#orders.byReference(this.#pool().reference[row]!);
  }

  #pool(): OrderPool {
    return this.#venue()!.engine.pool;
  }

  #report(
    order: OutsideOrder,
    execType: ExecType,
    lastPxPaise: number,
    lastQty: number,
    text: string,
    origClOrdID: string = '',
  ): void {
    const { terms, cumQty } = order;
    const isRequestedCancel = execType === ExecType.Canceled && this.#pending !== null;
    this.#deliver(order.compID, {
      ...termsOf(terms),
      orderID: order.orderID,
      clOrdID: isRequestedCancel ? this.#pending!.clOrdID : terms.clOrdID,
      origClOrdID: isRequestedCancel ? terms.clOrdID : origClOrdID,
      execID: this.#nextExecID(),
      execType,
      ordStatus: order.ordStatus,
      ordRejReason: null,
      lastQty,
      lastPxPaise,
      leavesQty: order.row === NO_ORDER ? 0 : terms.orderQty - cumQty,
      cumQty,
      avgPxPaise: cumQty === 0 ? 0 : Math.round(order.turnoverPaise / cumQty),
      transactTimeMicros: this.#venue()!.engine.nowMicros,
      text,
    });
  }

  #refuseNew(compID: string, terms: NewOrderSingle, code: RejectCode): void {
    const { ordRejReason, text } = REJECT_RULES[code];
    this.#deliver(compID, {
      ...termsOf(terms),
      orderID: 'NONE',
      clOrdID: terms.clOrdID,
      origClOrdID: '',
      execID: this.#nextExecID(),
      execType: ExecType.Rejected,
      ordStatus: OrdStatus.Rejected,
      ordRejReason,
      lastQty: 0,
      lastPxPaise: 0,
      leavesQty: 0,
      cumQty: 0,
      avgPxPaise: 0,
      transactTimeMicros: this.#mailboxes.nowMs * 1000,
      text,
    });
  }

  #refuseChange(
    compID: string,
    order: OutsideOrder | undefined,
    clOrdID: string,
    origClOrdID: string,
    cxlRejResponseTo: CxlRejResponseTo,
    code: RejectCode,
  ): void {
    const { cxlRejReason, text } = REJECT_RULES[code];
    const reject: OrderCancelReject = {
      orderID: order?.orderID ?? 'NONE',
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

  #deliver(compID: string, report: ExecutionReport): void {
    this.#mailboxes.deliver(compID, { msgType: MsgType.ExecutionReport, report });
  }

  #nextExecID(): string {
    return `${this.#idPrefix}-E${++this.#execNumber}`;
  }
}

/** What a replace may not change, and what it must be: only day limit orders rest, so only those are replaced. */
function termsRefusal(terms: NewOrderSingle, request: OrderCancelReplaceRequest): RejectCode {
  if (request.symbol !== terms.symbol) return RejectCode.UnknownOrder;
  if (request.side !== terms.side) return RejectCode.UnsupportedSide;
  if (request.ordType !== OrdType.Limit) return RejectCode.UnsupportedOrdType;
  return request.timeInForce === FixTimeInForce.Day ? RejectCode.None : RejectCode.UnsupportedTimeInForce;
}

function termsOf(terms: NewOrderSingle) {
  const { account, symbol, side, orderQty, ordType, pricePaise, timeInForce } = terms;
  return { account, symbol, side, orderQty, ordType, pricePaise, timeInForce };
}

function rejectMessage(session: FixSession, message: FixMessage, problem: FieldProblem): void {
  session.reject(message, problem, session.nowMs);
}
