import type { InstrumentKind } from './instrument-master.ts';
import type { InstrumentTable } from './instrument-table.ts';

/** An instrument as the workers know it: flat, so that it crosses threads as it is. */
export interface InstrumentRow {
  /** Position in the board and in the array of rows. Given once in the life of a process. */
  readonly instrumentIndex: number;
  /** The stable name of the instrument, the same in every process and on every day. */
  readonly instrumentId: number;
  readonly symbol: string;
  readonly name: string;
  readonly kind: InstrumentKind;
  readonly tickPaise: number;
  readonly lotSize: number;
  /** Null for an index. */
  readonly isin: string | null;
  /** Null for no band. */
  readonly priceBandBps: number | null;
  readonly freezeQuantity: number;
  readonly previousClosePaise: number;
  /** False once the instrument left the master: it keeps its index and its last quote, and its symbol no longer resolves. */
  readonly listed: boolean;
}

/** The rows of a table, dense by `instrumentIndex`. */
export function instrumentRows(table: InstrumentTable): InstrumentRow[] {
  const rows: InstrumentRow[] = [];
  for (let instrumentIndex = 0; instrumentIndex < table.count; instrumentIndex++) {
    const { from: _, ...facts } = table.instrument(instrumentIndex);
    rows.push({ instrumentIndex, ...facts, listed: table.isListed(instrumentIndex) });
  }
  return rows;
}
