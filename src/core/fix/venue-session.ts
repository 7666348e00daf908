import { ExecutionReportRecord } from './execution-report-record.ts';
import type { FieldProblem } from './field-reader.ts';
import type { FixMessage } from './fix-message.ts';
import type { FixSession } from './fix-session.ts';
import { type FixVersion, fixVersionOf, isInVersion } from './fix-version.ts';
import { BusinessRejectReason, ExecType, MassCancelResponse, MsgType } from './generated/fix-enums.gen.ts';
import type { HeldTargetStore } from './held-target-store.ts';
import { type OrderCancelReject, readOrderCancelReject } from './order-messages.ts';
import {
  type OrderMassCancelReport,
  type OrderMassCancelRequest,
  readBusinessMessageReject,
  readOrderMassCancelReport,
  readSessionReject,
} from './order-status-messages.ts';
import { type FixApplication, SendRefusal } from './session-contract.ts';
import { Throttle, type ThrottleSettings, ThrottleVerdict } from './throttle.ts';
import { type VenueOrder, VenueOrders } from './venue-orders.ts';
import {
  businessRejectedCode,
  changeRejectedCode,
  massCancelRejectedCode,
  type RequestRefused,
  sessionRejectedCode,
  VenueRefusal,
} from './venue-refusals.ts';
import { endsOrder, isUnknownToVenue, ReportStanding } from './venue-reports.ts';
import { requestID, SentRequests, type VenueRequest, writeVenueRequest } from './venue-requests.ts';
import { VenueSettlement } from './venue-settlement.ts';

/**
 * What a venue tells. `message` is the session's and reused: MsgSeqNum(34), PossDup and PossResend are there for who keeps a key of what was
 * applied. Everything that comes in is told by exactly one of these.
 */
export interface VenueListener {
  /** `report` is reused: copy what outlives the call. */
  onExecution(session: VenueSession, report: ExecutionReportRecord, standing: ReportStanding): void;
  onCancelReject(session: VenueSession, reject: OrderCancelReject, code: number, message: FixMessage): void;
  /** `code` is 0 for one that was taken. */
  onMassCancelReport(session: VenueSession, report: OrderMassCancelReport, code: number, message: FixMessage): void;
  /** A request that was taken (queued or sent) and yet came to nothing. */
  onRefused(session: VenueSession, refused: RequestRefused): void;
  /** The session is logged on, or no longer: then what is unanswered is unknown. `text` says why. */
  onState(session: VenueSession, loggedOn: boolean, text: string): void;
  /** After a reconnect every order that was alive has been asked after and answered for. */
  onSettled(session: VenueSession): void;
  /** A message that cannot be used: unreadable, of a type that has no place here, or about a request that nobody knows. */
  onUnexpected(session: VenueSession, message: FixMessage, text: string): void;
}

export interface VenueSessionSettings {
  /** By which accounts are given to it; the same every day. */
  readonly name: string;
  /** BeginString(8). */
  readonly beginString: string;
  readonly throttle: ThrottleSettings;
  /** Live orders that it keeps at most. */
  readonly ordersMax: number;
}

/**
 * One session with a venue, from the orders' side: requests leave through its throttle, reports come in with their standing. Sans-I/O: its owner gives it a
 * FixSession to send on by making it that session's application, and calls `onTimer`.
 */
export class VenueSession implements FixApplication {
  readonly name: string;
  readonly version: FixVersion;
  /** MsgSeqNum(34) of the application message that the listener is told of just now; 0 outside of one. */
  deliverySeqNum = 0;
  /** MsgSeqNum(34) of the last request that was sent; 0 before the first. */
  lastSentSeqNum = 0;
  readonly #listener: VenueListener;
  readonly #throttle: Throttle<VenueRequest>;
  readonly #orders: VenueOrders;
  readonly #sent = new SentRequests();
  readonly #report = new ExecutionReportRecord();
  readonly #settlement: VenueSettlement;
  readonly #heldStore: HeldTargetStore | null;
  #session: FixSession | null = null;

  /** `heldStore` is the session's store, where the listener commits later than it is told. */
  constructor(settings: VenueSessionSettings, listener: VenueListener, heldStore: HeldTargetStore | null = null) {
    this.name = settings.name;
    this.#heldStore = heldStore;
    this.version = fixVersionOf(settings.beginString);
    this.#listener = listener;
    this.#throttle = new Throttle(settings.throttle);
    this.#orders = new VenueOrders(settings.ordersMax);
    this.#settlement = new VenueSettlement(this.version, this.#orders, {
      isIdle: () => this.#throttle.queuedCount === 0,
      ask: (request, nowMs) => this.#offer(request, false, nowMs) === VenueRefusal.None,
      settled: () => listener.onSettled(this),
    });
  }

  get loggedOn(): boolean {
    return this.#session?.loggedOn === true;
  }

  /** Orders that have had no terminal report. */
  get liveCount(): number {
    return this.#orders.liveCount;
  }

  get queuedCount(): number {
    return this.#throttle.queuedCount;
  }

  /** With the session's name and MsgSeqNum(34) the key of a delivery; 0 while it is down. */
  get epoch(): number {
    return this.#session?.store.epoch ?? 0;
  }

  /** The time last told; 0 while it is down. */
  get nowMs(): number {
    return this.#session?.nowMs ?? 0;
  }

  /** The listener cannot take the delivery on hand: the connection ends, and over a `HeldTargetStore` the next logon asks for it again. */
  notTaken(): void {
    const session = this.#session;
    if (session === null) return;
    this.#heldStore?.notTaken();
    session.applicationBehind(session.nowMs);
  }

  /** Takes a request: None when it was sent or waits for its turn, else why not, and then nothing was done. */
  request(request: VenueRequest, nowMs: number): VenueRefusal {
    if (!this.loggedOn) return VenueRefusal.SessionDown;
    if (!isInVersion(request.msgType, this.version)) return VenueRefusal.NotInThisVersion;
    switch (request.msgType) {
      case MsgType.NewOrderSingle: {
        const { clOrdID, symbol, side } = request.body;
        if (this.#orders.find(clOrdID) !== undefined) return VenueRefusal.DuplicateClOrdID;
        if (this.#orders.isFull) return VenueRefusal.TooManyOrders;
        const order = this.#orders.add(clOrdID, symbol, side);
        const refusal = this.#offer(request, false, nowMs);
        if (refusal !== VenueRefusal.None) this.#orders.withdraw(order);
        return refusal;
      }
      case MsgType.OrderCancelRequest:
      case MsgType.OrderCancelReplaceRequest:
        return this.#change(request, nowMs);
      case MsgType.OrderMassCancelRequest: {
        this.#withdrawCovered(request.body);
        return this.#offer(request, true, nowMs);
      }
      default:
        return this.#offer(request, false, nowMs);
    }
  }

  /** An order of before this process: reports about it are then no strangers, and it is asked after at the next logon. */
  adopt(clOrdID: string, symbol: string, side: VenueOrder['side']): VenueRefusal {
    if (this.#orders.find(clOrdID) !== undefined) return VenueRefusal.DuplicateClOrdID;
    if (this.#orders.isFull) return VenueRefusal.TooManyOrders;
    this.#orders.add(clOrdID, symbol, side);
    return VenueRefusal.None;
  }

  /** Asks after every live order, as at a logon: `onSettled` follows. Nothing happens while it is down: the next logon asks. */
  askAll(nowMs: number): void {
    if (this.loggedOn) this.#settlement.begin(nowMs);
  }

  /** Sends what may go by now. To be called when `waitMs` is over. */
  onTimer(nowMs: number): void {
    if (!this.loggedOn) return;
    for (let request = this.#throttle.next(nowMs); request !== undefined; request = this.#throttle.next(nowMs)) {
      const refusal = this.#send(request, nowMs);
      if (refusal !== VenueRefusal.None) this.#refused(request, refusal, '');
    }
    this.#settlement.askMore(nowMs);
  }

  /** Milliseconds until `onTimer` has something to do; Infinity for nothing. */
  waitMs(nowMs: number): number {
    return this.loggedOn ? this.#throttle.waitMs(nowMs) : Number.POSITIVE_INFINITY;
  }

  onLogon(session: FixSession): void {
    this.#session = session;
    // Numbers that began anew would name requests of before.
    if (session.nextOutSeqNum <= this.lastSentSeqNum) this.onReset();
    this.#listener.onState(this, true, '');
    this.#settlement.begin(session.nowMs);
  }

  onMessage(session: FixSession, message: FixMessage): void {
    this.deliverySeqNum = message.msgSeqNum;
    this.#deliver(session, message);
    this.deliverySeqNum = 0;
  }

  #deliver(session: FixSession, message: FixMessage): void {
    switch (message.msgType) {
      case MsgType.ExecutionReport:
        this.#onExecution(session, message);
        break;
      case MsgType.OrderCancelReject:
        this.#onCancelReject(session, message);
        break;
      case MsgType.OrderMassCancelReport:
        this.#onMassCancelReport(session, message);
        break;
      case MsgType.BusinessMessageReject:
        this.#onBusinessReject(message);
        break;
      default: {
        this.#listener.onUnexpected(this, message, 'no message about orders');
        const text = 'this session is for orders';
        session.businessReject(message, '', BusinessRejectReason.UnsupportedMessageType, text, session.nowMs);
      }
    }
  }

  onReject(_session: FixSession, message: FixMessage): void {
    const parsed = readSessionReject(message);
    const request = parsed.ok ? this.#sent.find(parsed.value.refSeqNum) : undefined;
    if (!parsed.ok || request === undefined) {
      this.#listener.onUnexpected(this, message, 'a Reject of no request that is known');
      return;
    }
    this.#refused(request, sessionRejectedCode(parsed.value.sessionRejectReason), parsed.value.text);
  }

  onReset(): void {
    this.#sent.clear();
    this.lastSentSeqNum = 0;
  }

  /** Order sessions ask for what they missed: a session with the gap policy of a feed has no place here. */
  onGap(): void {}

  /** What still waits never left, and is refused; what left and is unanswered is unknown. */
  onLogout(_session: FixSession, text: string): void {
    const wasUp = this.#session !== null;
    this.#session = null;
    this.#settlement.abandon();
    for (const request of this.#throttle.clear()) this.#refused(request, VenueRefusal.SessionDown, '');
    if (wasUp) this.#listener.onState(this, false, text);
  }

  #change(
    request: Extract<
      VenueRequest,
      { msgType: typeof MsgType.OrderCancelRequest | typeof MsgType.OrderCancelReplaceRequest }
    >,
    nowMs: number,
  ): VenueRefusal {
    const { clOrdID, origClOrdID } = request.body;
    if (this.#orders.find(clOrdID) !== undefined) return VenueRefusal.DuplicateClOrdID;
    const order = this.#orders.find(origClOrdID);
    const isCancel = request.msgType === MsgType.OrderCancelRequest;
    const named = this.#throttle.find((waiting) => requestID(waiting) === origClOrdID);
    if (isCancel && named?.msgType === MsgType.NewOrderSingle) {
      this.#withdraw(named);
      return VenueRefusal.Withdrawn;
    }
    if (order !== undefined) this.#orders.name(order, clOrdID);
    // A cancel goes first, but never before the request that it names.
    const refusal = this.#offer(request, isCancel && named === undefined, nowMs);
    if (refusal !== VenueRefusal.None && order !== undefined) this.#orders.unname(order, clOrdID);
    return refusal;
  }

  /** Orders and replaces that wait and that a mass cancel covers must not leave after it. */
  #withdrawCovered({ symbol, side }: OrderMassCancelRequest): void {
    for (;;) {
      const covered = this.#throttle.find(
        (waiting) =>
          (waiting.msgType === MsgType.NewOrderSingle || waiting.msgType === MsgType.OrderCancelReplaceRequest) &&
          (symbol === '' || waiting.body.symbol === symbol) &&
          (side === null || waiting.body.side === side),
      );
      if (covered === undefined) return;
      this.#withdraw(covered);
    }
  }

  #withdraw(request: VenueRequest): void {
    this.#throttle.withdraw(request);
    this.#refused(request, VenueRefusal.Withdrawn, '');
  }

  #offer(request: VenueRequest, isCancel: boolean, nowMs: number): VenueRefusal {
    const verdict = this.#throttle.offer(request, isCancel, nowMs);
    if (verdict === ThrottleVerdict.Queued) return VenueRefusal.None;
    return verdict === ThrottleVerdict.Full ? VenueRefusal.ThrottleFull : this.#send(request, nowMs);
  }

  #send(request: VenueRequest, nowMs: number): VenueRefusal {
    const session = this.#session;
    if (session === null || !session.loggedOn) return VenueRefusal.SessionDown;
    writeVenueRequest(session.begin(request.msgType, nowMs), request, this.version);
    const msgSeqNum = session.send(nowMs);
    if (msgSeqNum > 0) {
      this.lastSentSeqNum = msgSeqNum;
      this.#sent.add(msgSeqNum, request);
      return VenueRefusal.None;
    }
    if (msgSeqNum === SendRefusal.TooLong) return VenueRefusal.TooLong;
    return msgSeqNum === SendRefusal.BadValue ? VenueRefusal.BadValue : VenueRefusal.SessionDown;
  }

  /** A request that had been taken came to nothing; an order ends with it, unless it may have arrived. */
  #refused(request: VenueRequest, code: number, text: string): void {
    const id = requestID(request);
    const order = this.#orders.find(id);
    if (request.msgType === MsgType.NewOrderSingle) {
      if (order !== undefined) this.#orders.end(order);
    } else if (order !== undefined && order.clOrdID !== id) {
      this.#orders.unname(order, id);
    }
    this.#settlement.refused(request, order);
    this.#listener.onRefused(this, { msgType: request.msgType, requestID: id, code, text });
  }

  #onExecution(session: FixSession, message: FixMessage): void {
    const report = this.#report;
    if (!report.read(message, this.version)) {
      this.#unreadable(session, message, report.problem());
      return;
    }
    const clOrdID = report.text(report.clOrdIDAt);
    const origClOrdID = report.text(report.origClOrdIDAt);
    const order = this.#orders.findEither(clOrdID, origClOrdID) ?? this.#settlement.askedAfter(report);
    if (order === undefined) {
      // The end of a mass status that found nothing names no order.
      const isAnswer = this.#settlement.answered(report, undefined);
      if (!isAnswer) this.#listener.onExecution(this, report, ReportStanding.Unknown);
    } else if (isUnknownToVenue(report) && order.live) {
      this.#orders.end(order);
      this.#listener.onRefused(this, {
        msgType: MsgType.NewOrderSingle,
        requestID: order.clOrdID,
        code: VenueRefusal.NotAtVenue,
        text: report.text(report.textAt),
      });
      this.#settlement.answered(report, order);
    } else {
      const standing = order.live ? ReportStanding.Live : ReportStanding.Late;
      const isAnswerByItsName = report.execType === ExecType.OrderStatus && this.#orders.find(clOrdID) === undefined;
      if (report.execType === ExecType.Replace || isAnswerByItsName) this.#orders.rename(order, clOrdID);
      if (endsOrder(report)) this.#orders.end(order);
      this.#listener.onExecution(this, report, standing);
      this.#settlement.answered(report, order);
    }
  }

  #onCancelReject(session: FixSession, message: FixMessage): void {
    const parsed = readOrderCancelReject(message);
    if (!parsed.ok) {
      this.#unreadable(session, message, parsed);
      return;
    }
    this.#listener.onCancelReject(this, parsed.value, changeRejectedCode(parsed.value.cxlRejReason), message);
  }

  #onMassCancelReport(session: FixSession, message: FixMessage): void {
    const parsed = readOrderMassCancelReport(message);
    if (!parsed.ok) {
      this.#unreadable(session, message, parsed);
      return;
    }
    const report = parsed.value;
    const rejected = report.massCancelResponse === MassCancelResponse.CancelRequestRejected;
    const code = rejected ? massCancelRejectedCode(report.massCancelRejectReason) : VenueRefusal.None;
    this.#listener.onMassCancelReport(this, report, code, message);
  }

  #onBusinessReject(message: FixMessage): void {
    const parsed = readBusinessMessageReject(message);
    const request = parsed.ok ? this.#sent.find(parsed.value.refSeqNum) : undefined;
    if (!parsed.ok || request === undefined) {
      this.#listener.onUnexpected(this, message, 'a BusinessMessageReject of no request that is known');
      return;
    }
    this.#refused(request, businessRejectedCode(parsed.value.businessRejectReason), parsed.value.text);
  }

  #unreadable(session: FixSession, message: FixMessage, problem: FieldProblem): void {
    this.#listener.onUnexpected(this, message, `tag ${problem.refTagID}: ${problem.text}`);
    session.reject(message, problem, session.nowMs);
  }
}
