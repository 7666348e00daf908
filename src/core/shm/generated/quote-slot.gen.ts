// Generated from ../quote-slot.layout.ts by scripts/generate-layouts.ts: change it there, then `npm run generate`.
// Offsets are 32-bit words from the start of the record.

export const QUOTE_SLOT_STRIDE_WORDS = 32;
/** i32: odd while the feed worker is inside the slot; grows by two an update */
export const QUOTE_SLOT_SEQ = 0;
/** u32: QuoteFlag bits: why the quote must not be trusted, and what it is */
export const QUOTE_SLOT_FLAGS = 1;
/** i32: best bid, paise; 0 when there is none */
export const QUOTE_SLOT_BID_PAISE = 2;
/** i32: best offer, paise; 0 when there is none */
export const QUOTE_SLOT_ASK_PAISE = 3;
/** i32: last traded price, or the value of an index, paise; 0 before the first */
export const QUOTE_SLOT_LAST_PAISE = 4;
/** i32: shares at the best bid */
export const QUOTE_SLOT_BID_QTY = 5;
/** i32: shares at the best offer */
export const QUOTE_SLOT_ASK_QTY = 6;
/** i32: shares of the last trade */
export const QUOTE_SLOT_LAST_QTY = 7;
/** f64: shares traded today */
export const QUOTE_SLOT_VOLUME = 8;
/** f64: value traded today, paise; divided by volume it is the average price */
export const QUOTE_SLOT_TURNOVER_PAISE = 10;
/** f64: exchange time of the last change, epoch microseconds */
export const QUOTE_SLOT_TS_MICROS = 12;
/** i32: trades seen today */
export const QUOTE_SLOT_TRADE_COUNT = 14;
/** i32: unused */
export const QUOTE_SLOT_RESERVED0 = 15;
/** i32: first price of the day, paise */
export const QUOTE_SLOT_OPEN_PAISE = 16;
/** i32: highest price of the day, paise */
export const QUOTE_SLOT_HIGH_PAISE = 17;
/** i32: lowest price of the day, paise */
export const QUOTE_SLOT_LOW_PAISE = 18;
/** i32: close of the previous day, paise; the base of the change */
export const QUOTE_SLOT_CLOSE_PAISE = 19;
/** f64: shares bid for in the published depth */
export const QUOTE_SLOT_TOTAL_BID_QTY = 20;
/** f64: shares offered in the published depth */
export const QUOTE_SLOT_TOTAL_ASK_QTY = 22;
/** f64: open contracts; 0 for shares */
export const QUOTE_SLOT_OPEN_INTEREST = 24;
/** f64: exchange time of the last trade, epoch microseconds */
export const QUOTE_SLOT_LAST_TRADE_MICROS = 26;
/** i32, 4 elements: unused; fills the line */
export const QUOTE_SLOT_RESERVED1 = 28;
