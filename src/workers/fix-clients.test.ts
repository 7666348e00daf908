/** A client's order over FIX through the whole product, its contract note, and the reconciliation of its day: agreed, and broken. */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { tradingDayAt } from '../core/day-roll/trading-day.ts';
import { type ExecutionReport, readExecutionReport } from '../core/fix/execution-report.ts';
import type { FixMessage } from '../core/fix/fix-message.ts';
import type { FixSession } from '../core/fix/fix-session.ts';
import { ExecType, MsgType, OrdType, Side, TimeInForce } from '../core/fix/generated/fix-enums.gen.ts';
import { writeNewOrderSingle } from '../core/fix/order-messages.ts';
import { SESSION_DEFAULTS } from '../core/fix/session-contract.ts';
import { askControl } from '../net/control-socket.ts';
import { connectFix } from '../net/fix-tcp.ts';
import { CLI, newDataDir, Running, until } from './testing/running.ts';

t.setTimeout(300_000);
if (process.platform !== 'linux') t.plan(0, 'processes are found by /proc, which is Linux');

const USER = 77;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

t.test('an order over FIX, to its contract note and its reconciliation', async (t) => {
  const dataDir = newDataDir(t);
  const port = await freePort();
  writeFileSync(join(dataDir, 'password'), 'open sesame');
  const client = { kind: 'orders', compID: 'FUND', username: 'fund', passwordFile: 'password', userId: USER };
  const file = join(dataDir, 'clients.json');
  writeFileSync(file, JSON.stringify([client]));
  const settings = {
    OUTCRY_ORDER_SESSIONS: '',
    OUTCRY_FANOUT_WORKERS: '1',
    OUTCRY_FIX_CLIENTS: file,
    OUTCRY_FIX_CLIENTS_PORT: String(port),
  };
  const outcry = async (...command: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> => {
    const run = new Running(dataDir, [CLI, ...command], settings);
    return { code: await run.ended(), stdout: run.stdout, stderr: run.stderr };
  };
  const running = await new Running(dataDir, [CLI, 'start'], settings).ready();
  await running.statusWhen(({ orders }) => orders?.sessionsUp === 1, 'the order session is up');
  const open = { type: 'open-account', userId: USER } as const;
  await askControl(dataDir, { type: 'account', command: open });
  const deposit = { type: 'deposit', userId: USER, amountPaise: 50_000_000, reference: 'A' } as const;
  await askControl(dataDir, { type: 'account', command: deposit });

  const reports: ExecutionReport[] = [];
  const initiator = connectFix({
    ...{ host: '127.0.0.1', port, reconnectMinMs: 20, reconnectMaxMs: 100 },
    application: {
      onLogon() {},
      onGap() {},
      onLogout() {},
      onMessage(_session: FixSession, message: FixMessage) {
        const parsed = readExecutionReport(message);
        if (parsed.ok) reports.push(parsed.value);
      },
    },
    session: {
      ...SESSION_DEFAULTS,
      role: 'initiator',
      senderCompID: 'FUND',
      targetCompID: 'OUTCRY',
      resetOnLogon: false,
      gapPolicy: 'resend',
      credentials: { username: 'fund', password: 'open sesame' },
    },
  });
  t.teardown(() => initiator.close(''));
  await until(() => initiator.session.loggedOn, 'logged on');
  writeNewOrderSingle(initiator.session.begin(MsgType.NewOrderSingle, Date.now()), {
    ...{ clOrdID: 'FIRST', account: '', symbol: 'RELIANCE', side: Side.Buy, orderQty: 10, pricePaise: 0 },
    ...{ ordType: OrdType.Market, timeInForce: TimeInForce.Day, transactTimeMicros: Date.now() * 1_000 },
  });
  initiator.session.send(Date.now());
  const isFilled = (): boolean =>
    reports.some(({ execType, leavesQty }) => execType === ExecType.Trade && leavesQty === 0);
  await until(isFilled, 'filled');
  t.same([reports[0]!.execType, reports[1]!.execType], [ExecType.PendingNew, ExecType.New]);
  t.ok(reports.every(({ clOrdID }) => clOrdID === 'FIRST'));

  const day = tradingDayAt(Date.now() * 1_000, 'always').date;
  const note = await outcry('ledger', 'contract-note', '--user', String(USER), '--day', day);
  t.match(note, {
    code: 0,
    stdout: /not issued yet[\s\S]*BUY {2}RELIANCE CNC[\s\S]*securities transaction tax[\s\S]*to pay/,
  });
  const trades = join(dataDir, 'trades.csv');
  const printed = await outcry('exchange', 'trades', '--day', day);
  writeFileSync(trades, printed.stdout);
  const clean = await outcry('ledger', 'reconcile', '--day', day, '--file', trades, '--json');
  t.equal(clean.code, 0, clean.stderr);
  const fills = reports.filter(({ execType }) => execType === ExecType.Trade).length;
  t.same(JSON.parse(clean.stdout), { tradingDay: day, ours: fills, theirs: fills, matched: fills, breaks: 0 });

  // The venue says that one share more was traded.
  const lines = readFileSync(trades, 'utf8').split('\n');
  const values = lines[1]!.split(',');
  lines[1] = [...values.slice(0, 6), Number(values[6]) + 1, values[7]].join(',');
  writeFileSync(trades, lines.join('\n'));
  const broken = await outcry('ledger', 'reconcile', '--day', day, '--file', trades);
  t.match(broken, { code: 4, stdout: new RegExp(`user ${USER}, order \\d+, execution .*: quantity`) });
  t.match(broken.stderr, `user ${USER} is frozen`);
  const { orders } = await running.status();
  t.equal(orders?.alarms, 1, 'an alarm is raised');
  const count = reports.length;
  writeNewOrderSingle(initiator.session.begin(MsgType.NewOrderSingle, Date.now()), {
    ...{ clOrdID: 'SECOND', account: '', symbol: 'RELIANCE', side: Side.Buy, orderQty: 10, pricePaise: 0 },
    ...{ ordType: OrdType.Market, timeInForce: TimeInForce.Day, transactTimeMicros: Date.now() * 1_000 },
  });
  initiator.session.send(Date.now());
  await until(() => reports.length > count, 'an answer');
  t.match(reports[count], { execType: ExecType.Rejected, text: /ACCOUNT_FROZEN \(214\)/ });
  const verified = await outcry('ledger', 'verify');
  t.equal(verified.code, 0, verified.stdout);
});
