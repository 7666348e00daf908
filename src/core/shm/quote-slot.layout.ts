import type { Layout } from './layout.ts';

/**
 * ```
 *            0       4       8      12      16      20      24      28
 *          ┌───────┬───────┬───────┬───────┬───────┬───────┬───────┬───────┐
 * line 0   │ seq   │ flags │ bid   │ ask   │ last  │ bidQty│ askQty│lastQty│
 *          ├───────┴───────┼───────┴───────┼───────┴───────┼───────┼───────┤
 *          │ volume f64    │ turnover f64  │ tsMicros f64  │trades │ -     │
 *          ├───────┬───────┼───────┬───────┼───────┴───────┼───────┴───────┤
 * line 1   │ open  │ high  │ low   │ close │ totalBidQty   │ totalAskQty   │
 *          ├───────┴───────┼───────┴───────┼───────────────┴───────────────┤
 *          │ openInterest  │ lastTrade f64 │ -                             │
 *          └───────────────┴───────────────┴───────────────────────────────┘
 * ```
 * Two cache lines: the first changes with nearly every update, the second holds the day's figures, which seldom do.
 * A reader that needs the top of the book alone touches the first line alone.
 */
export const quoteSlotLayout: Layout = {
  name: 'QUOTE_SLOT',
  doc: 'Written by the feed worker only; read by every worker; consistent when `seq` was even and the same before and after.',
  strideBytes: 128,
  fields: {
    seq: { kind: 'i32', doc: 'odd while the feed worker is inside the slot; grows by two an update' },
    flags: { kind: 'u32', doc: 'QuoteFlag bits: why the quote must not be trusted, and what it is' },
    bidPaise: { kind: 'i32', doc: 'best bid, paise; 0 when there is none' },
    askPaise: { kind: 'i32', doc: 'best offer, paise; 0 when there is none' },
    lastPaise: { kind: 'i32', doc: 'last traded price, or the value of an index, paise; 0 before the first' },
    bidQty: { kind: 'i32', doc: 'shares at the best bid' },
    askQty: { kind: 'i32', doc: 'shares at the best offer' },
    lastQty: { kind: 'i32', doc: 'shares of the last trade' },
    volume: { kind: 'f64', doc: 'shares traded today' },
    turnoverPaise: { kind: 'f64', doc: 'value traded today, paise; divided by volume it is the average price' },
    tsMicros: { kind: 'f64', doc: 'exchange time of the last change, epoch microseconds' },
    tradeCount: { kind: 'i32', doc: 'trades seen today' },
    reserved0: { kind: 'i32', doc: 'unused' },
    openPaise: { kind: 'i32', doc: 'first price of the day, paise' },
    highPaise: { kind: 'i32', doc: 'highest price of the day, paise' },
    lowPaise: { kind: 'i32', doc: 'lowest price of the day, paise' },
    closePaise: { kind: 'i32', doc: 'close of the previous day, paise; the base of the change' },
    totalBidQty: { kind: 'f64', doc: 'shares bid for in the published depth' },
    totalAskQty: { kind: 'f64', doc: 'shares offered in the published depth' },
    openInterest: { kind: 'f64', doc: 'open contracts; 0 for shares' },
    lastTradeMicros: { kind: 'f64', doc: 'exchange time of the last trade, epoch microseconds' },
    reserved1: { kind: 'i32', count: 4, doc: 'unused; fills the line' },
  },
};
