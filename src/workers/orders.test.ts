/** Orders through the whole product: processes, PostgreSQL, real FIX to the simulator, plain WebSocket clients. */
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ControlMap } from '../core/fan-out/control-codec.ts';
import { askControl } from '../net/control-socket.ts';
import { issueToken } from '../net/token.ts';
import { readTokenSecret } from '../net/token-secret.ts';
import { OrderSocket } from './testing/order-socket.ts';
import { CLI, newDataDir, processesOf, Running, until } from './testing/running.ts';

const ORDERS_ON = { OUTCRY_ORDER_SESSIONS: '' };
const START = [CLI, 'start'];
const DEPOSIT_PAISE = 50_000_000;
const LIMIT = { action: 'place', symbol: 'RELIANCE', side: 'BUY', product: 'CNC', orderType: 'LIMIT', quantity: 10 };

t.setTimeout(300_000);
if (process.platform !== 'linux') t.plan(0, 'processes are found by /proc, which is Linux');

/** A command that ends; what it printed as JSON. */
async function outcry(dataDir: string, ...command: string[]): Promise<Record<string, unknown>> {
  const run = new Running(dataDir, [CLI, ...command, '--json'], ORDERS_ON);
  const code = await run.ended();
  return code === 0 ? JSON.parse(run.stdout) : { code, stderr: run.stderr };
}

function secretOf(dataDir: string): Uint8Array {
  return readTokenSecret({ dataDir, secretFile: '', environment: {} });
}

function rowsOf(answer: ControlMap): ControlMap[] {
  return answer.rows as ControlMap[];
}

/** Paise of an event's charges. */
function chargesOf(event: ControlMap): number {
  return Object.values(event.charges as ControlMap).reduce<number>((sum, paise) => sum + (paise as number), 0);
}

function assertGapFree(t: Test, socket: OrderSocket, from: number): void {
  t.strictSame(
    socket.seqs,
    socket.seqs.map((_, i) => from + i),
    `every event after ${from - 1}, once and in order`,
  );
}

t.test('orders, money and the stream of an account', async (t) => {
  const dataDir = newDataDir(t);
  const running = await new Running(dataDir, START, ORDERS_ON).ready();
  const { url } = running;
  const status = await running.status();
  t.match(status.orders, { state: 'serving', sessionsUp: 1, accounts: 0, alarms: 0 });

  // Accounts and tokens, by the command line.
  for (const userId of ['42', '43']) {
    t.match(await outcry(dataDir, 'user', 'create', '--user-id', userId), { userId: Number(userId), seq: 1 });
    const deposit = ['user', 'deposit', '--user-id', userId, '--amount', '500000.00', '--reference', 'A1'];
    t.match(await outcry(dataDir, ...deposit), { seq: 2, repeat: false, availablePaise: DEPOSIT_PAISE });
    t.match(await outcry(dataDir, ...deposit), { seq: 2, repeat: true, availablePaise: DEPOSIT_PAISE });
  }
  t.match(await outcry(dataDir, 'user', 'create', '--user-id', '42'), { code: 4, stderr: /ACCOUNT_EXISTS \(138\)/ });
  t.match(await outcry(dataDir, 'user', 'withdraw', '--user-id', '42', '--amount', '500000.01'), {
    code: 4,
    stderr: /INSUFFICIENT_FUNDS \(304\)/,
  });
  t.match(await outcry(dataDir, 'user', 'deposit', '--user-id', '42', '--amount', '1.005'), { code: 2 });
  const tokens = await Promise.all(['42', '43'].map((id) => outcry(dataDir, 'token', '--user-id', id)));
  const [token, otherToken] = tokens.map((each) => String(each.token)) as [string, string];
  t.match(await outcry(join(dataDir, 'nowhere'), 'token', '--user-id', '42'), { code: 2, stderr: /no data directory/ });

  const one = await OrderSocket.loggedIn(url, token);
  const two = await OrderSocket.loggedIn(url, token);
  const other = await OrderSocket.loggedIn(url, otherToken);
  t.teardown(() => {
    for (const socket of [one, two, other]) socket.close();
  });
  const lastPaise = Number(await lastOf(url, 'RELIANCE'));
  const near = (bps: number): number => Math.round((lastPaise * (1 + bps / 10_000)) / 10) * 10;

  await t.test('bad input is refused with its number, and nothing changes', async (t) => {
    const before = await one.ask({ action: 'funds' });
    const good = { ...LIMIT, pricePaise: near(0) };
    const cases: [ControlMap, string, number][] = [
      [{ ...good, quantity: -10 }, 'BAD_FIELD', 101],
      [{ ...good, quantity: 0 }, 'BAD_FIELD', 101],
      [{ ...good, quantity: 2.5 }, 'BAD_FIELD', 101],
      [{ ...good, quantity: 1e15 }, 'BAD_FIELD', 101],
      [{ ...good, quantity: Number.NaN }, 'BAD_FIELD', 101],
      [{ ...good, pricePaise: -1 }, 'BAD_FIELD', 101],
      [{ ...good, pricePaise: Number.POSITIVE_INFINITY }, 'BAD_FIELD', 101],
      [{ ...good, pricePaise: '2450' }, 'BAD_FIELD', 101],
      [{ ...good, side: 'HOLD' }, 'BAD_FIELD', 101],
      [{ ...good, symbol: 'NO SUCH' }, 'UNKNOWN_SYMBOL', 121],
      [{ ...good, symbol: 'NIFTY 50' }, 'NOT_TRADABLE', 122],
      [{ ...good, pricePaise: near(0) + 1 }, 'TICK_SIZE', 126],
      [{ ...good, quantity: 6_000 }, 'POSITION_LIMIT', 202],
      [{ ...good, side: 'SELL' }, 'HOLDINGS', 201],
      [{ ...good, quantity: 4_000 }, 'BUYING_POWER', 200],
      [{ action: 'cancel', orderId: 12_345 }, 'UNKNOWN_ORDER', 132],
      [{ action: 'orders', limit: 1_000 }, 'BAD_FIELD', 101],
      [{ action: 'resume', fromSeq: 99 }, 'BAD_FIELD', 101],
    ];
    for (const [request, code, refusal] of cases) {
      const { error } = await one.ask(request);
      const { message, check } = error as ControlMap;
      t.match(error, { code, refusal }, `${JSON.stringify(request)}: ${message}`);
      if (refusal >= 200) {
        const { limit, after, passed } = check as ControlMap;
        t.notOk(passed);
        t.ok((after as number) > (limit as number), `${code}: ${after} where ${limit} is the limit`);
      }
    }
    t.strictSame(await one.ask({ action: 'funds' }).then(withoutId), withoutId(before));
    t.strictSame(one.events, [], 'no event');
    t.equal(one.closedWith, 0, 'refusals close no connection');
  });

  await t.test('a dry run tells every check, and changes nothing', async (t) => {
    const answer = await one.ask({ ...LIMIT, pricePaise: near(0), dryRun: true });
    t.match(answer, { action: 'dryRun', refusal: 0 });
    const buyingPower = (answer.checks as ControlMap[]).find(({ check }) => check === 'buying-power');
    t.match(buyingPower, { unit: 'paise', passed: true });
    t.equal((await one.ask({ action: 'orders' }).then(rowsOf)).length, 0);
  });

  let first = 0;
  await t.test('a limit order: PENDING when durable, then filled, on every socket of its user', async (t) => {
    const request = { ...LIMIT, pricePaise: near(300), clientOrderId: 'C-1' };
    const placed = await one.ask(request);
    t.match(placed, { action: 'placed', status: 'PENDING', repeat: false, seq: 3 });
    first = placed.orderId as number;
    t.match(await one.event(first, { type: 'OrderPlaced' }), { status: 'PENDING', side: 'BUY', quantity: 10, seq: 3 });
    t.match(await one.event(first, { status: 'FILLED' }), { filledQty: 10, leavesQty: 0 });
    await two.event(first, { status: 'FILLED' });
    assertGapFree(t, one, 3);
    t.strictSame(two.events, one.events);
    t.strictSame(other.events, [], 'nobody else is told');

    const { error } = await one.ask({ ...request, quantity: 11 });
    t.match(error, { code: 'IDEMPOTENCY_CONFLICT', refusal: 136 });
    t.match(await two.ask(request), { action: 'placed', orderId: first, repeat: true }, 'the same order, once');
    t.match((await other.ask({ action: 'cancel', orderId: first })).error, { code: 'UNKNOWN_ORDER', refusal: 132 });
    t.equal((await one.ask({ action: 'orders' }).then(rowsOf)).length, 1);
  });

  await t.test('a market order, and money right to the paisa', async (t) => {
    const placed = await two.ask({ ...LIMIT, orderType: 'MARKET', product: 'MIS', side: 'SELL', quantity: 5 });
    const orderId = placed.orderId as number;
    await one.event(orderId, { status: 'FILLED' });
    const fills = one.events.filter(({ type }) => type === 'OrderFilled');
    const delivery = fills.filter((event) => event.orderId === first);
    const boughtPaise = delivery.reduce((sum, fill) => sum + paiseOf(fill), 0);
    const chargesPaise = fills.reduce((sum, fill) => sum + chargesOf(fill), 0);
    const shortPaise = paiseOf(fills.at(-1)!);
    const marginPaise = Math.ceil(shortPaise / 5);
    const cashPaise = DEPOSIT_PAISE - boughtPaise - chargesPaise;
    const funds = await one.ask({ action: 'funds' });
    t.match(funds, { cashPaise, heldPaise: 0, marginPaise, availablePaise: cashPaise - marginPaise });
    t.ok(chargesPaise > 0);
    t.match(await one.ask({ action: 'positions' }).then(rowsOf), [
      { symbol: 'RELIANCE', product: 'CNC', quantity: 10, openValuePaise: boughtPaise },
      { symbol: 'RELIANCE', product: 'MIS', quantity: -5, openValuePaise: -shortPaise, marginPaise },
    ]);
    t.strictSame(await one.ask({ action: 'holdings' }).then(rowsOf), [], 'delivery is not settled on the day');
    const trades = rowsOf(await one.ask({ action: 'trades' }));
    t.equal(trades.length, fills.length);
    t.equal(sum(trades, 'chargesPaise'), chargesPaise);
    t.equal(sum(trades, 'quantity'), 5);
    const page = await one.ask({ action: 'trades', limit: 1 });
    t.equal(rowsOf(page).length, 1);
    t.strictSame(rowsOf(await one.ask({ action: 'trades', from: page.next as number })), trades.slice(1));
    assertGapFree(t, one, 3);
  });

  await t.test('an order that rests is modified and canceled, and its hold goes with it', async (t) => {
    const before = await one.ask({ action: 'funds' });
    const placed = await one.ask({ ...LIMIT, pricePaise: near(-500) });
    const orderId = placed.orderId as number;
    await one.event(orderId, { status: 'OPEN' });
    const held = (await one.ask({ action: 'funds' })).heldPaise as number;
    t.ok(held >= 10 * near(-500));
    const modify = { action: 'modify', orderId, orderType: 'LIMIT', quantity: 5, pricePaise: near(-600) };
    t.match(await one.ask(modify), { action: 'modifyRequested', orderId });
    t.match(await one.event(orderId, { type: 'OrderModified' }), { quantity: 5, pricePaise: near(-600) });
    t.match(await one.ask({ action: 'cancel', orderId }), { action: 'cancelRequested', orderId });
    await one.event(orderId, { status: 'CANCELED' });
    t.match((await one.ask({ action: 'cancel', orderId })).error, { code: 'ORDER_DONE', refusal: 133 });
    const after = await one.ask({ action: 'funds' });
    t.strictSame({ ...withoutId(after), seq: 0 }, { ...withoutId(before), seq: 0 });
    assertGapFree(t, one, 3);
  });

  await t.test('a stop order waits here until its price trades', async (t) => {
    const stop = { ...LIMIT, orderType: 'SL-M', quantity: 1 };
    let triggerPricePaise = 0;
    let orderId = 0;
    await until(async () => {
      triggerPricePaise = await nextTickAbove(url, 'RELIANCE');
      const { orderId: placed, error } = await one.ask({ ...stop, triggerPricePaise });
      // The market may have passed the trigger before the order came.
      if (error !== undefined) t.match(error, { code: 'BAD_TRIGGER', refusal: 128 });
      orderId = Number(placed ?? 0);
      return orderId !== 0;
    }, 'a stop order');
    t.match(await one.event(orderId, { type: 'OrderPlaced' }), { status: 'TRIGGER_PENDING' });
    await until(async () => {
      if (one.events.some((event) => event.orderId === orderId && event.type === 'OrderTriggered')) return true;
      // The market may go down for longer than anybody waits: the trigger goes with it.
      const nearerPaise = await nextTickAbove(url, 'RELIANCE');
      if (nearerPaise >= triggerPricePaise) return false;
      triggerPricePaise = nearerPaise;
      await one.ask({ action: 'modify', orderId, orderType: 'SL-M', quantity: 1, triggerPricePaise });
      return false;
    }, 'the trigger');
    await one.event(orderId, { status: 'FILLED' });
    assertGapFree(t, one, 3);
  });

  await t.test('a connection that comes back resumes from where it was', async (t) => {
    const again = await OrderSocket.loggedIn(url, token);
    t.match((await again.ask({ action: 'resume', fromSeq: 4 })).action, 'resumed');
    await until(() => again.events.length >= one.events.length - 2, 'what was missed');
    t.strictSame(again.events, one.events.slice(2), 'the same, byte for byte');
    const placed = await again.ask({ ...LIMIT, pricePaise: near(-400), quantity: 1 });
    await again.event(placed.orderId as number, { status: 'OPEN' });
    await one.event(placed.orderId as number, { status: 'OPEN' });
    assertGapFree(t, again, 5);
    again.close();
  });

  await t.test('tokens: expired, forged, of another user, and one that expires while it is used', async (t) => {
    const secret = secretOf(dataDir);
    const nowMs = Date.now();
    const socket = await OrderSocket.open(url);
    t.match((await socket.ask({ action: 'funds' })).error, { code: 'NOT_AUTHENTICATED', refusal: 102 });
    const expired = await issueToken(secret, { userId: 42, expiresMs: nowMs - 60_000 }, nowMs - 120_000);
    const forged = await issueToken(new Uint8Array(32), { userId: 42, expiresMs: nowMs + 60_000 }, nowMs);
    const nobody = await issueToken(secret, { userId: 44, expiresMs: nowMs + 60_000 }, nowMs);
    for (const [bad, refusal] of [
      [expired, 104],
      [forged, 103],
      ['x', 103],
      [nobody, 120],
    ] as const) {
      t.match((await socket.ask({ action: 'login', token: bad })).error, { refusal });
    }
    const short = await issueToken(secret, { userId: 43, expiresMs: nowMs + 2_000 }, nowMs);
    t.match(await socket.ask({ action: 'login', token: short }), { action: 'loggedIn', userId: 43 });
    t.match((await socket.ask({ action: 'login', token })).error, { refusal: 102 }, 'a connection is one user’s');
    await until(() => socket.errors.length > 0, 'the end of its rights');
    t.match(socket.errors, [{ error: { code: 'TOKEN_EXPIRED', refusal: 104 } }]);
    t.match((await socket.ask({ action: 'funds' })).error, { refusal: 102 });
    t.match(await socket.ask({ action: 'login', token: otherToken }), { action: 'loggedIn' }, 'a new one');
    socket.close();
  });

  await t.test('the order worker throws: it is replaced, knows everything, and no event is missed', async (t) => {
    const before = withoutId(await one.ask({ action: 'funds' }));
    await askControl(dataDir, { type: 'drill', kind: 'throw', worker: 'orders' });
    await running.statusWhen(
      ({ orders, health }) =>
        orders?.state === 'serving' &&
        orders.sessionsUp === 1 &&
        health.workers.some(({ worker, generation }) => worker === 'orders' && generation === 2),
      'the replacement',
    );
    await until(async () => (await one.ask({ action: 'funds' })).error === undefined, 'the new one to serve');
    t.strictSame(withoutId(await one.ask({ action: 'funds' })), before);
    const placed = await one.ask({ ...LIMIT, pricePaise: near(350), quantity: 2 });
    await one.event(placed.orderId as number, { status: 'FILLED' });
    await two.event(placed.orderId as number, { status: 'FILLED' });
    assertGapFree(t, one, 3);
    assertGapFree(t, two, 3);
  });

  await t.test('the database is lost: orders are refused, quotes flow, and it recovers by itself', async (t) => {
    const mark = join(dataDir, 'postgres/cluster/PG_VERSION');
    renameSync(mark, `${mark}.away`);
    process.kill((await running.status()).processes.postgres.pid, 'SIGKILL');
    const rest = { ...LIMIT, pricePaise: near(-450), quantity: 3 };
    // A backend outlives the server by a moment and may commit what is asked then; the first that it does not is noticed. Whether that was done is not known before the
    // database can be asked, and so is its answer.
    const underWay: Promise<ControlMap>[] = [];
    let isAnswered = true;
    const ask = (): void => {
      isAnswered = false;
      const asked = one.ask({ ...rest, quantity: 10 + underWay.length });
      underWay.push(asked.finally(() => (isAnswered = true)));
    };
    await running.statusWhen(({ orders }) => {
      if (isAnswered) ask();
      return orders?.state === 'ledger away';
    }, 'the state');
    t.match((await one.ask(rest)).error, { code: 'LEDGER_UNAVAILABLE', refusal: 300 });
    t.ok((await lastOf(url, 'RELIANCE', 5)) > 0, 'quotes flow');
    renameSync(`${mark}.away`, mark);
    await running.statusWhen(({ orders }) => orders?.state === 'serving', 'the recovery');
    for (const { action, error } of await Promise.all(underWay)) {
      const { code } = (error ?? {}) as ControlMap;
      const isTyped = ['LEDGER_TOO_LATE', 'LEDGER_UNAVAILABLE', 'ORDERS_PER_SECOND'].includes(code as string);
      t.ok(action === 'placed' || isTyped, `answered: ${action} ${code}`);
    }
    const placed = await one.ask({ ...rest, quantity: 4 });
    await one.event(placed.orderId as number, { status: 'OPEN' });
    assertGapFree(t, one, 3);
  });

  await t.test('a stop and a start: everything is as it was', async (t) => {
    const before = withoutId(await one.ask({ action: 'funds' }));
    const trades = rowsOf(await one.ask({ action: 'trades', limit: 100 }));
    running.child.kill('SIGTERM');
    t.equal(await running.ended(), 0);
    t.same(processesOf(dataDir), []);
    const again = await new Running(dataDir, START, ORDERS_ON).ready();
    const socket = await OrderSocket.loggedIn(again.url, token);
    // The simulator knows nothing of the orders that rested: their holds come back.
    await until(async () => (await socket.ask({ action: 'funds' })).heldPaise === 0, 'what rested to be settled');
    const after = withoutId(await socket.ask({ action: 'funds' }));
    t.equal(after.cashPaise, before.cashPaise);
    t.strictSame(rowsOf(await socket.ask({ action: 'trades', limit: 100 })), trades);
    t.match(await outcry(dataDir, 'ledger', 'verify'), { isClean: true }, 'the events explain every paisa');
    const log = () => readFileSync(join(dataDir, 'outcry.log'), 'utf8').split('\n');
    const isTold = () => log().some((line) => /"snapshots":0.*accounts are written down/.test(line));
    await until(isTold, 'the day before to be looked at for snapshots');
    socket.close();
    again.child.kill('SIGTERM');
    t.equal(await again.ended(), 0);
  });
});

t.test('a database that cannot be had is an error at the start', async (t) => {
  const dataDir = newDataDir(t);
  const url = 'postgres://desk@127.0.0.1:1/outcry';
  const running = new Running(dataDir, START, { ...ORDERS_ON, OUTCRY_LEDGER_URL: url });
  t.equal(await running.ended(), 1);
  t.match(running.stderr, /the ledger’s database cannot be reached: 127\.0\.0\.1:1/);
  t.same(processesOf(dataDir), []);
});

function paiseOf(fill: ControlMap): number {
  return (fill.lastQty as number) * (fill.lastPxPaise as number);
}

function sum(rows: readonly ControlMap[], name: string): number {
  return rows.reduce((total, row) => total + (row[name] as number), 0);
}

function withoutId({ id: _, ...rest }: ControlMap): ControlMap {
  return rest;
}

/** A tick above the last price, as it is after some quotes. */
async function nextTickAbove(url: string, symbol: string): Promise<number> {
  return Math.ceil((await lastOf(url, symbol, 5)) / 10) * 10 + 10;
}

/** The last price after so many quotes, by the JSON protocol. */
async function lastOf(url: string, symbol: string, quotes = 1): Promise<number> {
  const { WebSocket } = await import('ws');
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
  let lastPaise = 0;
  let count = 0;
  socket.on('open', () => socket.send(JSON.stringify({ action: 'subscribe', symbols: [symbol] })));
  socket.on('message', (data) => {
    lastPaise = Math.round(JSON.parse(String(data)).ltp * 100);
    count++;
  });
  await until(() => count >= quotes, `prices of ${symbol}`);
  socket.terminate();
  return lastPaise;
}
