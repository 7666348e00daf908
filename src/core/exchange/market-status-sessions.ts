import type { FixMessage } from '../fix/fix-message.ts';
import type { FixSession } from '../fix/fix-session.ts';
import {
  BusinessRejectReason,
  MsgType,
  SecurityListRequestType,
  SecurityRequestResult,
  SecurityTradingStatus,
  SubscriptionRequestType,
  type TradSesStatus,
} from '../fix/generated/fix-enums.gen.ts';
import { Tag } from '../fix/generated/fix-tags.gen.ts';
import {
  LIST_SECURITIES_MAX,
  type ListedSecurity,
  readSecurityListRequest,
  readSecurityStatusRequest,
  readTradingSessionStatusRequest,
  writeSecurityList,
  writeTradingSessionStatus,
} from '../fix/security-messages.ts';
import type { InstrumentTable } from '../market-data/instrument-table.ts';
import { listedSecurity } from '../market-data/security-list-master.ts';

/** TradingSessionID(336) of the one trading session a day has. */
export const TRADING_SESSION_ID = 'NORMAL';
/** SecurityStatusRequests that a session may have open. */
export const STATUS_REQUESTS_MAX = 4_096;

/** What is asked of the market, or of a recording of one. */
export interface MarketStatusSource {
  readonly tradSesStatus: TradSesStatus;
  /** Null for a recording: it knows symbols alone. */
  readonly table: InstrumentTable | null;
  /** The index of a listed symbol, or a negative number. */
  indexOfSymbol(symbol: string): number;
  isHalted(index: number): boolean;
}

interface StatusSubscriber {
  /** TradSesReqID(335) it asked under; '' when it did not. */
  tradSesReqID: string;
  /** SecurityStatusReqID(324) by Symbol(55), and whether it was told of a halt last. */
  readonly securities: Map<string, { readonly reqID: string; halted: boolean }>;
}

/**
 * The state of trading, for those who ask: TradingSessionStatusRequest (g) about the whole market and SecurityStatusRequest (e) about one instrument, once or with
 * every change; and SecurityListRequest (x), answered by as many SecurityLists (y) as it takes.
 */
export class MarketStatusSessions {
  readonly #source: () => MarketStatusSource;
  readonly #subscribers = new Map<FixSession, StatusSubscriber>();
  #toldStatus: TradSesStatus | null = null;
  #listCount = 0;

  /** `source` is asked at each request, so that it may be made after this. */
  constructor(source: () => MarketStatusSource) {
    this.#source = source;
  }

  remove(session: FixSession): void {
    this.#subscribers.delete(session);
  }

  /** Takes a g. */
  tradingSession(session: FixSession, message: FixMessage): void {
    const parsed = readTradingSessionStatusRequest(message);
    if (!parsed.ok) {
      session.reject(message, parsed, session.nowMs);
      return;
    }
    const { tradSesReqID, subscriptionRequestType } = parsed.value;
    if (subscriptionRequestType === SubscriptionRequestType.DisablePreviousSnapshotPlusUpdateRequest) {
      this.#subscriberOf(session).tradSesReqID = '';
      return;
    }
    if (subscriptionRequestType === SubscriptionRequestType.SnapshotPlusUpdates)
      this.#subscriberOf(session).tradSesReqID = tradSesReqID;
    this.#sendTradingSession(session, tradSesReqID, session.nowMs);
  }

  /** Takes an e. */
  security(session: FixSession, message: FixMessage): void {
    const parsed = readSecurityStatusRequest(message);
    if (!parsed.ok) {
      session.reject(message, parsed, session.nowMs);
      return;
    }
    const { securityStatusReqID: reqID, symbol, subscriptionRequestType } = parsed.value;
    const { securities } = this.#subscriberOf(session);
    if (subscriptionRequestType === SubscriptionRequestType.DisablePreviousSnapshotPlusUpdateRequest) {
      securities.delete(symbol);
      return;
    }
    const source = this.#source();
    const index = source.indexOfSymbol(symbol);
    if (index < 0) {
      const text = 'Symbol(55) is not listed';
      session.businessReject(message, reqID, BusinessRejectReason.UnknownSecurity, text, session.nowMs);
      return;
    }
    const halted = source.isHalted(index);
    if (subscriptionRequestType === SubscriptionRequestType.SnapshotPlusUpdates) {
      if (securities.size >= STATUS_REQUESTS_MAX && !securities.has(symbol)) {
        const text = `a session has at most ${STATUS_REQUESTS_MAX} status requests`;
        session.businessReject(message, reqID, BusinessRejectReason.ApplicationNotAvailable, text, session.nowMs);
        return;
      }
      securities.set(symbol, { reqID, halted });
    }
    sendSecurityStatus(session, reqID, symbol, halted, session.nowMs);
  }

  /** Takes an x: the whole list, or one symbol of it. */
  securityList(session: FixSession, message: FixMessage): void {
    const parsed = readSecurityListRequest(message);
    if (!parsed.ok) {
      session.reject(message, parsed, session.nowMs);
      return;
    }
    const { securityReqID, securityListRequestType: type, symbol } = parsed.value;
    const { table } = this.#source();
    const isSymbol = type === SecurityListRequestType.Symbol;
    if (table === null || (!isSymbol && type !== SecurityListRequestType.AllSecurities)) {
      const result =
        table === null
          ? SecurityRequestResult.RequestForInstrumentDataNotSupported
          : SecurityRequestResult.InvalidOrUnsupportedRequest;
      this.#sendList(session, securityReqID, result, [], 0, true);
      return;
    }
    const indices = isSymbol ? [table.indexOfSymbol(symbol)].filter((index) => index >= 0) : listedIndices(table);
    if (indices.length === 0) {
      const result = SecurityRequestResult.NoInstrumentsFoundThatMatchSelectionCriteria;
      this.#sendList(session, securityReqID, result, [], 0, true);
    }
    for (let at = 0; at < indices.length; at += LIST_SECURITIES_MAX) {
      const part = indices.slice(at, at + LIST_SECURITIES_MAX);
      const securities = part.map((index) => listedSecurity(table.instrument(index)));
      const isLast = at + LIST_SECURITIES_MAX >= indices.length;
      this.#sendList(session, securityReqID, SecurityRequestResult.ValidRequest, securities, indices.length, isLast);
    }
  }

  /** Tells subscribers what changed since the last call. */
  publish(nowMs: number): void {
    const source = this.#source();
    const status = source.tradSesStatus;
    const isNew = this.#toldStatus !== null && status !== this.#toldStatus;
    this.#toldStatus = status;
    for (const [session, { tradSesReqID, securities }] of this.#subscribers) {
      if (!session.loggedOn) continue;
      if (isNew && tradSesReqID !== '') this.#sendTradingSession(session, tradSesReqID, nowMs);
      for (const [symbol, told] of securities) {
        const index = source.indexOfSymbol(symbol);
        const halted = index < 0 || source.isHalted(index);
        if (halted === told.halted) continue;
        told.halted = halted;
        sendSecurityStatus(session, told.reqID, symbol, halted, nowMs);
      }
    }
  }

  #subscriberOf(session: FixSession): StatusSubscriber {
    let subscriber = this.#subscribers.get(session);
    if (subscriber === undefined) {
      subscriber = { tradSesReqID: '', securities: new Map() };
      this.#subscribers.set(session, subscriber);
    }
    return subscriber;
  }

  #sendTradingSession(session: FixSession, tradSesReqID: string, nowMs: number): void {
    const { tradSesStatus } = this.#source();
    const status = { tradSesReqID, tradingSessionID: TRADING_SESSION_ID, tradSesStatus, text: '' };
    writeTradingSessionStatus(session.begin(MsgType.TradingSessionStatus, nowMs), status);
    session.send(nowMs);
  }

  #sendList(
    session: FixSession,
    securityReqID: string,
    securityRequestResult: SecurityRequestResult,
    securities: readonly ListedSecurity[],
    totNoRelatedSym: number,
    lastFragment: boolean,
  ): void {
    const securityResponseID = `L${++this.#listCount}`;
    writeSecurityList(session.begin(MsgType.SecurityList, session.nowMs), {
      ...{ securityReqID, securityResponseID, securityRequestResult, totNoRelatedSym, lastFragment, securities },
    });
    session.send(session.nowMs);
  }
}

function sendSecurityStatus(session: FixSession, reqID: string, symbol: string, halted: boolean, nowMs: number): void {
  const encoder = session.begin(MsgType.SecurityStatus, nowMs);
  encoder.ascii(Tag.SecurityStatusReqID, reqID);
  encoder.ascii(Tag.Symbol, symbol);
  encoder.int(
    Tag.SecurityTradingStatus,
    halted ? SecurityTradingStatus.TradingHalt : SecurityTradingStatus.ReadyToTrade,
  );
  session.send(nowMs);
}

function listedIndices(table: InstrumentTable): number[] {
  const indices: number[] = [];
  for (let index = 0; index < table.count; index++) if (table.isListed(index)) indices.push(index);
  return indices;
}
