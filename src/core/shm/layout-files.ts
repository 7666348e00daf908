import { broadcastRingLayout, tradeRecordLayout } from './broadcast-ring.layout.ts';
import { depthSlotLayout } from './depth-slot.layout.ts';
import { dirtyBitmapLayout } from './dirty-bitmap.layout.ts';
import type { Layout } from './layout.ts';
import { orderRecordLayout } from './order-record.layout.ts';
import { quoteSlotLayout } from './quote-slot.layout.ts';
import { spscRecordLayout, spscRingLayout } from './spsc-ring.layout.ts';
import { wakeBellLayout } from './wake-bell.layout.ts';
import { engineStatsLayout, fanOutStatsLayout, feedStatsLayout, orderStatsLayout } from './worker-stats.layout.ts';

/** Every layout, by the file that declares it; each file has one generated twin. */
export const layoutFiles: readonly { readonly name: string; readonly layouts: readonly Layout[] }[] = [
  { name: 'quote-slot', layouts: [quoteSlotLayout] },
  { name: 'depth-slot', layouts: [depthSlotLayout] },
  { name: 'spsc-ring', layouts: [spscRingLayout, spscRecordLayout] },
  { name: 'broadcast-ring', layouts: [broadcastRingLayout, tradeRecordLayout] },
  { name: 'dirty-bitmap', layouts: [dirtyBitmapLayout] },
  { name: 'order-record', layouts: [orderRecordLayout] },
  { name: 'wake-bell', layouts: [wakeBellLayout] },
  { name: 'worker-stats', layouts: [engineStatsLayout, feedStatsLayout, fanOutStatsLayout, orderStatsLayout] },
];
