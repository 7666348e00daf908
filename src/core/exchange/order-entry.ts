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
  type NewOrderSingle,
  type OrderCancelReplaceRequest,
  readNewOrderSingle,
  readOrderCancelReplaceRequest,
  readOrderCancelRequest,
} from '../fix/order-messages.ts';
import { Owner } from './market-maker.ts';
import { MassCancel } from './mass-cancel.ts';
import { CancelReason, type ExecutionListener, OrderType, TimeInForce } from './matching-engine.ts';
import { NO_ORDER, type OrderPool, Side } from './order-pool.ts';
import { OrderQueries } from './order-queries.ts';
import { OrderReports } from './order-reports.ts';
import { ORDERS_KEPT_MAX, type OutsideOrder, OutsideOrders } from './outside-orders.ts';
import { executedStatus, OutsideTrades } from './outside-trades.ts';
import { NO_RECORD, type OrderRecord } from './past-orders.ts';
import { RejectCode } from './reject-codes.ts';
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
  readonly engine: { readonly pool: OrderPool; readonly nowMicros: number; readonly marketOpen: boolean };
}

/** A cancel or replace on its way through the engine, whose answer comes by callback. */
interface PendingChange {
  /** Of the request; '' when nobody asked. */
  readonly clOrdID: string;
  readonly terms: NewOrderSingle | null;
  readonly text: string;
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
 * OrderCancelReject (9) out; H and AF are `order-queries.ts`, q is `mass-cancel.ts`. Orders belong to a SenderCompID, outlive its connections, and
 * their reports wait in its mailbox while it is away. With no venue (`null`, a replay) everything is refused.
 */
export class OrderEntry implements ExecutionListener {
  readonly trades: OutsideTrades;
  readonly #venue: () => OrderVenue | null;
  readonly #mailboxes: ReportMailboxes;
  readonly #idPrefix: string;
  readonly #record: OrderRecord;
  readonly #orders: OutsideOrders;
  readonly #reports: OrderReports;
  readonly #queries: OrderQueries;
  readonly #massCancel: MassCancel;
  #orderNumber = 0;
  #pending: PendingChange | null = null;

  /** `idPrefix` makes OrderID(37) and ExecID(17) differ from those of an earlier process: they are unique for a venue's trading day. */
  constructor(
    venue: () => OrderVenue | null,
    mailboxes: ReportMailboxes,
    idPrefix: string,
    record: OrderRecord = NO_RECORD,
    ordersKeptMax: number = ORDERS_KEPT_MAX,
  ) {
    this.#venue = venue;
    this.#mailboxes = mailboxes;
    this.#idPrefix = idPrefix;
    this.#record = record;
    this.#orders = new OutsideOrders(ordersKeptMax);
    this.#reports = new OrderReports(mailboxes, () => this.#pool(), idPrefix);
    this.trades = new OutsideTrades(this.#reports, record.traded);
    this.#queries = new OrderQueries(this.#orders, record.past, this.#reports, () => this.#nowMicros());
    this.#massCancel = new MassCancel(this.#orders, this.#reports, {
      indexOfSymbol: (symbol) => venue()?.indexOfSymbol(symbol) ?? -1,
      cancelRefusal: () => {
        const running = venue();
        if (running === null) return RejectCode.ReplayOnly;
        return running.engine.marketOpen ? RejectCode.None : RejectCode.MarketClosed;
      },
      cancel: (order, clOrdID, text) => void this.#cancel(order, clOrdID, text),
    });
  }

  /** Takes D, F, G, H, AF or q. */
  take(session: FixSession, message: FixMessage): void {
    if (!this.#mailboxes.bind(session)) {
      const text = 'the exchange serves no more CompIDs with orders';
      session.businessReject(message, '', BusinessRejectReason.ApplicationNotAvailable, text, session.nowMs);
      return;
    }
    switch (message.msgType) {
      case MsgType.NewOrderSingle:
        this.#takeNew(session, message);
        break;
      case MsgType.OrderCancelRequest:
        this.#takeCancel(session, message);
        break;
      case MsgType.OrderCancelReplaceRequest:
        this.#takeReplace(session, message);
        break;
      case MsgType.OrderStatusRequest:
        this.#queries.status(session, message);
        break;
      case MsgType.OrderMassStatusRequest:
        this.#queries.massStatus(session, message);
        break;
      default:
        this.#massCancel.take(session, message);
    }
  }

  /** Cancels the live orders of a CompID whose session dropped. */
  cancelOnDisconnect(compID: string): void {
    this.#massCancel.onDisconnect(compID);
  }

  accepted(row: number): void {
    const order = this.#orderOf(row);
    order.row = row;
    this.#recordOrder(order, '');
    this.#reports.execution(order, this.#nowMicros(), { execType: ExecType.New });
  }

  traded(maker: number, taker: number, pricePaise: number, quantity: number): void {
    const { owner } = this.#pool();
    const sides = [];
    for (const row of [maker, taker]) {
      if (owner[row] !== Owner.Outside) continue;
      const order = this.#orderOf(row);
      sides.push({ order, execID: this.#reports.newExecID() });
    }
    this.trades.add(pricePaise, quantity, sides, this.#nowMicros());
    for (const { order, execID } of sides) this.#fill(order, execID, pricePaise, quantity);
  }

  canceled(row: number, reason: CancelReason): void {
    const order = this.#orderOf(row);
    const expired = reason === CancelReason.Expired;
    order.ordStatus = expired ? OrdStatus.Expired : OrdStatus.Canceled;
    this.#orders.retire(order);
    const asked = this.#pending?.clOrdID ?? '';
    this.#reports.execution(order, this.#nowMicros(), {
      execType: expired ? ExecType.Expired : ExecType.Canceled,
      text: this.#pending?.text || CANCEL_TEXTS[reason],
      ...(asked === '' ? {} : { requestClOrdID: asked }),
    });
  }

  replaced(row: number): void {
    const order = this.#orderOf(row);
    const previous = order.terms.clOrdID;
    if (this.#pending?.terms) order.terms = this.#pending.terms;
    this.#orders.name(order, order.terms.clOrdID);
    this.#recordOrder(order, previous);
    this.#reports.execution(order, this.#nowMicros(), { execType: ExecType.Replace, origClOrdID: previous });
  }

  #takeNew(session: FixSession, message: FixMessage): void {
    const parsed = readNewOrderSingle(message);
    if (!parsed.ok) {
      rejectMessage(session, message, parsed);
      return;
    }
    const terms = parsed.value;
    const compID = session.counterpartyCompID;
    if (this.#isKnown(compID, terms.clOrdID)) {
      this.#reports.refuseNew(compID, terms, RejectCode.DuplicateClOrdID);
      return;
    }
    const venue = this.#venue();
    const side = SIDES[terms.side];
    const type = TYPES[terms.ordType];
    const time = TIMES[terms.timeInForce];
    const index = venue?.indexOfSymbol(terms.symbol) ?? -1;
    if (venue === null) this.#reports.refuseNew(compID, terms, RejectCode.ReplayOnly);
    else if (index < 0) this.#reports.refuseNew(compID, terms, RejectCode.UnknownSymbol);
    else if (side === undefined) this.#reports.refuseNew(compID, terms, RejectCode.UnsupportedSide);
    else if (type === undefined) this.#reports.refuseNew(compID, terms, RejectCode.UnsupportedOrdType);
    else if (time === undefined) this.#reports.refuseNew(compID, terms, RejectCode.UnsupportedTimeInForce);
    else if (!this.#orders.makeRoom()) this.#reports.refuseNew(compID, terms, RejectCode.ExchangeFull);
    else {
      const orderID = `${this.#idPrefix}-${++this.#orderNumber}`;
      const order = this.#orders.create(compID, orderID, terms, OrdStatus.New);
      const code = venue.submit(index, side, type, time, terms.pricePaise, terms.orderQty, order.reference);
      if (code === RejectCode.None) return;
      this.#orders.forget(compID, terms.clOrdID);
      this.#orders.retire(order);
      this.#reports.refuseNew(compID, terms, code);
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
      code = this.#cancel(order!, clOrdID, '');
      if (code !== RejectCode.None) this.#orders.forget(compID, clOrdID);
    }
    if (code === RejectCode.None) return;
    this.#reports.refuseChange(compID, order, clOrdID, origClOrdID, CxlRejResponseTo.OrderCancelRequest, code);
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
      this.#pending = { clOrdID: request.clOrdID, terms: { ...terms, account: order!.terms.account }, text: '' };
      code = this.#venue()!.replace(order!.row, request.pricePaise, request.orderQty);
      this.#pending = null;
    }
    if (code === RejectCode.None) return;
    const { clOrdID, origClOrdID } = request;
    this.#reports.refuseChange(compID, order, clOrdID, origClOrdID, CxlRejResponseTo.OrderCancelReplaceRequest, code);
  }

  /** What every change to an order must pass: the order is there, alive, named by its latest ClOrdID, and the new ClOrdID is new. */
  #changeRefusal(order: OutsideOrder | undefined, compID: string, clOrdID: string, origClOrdID: string): RejectCode {
    if (this.#venue() === null) return RejectCode.ReplayOnly;
    if (order === undefined) return RejectCode.UnknownOrder;
    if (order.row === NO_ORDER) return RejectCode.TooLate;
    if (order.terms.clOrdID !== origClOrdID) return RejectCode.UnknownOrder;
    if (this.#isKnown(compID, clOrdID)) return RejectCode.DuplicateClOrdID;
    return this.#orders.makeRoom() ? RejectCode.None : RejectCode.ExchangeFull;
  }

  /** Cancels through the engine, which calls `canceled` in between. */
  #cancel(order: OutsideOrder, clOrdID: string, text: string): RejectCode {
    this.#pending = { clOrdID, terms: null, text };
    const code = this.#venue()!.cancel(order.row);
    this.#pending = null;
    return code;
  }

  #fill(order: OutsideOrder, execID: string, lastPxPaise: number, lastQty: number): void {
    order.cumQty += lastQty;
    order.turnoverPaise += lastPxPaise * lastQty;
    // By the book's count: after a bust an order is done before all of it counts as executed.
    if (this.#pool().leavesQty[order.row] === 0) this.#orders.retire(order);
    order.ordStatus = executedStatus(order);
    this.#reports.execution(order, this.#nowMicros(), { execType: ExecType.Trade, execID, lastPxPaise, lastQty });
  }

  /** An order of before the exchange began anew has its ClOrdIDs still. */
  #isKnown(compID: string, clOrdID: string): boolean {
    return this.#orders.find(compID, clOrdID) !== undefined || this.#record.past.find(compID, clOrdID) !== undefined;
  }

  #recordOrder({ compID, orderID, terms }: OutsideOrder, origClOrdID: string): void {
    this.#record.ordered(compID, { orderID, terms, origClOrdID }, this.#nowMicros());
  }

  #orderOf(row: number): OutsideOrder {
    return this.#orders.byReference(this.#pool().reference[row]!);
  }

  #pool(): OrderPool {
    return this.#venue()!.engine.pool;
  }

  #nowMicros(): number {
    return this.#venue()!.engine.nowMicros;
  }
}

/** What a replace may not change, and what it must be: only day limit orders rest, so only those are replaced. */
function termsRefusal(terms: NewOrderSingle, request: OrderCancelReplaceRequest): RejectCode {
  if (request.symbol !== terms.symbol) return RejectCode.UnknownOrder;
  if (request.side !== terms.side) return RejectCode.UnsupportedSide;
  if (request.ordType !== OrdType.Limit) return RejectCode.UnsupportedOrdType;
  return request.timeInForce === FixTimeInForce.Day ? RejectCode.None : RejectCode.UnsupportedTimeInForce;
}

function rejectMessage(session: FixSession, message: FixMessage, problem: FieldProblem): void {
  session.reject(message, problem, session.nowMs);
}
