/**
 * What both ends of the WebSocket protocol agree on. `src/net/ws-protocol.md` is the page for people; this is the same for
 * the server, the client and the tests. Nothing here may import anything: the browser loads it as it is.
 */
export const WIRE_VERSION = 1;

export const SUBPROTOCOL_BINARY = 'outcry.v1';
export const SUBPROTOCOL_JSON = 'outcry.json.v1';

/** First byte of every binary message. */
export const FrameType = {
  /** Server, once, first: the version byte, then a control map. */
  Welcome: 0,
  /** Server: quotes. */
  Quotes: 1,
  /** Both: a control map, see `control-codec.ts`. */
  Control: 2,
  /** Client: a tick received. */
  Ack: 3,
  /** Server: quotes, with the arrival of the oldest change carried. For clients that asked for `timing`. */
  TimedQuotes: 4,
} as const;

/** What a subscription carries. `Json` is the text protocol's and is not asked for by name. */
export const QuoteMode = { Ltp: 0, Quote: 1, Full: 2, Json: 3 } as const;
export type QuoteMode = (typeof QuoteMode)[keyof typeof QuoteMode];
export const QUOTE_MODE_COUNT = 4;

/** Modes by the name clients give. */
export const MODE_BY_NAME = { ltp: QuoteMode.Ltp, quote: QuoteMode.Quote, full: QuoteMode.Full } as const;
export type ModeName = keyof typeof MODE_BY_NAME;

/**
 * Fields of a quote: the number is the bit in an entry's mask and the place in a decoded row. What changes often is first,
 * since a mask of low bits alone is one byte.
 */
export const QuoteField = {
  LastPaise: 0,
  BidPaise: 1,
  AskPaise: 2,
  BidQty: 3,
  AskQty: 4,
  LastQty: 5,
  Volume: 6,
  AveragePaise: 7,
  /** Not a number: the section of changed depth levels. */
  Depth: 8,
  TsMillis: 9,
  LastTradeMillis: 10,
  TotalBidQty: 11,
  TotalAskQty: 12,
  Flags: 13,
  HighPaise: 14,
  LowPaise: 15,
  OpenPaise: 16,
  ClosePaise: 17,
  OpenInterest: 18,
} as const;
export const QUOTE_FIELD_COUNT = 19;

/** Fields that each mode carries, in the order of their bits; `Full` has the depth section besides. */
export const FIELDS_BY_MODE: readonly (readonly number[])[] = [
  [QuoteField.LastPaise, QuoteField.Flags, QuoteField.ClosePaise],
  [
    QuoteField.LastPaise,
    QuoteField.BidPaise,
    QuoteField.AskPaise,
    QuoteField.BidQty,
    QuoteField.AskQty,
    QuoteField.LastQty,
    QuoteField.Volume,
    QuoteField.AveragePaise,
    QuoteField.Flags,
    QuoteField.HighPaise,
    QuoteField.LowPaise,
    QuoteField.OpenPaise,
    QuoteField.ClosePaise,
  ],
  [
    QuoteField.LastPaise,
    QuoteField.BidPaise,
    QuoteField.AskPaise,
    QuoteField.BidQty,
    QuoteField.AskQty,
    QuoteField.LastQty,
    QuoteField.Volume,
    QuoteField.AveragePaise,
    QuoteField.TsMillis,
    QuoteField.LastTradeMillis,
    QuoteField.TotalBidQty,
    QuoteField.TotalAskQty,
    QuoteField.Flags,
    QuoteField.HighPaise,
    QuoteField.LowPaise,
    QuoteField.OpenPaise,
    QuoteField.ClosePaise,
    QuoteField.OpenInterest,
  ],
  [QuoteField.LastPaise, QuoteField.TsMillis, QuoteField.ClosePaise],
];

/** Levels a side, and numbers a level: price, quantity, orders. Bids are first, best first. */
export const WIRE_DEPTH_LEVELS = 5;
export const WIRE_LEVEL_NUMBERS = 3;
export const WIRE_DEPTH_NUMBERS = 2 * WIRE_DEPTH_LEVELS * WIRE_LEVEL_NUMBERS;

/** Classes of the differential filter, basis points of the last price; 0 is off. */
export const FILTER_CLASSES_BPS = [0, 5, 10, 20, 50, 100] as const;

/** A native client acknowledges this often, or when it has received so many bytes since, whichever is first. */
export const ACK_INTERVAL_MS = 1_000;
export const ACK_BYTES = 8_192;

/** Codes of error replies. Stable: clients key on them. */
export const WireError = {
  BAD_MESSAGE: 'BAD_MESSAGE',
  UNKNOWN_ACTION: 'UNKNOWN_ACTION',
  BAD_SYMBOLS: 'BAD_SYMBOLS',
  BAD_MODE: 'BAD_MODE',
  BAD_FILTER: 'BAD_FILTER',
  BAD_TIMING: 'BAD_TIMING',
  TOO_MANY_SUBSCRIPTIONS: 'TOO_MANY_SUBSCRIPTIONS',
} as const;
export type WireError = (typeof WireError)[keyof typeof WireError];

/** Close codes from 4400 on say that the client is at fault: the same again gives the same. Any other: come back later. */
export const CLOSE_CLIENT_FAULT_MIN = 4400;
export const CLOSE_CLIENT_FAULT_MAX = 4499;
