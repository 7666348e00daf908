import type { MarketState } from '../risk/risk-subject.ts';
import { type InstrumentFacts, priceBand } from './order-validation.ts';

/** The market as decisions see it, by `instrumentIndex`. */
export interface MarketView {
  /** Last traded price; 0 before the first. */
  lastPaise(instrumentIndex: number): number;
  /** Nobody vouches for the last price. */
  isStale(instrumentIndex: number): boolean;
  isHalted(instrumentIndex: number): boolean;
  readonly isMarketHalted: boolean;
}

/** All that a decision needs to know of the market in one instrument. */
export function marketStateOf(market: MarketView, facts: InstrumentFacts): MarketState {
  return {
    marketHalted: market.isMarketHalted,
    isHalted: market.isHalted(facts.instrumentIndex),
    isStale: market.isStale(facts.instrumentIndex),
    lastPaise: market.lastPaise(facts.instrumentIndex),
    bandHighPaise: priceBand(facts)?.highPaise ?? 0,
    freezeQuantity: facts.freezeQuantity,
  };
}
