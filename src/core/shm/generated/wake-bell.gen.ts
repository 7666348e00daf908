// Generated from ../wake-bell.layout.ts by scripts/generate-layouts.ts: change it there, then `npm run generate`.
// Offsets are 32-bit words from the start of the record.

export const WAKE_BELL_STRIDE_WORDS = 32;
/** i32: moved by whoever rings */
export const WAKE_BELL_WAKE_SEQ = 0;
/** i32: 1 while the sleeper waits to be woken, or is about to */
export const WAKE_BELL_SLEEPING = 1;
/** i32, 30 elements: fills the lines */
export const WAKE_BELL_RESERVED0 = 2;
