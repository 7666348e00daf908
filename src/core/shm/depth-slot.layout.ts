import type { Layout } from './layout.ts';

/**
 * ```
 *          ┌───────┬───────┬──────────────────────────────────────────────┐
 *          │ seq   │ -     │ bids: 5 × (price, quantity, orders)          │
 *          ├───────┴───────┴──────────────────────────────────────────────┤
 *          │ asks: 5 × (price, quantity, orders)                          │
 *          └──────────────────────────────────────────────────────────────┘
 * ```
 * Best level first. Apart from the quote slot, so that quote and ltp readers never touch depth.
 */
export const depthSlotLayout: Layout = {
  name: 'DEPTH_SLOT',
  doc: 'Written by the feed worker only; read for full mode; consistent when `seq` was even and the same before and after.',
  strideBytes: 128,
  fields: {
    seq: { kind: 'i32', doc: 'odd while the feed worker is inside the slot; grows by two an update' },
    reserved0: { kind: 'i32', doc: 'unused' },
    bids: {
      kind: 'i32',
      count: 15,
      doc: 'five levels of price in paise, shares, orders; best first; price 0 for no level',
    },
    asks: {
      kind: 'i32',
      count: 15,
      doc: 'five levels of price in paise, shares, orders; best first; price 0 for no level',
    },
  },
};
