// hot: `indexOfBytes` per market data entry. Loading is not.
import { OutcryError } from '../errors.ts';
import type { Instrument, InstrumentMaster } from './instrument-master.ts';
import { SYMBOL_NOT_FOUND, SymbolIndex } from './symbol-index.ts';

export const INSTRUMENT_NOT_FOUND = SYMBOL_NOT_FOUND;

/**
 * Symbol ↔ dense `instrumentIndex`, the number by which everything inside the engine names an instrument. An index is given once and stays: a
 * reload appends what is new, a rename keeps the index, and what is no longer listed keeps its slot and is marked. Only current symbols resolve.
 * An index holds in this process alone; the stable name of an instrument is its `instrumentId`.
 */
export class InstrumentTable {
  readonly capacity: number;
  /** Grows by one at each load; a cached lookup of an older generation must be asked again. */
  generation = 0;

  #instruments: Instrument[] = [];
  #listed: boolean[] = [];
  readonly #indexById = new Map<number, number>();
  readonly #indexBySymbol = new Map<string, number>();
  readonly #symbols: SymbolIndex;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#symbols = new SymbolIndex(capacity);
  }

  /** How many indices are given; they are 0 to `count` − 1. */
  get count(): number {
    return this.#instruments.length;
  }

  /** The instrument as last loaded, listed or not. */
  instrument(index: number): Instrument {
    return this.#instruments[index]!;
  }

  symbol(index: number): string {
    return this.#instruments[index]!.symbol;
  }

  isListed(index: number): boolean {
    return this.#listed[index] === true;
  }

  /**
   * Takes in the master as of `date` (YYYY-MM-DD) and returns the indices that are new. All or nothing: INSTRUMENTS_FULL, when the new ones do
   * not fit, leaves the table as it was.
   */
  load(master: InstrumentMaster, date: string): number[] {
    const listed = master.asOf(date);
    let newCount = 0;
    for (const instrument of listed) if (!this.#indexById.has(instrument.instrumentId)) newCount++;
    if (this.count + newCount > this.capacity) {
      throw new OutcryError(
        'INSTRUMENTS_FULL',
        `${this.count} held and ${newCount} new ones, the capacity is ${this.capacity}`,
      );
    }
    const added: number[] = [];
    this.#listed.fill(false);
    this.#symbols.clear();
    this.#indexBySymbol.clear();
    for (const instrument of listed) {
      let index = this.#indexById.get(instrument.instrumentId);
      if (index === undefined) {
        index = this.count;
        this.#indexById.set(instrument.instrumentId, index);
        added.push(index);
      }
      this.#instruments[index] = instrument;
      this.#listed[index] = true;
      this.#indexBySymbol.set(instrument.symbol, index);
      this.#symbols.add(instrument.symbol, index);
    }
    this.generation++;
    return added;
  }

  indexOfSymbol(symbol: string): number {
    return this.#indexBySymbol.get(symbol) ?? INSTRUMENT_NOT_FOUND;
  }

  indexOfId(instrumentId: number): number {
    return this.#indexById.get(instrumentId) ?? INSTRUMENT_NOT_FOUND;
  }

  /** The index of the listed symbol that is the bytes `start` to `end` (exclusive), or INSTRUMENT_NOT_FOUND. */
  indexOfBytes(buffer: Uint8Array, start: number, end: number): number {
    return this.#symbols.find(buffer, start, end);
  }
}
