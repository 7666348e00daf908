// hot: `sees` per entry of a narrowed message. Integers alone.
import { MDEntryType } from '../fix/generated/fix-enums.gen.ts';
import { MARKET_DATA_ENTRY_TYPES, MARKET_DEPTH } from '../fix/market-data-messages.ts';

/** What of an instrument a request asked to see: a bit for each kind of entry, and above them the number of book levels. */
export type MarketDataView = number;

/** MarketDepth(264) of the full book. */
const FULL_BOOK = 0;
const LEVELS_SHIFT = 16;
const TYPES_MASK = (1 << LEVELS_SHIFT) - 1;

/** The bit of a kind of entry by its character code; 0 of what is never published. */
const BIT_OF_TYPE = new Int32Array(256);
for (const [position, entryType] of MARKET_DATA_ENTRY_TYPES.entries()) BIT_OF_TYPE[entryType] = 1 << position;

/** Nothing at all: not subscribed. */
export const NO_VIEW: MarketDataView = 0;
/** Everything that is published. */
export const WHOLE_VIEW: MarketDataView = (MARKET_DEPTH << LEVELS_SHIFT) | ((1 << MARKET_DATA_ENTRY_TYPES.length) - 1);

/**
 * The view of a MarketDataRequest, or NO_VIEW when one of its entry types is never published. `marketDepth` is as in FIX 4.4: 0 is the full book,
 * 1 its top, N its best N levels; more than are published are those that are.
 */
export function marketDataView(marketDepth: number, entryTypes: readonly number[]): MarketDataView {
  const levels = marketDepth === FULL_BOOK ? MARKET_DEPTH : Math.min(marketDepth, MARKET_DEPTH);
  let view = levels << LEVELS_SHIFT;
  for (const entryType of entryTypes) {
    const bit = BIT_OF_TYPE[entryType] ?? 0;
    if (bit === 0) return NO_VIEW;
    view |= bit;
  }
  return view;
}

/** Whether an entry is in view; `level` is its MDEntryPositionNo(290), of bids and offers alone. */
export function sees(view: MarketDataView, entryType: number, level: number): boolean {
  if ((view & TYPES_MASK & BIT_OF_TYPE[entryType]!) === 0) return false;
  return (entryType !== MDEntryType.Bid && entryType !== MDEntryType.Offer) || level <= view >> LEVELS_SHIFT;
}
