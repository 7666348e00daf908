// The page: binds the form, the table and the status line to the worker, and paints once a frame.
import { normalSymbol } from './instrument-list.ts';
import type { QuoteRow } from './quote-row.ts';
import { QuoteTable } from './quote-table.ts';
import { statusText } from './status-text.ts';
import { loadWatchList, saveWatchList } from './watch-list-storage.ts';
import { type Connection, MAX_ROWS, type Match, type ToPage, type ToWorker } from './worker-messages.ts';

const STATUS_INTERVAL_MS = 1_000;

const headline = element('connection', HTMLElement);
const detail = element('detail', HTMLElement);
const form = element('add', HTMLFormElement);
const symbolInput = element('symbol', HTMLInputElement);
const matchOptions = element('matches', HTMLDataListElement);
const answer = element('answer', HTMLOutputElement);
const emptyNotice = element('empty', HTMLElement);
const table = new QuoteTable(element('rows', HTMLElement), element('row', HTMLTemplateElement));

const worker = new Worker(new URL('./quote.worker.js', import.meta.url), { type: 'module', name: 'quotes' });
/** Rows that the person asked for and the server has not confirmed. */
const adding = new Set<number>();
let defaultSymbols: readonly string[] = [];
let connection: Connection = 'connecting';
let closeReason = '';
let lastQuotesMillis: number | undefined;
let toPaint: { readonly records: Float64Array<ArrayBuffer>; readonly count: number } | undefined;

const stored = loadWatchList();
let isListChosen = stored !== undefined;
if (stored !== undefined) showList(stored);
setInterval(paintStatus, STATUS_INTERVAL_MS);

worker.addEventListener('message', (event: MessageEvent<ToPage>) => {
  const message = event.data;
  switch (message.type) {
    case 'quotes':
      lastQuotesMillis = performance.now();
      toPaint = message;
      // A hidden tab gets no frame: the buffer stays here, and so the worker sends nothing until the page is seen again.
      requestAnimationFrame(paint);
      break;
    case 'connection':
      setConnection(message.connection, message.reason);
      break;
    case 'loaded':
      defaultSymbols = message.defaultSymbols;
      // Once: a list that the person has emptied since stays empty.
      if (!isListChosen) showList(defaultSymbols);
      isListChosen = true;
      break;
    case 'watched':
      table.row(message.rowId)?.describe(message.name, message.isIndex);
      if (adding.delete(message.rowId)) say(`${table.row(message.rowId)?.symbol} added.`);
      break;
    case 'unknown':
      dropRefused(message.rowId, (symbol) => `No instrument is called ${symbol}.${suggestion(message.similar)}`);
      break;
    case 'failed':
      // Rows of the list stay, since the person chose them: the status line says what is wrong with all of them.
      if (adding.has(message.rowId)) {
        dropRefused(message.rowId, (symbol) => `${symbol} could not be added: ${message.reason}`);
      }
      break;
    case 'matches':
      if (message.text === symbolInput.value) showMatches(message.matches);
      break;
    default:
      message satisfies never;
  }
});

worker.addEventListener('error', (event) => {
  event.preventDefault();
  setConnection('closed', 'The page failed: reload it.');
});

form.addEventListener('submit', (event) => {
  event.preventDefault();
  add(normalSymbol(symbolInput.value));
});

symbolInput.addEventListener('input', () => {
  say('');
  post({ type: 'search', text: symbolInput.value });
});

element('rows', HTMLElement).addEventListener('click', (event) => {
  const button = event.target instanceof Element ? event.target.closest('button') : null;
  const line = button?.closest('tr');
  const row = line ? table.rowOfElement(line) : undefined;
  if (row !== undefined) removeByPerson(row);
});

element('defaults', HTMLElement).addEventListener('click', () => {
  showList(defaultSymbols);
  saveWatchList(table.symbols);
  symbolInput.focus();
});

document.addEventListener('visibilitychange', () => {
  // Silence until now was the page's own: it held the buffer.
  if (lastQuotesMillis !== undefined) lastQuotesMillis = performance.now();
  paintStatus();
});

function paint(): void {
  if (toPaint === undefined) return;
  const { records, count } = toPaint;
  toPaint = undefined;
  if (table.paint(records, count, Date.now())) paintStatus();
  post({ type: 'painted', records }, [records.buffer]);
}

function setConnection(now: Connection, reason: string): void {
  connection = now;
  closeReason = reason;
  paintStatus();
}

function paintStatus(): void {
  if (document.hidden) return;
  const quietSeconds = lastQuotesMillis === undefined ? undefined : (performance.now() - lastQuotesMillis) / 1_000;
  const text = statusText({ connection, reason: closeReason, counts: table.counts, quietSeconds });
  // Written only when other words are due: a screen reader would say the same again.
  if (headline.textContent !== text.headline) headline.textContent = text.headline;
  if (detail.textContent !== text.detail) detail.textContent = text.detail;
  const { dataset } = document.body;
  if (dataset.connection !== connection) dataset.connection = connection;
}

/** Appends what is not there yet: the person may have added something before the list came. */
function showList(symbols: readonly string[]): void {
  const missing = symbols.filter((symbol) => table.rowOfSymbol(symbol) === undefined);
  const rows = missing.map((symbol) => table.append(symbol));
  if (rows.length > 0) post({ type: 'watch', rows: rows.map(({ rowId, symbol }) => ({ rowId, symbol })) });
  listChanged();
}

/** A new row goes to the top, where the person looks, and stays only when the server knows the symbol. */
function add(symbol: string): void {
  const present = table.rowOfSymbol(symbol);
  if (present !== undefined) reveal(present);
  const refusal = refusalOf(symbol, present);
  if (refusal !== undefined) {
    say(refusal);
    return;
  }
  const row = table.prepend(symbol);
  adding.add(row.rowId);
  post({ type: 'watch', rows: [{ rowId: row.rowId, symbol }] });
  say(connection === 'connected' ? '' : `${symbol} is added once connected.`);
  symbolInput.value = '';
  showMatches([]);
  reveal(row);
  listChanged();
  saveWatchList(table.symbols);
}

function refusalOf(symbol: string, present: QuoteRow | undefined): string | undefined {
  if (symbol === '') return 'Type a symbol first, RELIANCE for example.';
  if (present !== undefined) return `${symbol} is in the list already.`;
  if (table.size >= MAX_ROWS) return `The list is full: ${MAX_ROWS} instruments. Remove one first.`;
  return undefined;
}

function removeByPerson(row: QuoteRow): void {
  const neighbour = row.element.nextElementSibling ?? row.element.previousElementSibling;
  post({ type: 'unwatch', rowId: row.rowId });
  drop(row);
  say(`${row.symbol} removed.`);
  // The focus must not fall back to the top of the page: the next row's button, or the box when none is left.
  (neighbour?.querySelector('button') ?? symbolInput).focus();
}

function dropRefused(rowId: number, explain: (symbol: string) => string): void {
  const row = table.row(rowId);
  if (row === undefined) return;
  drop(row);
  say(explain(row.symbol));
  // Back into the box for correction, unless the person is typing the next one.
  if (symbolInput.value === '') symbolInput.value = row.symbol;
}

function drop(row: QuoteRow): void {
  adding.delete(row.rowId);
  table.remove(row);
  listChanged();
  saveWatchList(table.symbols);
}

function listChanged(): void {
  emptyNotice.hidden = table.size > 0;
  paintStatus();
}

function reveal(row: QuoteRow): void {
  row.element.scrollIntoView({ block: 'nearest' });
  row.element.classList.remove('revealed');
  requestAnimationFrame(() => row.element.classList.add('revealed'));
}

function showMatches(matches: readonly Match[]): void {
  matchOptions.replaceChildren(...matches.map(({ symbol, name }) => new Option(name, symbol)));
}

function suggestion(similar: readonly Match[]): string {
  return similar.length === 0
    ? ''
    : ` Do you mean ${similar
        .slice(0, 3)
        .map((match) => match.symbol)
        .join(', ')}?`;
}

function say(text: string): void {
  answer.value = text;
}

function post(message: ToWorker, transfer: Transferable[] = []): void {
  worker.postMessage(message, transfer);
}

function element<T extends HTMLElement>(id: string, kind: abstract new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return found;
}
