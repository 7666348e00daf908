/** The command line as a shell sees it: what it prints where, and its exit codes. */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, closeSync, constants, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { environmentName, SETTING_NAMES } from './net/settings.ts';
import { testAuthority } from './net/testing/test-certificate.ts';

const CLI = fileURLToPath(new URL('./cli.js', import.meta.url));

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function outcry(args: readonly string[], cwd: string, environment: Record<string, string> = {}): Promise<Result> {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('OUTCRY_'));
  const env = { ...Object.fromEntries(clean), ...environment };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

// Each command is a process of its own, and the machine may be busy.
t.setTimeout(300_000);

t.test('--help everywhere, with examples', async (t) => {
  const cwd = t.testdir();
  const commands = [
    [],
    ['start'],
    ['exchange', 'run'],
    ['exchange', 'record'],
    ['status'],
    ['config'],
    ['instruments', 'list'],
    ['instruments', 'add'],
    ['instruments', 'check'],
    ['quotes'],
    ['drill'],
    ['doctor'],
    ['user', 'create'],
    ['user', 'deposit'],
    ['user', 'withdraw'],
    ['user', 'freeze'],
    ['user', 'unfreeze'],
    ['token'],
    ['simulate'],
    ['capacity'],
  ];
  const results = await Promise.all(commands.map((command) => outcry([...command, '--help'], cwd)));
  for (const [i, { code, stdout, stderr }] of results.entries()) {
    const name = commands[i]?.join(' ') || 'outcry';
    t.equal(code, 0, name);
    t.match(stdout, /^Usage: outcry/, name);
    t.match(stdout, /Examples:\n {2}\S/, `${name} has examples`);
    t.equal(stderr, '');
  }
  t.match(results[0]?.stdout, /Exit codes:/);
  for (const setting of SETTING_NAMES) t.ok(results[5]?.stdout.includes(environmentName(setting)), setting);
});

t.test('wrong usage is exit code 2 and says what is wrong', async (t) => {
  const cwd = t.testdir({ 'outcry.toml': 'tick_ms = -5\n' });
  const cases: readonly [readonly string[], RegExp][] = [
    [['strat'], /unknown command 'strat'/],
    [['start', '--fast'], /unknown option '--fast'/],
    [['drill', 'melt', 'feed'], /Allowed choices are throw, hang/],
    [['exchange', '--port', '70000'], /whole number from 0 to 65535/],
    [['quotes'], /missing required argument 'symbol'/],
    [['user', 'create', '--user-id', '9007199254740992'], /whole number from 1 to 9007199254740991/],
    [['user', 'create', '--user-id', '0'], /whole number from 1/],
    [['user', 'deposit', '--user-id', '1', '--amount', '1.005'], /at most two decimals/],
    [['user', 'deposit', '--user-id', '1', '--amount', '-5'], /at most two decimals/],
    [['token', '--user-id', '1', '--ttl', '31d'], /a time from 1s to 30d/],
    [['config'], /tick_ms in .*outcry\.toml is -5; allowed is a whole number from 0 to 10000/],
    [['start', '--config', 'none.toml'], /none\.toml cannot be read/],
  ];
  const results = await Promise.all(cases.map(([args]) => outcry(args, cwd)));
  for (const [i, { code, stdout, stderr }] of results.entries()) {
    const [args, text] = cases[i]!;
    t.equal(code, 2, args.join(' '));
    t.match(stderr, text);
    t.equal(stdout, '');
  }
});

t.test('a reader who has gone ends a command quietly', async (t) => {
  const cwd = t.testdir();
  const fifo = join(cwd, 'fifo');
  execFileSync('mkfifo', [fifo]);
  for (const args of [['config', '--json'], ['--help']]) {
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(fifo, 'w');
    closeSync(reader);
    const child = spawn(process.execPath, [CLI, ...args], { cwd, stdio: ['ignore', writer, 'pipe'] });
    closeSync(writer);
    let stderr = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const [code] = await once(child, 'close');
    t.equal(code, 141, 'as by SIGPIPE');
    t.equal(stderr, '');
  }
});

t.test('version and configuration', async (t) => {
  const cwd = t.testdir({ 'desk.toml': 'port = 9100\n' });
  t.match((await outcry(['--version'], cwd)).stdout, /^\d+\.\d+\.\d+\n$/);
  const json = JSON.parse(
    (await outcry(['--config', 'desk.toml', 'config', '--json'], cwd, { OUTCRY_PHASES: '4' })).stdout,
  );
  t.same(Object.keys(json), SETTING_NAMES);
  t.same(json.port, { value: 9_100, source: join(cwd, 'desk.toml') });
  t.same(json.phases, { value: 4, source: 'OUTCRY_PHASES' });
  t.match((await outcry(['config'], cwd)).stdout, /^port = 9001 +# default$/m);
});

t.test('without a running engine: exit code 3', async (t) => {
  const cwd = t.testdir();
  for (const args of [
    ['status'],
    ['status', '--json'],
    ['drill', 'throw', 'feed'],
    ['user', 'create', '--user-id', '1'],
    ['quotes', 'RELIANCE', '--url', 'ws://127.0.0.1:1/ws'],
  ]) {
    const { code, stderr, stdout } = await outcry(args, cwd);
    t.equal(code, 3, args.join(' '));
    t.match(stderr, /^outcry: no engine runs on this data directory: /);
    t.equal(stdout, '');
  }
});

t.test('a token: signed by the secret of the data directory, which a start makes', async (t) => {
  const cwd = t.testdir({ data: {} });
  const token = ['token', '--user-id', '42', '--json'];
  const none = await outcry(token, cwd);
  t.match(none, { code: 2, stderr: /token-secret is not there; the first `outcry start`/ });
  t.match(await outcry(token, cwd, { OUTCRY_DATA_DIR: 'nowhere' }), { code: 2, stderr: /there is no data directory/ });
  const { code, stdout, stderr } = await outcry(token, cwd, { OUTCRY_TOKEN_SECRET: 'x'.repeat(32) });
  t.equal(code, 0, stderr);
  t.match(JSON.parse(stdout), { userId: 42, token: /^[\w-]+\.[\w-]+\.[\w-]+$/, expiresAt: /^\d{4}-/ });
});

t.test('the instrument master', async (t) => {
  const cwd = t.testdir({
    'bad.json': '{"format":"outcry-instruments/1","source":"x","instruments":[{"instrumentId":0}]}',
  });
  const bad = await outcry(['instruments', 'check', 'bad.json'], cwd);
  t.equal(bad.code, 4);
  t.match(bad.stderr, /instruments\[0\]\.instrumentId must be a whole number/);
  t.equal((await outcry(['instruments', 'check', 'none.json'], cwd)).code, 4);

  const master = (instrumentId: number, symbol: string): string => {
    const facts = {
      name: symbol,
      isin: 'INE999A01011',
      tickPaise: 5,
      lotSize: 1,
      priceBandBps: null,
      freezeQuantity: 10,
    };
    const version = { from: '2026-01-01', symbol, ...facts, previousClosePaise: 50_000 };
    const entry = { instrumentId, kind: 'equity', delistedOn: null, versions: [version] };
    return JSON.stringify({ format: 'outcry-instruments/1', source: 'a test', instruments: [entry] });
  };
  writeFileSync(join(cwd, 'one.json'), master(1, 'ONE'));
  writeFileSync(join(cwd, 'two.json'), master(2, 'TWO'));
  writeFileSync(join(cwd, 'clash.json'), master(3, 'ONE'));
  const environment = { OUTCRY_INSTRUMENTS: 'master.json' };
  t.match((await outcry(['instruments', 'add', 'one.json'], cwd, environment)).stdout, /1 added, 0 replaced, 1 in all/);
  t.match((await outcry(['instruments', 'add', 'two.json'], cwd, environment)).stdout, /1 added, 0 replaced, 2 in all/);
  t.match((await outcry(['instruments', 'add', 'two.json'], cwd, environment)).stdout, /0 added, 1 replaced, 2 in all/);
  const clash = await outcry(['instruments', 'add', 'clash.json'], cwd, environment);
  t.equal(clash.code, 4, 'what is right alone may clash with what is there');
  t.match(clash.stderr, /"ONE"/);
  const list = await outcry(['instruments', 'list', '--json'], cwd, environment);
  t.match(JSON.parse(list.stdout), [
    { instrumentId: 1, symbol: 'ONE' },
    { instrumentId: 2, symbol: 'TWO' },
  ]);
  t.same(
    JSON.parse((await outcry(['instruments', 'list', '--json', '--date', '2025-12-31'], cwd, environment)).stdout),
    [],
  );
});

t.test('capacity: a table beside the brief, or JSON; numbers as people write them', async (t) => {
  const cwd = t.testdir();
  const size = ['--users', '10M', '--symbols', '20', '--frames-per-second', '10', '--updates', '100k', '--node', '4c'];
  const table = await outcry(['capacity', ...size], cwd);
  t.equal(table.code, 0, table.stderr);
  t.match(table.stdout, /^nodes +[\d,]+ +1,000$/m);
  t.match(table.stdout, /^total a month +\$[\d,]+ +\$177,456$/m);
  const json = JSON.parse((await outcry(['capacity', ...size, '--json'], cwd)).stdout);
  t.match(json, { load: { users: 10_000_000, updatesPerSecond: 100_000, tls: false }, node: { cores: 4 } });
  t.ok(json.plan.nodes > 1 && json.measured.checks.length === 3);
  const wrong = await outcry(['capacity', '--node', '4x'], cwd);
  t.equal(wrong.code, 2);
  t.match(wrong.stderr, /4c or 4c16g/);
});

t.test(
  'TLS: the ready line tells wss, the page and `quotes` work over it; without it an open address is warned of',
  async (t) => {
    const { certificate, key } = testAuthority('Test Authority').sign('desk.test');
    const cwd = t.testdir({ 'desk.pem': certificate, 'desk.key': key });
    chmodSync(join(cwd, 'desk.key'), 0o600);
    const environment = { OUTCRY_ORDER_SESSIONS: 'off', OUTCRY_EXCHANGE_INSTRUMENTS: '10', OUTCRY_PORT: '0' };
    const tls = { OUTCRY_TLS: 'true', OUTCRY_TLS_CERT: 'desk.pem', OUTCRY_TLS_KEY: 'desk.key' };
    const engine = spawn(process.execPath, [CLI, 'start'], { cwd, env: { ...process.env, ...environment, ...tls } });
    t.teardown(() => engine.kill('SIGKILL'));
    const [line] = (await once(engine.stdout.setEncoding('utf8'), 'data')) as [string];
    t.match(line, /ready: https:\/\/127\.0\.0\.1:(\d+) \(wss:\/\/127\.0\.0\.1:\1\/ws, /);
    const port = /:(\d+) /.exec(line)![1]!;
    const [page] = await once(get(`https://127.0.0.1:${port}/`, { rejectUnauthorized: false }), 'response');
    t.equal(page.resume().statusCode, 200);
    const quotes = await outcry(['quotes', 'RELIANCE', '-n', '1'], cwd, { ...tls, OUTCRY_PORT: port });
    t.equal(quotes.code, 0, quotes.stderr);
    t.match(quotes.stdout, /^RELIANCE /);
    engine.kill('SIGTERM');
    await once(engine, 'close');

    const open = spawn(process.execPath, [CLI, 'start'], {
      cwd,
      env: { ...process.env, ...environment, OUTCRY_HOST: '0.0.0.0' },
    });
    t.teardown(() => open.kill('SIGKILL'));
    const [warning] = (await once(open.stderr.setEncoding('utf8'), 'data')) as [string];
    t.match(warning, /0\.0\.0\.0 is open to the network without TLS/);
    await once(open.stdout, 'data');
    open.kill('SIGTERM');
    await once(open, 'close');
  },
);

t.test('a recording: two of one seed are the same bytes', async (t) => {
  const cwd = t.testdir();
  const options = ['--seconds', '1', '--rate', '2000', '--made-up', '10', '--seed', '7'];
  const first = await outcry(['exchange', 'record', 'a.rec', ...options, '--json'], cwd);
  t.equal(first.code, 0, first.stderr);
  t.match(JSON.parse(first.stdout), { file: 'a.rec', seconds: 1, instrumentCount: 63 });
  t.equal(first.stderr, '', 'no progress where nobody looks');
  t.match((await outcry(['exchange', 'record', 'b.rec', ...options], cwd)).stdout, /^b\.rec: 1 s, /);
  const digest = (name: string): string =>
    createHash('sha256')
      .update(readFileSync(join(cwd, name)))
      .digest('hex');
  t.equal(digest('a.rec'), digest('b.rec'));
  const wrong = await outcry(['exchange', '--replay', 'none.rec'], cwd);
  t.equal(wrong.code, 4, wrong.stderr);
  t.notOk(existsSync(join(cwd, 'data')), 'no command makes a data directory but start');
});
