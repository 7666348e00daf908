import type { Prng } from '../src/core/exchange/prng.ts';

/** Which instruments traders watch: `zipf` weighs popularity rank r (1 is the first) by 1/r, `uniform` all alike. */
export const SYMBOL_DRAWS = ['zipf', 'uniform'] as const;
export type SymbolDraw = (typeof SYMBOL_DRAWS)[number];

/** Draws sets of different instruments by popularity rank. */
export class InstrumentDraw {
  readonly #cumulative: Float64Array;
  readonly #prng: Prng;

  constructor(draw: SymbolDraw, population: number, prng: Prng) {
    this.#cumulative = new Float64Array(population);
    let sum = 0;
    for (let rank = 0; rank < population; rank++) {
      sum += draw === 'zipf' ? 1 / (rank + 1) : 1;
      this.#cumulative[rank] = sum;
    }
    this.#prng = prng;
  }

  /** `count` different ranks from 0; no more than half the population, so that the drawing ends soon. */
  distinct(count: number): number[] {
    const ranks = new Set<number>();
    while (ranks.size < count) ranks.add(this.#rank());
    return [...ranks];
  }

  #rank(): number {
    const cumulative = this.#cumulative;
    const at = this.#prng.unit() * cumulative[cumulative.length - 1]!;
    let low = 0;
    let high = cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle]! > at) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
