// hot: `indexOfBytes`, per market data entry.
import type { InstrumentRow } from './instrument-row.ts';
import { SymbolIndex } from './symbol-index.ts';

/** The instruments as the feed sees them: the rows it was given, and their symbols found from received bytes. */
export class FeedInstruments {
  readonly #symbols: SymbolIndex;
  #rows: readonly InstrumentRow[] = [];

  constructor(capacity: number) {
    this.#symbols = new SymbolIndex(capacity);
  }

  get count(): number {
    return this.#rows.length;
  }

  /** Takes the whole table, dense by `instrumentIndex`; indices never change, symbols and listings may. */
  load(rows: readonly InstrumentRow[]): void {
    this.#rows = rows;
    this.#symbols.clear();
    for (const row of rows) if (row.listed) this.#symbols.add(row.symbol, row.instrumentIndex);
  }

  row(instrumentIndex: number): InstrumentRow {
    return this.#rows[instrumentIndex]!;
  }

  indexOfBytes(buffer: Uint8Array, start: number, end: number): number {
    return this.#symbols.find(buffer, start, end);
  }
}
