import { assert } from '../assert.ts';
import type { InstrumentRow } from '../market-data/instrument-row.ts';
import { jsonPrefix } from './json-encoder.ts';

/** `indexOf`: no such symbol is listed. */
export const UNKNOWN_SYMBOL = -1;

const NO_PREFIX = new Uint8Array(0);

/** What a fan-out worker knows of instruments: symbol to index for requests, and the facts that replies carry. */
export class InstrumentDirectory {
  #rows: readonly InstrumentRow[] = [];
  #indexBySymbol = new Map<string, number>();
  readonly #jsonPrefixes: Uint8Array[] = [];
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get count(): number {
    return this.#rows.length;
  }

  /** Takes the whole table, dense by index. An instrument keeps its index; its symbol may be another one than before. */
  load(rows: readonly InstrumentRow[]): void {
    assert(rows.length <= this.#capacity, `${rows.length} instruments for ${this.#capacity} slots`);
    const indexBySymbol = new Map<string, number>();
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index]!;
      assert(row.instrumentIndex === index, `row ${index} is of instrument ${row.instrumentIndex}`);
      if (row.listed) indexBySymbol.set(row.symbol, index);
      if (this.#rows[index]?.symbol !== row.symbol) this.#jsonPrefixes[index] = NO_PREFIX;
    }
    this.#rows = rows;
    this.#indexBySymbol = indexBySymbol;
  }

  indexOf(symbol: string): number {
    return this.#indexBySymbol.get(symbol) ?? UNKNOWN_SYMBOL;
  }

  row(instrumentIndex: number): InstrumentRow {
    return this.#rows[instrumentIndex]!;
  }

  /** What the JSON of a quote begins with; made when first asked for. */
  jsonPrefix(instrumentIndex: number): Uint8Array {
    const prefix = this.#jsonPrefixes[instrumentIndex]!;
    if (prefix.length > 0) return prefix;
    const made = jsonPrefix(this.#rows[instrumentIndex]!.symbol);
    this.#jsonPrefixes[instrumentIndex] = made;
    return made;
  }
}
