/** What is traded at random and committed is what the venue's file says; every line of the file that is spoilt is found, and its order and user are named. */
import { randomInt } from 'node:crypto';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type ContractNote, ContractNoteReader } from '../core/day-roll/contract-note.ts';
import type { TradeRow } from '../core/ledger/ledger-batch.ts';
import type { LedgerEvent } from '../core/ledger/ledger-event.ts';
import { clOrdIDOf } from '../core/ledger/order.ts';
import type { TradeLine } from '../core/reconciliation/trade-line.ts';
import { BreakKind, type TradeBreak } from '../core/reconciliation/trade-matcher.ts';
import { contractNotesOf } from './contract-notes.ts';
import { LedgerReader } from './ledger-reader.ts';
import { openTestDatabase, TEST_SHARD, TestLedger } from './testing/ledger-fixture.ts';
import { LedgerTraders } from './testing/ledger-trader.ts';
import { readTradeFile, TradeFiles } from './trade-files.ts';
import { type ReconciliationReport, reconcileTradeFiles } from './trade-reconciliation.ts';

const STEPS = 1_500;
const USERS = 6;
const DAY = '2026-11-25';

const seed = randomInt(2 ** 31);
t.comment(`seed ${seed}`);
const directory = t.testdir();
const database = await openTestDatabase(directory);
const { ledger, epoch, batchId } = await new TestLedger(database).claim();
const reader = new LedgerReader(database.target);
t.teardown(async () => {
  await Promise.all([ledger.close(), reader.close()]);
  await database.close();
});

const traders = new LedgerTraders(seed, USERS);
for (let step = 0; step < STEPS; step++) traders.step();
const events: LedgerEvent[] = [...traders.events];
const batch = traders.batch({ batchId: batchId + 1, shard: TEST_SHARD, epoch });
const outcome = await ledger.commit(batch);
t.same(outcome, { kind: 'committed' });

const trades = batch.trades.filter(({ tradingDay }) => tradingDay === DAY);
t.ok(trades.length > 50 && trades.some(({ execRefID }) => execRefID !== ''));

/** A line of the venue for a trade of ours. */
function lineOf({ orderID, execID, execRefID, instrumentId, quantity, pricePaise }: TradeRow): TradeLine {
  const isBuy = execRefID === '' ? quantity > 0 : quantity < 0;
  return {
    tradingDay: DAY,
    execID,
    execRefID,
    clOrdID: clOrdIDOf(orderID, 1),
    symbol: symbolOf(instrumentId),
    side: isBuy ? 'BUY' : 'SELL',
    quantity: Math.abs(quantity),
    pricePaise,
  };
}

function symbolOf(instrumentId: number): string {
  return `S${instrumentId}`;
}

let fileCount = 0;

/** The files of two sessions with these trades. */
function filesOf(lines: readonly TradeLine[]): string[] {
  const path = join(directory, `venue-${++fileCount}`);
  const files = new TradeFiles(path);
  files.append('A', lines[0]!);
  for (const line of lines.slice(1)) files.append('B', line);
  files.endDay(DAY);
  return ['A', 'B'].map((compID) => join(path, `${DAY}-${compID}.csv`));
}

async function reconcile(
  files: readonly string[],
  tradesAtOnce?: number,
): Promise<{ report: ReconciliationReport; breaks: TradeBreak[] }> {
  const breaks: TradeBreak[] = [];
  const onBreak = (found: TradeBreak): void => void breaks.push(found);
  const more = tradesAtOnce === undefined ? {} : { tradesAtOnce };
  const report = await reconcileTradeFiles({ reader, files, tradingDay: DAY, venue: 'V', symbolOf, onBreak, ...more });
  return { report, breaks };
}

await t.test('a day that agrees, at once and in parts', async (t) => {
  const files = filesOf(trades.map(lineOf).reverse());
  const whole = { tradingDay: DAY, ours: trades.length, theirs: trades.length, matched: trades.length, breaks: 0 };
  t.same(await reconcile(files), { report: whole, breaks: [] });
  t.same(await reconcile(files, 7), { report: whole, breaks: [] });
});

await t.test('every kind of break names its order and its user', async (t) => {
  const lines = trades.map(lineOf);
  const spoilt = trades[trades.length >> 1]!;
  const at = trades.indexOf(spoilt);
  const { userId, orderID } = spoilt;
  const line = lines[at]!;
  for (const [kind, change] of [
    [BreakKind.Quantity, { quantity: line.quantity + 1 }],
    [BreakKind.Price, { pricePaise: line.pricePaise + 1 }],
    [BreakKind.Side, { side: line.side === 'BUY' ? 'SELL' : 'BUY' }],
    [BreakKind.Symbol, { symbol: 'OTHER' }],
    [BreakKind.Order, { clOrdID: clOrdIDOf(orderID + 1, 0) }],
  ] as const) {
    const { report, breaks } = await reconcile(filesOf(lines.with(at, { ...line, ...change })), 10);
    t.match(breaks, [{ kind, userId, orderID, execID: line.execID }]);
    t.equal(report.breaks, 1);
  }
  const { breaks: there } = await reconcile(filesOf(lines.toSpliced(at, 1)));
  t.match(there, [{ kind: BreakKind.MissingThere, userId, orderID }]);
  const { breaks: here } = await reconcile(filesOf([...lines, { ...line, execID: 'NEW', execRefID: '' }]));
  t.match(here, [{ kind: BreakKind.MissingHere, userId, orderID, execID: 'NEW' }], 'found by the order’s id');
  const { breaks: strange } = await reconcile(filesOf([...lines, { ...line, execID: 'NEW', clOrdID: 'strange' }]));
  t.match(strange, [{ kind: BreakKind.MissingHere, userId: 0, orderID: 0 }]);
});

await t.test('a damaged file breaks nothing', async (t) => {
  const files = filesOf(trades.map(lineOf));
  const [path = ''] = files;
  const text = readFileSync(path, 'utf8');
  for (const damaged of [
    text.slice(0, -8),
    text.slice(0, text.lastIndexOf('end')),
    `${text}x`,
    `${text}${'x'.repeat(70_000)}`,
  ]) {
    writeFileSync(path, damaged);
    await t.rejects(reconcile(files), { code: 'REQUEST_REFUSED', message: /line \d+/ });
  }
  await t.rejects(reconcile([join(directory, 'none.csv')]), { code: 'REQUEST_REFUSED' });
});

t.test('a file goes on after a death in the middle of a line', (t) => {
  const path = join(directory, 'torn');
  const [first, second] = trades.map(lineOf) as [TradeLine, TradeLine];
  const before = new TradeFiles(path);
  before.append('A/B', first);
  before.close();
  appendFileSync(join(path, `${DAY}-A%2FB.part`), `${DAY},E`);
  t.match(readTradeFile(path, DAY, 'A/B'), /\nend,1\n$/, 'as it is meanwhile');
  const after = new TradeFiles(path);
  after.append('A/B', second);
  after.close();
  const text = readTradeFile(path, DAY, 'A/B');
  t.match(text, /\nend,2\n$/);
  t.equal(text.split('\n').length, 5);
  t.throws(() => readTradeFile(path, DAY, 'C'), { code: 'REQUEST_REFUSED' });
  t.end();
});

await t.test('contract notes out of the database are those out of the events', async (t) => {
  for (const [userId, account] of traders.accounts) {
    const inMemory = new ContractNoteReader(userId, (orderID) => account.orders.get(orderID)!.side);
    const notes: ContractNote[] = events
      .filter((event) => event.userId === userId)
      .flatMap((event) => inMemory.take(event) ?? []);
    const pending = inMemory.pending();
    if (pending !== null) notes.push(pending);
    for (const tradingDay of [DAY, '2026-11-26']) {
      // Here they are issued in any order of days: only a user with one day after the other is like a real one.
      const isInOrder = notes.every((note, i) => i === 0 || note.tradingDay >= notes[i - 1]!.tradingDay);
      if (!isInOrder) continue;
      const wanted = notes.filter((note) => note.tradingDay === tradingDay);
      t.same(await contractNotesOf(reader, userId, tradingDay), wanted, `user ${userId}, ${tradingDay}`);
    }
  }
});
