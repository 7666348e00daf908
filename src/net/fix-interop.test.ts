// jspurefix wants this before its own modules.
import 'reflect-metadata';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import {
  AsciiSession,
  EmptyLogFactory,
  type IJsFixConfig,
  type ISessionDescription,
  type MsgView,
  SessionLauncher,
} from 'jspurefix';
import t from 'tap';
import { MsgType, SubscriptionRequestType } from '../core/fix/generated/fix-enums.gen.ts';
import { writeMarketDataRequest } from '../core/fix/market-data-messages.ts';
import { SESSION_DEFAULTS } from '../core/fix/session-contract.ts';
import { FeedHandler, FeedVerdict } from '../core/market-data/feed-handler.ts';
import { QuoteBoardReader, QuoteBoardWriter, quoteBoardByteLength } from '../core/market-data/quote-board.ts';
import { QuoteFreshness } from '../core/market-data/quote-freshness.ts';
import { EMPTY_QUOTE, type Quote, readQuote } from '../core/market-data/testing/board-probe.ts';
import { BroadcastRingProducer, BroadcastRingReader, broadcastRingByteLength } from '../core/shm/broadcast-ring.ts';
import { TRADE_RECORD_STRIDE_WORDS } from '../core/shm/generated/broadcast-ring.gen.ts';
import { connectFix, type FixInitiator } from './fix-tcp.ts';

/** The feed against an acceptor that is not ours: jspurefix, its session, its encoder, its dictionary. */

const WAIT_MS = 30_000;
const SYMBOLS = ['RELIANCE', 'M&M', 'NIFTY 50'];
const TRADE_TIME = new Date(Date.UTC(1970, 0, 1, 4, 30, 15, 250));
/** MDEntryType(269) */
const EntryType = {
  Bid: '0',
  Offer: '1',
  Trade: '2',
  Index: '3',
  Open: '4',
  Close: '5',
  High: '7',
  Low: '8',
  Vwap: '9',
  Volume: 'B',
  OpenInterest: 'C',
};

type Entry = Record<string, string | number | Date>;

const level = (type: string, position: number, price: number, size: number, orders?: number): Entry => ({
  MDEntryType: type,
  MDEntryPx: price,
  MDEntrySize: size,
  ...(orders === undefined ? {} : { NumberOfOrders: orders }),
  MDEntryPositionNo: position,
});

const RELIANCE_ENTRIES: Entry[] = [
  level(EntryType.Bid, 1, 2450.75, 10, 2),
  level(EntryType.Bid, 2, 2450.7, 25, 4),
  level(EntryType.Offer, 1, 2451, 5),
  level(EntryType.Offer, 2, 2451.05, 12, 1),
  { MDEntryType: EntryType.Trade, MDEntryPx: 2450.8, MDEntrySize: 3, MDEntryTime: TRADE_TIME },
  { MDEntryType: EntryType.Open, MDEntryPx: 2440 },
  { MDEntryType: EntryType.Close, MDEntryPx: 2430.55 },
  { MDEntryType: EntryType.High, MDEntryPx: 2460.5 },
  { MDEntryType: EntryType.Low, MDEntryPx: 2435.1 },
  { MDEntryType: EntryType.Vwap, MDEntryPx: 2447.25 },
  { MDEntryType: EntryType.Volume, MDEntrySize: 1_200_300 },
  { MDEntryType: EntryType.OpenInterest, MDEntrySize: 42 },
];

const INCREMENTAL_ENTRIES: Entry[] = [
  { MDUpdateAction: '1', ...level(EntryType.Bid, 1, 2450.9, 40, 7) },
  { MDUpdateAction: '2', MDEntryType: EntryType.Offer, MDEntryPositionNo: 2 },
  {
    MDUpdateAction: '0',
    MDEntryType: EntryType.Trade,
    MDEntryPx: 2450.95,
    MDEntrySize: 8,
    MDEntryTime: TRADE_TIME,
  },
];

/** A MarketDataRequest as jspurefix reads it. */
interface ForeignRequest {
  MDReqID: string;
  InstrmtMDReqGrp: { NoRelatedSym: { Instrument: { Symbol: string } }[] };
}

/** Serves every MarketDataRequest with a W each of RELIANCE and the index, then an X of RELIANCE and M&M. */
class ForeignVenue extends AsciiSession {
  requests: string[] = [];

  constructor(config: IJsFixConfig) {
    super(config);
    foreignSessions.push(this);
  }

  protected onApplicationMsg(msgType: string, view: MsgView): void {
    const request = view.toObject() as unknown as ForeignRequest;
    this.requests.push(
      `${msgType} ${request.MDReqID} ${request.InstrmtMDReqGrp.NoRelatedSym.map((entry) => entry.Instrument.Symbol).join()}`,
    );
    const snapshot = (symbol: string, entries: Entry[]): void => {
      this.send('W', { MDReqID: request.MDReqID, Instrument: { Symbol: symbol }, MDFullGrp: { NoMDEntries: entries } });
    };
    snapshot('RELIANCE', RELIANCE_ENTRIES);
    snapshot('NIFTY 50', [{ MDEntryType: EntryType.Index, MDEntryPx: 26_123.45 }]);
    const entries = [
      ...INCREMENTAL_ENTRIES.map((entry) => ({ ...entry, Instrument: { Symbol: 'RELIANCE' } })),
      { MDUpdateAction: '0', ...level(EntryType.Offer, 1, 3001.5, 9), Instrument: { Symbol: 'M&M' } },
    ];
    this.send('X', { MDReqID: request.MDReqID, MDIncGrp: { NoMDEntries: entries } });
  }

  protected onReady(): void {}
  protected onStopped(): void {}
  protected onLogon(): boolean {
    return true;
  }
  protected onDecoded(): void {}
  protected onEncoded(): void {}
}

const foreignSessions: ForeignVenue[] = [];

class ForeignLauncher extends SessionLauncher {
  constructor(port: number) {
    const description = {
      application: {
        type: 'acceptor',
        name: 'foreign',
        // It listens on every interface whatever is written here; the port is the test's own and short-lived.
        tcp: { host: '127.0.0.1', port },
        protocol: 'ascii',
        dictionary: join(process.cwd(), 'node_modules/jspurefix/data/FIX44.xml'),
      },
      EncryptMethod: 0,
      ResetSeqNumFlag: true,
      HeartBtInt: 30,
      SenderCompId: 'FOREIGN',
      TargetCompID: 'BROKER',
      BeginString: 'FIX.4.4',
    };
    super(null, description as unknown as ISessionDescription, new EmptyLogFactory());
  }

  protected override makeFactory(): { makeSession: (config: IJsFixConfig) => AsciiSession } {
    return { makeSession: (config) => new ForeignVenue(config) };
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

t.test(
  'market data of an acceptor that is not ours reaches the board, field by field',
  { timeout: WAIT_MS },
  async (t) => {
    const capacity = 4;
    const buffer = new SharedArrayBuffer(quoteBoardByteLength(capacity));
    const ring = new SharedArrayBuffer(broadcastRingByteLength(TRADE_RECORD_STRIDE_WORDS, 16));
    const board = new QuoteBoardWriter(buffer, capacity, []);
    const symbols = {
      count: SYMBOLS.length,
      indexOfBytes: (bytes: Uint8Array, start: number, end: number): number =>
        SYMBOLS.indexOf(Buffer.from(bytes.subarray(start, end)).toString('latin1')),
    };
    const freshness = new QuoteFreshness(board, symbols, capacity, 60_000);
    const handler = new FeedHandler(
      board,
      new BroadcastRingProducer(ring, TRADE_RECORD_STRIDE_WORDS),
      symbols,
      freshness,
    );
    const trades = new BroadcastRingReader(ring, TRADE_RECORD_STRIDE_WORDS);

    const port = await freePort();
    const launcher = new ForeignLauncher(port);
    const launched = launcher.run();
    const events: string[] = [];
    const verdicts: number[] = [];
    let incrementalMicros = 0;
    let initiator: FixInitiator | undefined;
    t.teardown(async () => {
      await initiator?.close('');
      launcher.stop();
      await launched;
    });
    await new Promise<void>((resolve) => {
      initiator = connectFix({
        host: '127.0.0.1',
        port,
        reconnectMinMs: 50,
        session: {
          ...SESSION_DEFAULTS,
          role: 'initiator',
          senderCompID: 'BROKER',
          targetCompID: 'FOREIGN',
          gapPolicy: 'feed',
        },
        application: {
          onLogon(session) {
            events.push('logon');
            const subscriptionRequestType = SubscriptionRequestType.SnapshotPlusUpdates;
            const encoder = session.begin(MsgType.MarketDataRequest, session.nowMs);
            writeMarketDataRequest(encoder, { mdReqID: 'md-1', subscriptionRequestType, symbols: SYMBOLS });
            session.send(session.nowMs);
          },
          onMessage(session, message) {
            verdicts.push(handler.onMessage(message, session.nowMs * 1000));
            incrementalMicros = message.sendingTimeMicros;
            if (verdicts.length === 3) resolve();
          },
          onReject: (_, message) => events.push(`reject ${message.ascii(message.count - 1)}`),
          onGap: (_, from, to) => events.push(`gap ${from}-${to}`),
          onLogout: (_, text) => events.push(`logout ${text}`),
        },
      });
    });
    t.same(events, ['logon'], 'no reject, no gap');
    t.same(foreignSessions.at(-1)?.requests, ['V md-1 RELIANCE,M&M,NIFTY 50'], 'it read our request');
    t.same(verdicts, [FeedVerdict.Applied, FeedVerdict.Applied, FeedVerdict.Applied]);
    const day = incrementalMicros - (incrementalMicros % 86_400_000_000);
    const tradeMicros = day + TRADE_TIME.getTime() * 1000;
    const reader = new QuoteBoardReader(buffer, capacity);
    const quote = readQuote(reader, 0);
    const expected: Quote = {
      flags: 0,
      bidPaise: 245_090,
      bidQty: 40,
      askPaise: 245_100,
      askQty: 5,
      lastPaise: 245_095,
      lastQty: 8,
      volume: 1_200_308,
      turnoverPaise: 244_725 * 1_200_300 + 245_095 * 8,
      tsMicros: incrementalMicros,
      tradeCount: 1,
      openPaise: 244_000,
      highPaise: 246_050,
      lowPaise: 243_510,
      closePaise: 243_055,
      totalBidQty: 65,
      totalAskQty: 5,
      openInterest: 42,
      lastTradeMicros: tradeMicros > incrementalMicros + 43_200_000_000 ? tradeMicros - 86_400_000_000 : tradeMicros,
      bids: [245_090, 40, 7, 245_070, 25, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      asks: [245_100, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    };
    t.same(quote, expected);
    const mahindra = { askPaise: 300_150, askQty: 9, totalAskQty: 9, asks: [300_150, 9, ...EMPTY_QUOTE.asks.slice(2)] };
    t.same(readQuote(reader, 1), { ...EMPTY_QUOTE, tsMicros: incrementalMicros, ...mahindra });
    const index = readQuote(reader, 2);
    t.same({ ...index, tsMicros: 0 }, { ...EMPTY_QUOTE, flags: 16, lastPaise: 2_612_345 });
    t.ok(trades.poll(), 'the trade of the X is on the ring');
    t.notOk(trades.poll());
    await initiator?.close('done');
    t.match(events.at(-1), /^logout /);
  },
);
