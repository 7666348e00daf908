import { ExecutionReportRecord } from '../../core/fix/execution-report-record.ts';
import type { FixMessage } from '../../core/fix/fix-message.ts';
import type { FixSession } from '../../core/fix/fix-session.ts';
import { FixVersion } from '../../core/fix/fix-version.ts';
import { ExecType, MsgType, OrdStatus } from '../../core/fix/generated/fix-enums.gen.ts';
import { writeOrderStatusRequest } from '../../core/fix/order-status-messages.ts';
import { type FixApplication, SESSION_DEFAULTS } from '../../core/fix/session-contract.ts';
import { clOrdIDOf, type Order, OrderStatus } from '../../core/ledger/order.ts';
import { sideOf } from '../../core/orders/venue-terms.ts';
import { connectFix } from '../../net/fix-tcp.ts';
import { ORDER_COMP_ID, VENUE_COMP_ID } from './order-crash-checks.ts';

/** What the exchange says of an order. */
export interface VenueStatus {
  readonly ordStatus: OrdStatus;
  readonly cumQty: number;
  readonly text: string;
}

const STATUSES: Partial<Record<OrderStatus, OrdStatus>> = {
  [OrderStatus.Open]: OrdStatus.New,
  [OrderStatus.PartiallyFilled]: OrdStatus.PartiallyFilled,
  [OrderStatus.Filled]: OrdStatus.Filled,
  [OrderStatus.Canceled]: OrdStatus.Canceled,
  [OrderStatus.Rejected]: OrdStatus.Rejected,
};
/** Between two OrderStatusRequests the session breathes. */
const QUESTIONS_AT_ONCE = 500;

/**
 * Asks the exchange after orders over a session of its own, of FIX 4.2 and the broker's CompID, since orders belong to the CompID: independent of all that the broker remembers. Reports go to
 * this session from then on.
 */
export async function askVenue(
  port: number,
  orders: readonly { readonly order: Order; readonly symbol: string }[],
  timeoutMs: number,
): Promise<Map<string, VenueStatus>> {
  const found = new Map<string, VenueStatus>();
  const report = new ExecutionReportRecord();
  let onChange = (): void => {};
  let session: FixSession | undefined;
  const application: FixApplication = {
    onLogon: (loggedOn) => {
      session = loggedOn;
      onChange();
    },
    onMessage: (_, message: FixMessage) => {
      if (message.msgType !== MsgType.ExecutionReport || !report.read(message, FixVersion.Fix42)) return;
      if (report.execType !== ExecType.OrderStatus) return;
      const { ordStatus, cumQty } = report;
      found.set(report.text(report.clOrdIDAt), { ordStatus, cumQty, text: report.text(report.textAt) });
      onChange();
    },
    onGap: () => {},
    onLogout: () => {},
  };
  const initiator = connectFix({
    ...{ host: '127.0.0.1', port, application, reconnectMinMs: 100, reconnectMaxMs: 1_000 },
    session: {
      ...SESSION_DEFAULTS,
      ...{ role: 'initiator', beginString: FixVersion.Fix42, senderCompID: ORDER_COMP_ID },
      ...{ targetCompID: VENUE_COMP_ID, gapPolicy: 'resend', credentials: null },
    },
  });
  const until = (condition: () => boolean, what: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`waited ${timeoutMs} ms for ${what}`)), timeoutMs);
      onChange = () => {
        if (!condition()) return;
        clearTimeout(timer);
        resolve();
      };
      onChange();
    });
  try {
    await until(() => session !== undefined, 'the exchange to answer');
    for (let from = 0; from < orders.length; from += QUESTIONS_AT_ONCE) {
      const part = orders.slice(from, from + QUESTIONS_AT_ONCE);
      for (const { order, symbol } of part) {
        const clOrdID = nameAtVenue(order);
        const body = { ordStatusReqID: '', clOrdID, symbol, side: sideOf(order.side) };
        writeOrderStatusRequest(session!.begin(MsgType.OrderStatusRequest, Date.now()), body, FixVersion.Fix42);
        if (session!.send(Date.now()) <= 0) throw new Error('a question could not be sent');
      }
      await until(() => part.every(({ order }) => found.has(nameAtVenue(order))), 'the exchange’s answers');
    }
    return found;
  } finally {
    await initiator.close('');
  }
}

export function nameAtVenue({ orderID, venueVersion }: Order): string {
  return clOrdIDOf(orderID, venueVersion);
}

/** What the exchange and the ledger have different of an order; '' for nothing. */
export function venueFault(order: Order, theirs: VenueStatus): string {
  const { status, cumQty, terms } = order;
  // A stop order that waits here, and what never left or was refused, the exchange does not know.
  const isUnknown = theirs.ordStatus === OrdStatus.Rejected;
  if (isUnknown && cumQty === 0 && status !== OrderStatus.Open) return '';
  const isSame = cumQty === theirs.cumQty && STATUSES[status] === theirs.ordStatus;
  if (isSame) return '';
  const ours = `${status}, ${cumQty} of ${terms.quantity}`;
  return `order ${order.orderID} (${nameAtVenue(order)}): here ${ours}; at the exchange ${String.fromCharCode(theirs.ordStatus)}, ${theirs.cumQty} ${theirs.text}`;
}
