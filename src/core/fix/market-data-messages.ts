// hot: MarketDataWriter, per published update. No allocation, no closure, no exception there; the request messages are typed values.
import { FieldReader, type Parsed } from './field-reader.ts';
import type { FixEncoder } from './fix-encoder.ts';
import type { FixMessage } from './fix-message.ts';
import {
  MDEntryType,
  MDReqRejReason,
  MDUpdateAction,
  type SecurityTradingStatus,
  SessionRejectReason,
  SubscriptionRequestType,
} from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';

/** Symbols that one MarketDataRequest may ask for; more take several requests. */
export const REQUEST_SYMBOLS_MAX = 500;
/** Book levels that are published and asked for. */
export const MARKET_DEPTH = 5;

/** MarketDataRequest (V). */
export interface MarketDataRequest {
  mdReqID: string;
  subscriptionRequestType: SubscriptionRequestType;
  symbols: readonly string[];
}

/** MarketDataRequest (V) as it is received: also what of the symbols is asked for. */
export interface ReceivedMarketDataRequest extends MarketDataRequest {
  /** MarketDepth(264): book levels, 0 for all there are. */
  marketDepth: number;
  /** MDUpdateType(265), a character code or INVALID_VALUE; MD_UPDATE_INCREMENTAL where there is none. */
  mdUpdateType: number;
  /** MDEntryType(269), character codes; INVALID_VALUE for what is not one character. */
  entryTypes: readonly number[];
}

/** MarketDataRequestReject (Y). */
export interface MarketDataRequestReject {
  mdReqID: string;
  mdReqRejReason: MDReqRejReason;
  text: string;
}

/** Kinds of entries that are published and asked for. */
export const MARKET_DATA_ENTRY_TYPES: readonly MDEntryType[] = [
  MDEntryType.Bid,
  MDEntryType.Offer,
  MDEntryType.Trade,
  MDEntryType.IndexValue,
  MDEntryType.OpeningPrice,
  MDEntryType.ClosingPrice,
  MDEntryType.TradingSessionHighPrice,
  MDEntryType.TradingSessionLowPrice,
  MDEntryType.TradingSessionVwapPrice,
  MDEntryType.TradeVolume,
  MDEntryType.OpenInterest,
];

/** MDUpdateType(265): incremental refresh. */
export const MD_UPDATE_INCREMENTAL = 49;

/** Body of V: five levels, every kind of entry, at most REQUEST_SYMBOLS_MAX symbols. */
export function writeMarketDataRequest(encoder: FixEncoder, request: MarketDataRequest): void {
  encoder.ascii(Tag.MDReqID, request.mdReqID);
  encoder.char(Tag.SubscriptionRequestType, request.subscriptionRequestType);
  encoder.int(Tag.MarketDepth, MARKET_DEPTH);
  encoder.char(Tag.MDUpdateType, MD_UPDATE_INCREMENTAL);
  encoder.int(Tag.NoMDEntryTypes, MARKET_DATA_ENTRY_TYPES.length);
  for (const entryType of MARKET_DATA_ENTRY_TYPES) encoder.char(Tag.MDEntryType, entryType);
  encoder.int(Tag.NoRelatedSym, request.symbols.length);
  for (const symbol of request.symbols) encoder.ascii(Tag.Symbol, symbol);
}

export function readMarketDataRequest(message: FixMessage): Parsed<ReceivedMarketDataRequest> {
  const reader = new FieldReader(message);
  const mdReqID = reader.identifier(reader.required(Tag.MDReqID));
  const subscriptionRequestType = reader.char(
    reader.required(Tag.SubscriptionRequestType),
    SubscriptionRequestType,
    SubscriptionRequestType.Snapshot,
  );
  const marketDepth = reader.quantity(reader.required(Tag.MarketDepth));
  const updateType = reader.optional(Tag.MDUpdateType);
  const mdUpdateType = updateType < 0 ? MD_UPDATE_INCREMENTAL : message.char(updateType);
  const entryTypes = readEntryTypes(message, reader);
  const symbols: string[] = [];
  const noRelatedSym = reader.required(Tag.NoRelatedSym);
  const symbolCount = reader.quantity(noRelatedSym);
  if (symbolCount > REQUEST_SYMBOLS_MAX) {
    const text = `more than ${REQUEST_SYMBOLS_MAX} symbols in one request`;
    reader.refuse(Tag.NoRelatedSym, SessionRejectReason.ValueIsIncorrect, text);
  } else if (noRelatedSym >= 0) {
    for (let at = message.find(Tag.Symbol, noRelatedSym); at >= 0; at = message.find(Tag.Symbol, at + 1)) {
      symbols.push(reader.identifier(at));
    }
    if (symbols.length !== symbolCount) {
      const reason = SessionRejectReason.IncorrectNumInGroupCountForRepeatingGroup;
      reader.refuse(Tag.NoRelatedSym, reason, `NoRelatedSym is ${symbolCount}, symbols are ${symbols.length}`);
    }
  }
  return reader.parsed({ mdReqID, subscriptionRequestType, marketDepth, mdUpdateType, entryTypes, symbols });
}

/** The group of NoMDEntryTypes(267), at least one. */
function readEntryTypes(message: FixMessage, reader: FieldReader): number[] {
  const entryTypes: number[] = [];
  const noMDEntryTypes = reader.required(Tag.NoMDEntryTypes);
  if (noMDEntryTypes < 0) return entryTypes;
  const count = reader.quantity(noMDEntryTypes);
  for (let at = noMDEntryTypes + 1; at < message.count && message.tags[at] === Tag.MDEntryType; at++)
    entryTypes.push(message.char(at));
  if (count === 0) {
    reader.refuse(Tag.NoMDEntryTypes, SessionRejectReason.ValueIsIncorrect, 'no entry type is asked for');
  } else if (entryTypes.length !== count) {
    const reason = SessionRejectReason.IncorrectNumInGroupCountForRepeatingGroup;
    reader.refuse(Tag.NoMDEntryTypes, reason, `NoMDEntryTypes is ${count}, entry types are ${entryTypes.length}`);
  }
  return entryTypes;
}

export function writeMarketDataRequestReject(encoder: FixEncoder, reject: MarketDataRequestReject): void {
  encoder.ascii(Tag.MDReqID, reject.mdReqID);
  encoder.char(Tag.MDReqRejReason, reject.mdReqRejReason);
  if (reject.text !== '') encoder.ascii(Tag.Text, reject.text);
}

export function readMarketDataRequestReject(message: FixMessage): Parsed<MarketDataRequestReject> {
  const reader = new FieldReader(message);
  return reader.parsed({
    mdReqID: reader.identifier(reader.required(Tag.MDReqID)),
    mdReqRejReason: reader.char(reader.optional(Tag.MDReqRejReason), MDReqRejReason, MDReqRejReason.UnknownSymbol),
    text: reader.text(reader.optional(Tag.Text)),
  });
}

/** Body of SecurityStatus (f): a halt, or its end. */
export function writeSecurityStatus(encoder: FixEncoder, symbol: Uint8Array, status: SecurityTradingStatus): void {
  encoder.bytes(Tag.Symbol, symbol, 0, symbol.length);
  encoder.int(Tag.SecurityTradingStatus, status);
}

/**
 * Writes the body of one W or X at a time, entry by entry, behind `session.begin`. Order of use: `beginSnapshot`, or
 * `beginIncremental` and `instrument` before the entries of each instrument; then entries; then `end`.
 */
export class MarketDataWriter {
  #encoder: FixEncoder | null = null;
  #symbol: Uint8Array | null = null;
  #incremental = false;
  #countPlace = -1;
  #entryCount = 0;

  /** W: everything that is published of one instrument; an empty `mdReqID` writes none, for a body that several requests share. */
  beginSnapshot(encoder: FixEncoder, mdReqID: Uint8Array, symbol: Uint8Array): void {
    if (mdReqID.length > 0) encoder.bytes(Tag.MDReqID, mdReqID, 0, mdReqID.length);
    encoder.bytes(Tag.Symbol, symbol, 0, symbol.length);
    this.#begin(encoder, false);
  }

  /** X: what changed of one or several instruments; `mdReqID` as in a W. */
  beginIncremental(encoder: FixEncoder, mdReqID: Uint8Array): void {
    if (mdReqID.length > 0) encoder.bytes(Tag.MDReqID, mdReqID, 0, mdReqID.length);
    this.#begin(encoder, true);
  }

  /** The instrument of the entries that follow in an X. `symbol` is kept until the next. */
  instrument(symbol: Uint8Array): void {
    this.#symbol = symbol;
  }

  /** A book level, 1 (best) to 5: `entryType` is Bid or Offer; `orders` 0 is not written. */
  level(entryType: MDEntryType, level: number, pricePaise: number, qty: number, orders: number): void {
    const encoder = this.#entry(MDUpdateAction.Change, entryType);
    encoder.pricePaise(Tag.MDEntryPx, pricePaise);
    encoder.int(Tag.MDEntrySize, qty);
    if (orders > 0) encoder.int(Tag.NumberOfOrders, orders);
    encoder.int(Tag.MDEntryPositionNo, level);
  }

  /** X only: there is no such level any more. */
  deleteLevel(entryType: MDEntryType, level: number): void {
    this.#entry(MDUpdateAction.Delete, entryType).int(Tag.MDEntryPositionNo, level);
  }

  /** A trade; `tsMicros` is epoch microseconds. In a W it is the last trade, in an X a new one. */
  trade(pricePaise: number, qty: number, tsMicros: number): void {
    const encoder = this.#entry(MDUpdateAction.New, MDEntryType.Trade);
    encoder.pricePaise(Tag.MDEntryPx, pricePaise);
    encoder.int(Tag.MDEntrySize, qty);
    encoder.utcTimeOnlyMicros(Tag.MDEntryTime, tsMicros);
  }

  /** An entry that is a price: open, high, low, previous close, VWAP, index value. */
  price(entryType: MDEntryType, pricePaise: number): void {
    this.#entry(MDUpdateAction.Change, entryType).pricePaise(Tag.MDEntryPx, pricePaise);
  }

  /** An entry that is a quantity: trade volume, open interest. */
  quantity(entryType: MDEntryType, qty: number): void {
    this.#entry(MDUpdateAction.Change, entryType).int(Tag.MDEntrySize, qty);
  }

  /** Fills in NoMDEntries and returns it. */
  end(): number {
    this.#encoder!.setCount(this.#countPlace, this.#entryCount);
    return this.#entryCount;
  }

  #begin(encoder: FixEncoder, incremental: boolean): void {
    this.#encoder = encoder;
    this.#incremental = incremental;
    this.#countPlace = encoder.reserveCount(Tag.NoMDEntries);
    this.#entryCount = 0;
  }

  #entry(updateAction: MDUpdateAction, entryType: MDEntryType): FixEncoder {
    const encoder = this.#encoder!;
    this.#entryCount++;
    if (this.#incremental) encoder.char(Tag.MDUpdateAction, updateAction);
    encoder.char(Tag.MDEntryType, entryType);
    if (this.#incremental) encoder.bytes(Tag.Symbol, this.#symbol!, 0, this.#symbol!.length);
    return encoder;
  }
}
