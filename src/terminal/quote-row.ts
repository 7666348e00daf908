// hot: per painted row. What is on screen is compared as numbers; only a text node whose number changed is written, and nothing is measured.
import { formatChange, formatChangePercent, formatPrice, formatQuantity, formatTime, NONE } from './number-format.ts';
import { QuoteFlag, RECORD_NUMBERS, RecordField, STALE_FLAGS } from './worker-messages.ts';

/** Columns that show one number of the record as it is. */
const PLAIN_COLUMNS = [
  { cell: 'bid', field: RecordField.Bid, format: formatPrice },
  { cell: 'ask', field: RecordField.Ask, format: formatPrice },
  { cell: 'bid-size', field: RecordField.BidQty, format: formatQuantity },
  { cell: 'ask-size', field: RecordField.AskQty, format: formatQuantity },
  { cell: 'volume', field: RecordField.Volume, format: formatQuantity },
  { cell: 'high', field: RecordField.High, format: formatPrice },
  { cell: 'low', field: RecordField.Low, format: formatPrice },
] as const;

/** One line of the table and what it shows. */
export class QuoteRow {
  readonly rowId: number;
  readonly symbol: string;
  readonly element: HTMLTableRowElement;
  readonly removeButton: HTMLButtonElement;
  /** Flags as painted; 0 before the first quote. */
  flags = 0;

  /** The record on screen; NaN is nothing yet, and equal to no number. */
  readonly #shown = new Float64Array(RECORD_NUMBERS).fill(Number.NaN);
  readonly #plainTexts: readonly Text[];
  readonly #lastBox: HTMLElement;
  readonly #lastText: Text;
  readonly #changeText: Text;
  readonly #percentText: Text;
  readonly #timeText: Text;
  readonly #markText: Text;
  readonly #name: HTMLElement;
  #shownSecond = Number.NaN;

  constructor(rowId: number, symbol: string, template: HTMLTemplateElement) {
    const element = template.content.firstElementChild!.cloneNode(true) as HTMLTableRowElement;
    this.rowId = rowId;
    this.symbol = symbol;
    this.element = element;
    this.removeButton = find(element, 'button') as HTMLButtonElement;
    this.removeButton.setAttribute('aria-label', `Remove ${symbol}`);
    this.#plainTexts = PLAIN_COLUMNS.map((column) => textOf(find(element, `.${column.cell}`)));
    this.#lastBox = find(element, '.last span');
    this.#lastText = textOf(this.#lastBox);
    this.#changeText = textOf(find(element, '.change'));
    this.#percentText = textOf(find(element, '.percent'));
    this.#timeText = textOf(find(element, '.time'));
    this.#markText = textOf(find(element, '.mark'));
    this.#name = find(element, '.name');
    textOf(find(element, '.symbol')).data = symbol;
  }

  /** What the server told of the instrument. */
  describe(name: string, isIndex: boolean): void {
    this.#name.textContent = name;
    this.#name.title = name;
    this.element.classList.toggle('index', isIndex);
  }

  /** Shows a record. Returns whether the flags are others than before. */
  paint(records: Float64Array, start: number, nowMillis: number): boolean {
    const shown = this.#shown;
    for (let i = 0; i < PLAIN_COLUMNS.length; i++) {
      const { field, format } = PLAIN_COLUMNS[i]!;
      const value = records[start + field]!;
      if (value !== shown[field]) this.#plainTexts[i]!.data = format(value);
    }
    const last = records[start + RecordField.Last]!;
    const close = records[start + RecordField.Close]!;
    if (last !== shown[RecordField.Last] || close !== shown[RecordField.Close]) this.#paintLast(last, close);
    const tsMillis = records[start + RecordField.TsMillis]!;
    const second = Math.floor(tsMillis / 1_000);
    if (second !== this.#shownSecond) {
      this.#shownSecond = second;
      this.#timeText.data = formatTime(tsMillis, nowMillis);
    }
    const flags = records[start + RecordField.Flags]!;
    const isMarkedAnew = flags !== shown[RecordField.Flags];
    if (isMarkedAnew) this.#paintFlags(flags);
    for (let i = 0; i < RECORD_NUMBERS; i++) shown[i] = records[start + i]!;
    return isMarkedAnew;
  }

  #paintLast(last: number, close: number): void {
    const lastShown = this.#shown[RecordField.Last]!;
    this.#lastText.data = formatPrice(last);
    const isKnown = last !== 0 && close !== 0;
    const change = isKnown ? last - close : 0;
    this.#changeText.data = isKnown ? formatChange(change) : NONE;
    this.#percentText.data = isKnown ? formatChangePercent(change, close) : NONE;
    const trend = change > 0 ? 'up' : change < 0 ? 'down' : 'flat';
    if (this.element.dataset.trend !== trend) this.element.dataset.trend = trend;
    if (lastShown > 0 && last > 0 && last !== lastShown) this.#flash(last > lastShown ? 'up' : 'down');
  }

  /** Two names for one animation: another name starts it anew, without the reflow that taking it off and on again would cost. */
  #flash(direction: 'up' | 'down'): void {
    const data = this.#lastBox.dataset;
    data.flash = data.flash === `${direction}-1` ? `${direction}-2` : `${direction}-1`;
  }

  #paintFlags(flags: number): void {
    this.flags = flags;
    const isStale = (flags & STALE_FLAGS) !== 0;
    const isHalted = (flags & QuoteFlag.Halted) !== 0;
    this.#markText.data = isHalted ? (isStale ? 'Halted, stale' : 'Halted') : isStale ? 'Stale' : '';
    this.#markText.parentElement!.title = reasonOf(flags);
    this.element.classList.toggle('stale', isStale);
    this.element.classList.toggle('halted', isHalted);
  }
}

/** Why a row is marked, in words. */
function reasonOf(flags: number): string {
  const reasons: string[] = [];
  if (flags & QuoteFlag.Halted) reasons.push('Trading is halted.');
  if (flags & QuoteFlag.Unconnected)
    reasons.push('The connection to the server was lost: this is the last price known.');
  else if (flags & QuoteFlag.FeedDown) reasons.push('The exchange’s feed is down: this is the last price known.');
  else if (flags & QuoteFlag.MissedMessages)
    reasons.push('Messages of the exchange were missed: this may be an old price.');
  else if (flags & QuoteFlag.Silent) reasons.push('The exchange has said nothing of this instrument for long.');
  return reasons.join(' ');
}

function find(row: HTMLElement, selector: string): HTMLElement {
  return row.querySelector<HTMLElement>(selector)!;
}

/** The one text node of an element, made when there is none. */
function textOf(element: HTMLElement): Text {
  return (element.firstChild as Text | null) ?? element.appendChild(document.createTextNode(''));
}
