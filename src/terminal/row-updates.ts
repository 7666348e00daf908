// hot: per quote. No object is made; a row is written in place and copied out when the page asks for more.
import { QUOTE_FIELD_COUNT, QuoteField } from '../core/fan-out/wire.ts';
import { QuoteFlag, RECORD_NUMBERS, RecordField } from './worker-messages.ts';

/** The quote's field behind each number of a record after the row's id. */
const SOURCE_FIELDS = [
  QuoteField.LastPaise,
  QuoteField.ClosePaise,
  QuoteField.BidPaise,
  QuoteField.AskPaise,
  QuoteField.BidQty,
  QuoteField.AskQty,
  QuoteField.Volume,
  QuoteField.HighPaise,
  QuoteField.LowPaise,
  QuoteField.TsMillis,
  QuoteField.Flags,
] as const;

/** The newest quote of each watched row, and which rows the page has not seen yet. */
export class RowUpdates {
  readonly #rows = new Map<number, Float64Array>();
  readonly #unsent = new Set<number>();

  get hasUnsent(): boolean {
    return this.#unsent.size > 0;
  }

  add(rowId: number): void {
    const row = new Float64Array(RECORD_NUMBERS);
    row[RecordField.RowId] = rowId;
    this.#rows.set(rowId, row);
  }

  remove(rowId: number): void {
    this.#rows.delete(rowId);
    this.#unsent.delete(rowId);
  }

  /** Takes over the quote of an instrument from the decoder's fields. A row that is not watched is left alone. */
  take(rowId: number, fields: Float64Array, instrumentIndex: number): void {
    const row = this.#rows.get(rowId);
    if (row === undefined) return;
    const start = instrumentIndex * QUOTE_FIELD_COUNT;
    for (let i = 0; i < SOURCE_FIELDS.length; i++) row[i + 1] = fields[start + SOURCE_FIELDS[i]!]!;
    this.#unsent.add(rowId);
  }

  /** The connection is gone: every quote is old until the next connection brings it again. */
  markUnconnected(): void {
    for (const [rowId, row] of this.#rows) {
      row[RecordField.Flags]! |= QuoteFlag.Unconnected;
      this.#unsent.add(rowId);
    }
  }

  /** Copies the unsent rows to `records`, as many as it has room for. Returns how many; the others stay unsent. */
  pack(records: Float64Array): number {
    let count = 0;
    for (const rowId of this.#unsent) {
      if ((count + 1) * RECORD_NUMBERS > records.length) break;
      records.set(this.#rows.get(rowId)!, count * RECORD_NUMBERS);
      this.#unsent.delete(rowId);
      count++;
    }
    return count;
  }
}
