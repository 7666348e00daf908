/** Every bench at a size that takes a moment: it runs, its figures have the shape, and what it checks holds. No timing is judged. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { nativeProgram } from '../src/net/testing/native-program.ts';
import { modulePath } from './child-process.ts';
import type { Report, Row } from './harness.ts';
import { hasNginx } from './nginx-front.ts';
import { ALL_TROUBLE } from './trouble-kinds.ts';

const RUN_TIMEOUT_MS = 200_000;
const directory = t.testdir();
// All of it works with processes of its own, the last of it with a database.
t.setTimeout(600_000);

async function bench(t: Tap, name: string, ...options: string[]): Promise<Report> {
  const json = join(directory, `${name}-${randomUUID()}.json`);
  const args = [modulePath('./run'), name, '--rounds', '1', '--json', json, ...options];
  await promisify(execFile)(process.execPath, args, { timeout: RUN_TIMEOUT_MS, killSignal: 'SIGKILL' });
  const report = JSON.parse(readFileSync(json, 'utf8')) as Report;
  t.same(Object.keys(report), ['name', 'machine', 'rounds', 'rows']);
  t.equal(report.name, name);
  t.equal(report.rounds, 1);
  for (const row of report.rows) {
    t.same(Object.keys(row), ['impl', 'case', 'metric', 'unit', 'median', 'min', 'max']);
    t.ok(Number.isFinite(row.median) && row.min <= row.median && row.median <= row.max, `${row.case} ${row.metric}`);
  }
  return report;
}
type Tap = typeof t;

async function reasonToSkipPeers(): Promise<string | false> {
  const quickfix = await nativeProgram('bench/peers/quickfix-decode.cpp', 'quickfix');
  return 'path' in quickfix ? false : `${quickfix.missing} (scripts/ci-setup.sh installs it)`;
}

async function reasonToSkipC(): Promise<string | false> {
  const bareServer = await nativeProgram('bench/peers/joined-server.c', null);
  return 'path' in bareServer ? false : bareServer.missing;
}

function value(rows: readonly Row[], impl: string, ofCase: string, metric: string): number | undefined {
  return rows.find((row) => row.impl === impl && row.case === ofCase && row.metric === metric)?.median;
}

/** Of all metrics whose names begin so. */
function total(rows: readonly Row[], prefix: string): number {
  return rows.reduce((sum, { metric, median }) => (metric.startsWith(prefix) ? sum + median : sum), 0);
}

await t.test('decode: every case by every reader, and no garbage of ours', async (t) => {
  const { rows } = await bench(t as Tap, 'decode', '--messages', '50', '--round-ms', '20');
  for (const ofCase of ['inc1', 'inc3', 'inc10', 'snap']) {
    for (const impl of ['outcry', 'jspurefix', 'baseline']) {
      t.ok(value(rows, impl, ofCase, 'messages_per_s')! > 0, `${impl} ${ofCase}`);
    }
  }
});

await t.test('decode: the peers in C and C++', { skip: await reasonToSkipPeers() }, async (t) => {
  const { rows } = await bench(t as Tap, 'decode', '--messages', '50', '--round-ms', '20');
  for (const ofCase of ['inc1', 'inc3', 'inc10', 'snap']) {
    for (const impl of ['quickfix', 'c-scan'])
      t.ok(value(rows, impl, ofCase, 'messages_per_s')! > 0, `${impl} ${ofCase}`);
  }
});

await t.test('session: codec, and both ways over TCP', async (t) => {
  const { rows } = await bench(t as Tap, 'session', '--codec-messages', '2000', '--messages', '2000');
  for (const ofCase of ['encode-D', 'decode-8', 'tcp-in', 'tcp-out']) {
    t.ok(value(rows, 'outcry', ofCase, 'messages_per_s')! > 0, ofCase);
  }
});

await t.test('ledger: durable by batches and one by one, and reads', async (t) => {
  const size = ['--accounts', '50', '--callers', '16', '--connections', '4', '--seconds', '1'];
  const { rows } = await bench(t as Tap, 'ledger', ...size);
  for (const impl of ['outcry', 'baseline']) {
    t.ok(value(rows, impl, 'placements', 'placements_per_s')! > 0, impl);
    t.equal(value(rows, impl, 'placements', 'accepted'), 100, impl);
  }
  t.ok(value(rows, 'outcry', 'reads', 'reads_per_s')! > 0, 'reads');
});

await t.test('ring: every structure', async (t) => {
  const { rows } = await bench(t as Tap, 'ring', '--records', '20000', '--hand-offs', '1000', '--updates', '5000');
  const cases = new Set(rows.map((row) => row.case));
  for (const ofCase of ['spsc-64b', 'hand-off-spin', 'hand-off-port', 'broadcast-3', 'board-write', 'dirty-drain']) {
    t.ok(cases.has(ofCase), ofCase);
  }
});

await t.test('risk: decisions that pass and that do not', async (t) => {
  const { rows } = await bench(t as Tap, 'risk', '--decisions', '5000');
  for (const ofCase of ['pass', 'refuse-last', 'dry-run']) {
    t.ok(value(rows, 'outcry', ofCase, 'decision_p99')! > 0, ofCase);
  }
});

await t.test(
  'compare: the same quotes by every server that needs no package',
  { skip: await reasonToSkipC() },
  async (t) => {
    const rows = ['outcry', 'uws-publish', 'ws', 'c-joined'];
    const cases = ['list-1000', 'one-1000'];
    const size = ['--shrink', '50', '--ticks-min', '4', '--ticks-max', '4', '--made-up-instruments', '20'];
    const report = await bench(t as Tap, 'compare', ...size, '--only', cases.join(','), '--rows', rows.join(','));
    for (const ofCase of cases) {
      for (const impl of rows) t.ok(value(report.rows, impl, ofCase, 'cpu_s_per_million')! > 0, `${impl} ${ofCase}`);
      t.equal(value(report.rows, 'ws', ofCase, 'quotes_per_frame'), 1);
    }
    t.equal(value(report.rows, 'c-joined', 'list-1000', 'quotes_per_frame'), 10);
  },
);

await t.test('wire: bytes and reading in every mode, the same bytes for the same seed', async (t) => {
  const size = ['--rates', '2000', '--connections', '10', '--seconds', '1', '--made-up-instruments', '50'];
  const { rows } = await bench(t as Tap, 'wire', ...size, '--round-ms', '10');
  const again = (await bench(t as Tap, 'wire', ...size, '--round-ms', '10')).rows;
  for (const mode of ['ltp', 'quote', 'full']) {
    const bytes = value(rows, 'outcry', `${mode}-2000`, 'bytes_per_change_mean');
    t.ok(bytes! > 0, mode);
    t.equal(value(again, 'outcry', `${mode}-2000`, 'bytes_per_change_mean'), bytes, mode);
    t.ok(value(rows, 'outcry', `${mode}-2000`, 'decoded_per_s')! > 0, mode);
  }
  t.ok(value(rows, 'baseline', 'ltp-2000', 'bytes_per_change')! > 0, 'JSON');
});

await t.test('tls: frames over every transport there is', async (t) => {
  const { rows } = await bench(t as Tap, 'tls', '--connections', '20', '--seconds', '1', '--warmup-seconds', '1');
  for (const impl of hasNginx() ? ['baseline', 'outcry', 'nginx'] : ['baseline', 'outcry'])
    t.ok(value(rows, impl, '20x20-quote-100ms', 'frames_per_s')! > 0, impl);
});

await t.test('capacity: unit costs, and what they say of loads they were not fitted to', async (t) => {
  const size = ['--loads', '3', '--scale', '2', '--seconds', '1', '--warmup-seconds', '1'];
  const { rows } = await bench(t as Tap, 'capacity', ...size);
  // In a moment that short an update may cost nothing: costs are never below that.
  t.ok(value(rows, 'outcry', 'unit-costs', 'cpu_feed_update')! >= 0);
  t.equal(rows.filter(({ metric }) => /^check-.*_cores$/.test(metric)).length, 1);
});

// These wait for timers more than they work: side by side they take a third of the time.
t.jobs = 3;
const sideBySide = { buffered: true };
for (const mode of ['quote', 'full']) {
  const title = `fanout, mode ${mode}: nobody is disconnected and every last state equals the board`;
  t.test(title, sideBySide, async (t) => {
    const size = ['--connections', '50', '--symbols', '5', '--rate', '2000', '--made-up-instruments', '50'];
    const time = ['--seconds', '1', '--warmup-seconds', '1'];
    const { rows } = await bench(t as Tap, 'fanout', ...size, ...time, '--mode', mode);
    const ofCase = `50x5-${mode}-100ms`;
    t.equal(value(rows, 'outcry', ofCase, 'disconnects'), 0);
    t.equal(value(rows, 'outcry', ofCase, 'states_checked'), 50 * 5);
    t.equal(value(rows, 'outcry', ofCase, 'states_wrong'), 0);
    t.ok(value(rows, 'outcry', ofCase, 'quotes_per_s')! > 0, 'quotes came');
    t.ok(value(rows, 'outcry', ofCase, 'latency_p99')! > 0, 'latencies were told');
    t.ok(value(rows, 'baseline', ofCase, 'server_rss')! > 0, 'the idle engine was measured');
  });
}

t.test('soak: windows of latency, growth of memory, and every quote right at the end', sideBySide, async (t) => {
  const size = ['--connections', '20', '--symbols', '5', '--rate', '2000', '--made-up-instruments', '50'];
  const time = ['--seconds', '4', '--window-seconds', '2', '--warmup-seconds', '1'];
  const { rows } = await bench(t as Tap, 'soak', ...size, ...time);
  t.equal(value(rows, 'outcry', '20x5-4s', 'disconnects'), 0);
  t.equal(value(rows, 'outcry', '20x5-4s', 'states_checked'), 20 * 5);
  t.equal(value(rows, 'outcry', '20x5-4s', 'states_wrong'), 0);
  t.ok(value(rows, 'outcry', '20x5-4s', 'p99_last_by_first')! > 0, 'the last window by the first');
  t.not(value(rows, 'outcry', '20x5-4s', 'rss_slope'), undefined);
});

t.test('soak in trouble: whoever lost a connection in a drill has everything again', sideBySide, async (t) => {
  const size = ['--connections', '20', '--symbols', '5', '--rate', '2000', '--made-up-instruments', '50'];
  const time = ['--seconds', '6', '--window-seconds', '3', '--warmup-seconds', '1'];
  const trouble = ['--trouble', '--troublemakers', '6', '--drill-seconds', '4'];
  const { rows } = await bench(t as Tap, 'soak', ...size, ...time, ...trouble);
  const ofCase = '20x5-6s-trouble';
  t.ok(value(rows, 'outcry', ofCase, 'drills')! >= 1, 'a worker threw');
  t.ok(value(rows, 'outcry', ofCase, 'lost_in_drills')! >= 20, 'the only worker had them all');
  t.ok(value(rows, 'outcry', ofCase, 'away_max')! > 0, 'and it took them a while');
  t.equal(value(rows, 'outcry', ofCase, 'disconnects'), 0);
  t.equal(value(rows, 'outcry', ofCase, 'states_checked'), 20 * 5);
  t.equal(value(rows, 'outcry', ofCase, 'states_wrong'), 0);
  t.ok(total(rows, 'actions_') > 0, 'trouble was made');
});

t.test('hostile: trouble of every kind harms nobody else', sideBySide, async (t) => {
  const size = ['--connections', '20', '--hostile', '38', '--symbols', '5', '--rate', '2000'];
  const time = ['--seconds', '3', '--warmup-seconds', '3', '--made-up-instruments', '50'];
  const { rows } = await bench(t as Tap, 'hostile', ...size, ...time);
  const ofCase = '38-beside-20';
  for (const [impl, connections] of Object.entries({ baseline: 58, outcry: 20 })) {
    t.equal(value(rows, impl, ofCase, 'disconnects'), 0, impl);
    t.equal(value(rows, impl, ofCase, 'states_checked'), connections * 5, impl);
    t.equal(value(rows, impl, ofCase, 'states_wrong'), 0, impl);
  }
  t.ok(value(rows, 'outcry', ofCase, 'p99_by_baseline')! > 0, 'one by the other');
  for (const kind of ALL_TROUBLE) t.ok(value(rows, 'outcry', ofCase, `actions_${kind}`) !== undefined, kind);
  // On a busy machine not every kind may have had its turn.
  t.ok(total(rows, 'actions_') > 0, 'trouble was made');
  t.ok(total(rows, 'closed_') > 0, 'and the server ended some of it');
});

t.test('storm: everybody who comes is served, and every last state equals the board', sideBySide, async (t) => {
  const size = ['--others', '20', '--clients', '100', '--within-seconds', '1', '--symbols', '5', '--rate', '2000'];
  const { rows } = await bench(t as Tap, 'storm', ...size, '--seconds', '1', '--made-up-instruments', '50');
  const ofCase = '100-in-1s-beside-20';
  t.ok(value(rows, 'outcry', ofCase, 'all_served')! > 0, 'served');
  t.ok(value(rows, 'outcry', ofCase, 'others_p99')! > 0, 'the others were measured');
  t.equal(value(rows, 'outcry', ofCase, 'disconnects'), 0);
  t.equal(value(rows, 'outcry', ofCase, 'states_checked'), 120 * 5);
  t.equal(value(rows, 'outcry', ofCase, 'states_wrong'), 0);
});

t.test('tick-to-socket: latencies from the bytes and from the exchange', sideBySide, async (t) => {
  const { rows } = await bench(t as Tap, 'tick-to-socket', '--connections', '2', '--ticks', '0', '--seconds', '1');
  t.equal(value(rows, 'outcry', '2-clients-tick-0ms', 'states_wrong'), 0);
  t.ok(value(rows, 'outcry', '2-clients-tick-0ms', 'arrival_to_client_p50')! > 0, 'from arrival');
  t.ok(value(rows, 'outcry', '2-clients-tick-0ms', 'exchange_to_client_p50')! > 0, 'from the exchange');
  t.ok(value(rows, 'baseline', '2-clients-tick-0ms', 'arrival_to_client_p50')! > 0, 'through nothing');
});

t.test('orders: all accepted and filled, alone and beside one that is noisy', sideBySide, async (t) => {
  const size = ['--accounts', '20', '--in-flight', '10', '--rate', '50', '--others-rate', '20', '--noisy-rate', '20'];
  const time = ['--seconds', '1', '--warmup-seconds', '1', '--made-up-instruments', '20'];
  const { rows } = await bench(t as Tap, 'orders', ...size, ...time);
  for (const ofCase of ['throughput', 'latency-50']) {
    for (const impl of ['outcry', 'baseline']) {
      t.equal(value(rows, impl, ofCase, 'accepted'), 100, `${impl} ${ofCase}`);
      t.equal(value(rows, impl, ofCase, 'filled'), 100, `${impl} ${ofCase}`);
      t.ok(value(rows, impl, ofCase, 'fill_p99')! > 0, `${impl} ${ofCase}`);
    }
    t.equal(value(rows, 'outcry', ofCase, 'alarms'), 0);
    for (const name of ['engine', 'postgres', 'exchange', 'load', 'thread_orders'])
      t.ok(value(rows, 'outcry', ofCase, `cpu_${name}`)! >= 0, `${ofCase}: CPU of ${name}`);
  }
  t.equal(value(rows, 'outcry', 'noisy-neighbour', 'noisy_orders_per_s'), 20);
  t.ok(value(rows, 'outcry', 'noisy-neighbour', 'pending_p99_ratio')! > 0);
});
