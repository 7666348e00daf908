import t from 'tap';
import { FixDecoder } from '../fix/fix-decoder.ts';
import { FixEncoder } from '../fix/fix-encoder.ts';
import { FixFramer, FrameVerdict } from '../fix/fix-framer.ts';
import { FixMessage } from '../fix/fix-message.ts';
import { MDEntryType, MsgType, SecurityTradingStatus, TradSesStatus } from '../fix/generated/fix-enums.gen.ts';
import { Tag } from '../fix/generated/fix-tags.gen.ts';
import { MarketDataWriter, writeSecurityStatus } from '../fix/market-data-messages.ts';
import { writeTradingSessionStatus } from '../fix/security-messages.ts';
import { SessionHeader } from '../fix/session-header.ts';
import { BroadcastRingProducer, BroadcastRingReader, broadcastRingByteLength } from '../shm/broadcast-ring.ts';
import { DirtyBitmapReader, DirtyBitmapWriter, dirtyBitmapByteLength } from '../shm/dirty-bitmap.ts';
import {
  TRADE_RECORD_INSTRUMENT_INDEX,
  TRADE_RECORD_PRICE_PAISE,
  TRADE_RECORD_QTY,
  TRADE_RECORD_STRIDE_WORDS,
  TRADE_RECORD_TRADE_COUNT,
  TRADE_RECORD_TS_MICROS,
  TRADE_RECORD_VOLUME,
} from '../shm/generated/broadcast-ring.gen.ts';
import { FeedHandler, FeedVerdict } from './feed-handler.ts';
import { QuoteBoardReader, QuoteBoardWriter, QuoteFlag, quoteBoardByteLength } from './quote-board.ts';
import { QuoteFreshness } from './quote-freshness.ts';
import { EMPTY_QUOTE, type Quote, readQuote } from './testing/board-probe.ts';

const CAPACITY = 8;
const SYMBOLS = ['RELIANCE', 'TCS', 'NIFTY 50'];
const RELIANCE = 0;
const TCS = 1;
const NIFTY = 2;
const STALE_AFTER_MS = 5_000;
/** 2026-11-22 04:00:00 UTC. */
const SENT_MICROS = Date.UTC(2026, 10, 22, 4) * 1000;
const ARRIVED_MICROS = SENT_MICROS + 700;

const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const symbolBytes = SYMBOLS.map(ascii);

/** A quote of the test's messages before anything is in it. */
const EMPTY: Quote = { ...EMPTY_QUOTE, tsMicros: SENT_MICROS };

function makeFeed() {
  const buffer = new SharedArrayBuffer(quoteBoardByteLength(CAPACITY));
  const dirty = new SharedArrayBuffer(dirtyBitmapByteLength(CAPACITY));
  const ring = new SharedArrayBuffer(broadcastRingByteLength(TRADE_RECORD_STRIDE_WORDS, 16));
  const board = new QuoteBoardWriter(buffer, CAPACITY, [new DirtyBitmapWriter(dirty, CAPACITY)]);
  const reader = new QuoteBoardReader(buffer, CAPACITY);
  const symbols = {
    count: SYMBOLS.length,
    indexOfBytes: (bytes: Uint8Array, start: number, end: number): number =>
      SYMBOLS.indexOf(Buffer.from(bytes.subarray(start, end)).toString('latin1')),
  };
  const freshness = new QuoteFreshness(board, symbols, CAPACITY, STALE_AFTER_MS);
  const handler = new FeedHandler(
    board,
    new BroadcastRingProducer(ring, TRADE_RECORD_STRIDE_WORDS),
    symbols,
    freshness,
  );
  const message = new FixMessage();
  const decoder = new FixDecoder();
  const header = new SessionHeader();
  const framer = new FixFramer();
  const encoder = new FixEncoder('FIX.4.4');
  encoder.setCompIDs('VENUE', 'BROKER');
  const writer = new MarketDataWriter();

  /** Encodes a message, frames, decodes and applies it. */
  function apply(msgType: number, write: () => void, sentMicros = SENT_MICROS): FeedVerdict {
    encoder.begin(msgType, 2, sentMicros);
    write();
    if (encoder.finish() !== 0) throw new Error(`encoder said ${encoder.status}`);
    const bytes = encoder.buffer.slice(encoder.start, encoder.end);
    if (framer.frame(bytes, 0, bytes.length) !== FrameVerdict.Complete) throw new Error('not framed');
    decoder.decode(message, bytes, framer.bodyStart, framer.trailerStart);
    header.read(message);
    return handler.onMessage(message, ARRIVED_MICROS + (sentMicros - SENT_MICROS));
  }

  const quote = (index: number): Quote => readQuote(reader, index);

  const snapshot = (index: number, entries: () => void): FeedVerdict =>
    apply(MsgType.MarketDataSnapshotFullRefresh, () => {
      writer.beginSnapshot(encoder, ascii('md'), symbolBytes[index]!);
      entries();
      writer.end();
    });
  const incremental = (entries: () => void, sentMicros = SENT_MICROS): FeedVerdict =>
    apply(
      MsgType.MarketDataIncrementalRefresh,
      () => {
        writer.beginIncremental(encoder, ascii('md'));
        entries();
        writer.end();
      },
      sentMicros,
    );
  const fullBook = (): void => {
    writer.level(MDEntryType.Bid, 1, 245_000, 10, 2);
    writer.level(MDEntryType.Bid, 2, 244_995, 20, 0);
    writer.level(MDEntryType.Bid, 5, 244_900, 50, 5);
    writer.level(MDEntryType.Offer, 1, 245_005, 15, 3);
    writer.level(MDEntryType.Offer, 3, 245_015, 35, 1);
    writer.trade(245_005, 7, SENT_MICROS - 1_500_000);
    writer.price(MDEntryType.OpeningPrice, 244_000);
    writer.price(MDEntryType.ClosingPrice, 243_050);
    writer.price(MDEntryType.TradingSessionHighPrice, 246_000);
    writer.price(MDEntryType.TradingSessionLowPrice, 243_900);
    writer.price(MDEntryType.TradingSessionVwapPrice, 244_750);
    writer.quantity(MDEntryType.TradeVolume, 3_000_000_000);
    writer.quantity(MDEntryType.OpenInterest, 12);
  };
  const dirtyReader = new DirtyBitmapReader(dirty, CAPACITY);
  const trades = new BroadcastRingReader(ring, TRADE_RECORD_STRIDE_WORDS);
  return { handler, freshness, encoder, writer, apply, snapshot, incremental, fullBook, quote, dirtyReader, trades };
}

const FULL: Quote = {
  ...EMPTY,
  bidPaise: 245_000,
  bidQty: 10,
  askPaise: 245_005,
  askQty: 15,
  lastPaise: 245_005,
  lastQty: 7,
  volume: 3_000_000_000,
  turnoverPaise: 244_750 * 3_000_000_000,
  openPaise: 244_000,
  highPaise: 246_000,
  lowPaise: 243_900,
  closePaise: 243_050,
  totalBidQty: 80,
  totalAskQty: 50,
  openInterest: 12,
  lastTradeMicros: SENT_MICROS - 1_500_000,
  bids: [245_000, 10, 2, 244_995, 20, 0, 0, 0, 0, 0, 0, 0, 244_900, 50, 5],
  asks: [245_005, 15, 3, 0, 0, 0, 245_015, 35, 1, 0, 0, 0, 0, 0, 0],
};

t.test('a W sets every field, and the next replaces all of them', async (t) => {
  const { snapshot, fullBook, quote, writer, handler, dirtyReader, trades } = makeFeed();
  t.equal(snapshot(RELIANCE, fullBook), FeedVerdict.Applied);
  t.same(quote(RELIANCE), FULL);
  t.same(quote(TCS), { ...EMPTY, tsMicros: 0 }, 'its neighbour is untouched');
  t.equal(dirtyReader.takeQuoteWord(0), 1 << RELIANCE);
  t.equal(dirtyReader.arrivals[RELIANCE], ARRIVED_MICROS | 0);
  t.equal(dirtyReader.takeDepthWord(0), 1 << RELIANCE);
  t.equal(trades.poll(), false, 'the last trade of a W is no new trade');
  snapshot(RELIANCE, () => writer.level(MDEntryType.Bid, 1, 100, 1, 0));
  t.same(quote(RELIANCE), {
    ...EMPTY,
    bidPaise: 100,
    bidQty: 1,
    totalBidQty: 1,
    bids: [100, 1, ...new Array<number>(13).fill(0)],
  });
  snapshot(RELIANCE, () => {});
  t.same(quote(RELIANCE), EMPTY);
  t.match(handler, { messageCount: 3, updateCount: 3, badMessageCount: 0, unknownSymbolCount: 0 });
});

t.test('an X changes what it names and nothing else', async (t) => {
  const { snapshot, incremental, fullBook, quote, writer, handler, dirtyReader } = makeFeed();
  snapshot(RELIANCE, fullBook);
  snapshot(TCS, fullBook);
  dirtyReader.takeQuoteWord(0);
  dirtyReader.takeDepthWord(0);
  incremental(() => {
    writer.instrument(symbolBytes[RELIANCE]!);
    writer.level(MDEntryType.Bid, 1, 244_990, 40, 4);
    writer.deleteLevel(MDEntryType.Bid, 2);
    writer.level(MDEntryType.Offer, 2, 245_010, 5, 1);
    writer.price(MDEntryType.TradingSessionHighPrice, 246_500);
    writer.instrument(symbolBytes[TCS]!);
    writer.deleteLevel(MDEntryType.Offer, 1);
    writer.quantity(MDEntryType.OpenInterest, 13);
  });
  t.same(quote(RELIANCE), {
    ...FULL,
    bidPaise: 244_990,
    bidQty: 40,
    totalBidQty: 90,
    totalAskQty: 55,
    highPaise: 246_500,
    bids: [244_990, 40, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 244_900, 50, 5],
    asks: [245_005, 15, 3, 245_010, 5, 1, 245_015, 35, 1, 0, 0, 0, 0, 0, 0],
  });
  t.same(quote(TCS), {
    ...FULL,
    askPaise: 0,
    askQty: 0,
    totalAskQty: 35,
    openInterest: 13,
    asks: [0, 0, 0, ...FULL.asks.slice(3)],
  });
  t.equal(handler.updateCount, 4, 'two instruments in one X are two updates');
  t.equal(dirtyReader.takeQuoteWord(0), (1 << RELIANCE) | (1 << TCS));
});

t.test('trades count, add up and go to the ring', async (t) => {
  const { snapshot, incremental, fullBook, quote, writer, trades } = makeFeed();
  snapshot(RELIANCE, fullBook);
  incremental(() => {
    writer.instrument(symbolBytes[RELIANCE]!);
    writer.trade(245_010, 3, SENT_MICROS - 1);
    writer.trade(245_015, 4, SENT_MICROS);
    writer.price(MDEntryType.TradingSessionVwapPrice, 1);
  });
  const turnoverPaise = FULL.turnoverPaise + 245_010 * 3 + 245_015 * 4;
  const after = {
    ...FULL,
    lastPaise: 245_015,
    lastQty: 4,
    volume: 3_000_000_007,
    turnoverPaise,
    tradeCount: 2,
    lastTradeMicros: SENT_MICROS,
  };
  t.same(quote(RELIANCE), after, 'a VWAP in an X does not touch the turnover');
  const record = () => [
    trades.record[TRADE_RECORD_INSTRUMENT_INDEX],
    trades.record[TRADE_RECORD_PRICE_PAISE],
    trades.record[TRADE_RECORD_QTY],
    trades.record[TRADE_RECORD_TRADE_COUNT],
    trades.recordF64[TRADE_RECORD_TS_MICROS >> 1],
    trades.recordF64[TRADE_RECORD_VOLUME >> 1],
  ];
  t.ok(trades.poll());
  t.same(record(), [RELIANCE, 245_010, 3, 1, SENT_MICROS - 1, 3_000_000_003]);
  t.ok(trades.poll());
  t.same(record(), [RELIANCE, 245_015, 4, 2, SENT_MICROS, 3_000_000_007]);
  t.notOk(trades.poll());
  incremental(() => {
    writer.instrument(symbolBytes[RELIANCE]!);
    writer.trade(245_015, 1, SENT_MICROS);
    writer.quantity(MDEntryType.TradeVolume, 3_000_000_100);
  });
  t.equal(quote(RELIANCE).volume, 3_000_000_100, 'a TradeVolume has the last word');
});

t.test('the day of a trade', async (t) => {
  const { incremental, quote, writer, encoder, apply } = makeFeed();
  const midnight = SENT_MICROS - (SENT_MICROS % 86_400_000_000);
  incremental(() => {
    writer.instrument(symbolBytes[TCS]!);
    writer.trade(1, 1, midnight - 5);
  }, midnight + 5);
  t.equal(quote(TCS).lastTradeMicros, midnight - 5, 'sent just after midnight, traded just before');
  const dated = (date: string): FeedVerdict =>
    apply(MsgType.MarketDataIncrementalRefresh, () => {
      encoder.int(Tag.NoMDEntries, 1);
      encoder.char(Tag.MDUpdateAction, 48);
      encoder.char(Tag.MDEntryType, MDEntryType.Trade);
      encoder.ascii(Tag.Symbol, 'TCS');
      encoder.pricePaise(Tag.MDEntryPx, 100);
      encoder.int(Tag.MDEntrySize, 1);
      encoder.ascii(Tag.MDEntryDate, date);
      encoder.ascii(Tag.MDEntryTime, '00:00:01');
    });
  t.equal(dated('20260105'), FeedVerdict.Applied);
  t.equal(quote(TCS).lastTradeMicros, Date.UTC(2026, 0, 5, 0, 0, 1) * 1000);
  t.equal(dated('20260230'), FeedVerdict.Bad);
});

t.test('an index has a value and no book', async (t) => {
  const { snapshot, incremental, quote, writer } = makeFeed();
  snapshot(NIFTY, () => writer.price(MDEntryType.IndexValue, 2_612_345));
  t.same(quote(NIFTY), { ...EMPTY, flags: QuoteFlag.Index, lastPaise: 2_612_345 });
  incremental(() => {
    writer.instrument(symbolBytes[NIFTY]!);
    writer.price(MDEntryType.IndexValue, 2_612_400);
  });
  t.same(quote(NIFTY), { ...EMPTY, flags: QuoteFlag.Index, lastPaise: 2_612_400 });
});

t.test('what is unknown or unreadable', async (t) => {
  const { snapshot, incremental, fullBook, quote, writer, handler, apply, encoder, freshness } = makeFeed();
  freshness.instrumentsLoaded(ARRIVED_MICROS);
  snapshot(RELIANCE, fullBook);
  snapshot(TCS, fullBook);
  t.equal(
    incremental(() => {
      writer.instrument(ascii('NOBODY'));
      writer.level(MDEntryType.Bid, 1, 1, 1, 1);
      writer.level(MDEntryType.Bid, 2, 1, 1, 1);
      writer.instrument(symbolBytes[TCS]!);
      writer.level(MDEntryType.Bid, 1, 200, 2, 1);
    }),
    FeedVerdict.Applied,
  );
  t.equal(handler.unknownSymbolCount, 1, 'counted once for its entries');
  t.equal(quote(TCS).bidPaise, 200, 'the others of the message are served');
  t.equal(
    snapshot(RELIANCE, () => {}),
    FeedVerdict.Applied,
  );
  snapshot(RELIANCE, fullBook);
  const entry = (body: () => void): FeedVerdict =>
    apply(MsgType.MarketDataIncrementalRefresh, () => {
      encoder.int(Tag.NoMDEntries, 1);
      encoder.char(Tag.MDUpdateAction, 49);
      body();
    });
  const bad: [string, () => void][] = [
    ['price of letters', () => encoder.ascii(Tag.MDEntryPx, 'x')],
    ['price of three decimals', () => encoder.ascii(Tag.MDEntryPx, '1.001')],
    ['price beyond the slot', () => encoder.pricePaise(Tag.MDEntryPx, 2 ** 31)],
    ['price below zero', () => encoder.pricePaise(Tag.MDEntryPx, -5)],
    ['no price', () => {}],
  ];
  for (const [name, price] of bad) {
    const verdict = entry(() => {
      encoder.char(Tag.MDEntryType, MDEntryType.Bid);
      encoder.ascii(Tag.Symbol, 'RELIANCE');
      price();
      encoder.int(Tag.MDEntrySize, 1);
      encoder.int(Tag.MDEntryPositionNo, 1);
    });
    t.equal(verdict, FeedVerdict.Bad, name);
    t.same(
      quote(RELIANCE),
      { ...FULL, flags: QuoteFlag.StaleGap },
      `${name}: nothing changed, and nobody vouches for it`,
    );
  }
  t.equal(quote(TCS).flags, 0, 'only the instrument of the bad entry');
  t.equal(
    entry(() => encoder.char(Tag.MDEntryType, MDEntryType.Bid)),
    FeedVerdict.Bad,
    'an entry of no instrument',
  );
  t.equal(
    apply(MsgType.MarketDataIncrementalRefresh, () => encoder.int(Tag.NoMDEntries, 0)),
    FeedVerdict.Bad,
    'no entries',
  );
  t.equal(
    apply(MsgType.MarketDataSnapshotFullRefresh, () => encoder.int(Tag.NoMDEntries, 0)),
    FeedVerdict.Bad,
    'a W of nothing',
  );
  t.equal(
    apply(MsgType.ExecutionReport, () => {}),
    FeedVerdict.NotMarketData,
  );
  t.equal(handler.badMessageCount, bad.length + 3);
  snapshot(RELIANCE, fullBook);
  t.same(quote(RELIANCE), FULL, 'a W heals');
});

t.test('staleness: listing, gap, lost connection, age', async (t) => {
  const { snapshot, incremental, fullBook, quote, writer, freshness } = makeFeed();
  freshness.instrumentsLoaded(ARRIVED_MICROS);
  t.equal(quote(TCS).flags, QuoteFlag.StaleFeedDown, 'no quote yet');
  t.match(freshness, { staleCount: 3, snapshotCount: 0 });
  snapshot(RELIANCE, fullBook);
  snapshot(TCS, fullBook);
  t.match(freshness, { staleCount: 1, snapshotCount: 2 });
  freshness.gap(ARRIVED_MICROS);
  t.equal(quote(RELIANCE).flags, QuoteFlag.StaleGap);
  incremental(() => {
    writer.instrument(symbolBytes[RELIANCE]!);
    writer.level(MDEntryType.Bid, 1, 7, 7, 0);
  });
  t.same(
    [quote(RELIANCE).flags, quote(RELIANCE).bidPaise],
    [QuoteFlag.StaleGap, 7],
    'an X is applied and heals nothing',
  );
  snapshot(RELIANCE, fullBook);
  t.equal(quote(RELIANCE).flags, 0);
  freshness.feedDown(ARRIVED_MICROS);
  t.same(
    [quote(RELIANCE).flags, quote(TCS).flags],
    [QuoteFlag.StaleFeedDown, QuoteFlag.StaleGap | QuoteFlag.StaleFeedDown],
  );
  t.match(freshness, { staleCount: 3, snapshotCount: 0 });
  for (const index of [RELIANCE, TCS, NIFTY]) snapshot(index, fullBook);
  t.match(freshness, { staleCount: 0, snapshotCount: 3 });
  t.equal(freshness.sweep(ARRIVED_MICROS + STALE_AFTER_MS * 1000 - 1), 0);
  incremental(() => {
    writer.instrument(symbolBytes[TCS]!);
    writer.level(MDEntryType.Bid, 1, 7, 7, 0);
  }, SENT_MICROS + 1_000_000);
  t.equal(freshness.sweep(ARRIVED_MICROS + STALE_AFTER_MS * 1000), 2);
  t.same(
    [RELIANCE, TCS, NIFTY].map((index) => quote(index).flags),
    [QuoteFlag.StaleAge, 0, QuoteFlag.StaleAge],
  );
  incremental(() => {
    writer.instrument(symbolBytes[RELIANCE]!);
    writer.level(MDEntryType.Bid, 1, 7, 7, 0);
  });
  t.equal(quote(RELIANCE).flags, 0, 'any message ends the silence');
  t.equal(freshness.staleCount, 1);
});

t.test('a halt lasts until trading resumes, whatever else is heard', async (t) => {
  const { snapshot, fullBook, quote, apply, encoder } = makeFeed();
  const status = (value: SecurityTradingStatus): FeedVerdict =>
    apply(MsgType.SecurityStatus, () => writeSecurityStatus(encoder, symbolBytes[TCS]!, value));
  snapshot(TCS, fullBook);
  t.equal(status(SecurityTradingStatus.TradingHalt), FeedVerdict.Applied);
  t.same(quote(TCS), { ...FULL, flags: QuoteFlag.Halted });
  snapshot(TCS, fullBook);
  t.equal(quote(TCS).flags, QuoteFlag.Halted);
  status(SecurityTradingStatus.PreOpen);
  t.equal(quote(TCS).flags, QuoteFlag.Halted);
  status(SecurityTradingStatus.ReadyToTrade);
  t.equal(quote(TCS).flags, 0);
  t.equal(
    apply(MsgType.SecurityStatus, () => encoder.ascii(Tag.Symbol, 'TCS')),
    FeedVerdict.Bad,
  );
});

t.test(
  'a halt of the market halts every instrument, and its end leaves those halted that are so by themselves',
  async (t) => {
    const { snapshot, fullBook, quote, apply, encoder, handler } = makeFeed();
    const market = (status: TradSesStatus): FeedVerdict =>
      apply(MsgType.TradingSessionStatus, () => {
        const state = { tradSesReqID: '', tradingSessionID: 'NORMAL', tradSesStatus: status, text: '' };
        writeTradingSessionStatus(encoder, state);
      });
    const security = (value: SecurityTradingStatus): FeedVerdict =>
      apply(MsgType.SecurityStatus, () => writeSecurityStatus(encoder, symbolBytes[TCS]!, value));
    const halted = (): boolean[] => symbolBytes.map((_, index) => (quote(index).flags & QuoteFlag.Halted) !== 0);
    const all = symbolBytes.map(() => true);
    const none = symbolBytes.map(() => false);
    const one = symbolBytes.map((_, index) => index === TCS);
    snapshot(TCS, fullBook);
    t.equal(market(TradSesStatus.Halted), FeedVerdict.Applied);
    t.same(halted(), all);
    market(TradSesStatus.PreOpen);
    t.same(halted(), all, 'only `open` ends it');
    security(SecurityTradingStatus.ReadyToTrade);
    t.same(halted(), all, 'not even for one instrument');
    security(SecurityTradingStatus.TradingHalt);
    market(TradSesStatus.Open);
    t.same(halted(), one);
    market(TradSesStatus.Halted);
    handler.halts.begin();
    market(TradSesStatus.Open);
    t.same(halted(), none, 'a new connection tells anew');
    t.equal(
      apply(MsgType.TradingSessionStatus, () => encoder.ascii(Tag.TradingSessionID, 'NORMAL')),
      FeedVerdict.Bad,
    );
  },
);
