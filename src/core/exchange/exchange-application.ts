import type { FixMessage } from '../fix/fix-message.ts';
import type { FixSession } from '../fix/fix-session.ts';
import { BusinessRejectReason, MsgType } from '../fix/generated/fix-enums.gen.ts';
import type { FixApplication } from '../fix/session-contract.ts';
import type { MarketDataSource } from './market-data-body.ts';
import { MarketDataSessions } from './market-data-sessions.ts';
import { OrderEntry, type OrderVenue } from './order-entry.ts';
import { ReportMailboxes } from './report-mailboxes.ts';

/** The exchange's side of all FIX sessions: market data and orders on any of them. */
export class ExchangeApplication implements FixApplication {
  readonly marketData: MarketDataSessions;
  readonly orders: OrderEntry;
  readonly #mailboxes = new ReportMailboxes();

  /** `source` and `venue` are asked when needed, so that they may be made after this; without a venue orders are refused. */
  constructor(source: () => MarketDataSource, venue: () => OrderVenue | null, idPrefix: string) {
    this.marketData = new MarketDataSessions(source);
    this.orders = new OrderEntry(venue, this.#mailboxes, idPrefix);
  }

  /** The wall clock, epoch milliseconds, for what is sent from now on. */
  setNow(nowMs: number): void {
    this.marketData.nowMs = nowMs;
    this.#mailboxes.nowMs = nowMs;
  }

  onLogon(session: FixSession): void {
    this.setNow(session.nowMs);
    this.#mailboxes.logon(session);
  }

  onMessage(session: FixSession, message: FixMessage): void {
    this.setNow(session.nowMs);
    switch (message.msgType) {
      case MsgType.MarketDataRequest:
        this.marketData.request(session, message);
        return;
      case MsgType.NewOrderSingle:
      case MsgType.OrderCancelRequest:
      case MsgType.OrderCancelReplaceRequest:
        this.orders.take(session, message);
        return;
      default: {
        const text = 'the exchange takes V, D, F and G';
        session.businessReject(message, '', BusinessRejectReason.UnsupportedMessageType, text, session.nowMs);
      }
    }
  }

  /** An acceptor's gap is the session's to fill; sessions here have the policy `resend`. */
  onGap(): void {}

  onLogout(session: FixSession): void {
    this.marketData.remove(session);
    this.#mailboxes.logout(session);
  }
}
