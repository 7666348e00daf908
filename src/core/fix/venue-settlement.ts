import type { ExecutionReportRecord } from './execution-report-record.ts';
import { IDENTIFIER_LENGTH_MAX } from './field-reader.ts';
import { type FixVersion, isInVersion } from './fix-version.ts';
import { MassStatusReqType, MsgType, OrdStatus } from './generated/fix-enums.gen.ts';
import type { VenueOrder, VenueOrders } from './venue-orders.ts';
import { requestID, type VenueRequest } from './venue-requests.ts';

/** What settling needs of its session. */
export interface SettlementSession {
  /** Nothing waits for its turn. */
  isIdle(): boolean;
  /** Sends a question or queues it; false when it was not taken. */
  ask(request: VenueRequest, nowMs: number): boolean;
  /** Every order that was alive has been answered for. */
  settled(): void;
}

/**
 * What became of live orders while the session was down is asked, never guessed: one OrderMassStatusRequest for all of them, then an OrderStatusRequest for each that its
 * answers did not name; 4.2, which has no mass status, is asked for each. The questions go behind everything else that waits.
 */
export class VenueSettlement {
  readonly #version: FixVersion;
  readonly #orders: VenueOrders;
  readonly #session: SettlementSession;
  /** Still to be asked after, and asked and not answered. */
  #toAsk: VenueOrder[] = [];
  readonly #asked = new Set<VenueOrder>();
  #round = 0;
  /** MassStatusReqID(584) of the open mass status, '' for none. */
  #massID = '';
  #isOpen = false;

  constructor(version: FixVersion, orders: VenueOrders, session: SettlementSession) {
    this.#version = version;
    this.#orders = orders;
    this.#session = session;
  }

  /** The session is logged on. */
  begin(nowMs: number): void {
    this.abandon();
    this.#isOpen = true;
    if (this.#orders.liveCount === 0) {
      this.#tellIfSettled();
      return;
    }
    this.#round++;
    if (isInVersion(MsgType.OrderMassStatusRequest, this.#version)) {
      this.#massID = `SETTLE-${this.#round}-${nowMs}`;
      const massStatusReqType = MassStatusReqType.StatusForAllOrders;
      const body = { massStatusReqID: this.#massID, massStatusReqType, symbol: '' };
      if (this.#session.ask({ msgType: MsgType.OrderMassStatusRequest, body }, nowMs)) return;
    }
    this.#askEach();
    this.askMore(nowMs);
  }

  /** The session is down: the next logon begins again. */
  abandon(): void {
    this.#toAsk = [];
    this.#asked.clear();
    this.#massID = '';
    this.#isOpen = false;
  }

  /**
   * The order that the report answers a question about, by OrdStatusReqID(790): one that was replaced while nobody looked is reported by a ClOrdID that is
   * new here.
   */
  askedAfter(report: ExecutionReportRecord): VenueOrder | undefined {
    const prefix = `${this.#round}-`;
    const ordStatusReqID = report.text(report.ordStatusReqIDAt);
    return ordStatusReqID.startsWith(prefix) ? this.#orders.find(ordStatusReqID.slice(prefix.length)) : undefined;
  }

  /** A report came in; true when it is the answer that there is nothing to name. */
  answered(report: ExecutionReportRecord, order: VenueOrder | undefined): boolean {
    if (!this.#isOpen) return false;
    if (order !== undefined) this.#settle(order);
    const isOurs = this.#massID !== '' && report.text(report.massStatusReqIDAt) === this.#massID;
    if (isOurs && (report.lastRptRequested || report.ordStatus === OrdStatus.Rejected)) this.#askEach();
    this.#tellIfSettled();
    return isOurs && order === undefined;
  }

  /** The venue refused a question, or it was not sent. An order that cannot be asked after stays as it is. */
  refused(request: VenueRequest, order: VenueOrder | undefined): void {
    if (!this.#isOpen) return;
    if (requestID(request) === this.#massID) this.#askEach();
    else if (request.msgType === MsgType.OrderStatusRequest && order !== undefined) this.#settle(order);
    this.#tellIfSettled();
  }

  /** Asks for as long as nothing waits. */
  askMore(nowMs: number): void {
    while (this.#toAsk.length > 0 && this.#session.isIdle()) {
      const order = this.#toAsk.pop() as VenueOrder;
      if (!order.live || order.settledRound === this.#round) continue;
      const { clOrdID, symbol, side } = order;
      const ordStatusReqID = `${this.#round}-${clOrdID}`.slice(0, IDENTIFIER_LENGTH_MAX);
      const body = { ordStatusReqID, clOrdID, symbol, side };
      this.#asked.add(order);
      if (!this.#session.ask({ msgType: MsgType.OrderStatusRequest, body }, nowMs)) this.#asked.delete(order);
    }
    this.#tellIfSettled();
  }

  #askEach(): void {
    this.#massID = '';
    this.#toAsk = [...this.#orders.live()].filter((order) => order.settledRound !== this.#round);
  }

  #settle(order: VenueOrder): void {
    order.settledRound = this.#round;
    this.#asked.delete(order);
  }

  #tellIfSettled(): void {
    if (!this.#isOpen || this.#massID !== '' || this.#toAsk.length > 0 || this.#asked.size > 0) return;
    this.#isOpen = false;
    this.#session.settled();
  }
}
