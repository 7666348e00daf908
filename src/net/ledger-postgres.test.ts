/** The commit function, held to what it must refuse, on every server there is. */
import { execFileSync } from 'node:child_process';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import type { LedgerBatch } from '../core/ledger/ledger-batch.ts';
import { EventType, LedgerAccount } from '../core/ledger/ledger-event.ts';
import { OrderStatus, OrderType, Product } from '../core/ledger/order.ts';
import type { LedgerDatabase } from './ledger-database.ts';
import { LedgerPostgres } from './ledger-postgres.ts';
import { LedgerReader } from './ledger-reader.ts';
import { clientConfig, connectLedger } from './ledger-target.ts';
import { EMBEDDED_PORT } from './postgres-embedded.ts';
import {
  accountRow,
  event,
  move,
  openTestDatabase,
  TEST_SHARD,
  TestLedger,
  testServers,
} from './testing/ledger-fixture.ts';

const NO_CHARGES = {
  brokeragePaise: 0,
  sttPaise: 0,
  exchangePaise: 0,
  sebiPaise: 0,
  stampDutyPaise: 0,
  gstPaise: 0,
  depositoryPaise: 0,
};

/** Ends when the shard's last batch is the one that is given. */
const SEE_BATCH = `
const { clientConfig, connectLedger } = await import(${JSON.stringify(new URL('ledger-target.js', import.meta.url).href)});
const [target, batchId] = process.argv.slice(1);
const { client } = await connectLedger(clientConfig(JSON.parse(target), 'engine'));
const last = async () => (await client.query('SELECT last_batch_id FROM outcry.shard_owners WHERE shard = ${TEST_SHARD}')).rows[0].last_batch_id;
while ((await last()) !== batchId);
await client.end();
`;

for (const { name, binDirectory } of testServers()) {
  await t.test(name, async (t) => {
    const database = await openTestDatabase(t.testdir(), binDirectory);
    t.teardown(() => database.close());
    const test = await new TestLedger(database).claim();
    t.teardown(() => test.ledger.close());
    const reader = new LedgerReader(database.target);
    t.teardown(() => reader.close());
    await commits(t as Tap, test, reader, database);
    await refusals(t as Tap, test, reader);
    await rights(t as Tap, database);
    await environment(t as Tap, database);
    await unknownOutcome(t as Tap, database, test);
    await staleEpoch(t as Tap, database, test);
  });
}
type Tap = typeof t;

async function commits(t: Tap, test: TestLedger, reader: LedgerReader, { target }: LedgerDatabase): Promise<void> {
  await t.test('what is committed is loaded exactly', async (t) => {
    const account = await test.account(1, 1_000_000);
    t.same(await test.ledger.commit(test.place(account, 250_000, 'client "one", {1} \\ é')), { kind: 'committed' });
    const order = [...account.orders.values()][0]!;
    const filled = event(
      account,
      { type: EventType.OrderAccepted, venueOrderID: 'V-1' },
      move(LedgerAccount.Held, LedgerAccount.Available, 50_000),
      order,
    );
    account.heldPaise -= 50_000;
    account.availablePaise += 50_000;
    order.status = OrderStatus.PartiallyFilled;
    order.venueOrderID = 'V-1';
    order.pendingChanges = [
      { version: 1, terms: null, holdPricePaise: 0 },
      {
        version: 2,
        terms: { quantity: 5, ordType: OrderType.Limit, pricePaise: 99_995, triggerPricePaise: 0 },
        holdPricePaise: 99_995,
      },
    ];
    order.version = 2;
    order.cumQty = 4;
    order.cumValuePaise = 400_000;
    order.text = 'a text,\nof two "lines"';
    order.holdPaise = 200_000;
    const position = {
      instrumentId: order.instrumentId,
      product: Product.CNC,
      quantity: 4,
      openValuePaise: 400_000,
      marginPaise: 0,
      realisedPaise: -3,
      dayBuyQty: 4,
      dayBuyValuePaise: 400_000,
      daySellQty: 0,
      daySellValuePaise: 0,
      tradingDay: '2026-11-26',
      markPaise: 100_000,
    };
    const holding = { instrumentId: 7, quantity: 3, valuePaise: 21, markPaise: 7 };
    account.positions.set(`${order.instrumentId}:${Product.CNC}`, position);
    account.holdings.set(7, holding);
    const trade = {
      userId: 1,
      seq: filled.seq,
      orderID: order.orderID,
      instrumentId: order.instrumentId,
      venue: 'NSE',
      tradingDay: '2026-11-26',
      execID: 'NULL',
      execRefID: '',
      quantity: 4,
      pricePaise: 100_000,
      chargesPaise: 12,
      tsMicros: filled.tsMicros,
    };
    const session = { sessionName: 'S', epoch: 5, lastSentSeqNum: 10, lastReceivedSeqNum: 11, state: 'up' as const };
    const outcome = await test.ledger.commit(
      test.batch({
        events: [filled],
        accounts: [accountRow(account, filled.seq)],
        changedOrders: [order],
        positions: [{ userId: 1, position }],
        holdings: [{ userId: 1, holding }],
        trades: [trade],
        sessions: [session],
      }),
    );
    t.same(outcome, { kind: 'committed' });
    t.same(await reader.loadAccounts({ sinceOrderID: 0 }), [account]);
    t.same(await reader.loadAccounts({ sinceOrderID: order.orderID + 1, userIds: [1] }), [account], 'it is open');
    t.same(await reader.eventsAfter(1, filled.seq - 1, 10), [filled]);
    t.same(await reader.orders(1, 0, 10), [order]);
    t.same(await reader.order(1, order.orderID), order);
    t.equal(await reader.order(2, order.orderID), undefined, 'another user’s');
    t.equal(await reader.lastOrderID(), order.orderID);
    t.same(await reader.execution('NSE', '2026-11-26', 'NULL'), filled);
    t.equal(await reader.execution('NSE', '2026-11-27', 'NULL'), undefined);
    t.same(await reader.trades(1, 0, 10), [trade]);
    t.same(await reader.positions(1), [position]);
    t.same(await reader.holdings(1), [holding]);
    t.same(await reader.sessions(), [session]);
    t.match(await reader.funds(1), { seq: filled.seq, availablePaise: 800_000, heldPaise: 200_000, marginPaise: 0 });
    t.equal(await reader.funds(99), undefined);
  });

  await t.test('a batch that was rendered before', async (t) => {
    const account = await test.account(3, 1_000);
    const [first, second, third] = [test.place(account, 100), test.place(account, 200), test.place(account, 300)];
    const unfit = { ...third!, accounts: [{ ...third!.accounts[0]!, totalValuePaise: 0.5 }] };
    test.ledger.prepare(second!);
    t.same(await test.ledger.commit(first!), { kind: 'committed' });
    const committed = test.ledger.commit(second!);
    test.ledger.prepare(unfit);
    t.same(await committed, { kind: 'committed' });
    t.match(await test.ledger.commit(unfit), { kind: 'refused', text: /beyond every amount/ });
    t.same(await test.ledger.commit(third!), { kind: 'committed' });
    t.match(await reader.funds(3), { availablePaise: 400, heldPaise: 600 });
  });

  await t.test('the database has a batch before the caller goes on', async (t) => {
    const batch = test.batch({});
    const committed = test.ledger.commit(batch);
    // This thread does nothing until another process has seen it.
    execFileSync(
      process.execPath,
      ['--input-type=module', '-e', SEE_BATCH, JSON.stringify(target), `${batch.batchId}`],
      {
        timeout: 60_000,
      },
    );
    t.same(await committed, { kind: 'committed' });
  });

  await t.test('a late fill may leave less than nothing, a placement may not', async (t) => {
    const account = await test.account(2, 100);
    const late = { type: EventType.ContractNoteIssued, tradingDay: '2026-11-26', charges: NO_CHARGES };
    const taken = event(account, late, move(LedgerAccount.Available, LedgerAccount.Exchange, 150));
    account.availablePaise -= 150;
    const row = { ...accountRow(account, taken.seq), mustBeCovered: false };
    t.same(await test.ledger.commit(test.batch({ events: [taken], accounts: [row] })), { kind: 'committed' });
    t.equal((await reader.funds(2))?.availablePaise, -50);
  });
}

async function refusals(t: Tap, test: TestLedger, reader: LedgerReader): Promise<void> {
  await t.test('what the database refuses changes nothing', async (t) => {
    const account = await test.account(10, 1_000);
    await test.ledger.commit(test.place(account, 100, 'once'));
    const before = await reader.loadAccounts({ sinceOrderID: 0, userIds: [10, 11] });
    const wrong = (
      change: (batch: LedgerBatch) => Partial<LedgerBatch>,
      holdPaise = 100,
      clientOrderID = '',
    ): LedgerBatch => {
      const copy = structuredClone(account);
      const batch = test.place(copy, holdPaise, clientOrderID);
      return { ...batch, ...change(batch) };
    };
    const row = (batch: LedgerBatch) => batch.accounts[0]!;
    const placed = (batch: LedgerBatch) => batch.events[0]!;
    const order = (batch: LedgerBatch) => batch.newOrders[0]!;
    const cases: [what: string, batch: LedgerBatch, text: RegExp][] = [
      ['more than there is', wrong(() => ({}), 1_001), /account_covered.*OC004/],
      ['a client order id again', wrong(() => ({}), 100, 'once'), /client_order_once.*23505/],
      [
        'an order id again',
        wrong((b) => ({ newOrders: [{ ...order(b), orderID: [...account.orders.keys()][0]! }] })),
        /orders_pkey/,
      ],
      [
        'an event again',
        wrong((b) => ({
          events: [{ ...placed(b), seq: account.seq }],
          accounts: [{ ...row(b), firstSeq: account.seq, lastSeq: account.seq }],
        })),
        /ledger_events_pkey|OC002/,
      ],
      [
        'a gap',
        wrong((b) => ({
          events: [{ ...placed(b), seq: account.seq + 2 }],
          accounts: [{ ...row(b), firstSeq: account.seq + 2, lastSeq: account.seq + 2 }],
        })),
        /account_sequence.*OC002/,
      ],
      [
        'a row that says more than its events',
        wrong((b) => ({ accounts: [{ ...row(b), lastSeq: account.seq + 2 }] })),
        /account_balance.*OC003/,
      ],
      ['events without a row', wrong(() => ({ accounts: [] })), /user_id.*23502/],
      ['a row without events', wrong(() => ({ events: [] })), /OC00[23]/],
      ['a row twice', wrong((b) => ({ accounts: [row(b), row(b)] })), /OC003/],
      [
        'cash that the postings do not make',
        wrong((b) => ({ accounts: [{ ...row(b), cashPaise: row(b).cashPaise + 1 }] })),
        /account_balance.*OC003/,
      ],
      [
        'a hold that the postings do not make',
        wrong((b) => ({ accounts: [{ ...row(b), marginUsedPaise: row(b).marginUsedPaise + 1 }] })),
        /account_balance.*OC003/,
      ],
      [
        'postings that do not sum to zero',
        wrong((b) => ({
          events: [
            {
              ...placed(b),
              postings: [
                { account: 1, amountPaise: -100 },
                { account: 2, amountPaise: 101 },
              ],
            },
          ],
        })),
        /postings_sum_to_zero.*23514/,
      ],
      [
        'one of them',
        wrong((b) => ({ events: [{ ...placed(b), postings: [{ account: 1, amountPaise: -100 }] }] })),
        /postings_.*23514/,
      ],
      [
        'postings out of their order',
        wrong((b) => ({ events: [{ ...placed(b), postings: [...placed(b).postings].reverse() }] })),
        /postings_in_order/,
      ],
      [
        'three of them',
        wrong((b) => ({
          events: [
            {
              ...placed(b),
              postings: [
                { account: 1, amountPaise: -100 },
                { account: 2, amountPaise: 50 },
                { account: 11, amountPaise: 51 },
              ],
            },
          ],
        })),
        /postings_sum_to_zero.*23514/,
      ],
      [
        'a hold below nothing',
        wrong((b) => ({
          events: [{ ...placed(b), postings: move(LedgerAccount.Held, LedgerAccount.Available, 101) }],
          accounts: [{ ...row(b), marginUsedPaise: -1 }],
        })),
        /held_not_negative.*23514/,
      ],
      [
        'an account that is not there',
        wrong((b) => ({ events: [{ ...placed(b), userId: 11 }], accounts: [{ ...row(b), userId: 11 }] })),
        /OC002/,
      ],
      ['an order that is not there', wrong((b) => ({ newOrders: [], changedOrders: [order(b)] })), /OC005/],
      [
        'another user’s order',
        wrong((b) => ({
          newOrders: [],
          changedOrders: [{ ...[...account.orders.values()][0]!, userId: 1 }],
          accounts: b.accounts,
        })),
        /OC005/,
      ],
      [
        'an amount without bound',
        wrong((b) => ({ accounts: [{ ...row(b), totalValuePaise: 1e300 }] })),
        /beyond every amount/,
      ],
      ['a batch id again', { ...wrong(() => ({})), batchId: 1 }, /OC007/],
    ];
    for (const [what, batch, text] of cases) {
      const outcome = await test.ledger.commit(batch);
      t.equal(outcome.kind, 'refused', `${what}: ${JSON.stringify(outcome)}`);
      t.match('text' in outcome ? outcome.text : '', text, what);
    }
    t.same(await reader.loadAccounts({ sinceOrderID: 0, userIds: [10, 11] }), before);
    t.same(await test.ledger.commit(test.place(account, 100, 'twice')), { kind: 'committed' }, 'the next is taken');
  });

  await t.test('references, executions and session numbers are kept once', async (t) => {
    const account = await test.account(12, 1_000);
    const deposit = (reference: string) => {
      const copy = structuredClone(account);
      const again = event(
        copy,
        { type: EventType.Deposited, reference },
        move(LedgerAccount.Bank, LedgerAccount.Available, 5),
      );
      copy.availablePaise += 5;
      return test.batch({ events: [again], accounts: [accountRow(copy, again.seq)] });
    };
    t.match(await test.ledger.commit(deposit('D-12')), { kind: 'refused', text: /reference_once/ });
    const trade = {
      userId: 12,
      seq: 2,
      orderID: 1,
      instrumentId: 1,
      venue: 'NSE',
      tradingDay: '2026-11-26',
      execID: 'E',
      execRefID: '',
    };
    const amounts = { quantity: 1, pricePaise: 1, chargesPaise: 0, tsMicros: 1 };
    const trades = [{ ...trade, ...amounts }];
    t.same(await test.ledger.commit(test.batch({ trades })), { kind: 'committed' });
    t.match(await test.ledger.commit(test.batch({ trades })), { kind: 'refused', text: /execution_once/ });
    const another = [{ ...trades[0]!, tradingDay: '2026-11-27' }];
    t.same(await test.ledger.commit(test.batch({ trades: another })), { kind: 'committed' }, 'of another day');
    const session = { sessionName: 'T', epoch: 5, lastSentSeqNum: 10, lastReceivedSeqNum: 11, state: 'up' as const };
    const put = (changes: object) => test.ledger.commit(test.batch({ sessions: [{ ...session, ...changes }] }));
    t.same(await put({}), { kind: 'committed' });
    t.match(await put({ lastReceivedSeqNum: 10 }), { kind: 'refused', text: /OC006/ });
    t.same(await put({ epoch: 6, lastReceivedSeqNum: 1 }), { kind: 'committed' }, 'a new epoch begins anew');
    t.match(await put({ lastReceivedSeqNum: 12 }), { kind: 'refused', text: /OC006/ }, 'an old epoch');
  });
}

async function rights(t: Tap, database: LedgerDatabase): Promise<void> {
  await t.test('nobody changes an event, and the engine changes nothing by itself', async (t) => {
    const { client: engine } = await connectLedger(clientConfig(database.target, 'engine'));
    const { client: owner } = await connectLedger(clientConfig(database.target, 'owner'));
    t.teardown(() => Promise.all([engine.end(), owner.end()]));
    for (const change of [
      'UPDATE outcry.ledger_events SET seq = seq',
      'DELETE FROM outcry.ledger_events',
      'TRUNCATE outcry.ledger_events',
    ]) {
      await t.rejects(engine.query(change), { code: '42501' }, `the engine: ${change}`);
      await t.rejects(owner.query(change), { code: 'OC100' }, `the owner: ${change}`);
    }
    for (const table of [
      'ledger_events',
      'accounts',
      'orders',
      'trades',
      'positions',
      'holdings',
      'fix_sessions',
      'shard_owners',
      'snapshots',
      'migrations',
    ]) {
      await t.rejects(engine.query(`INSERT INTO outcry.${table} DEFAULT VALUES`), { code: '42501' }, table);
      const { rows } = await engine.query(
        `SELECT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE oid = 'outcry.${table}'::regclass`,
      );
      t.not(rows[0].owner, 'outcry_engine');
    }
    await t.rejects(engine.query('ALTER TABLE outcry.ledger_events DISABLE TRIGGER ALL'), { code: '42501' });
    await t.rejects(engine.query('CREATE TABLE outcry.mine (x int)'), { code: '42501' });
    await t.rejects(engine.query('SET session_replication_role = replica'), { code: '42501' });
  });
}

async function environment(t: Tap, { target }: LedgerDatabase): Promise<void> {
  await t.test('variables of the environment change nothing', async (t) => {
    t.intercept(process, 'env', {
      value: {
        ...process.env,
        PGOPTIONS: '-c default_transaction_read_only=on',
        PGSSLMODE: 'require',
        PGREPLICATION: 'database',
        PGBINARY: 'true',
      },
    });
    const { client } = await connectLedger(clientConfig(target, 'owner'));
    const { rows } = await client.query(
      "SELECT current_setting('default_transaction_read_only') AS mode, $1::int AS number",
      [7],
    );
    t.same(rows, [{ mode: 'off', number: 7 }]);
    await client.end();
  });
}

async function unknownOutcome(t: Tap, database: LedgerDatabase, test: TestLedger): Promise<void> {
  await t.test('a connection lost during the call: unknown, then asked', async (t) => {
    const wire = await cutWire(database);
    t.teardown(() => wire.close());
    const ledger = new LedgerPostgres({ kind: 'embedded', socketDirectory: wire.directory }, TEST_SHARD);
    t.teardown(() => ledger.close());
    const { epoch } = await ledger.claimShard();
    test.epoch = epoch;
    const first = test.batch({ events: [], accounts: [] });
    t.same(await ledger.commit(first), { kind: 'committed' });

    wire.cut = 'answer';
    const arrived = test.batch({});
    t.match(await ledger.commit(arrived), { kind: 'unknown' });
    t.equal(await ledger.answer(arrived.batchId), 'committed');
    t.match(await ledger.commit(arrived), { kind: 'refused', text: /OC007/ }, 'it is there once');

    wire.cut = 'call';
    const lost = test.batch({});
    t.match(await ledger.commit(lost), { kind: 'unknown' });
    t.equal(await ledger.answer(lost.batchId), 'not-committed');
    t.same(await ledger.commit(lost), { kind: 'committed' });

    // The call stands in a queue somewhere, and arrives when the answer was given.
    wire.cut = 'delay';
    const late = test.batch({});
    t.match(await ledger.commit(late), { kind: 'unknown' });
    t.equal(await ledger.answer(late.batchId), 'not-committed');
    t.match(await wire.deliverLate(), /OC001/, 'what comes after the answer is refused');
    t.equal(await ledger.answer(late.batchId), 'not-committed');
    t.same(await ledger.commit(late), { kind: 'committed' });

    wire.refuse();
    const dropped = test.batch({});
    wire.dropAll();
    t.match(await ledger.commit(dropped), { kind: /unavailable|unknown/ });
    t.match(await ledger.commit(dropped), { kind: 'unavailable' });
    t.equal(await ledger.answer(dropped.batchId), 'unavailable');
  });
}

async function staleEpoch(t: Tap, database: LedgerDatabase, test: TestLedger): Promise<void> {
  await t.test('a new owner ends the old one', async (t) => {
    await test.claim();
    t.same(await test.ledger.commit(test.batch({})), { kind: 'committed' });
    const successor = await new TestLedger(database).claim();
    t.equal(successor.epoch, test.epoch + 1);
    t.equal(successor.batchId, test.batchId, 'goes on from the last batch');
    t.same(await test.ledger.commit(test.batch({})), { kind: 'stale-epoch' }, 'over its open connection');
    t.same(await successor.ledger.commit(successor.batch({})), { kind: 'committed' });
    await test.ledger.close();
    t.same(await test.ledger.commit(test.batch({})), { kind: 'stale-epoch' }, 'over a new one');
    await successor.ledger.close();
  });
}

interface CutWire {
  readonly directory: string;
  cut: 'no' | 'answer' | 'call' | 'delay';
  /** Sends what `delay` kept, and resolves with what the server said to it. */
  deliverLate(): Promise<string>;
  dropAll(): void;
  refuse(): void;
  close(): Promise<void>;
}

/** A socket before the server's that cuts a client off at a commit: before the call gets there, after it did, or so that it gets there later. */
async function cutWire(database: LedgerDatabase): Promise<CutWire> {
  const { socketDirectory } = database.target as { socketDirectory: string };
  const directory = t.testdir({}) as string;
  const clients = new Set<Socket>();
  let late: { server: Socket; bytes: Buffer } | undefined;
  let refusing = false;
  const server: Server = createServer((client) => {
    if (refusing) return void client.destroy();
    clients.add(client);
    const upstream = createConnection(join(socketDirectory, `.s.PGSQL.${EMBEDDED_PORT}`));
    let isCommit = false;
    client.on('data', (bytes: Buffer) => {
      isCommit = bytes.includes('commit-batch') || bytes.includes('commit_batch');
      const { cut } = wire;
      if (!isCommit || cut === 'no' || cut === 'answer') return void upstream.write(bytes);
      wire.cut = 'no';
      if (cut === 'delay') late = { server: upstream, bytes };
      else upstream.destroy();
      client.destroy();
    });
    upstream.on('data', (bytes: Buffer) => {
      if (!isCommit || wire.cut !== 'answer') return void client.write(bytes);
      wire.cut = 'no';
      client.destroy();
      upstream.destroy();
    });
    client.on('close', () => {
      clients.delete(client);
      if (late?.server !== upstream) upstream.destroy();
    });
    upstream.on('close', () => client.destroy());
    for (const socket of [client, upstream]) socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(join(directory, `.s.PGSQL.${EMBEDDED_PORT}`), resolve));
  const wire: CutWire = {
    directory,
    cut: 'no',
    deliverLate: async () => {
      const { server: upstream, bytes } = late!;
      late = undefined;
      const said = new Promise<string>((resolve) =>
        upstream.on('data', (answer: Buffer) => resolve(answer.toString('latin1'))),
      );
      upstream.write(bytes);
      const text = await said;
      upstream.destroy();
      return text;
    },
    dropAll: () => {
      for (const client of clients) client.destroy();
    },
    refuse: () => {
      refusing = true;
    },
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
  return wire;
}
