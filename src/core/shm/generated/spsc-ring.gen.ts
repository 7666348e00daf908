// Generated from ../spsc-ring.layout.ts by scripts/generate-layouts.ts: change it there, then `npm run generate`.
// Offsets are 32-bit words from the start of the record.

export const SPSC_RING_STRIDE_WORDS = 96;
/** u32: bytes published by the producer */
export const SPSC_RING_TAIL_BYTES = 0;
/** i32, 31 elements: keeps the cursors apart */
export const SPSC_RING_RESERVED0 = 1;
/** u32: bytes released by the consumer */
export const SPSC_RING_HEAD_BYTES = 32;
/** i32, 31 elements: keeps the cursors apart */
export const SPSC_RING_RESERVED1 = 33;
/** u32: claims refused because the ring was full */
export const SPSC_RING_FULL_COUNT = 64;
/** i32, 31 elements: fills the line */
export const SPSC_RING_RESERVED2 = 65;

export const SPSC_RECORD_STRIDE_WORDS = 2;
/** i32: payload length */
export const SPSC_RECORD_LENGTH_BYTES = 0;
/** i32: what the payload is; 0 is padding up to the end of the ring */
export const SPSC_RECORD_TYPE = 1;
