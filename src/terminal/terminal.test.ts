import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import t from 'tap';
import { WebSocket } from 'ws';
import { QUOTE_FIELD_COUNT, QuoteField } from '../core/fan-out/wire.ts';
import { askControl } from '../net/control-socket.ts';
import { defaultSymbols, type ListedInstrument, normalSymbol, searchInstruments } from './instrument-list.ts';
import { formatChange, formatChangePercent, formatPrice, formatQuantity, formatTime } from './number-format.ts';
import { RowUpdates } from './row-updates.ts';
import { statusText } from './status-text.ts';
import { QuoteFlag, RECORD_NUMBERS, RecordField } from './worker-messages.ts';

const CHROMIUM = '/usr/bin/chromium';
const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const CLI = fileURLToPath(new URL('../cli.js', import.meta.url));
const ARTIFACTS = fileURLToPath(new URL('../../../artifacts/', import.meta.url));
/** Bound of every wait: far beyond what any of them takes. */
const WAIT_MS = 30_000;
const EXCHANGE_HELD_MAX_MS = 4_000;
const FLAGS = [QuoteFlag.Halted, QuoteFlag.Silent, QuoteFlag.Halted | QuoteFlag.FeedDown];
const DESKTOP = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };

t.test('numbers are written as in India', async (t) => {
  const prices = new Intl.NumberFormat('en-IN', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const counts = new Intl.NumberFormat('en-IN');
  for (const paise of [1, 99, 100, 99_999, 100_000, 12_345_678, 1_234_567_890, 2_147_483_647]) {
    t.equal(formatPrice(paise), prices.format(paise / 100));
    t.equal(formatQuantity(paise), counts.format(paise));
  }
  t.equal(formatPrice(12_345_678), '1,23,456.78');
  t.equal(formatPrice(0), '–', 'no price');
  t.equal(formatQuantity(0), '–', 'no quantity');
  t.equal(formatChange(1_230), '+12.30');
  t.equal(formatChange(-5), '−0.05');
  t.equal(formatChange(0), '0.00');
  t.equal(formatChangePercent(150, 10_000), '+1.50%');
  t.equal(formatChangePercent(-1, 1_000_000), '0.00%', 'too small to show has no sign');
  t.equal(formatChangePercent(-12_345, 100_000), '−12.35%');
});

t.test('times are those of India', async (t) => {
  const closing = Date.parse('2026-11-20T10:00:00.900Z');
  t.equal(formatTime(closing, closing + 1_000), '15:30:00');
  t.equal(formatTime(Date.parse('2026-11-20T18:30:00Z'), Date.parse('2026-11-21T10:00:00Z')), '00:00:00', 'midnight');
  t.equal(formatTime(closing, closing + 86_400_000), '20 Nov', 'another day is told as a day');
  t.equal(formatTime(0, closing), '–');
});

t.test('the worker keeps the newest quote of a row, however late the page asks', async (t) => {
  const fields = new Float64Array(3 * QUOTE_FIELD_COUNT);
  const at = (field: number) => 2 * QUOTE_FIELD_COUNT + field;
  const records = new Float64Array(2 * RECORD_NUMBERS);
  const updates = new RowUpdates();
  for (const rowId of [7, 8, 9]) updates.add(rowId);
  fields[at(QuoteField.LastPaise)] = 100;
  updates.take(7, fields, 2);
  fields[at(QuoteField.LastPaise)] = 105;
  fields[at(QuoteField.ClosePaise)] = 90;
  fields[at(QuoteField.Flags)] = QuoteFlag.Halted;
  updates.take(7, fields, 2);
  updates.take(99, fields, 2);
  t.equal(updates.pack(records), 1, 'two changes of a row are one record, and a row that is not watched is none');
  t.equal(records[RecordField.RowId], 7);
  t.equal(records[RecordField.Last], 105);
  t.equal(records[RecordField.Close], 90);
  t.equal(records[RecordField.Flags], QuoteFlag.Halted);
  t.notOk(updates.hasUnsent);
  for (const rowId of [7, 8, 9]) updates.take(rowId, fields, 2);
  updates.remove(8);
  t.equal(updates.pack(records), 2, 'what is removed is not sent');
  for (const rowId of [7, 9]) updates.take(rowId, fields, 2);
  updates.add(10);
  updates.take(10, fields, 2);
  t.equal(updates.pack(records), 2, 'no more than there is room for');
  t.equal(updates.pack(records), 1, 'and the rest the next time');
  t.equal(records[RecordField.RowId], 10);
  updates.markUnconnected();
  t.equal(updates.pack(records) + updates.pack(records.subarray(RECORD_NUMBERS)), 3, 'all rows are marked');
  t.equal(records[RecordField.Last], 105, 'a price stays');
  t.equal(records[RecordField.Flags], QuoteFlag.Halted | QuoteFlag.Unconnected);
  updates.take(7, fields, 2);
  updates.pack(records);
  t.equal(records[RecordField.Flags], QuoteFlag.Halted, 'until its next quote');
});

t.test('instruments are found by symbol and by name', async (t) => {
  const list: ListedInstrument[] = [
    { symbol: 'TATASTEEL', name: 'Tata Steel Limited', kind: 'equity' },
    { symbol: 'RELIANCE', name: 'Reliance Industries Limited', kind: 'equity' },
    { symbol: 'NIFTY 50', name: 'Nifty 50', kind: 'index' },
    { symbol: 'SUNTATA', name: 'Sun Limited', kind: 'equity' },
    { symbol: 'TATA', name: 'Another Tata', kind: 'equity' },
  ];
  const found = (text: string) => searchInstruments(list, text).map((match) => match.symbol);
  t.same(found('tata'), ['TATA', 'TATASTEEL', 'SUNTATA'], 'the symbol itself, its beginning, then its inside');
  t.same(found('indus'), ['RELIANCE'], 'a word of the name');
  t.same(found(' '), []);
  t.same(found('zzz'), []);
  t.equal(normalSymbol('  nifty   50 '), 'NIFTY 50');
  t.same(defaultSymbols(list), ['NIFTY 50', 'TATASTEEL', 'RELIANCE', 'SUNTATA', 'TATA'], 'indices first');
});

t.test('the status line says what is the case', async (t) => {
  const counts = { rows: 3, stale: 0, halted: 0, feedDown: 0 };
  const facts = { connection: 'connected', reason: '', counts, quietSeconds: 0.3 } as const;
  t.same(statusText(facts), { headline: 'Connected', detail: '3 instruments' });
  t.equal(statusText({ ...facts, quietSeconds: 12.7 }).detail, '3 instruments · no change for 12 s');
  t.equal(statusText({ ...facts, quietSeconds: 300 }).detail, '3 instruments · no change for 5 min');
  const down = statusText({ ...facts, counts: { rows: 3, stale: 3, halted: 1, feedDown: 3 } });
  t.equal(down.headline, 'Connected. Exchange feed is down');
  t.equal(down.detail, '3 instruments · 3 stale · 1 halted');
  t.match(statusText({ ...facts, connection: 'reconnecting' }), { headline: /Reconnecting/, detail: /last known/ });
  t.match(statusText({ ...facts, connection: 'closed', reason: 'Too new.' }).headline, /^Disconnected. Too new\.$/);
});

const skip = existsSync(CHROMIUM) ? false : 'Chromium is not installed (scripts/ci-setup.sh installs it)';

t.test('the page in Chromium, from a running engine', { skip }, async (t) => {
  mkdirSync(ARTIFACTS, { recursive: true });
  const dataDir = mkdtempSync(join(tmpdir(), 'outcry-page-'));
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  const { url, stop } = await startOutcry(dataDir);
  t.teardown(stop);
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_FLAGS });
  t.teardown(() => browser.close());
  const page = await openPage(browser, DESKTOP);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  const rows = page.locator('tbody tr');
  const row = (symbol: string) =>
    rows.filter({ has: page.getByRole('button', { name: `Remove ${symbol}`, exact: true }) });
  const isWell = async () => {
    await page.locator('#connection', { hasText: /^Connected$/ }).waitFor();
    await page.locator('#detail', { hasText: /^53 instruments$/ }).waitFor();
  };
  // One wait for both: what is wrong may be over before a second one begins.
  const saysAndMarks = (headline: string, reason: string) => {
    const has = page.locator('#connection', { hasText: headline });
    return page.locator('body', { has }).locator(`.mark[title*="${reason}"]`, { hasText: 'Stale' }).first().waitFor();
  };
  const answer = (text: string | RegExp) => page.locator('#answer', { hasText: text }).waitFor();

  await t.test('loads, connects and shows the indices and the NIFTY 50', async (t) => {
    await page.goto(url);
    await page.locator('#connection', { hasText: /^Connected$/ }).waitFor();
    await priced(rows).nth(52).waitFor();
    t.equal(await rows.count(), 53);
    t.equal(await page.locator('tbody tr.index').count(), 3);
    t.match(await row('RELIANCE').locator('.name').textContent(), /Reliance Industries/);
    t.match(await row('RELIANCE').locator('.volume').textContent(), /^[0-9,]+$/);
    t.match(await row('RELIANCE').locator('.change').textContent(), /^[+−]?[0-9,]+\.\d\d$/);
    t.match(await row('RELIANCE').locator('.time').textContent(), /^\d\d:\d\d:\d\d$/);
    t.same(complaints, [], 'no error, warning or policy violation on the console');
  });

  await t.test('prices move by themselves', async () => {
    await changes(row('RELIANCE').locator('.last'));
    await changes(row('NIFTY 50').locator('.last'));
  });

  await t.test('shows what the engine says', async (t) => {
    const { exchange } = await processes(dataDir);
    // With the exchange held still both sides come to rest; it is let go long before anybody calls it dead.
    process.kill(exchange, 'SIGSTOP');
    try {
      const symbols = ['NIFTY 50', 'RELIANCE', 'TCS', 'INFY', 'HDFCBANK'];
      const deadline = Date.now() + EXCHANGE_HELD_MAX_MS;
      let shown: (string | null)[];
      let told: string[];
      do {
        told = (await lastPrices(url, symbols)).map(formatPrice);
        shown = await Promise.all(symbols.map((symbol) => row(symbol).locator('.last').textContent()));
      } while (told.join() !== shown.join() && Date.now() < deadline);
      t.same(shown, told);
    } finally {
      process.kill(exchange, 'SIGCONT');
    }
  });

  await t.test('is worth a look', async () => {
    await page.screenshot({ path: join(ARTIFACTS, 'market-watch.png') });
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.screenshot({ path: join(ARTIFACTS, 'market-watch-dark.png') });
    await page.emulateMedia({ colorScheme: 'light' });
  });

  await t.test('fits a phone', async (t) => {
    const phone = await openPage(browser, PHONE);
    await phone.goto(url);
    await priced(phone.locator('tbody tr')).nth(49).waitFor();
    const overflows = `['html', 'main'].map((name) => document.querySelector(name)).map((it) => it.scrollWidth - it.clientWidth)`;
    t.same(await phone.evaluate(overflows), [0, 0], 'nothing to scroll sideways');
    await phone.screenshot({ path: join(ARTIFACTS, 'market-watch-phone.png') });
    await phone.context().close();
  });

  await t.test('adds a symbol, and refuses one that is none', async (t) => {
    const list = (await (await fetch(`${url}/instruments.json`)).json()) as ListedInstrument[];
    const { symbol } = list.filter((instrument) => instrument.kind === 'equity')[60]!;
    const box = page.getByLabel('Symbol to add');
    await box.fill(symbol.slice(0, 3).toLowerCase());
    await page.locator('#matches option').first().waitFor({ state: 'attached' });
    await box.fill(symbol.toLowerCase());
    await box.press('Enter');
    await answer(`${symbol} added.`);
    await row(symbol).waitFor();
    t.equal(await rows.count(), 54);
    t.equal(await rows.first().locator('.symbol').textContent(), symbol, 'on top, where the person looks');
    await box.fill(symbol);
    await box.press('Enter');
    await answer('in the list already');
    await box.fill('RELIANC');
    await box.press('Enter');
    await answer(/No instrument is called RELIANC\. Do you mean RELIANCE/);
    t.equal(await rows.count(), 54);
    t.equal(await box.inputValue(), 'RELIANC', 'left for correction');
    await box.fill('');
  });

  await t.test('removes a row by keyboard, and remembers the list', async (t) => {
    const symbols = await rows.locator('.symbol').allTextContents();
    const index = symbols.indexOf('RELIANCE');
    await row('RELIANCE').getByRole('button').press('Enter');
    await answer('RELIANCE removed.');
    t.equal(await row('RELIANCE').count(), 0);
    t.equal(
      await page.locator('button:focus').getAttribute('aria-label'),
      `Remove ${symbols[index + 1]}`,
      'the focus goes to the next row',
    );
    await page.reload();
    await priced(rows).nth(49).waitFor();
    t.same(await rows.locator('.symbol').allTextContents(), symbols.toSpliced(index, 1));
    t.same(complaints, []);
  });

  await t.test('marks rows in words, and writes only what changed', async (t) => {
    const painted = (await page.evaluate(`(async () => {
      const { QuoteRow } = await import('/terminal/quote-row.js');
      const row = new QuoteRow(1, 'TEST', document.getElementById('row'));
      const seen = new MutationObserver(() => {});
      seen.observe(row.element, { subtree: true, characterData: true, childList: true, attributes: true });
      const marks = [], writes = [];
      const paint = (...record) => {
        row.paint(Float64Array.from(record), 0, 1e12);
        writes.push(seen.takeRecords().length);
        marks.push(row.element.querySelector('.mark').textContent);
      };
      const quote = [1, 10100, 10000, 10095, 10105, 7, 9, 1234567, 10200, 9900, 1e12];
      paint(...quote, 0);
      paint(...quote, 0);
      paint(1, 10100, 10000, 10090, ...quote.slice(4), 0);
      for (const flags of ${JSON.stringify(FLAGS)}) paint(...quote, flags);
      return { marks, writes, cells: [...row.element.querySelectorAll('td')].map((cell) => cell.textContent) };
    })()`)) as {
      readonly marks: readonly string[];
      readonly writes: readonly number[];
      readonly cells: readonly string[];
    };
    t.equal(painted.writes[1], 0, 'the same quote touches nothing');
    t.equal(painted.writes[2], 1, 'another bid touches one text');
    t.same(painted.marks, ['', '', '', 'Halted', 'Stale', 'Halted, stale']);
    t.same(painted.cells.slice(0, -1), [
      '101.00',
      '+1.00',
      '+1.00%',
      '7',
      '100.95',
      '101.05',
      '9',
      '12,34,567',
      '102.00',
      '99.00',
      '07:16:40',
    ]);
  });

  await t.test('says so when the exchange is gone, and recovers when it is back', async (t) => {
    const { exchange } = await processes(dataDir);
    process.kill(exchange, 'SIGKILL');
    await saysAndMarks('Connected. Exchange feed is down', 'feed is down');
    await isWell();
    t.equal(await page.locator('.mark', { hasText: /./ }).count(), 0, 'no row is stale');
    await changes(row('TCS').locator('.last'));
  });

  await t.test('says so when the connection is lost, and recovers when the engine is back', async (t) => {
    const { engine } = await processes(dataDir);
    process.kill(engine, 'SIGKILL');
    await saysAndMarks('Connection lost. Reconnecting…', 'connection to the server was lost');
    await isWell();
    t.equal(await page.locator('.mark', { hasText: /./ }).count(), 0, 'no row is stale');
    await changes(row('TCS').locator('.last'));
  });
});

async function openPage(browser: Browser, viewport: { width: number; height: number }): Promise<Page> {
  const isPhone = viewport === PHONE;
  const context = await browser.newContext({
    viewport,
    colorScheme: 'light',
    isMobile: isPhone,
    hasTouch: isPhone,
    deviceScaleFactor: isPhone ? 2 : 1,
  });
  context.setDefaultTimeout(WAIT_MS);
  return context.newPage();
}

/** Rows that show a last price. */
function priced(rows: Locator): Locator {
  return rows.locator('.last', { hasText: /[0-9]/ });
}

/** Waits until the text of a cell is another. */
async function changes(cell: Locator): Promise<void> {
  const before = (await cell.textContent())!;
  await cell.filter({ hasNotText: before }).waitFor();
}

/** The engine's last prices in paise, by the JSON protocol: another way than the page's. */
function lastPrices(url: string, symbols: readonly string[]): Promise<number[]> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
  const prices = new Map<string, number>();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.terminate(), WAIT_MS);
    socket.on('error', reject);
    socket.on('open', () => socket.send(JSON.stringify({ action: 'subscribe', symbols })));
    socket.on('message', (data) => {
      const quotes = [JSON.parse(String(data))].flat() as { symbol: string; ltp: number }[];
      for (const { symbol, ltp } of quotes) prices.set(symbol, Math.round(ltp * 100));
      if (prices.size === symbols.length) socket.close();
    });
    socket.on('close', () => {
      clearTimeout(timer);
      if (prices.size === symbols.length) resolve(symbols.map((symbol) => prices.get(symbol)!));
      else reject(new Error(`quotes came for ${[...prices.keys()]} only`));
    });
  });
}

async function processes(dataDir: string): Promise<{ engine: number; exchange: number }> {
  const status = (await askControl(dataDir, { type: 'status' })) as {
    processes: { engine: { pid: number }; exchange: { pid: number } };
  };
  return { engine: status.processes.engine.pid, exchange: status.processes.exchange.pid };
}

/** Starts the whole engine on a free port and waits for its ready line. */
async function startOutcry(dataDir: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const env = { ...process.env, OUTCRY_PORT: '0', OUTCRY_DATA_DIR: dataDir, OUTCRY_ORDER_SESSIONS: 'off' };
  const child = spawn(process.execPath, [CLI, 'start'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const timer = setTimeout(() => child.kill(), WAIT_MS);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /Outcry is ready: (http:\S+)/.exec(line)?.[1];
      if (url !== undefined) return { url, stop: () => stopChild(child) };
    }
  } finally {
    clearTimeout(timer);
  }
  throw new Error('the engine ended without being ready');
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}
