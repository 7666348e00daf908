import { moneyRulesAsOf } from '../ledger/money-rules.ts';
import type { Instrument } from '../market-data/instrument-master.ts';
import type { MarketView } from '../orders/market-view.ts';
import type { InstrumentDirectory, RiskSource } from '../orders/order-books.ts';
import type { InstrumentFacts } from '../orders/order-validation.ts';
import { RiskSettings } from '../risk/risk-settings.ts';

/** What is traded: cheap and dear, ticks of three sizes, one with lots. */
const SHARES: readonly (readonly [string, number, number, number])[] = [
  ['RELIANCE', 148_000, 10, 1],
  ['TCS', 310_500, 50, 1],
  ['ITC', 41_000, 5, 1],
  ['IDEA', 1_205, 5, 10],
  ['HDFCBANK', 98_700, 5, 1],
];
const FIRST_ID = 1_001;
const PRICE_BAND_BPS = 2_000;
const FREEZE_QUANTITY = 20_000;

export const SIMULATED_INSTRUMENTS: readonly Instrument[] = SHARES.map(
  ([symbol, previousClosePaise, tickPaise, lotSize], position) => ({
    instrumentId: FIRST_ID + position,
    kind: 'equity',
    from: '2026-01-01',
    symbol,
    name: `${symbol} Limited`,
    isin: `INE00000${position}011`,
    tickPaise,
    lotSize,
    priceBandBps: PRICE_BAND_BPS,
    freezeQuantity: FREEZE_QUANTITY,
    previousClosePaise,
  }),
);

const FACTS: readonly InstrumentFacts[] = SIMULATED_INSTRUMENTS.map((instrument, instrumentIndex) => ({
  ...instrument,
  instrumentIndex,
  listed: true,
}));

export const SIMULATED_DIRECTORY: InstrumentDirectory = {
  bySymbol: (symbol) => FACTS.find((facts) => facts.symbol === symbol),
  byId: (instrumentId) => FACTS[instrumentId - FIRST_ID],
};

export const SIMULATED_RISK: RiskSource = new RiskSettings(moneyRulesAsOf('2026-11-24'));

/** The market as an engine sees it: the last trades that it was told of. */
export class SimulatedMarket implements MarketView {
  readonly isMarketHalted = false;
  readonly #lastPaise = SIMULATED_INSTRUMENTS.map(({ previousClosePaise }) => previousClosePaise);

  traded(instrumentIndex: number, pricePaise: number): void {
    this.#lastPaise[instrumentIndex] = pricePaise;
  }

  lastPaise(instrumentIndex: number): number {
    return this.#lastPaise[instrumentIndex]!;
  }

  isStale(): boolean {
    return false;
  }

  isHalted(): boolean {
    return false;
  }
}
