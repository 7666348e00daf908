/** What the order service begins with: the orders of the trading day, by whatever hours it goes, and of a long history no more than belongs to them. */
import t from 'tap';
import { tradingDayAt } from '../core/day-roll/trading-day.ts';
import type { MarketHours } from '../core/market/calendar.ts';
import { firstOrderIDAt } from '../core/orders/order-ids.ts';
import { loadAccounts, type SnapshotRead } from './ledger-load.ts';
import { LedgerReader } from './ledger-reader.ts';
import { loadExecutions, loadOrder, loadAccounts as loadWithExecutions } from './ledger-state.ts';
import { clientConfig, connectLedger } from './ledger-target.ts';
import { openTestDatabase } from './testing/ledger-fixture.ts';

const USERS = 20;
/** Of each user, one a minute, the last at the end of 25 November. */
const TRADES = 1_000;
const END_MICROS = india('2026-11-26T00:00:00');

const database = await openTestDatabase(t.testdir());
const reader = new LedgerReader(database.target);
const { client: owner } = await connectLedger(clientConfig(database.target, 'owner'));
t.teardown(async () => {
  await Promise.all([reader.close(), owner.end()]);
  await database.close();
});

const COLUMNS = '(user_id, seq, ts_micros, order_id, instrument_id, event_type, product, detail)';
/** Orders that were filled at once, each a trade and an event of that. */
await owner.query(`INSERT INTO outcry.accounts (user_id, last_seq, available_paise, held_paise, margin_paise, total_value_paise, frozen_reason)
  SELECT u, ${TRADES}, 0, 0, 0, 0, '' FROM generate_series(1, ${USERS}) u`);
const rows = `generate_series(1, ${USERS}) u CROSS JOIN generate_series(1, ${TRADES}) n
  CROSS JOIN LATERAL (SELECT ${END_MICROS} - (${TRADES} - n) * 60000000::bigint AS micros) AS m
  CROSS JOIN LATERAL (SELECT ${firstOrderIDAt(END_MICROS)} + (micros - ${END_MICROS}) / 1000 * 8192 + u AS order_id) AS o`;
await owner.query(`INSERT INTO outcry.ledger_events ${COLUMNS}
  SELECT u, n, micros, order_id, 1, 17, 1, '{"type":17,"execID":"E' || u || '-' || n || '"}' FROM ${rows}`);
await owner.query(`INSERT INTO outcry.trades (user_id, seq, order_id, instrument_id, venue, trading_day, exec_id, exec_ref_id, quantity, price_paise, charges_paise, ts_micros)
  SELECT u, n, order_id, 1, 'NSE', '2026-11-25', 'E' || u || '-' || n, '', 1, 1, 0, micros FROM ${rows}`);
await owner.query(
  `INSERT INTO outcry.orders SELECT order_id, u, 1, 1, 1, 1, 5, 2, 1, 1, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0, micros, micros, '', '', '', '[]' FROM ${rows}`.replace(
    'orders SELECT',
    `orders (order_id, user_id, instrument_id, side, product, validity, status, ord_type, quantity, price_paise, trigger_price_paise, version,
    venue_version, cum_qty, cum_value_paise, exposure_qty, hold_price_paise, hold_paise, brokerage_paise, refusal_code, placed_micros, updated_micros, client_order_id,
    venue_order_id, text, pending_changes) SELECT`,
  ),
);
// A contract note has them all.
await owner.query(`INSERT INTO outcry.ledger_events ${COLUMNS}
  SELECT u, ${TRADES + 1}, ${END_MICROS}, 0, 0, 31, 0, '{"type":31}' FROM generate_series(1, ${USERS}) u`);
// All of them have ended, as commit_batch would have noticed.
await owner.query(
  `INSERT INTO outcry.shard_owners (shard, epoch, open_from) VALUES (0, 1, ${firstOrderIDAt(END_MICROS + 1_000_000)})`,
);
await owner.query('ANALYZE');

function india(time: string): number {
  return Date.parse(`${time}+05:30`) * 1_000;
}

await t.test('orders since the trading day began, whatever the calendar says', async (t) => {
  for (const [now, hours, since] of [
    // Around the clock a day goes on over midnight.
    ['2026-11-26T01:00:00', 'always', '2026-11-25T09:15:00'],
    ['2026-11-26T09:15:00', 'always', '2026-11-26T09:15:00'],
    ['2026-11-26T09:00:00', 'nse', '2026-11-25T09:15:00'],
  ] as [string, MarketHours, string][]) {
    const { openMicros } = tradingDayAt(india(now), hours);
    t.equal(openMicros, india(since), now);
    const loaded = await loadWithExecutions(reader, undefined, openMicros);
    t.equal(loaded.length, USERS);
    const minutes = Math.max(0, (END_MICROS - openMicros) / 60_000_000 + 1);
    for (const { account, executions } of loaded) {
      t.equal(account.orders.size, Math.min(TRADES, minutes), `user ${account.userId}`);
      t.same(
        executions.map(({ orderID }) => orderID),
        [...account.orders.keys()],
      );
    }
  }
});

await t.test('trades of before are not read', async (t) => {
  const minutes = 30;
  const sinceOrderID = firstOrderIDAt(END_MICROS - (minutes - 1) * 60_000_000);
  const asked: [string, readonly unknown[]][] = [];
  const noting =
    (read: SnapshotRead): SnapshotRead =>
    (sql, values = []) => {
      asked.push([sql, values]);
      return read(sql, values);
    };
  await reader.snapshot(async (read) =>
    loadExecutions(noting(read), await loadAccounts(noting(read), { sinceOrderID })),
  );
  const queries = asked.filter(([sql]) => /outcry.(trades|orders)/.test(sql));
  t.equal(queries.length, 4, 'executions without a note, open orders, those of the day, their executions');
  for (const [sql, values] of queries) {
    const { rows } = await owner.query({ text: `EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`, values: [...values] });
    for (const { name, kind, read } of scansOf(rows[0]['QUERY PLAN'][0].Plan)) {
      if (name === 'accounts' || name === 'shard_owners') continue;
      t.match(kind, /^Index|^Bitmap Heap/, `${name} by an index`);
      t.ok(read <= USERS * (minutes + 1), `${read} rows of ${name}`);
    }
  }
});

await t.test('one order of long ago, by its id or by the client order id', async (t) => {
  const { rows } = await owner.query(`UPDATE outcry.orders SET client_order_id = 'MINE'
    WHERE order_id = (SELECT min(order_id) FROM outcry.orders WHERE user_id = 3) RETURNING order_id AS id`);
  const orderID = Number(rows[0].id);
  for (const wanted of [{ orderID }, { userId: 3, clientOrderID: 'MINE' }]) {
    const found = await loadOrder(reader, wanted);
    t.match(found?.order, { orderID, userId: 3, clientOrderID: 'MINE' });
    t.match(found?.executions, [{ seq: 1, orderID }]);
    t.equal(found?.executions.length, 1);
  }
  t.equal(await loadOrder(reader, { orderID: 1 }), null);
  t.equal(await loadOrder(reader, { userId: 4, clientOrderID: 'MINE' }), null);
  t.equal(await loadOrder(reader, { userId: 4, clientOrderID: '' }), null, 'none is no id');
});

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
}

/** How each table is read, and how many of its rows. */
function scansOf(plan: Plan): { name: string; kind: string; read: number }[] {
  const below = (plan.Plans ?? []).flatMap(scansOf);
  const name = plan['Relation Name'];
  if (name === undefined) return below;
  const read = (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops'];
  return [{ name, kind: plan['Node Type'], read }, ...below];
}
