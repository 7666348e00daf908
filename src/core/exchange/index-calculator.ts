import indexData from '../market/indices.json' with { type: 'json' };
import { InstrumentKind } from '../market-data/instrument-master.ts';
import type { InstrumentTable } from '../market-data/instrument-table.ts';
import type { DayFigures } from './day-figures.ts';

/** Index values are published to ₹0.05. */
const INDEX_STEP_PAISE = 5;

interface CalculatedIndex {
  readonly instrument: number;
  readonly constituents: Int32Array;
  readonly weights: Float64Array;
}

/**
 * Index values from the last traded prices of the constituents: the index's previous close times the weighted mean of each constituent's last
 * price over its previous close. Weights are free-float weights of the table; a constituent that is not listed is left out.
 */
export class IndexCalculator {
  readonly #figures: DayFigures;
  #indices: CalculatedIndex[] = [];

  constructor(figures: DayFigures) {
    this.#figures = figures;
  }

  /** Takes in the listed instruments; an index of the master that has no constituents in the table of indices has no value. */
  reload(table: InstrumentTable): void {
    this.#indices = [];
    for (const index of indexData.indices) {
      const instrument = table.indexOfSymbol(index.symbol);
      if (instrument < 0 || table.instrument(instrument).kind !== InstrumentKind.Index) continue;
      const listed = index.constituents
        .map((constituent) => ({ at: table.indexOfSymbol(constituent.symbol), weight: constituent.weightBps }))
        .filter((constituent) => constituent.at >= 0);
      if (listed.length === 0) continue;
      this.#indices.push({
        instrument,
        constituents: Int32Array.from(listed, (c) => c.at),
        weights: Float64Array.from(listed, (c) => c.weight),
      });
    }
  }

  get count(): number {
    return this.#indices.length;
  }

  /** The instrument of the index at `position`. */
  instrumentAt(position: number): number {
    return this.#indices[position]!.instrument;
  }

  /** The constituents' instruments of the broadest index, the first of the table: the shares that are always active. */
  leaders(): Int32Array {
    return this.#indices[0]?.constituents ?? new Int32Array(0);
  }

  /** The value of the index at `position` now, in paise. */
  valuePaise(position: number): number {
    const { instrument, constituents, weights } = this.#indices[position]!;
    const figures = this.#figures;
    let sum = 0;
    let total = 0;
    for (let i = 0; i < constituents.length; i++) {
      const constituent = constituents[i]!;
      const weight = weights[i]!;
      total += weight;
      sum += (weight * figures.closePaise(constituent)) / figures.previousClosePaise[constituent]!;
    }
    return Math.round((figures.previousClosePaise[instrument]! * sum) / total / INDEX_STEP_PAISE) * INDEX_STEP_PAISE;
  }
}
