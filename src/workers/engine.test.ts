/** The whole product as its users start it: processes, real FIX between them, WebSocket clients, and what each failure gives. */
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { WebSocket } from 'ws';
import { OutcryClient, type WebSocketLike } from '../client/outcry-client.ts';
import type { QuoteDecoder } from '../client/quote-decoder.ts';
import { QUOTE_FIELD_COUNT, QuoteField } from '../core/fan-out/wire.ts';
import { STALE_MASK } from '../core/market-data/quote-board.ts';
import { askControl } from '../net/control-socket.ts';
import { CLI, kill, newDataDir, processesOf, Running, until } from './testing/running.ts';

t.setTimeout(300_000);
if (process.platform !== 'linux') t.plan(0, 'processes are found by /proc, which is Linux');

async function httpStatus(url: string): Promise<number> {
  const reply = await fetch(url).catch(() => undefined);
  await reply?.arrayBuffer().catch(() => undefined);
  return reply?.status ?? 0;
}

/** A plain WebSocket client of the JSON protocol that counts what it gets. */
class JsonClient {
  readonly socket: WebSocket;
  quotes = 0;
  closed = false;
  last: { symbol: string; ltp: number; change: number; timestamp: number } | undefined;

  constructor(url: string, symbols: readonly string[]) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
    this.socket.on('open', () => this.socket.send(JSON.stringify({ action: 'subscribe', symbols })));
    this.socket.on('message', (data) => {
      const message = JSON.parse(String(data));
      for (const quote of Array.isArray(message) ? message : [message]) {
        this.quotes++;
        this.last = quote;
      }
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  /** Resolves when at least one more quote came. */
  async more(what: string): Promise<void> {
    const before = this.quotes;
    await until(() => this.quotes > before, `quotes ${what}`);
  }

  close(): void {
    this.socket.terminate();
  }
}

/** A raw TCP connection that upgrades, subscribes and is never read again, like a client whose machine froze. */
async function frozenClient(url: string, symbols: readonly string[]): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(
    'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await once(socket, 'data');
  socket.pause();
  const payload = Buffer.from(JSON.stringify({ action: 'subscribe', symbols }));
  const frame = Buffer.alloc(8 + payload.length);
  frame.set([0x81, 0x80 | 126, payload.length >> 8, payload.length & 0xff], 0);
  frame.set(payload, 8);
  socket.on('error', () => {});
  socket.write(frame);
  return socket;
}

async function sendGarbage(port: number, garbage: Buffer): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  socket.end(garbage);
  await Promise.race([once(socket, 'close'), new Promise((resolve) => setTimeout(resolve, 2_000))]);
  socket.destroy();
}

t.test('one engine through what can befall it', { timeout: 180_000 }, async (t) => {
  const dataDir = newDataDir(t);
  const running = await new Running(dataDir).ready();
  const { url } = running;
  const first = await running.status();
  const client = new JsonClient(url, ['RELIANCE', 'TCS', 'INFY', 'HDFCBANK']);
  t.teardown(() => client.close());

  await t.test('ready: one line, quotes flow to a plain WebSocket client', async (t) => {
    t.match(running.stdout, /^Outcry is ready: http:\/\/127\.0\.0\.1:\d+ \(93 instruments, ready in \d+\.\d s\)\n$/);
    await client.more('after the start');
    t.ok(client.last && client.last.ltp > 0 && client.last.timestamp > 1.7e12, JSON.stringify(client.last));
    t.equal(await httpStatus(`${url}/readyz`), 200);
    t.equal(await httpStatus(`${url}/healthz`), 200);
    t.equal(first.feed.subscribed, 93);
    t.equal(first.feed.stale, 0);
  });

  await t.test('the command line sees the same', async (t) => {
    const quotes = new Running(dataDir, [
      CLI,
      'quotes',
      'RELIANCE',
      'NOSUCH',
      '--json',
      '-n',
      '3',
      '--url',
      `${url.replace('http', 'ws')}/ws`,
    ]);
    t.equal(await quotes.ended(), 0, quotes.stderr);
    const lines = quotes.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    t.equal(lines.length, 3);
    t.ok(
      lines.every(({ symbol, lastPaise }) => symbol === 'RELIANCE' && lastPaise > 0),
      quotes.stdout,
    );
    t.equal(quotes.stderr, 'not listed: NOSUCH\n');
    const status = new Running(dataDir, [CLI, 'status']);
    t.equal(await status.ended(), 0);
    t.match(status.stdout, /^ready\nurl +http:.*\nsupervisor +pid \d+.*\nengine +pid \d+, 0 restarts\n/);
    const drill = new Running(dataDir, [CLI, 'drill', 'throw', 'fan-out-9']);
    t.equal(await drill.ended(), 4);
    t.match(drill.stderr, 'there is no worker fan-out-9; there are feed, fan-out-0, fan-out-1');
  });

  await t.test('a second start on the data directory is refused, naming the owner', async (t) => {
    const second = new Running(dataDir);
    t.equal(await second.ended(), 4);
    t.match(second.stderr, `Outcry already runs on ${dataDir}, as process ${first.pid}`);
    t.equal(second.stdout, '');
  });

  await t.test('a port in use is told at once, and nothing stays', async (t) => {
    const other = newDataDir(t);
    const second = new Running(other, [CLI, 'start'], { OUTCRY_PORT: new URL(url).port });
    t.equal(await second.ended(), 1);
    t.match(second.stderr, /another program listens there \(settings host and port\)/);
    t.same(processesOf(other), []);
    t.notOk(existsSync(join(other, 'outcry.lock')));
  });

  await t.test('garbage on the FIX, HTTP and WebSocket port harms nobody', async (t) => {
    const noise = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 2_654_435_761) >>> 24));
    const frames = Buffer.concat([
      Buffer.from(
        'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      ),
      noise,
    ]);
    await sendGarbage(first.venue.port, noise);
    await sendGarbage(first.venue.port, Buffer.from('8=FIX.4.4\u00019=5\u000135=A\u000110=000\u0001'));
    await sendGarbage(Number(new URL(url).port), noise);
    await sendGarbage(Number(new URL(url).port), frames);
    await client.more('after the garbage');
    const now = await running.status();
    t.same(now.processes, first.processes, 'no process was replaced');
    t.same(
      now.health.workers.map((worker) => worker.generation),
      [1, 1, 1, 1],
      'no worker was replaced',
    );
  });

  await t.test('a frozen client, half open for ever, stalls nobody', async (t) => {
    const listed = (await (await fetch(`${url}/instruments.json`)).json()) as { symbol: string }[];
    const symbols = listed.map(({ symbol }) => symbol).slice(0, 60);
    const frozen = await Promise.all(Array.from({ length: 8 }, () => frozenClient(url, symbols)));
    t.teardown(() => {
      for (const socket of frozen) socket.destroy();
    });
    for (let i = 0; i < 10; i++) await client.more('beside frozen clients');
    const late = new JsonClient(url, ['RELIANCE']);
    await late.more('for one who came later');
    late.close();
    t.same((await running.status()).processes, first.processes);
  });

  await t.test('the simulator is killed: quotes are stale, the engine goes on and recovers', async (t) => {
    let staleSeen = false;
    let freshAgain = false;
    const binary: OutcryClient = new OutcryClient({
      url: `${url.replace('http', 'ws')}/ws`,
      webSocket: WebSocket as unknown as new (url: string, protocols: string[]) => WebSocketLike,
      onQuotes(decoder: QuoteDecoder) {
        for (let i = 0; i < decoder.changedCount; i++) {
          const flags = decoder.fields[decoder.changed[i]! * QUOTE_FIELD_COUNT + QuoteField.Flags]!;
          if ((flags & STALE_MASK) !== 0) staleSeen = true;
          else if (staleSeen) freshAgain = true;
        }
      },
    });
    t.teardown(() => binary.close());
    await binary.subscribe(['RELIANCE'], 'quote');
    process.kill(first.processes.exchange.pid, 'SIGKILL');
    await until(async () => (await httpStatus(`${url}/readyz`)) === 503, '/readyz to tell that the feed is down');
    t.equal(await httpStatus(`${url}/healthz`), 200, 'the engine itself is well');
    await until(() => staleSeen, 'the quote marked stale');
    const after = await running.statusWhen((status) => status.ready && status.feed.stale === 0, 'the recovery');
    t.equal(after.processes.engine.pid, first.processes.engine.pid, 'the engine went on');
    t.not(after.processes.exchange.pid, first.processes.exchange.pid);
    t.equal(after.processes.exchange.restarts, 1);
    t.equal(after.venue.port, first.venue.port, 'on the same port');
    t.equal(await httpStatus(`${url}/readyz`), 200);
    await until(() => freshAgain, 'the quote fresh again');
    await client.more('after the simulator came back');
    t.notOk(client.closed, 'on the same connection');
  });

  await t.test('a fan-out worker throws: it is replaced, others go on, its clients come back', async (t) => {
    const clients = Array.from({ length: 24 }, () => new JsonClient(url, ['RELIANCE']));
    t.teardown(() => {
      for (const each of clients) each.close();
    });
    await until(() => clients.every((each) => each.quotes > 0), 'every client');
    await askControl(dataDir, { type: 'drill', kind: 'throw', worker: 'fan-out-0' });
    await until(() => clients.some((each) => each.closed), 'its connections to close');
    await running.statusWhen(
      ({ health }) => health.workers.some(({ worker, generation }) => worker === 'fan-out-0' && generation === 2),
      'the replacement',
    );
    const others = clients.filter((each) => !each.closed);
    t.ok(others.length > 0, `${others.length} of ${clients.length} connections were the other worker's`);
    await Promise.all(others.map((each) => each.more('at the other worker')));
    const back = Array.from({ length: 24 }, () => new JsonClient(url, ['TCS']));
    await until(() => back.every((each) => each.quotes > 0), 'clients that came back');
    for (const each of back) each.close();
    t.equal((await running.status()).processes.engine.pid, first.processes.engine.pid, 'in the same process');
  });

  await t.test('the feed worker throws: it is replaced, and clients keep their connections', async (t) => {
    const own = new JsonClient(url, ['INFY']);
    await own.more('before');
    await askControl(dataDir, { type: 'drill', kind: 'throw', worker: 'feed' });
    await running.statusWhen(
      ({ ready, health, feed }) =>
        ready &&
        feed.stale === 0 &&
        health.workers.some(({ worker, generation }) => worker === 'feed' && generation === 2),
      'the new feed',
    );
    await own.more('from the new feed');
    t.notOk(own.closed);
    own.close();
  });

  await t.test('an instrument listed while running is taken in', async (t) => {
    const more = join(dataDir, 'more.json');
    writeFileSync(more, JSON.stringify(listing('OUTCRYNEW')));
    const add = new Running(dataDir, [CLI, 'instruments', 'add', more]);
    t.equal(await add.ended(), 0, add.stderr);
    t.match(add.stdout, /1 added, 0 replaced, 94 in all\nthe running engine has 94 instruments\n$/);
    await running.statusWhen(({ feed }) => feed.subscribed === 94, 'its snapshot');
    const own = new JsonClient(url, ['OUTCRYNEW']);
    await own.more('of the new instrument');
    t.equal(own.last?.symbol, 'OUTCRYNEW');
    own.close();
  });

  await t.test('a worker hangs: the process is ended and another is ready', async (t) => {
    await askControl(dataDir, { type: 'drill', kind: 'hang', worker: 'fan-out-1' });
    const after = await running.statusWhen(
      ({ ready, processes }) => ready && processes.engine.restarts === 1,
      'another engine',
    );
    t.not(after.processes.engine.pid, first.processes.engine.pid);
    t.equal(after.url, first.url, 'at the same address');
    const own = new JsonClient(url, ['RELIANCE']);
    await own.more('of the new process');
    own.close();
    t.equal(running.stdout.split('\n').length, 2, 'the ready line is told once');
  });

  await t.test('SIGTERM: it ends with 0 and leaves no process, lock or socket', async (t) => {
    running.child.kill('SIGTERM');
    running.child.kill('SIGTERM');
    t.equal(await running.ended(), 0);
    t.same(processesOf(dataDir), []);
    t.notOk(existsSync(join(dataDir, 'outcry.lock')));
    t.notOk(existsSync(join(dataDir, 'outcry.sock')));
    t.equal(running.stderr, '');
    for (const line of readFileSync(join(dataDir, 'outcry.log'), 'utf8').trim().split('\n')) JSON.parse(line);
  });
});

t.test(
  'kill -9 of the supervisor leaves nothing behind, and the next start takes over',
  { timeout: 180_000 },
  async (t) => {
    const dataDir = newDataDir(t);
    const running = await new Running(dataDir).ready();
    const { processes } = await running.status();
    // An engine that hangs cannot see its channel close: the kernel must end it.
    if (existsSync('/usr/bin/setpriv')) process.kill(processes.engine.pid, 'SIGSTOP');
    running.child.kill('SIGKILL');
    await until(() => processesOf(dataDir).length === 0, 'every process to end');
    t.pass('no process is left');
    const again = await new Running(dataDir).ready();
    t.match(again.stdout, /ready/);
    again.child.kill('SIGINT');
    t.equal(await again.ended(), 0);
  },
);

t.test('kill -9 of npm, which started it, leaves nothing behind', { timeout: 180_000 }, async (t) => {
  const dataDir = newDataDir(t);
  const parent = `
    const { spawn } = require('node:child_process');
    spawn(process.execPath, [${JSON.stringify(CLI)}, 'start'], { stdio: 'inherit' });
    setInterval(() => {}, 1000);`;
  const running = await new Running(dataDir, ['-e', parent]).ready();
  t.ok(processesOf(dataDir).length >= 4);
  running.child.kill('SIGKILL');
  await until(() => processesOf(dataDir).length === 0, 'every process to end');
  t.pass('no process is left');
});

t.test('an engine that hangs whole is killed and replaced', { timeout: 180_000 }, async (t) => {
  const dataDir = newDataDir(t);
  const running = await new Running(dataDir).ready();
  const { processes } = await running.status();
  process.kill(processes.engine.pid, 'SIGSTOP');
  const after = await running.statusWhen(
    (status) => status.ready && status.processes.engine.restarts === 1,
    'another engine',
  );
  t.not(after.processes.engine.pid, processes.engine.pid);
  running.child.kill('SIGTERM');
  t.equal(await running.ended(), 0);
  t.same(processesOf(dataDir), []);
});

t.test('a crash loop ends with an error instead of going on for ever', { timeout: 180_000 }, async (t) => {
  const dataDir = newDataDir(t);
  const running = await new Running(dataDir).ready();
  let killed = 0;
  await until(async () => {
    const pid = (await running.status().catch(() => undefined))?.processes.engine.pid;
    if (pid && pid !== killed) {
      killed = pid;
      kill(pid, 'SIGKILL');
    }
    return running.child.exitCode !== null;
  }, 'the supervisor to give up');
  t.equal(running.child.exitCode, 1);
  t.match(running.stderr, /the engine died 5 times within a minute; last: it ended by SIGKILL/);
  t.same(processesOf(dataDir), []);
});

t.test('the bundled exchange asks for the password that the engine has', { timeout: 180_000 }, async (t) => {
  const dataDir = newDataDir(t);
  const login = { OUTCRY_VENUE_USERNAME: 'DESK', OUTCRY_VENUE_PASSWORD: 'open sesame', OUTCRY_LOG_LEVEL: 'debug' };
  const running = await new Running(dataDir, undefined, login).ready();
  const { venue } = await running.status();
  const socket = connect(venue.port, '127.0.0.1');
  await once(socket, 'connect');
  const time = new Date().toISOString().replaceAll('-', '').replace('T', '-').slice(0, -1);
  const body = `35=A|49=ELSE|56=EXCHANGE|34=1|52=${time}|98=0|108=30|553=DESK|554=guess|`.replaceAll('|', '\u0001');
  const head = `8=FIX.4.4\u00019=${body.length}\u0001${body}`;
  const sum = Buffer.from(head).reduce((total, byte) => total + byte, 0) % 256;
  socket.write(`${head}10=${String(sum).padStart(3, '0')}\u0001`);
  const [answer] = await once(socket, 'data');
  socket.destroy();
  t.match(String(answer).replaceAll('\u0001', '|'), /\|35=5\|.*not accepted/, 'who has not the password is refused');
  running.child.kill('SIGINT');
  await until(() => running.child.exitCode !== null, 'the end');
  const log = readFileSync(join(dataDir, 'outcry.log'), 'utf8');
  t.match(log, /logged on to the exchange/);
  t.notMatch(log + running.stdout + running.stderr, /sesame|guess/, 'no password is in the log');
});

t.test('what cannot start says why, and nothing was started', { timeout: 180_000 }, async (t) => {
  const cases: readonly [Record<string, string>, number, RegExp][] = [
    [
      { OUTCRY_TICK_MS: 'soon' },
      2,
      /^outcry: a setting is wrong: OUTCRY_TICK_MS is "soon"; allowed is a whole number from 0 to 10000\n$/,
    ],
    [{ OUTCRY_HSOT: '::1' }, 2, /OUTCRY_HSOT, which is no setting; do you mean OUTCRY_HOST\?/],
    [{ OUTCRY_INSTRUMENTS: '/nowhere/master.json' }, 4, /\/nowhere\/master\.json is not there/],
    [{ OUTCRY_INSTRUMENT_CAPACITY: '64' }, 4, /the capacity is 64/],
    [{ OUTCRY_VENUE: '127.0.0.1:1' }, 4, /the setting instruments names its master/],
  ];
  for (const [more, code, text] of cases) {
    const dataDir = newDataDir(t);
    const running = new Running(dataDir, [CLI, 'start'], more);
    t.equal(await running.ended(), code, JSON.stringify(more));
    t.match(running.stderr, text);
    t.equal(running.stdout, '');
    t.same(processesOf(dataDir), []);
  }
});

t.test('a venue that does not answer: not ready, alive, and ended by SIGINT', { timeout: 180_000 }, async (t) => {
  const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => silent.close());
  const address = silent.address();
  const venue = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const dataDir = newDataDir(t);
  const master = join(dataDir, 'master.json');
  writeFileSync(master, JSON.stringify(listing('LONELY')));
  const running = new Running(dataDir, [CLI, 'start'], { OUTCRY_VENUE: venue, OUTCRY_INSTRUMENTS: master });
  const status = await running.statusWhen(
    ({ health }) => health?.workers.every(({ generation }) => generation > 0),
    'the workers',
  );
  t.equal(status.ready, false);
  t.equal(status.processes.exchange, null, 'no simulator beside a venue');
  await until(async () => (await httpStatus(`${status.url}/readyz`)) === 503, '/readyz to answer');
  t.equal(await httpStatus(`${status.url}/healthz`), 200);
  running.child.kill('SIGINT');
  t.equal(await running.ended(), 0);
  t.equal(running.stdout, '', 'it never said that it was ready');
  t.same(processesOf(dataDir), []);
});

function listing(symbol: string): object {
  const version = {
    from: '2026-01-01',
    symbol,
    name: `${symbol} Limited`,
    isin: 'INE999A01011',
    tickPaise: 5,
    lotSize: 1,
    priceBandBps: 2_000,
    freezeQuantity: 100_000,
    previousClosePaise: 50_000,
  };
  const instrument = { instrumentId: 900_001, kind: 'equity', delistedOn: null, versions: [version] };
  return { format: 'outcry-instruments/1', source: 'a test', instruments: [instrument] };
}
