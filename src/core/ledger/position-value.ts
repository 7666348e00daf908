import { shareOf } from './exact-arithmetic.ts';

/** Net units and what they cost; both are negative for a short. */
export interface OpenUnits {
  readonly quantity: number;
  readonly openValuePaise: number;
}

export interface TradedUnits extends OpenUnits {
  readonly realisedPaise: number;
}

/**
 * What a trade of `quantity` units for `valuePaise` (both signed: bought is positive) makes of open units. What closes takes with it its share of the cost, cut off to the
 * paisa; the rest of a paisa stays with what is open. So it always holds that cost after − realised = cost before + value.
 */
export function tradeInto(open: OpenUnits, quantity: number, valuePaise: number): TradedUnits {
  const isClosing = (open.quantity > 0 && quantity < 0) || (open.quantity < 0 && quantity > 0);
  if (!isClosing) {
    return { quantity: open.quantity + quantity, openValuePaise: open.openValuePaise + valuePaise, realisedPaise: 0 };
  }
  const closed = Math.min(Math.abs(open.quantity), Math.abs(quantity));
  const costPaise = shareOf(open.openValuePaise, closed, Math.abs(open.quantity));
  const closedForPaise = shareOf(valuePaise, closed, Math.abs(quantity));
  return {
    quantity: open.quantity + quantity,
    openValuePaise: open.openValuePaise - costPaise + valuePaise - closedForPaise,
    realisedPaise: -(costPaise + closedForPaise),
  };
}
