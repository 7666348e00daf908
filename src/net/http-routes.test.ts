import uWS from 'uWebSockets.js';
import { once } from 'node:events';
import { request } from 'node:http';
import { createConnection } from 'node:net';
import t from 'tap';
import type { InstrumentRow } from '../core/market-data/instrument-row.ts';
import * as stats from '../core/shm/generated/worker-stats.gen.ts';
import { type EngineView, LOGGED_ON } from './engine-view.ts';
import { type HttpRoutes, mountHttpRoutes } from './http-routes.ts';

function row(instrumentIndex: number, symbol: string, listed = true): InstrumentRow {
  const names = { name: `${symbol} Limited`, kind: 'equity', isin: null } as const;
  const limits = { tickPaise: 5, lotSize: 1, priceBandBps: 2000, freezeQuantity: 1_000, previousClosePaise: 10_000 };
  const facts = { ...names, ...limits };
  return { instrumentIndex, instrumentId: 1_001 + instrumentIndex, symbol, listed, ...facts };
}

function block(words: number): Float64Array {
  return new Float64Array(words / 2);
}

/** An engine with two fan-out workers in which everything is well. */
function healthyView(): EngineView {
  const view: EngineView = {
    engine: block(stats.ENGINE_STATS_STRIDE_WORDS),
    feed: block(stats.FEED_STATS_STRIDE_WORDS),
    orders: undefined,
    fanOut: [block(stats.FAN_OUT_STATS_STRIDE_WORDS), block(stats.FAN_OUT_STATS_STRIDE_WORDS)],
    marketHours: 'always',
  };
  const nowMs = Date.now();
  for (const each of [view.engine, view.feed, ...view.fanOut]) {
    each[stats.FEED_STATS_GENERATION >> 1] = 1;
    each[stats.FEED_STATS_BEAT_MILLIS >> 1] = nowMs;
  }
  view.feed[stats.FEED_STATS_SESSION_STATE >> 1] = LOGGED_ON;
  view.feed[stats.FEED_STATS_SUBSCRIBED >> 1] = 2;
  view.feed[stats.FEED_STATS_LAST_UPDATE_MICROS >> 1] = nowMs * 1_000;
  return view;
}

interface Server {
  readonly port: number;
  readonly routes: HttpRoutes;
  close(): void;
}

async function serve(view: EngineView, publicDir: string): Promise<Server> {
  const app = uWS.App({});
  const routes = mountHttpRoutes(app, { view, rows: [row(0, 'TCS'), row(1, 'GONE', false)], publicDir });
  return new Promise((resolve) => {
    app.listen('127.0.0.1', 0, (socket) => {
      if (!socket) throw new Error('no port');
      resolve({
        port: uWS.us_socket_local_port(socket),
        routes,
        close() {
          app.close();
        },
      });
    });
  });
}

interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

async function ask(port: number, path: string, method = 'GET', headers: Record<string, string> = {}): Promise<Reply> {
  const outgoing = request({ host: '127.0.0.1', port, path, method, headers });
  outgoing.end();
  const [incoming] = await once(outgoing, 'response');
  let body = '';
  for await (const chunk of incoming) body += chunk;
  return { status: incoming.statusCode, headers: incoming.headers, body };
}

t.test('HTTP', async (t) => {
  const publicDir = t.testdir({
    'index.html': '<!doctype html><title>Outcry</title>',
    terminal: { 'main.js': 'export {};', 'secret.key': 'private' },
  });
  const view = healthyView();
  const server = await serve(view, publicDir);
  const { port } = server;
  t.teardown(() => server.close());

  await t.test('the page and its files, from memory', async (t) => {
    const page = await ask(port, '/');
    t.equal(page.status, 200);
    t.equal(page.headers['content-type'], 'text/html; charset=utf-8');
    t.match(page.headers['content-security-policy'], /default-src 'none'/);
    t.equal(page.headers['x-content-type-options'], 'nosniff');
    t.match(page.body, /Outcry/);
    const script = await ask(port, '/terminal/main.js');
    t.equal(script.headers['content-type'], 'text/javascript; charset=utf-8');
    const { etag } = script.headers;
    t.type(etag, 'string');
    const again = await ask(port, '/terminal/main.js', 'GET', { 'if-none-match': String(etag) });
    t.equal(again.status, 304);
    t.equal(again.body, '');
    for (const path of [
      '/terminal/secret.key',
      '/terminal',
      '/../package.json',
      '/%2e%2e/package.json',
      '/__proto__',
      '/constructor',
    ]) {
      t.equal((await ask(port, path)).status, 404, path);
    }
  });

  await t.test('HEAD has the header of GET and no body; other methods are refused', async (t) => {
    for (const path of ['/', '/healthz', '/readyz', '/metrics', '/instruments.json', '/nothing']) {
      const got = await ask(port, path);
      const head = await ask(port, path, 'HEAD');
      t.equal(head.status, got.status, path);
      t.equal(head.body, '');
      t.equal(head.headers['content-type'], got.headers['content-type']);
      if (path !== '/metrics' && path !== '/healthz')
        t.equal(head.headers['content-length'], got.headers['content-length'], path);
    }
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const reply = await ask(port, '/readyz', method);
      t.equal(reply.status, 405, method);
      t.equal(reply.headers.allow, 'GET, HEAD');
    }
  });

  await t.test('/healthz is about threads, /readyz about quotes', async (t) => {
    t.match(JSON.parse((await ask(port, '/healthz')).body), { status: 'ok', pid: process.pid });
    t.equal((await ask(port, '/readyz')).status, 200);

    const feed = view.feed;
    feed[stats.FEED_STATS_LAST_UPDATE_MICROS >> 1] = (Date.now() - 20_000) * 1_000;
    const quiet = await ask(port, '/readyz');
    t.equal(quiet.status, 503);
    t.match(JSON.parse(quiet.body).reason, /^no quote for 20 s/);
    feed[stats.FEED_STATS_LAST_UPDATE_MICROS >> 1] = Date.now() * 1_000;
    feed[stats.FEED_STATS_SUBSCRIBED >> 1] = 0;
    t.match(JSON.parse((await ask(port, '/readyz')).body).reason, /snapshot/);
    feed[stats.FEED_STATS_SESSION_STATE >> 1] = 1;
    t.match(JSON.parse((await ask(port, '/readyz')).body).reason, /not logged on/);
    t.equal((await ask(port, '/healthz')).status, 200, 'a feed that is down is no dead thread');
    feed[stats.FEED_STATS_SESSION_STATE >> 1] = LOGGED_ON;
    feed[stats.FEED_STATS_SUBSCRIBED >> 1] = 2;

    const [first] = view.fanOut;
    first![stats.FAN_OUT_STATS_BEAT_MILLIS >> 1] = Date.now() - 60_000;
    const sick = await ask(port, '/healthz');
    t.equal(sick.status, 503);
    t.match(JSON.parse(sick.body).workers, [
      {},
      {},
      { worker: 'fan-out-0', alive: false },
      { worker: 'fan-out-1', alive: true },
    ]);
    first![stats.FAN_OUT_STATS_BEAT_MILLIS >> 1] = Date.now();
  });

  await t.test('/metrics tells every block', async (t) => {
    const [first, second] = view.fanOut;
    view.feed[stats.FEED_STATS_UPDATES_IN >> 1] = 500;
    first![stats.FAN_OUT_STATS_CHANGES_TAKEN >> 1] = 420;
    second![stats.FAN_OUT_STATS_CONNECTIONS >> 1] = 7;
    second![stats.FAN_OUT_STATS_GENERATION >> 1] = 3;
    first![(stats.FAN_OUT_STATS_LATENCY_BUCKETS >> 1) + 0] = 5;
    first![(stats.FAN_OUT_STATS_LATENCY_BUCKETS >> 1) + 4] = 2;
    first![(stats.FAN_OUT_STATS_LATENCY_BUCKETS >> 1) + 16] = 1;
    first![stats.FAN_OUT_STATS_LATENCY_SUM_MICROS >> 1] = 2_500_000;
    const { status, body, headers } = await ask(port, '/metrics');
    t.equal(status, 200);
    t.match(headers['content-type'], /^text\/plain; version=0\.0\.4/);
    for (const line of [
      'outcry_updates_in_total 500',
      'outcry_conflated_total{worker="0"} 80',
      'outcry_connections{worker="1"} 7',
      'outcry_worker_restarts_total{worker="fan-out-1"} 2',
      'outcry_latency_seconds_bucket{worker="0",le="0.001"} 5',
      'outcry_latency_seconds_bucket{worker="0",le="0.02"} 7',
      'outcry_latency_seconds_bucket{worker="0",le="5"} 7',
      'outcry_latency_seconds_bucket{worker="0",le="+Inf"} 8',
      'outcry_latency_seconds_sum{worker="0"} 2.5',
      'outcry_latency_seconds_count{worker="0"} 8',
      'outcry_ready 1',
    ]) {
      t.ok(body.split('\n').includes(line), line);
    }
    const names = [...body.matchAll(/^# HELP (\S+)/gm)].map((match) => match[1]);
    t.equal(new Set(names).size, names.length, 'no metric twice');
  });

  await t.test('a scrape that is given up harms nothing', async (t) => {
    const socket = createConnection(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    socket.destroy();
    t.equal((await ask(port, '/readyz')).status, 200);
  });

  await t.test('garbage is answered or hung up on', async (t) => {
    for (const garbage of [
      '\0\x01\x02\xff\xfe\r\n\r\n',
      'GET\r\n\r\n',
      `GET /${'a'.repeat(200_000)}`,
      'GET / HTTP/1.1\r\nno colon\r\n\r\n',
    ]) {
      const socket = createConnection(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.end(garbage, 'latin1');
      socket.resume();
      await once(socket, 'close');
    }
    t.equal((await ask(port, '/readyz')).status, 200);
  });

  await t.test('/instruments.json follows a reload and leaves out what is delisted', async (t) => {
    const before = await ask(port, '/instruments.json');
    t.match(JSON.parse(before.body), [{ instrumentId: 1_001, symbol: 'TCS' }]);
    server.routes.setInstruments([row(0, 'TCS'), row(1, 'GONE', false), row(2, 'NEW')]);
    const after = await ask(port, '/instruments.json', 'GET', { 'if-none-match': String(before.headers.etag) });
    t.equal(after.status, 200);
    t.same(
      JSON.parse(after.body).map((each: { symbol: string }) => each.symbol),
      ['TCS', 'NEW'],
    );
  });
});
