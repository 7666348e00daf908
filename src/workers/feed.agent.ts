// hot: onMessage and onReadEnd, per message and per read. No allocation there, no closure, no exception.
import type { FixMessage } from '../core/fix/fix-message.ts';
import type { FixSession } from '../core/fix/fix-session.ts';
import { MsgType, SubscriptionRequestType } from '../core/fix/generated/fix-enums.gen.ts';
import { Tag } from '../core/fix/generated/fix-tags.gen.ts';
import { readMarketDataRequestReject, writeMarketDataRequest } from '../core/fix/market-data-messages.ts';
import { writeTradingSessionStatusRequest } from '../core/fix/security-messages.ts';
import { type FixApplication, SESSION_DEFAULTS } from '../core/fix/session-contract.ts';
import { SessionPhase, sessionPhase } from '../core/market/calendar.ts';
import { FeedHandler, FeedVerdict } from '../core/market-data/feed-handler.ts';
import { FeedInstruments } from '../core/market-data/feed-instruments.ts';
import { FeedSubscriptions } from '../core/market-data/feed-subscriptions.ts';
import { QuoteBoardWriter } from '../core/market-data/quote-board.ts';
import { QuoteFreshness } from '../core/market-data/quote-freshness.ts';
import { BroadcastRingProducer } from '../core/shm/broadcast-ring.ts';
import { DirtyBitmapWriter } from '../core/shm/dirty-bitmap.ts';
import { TRADE_RECORD_STRIDE_WORDS } from '../core/shm/generated/broadcast-ring.gen.ts';
import * as stats from '../core/shm/generated/worker-stats.gen.ts';
import { connectFix, type FixInitiator } from '../net/fix-tcp.ts';
import type { Log } from '../net/log.ts';
import { readVenueCredentials } from '../net/venue-credentials.ts';
import type { Agent, ControlMessage } from './agent.ts';
import type { FeedWiring } from './topology.ts';

const MICROS = 1_000;
/** TradSesReqID(335): there is one request a session. */
const TRADING_SESSION_REQUEST = 'TS1';
const SessionState = { Disconnected: 0, Connecting: 1, LoggedOn: 2 } as const;

/** The feed role: logs on to the exchange, subscribes to every instrument and keeps the quote board. */
export class FeedAgent implements Agent, FixApplication {
  readonly roleName: string;
  readonly #wiring: FeedWiring;
  readonly #log: Log;
  readonly #stats: Float64Array;
  readonly #board: QuoteBoardWriter;
  readonly #instruments: FeedInstruments;
  readonly #subscriptions = new FeedSubscriptions();
  readonly #freshness: QuoteFreshness;
  readonly #handler: FeedHandler;
  #initiator: FixInitiator | undefined;
  #address = '';
  /** Of the read being delivered: the edge asks the time once a read, before it delivers. */
  #arrivalMicros = 0;
  #sendingTimeMicros = 0;

  constructor(wiring: FeedWiring, log: Log) {
    const { buffers, instrumentCapacity, settings } = wiring;
    this.roleName = wiring.roleName;
    this.#wiring = wiring;
    this.#log = log;
    this.#stats = new Float64Array(wiring.stats);
    const dirty = buffers.dirtySets.map((buffer) => new DirtyBitmapWriter(buffer, instrumentCapacity));
    this.#board = new QuoteBoardWriter(buffers.board, instrumentCapacity, dirty);
    this.#instruments = new FeedInstruments(instrumentCapacity);
    const { staleAfterMs } = settings;
    this.#freshness = new QuoteFreshness(this.#board, this.#instruments, instrumentCapacity, staleAfterMs);
    const trades = new BroadcastRingProducer(buffers.trades, TRADE_RECORD_STRIDE_WORDS);
    this.#handler = new FeedHandler(this.#board, trades, this.#instruments, this.#freshness);
  }

  async onStart(): Promise<void> {
    this.#now();
    // A predecessor may have died inside a slot.
    const repaired = this.#board.repair(this.#arrivalMicros | 0);
    if (repaired > 0) this.#log('warn', 'slots that a dead feed worker left locked were repaired', { repaired });
    this.#load(this.#wiring.rows);
    const { venue } = this.#wiring.settings;
    if (venue) this.#connect(venue.host, venue.port);
  }

  onTimer(nowMs: number): void {
    this.#now();
    const { staleAfterMs, marketHours } = this.#wiring.settings;
    const session = this.#initiator?.session;
    if (session?.loggedOn) {
      this.#subscribe(session, nowMs);
      const open = sessionPhase(nowMs * MICROS, marketHours) === SessionPhase.Continuous;
      if (open && staleAfterMs > 0) this.#freshness.sweep(this.#arrivalMicros);
    }
    this.#board.wakeReaders();
    this.#writeStats();
  }

  onControl(message: ControlMessage): void {
    if (message.type === 'instruments') {
      this.#now();
      this.#load(message.rows);
    } else if (message.type === 'venue') {
      void this.#reconnect(message.host, message.port);
    }
  }

  async onClose(): Promise<void> {
    await this.#disconnect('shutting down');
  }

  onLogon(session: FixSession): void {
    this.#log('info', 'logged on to the exchange', { counterparty: session.counterpartyCompID });
    this.#stats[stats.FEED_STATS_CONNECTS >> 1]! += 1;
    this.#handler.halts.begin();
    this.#subscriptions.begin();
    this.#subscribe(session, session.nowMs);
    this.#askTradingSession(session);
  }

  onMessage(session: FixSession, message: FixMessage): void {
    this.#sendingTimeMicros = message.sendingTimeMicros;
    const verdict = this.#handler.onMessage(message, this.#arrivalMicros);
    if (verdict === FeedVerdict.Applied) return;
    if (verdict === FeedVerdict.Bad) this.#subscriptions.renew(session.nowMs);
    else this.#onOther(session, message);
  }

  onGap(session: FixSession, fromSeqNum: number, toSeqNum: number): void {
    this.#log('warn', 'messages of the exchange were missed; everything is subscribed anew', { fromSeqNum, toSeqNum });
    this.#stats[stats.FEED_STATS_GAPS >> 1]! += 1;
    this.#freshness.gap(this.#arrivalMicros);
    this.#subscriptions.renew(session.nowMs);
  }

  onReject(_session: FixSession, message: FixMessage): void {
    const text = message.find(Tag.Text, message.bodyPosition);
    const refSeqNum = message.find(Tag.RefSeqNum, message.bodyPosition);
    this.#log('error', 'the exchange rejected a message of ours', {
      refSeqNum: refSeqNum < 0 ? undefined : message.int(refSeqNum),
      text: text < 0 ? undefined : message.ascii(text).slice(0, 200),
    });
  }

  onLogout(_session: FixSession, text: string): void {
    this.#log('warn', 'the session with the exchange ended', { text });
    this.#now();
    this.#freshness.feedDown(this.#arrivalMicros);
    this.#board.wakeReaders();
    this.#writeStats();
  }

  onReadEnd(): void {
    this.#board.wakeReaders();
    this.#writeStats();
  }

  /** Epoch milliseconds for the session; the arrival time of what is delivered next is taken along, finer. */
  #now(): number {
    const micros = (performance.timeOrigin + performance.now()) * MICROS;
    this.#arrivalMicros = Math.floor(micros);
    return Math.floor(micros / MICROS);
  }

  #load(rows: FeedWiring['rows']): void {
    this.#instruments.load(rows);
    this.#freshness.instrumentsLoaded(this.#arrivalMicros);
    this.#handler.halts.instrumentsLoaded(this.#arrivalMicros);
    this.#subscriptions.list(rows.filter((row) => row.listed).map((row) => row.symbol));
    const session = this.#initiator?.session;
    if (session?.loggedOn) this.#subscribe(session, session.nowMs);
  }

  #subscribe(session: FixSession, nowMs: number): void {
    for (let request = this.#subscriptions.next(nowMs); request; request = this.#subscriptions.next(nowMs)) {
      writeMarketDataRequest(session.begin(MsgType.MarketDataRequest, nowMs), request);
      const result = session.send(nowMs);
      if (result < 0) this.#log('error', 'a MarketDataRequest could not be sent', { mdReqID: request.mdReqID, result });
    }
  }

  /** Halts of the whole market come by TradingSessionStatus (h). */
  #askTradingSession(session: FixSession): void {
    const subscriptionRequestType = SubscriptionRequestType.SnapshotPlusUpdates;
    const request = { tradSesReqID: TRADING_SESSION_REQUEST, subscriptionRequestType };
    writeTradingSessionStatusRequest(session.begin(MsgType.TradingSessionStatusRequest, session.nowMs), request);
    session.send(session.nowMs);
  }

  /** What is no market data: rare. */
  #onOther(session: FixSession, message: FixMessage): void {
    if (message.msgType !== MsgType.MarketDataRequestReject) {
      if (message.msgType === MsgType.BusinessMessageReject) this.#onBusinessReject(session, message);
      return;
    }
    const reject = readMarketDataRequestReject(message);
    if (!reject.ok) return;
    this.#log('warn', 'the exchange refused a MarketDataRequest', { text: reject.value.text });
    this.#subscriptions.refused(reject.value.mdReqID, session.nowMs);
    this.#subscribe(session, session.nowMs);
  }

  #onBusinessReject(session: FixSession, message: FixMessage): void {
    const refMsgType = message.find(Tag.RefMsgType, message.bodyPosition);
    const ofTradingSession = refMsgType >= 0 && message.char(refMsgType) === MsgType.TradingSessionStatusRequest;
    if (ofTradingSession) this.#log('info', 'the exchange tells nothing of halts of the whole market', {});
    else this.onReject(session, message);
  }

  async #reconnect(host: string, port: number): Promise<void> {
    if (this.#address === `${host}:${port}`) return;
    await this.#disconnect('the exchange has another address');
    this.#connect(host, port);
  }

  async #disconnect(text: string): Promise<void> {
    const initiator = this.#initiator;
    this.#initiator = undefined;
    await initiator?.close(text);
  }

  #connect(host: string, port: number): void {
    const { senderCompID, targetCompID, heartBtIntSeconds, reconnectMinMs, reconnectMaxMs, tls, ...login } =
      this.#wiring.settings;
    this.#address = `${host}:${port}`;
    this.#initiator = connectFix({
      host,
      port,
      session: {
        ...SESSION_DEFAULTS,
        role: 'initiator',
        senderCompID,
        targetCompID,
        heartBtIntSeconds,
        gapPolicy: 'feed',
        credentials: readVenueCredentials(login.username, login.passwordFile, process.env),
      },
      tls,
      application: this,
      reconnectMinMs,
      reconnectMaxMs,
      now: () => this.#now(),
      onReadEnd: () => this.onReadEnd(),
      onConnection: (event, detail) => this.#log('debug', `feed ${event}`, { detail }),
    });
  }

  #writeStats(): void {
    const block = this.#stats;
    const handler = this.#handler;
    const initiator = this.#initiator;
    if (handler.updateCount !== block[stats.FEED_STATS_UPDATES_IN >> 1]) {
      block[stats.FEED_STATS_LAST_UPDATE_MICROS >> 1] = this.#arrivalMicros;
    }
    block[stats.FEED_STATS_UPDATES_IN >> 1] = handler.updateCount;
    block[stats.FEED_STATS_TRADES_IN >> 1] = handler.tradeCount;
    block[stats.FEED_STATS_UNKNOWN_SYMBOLS >> 1] = handler.unknownSymbolCount;
    block[stats.FEED_STATS_INSTRUMENTS >> 1] = this.#instruments.count;
    block[stats.FEED_STATS_SUBSCRIBED >> 1] = this.#freshness.snapshotCount;
    block[stats.FEED_STATS_STALE >> 1] = this.#freshness.staleCount;
    if (initiator === undefined) {
      block[stats.FEED_STATS_SESSION_STATE >> 1] = SessionState.Disconnected;
      return;
    }
    const { session } = initiator;
    if (session.messagesIn !== block[stats.FEED_STATS_MESSAGES_IN >> 1]) {
      block[stats.FEED_STATS_LAST_MESSAGE_MICROS >> 1] = this.#arrivalMicros;
      if (this.#sendingTimeMicros > 0) {
        block[stats.FEED_STATS_LAG_MICROS >> 1] = this.#arrivalMicros - this.#sendingTimeMicros;
      }
    }
    block[stats.FEED_STATS_SESSION_STATE >> 1] = session.loggedOn ? SessionState.LoggedOn : SessionState.Connecting;
    block[stats.FEED_STATS_MESSAGES_IN >> 1] = session.messagesIn;
    block[stats.FEED_STATS_BYTES_IN >> 1] = initiator.bytesIn;
    block[stats.FEED_STATS_BAD_MESSAGES >> 1] = handler.badMessageCount + session.rejectsSent;
  }
}
