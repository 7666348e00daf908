import { Prng } from '../../src/core/exchange/prng.ts';
import { InstrumentDraw } from '../instrument-draw.ts';
import { CLASS_COUNT, type Quote } from './quote-stream.ts';

/** Who watches what: for each connection positions of the stream, as many of each class as a tick brings quotes. */
export class WatchLists {
  readonly lists: readonly (readonly number[])[];
  /** Connections that watch an instrument, by position. */
  readonly #watchers: Uint32Array;

  /** Drawn by popularity within each class. */
  constructor(connections: number, quotesATick: number, instruments: number, seed: number) {
    const draw = new InstrumentDraw('zipf', Math.floor(instruments / CLASS_COUNT), new Prng(seed));
    this.#watchers = new Uint32Array(instruments);
    this.lists = Array.from({ length: connections }, () => {
      const list: number[] = [];
      for (let quoteClass = 0; quoteClass < CLASS_COUNT; quoteClass++) {
        for (const rank of draw.distinct(quotesATick)) list.push(rank * CLASS_COUNT + quoteClass);
      }
      for (const position of list) this.#watchers[position]!++;
      return list;
    });
  }

  /** The bytes of all entries that all connections get of a tick, added up: what a load client must have seen. */
  byteSum(tick: readonly Quote[]): number {
    let sum = 0;
    for (const { position, entry } of tick) {
      sum += this.#watchers[position]! * entry.reduce((bytes, byte) => bytes + byte, 0);
    }
    return sum;
  }
}
