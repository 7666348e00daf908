import type { FixMessage } from '../fix/fix-message.ts';
import type { FixSession } from '../fix/fix-session.ts';
import { MemoryFixStore } from '../fix/fix-store.ts';
import { FixVersion, fixVersionOf, isInVersion } from '../fix/fix-version.ts';
import { BusinessRejectReason, MsgType } from '../fix/generated/fix-enums.gen.ts';
import type { FixApplication, FixSessionProfile, LogonIdentity } from '../fix/session-contract.ts';
import type { MarketDataSource } from './market-data-body.ts';
import { MarketDataSessions } from './market-data-sessions.ts';
import { MarketStatusSessions, type MarketStatusSource } from './market-status-sessions.ts';
import { OrderEntry, type OrderVenue } from './order-entry.ts';
import { NO_RECORD, type OrderRecord } from './past-orders.ts';
import { ReportMailboxes } from './report-mailboxes.ts';

const SESSIONS_KEPT = 128;

/** Whether a message that was missed is sent again: not market data, which the next says anew. */
export function isWorthResending(message: FixMessage): boolean {
  switch (message.msgType) {
    case MsgType.MarketDataSnapshotFullRefresh:
    case MsgType.MarketDataIncrementalRefresh:
    case MsgType.SecurityStatus:
      return false;
    default:
      return true;
  }
}

/** The exchange's side of all FIX sessions: market data, lists, states and orders on any of them. */
export class ExchangeApplication implements FixApplication {
  readonly marketData: MarketDataSessions;
  readonly orders: OrderEntry;
  readonly #status: MarketStatusSessions;
  readonly #mailboxes = new ReportMailboxes();
  readonly #cancelOnDisconnect: boolean;
  readonly #stores = new Map<string, MemoryFixStore>();

  /**
   * `source` and `venue` are asked when needed, so that they may be made after this; without a venue orders are refused. With `cancelOnDisconnect` the
   * live orders of a CompID are canceled when the session that its reports go to ends.
   */
  constructor(
    source: () => MarketDataSource & MarketStatusSource,
    venue: () => OrderVenue | null,
    idPrefix: string,
    cancelOnDisconnect: boolean = false,
    record: OrderRecord = NO_RECORD,
  ) {
    this.marketData = new MarketDataSessions(source);
    this.#status = new MarketStatusSessions(source);
    this.orders = new OrderEntry(venue, this.#mailboxes, idPrefix, record);
    this.#cancelOnDisconnect = cancelOnDisconnect;
  }

  /** The wall clock, epoch milliseconds, for what is sent from now on. */
  setNow(nowMs: number): void {
    this.marketData.nowMs = nowMs;
    this.#mailboxes.nowMs = nowMs;
  }

  /** Tells those who asked when trading in the market or in an instrument stopped or went on. */
  publishStatus(nowMs: number): void {
    this.#status.publish(nowMs);
  }

  /**
   * Both versions are served at one port; orders belong to the CompID, whichever it speaks. The numbers of a session, and what it was sent, outlive
   * its connections; of SESSIONS_KEPT sessions, those that logged on last.
   */
  identify(session: FixSession, { beginString, senderCompID }: LogonIdentity): FixSessionProfile | null {
    const isDefault = beginString === session.settings.beginString;
    if (!isDefault && beginString !== FixVersion.Fix42) return null;
    const key = `${beginString} ${senderCompID}`;
    const store = this.#stores.get(key) ?? new MemoryFixStore();
    this.#stores.delete(key);
    this.#stores.set(key, store);
    if (this.#stores.size > SESSIONS_KEPT) this.#stores.delete(this.#stores.keys().next().value!);
    return { settings: isDefault ? session.settings : { ...session.settings, beginString }, store };
  }

  onLogon(session: FixSession): void {
    this.setNow(session.nowMs);
    this.#mailboxes.logon(session);
  }

  onMessage(session: FixSession, message: FixMessage): void {
    this.setNow(session.nowMs);
    if (!isInVersion(message.msgType, fixVersionOf(session.settings.beginString))) {
      const text = `${session.settings.beginString} has no such message`;
      session.businessReject(message, '', BusinessRejectReason.UnsupportedMessageType, text, session.nowMs);
      return;
    }
    switch (message.msgType) {
      case MsgType.MarketDataRequest:
        this.marketData.request(session, message);
        return;
      case MsgType.NewOrderSingle:
      case MsgType.OrderCancelRequest:
      case MsgType.OrderCancelReplaceRequest:
      case MsgType.OrderStatusRequest:
      case MsgType.OrderMassStatusRequest:
      case MsgType.OrderMassCancelRequest:
        this.orders.take(session, message);
        return;
      case MsgType.SecurityListRequest:
        this.#status.securityList(session, message);
        return;
      case MsgType.SecurityStatusRequest:
        this.#status.security(session, message);
        return;
      case MsgType.TradingSessionStatusRequest:
        this.#status.tradingSession(session, message);
        return;
      default: {
        const text = 'the exchange takes V, D, F, G, H, AF, q, x, e and g';
        session.businessReject(message, '', BusinessRejectReason.UnsupportedMessageType, text, session.nowMs);
      }
    }
  }

  /** An acceptor's gap is the session's to fill; sessions here have the policy `resend`. */
  onGap(): void {}

  onLogout(session: FixSession): void {
    this.marketData.remove(session);
    this.#status.remove(session);
    const wasOrderSession = this.#mailboxes.logout(session);
    if (wasOrderSession && this.#cancelOnDisconnect) this.orders.cancelOnDisconnect(session.counterpartyCompID);
  }
}
