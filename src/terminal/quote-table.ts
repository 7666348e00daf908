import { QuoteRow } from './quote-row.ts';
import type { TableCounts } from './status-text.ts';
import { QuoteFlag, RECORD_NUMBERS, RecordField, STALE_FLAGS } from './worker-messages.ts';

/** The rows of the market watch, in the order that the person sees. Symbols are unique. */
export class QuoteTable {
  readonly #body: HTMLElement;
  readonly #template: HTMLTemplateElement;
  readonly #rows = new Map<number, QuoteRow>();
  #nextRowId = 1;

  constructor(body: HTMLElement, template: HTMLTemplateElement) {
    this.#body = body;
    this.#template = template;
  }

  /** In the order on screen. */
  get symbols(): string[] {
    const symbols = new Map([...this.#rows.values()].map((row) => [row.element, row.symbol]));
    return [...this.#body.children].map((element) => symbols.get(element as HTMLTableRowElement)!);
  }

  get size(): number {
    return this.#rows.size;
  }

  get counts(): TableCounts {
    let stale = 0;
    let halted = 0;
    let feedDown = 0;
    for (const { flags } of this.#rows.values()) {
      if (flags & STALE_FLAGS) stale++;
      if (flags & QuoteFlag.Halted) halted++;
      if (flags & QuoteFlag.FeedDown) feedDown++;
    }
    return { rows: this.#rows.size, stale, halted, feedDown };
  }

  row(rowId: number): QuoteRow | undefined {
    return this.#rows.get(rowId);
  }

  rowOfSymbol(symbol: string): QuoteRow | undefined {
    for (const row of this.#rows.values()) if (row.symbol === symbol) return row;
    return undefined;
  }

  rowOfElement(element: Element): QuoteRow | undefined {
    for (const row of this.#rows.values()) if (row.element === element) return row;
    return undefined;
  }

  append(symbol: string): QuoteRow {
    const row = this.#create(symbol);
    this.#body.append(row.element);
    return row;
  }

  prepend(symbol: string): QuoteRow {
    const row = this.#create(symbol);
    this.#body.prepend(row.element);
    return row;
  }

  remove(row: QuoteRow): void {
    this.#rows.delete(row.rowId);
    row.element.remove();
  }

  /** Paints `count` records; rows that were removed meanwhile are passed over. Returns whether `counts` may have changed. */
  paint(records: Float64Array, count: number, nowMillis: number): boolean {
    let isMarkedAnew = false;
    for (let start = 0; start < count * RECORD_NUMBERS; start += RECORD_NUMBERS) {
      const row = this.#rows.get(records[start + RecordField.RowId]!);
      if (row?.paint(records, start, nowMillis)) isMarkedAnew = true;
    }
    return isMarkedAnew;
  }

  /** Row ids are never used again: a record on its way to a removed row finds none. */
  #create(symbol: string): QuoteRow {
    const row = new QuoteRow(this.#nextRowId++, symbol, this.#template);
    this.#rows.set(row.rowId, row);
    return row;
  }
}
