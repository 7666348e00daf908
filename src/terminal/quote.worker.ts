// The page's worker: WebSocket, decoding and the instrument list, so that the main thread only paints.
import { type ClientState, OutcryClient } from '../client/outcry-client.ts';
import type { QuoteDecoder } from '../client/quote-decoder.ts';
import { defaultSymbols, type ListedInstrument, searchInstruments } from './instrument-list.ts';
import { RowUpdates } from './row-updates.ts';
import { MAX_ROWS, RECORD_NUMBERS, type ToPage, type ToWorker, type WatchedRow } from './worker-messages.ts';

const INSTRUMENTS_RETRY_MS = 2_000;

const updates = new RowUpdates();
const rowIdBySymbol = new Map<string, number>();
/** Instrument indices hold for one connection only, so this is learned anew on each. */
const rowIdByIndex = new Map<number, number>();
let instruments: readonly ListedInstrument[] = [];
/** The buffer that goes to and fro; undefined while the page has it. */
let records: Float64Array<ArrayBuffer> | undefined = new Float64Array(MAX_ROWS * RECORD_NUMBERS);
let wasOpen = false;
let closeReason = '';

const client = new OutcryClient({
  url: webSocketUrl(),
  webSocket: WebSocket,
  onQuotes,
  onState,
  onError(code, message) {
    closeReason = `${message} (${code})`;
  },
});

addEventListener('message', (event: MessageEvent<ToWorker>) => {
  const message = event.data;
  switch (message.type) {
    case 'watch':
      void watch(message.rows);
      break;
    case 'unwatch':
      unwatch(message.rowId);
      break;
    case 'search':
      tell({ type: 'matches', text: message.text, matches: searchInstruments(instruments, message.text) });
      break;
    case 'painted':
      records = message.records;
      sendUpdates();
      break;
    default:
      message satisfies never;
  }
});

// hot: per frame
function onQuotes(decoder: QuoteDecoder): void {
  for (let i = 0; i < decoder.changedCount; i++) {
    const instrumentIndex = decoder.changed[i]!;
    const rowId = rowIdByIndex.get(instrumentIndex) ?? learnRow(instrumentIndex);
    if (rowId !== undefined) updates.take(rowId, decoder.fields, instrumentIndex);
  }
  sendUpdates();
}

function learnRow(instrumentIndex: number): number | undefined {
  const symbol = client.instrument(instrumentIndex)?.symbol;
  const rowId = symbol === undefined ? undefined : rowIdBySymbol.get(symbol);
  if (rowId !== undefined) rowIdByIndex.set(instrumentIndex, rowId);
  return rowId;
}

function sendUpdates(): void {
  if (records === undefined || !updates.hasUnsent) return;
  const sent = records;
  records = undefined;
  tell({ type: 'quotes', records: sent, count: updates.pack(sent) }, [sent.buffer]);
}

function onState(state: ClientState): void {
  if (state !== 'open' && wasOpen) {
    updates.markUnconnected();
    sendUpdates();
  }
  if (state === 'open') {
    wasOpen = true;
    rowIdByIndex.clear();
    void loadInstruments();
    tell({ type: 'connection', connection: 'connected', reason: '' });
  } else if (state === 'closed') {
    tell({ type: 'connection', connection: 'closed', reason: closeReason });
  } else {
    tell({ type: 'connection', connection: wasOpen ? 'reconnecting' : 'connecting', reason: '' });
  }
}

async function watch(rows: readonly WatchedRow[]): Promise<void> {
  for (const { rowId, symbol } of rows) {
    updates.add(rowId);
    rowIdBySymbol.set(symbol, rowId);
  }
  try {
    // Full mode, since it alone carries the exchange's time of a quote and holds no change back.
    const result = await client.subscribe(
      rows.map((row) => row.symbol),
      'full',
    );
    for (const { symbol, name, kind } of result.instruments) {
      const rowId = rowIdBySymbol.get(symbol);
      if (rowId !== undefined) tell({ type: 'watched', rowId, name, isIndex: kind === 'index' });
    }
    for (const symbol of result.unknown) {
      const rowId = rowIdBySymbol.get(symbol);
      if (rowId === undefined) continue;
      forget(symbol, rowId);
      tell({ type: 'unknown', rowId, similar: searchInstruments(instruments, symbol) });
    }
  } catch (error) {
    for (const { rowId, symbol } of rows) {
      forget(symbol, rowId);
      tell({ type: 'failed', rowId, reason: (error as Error).message });
    }
  }
}

function unwatch(rowId: number): void {
  for (const [symbol, id] of rowIdBySymbol) {
    if (id !== rowId) continue;
    forget(symbol, rowId);
    // Only a client that is closed for good refuses, and then there is nothing to undo.
    client.unsubscribe([symbol]).catch(() => {});
  }
}

function forget(symbol: string, rowId: number): void {
  updates.remove(rowId);
  rowIdBySymbol.delete(symbol);
  for (const [instrumentIndex, id] of rowIdByIndex) if (id === rowId) rowIdByIndex.delete(instrumentIndex);
}

/** The list is read on each connection: instruments are listed while the engine runs. */
async function loadInstruments(): Promise<void> {
  try {
    const response = await fetch('/instruments.json');
    if (!response.ok) throw new Error(`status ${response.status}`);
    instruments = (await response.json()) as readonly ListedInstrument[];
    tell({ type: 'loaded', defaultSymbols: defaultSymbols(instruments) });
  } catch {
    if (client.state === 'open') setTimeout(loadInstruments, INSTRUMENTS_RETRY_MS);
  }
}

function webSocketUrl(): string {
  const url = new URL('/ws', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

function tell(message: ToPage, transfer: Transferable[] = []): void {
  postMessage(message, { transfer });
}
