// hot: `published` per message and session. Requests are not.
import type { FixMessage } from '../fix/fix-message.ts';
import type { FixSession } from '../fix/fix-session.ts';
import {
  BusinessRejectReason,
  MDReqRejReason,
  MsgType,
  SubscriptionRequestType,
} from '../fix/generated/fix-enums.gen.ts';
import { Tag } from '../fix/generated/fix-tags.gen.ts';
import {
  MARKET_DATA_ENTRY_TYPES,
  type MarketDataRequest,
  MD_UPDATE_INCREMENTAL,
  readMarketDataRequest,
  writeMarketDataRequestReject,
} from '../fix/market-data-messages.ts';
import { EntryCut } from './entry-cut.ts';
import type { MarketDataBody, MarketDataListener, MarketDataSource } from './market-data-body.ts';
import { type MarketDataView, marketDataView, NO_VIEW, WHOLE_VIEW } from './market-data-view.ts';

/** Open requests a session may have; at 500 symbols each that is every instrument several times over. */
export const SESSION_REQUESTS_MAX = 4_096;
const ENTRY_TYPES_TEXT = MARKET_DATA_ENTRY_TYPES.map((entryType) => String.fromCharCode(entryType)).join(' ');

interface Subscriber {
  readonly session: FixSession;
  /** By instrument: what the request it is served under asked to see, or NO_VIEW. */
  readonly viewOf: Int32Array;
  /** By instrument: the position of that request in `requestIds`; it means nothing without a view. */
  readonly requestOf: Uint16Array;
  /** MDReqID(262) by position; '' where one was given up. */
  readonly requestIds: string[];
}

/**
 * The market data side of all sessions: MarketDataRequest (V) in; W, X, f and MarketDataRequestReject (Y) out. A request is served whole or
 * refused whole, and an instrument is served under the request that asked for it last. An X goes out as it was encoded to a session that sees all
 * of it; others get what they see cut out of it, and no X when that is nothing.
 */
export class MarketDataSessions implements MarketDataListener {
  /** The wall clock, epoch milliseconds; its owner moves it before each call. */
  nowMs = 0;
  readonly #source: () => MarketDataSource;
  readonly #subscribers = new Map<FixSession, Subscriber>();
  readonly #cut = new EntryCut();

  /** `source` is asked at each request, so that it may be made after this. */
  constructor(source: () => MarketDataSource) {
    this.#source = source;
  }

  /** Forgets the session and what it subscribed to. */
  remove(session: FixSession): void {
    this.#subscribers.delete(session);
  }

  published(body: MarketDataBody): void {
    for (const subscriber of this.#subscribers.values()) {
      if (subscriber.session.loggedOn) this.#deliver(subscriber, body);
    }
  }

  /** Takes a MarketDataRequest (V). */
  request(session: FixSession, message: FixMessage): void {
    const parsed = readMarketDataRequest(message);
    if (!parsed.ok) {
      session.reject(message, parsed, session.nowMs);
      return;
    }
    const request = parsed.value;
    const { subscriptionRequestType } = request;
    if (subscriptionRequestType === SubscriptionRequestType.DisablePreviousSnapshotPlusUpdateRequest) {
      this.#unsubscribe(session, message, request.mdReqID);
      return;
    }
    const wantsUpdates = subscriptionRequestType === SubscriptionRequestType.SnapshotPlusUpdates;
    if (wantsUpdates && request.mdUpdateType !== MD_UPDATE_INCREMENTAL) {
      const text = 'MDUpdateType(265) must be 1, incremental';
      refuse(session, request.mdReqID, MDReqRejReason.UnsupportedMDUpdateType, text);
      return;
    }
    const view = marketDataView(request.marketDepth, request.entryTypes);
    if (view === NO_VIEW) {
      const text = `MDEntryType(269) must be one of ${ENTRY_TYPES_TEXT}`;
      refuse(session, request.mdReqID, MDReqRejReason.UnsupportedMDEntryType, text);
      return;
    }
    this.#serve(session, request, view);
  }

  #serve(session: FixSession, request: MarketDataRequest, view: MarketDataView): void {
    const source = this.#source();
    const { mdReqID } = request;
    const indices: number[] = [];
    for (const symbol of request.symbols) {
      const index = source.indexOfSymbol(symbol);
      if (index < 0) {
        // What is not printable cannot be sent back.
        const shown = symbol.replace(/[^ -~]/g, '?');
        refuse(session, mdReqID, MDReqRejReason.UnknownSymbol, `Symbol(55) ${shown} is not listed`);
        return;
      }
      indices.push(index);
    }
    if (request.subscriptionRequestType === SubscriptionRequestType.Snapshot) {
      for (const index of indices) this.#sendSnapshot(session, source.snapshot(index), mdReqID, view);
      return;
    }
    const subscriber = this.#subscriberOf(session, source.capacity);
    const { requestIds } = subscriber;
    if (requestIds.includes(mdReqID)) {
      refuse(session, mdReqID, MDReqRejReason.DuplicateMDReqID, 'MDReqID(262) is in use');
      return;
    }
    let slot = requestIds.indexOf('');
    if (slot < 0) slot = requestIds.length;
    if (slot >= SESSION_REQUESTS_MAX) {
      const text = `a session has at most ${SESSION_REQUESTS_MAX} requests`;
      refuse(session, mdReqID, MDReqRejReason.InsufficientBandwidth, text);
      return;
    }
    requestIds[slot] = mdReqID;
    for (const index of indices) {
      // The snapshot delivers what is open first, which must not reach this session before its W.
      const snapshot = source.snapshot(index);
      subscriber.requestOf[index] = slot;
      subscriber.viewOf[index] = view;
      this.#sendSnapshot(session, snapshot, mdReqID, view);
      const halt = source.haltStatus(index);
      if (halt !== null) this.#sendBody(session, halt);
    }
  }

  #unsubscribe(session: FixSession, message: FixMessage, mdReqID: string): void {
    const subscriber = this.#subscribers.get(session);
    const slot = subscriber?.requestIds.indexOf(mdReqID) ?? -1;
    if (subscriber === undefined || slot < 0) {
      const text = 'MDReqID(262) is not in use';
      session.businessReject(message, mdReqID, BusinessRejectReason.UnknownId, text, session.nowMs);
      return;
    }
    subscriber.requestIds[slot] = '';
    const { requestOf, viewOf } = subscriber;
    for (let index = 0; index < viewOf.length; index++) if (requestOf[index] === slot) viewOf[index] = NO_VIEW;
  }

  #subscriberOf(session: FixSession, capacity: number): Subscriber {
    let subscriber = this.#subscribers.get(session);
    if (subscriber === undefined) {
      const viewOf = new Int32Array(capacity).fill(NO_VIEW);
      subscriber = { session, viewOf, requestOf: new Uint16Array(capacity), requestIds: [] };
      this.#subscribers.set(session, subscriber);
    }
    return subscriber;
  }

  #deliver(subscriber: Subscriber, body: MarketDataBody): void {
    const { session, viewOf } = subscriber;
    if (body.msgType !== MsgType.MarketDataIncrementalRefresh) {
      const index = body.segmentInstruments[0]!;
      const view = viewOf[index]!;
      if (view === NO_VIEW) return;
      if (body.msgType === MsgType.SecurityStatus) this.#sendBody(session, body);
      else this.#sendSnapshot(session, body, subscriber.requestIds[subscriber.requestOf[index]!]!, view);
      return;
    }
    let whole = 0;
    let narrow = 0;
    for (let segment = 0; segment < body.segmentCount; segment++) {
      const view = viewOf[body.segmentInstruments[segment]!]!;
      if (view === WHOLE_VIEW) whole++;
      else if (view !== NO_VIEW) narrow++;
    }
    if (whole === body.segmentCount) this.#sendBody(session, body);
    else if (whole + narrow > 0) this.#sendSeen(subscriber, body);
  }

  /** Sends what the session sees of an X, if anything. */
  #sendSeen(subscriber: Subscriber, body: MarketDataBody): void {
    const { session, viewOf } = subscriber;
    const cut = this.#cut;
    cut.begin(body);
    for (let segment = 0; segment < body.segmentCount; segment++) {
      const view = viewOf[body.segmentInstruments[segment]!]!;
      if (view === WHOLE_VIEW) cut.keepAll(segment);
      else if (view !== NO_VIEW) cut.keepSeen(segment, view);
    }
    if (cut.entryCount === 0) return;
    cut.write(session.begin(body.msgType, this.nowMs));
    session.send(this.nowMs);
  }

  /** A W, which names its request; with no entries when nothing is in view, for it is the answer. */
  #sendSnapshot(session: FixSession, body: MarketDataBody, mdReqID: string, view: MarketDataView): void {
    const encoder = session.begin(body.msgType, this.nowMs);
    encoder.ascii(Tag.MDReqID, mdReqID);
    if (view === WHOLE_VIEW) {
      encoder.fields(body.buffer, body.start, body.end);
    } else {
      this.#cut.begin(body);
      this.#cut.keepSeen(0, view);
      this.#cut.write(encoder);
    }
    session.send(this.nowMs);
  }

  /** An X or f as it was encoded. */
  #sendBody(session: FixSession, body: MarketDataBody): void {
    session.begin(body.msgType, this.nowMs).fields(body.buffer, body.start, body.end);
    session.send(this.nowMs);
  }
}

function refuse(session: FixSession, mdReqID: string, mdReqRejReason: MDReqRejReason, text: string): void {
  writeMarketDataRequestReject(session.begin(MsgType.MarketDataRequestReject, session.nowMs), {
    mdReqID,
    mdReqRejReason,
    text,
  });
  session.send(session.nowMs);
}
