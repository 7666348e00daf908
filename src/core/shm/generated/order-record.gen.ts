// Generated from ../order-record.layout.ts by scripts/generate-layouts.ts: change it there, then `npm run generate`.
// Offsets are 32-bit words from the start of the record.

export const ORDER_RECORD_STRIDE_WORDS = 10;
/** u32: generation of the fan-out worker: a record of or for a former one is dropped */
export const ORDER_RECORD_GENERATION = 0;
/** u32: generation of the order worker: a record for a former one is dropped */
export const ORDER_RECORD_ORDER_GENERATION = 1;
/** u32: a login of that fan-out worker; the number is never used again */
export const ORDER_RECORD_CONNECTION = 2;
/** u32: OrderRecordFlag bits */
export const ORDER_RECORD_FLAGS = 3;
/** f64: the client’s number of a request, -1 for none; of a page of events, its name */
export const ORDER_RECORD_REQUEST_ID = 4;
/** f64: whose it is */
export const ORDER_RECORD_USER_ID = 6;
/** f64: number of an event of the account */
export const ORDER_RECORD_SEQ = 8;
