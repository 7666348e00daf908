/**
 * What the page and its worker say to each other. The worker owns the WebSocket, the decoding and the instrument list; the page paints.
 *
 * Quotes cross in one buffer that goes to and fro: the worker fills it with the rows that changed, the page paints them and hands it back. So
 * a page that is hidden or slow holds the buffer, and what it then gets is the newest state; nothing queues up.
 */

/** A record of the buffer: these numbers, one after the other. Prices in paise. */
export const RecordField = {
  RowId: 0,
  Last: 1,
  Close: 2,
  Bid: 3,
  Ask: 4,
  BidQty: 5,
  AskQty: 6,
  Volume: 7,
  High: 8,
  Low: 9,
  TsMillis: 10,
  Flags: 11,
} as const;
export type RecordField = (typeof RecordField)[keyof typeof RecordField];
export const RECORD_NUMBERS = 12;

/** Rows that a watch list holds at most, and records that the buffer has room for. */
export const MAX_ROWS = 250;

/** Flags of a quote as the wire protocol numbers them, and one of the worker's own: the connection that brought it is gone. */
export const QuoteFlag = { MissedMessages: 1, Silent: 2, FeedDown: 4, Halted: 8, Unconnected: 65_536 } as const;
export const STALE_FLAGS = QuoteFlag.MissedMessages | QuoteFlag.Silent | QuoteFlag.FeedDown | QuoteFlag.Unconnected;

/** `connecting` is before the first connection only; `closed` is for good, with the reason. */
export type Connection = 'connecting' | 'connected' | 'reconnecting' | 'closed';

export interface WatchedRow {
  readonly rowId: number;
  readonly symbol: string;
}

export interface Match {
  readonly symbol: string;
  readonly name: string;
}

export type ToWorker =
  | { readonly type: 'watch'; readonly rows: readonly WatchedRow[] }
  | { readonly type: 'unwatch'; readonly rowId: number }
  | { readonly type: 'search'; readonly text: string }
  | { readonly type: 'painted'; readonly records: Float64Array<ArrayBuffer> };

export type ToPage =
  | { readonly type: 'connection'; readonly connection: Connection; readonly reason: string }
  /** The list of instruments is here; what a newcomer is shown. */
  | { readonly type: 'loaded'; readonly defaultSymbols: readonly string[] }
  | { readonly type: 'watched'; readonly rowId: number; readonly name: string; readonly isIndex: boolean }
  /** The server does not know the symbol; `similar` are symbols it knows. */
  | { readonly type: 'unknown'; readonly rowId: number; readonly similar: readonly Match[] }
  | { readonly type: 'failed'; readonly rowId: number; readonly reason: string }
  | { readonly type: 'matches'; readonly text: string; readonly matches: readonly Match[] }
  | { readonly type: 'quotes'; readonly records: Float64Array<ArrayBuffer>; readonly count: number };
