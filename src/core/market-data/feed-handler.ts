// hot: per market data message. Fields go from the received bytes to the board: no string, object, closure or exception.
import type { FixMessage } from '../fix/fix-message.ts';
import { MDEntryType, MDUpdateAction, MsgType } from '../fix/generated/fix-enums.gen.ts';
import { Tag } from '../fix/generated/fix-tags.gen.ts';
import type { BroadcastRingProducer } from '../shm/broadcast-ring.ts';
import {
  TRADE_RECORD_INSTRUMENT_INDEX,
  TRADE_RECORD_PRICE_PAISE,
  TRADE_RECORD_QTY,
  TRADE_RECORD_TRADE_COUNT,
  TRADE_RECORD_TS_MICROS,
  TRADE_RECORD_VOLUME,
} from '../shm/generated/broadcast-ring.gen.ts';
import {
  QUOTE_SLOT_ASK_PAISE,
  QUOTE_SLOT_ASK_QTY,
  QUOTE_SLOT_BID_PAISE,
  QUOTE_SLOT_BID_QTY,
  QUOTE_SLOT_CLOSE_PAISE,
  QUOTE_SLOT_HIGH_PAISE,
  QUOTE_SLOT_LAST_PAISE,
  QUOTE_SLOT_LAST_QTY,
  QUOTE_SLOT_LAST_TRADE_MICROS,
  QUOTE_SLOT_LOW_PAISE,
  QUOTE_SLOT_OPEN_INTEREST,
  QUOTE_SLOT_OPEN_PAISE,
  QUOTE_SLOT_TOTAL_ASK_QTY,
  QUOTE_SLOT_TOTAL_BID_QTY,
  QUOTE_SLOT_TRADE_COUNT,
  QUOTE_SLOT_TS_MICROS,
  QUOTE_SLOT_TURNOVER_PAISE,
  QUOTE_SLOT_VOLUME,
} from '../shm/generated/quote-slot.gen.ts';
import { DEPTH_LEVELS, type QuoteBoardWriter, QuoteFlag } from './quote-board.ts';
import type { InstrumentCount, QuoteFreshness } from './quote-freshness.ts';
import { TradingHalts } from './trading-halts.ts';

/** What the handler needs of the instrument table. */
export interface SymbolLookup extends InstrumentCount {
  /** Index of the symbol that is `buffer[start .. end)`, or -1. */
  indexOfBytes(buffer: Uint8Array, start: number, end: number): number;
}

/** What became of a message. */
export const FeedVerdict = {
  Applied: 0,
  /** No W, X, f or h: somebody else's. */
  NotMarketData: 1,
  /** Something in it could not be read; the rest was applied, and the instrument is stale until its next W: ask for one. */
  Bad: 2,
} as const;
export type FeedVerdict = (typeof FeedVerdict)[keyof typeof FeedVerdict];

const I32_MAX = 0x7fff_ffff;
const MICROS_PER_DAY = 86_400_000_000;
const UNKNOWN = -1;

/** What a W has said, as bits: what it did not say is cleared. The ten low bits are the levels, bids first. */
const SEEN_LAST = 1 << 10;
const SEEN_OPEN = 1 << 11;
const SEEN_CLOSE = 1 << 12;
const SEEN_HIGH = 1 << 13;
const SEEN_LOW = 1 << 14;
const SEEN_VOLUME = 1 << 15;
const SEEN_OPEN_INTEREST = 1 << 16;
const SEEN_INDEX = 1 << 17;
const BIDS = (1 << DEPTH_LEVELS) - 1;
const ASKS = BIDS << DEPTH_LEVELS;

/**
 * Applies W, X, f and h to the quote board. A W replaces everything of its instrument; an X changes what its entries name; the
 * entries of one instrument are adjacent, and the slot is opened once for them. Turnover is the sum of price × quantity of
 * the trades seen since the last W, which sets it to VWAP × volume.
 */
export class FeedHandler {
  messageCount = 0;
  /** Changes of one instrument: its entries in one message are one. */
  updateCount = 0;
  tradeCount = 0;
  unknownSymbolCount = 0;
  badMessageCount = 0;
  readonly halts: TradingHalts;

  readonly #board: QuoteBoardWriter;
  readonly #trades: BroadcastRingProducer;
  readonly #symbols: SymbolLookup;
  readonly #freshness: QuoteFreshness;

  // The instrument open on the board and where its symbol stands, so that the entries after it need no lookup.
  #index = UNKNOWN;
  #symbolStart = 0;
  #symbolEnd = 0;
  #seen = 0;
  #vwapPaise = 0;
  /** Something unreadable was met in this message, and in the entries of the open instrument. */
  #bad = false;
  #openBad = false;

  // The entry being read; a position is -1 when the field is absent.
  #action = 0;
  #entryType = 0;
  #symbol = -1;
  #px = -1;
  #size = -1;
  #orders = -1;
  #level = -1;
  #date = -1;
  #time = -1;

  constructor(
    board: QuoteBoardWriter,
    trades: BroadcastRingProducer,
    symbols: SymbolLookup,
    freshness: QuoteFreshness,
  ) {
    this.#board = board;
    this.#trades = trades;
    this.#symbols = symbols;
    this.#freshness = freshness;
    this.halts = new TradingHalts(board, symbols);
  }

  /** `arrivalMicros`: when the bytes came, epoch microseconds. */
  onMessage(message: FixMessage, arrivalMicros: number): FeedVerdict {
    this.#bad = false;
    switch (message.msgType) {
      case MsgType.MarketDataIncrementalRefresh:
        this.#onIncremental(message, arrivalMicros);
        break;
      case MsgType.MarketDataSnapshotFullRefresh:
        this.#onSnapshot(message, arrivalMicros);
        break;
      case MsgType.SecurityStatus:
        this.#onSecurityStatus(message, arrivalMicros);
        break;
      case MsgType.TradingSessionStatus:
        if (!this.halts.onTradingSessionStatus(message, arrivalMicros)) this.#bad = true;
        break;
      default:
        return FeedVerdict.NotMarketData;
    }
    this.messageCount++;
    if (!this.#bad) return FeedVerdict.Applied;
    this.badMessageCount++;
    return FeedVerdict.Bad;
  }

  #onIncremental(message: FixMessage, arrivalMicros: number): void {
    const { tags, count } = message;
    let position = message.find(Tag.MDUpdateAction, message.bodyPosition);
    if (position < 0) {
      this.#spoil();
      return;
    }
    this.#index = UNKNOWN;
    this.#symbolEnd = -1;
    while (position < count) {
      this.#action = message.char(position);
      position++;
      this.#beginEntry();
      for (; position < count && tags[position] !== Tag.MDUpdateAction; position++) this.#field(message, position);
      if (this.#symbol >= 0 && !this.#isOpenSymbol(message)) {
        this.#close(message, arrivalMicros);
        this.#open(message, this.#symbol);
      }
      if (this.#index !== UNKNOWN) this.#apply(message, false);
      else if (this.#symbolEnd < 0) this.#spoil();
    }
    this.#close(message, arrivalMicros);
  }

  #onSnapshot(message: FixMessage, arrivalMicros: number): void {
    const { tags, count } = message;
    const symbol = message.find(Tag.Symbol, message.bodyPosition);
    if (symbol < 0) {
      this.#spoil();
      return;
    }
    this.#open(message, symbol);
    if (this.#index === UNKNOWN) return;
    this.#action = MDUpdateAction.New;
    let position = message.find(Tag.MDEntryType, message.bodyPosition);
    if (position < 0) position = count;
    while (position < count) {
      this.#beginEntry();
      this.#field(message, position++);
      for (; position < count && tags[position] !== Tag.MDEntryType; position++) this.#field(message, position);
      this.#apply(message, true);
    }
    this.#clearUnseen();
    this.#freshness.snapshotTaken(this.#index);
    this.#close(message, arrivalMicros);
  }

  #onSecurityStatus(message: FixMessage, arrivalMicros: number): void {
    const symbol = message.find(Tag.Symbol, message.bodyPosition);
    if (symbol < 0) {
      this.#spoil();
      return;
    }
    this.#open(message, symbol);
    if (this.#index === UNKNOWN) return;
    if (!this.halts.onSecurityStatus(message, this.#index)) this.#spoil();
    this.#close(message, arrivalMicros);
  }

  #spoil(): void {
    this.#bad = true;
    this.#openBad = true;
  }

  #beginEntry(): void {
    this.#entryType = 0;
    this.#symbol = -1;
    this.#px = -1;
    this.#size = -1;
    this.#orders = -1;
    this.#level = -1;
    this.#date = -1;
    this.#time = -1;
  }

  #field(message: FixMessage, position: number): void {
    switch (message.tags[position]) {
      case Tag.MDEntryType:
        this.#entryType = message.char(position);
        break;
      case Tag.Symbol:
        this.#symbol = position;
        break;
      case Tag.MDEntryPx:
        this.#px = position;
        break;
      case Tag.MDEntrySize:
        this.#size = position;
        break;
      case Tag.MDEntryPositionNo:
        this.#level = position;
        break;
      case Tag.NumberOfOrders:
        this.#orders = position;
        break;
      case Tag.MDEntryTime:
        this.#time = position;
        break;
      case Tag.MDEntryDate:
        this.#date = position;
        break;
    }
  }

  #isOpenSymbol(message: FixMessage): boolean {
    const { buffer, starts, ends } = message;
    const start = starts[this.#symbol]!;
    const length = ends[this.#symbol]! - start;
    const openStart = this.#symbolStart;
    if (length !== this.#symbolEnd - openStart) return false;
    for (let i = 0; i < length; i++) if (buffer[start + i] !== buffer[openStart + i]) return false;
    return true;
  }

  /** Looks a symbol up and opens its slot; `#index` is UNKNOWN when there is none. */
  #open(message: FixMessage, symbol: number): void {
    this.#symbolStart = message.starts[symbol]!;
    this.#symbolEnd = message.ends[symbol]!;
    this.#seen = 0;
    this.#vwapPaise = 0;
    this.#openBad = false;
    this.#index = this.#symbols.indexOfBytes(message.buffer, this.#symbolStart, this.#symbolEnd);
    if (this.#index === UNKNOWN) this.unknownSymbolCount++;
    else this.#board.open(this.#index);
  }

  /** Ends the update of the open instrument, if one is open. */
  #close(message: FixMessage, arrivalMicros: number): void {
    if (this.#index === UNKNOWN) return;
    const board = this.#board;
    if ((this.#seen & BIDS) !== 0) this.#setBidSide();
    if ((this.#seen & ASKS) !== 0) this.#setAskSide();
    board.setF64(QUOTE_SLOT_TS_MICROS, message.sendingTimeMicros);
    this.#freshness.heard(this.#index, arrivalMicros, this.#openBad);
    board.close(arrivalMicros | 0);
    this.updateCount++;
    this.#index = UNKNOWN;
  }

  #apply(message: FixMessage, snapshot: boolean): void {
    const board = this.#board;
    switch (this.#entryType) {
      case MDEntryType.Bid:
        this.#applyLevel(message, 0);
        break;
      case MDEntryType.Offer:
        this.#applyLevel(message, DEPTH_LEVELS);
        break;
      case MDEntryType.Trade:
        this.#applyTrade(message, snapshot);
        break;
      case MDEntryType.IndexValue:
        if (this.#applyPrice(message, QUOTE_SLOT_LAST_PAISE, SEEN_LAST | SEEN_INDEX))
          board.setFlags(QuoteFlag.Index, 0);
        break;
      case MDEntryType.OpeningPrice:
        this.#applyPrice(message, QUOTE_SLOT_OPEN_PAISE, SEEN_OPEN);
        break;
      case MDEntryType.ClosingPrice:
        this.#applyPrice(message, QUOTE_SLOT_CLOSE_PAISE, SEEN_CLOSE);
        break;
      case MDEntryType.TradingSessionHighPrice:
        this.#applyPrice(message, QUOTE_SLOT_HIGH_PAISE, SEEN_HIGH);
        break;
      case MDEntryType.TradingSessionLowPrice:
        this.#applyPrice(message, QUOTE_SLOT_LOW_PAISE, SEEN_LOW);
        break;
      case MDEntryType.TradingSessionVwapPrice: {
        const vwapPaise = this.#pricePaise(message);
        if (vwapPaise >= 0) this.#vwapPaise = vwapPaise;
        break;
      }
      case MDEntryType.TradeVolume:
        this.#applyQuantity(message, QUOTE_SLOT_VOLUME, SEEN_VOLUME);
        break;
      case MDEntryType.OpenInterest:
        this.#applyQuantity(message, QUOTE_SLOT_OPEN_INTEREST, SEEN_OPEN_INTEREST);
        break;
      default:
        if (this.#entryType <= 0) this.#spoil();
    }
  }

  /** Price of the entry, in the range of a slot; -1 and the message is bad. */
  #pricePaise(message: FixMessage): number {
    const pricePaise = this.#px < 0 ? -1 : message.pricePaise(this.#px);
    if (pricePaise >= 0 && pricePaise <= I32_MAX) return pricePaise;
    this.#spoil();
    return -1;
  }

  /** A count at a position, 0 to `max`; -1 and the message is bad. */
  #count(message: FixMessage, position: number, max: number): number {
    const value = position < 0 ? -1 : message.int(position);
    if (value >= 0 && value <= max) return value;
    this.#spoil();
    return -1;
  }

  #applyPrice(message: FixMessage, field: number, seen: number): boolean {
    const pricePaise = this.#pricePaise(message);
    if (pricePaise < 0) return false;
    this.#board.setI32(field, pricePaise);
    this.#seen |= seen;
    return true;
  }

  #applyQuantity(message: FixMessage, field: number, seen: number): void {
    const qty = this.#count(message, this.#size, Number.MAX_SAFE_INTEGER);
    if (qty < 0) return;
    this.#board.setF64(field, qty);
    this.#seen |= seen;
  }

  /** Level N is set or cleared; the others stay, since the publisher sends every level that changed. */
  #applyLevel(message: FixMessage, sideOffset: number): void {
    const level = this.#count(message, this.#level, I32_MAX) - 1;
    if (level < 0) {
      this.#spoil();
      return;
    }
    if (level >= DEPTH_LEVELS) return;
    let pricePaise = 0;
    let qty = 0;
    let orders = 0;
    if (this.#action !== MDUpdateAction.Delete) {
      pricePaise = this.#pricePaise(message);
      qty = this.#count(message, this.#size, I32_MAX);
      if (this.#orders >= 0) orders = this.#count(message, this.#orders, I32_MAX);
      if (pricePaise < 0 || qty < 0 || orders < 0) return;
    }
    if (sideOffset === 0) this.#board.setBidLevel(level, pricePaise, qty, orders);
    else this.#board.setAskLevel(level, pricePaise, qty, orders);
    this.#seen |= 1 << (sideOffset + level);
  }

  #applyTrade(message: FixMessage, snapshot: boolean): void {
    const pricePaise = this.#pricePaise(message);
    const qty = this.#count(message, this.#size, I32_MAX);
    if (pricePaise < 0 || qty < 0) return;
    const board = this.#board;
    const tsMicros = this.#tradeMicros(message);
    board.setI32(QUOTE_SLOT_LAST_PAISE, pricePaise);
    board.setI32(QUOTE_SLOT_LAST_QTY, qty);
    board.setF64(QUOTE_SLOT_LAST_TRADE_MICROS, tsMicros);
    this.#seen |= SEEN_LAST;
    if (snapshot) return;
    const volume = board.f64(QUOTE_SLOT_VOLUME) + qty;
    const tradeCount = board.i32(QUOTE_SLOT_TRADE_COUNT) + 1;
    board.setF64(QUOTE_SLOT_VOLUME, volume);
    board.setF64(QUOTE_SLOT_TURNOVER_PAISE, board.f64(QUOTE_SLOT_TURNOVER_PAISE) + pricePaise * qty);
    board.setI32(QUOTE_SLOT_TRADE_COUNT, tradeCount);
    this.tradeCount++;
    const { record, recordF64 } = this.#trades;
    record[TRADE_RECORD_INSTRUMENT_INDEX] = this.#index;
    record[TRADE_RECORD_PRICE_PAISE] = pricePaise;
    record[TRADE_RECORD_QTY] = qty;
    record[TRADE_RECORD_TRADE_COUNT] = tradeCount;
    recordF64[TRADE_RECORD_TS_MICROS >> 1] = tsMicros;
    recordF64[TRADE_RECORD_VOLUME >> 1] = volume;
    this.#trades.publish();
  }

  /** MDEntryTime(273) on the day of MDEntryDate(272), or else of SendingTime(52), which may lie just past midnight. */
  #tradeMicros(message: FixMessage): number {
    const sendingTimeMicros = message.sendingTimeMicros;
    if (this.#time < 0) return sendingTimeMicros;
    const timeMicros = message.utcTimeOnlyMicros(this.#time);
    const dateMicros = this.#date < 0 ? 0 : message.utcDateMicros(this.#date);
    if (timeMicros < 0 || dateMicros < 0) {
      this.#spoil();
      return sendingTimeMicros;
    }
    if (this.#date >= 0) return dateMicros + timeMicros;
    const tsMicros = sendingTimeMicros - (sendingTimeMicros % MICROS_PER_DAY) + timeMicros;
    return tsMicros - sendingTimeMicros > MICROS_PER_DAY / 2 ? tsMicros - MICROS_PER_DAY : tsMicros;
  }

  /** A W replaces everything: what it did not name is gone. */
  #clearUnseen(): void {
    const board = this.#board;
    const seen = this.#seen;
    for (let level = 0; level < DEPTH_LEVELS; level++) {
      if ((seen & (1 << level)) === 0) board.setBidLevel(level, 0, 0, 0);
      if ((seen & (1 << (DEPTH_LEVELS + level))) === 0) board.setAskLevel(level, 0, 0, 0);
    }
    if ((seen & SEEN_LAST) === 0) board.setI32(QUOTE_SLOT_LAST_PAISE, 0);
    if ((seen & SEEN_LAST) === 0 || (seen & SEEN_INDEX) !== 0) {
      board.setI32(QUOTE_SLOT_LAST_QTY, 0);
      board.setF64(QUOTE_SLOT_LAST_TRADE_MICROS, 0);
    }
    if ((seen & SEEN_INDEX) === 0) board.setFlags(0, QuoteFlag.Index);
    if ((seen & SEEN_OPEN) === 0) board.setI32(QUOTE_SLOT_OPEN_PAISE, 0);
    if ((seen & SEEN_CLOSE) === 0) board.setI32(QUOTE_SLOT_CLOSE_PAISE, 0);
    if ((seen & SEEN_HIGH) === 0) board.setI32(QUOTE_SLOT_HIGH_PAISE, 0);
    if ((seen & SEEN_LOW) === 0) board.setI32(QUOTE_SLOT_LOW_PAISE, 0);
    if ((seen & SEEN_VOLUME) === 0) board.setF64(QUOTE_SLOT_VOLUME, 0);
    if ((seen & SEEN_OPEN_INTEREST) === 0) board.setF64(QUOTE_SLOT_OPEN_INTEREST, 0);
    board.setF64(QUOTE_SLOT_TURNOVER_PAISE, this.#vwapPaise * board.f64(QUOTE_SLOT_VOLUME));
    this.#seen |= BIDS | ASKS;
  }

  /** The best bid is level 1; the total is over the published levels. */
  #setBidSide(): void {
    const board = this.#board;
    let total = 0;
    for (let level = 0; level < DEPTH_LEVELS; level++) total += board.bidLevelQty(level);
    board.setI32(QUOTE_SLOT_BID_PAISE, board.bidLevelPaise(0));
    board.setI32(QUOTE_SLOT_BID_QTY, board.bidLevelQty(0));
    board.setF64(QUOTE_SLOT_TOTAL_BID_QTY, total);
  }

  #setAskSide(): void {
    const board = this.#board;
    let total = 0;
    for (let level = 0; level < DEPTH_LEVELS; level++) total += board.askLevelQty(level);
    board.setI32(QUOTE_SLOT_ASK_PAISE, board.askLevelPaise(0));
    board.setI32(QUOTE_SLOT_ASK_QTY, board.askLevelQty(0));
    board.setF64(QUOTE_SLOT_TOTAL_ASK_QTY, total);
  }
}
