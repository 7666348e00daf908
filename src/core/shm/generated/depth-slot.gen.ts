// Generated from ../depth-slot.layout.ts by scripts/generate-layouts.ts: change it there, then `npm run generate`.
// Offsets are 32-bit words from the start of the record.

export const DEPTH_SLOT_STRIDE_WORDS = 32;
/** i32: odd while the feed worker is inside the slot; grows by two an update */
export const DEPTH_SLOT_SEQ = 0;
/** i32: unused */
export const DEPTH_SLOT_RESERVED0 = 1;
/** i32, 15 elements: five levels of price in paise, shares, orders; best first; price 0 for no level */
export const DEPTH_SLOT_BIDS = 2;
/** i32, 15 elements: five levels of price in paise, shares, orders; best first; price 0 for no level */
export const DEPTH_SLOT_ASKS = 17;
