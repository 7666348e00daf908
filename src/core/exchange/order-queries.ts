import type { FixMessage } from '../fix/fix-message.ts';
import type { FixSession } from '../fix/fix-session.ts';
import { ExecType, MassStatusReqType } from '../fix/generated/fix-enums.gen.ts';
import { readOrderMassStatusRequest, readOrderStatusRequest } from '../fix/order-status-messages.ts';
import type { OrderReports } from './order-reports.ts';
import type { OutsideOrders } from './outside-orders.ts';
import { type PastOrders, tellAgain } from './past-orders.ts';

/**
 * Questions about orders: OrderStatusRequest (H) by ClOrdID(11), and OrderMassStatusRequest (AF) about all live orders of the CompID or those of one
 * symbol. Answers are ExecutionReports of type OrderStatus; one with OrdStatus Rejected and OrdRejReason 5 says that there is no such order.
 */
export class OrderQueries {
  readonly #orders: OutsideOrders;
  readonly #past: PastOrders;
  readonly #reports: OrderReports;
  readonly #nowMicros: () => number;

  constructor(orders: OutsideOrders, past: PastOrders, reports: OrderReports, nowMicros: () => number) {
    this.#orders = orders;
    this.#past = past;
    this.#reports = reports;
    this.#nowMicros = nowMicros;
  }

  /** Takes an H. */
  status(session: FixSession, message: FixMessage): void {
    const parsed = readOrderStatusRequest(message);
    if (!parsed.ok) {
      session.reject(message, parsed, session.nowMs);
      return;
    }
    const { clOrdID, symbol, side, ordStatusReqID } = parsed.value;
    const compID = session.counterpartyCompID;
    const order = this.#orders.find(compID, clOrdID);
    const past = this.#past.find(compID, clOrdID);
    if (order !== undefined)
      this.#reports.execution(order, this.#nowMicros(), { execType: ExecType.OrderStatus, ordStatusReqID });
    else if (past !== undefined) tellAgain(past, this.#reports, ordStatusReqID, this.#nowMicros());
    else this.#reports.refuseStatus(compID, { clOrdID, symbol, side }, { ordStatusReqID });
  }

  /** Takes an AF. */
  massStatus(session: FixSession, message: FixMessage): void {
    const parsed = readOrderMassStatusRequest(message);
    if (!parsed.ok) {
      session.reject(message, parsed, session.nowMs);
      return;
    }
    const { massStatusReqID, massStatusReqType, symbol } = parsed.value;
    const compID = session.counterpartyCompID;
    const ofSecurity = massStatusReqType === MassStatusReqType.StatusForOrdersForASecurity;
    const answer = { massStatusReqID, lastRptRequested: true };
    if (!ofSecurity && massStatusReqType !== MassStatusReqType.StatusForAllOrders) {
      const text = 'MassStatusReqType(585) must be 1 or 7';
      this.#reports.refuseStatus(compID, symbol === '' ? {} : { symbol }, { ...answer, text });
      return;
    }
    const orders = this.#orders.liveOf(compID).filter((order) => !ofSecurity || order.terms.symbol === symbol);
    if (orders.length === 0) {
      this.#reports.refuseStatus(compID, symbol === '' ? {} : { symbol }, { ...answer, text: 'no live order' });
      return;
    }
    orders.forEach((order, position) => {
      this.#reports.execution(order, this.#nowMicros(), {
        execType: ExecType.OrderStatus,
        massStatusReqID,
        totNumReports: orders.length,
        lastRptRequested: position === orders.length - 1,
      });
    });
  }
}
