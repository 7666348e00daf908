// Generated from ../broadcast-ring.layout.ts by scripts/generate-layouts.ts: change it there, then `npm run generate`.
// Offsets are 32-bit words from the start of the record.

export const BROADCAST_RING_STRIDE_WORDS = 64;
/** u32: records the producer has begun to write */
export const BROADCAST_RING_TAIL_INTENT = 0;
/** i32, 31 elements: keeps the counters apart */
export const BROADCAST_RING_RESERVED0 = 1;
/** u32: records that are whole */
export const BROADCAST_RING_TAIL = 32;
/** i32, 31 elements: fills the line */
export const BROADCAST_RING_RESERVED1 = 33;

export const TRADE_RECORD_STRIDE_WORDS = 8;
/** i32: dense index of the instrument */
export const TRADE_RECORD_INSTRUMENT_INDEX = 0;
/** i32: price, paise */
export const TRADE_RECORD_PRICE_PAISE = 1;
/** i32: shares */
export const TRADE_RECORD_QTY = 2;
/** i32: the instrument’s trades today, this one counted: a lapped reader compares it with the board */
export const TRADE_RECORD_TRADE_COUNT = 3;
/** f64: exchange time, epoch microseconds */
export const TRADE_RECORD_TS_MICROS = 4;
/** f64: the instrument’s shares traded today, this trade counted */
export const TRADE_RECORD_VOLUME = 6;
