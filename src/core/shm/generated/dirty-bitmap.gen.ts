// Generated from ../dirty-bitmap.layout.ts by scripts/generate-layouts.ts: change it there, then `npm run generate`.
// Offsets are 32-bit words from the start of the record.

export const DIRTY_BITMAP_STRIDE_WORDS = 32;
/** i32: moved by the writer after it set bits, for a reader that sleeps on it */
export const DIRTY_BITMAP_WAKE_SEQ = 0;
/** i32: 1 while the reader sleeps, or is about to, until something changes */
export const DIRTY_BITMAP_SLEEPING = 1;
/** i32, 30 elements: fills the lines */
export const DIRTY_BITMAP_RESERVED0 = 2;
