import type { FixMessage } from '../fix/fix-message.ts';
import type { FixSession } from '../fix/fix-session.ts';
import { MassCancelRejectReason, MassCancelRequestType, MassCancelResponse } from '../fix/generated/fix-enums.gen.ts';
import { type OrderMassCancelRequest, readOrderMassCancelRequest } from '../fix/order-status-messages.ts';
import type { OrderReports } from './order-reports.ts';
import type { OutsideOrder, OutsideOrders } from './outside-orders.ts';
import { REJECT_RULES, RejectCode } from './reject-codes.ts';

/** What a mass cancel needs of the market. */
export interface MassCancelVenue {
  /** The index of a listed symbol, or a negative number. */
  indexOfSymbol(symbol: string): number;
  /** What keeps orders from being canceled now, or None. */
  cancelRefusal(): RejectCode;
  /** Cancels a live order, reported under the ClOrdID(11) of a request ('' for none) with a text. */
  cancel(order: OutsideOrder, requestClOrdID: string, text: string): void;
}

/**
 * OrderMassCancelRequest (q): the live orders of the CompID, all (7) or of one symbol (1), of both sides or one. The answer is an OrderMassCancelReport (r),
 * then an ExecutionReport for each order; its ClOrdID(11) is the request's, OrigClOrdID(41) the order's.
 */
export class MassCancel {
  readonly #orders: OutsideOrders;
  readonly #reports: OrderReports;
  readonly #venue: MassCancelVenue;

  constructor(orders: OutsideOrders, reports: OrderReports, venue: MassCancelVenue) {
    this.#orders = orders;
    this.#reports = reports;
    this.#venue = venue;
  }

  take(session: FixSession, message: FixMessage): void {
    const parsed = readOrderMassCancelRequest(message);
    if (!parsed.ok) {
      session.reject(message, parsed, session.nowMs);
      return;
    }
    const request = parsed.value;
    const compID = session.counterpartyCompID;
    const ofSecurity = request.massCancelRequestType === MassCancelRequestType.CancelOrdersForASecurity;
    const closed = this.#venue.cancelRefusal();
    if (!ofSecurity && request.massCancelRequestType !== MassCancelRequestType.CancelAllOrders) {
      const text = 'MassCancelRequestType(530) must be 1 or 7';
      this.#refuse(compID, request, MassCancelRejectReason.MassCancelNotSupported, text);
    } else if (ofSecurity && this.#venue.indexOfSymbol(request.symbol) < 0) {
      const { text } = REJECT_RULES[RejectCode.UnknownSymbol];
      this.#refuse(compID, request, MassCancelRejectReason.InvalidOrUnknownSecurity, text);
    } else if (closed !== RejectCode.None) {
      this.#refuse(compID, request, MassCancelRejectReason.Other, REJECT_RULES[closed].text);
    } else {
      const { clOrdID, side, symbol, massCancelRequestType } = request;
      const orders = this.#orders
        .liveOf(compID)
        .filter(({ terms }) => (!ofSecurity || terms.symbol === symbol) && (side === null || terms.side === side));
      const massCancelResponse = ofSecurity
        ? MassCancelResponse.CancelOrdersForASecurity
        : MassCancelResponse.CancelAllOrders;
      this.#report(compID, {
        ...{ clOrdID, massCancelRequestType, massCancelResponse, symbol },
        totalAffectedOrders: orders.length,
      });
      for (const order of orders) this.#venue.cancel(order, clOrdID, '');
    }
  }

  /** Cancels every live order of a CompID whose session dropped; in a closed market they stay. */
  onDisconnect(compID: string): void {
    if (this.#venue.cancelRefusal() !== RejectCode.None) return;
    for (const order of this.#orders.liveOf(compID)) this.#venue.cancel(order, '', 'the session was disconnected');
  }

  #refuse(compID: string, request: OrderMassCancelRequest, reason: MassCancelRejectReason, text: string): void {
    const { clOrdID, massCancelRequestType, symbol } = request;
    const massCancelResponse = MassCancelResponse.CancelRequestRejected;
    this.#report(compID, {
      ...{ clOrdID, massCancelRequestType, massCancelResponse, symbol, text },
      massCancelRejectReason: reason,
    });
  }

  #report(
    compID: string,
    report: Pick<
      Parameters<OrderReports['massCancel']>[1],
      'clOrdID' | 'massCancelRequestType' | 'massCancelResponse' | 'symbol'
    > & { totalAffectedOrders?: number; massCancelRejectReason?: MassCancelRejectReason; text?: string },
  ): void {
    this.#reports.massCancel(compID, {
      ...{ orderID: report.clOrdID, totalAffectedOrders: 0, massCancelRejectReason: null, text: '' },
      ...report,
    });
  }
}
