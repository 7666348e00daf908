import { once } from 'node:events';
import { createServer } from 'node:net';
import { Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { WebSocket } from 'ws';
import { OutcryClient, type WebSocketLike } from '../client/outcry-client.ts';
import { instrumentRow } from '../core/fan-out/fan-out-fixture.ts';
import { QUOTE_FIELD_COUNT, QuoteField } from '../core/fan-out/wire.ts';
import { QuoteBoardWriter } from '../core/market-data/quote-board.ts';
import { DirtyBitmapWriter } from '../core/shm/dirty-bitmap.ts';
import { QUOTE_SLOT_LAST_PAISE } from '../core/shm/generated/quote-slot.gen.ts';
import { FAN_OUT_STATS_BEAT_MILLIS, FAN_OUT_STATS_GENERATION } from '../core/shm/generated/worker-stats.gen.ts';
import type { RunnerMessage, WorkerReport } from './agent-runner.ts';
import { allocateBuffers, type FanOutWiring, type SharedBuffers } from './topology.ts';
import { workerUrl } from './worker-url.ts';

const INSTRUMENT_CAPACITY = 64;
const WAIT_MS = 30_000;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function startWorker(buffers: SharedBuffers, port: number, generation: number): Worker {
  const wiring: FanOutWiring = {
    roleName: 'fan-out-0',
    generation,
    stats: buffers.fanOutStats[0]!,
    cpus: [],
    drills: true,
    buffers,
    instrumentCapacity: INSTRUMENT_CAPACITY,
    rows: [instrumentRow(0, 'RELIANCE'), instrumentRow(1, 'TCS')],
    workerIndex: 0,
    settings: {
      host: '127.0.0.1',
      port,
      tickMs: 5,
      tls: null,
      phaseGroups: 2,
      filterBps: 10,
      allowedOrigins: [],
      maxConnections: 10,
      maxSubscriptionsPerConnection: 100,
      marketHours: 'always',
      publicDir: '/nonexistent',
      tokens: null,
    },
  };
  return new Worker(workerUrl('fan-out.worker'), { workerData: wiring });
}

async function report(worker: Worker, type: WorkerReport['type']): Promise<WorkerReport> {
  for (;;) {
    const [message] = (await once(worker, 'message')) as [WorkerReport];
    if (message.type === type) return message;
  }
}

function post(worker: Worker, message: RunnerMessage): void {
  worker.postMessage(message);
}

async function until(t: Test, what: string, condition: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > deadlineMs) return void t.fail(`not within ${WAIT_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

t.test('a fan-out worker serves, throws, is replaced, and its clients come back', async (t) => {
  const port = await freePort();
  const buffers = allocateBuffers({ instrumentCapacity: INSTRUMENT_CAPACITY, fanOutWorkers: 1 });
  const stats = new Float64Array(buffers.fanOutStats[0]!);
  const dirty = new DirtyBitmapWriter(buffers.dirtySets[0]!, INSTRUMENT_CAPACITY);
  const board = new QuoteBoardWriter(buffers.board, INSTRUMENT_CAPACITY, [dirty]);
  const setLast = (index: number, lastPaise: number): void => {
    board.open(index);
    board.setI32(QUOTE_SLOT_LAST_PAISE, lastPaise);
    board.close(0);
    board.wakeReaders();
  };
  let worker = startWorker(buffers, port, 1);
  await report(worker, 'serving');
  t.equal(stats[FAN_OUT_STATS_GENERATION >> 1], 1);
  t.ok(stats[FAN_OUT_STATS_BEAT_MILLIS >> 1]! > 0);

  const client = new OutcryClient({
    url: `ws://127.0.0.1:${port}/ws`,
    webSocket: WebSocket as unknown as new (url: string, protocols: string[]) => WebSocketLike,
  });
  t.teardown(() => client.close());
  const last = (index: number): number => client.decoder.fields[index * QUOTE_FIELD_COUNT + QuoteField.LastPaise]!;
  setLast(0, 245_000);
  await client.subscribe(['RELIANCE'], 'ltp');
  await until(t, 'the snapshot', () => last(0) === 245_000);
  setLast(0, 250_000);
  await until(t, 'a change', () => last(0) === 250_000);

  t.equal((await client.subscribe(['INFY'])).unknown.length, 1, 'not listed yet');
  const rows = [instrumentRow(0, 'RELIANCE'), instrumentRow(1, 'TCS'), instrumentRow(2, 'INFY')];
  post(worker, { type: 'instruments', rows });
  const deadlineMs = Date.now() + WAIT_MS;
  while ((await client.subscribe(['INFY'])).unknown.length > 0)
    if (Date.now() > deadlineMs) throw new Error('not listed');
  const page = await fetch(`http://127.0.0.1:${port}/instruments.json`);
  t.match(await page.json(), [{ symbol: 'RELIANCE' }, { symbol: 'TCS' }, { symbol: 'INFY' }]);

  const failed = report(worker, 'failed');
  const gone = once(worker, 'exit');
  post(worker, { type: 'drill', kind: 'throw' });
  t.match(await failed, { type: 'failed', closed: true });
  await gone;
  worker = startWorker(buffers, port, 2);
  await report(worker, 'serving');
  setLast(0, 260_000);
  await until(t, 'the client on the new worker', () => last(0) === 260_000);

  client.close();
  const ended = once(worker, 'exit');
  post(worker, { type: 'close' });
  t.strictSame(await ended, [0]);
});

t.test('a port that is taken is an operating error with its code', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.teardown(() => other.close());
  const address = other.address() as { port: number };
  const buffers = allocateBuffers({ instrumentCapacity: INSTRUMENT_CAPACITY, fanOutWorkers: 1 });
  const worker = startWorker(buffers, address.port, 1);
  const gone = once(worker, 'exit');
  t.match(await report(worker, 'failed'), { type: 'failed', code: 'LISTEN_FAILED', closed: true });
  await gone;
});
