// hot: `draw` per simulated event.
import type { Prng } from './prng.ts';

/** Flattens the head of the distribution: the most popular instrument gets about 1.9 % of the activity among 2,000, the last 0.01 %. */
const RANK_OFFSET = 10;

/**
 * Draws instruments with a frequency of 1 / (rank + 10), a bounded Zipf law, in constant time by Walker's alias method (1974; Vose's
 * construction, 1991). The rank is the position in `instruments`.
 */
export class Popularity {
  readonly #instruments: Int32Array;
  readonly #threshold: Float64Array;
  readonly #alias: Int32Array;

  constructor(instruments: readonly number[]) {
    const count = instruments.length;
    this.#instruments = Int32Array.from(instruments);
    this.#threshold = new Float64Array(count).fill(1);
    this.#alias = new Int32Array(count);
    let total = 0;
    for (let rank = 0; rank < count; rank++) total += 1 / (rank + RANK_OFFSET);
    const scaled = new Float64Array(count);
    const small: number[] = [];
    const large: number[] = [];
    for (let rank = 0; rank < count; rank++) {
      scaled[rank] = count / (rank + RANK_OFFSET) / total;
      (scaled[rank]! < 1 ? small : large).push(rank);
    }
    while (small.length > 0 && large.length > 0) {
      const less = small.pop()!;
      const more = large.pop()!;
      this.#threshold[less] = scaled[less]!;
      this.#alias[less] = more;
      scaled[more] = scaled[more]! + scaled[less]! - 1;
      (scaled[more]! < 1 ? small : large).push(more);
    }
  }

  get count(): number {
    return this.#instruments.length;
  }

  /** An instrument; there must be one. */
  draw(random: Prng): number {
    const column = random.below(this.#instruments.length);
    const rank = random.unit() < this.#threshold[column]! ? column : this.#alias[column]!;
    return this.#instruments[rank]!;
  }
}
