import { type ExecutionReport, writeExecutionReport } from '../../fix/execution-report.ts';
import type { FixMessage } from '../../fix/fix-message.ts';
import { FixSession } from '../../fix/fix-session.ts';
import { MemoryFixStore } from '../../fix/fix-store.ts';
import {
  CxlRejReason,
  CxlRejResponseTo,
  ExecType,
  MsgType,
  OrdRejReason,
  OrdStatus,
  OrdType,
  Side,
  TimeInForce,
} from '../../fix/generated/fix-enums.gen.ts';
import { HeldTargetStore } from '../../fix/held-target-store.ts';
import {
  type NewOrderSingle,
  readNewOrderSingle,
  readOrderCancelReplaceRequest,
  readOrderCancelRequest,
  writeOrderCancelReject,
} from '../../fix/order-messages.ts';
import { OrderResendRule } from '../../fix/order-resend-rule.ts';
import { readOrderMassStatusRequest, readOrderStatusRequest } from '../../fix/order-status-messages.ts';
import { type FixSessionSettings, SESSION_DEFAULTS } from '../../fix/session-contract.ts';
import type { ThrottleSettings } from '../../fix/throttle.ts';
import { VenueRefusal } from '../../fix/venue-refusals.ts';
import { type VenueListener, VenueSession } from '../../fix/venue-session.ts';
import type { VenueEffects } from '../order-effects.ts';

export const SESSION_NAME = 'ORDERS-1';
const THROTTLE = { messagesPerSecond: 0, burst: 1, queueMax: 100 };

/** An order as the venue has it. */
interface BookOrder {
  readonly orderID: string;
  terms: NewOrderSingle;
  ordStatus: OrdStatus;
  cumQty: number;
  valuePaise: number;
}

/** A request that came in and is not answered yet. */
export interface VenueRequestIn {
  readonly msgType: number;
  readonly clOrdID: string;
  readonly origClOrdID: string;
  readonly terms: NewOrderSingle | null;
}

/**
 * For tests: a venue at the other end of a real FIX session, and the gateway's part of the order service's effects. It does what it is told: requests wait in `inbox`
 * until `accept`, `reject` and the like are called; questions after orders it answers by itself.
 */
export class TestVenue implements VenueEffects {
  readonly inbox: VenueRequestIn[] = [];
  readonly orders = new Map<string, BookOrder>();
  /** What a broker's process of this name finds when it starts again. */
  readonly file = new MemoryFixStore(8_000_000);
  readonly #venueStore = new MemoryFixStore(8_000_000);
  readonly #venue: FixSession;
  readonly #mailbox: ExecutionReport[] = [];
  readonly #wire: { toVenue: Uint8Array[]; toBroker: Uint8Array[] } = { toVenue: [], toBroker: [] };
  #broker: FixSession | null = null;
  #orders: VenueSession | null = null;
  #store: HeldTargetStore | null = null;
  #execNumber = 0;
  #nowMs: number;

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
    this.#venue = this.#session('acceptor', this.#wire.toBroker, this.#venueStore, {
      onLogon: () => {
        for (const report of this.#mailbox.splice(0)) this.send(report);
      },
      onMessage: (_session: FixSession, message: FixMessage) => this.#take(message),
      onGap: () => {},
      onLogout: () => {},
    });
  }

  setNow(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  /** A broker's process begins; its listener is asked for when there is something to tell, and not before it is there. */
  attach(current: () => VenueListener, throttle: ThrottleSettings = THROTTLE): void {
    const listener: VenueListener = {
      onExecution: (...told) => current().onExecution(...told),
      onCancelReject: (...told) => current().onCancelReject(...told),
      onMassCancelReport: (...told) => current().onMassCancelReport(...told),
      onRefused: (...told) => current().onRefused(...told),
      onState: (...told) => current().onState(...told),
      onSettled: (...told) => current().onSettled(...told),
      onUnexpected: (...told) => current().onUnexpected(...told),
    };
    this.#store = new HeldTargetStore(this.file);
    const settings = { name: SESSION_NAME, beginString: 'FIX.4.4', throttle, ordersMax: 1_000 };
    this.#orders = new VenueSession(settings, listener, this.#store);
    const resendable = new OrderResendRule().resendable;
    this.#broker = this.#session('initiator', this.#wire.toVenue, this.#store, this.#orders, { resendable });
  }

  get isUp(): boolean {
    return this.#orders?.loggedOn === true;
  }

  connect(): void {
    this.#broker!.connected(this.#nowMs);
    this.#venue.connected(this.#nowMs);
    this.carry();
  }

  /** A new day: the session ends and comes up with new numbers. */
  beginAnew(): void {
    this.cut();
    this.#broker!.beginAnew();
    this.connect();
  }

  /** The connection is lost, with what is under way on it. */
  cut(): void {
    this.#wire.toVenue.length = 0;
    this.#wire.toBroker.length = 0;
    this.#broker?.disconnected(this.#nowMs);
    this.#venue.disconnected(this.#nowMs);
  }

  /** The broker's process dies: it is told nothing any more. */
  kill(): void {
    this.#wire.toVenue.length = 0;
    this.#wire.toBroker.length = 0;
    this.#venue.disconnected(this.#nowMs);
    this.#broker = null;
  }

  /** Carries what is under way, both ways, until nothing is. */
  carry(): void {
    const { toVenue, toBroker } = this.#wire;
    while (toVenue.length + toBroker.length > 0) {
      for (const bytes of toVenue.splice(0)) this.#venue.receive(bytes, 0, bytes.length, this.#nowMs);
      for (const bytes of toBroker.splice(0)) this.#broker?.receive(bytes, 0, bytes.length, this.#nowMs);
    }
  }

  onTimer(): void {
    this.#orders?.onTimer(this.#nowMs);
  }

  place(body: NewOrderSingle): VenueRefusal {
    return this.#orders!.request({ msgType: MsgType.NewOrderSingle, body }, this.#nowMs);
  }

  cancel(_account: string, body: Parameters<VenueEffects['cancel']>[1]): VenueRefusal {
    return this.#orders!.request({ msgType: MsgType.OrderCancelRequest, body }, this.#nowMs);
  }

  replace(body: Parameters<VenueEffects['replace']>[0]): VenueRefusal {
    return this.#orders!.request({ msgType: MsgType.OrderCancelReplaceRequest, body }, this.#nowMs);
  }

  status(_account: string, body: Parameters<VenueEffects['status']>[1]): VenueRefusal {
    return this.#orders!.request({ msgType: MsgType.OrderStatusRequest, body }, this.#nowMs);
  }

  sessionNameOf(): string {
    return SESSION_NAME;
  }

  askAll(): void {
    this.#orders!.askAll(this.#nowMs);
  }

  adopt(_account: string, clOrdID: string, symbol: string, side: NewOrderSingle['side']): VenueRefusal {
    return this.#orders?.adopt(clOrdID, symbol, side) ?? VenueRefusal.None;
  }

  committed(_sessionName: string, epoch: number, msgSeqNum: number): void {
    this.#store!.committed(epoch, msgSeqNum);
  }

  /** Takes the oldest request of the inbox: an order is New, a change is done. */
  accept(): void {
    const request = this.inbox.shift()!;
    const { clOrdID, origClOrdID, terms } = request;
    if (request.msgType === MsgType.NewOrderSingle) {
      const ordStatus = OrdStatus.New;
      this.orders.set(clOrdID, { orderID: `V-${clOrdID}`, terms: terms!, ordStatus, cumQty: 0, valuePaise: 0 });
      this.report(clOrdID, { execType: ExecType.New });
      return;
    }
    const order = this.orders.get(origClOrdID);
    if (order === undefined || !isLive(order) || order.terms.clOrdID !== origClOrdID) {
      this.rejectChange(request, CxlRejReason.UnknownOrder);
      return;
    }
    this.orders.set(clOrdID, order);
    if (request.msgType === MsgType.OrderCancelRequest) {
      order.ordStatus = OrdStatus.Canceled;
      this.report(origClOrdID, { execType: ExecType.Canceled, clOrdID, origClOrdID });
    } else {
      order.terms = terms!;
      if (order.cumQty >= order.terms.orderQty) order.ordStatus = OrdStatus.Filled;
      this.report(clOrdID, { execType: ExecType.Replace, origClOrdID });
    }
  }

  /** Refuses the oldest request of the inbox. */
  reject(): void {
    const request = this.inbox.shift()!;
    if (request.msgType !== MsgType.NewOrderSingle) {
      this.rejectChange(request, CxlRejReason.TooLateToCancel);
      return;
    }
    const order = { orderID: 'NONE', terms: request.terms!, ordStatus: OrdStatus.Rejected, cumQty: 0, valuePaise: 0 };
    this.orders.set(request.clOrdID, order);
    this.report(request.clOrdID, { execType: ExecType.Rejected, ordRejReason: OrdRejReason.Other, text: 'no' });
  }

  rejectChange({ msgType, clOrdID, origClOrdID }: VenueRequestIn, cxlRejReason: CxlRejReason): void {
    const order = this.orders.get(origClOrdID);
    writeOrderCancelReject(this.#venue.begin(MsgType.OrderCancelReject, this.#nowMs), {
      orderID: order?.orderID ?? 'NONE',
      clOrdID,
      origClOrdID,
      ordStatus: order?.ordStatus ?? OrdStatus.Rejected,
      cxlRejResponseTo:
        msgType === MsgType.OrderCancelRequest
          ? CxlRejResponseTo.OrderCancelRequest
          : CxlRejResponseTo.OrderCancelReplaceRequest,
      cxlRejReason,
      transactTimeMicros: this.#nowMs * 1000,
      text: 'no',
    });
    this.#venue.send(this.#nowMs);
  }

  /** Executes a part of an order; returns the ExecID(17). */
  fill(clOrdID: string, lastQty: number, lastPxPaise: number): string {
    const order = this.orders.get(clOrdID)!;
    order.cumQty += lastQty;
    order.valuePaise += lastQty * lastPxPaise;
    if (isLive(order))
      order.ordStatus = order.cumQty >= order.terms.orderQty ? OrdStatus.Filled : OrdStatus.PartiallyFilled;
    return this.report(clOrdID, { execType: ExecType.Trade, lastQty, lastPxPaise });
  }

  /** Ends an order unasked. */
  end(clOrdID: string, ordStatus: OrdStatus, execType: ExecType): void {
    this.orders.get(clOrdID)!.ordStatus = ordStatus;
    this.report(clOrdID, { execType });
  }

  /** An ExecutionReport of an order as it is, `fields` apart; returns its ExecID(17). */
  report(name: string, fields: Partial<ExecutionReport>): string {
    const order = this.orders.get(name)!;
    const { terms, ordStatus, cumQty, valuePaise } = order;
    const execID = `E${++this.#execNumber}`;
    const report: ExecutionReport = {
      ...terms,
      orderID: order.orderID,
      origClOrdID: '',
      execID,
      execRefID: '',
      execType: ExecType.OrderStatus,
      ordStatus,
      ordRejReason: null,
      lastQty: 0,
      lastPxPaise: 0,
      leavesQty: isLive(order) ? terms.orderQty - cumQty : 0,
      cumQty,
      avgPxPaise: cumQty === 0 ? 0 : Math.round(valuePaise / cumQty),
      transactTimeMicros: this.#nowMs * 1000,
      text: '',
      ordStatusReqID: '',
      massStatusReqID: '',
      totNumReports: 0,
      lastRptRequested: false,
      ...fields,
    };
    this.send(report);
    return report.execID;
  }

  /** Sends a report, or keeps it until the broker is logged on. */
  send(report: ExecutionReport): void {
    if (!this.#venue.loggedOn) {
      this.#mailbox.push(report);
      return;
    }
    writeExecutionReport(this.#venue.begin(MsgType.ExecutionReport, this.#nowMs), report);
    this.#venue.send(this.#nowMs);
  }

  #take(message: FixMessage): void {
    switch (message.msgType) {
      case MsgType.NewOrderSingle: {
        const terms = bodyOf(readNewOrderSingle(message));
        this.inbox.push({ msgType: message.msgType, clOrdID: terms.clOrdID, origClOrdID: '', terms });
        break;
      }
      case MsgType.OrderCancelRequest: {
        const { clOrdID, origClOrdID } = bodyOf(readOrderCancelRequest(message));
        this.inbox.push({ msgType: message.msgType, clOrdID, origClOrdID, terms: null });
        break;
      }
      case MsgType.OrderCancelReplaceRequest: {
        const { origClOrdID, ...terms } = bodyOf(readOrderCancelReplaceRequest(message));
        this.inbox.push({ msgType: message.msgType, clOrdID: terms.clOrdID, origClOrdID, terms });
        break;
      }
      case MsgType.OrderStatusRequest: {
        const { clOrdID, ordStatusReqID } = bodyOf(readOrderStatusRequest(message));
        const waiting = this.inbox.find((request) => request.clOrdID === clOrdID);
        if (this.orders.has(clOrdID)) this.report(clOrdID, { ordStatusReqID, ...this.#answer(clOrdID) });
        else if (waiting?.terms) this.#about(waiting.terms, { ordStatusReqID, ordStatus: OrdStatus.PendingNew });
        else this.#unknown({ clOrdID, ordStatusReqID });
        break;
      }
      default: {
        const { massStatusReqID } = bodyOf(readOrderMassStatusRequest(message));
        const live = [...new Set(this.orders.values())].filter(isLive);
        if (live.length === 0) this.#unknown({ massStatusReqID, totNumReports: 0, lastRptRequested: true });
        live.forEach(({ terms }, at) => {
          const lastRptRequested = at === live.length - 1;
          const totNumReports = live.length;
          this.report(terms.clOrdID, {
            massStatusReqID,
            totNumReports,
            lastRptRequested,
            ...this.#answer(terms.clOrdID),
          });
        });
      }
    }
  }

  /** What it says of an order that it was asked to change and has not dealt with. */
  #answer(clOrdID: string): Partial<ExecutionReport> {
    const request = this.inbox.find(({ origClOrdID }) => origClOrdID === clOrdID);
    if (request === undefined) return {};
    const isCancel = request.msgType === MsgType.OrderCancelRequest;
    return { ordStatus: isCancel ? OrdStatus.PendingCancel : OrdStatus.PendingReplace };
  }

  #unknown(fields: Partial<ExecutionReport>): void {
    const terms = { clOrdID: '', account: '', symbol: 'X', side: Side.Buy, orderQty: 0, ordType: OrdType.Market };
    const rest = { pricePaise: 0, timeInForce: TimeInForce.Day, transactTimeMicros: this.#nowMs * 1000 };
    const ordStatus = OrdStatus.Rejected;
    this.#about({ ...terms, ...rest }, { ordStatus, ordRejReason: OrdRejReason.UnknownOrder, ...fields });
  }

  /** A report of an order that is not in the book. */
  #about(terms: NewOrderSingle, fields: Partial<ExecutionReport>): void {
    this.orders.set('?', { orderID: 'NONE', terms, ordStatus: OrdStatus.New, cumQty: 0, valuePaise: 0 });
    this.report('?', { leavesQty: 0, ...fields });
    this.orders.delete('?');
  }

  #session(
    role: 'initiator' | 'acceptor',
    out: Uint8Array[],
    store: MemoryFixStore | HeldTargetStore,
    application: ConstructorParameters<typeof FixSession>[2],
    settings: Partial<FixSessionSettings> = {},
  ): FixSession {
    const isVenue = role === 'acceptor';
    const senderCompID = isVenue ? 'VENUE' : 'BROKER';
    const targetCompID = isVenue ? 'BROKER' : 'VENUE';
    const common = {
      ...SESSION_DEFAULTS,
      gapPolicy: 'resend',
      resetOnLogon: false,
      sendingTimeToleranceMs: 0,
    } as const;
    const transport = {
      send: (buffer: Uint8Array, start: number, end: number) => void out.push(buffer.slice(start, end)),
      disconnect: () => this.#hangUp(),
    };
    return new FixSession({ ...common, role, senderCompID, targetCompID, ...settings }, transport, application, store);
  }

  #hangUp(): void {
    this.#wire.toBroker.length = 0;
    this.#venue.disconnected(this.#nowMs);
    this.#broker?.disconnected(this.#nowMs);
  }
}

function isLive({ ordStatus }: BookOrder): boolean {
  return ordStatus === OrdStatus.New || ordStatus === OrdStatus.PartiallyFilled;
}

function bodyOf<T>(
  parsed: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly text: string },
): T {
  if (!parsed.ok) throw new Error(parsed.text);
  return parsed.value;
}
