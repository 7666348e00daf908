import { indianDate } from '../core/market/calendar.ts';
import { type InstrumentRow, instrumentRows } from '../core/market-data/instrument-row.ts';
import { InstrumentTable } from '../core/market-data/instrument-table.ts';
import { readInstrumentFile, watchInstrumentFile } from '../net/instrument-file.ts';

/** How often the date is looked at: what is dated comes into force within this after midnight in India. */
const DATE_POLL_MS = 30_000;

/** The instruments of this process, from the master file as of today in India. A master that is wrong leaves what was there. */
export class InstrumentSource {
  readonly #path: string;
  readonly #table: InstrumentTable;
  #rows: readonly InstrumentRow[] = [];
  #date = '';

  /** Raises INSTRUMENTS_INVALID or INSTRUMENTS_FULL. */
  constructor(path: string, capacity: number) {
    this.#path = path;
    this.#table = new InstrumentTable(capacity);
    this.reload();
  }

  /** Dense by `instrumentIndex`. */
  get rows(): readonly InstrumentRow[] {
    return this.#rows;
  }

  get listedCount(): number {
    return this.#rows.reduce((count, row) => count + (row.listed ? 1 : 0), 0);
  }

  /** Reads the file again and returns the number of new instruments. Raises, and changes nothing, when the master is wrong. */
  reload(): number {
    this.#date = indianDate(Date.now() * 1_000);
    const added = this.#table.load(readInstrumentFile(this.#path), this.#date);
    this.#rows = instrumentRows(this.#table);
    return added.length;
  }

  /** Calls `onChange` when the file or the date changed; returns what ends the watch. */
  watch(onChange: () => void, onError: (error: Error) => void): () => void {
    const fileWatch = watchInstrumentFile(this.#path, onChange, onError);
    const timer = setInterval(() => {
      if (indianDate(Date.now() * 1_000) !== this.#date) onChange();
    }, DATE_POLL_MS);
    return () => {
      fileWatch.close();
      clearInterval(timer);
    };
  }
}
