/** A ledger with everything in it agrees with itself; each thing that is spoilt is found, by replay and by the sums; a rebuild mends what is no event. */
import { randomInt } from 'node:crypto';
import t from 'tap';
import type { Account } from '../core/ledger/account.ts';
import { parseAccount, renderAccount } from '../core/ledger/account-snapshot.ts';
import { accountAt, takeSnapshots } from './ledger-history.ts';
import { LedgerReader } from './ledger-reader.ts';
import { rebuildLedger } from './ledger-rebuild.ts';
import { clientConfig, connectLedger } from './ledger-target.ts';
import { verifyLedger } from './ledger-verify.ts';
import { openTestDatabase, TEST_SHARD, TestLedger } from './testing/ledger-fixture.ts';
import { LedgerTraders } from './testing/ledger-trader.ts';

const STEPS = 3_000;
const USERS = 12;

const seed = randomInt(2 ** 31);
t.comment(`seed ${seed}`);
const database = await openTestDatabase(t.testdir());
const { ledger, epoch, batchId: lastBatchId } = await new TestLedger(database).claim();
const reader = new LedgerReader(database.target);
const { client: owner } = await connectLedger(clientConfig(database.target, 'owner'));
t.teardown(async () => {
  await Promise.all([ledger.close(), reader.close(), owner.end()]);
  await database.close();
});

const traders = new LedgerTraders(seed, USERS);
/** As account 1 was after some of its events. */
const past: { tsMicros: number; text: string }[] = [];

await t.test('what is traded at random is committed and loaded as it is in memory', async (t) => {
  let batchId = lastBatchId;
  for (let step = 0; step < STEPS; step++) {
    traders.step();
    if (step % 97 !== 0 && step !== STEPS - 1) continue;
    const account = traders.accounts.get(1)!;
    const tsMicros = traders.events.findLast((event) => event.userId === 1)?.tsMicros;
    if (tsMicros !== undefined) past.push({ tsMicros, text: renderAccount(account) });
    const outcome = await ledger.commit(traders.batch({ batchId: ++batchId, shard: TEST_SHARD, epoch }));
    if (outcome.kind !== 'committed') throw new Error(JSON.stringify(outcome));
  }
  const loaded = await reader.loadAccounts({ sinceOrderID: 0 });
  t.equal(loaded.length, USERS);
  for (const account of loaded) same(t as Tap, account, traders.accounts.get(account.userId)!);
});
type Tap = typeof t;

function same(t: Tap, found: Account, wanted: Account): void {
  t.equal(renderAccount(found), renderAccount(wanted), `user ${found.userId}`);
  t.same([...found.clientOrders].sort(), [...wanted.clientOrders].sort());
}

await t.test('it agrees with itself', async (t) => {
  const report = await verifyLedger(reader);
  t.same(report.differences, []);
  t.same(report.findings, []);
  t.ok(report.isClean && report.events > STEPS / 2 && report.trades > 100 && report.accounts === USERS);
});

await t.test('every past instant, from nothing and from snapshots', async (t) => {
  for (const pass of ['from nothing', 'from snapshots']) {
    for (const { tsMicros, text } of past) {
      const found = await accountAt(reader, 1, tsMicros);
      t.equal(renderAccount(found!.account), text, pass);
      t.equal(found!.tsMicros, tsMicros);
    }
    if (pass === 'from nothing') {
      t.equal(await takeSnapshots(database.target, reader, 10), USERS);
      t.equal(await takeSnapshots(database.target, reader, 10), 0, 'none is due again');
    }
  }
  t.equal((await accountAt(reader, 1, Number.MAX_SAFE_INTEGER))?.eventsApplied, 0, 'the last one is a snapshot');
  await owner.query('DELETE FROM outcry.snapshots WHERE user_id > 4');
  t.equal(await takeSnapshots(database.target, reader, 10), USERS - 4, 'whoever dies in between goes on');
  t.equal(await accountAt(reader, 1, 1), undefined);
  t.equal(await accountAt(reader, USERS + 1, Number.MAX_SAFE_INTEGER), undefined);
  const account = traders.accounts.get(2)!;
  same(t as Tap, parseAccount(renderAccount(account)), account);
  t.equal((await verifyLedger(reader)).isClean, true, 'snapshots are verified');
});

const SPOILT: readonly (readonly [what: string, sql: string, found: RegExp])[] = [
  ['cash', 'UPDATE accounts SET available_paise = available_paise + 1 WHERE user_id = 1', /has what was posted/],
  ['total value', 'UPDATE accounts SET total_value_paise = total_value_paise + 1 WHERE user_id = 1', /totalValuePaise/],
  [
    'a hold',
    'UPDATE orders SET hold_paise = hold_paise + 1 WHERE order_id = (SELECT min(order_id) FROM orders)',
    /open orders hold/,
  ],
  ['a text', `UPDATE orders SET text = text || '.' WHERE order_id = (SELECT min(order_id) FROM orders)`, /order \d+/],
  ['a lost order', 'DELETE FROM orders WHERE order_id = (SELECT min(order_id) FROM orders)', /placed by one event/],
  [
    'a lost trade',
    'DELETE FROM trades WHERE exec_id = (SELECT min(exec_id) FROM trades)',
    /every execution of the events is a trade/,
  ],
  [
    'a price',
    // One row: the two of a correction would make up for each other.
    `UPDATE trades SET price_paise = price_paise + 1 WHERE exec_ref_id = '' AND exec_id = (SELECT min(exec_id) FROM trades WHERE exec_ref_id = '')`,
    /sum of its trades/,
  ],
  [
    'a charge',
    'UPDATE trades SET charges_paise = charges_paise + 1 WHERE exec_id = (SELECT min(exec_id) FROM trades)',
    /charged what was posted/,
  ],
  ['a position', 'UPDATE positions SET quantity = quantity + 1 WHERE user_id = 1', /sum of the trades/],
  [
    'realised',
    'UPDATE positions SET realised_paise = realised_paise + 1 WHERE user_id = 1 AND product <> 1',
    /clearing house/,
  ],
  ['a holding', 'INSERT INTO holdings VALUES (1, 77, 1, 1, 1)', /holding 77/],
  [
    'a snapshot',
    `UPDATE snapshots SET state = replace(state, '"heldPaise":', '"heldPaise":1') WHERE user_id = 1`,
    /snapshot 1:/,
  ],
  ['an account without events', `INSERT INTO accounts VALUES (99, 0, 0, 0, 0, 0, '')`, /follow each other/],
];

await t.test('what is spoilt is found, and a rebuild mends it', async (t) => {
  for (const [what, sql, text] of SPOILT) {
    await owner.query('SET search_path = outcry');
    t.ok((await owner.query(sql)).rowCount, what);
    const report = await verifyLedger(reader);
    t.equal(report.isClean, false, what);
    t.match(JSON.stringify(report), text, what);
    const rebuilt = await rebuildLedger(database.target, reader);
    t.equal(rebuilt.accounts, USERS);
    const mended = await verifyLedger(reader);
    t.ok(mended.isClean, `${what} is mended`);
    if (what === 'a charge') await takeSnapshots(database.target, reader, 10);
    if (what === 'a holding') t.equal(await takeSnapshots(database.target, reader, 10), USERS);
  }
  const traced = await reader.loadAccounts({ sinceOrderID: 0 });
  for (const account of traced) same(t as Tap, account, traders.accounts.get(account.userId)!);
});

await t.test('an event that was changed or lost is found, and not rebuilt from', async (t) => {
  await owner.query('ALTER TABLE ledger_events DISABLE TRIGGER append_only');
  await owner.query('BEGIN');
  await owner.query('DELETE FROM ledger_events WHERE user_id = 3 AND seq = 5');
  await owner.query('COMMIT');
  const report = await verifyLedger(reader);
  t.match(JSON.stringify(report.findings), /follow each other/);
  t.match(JSON.stringify(report.differences), /events that can be applied/);
  const before = await reader.loadAccounts({ sinceOrderID: 0 });
  await t.rejects(rebuildLedger(database.target, reader), { code: 'LEDGER_DAMAGED' });
  t.same((await reader.loadAccounts({ sinceOrderID: 0 })).map(renderAccount), before.map(renderAccount));
});

await t.test('the engine is told that it owns nothing any more when the ledger was rebuilt', async (t) => {
  const batch = {
    events: [],
    accounts: [],
    newOrders: [],
    changedOrders: [],
    positions: [],
    holdings: [],
    trades: [],
    sessions: [],
  };
  t.same(await ledger.commit({ batchId: 1_000_000, shard: TEST_SHARD, epoch, ...batch }), { kind: 'stale-epoch' });
});
