/**
 * A price through nothing at all: one thread writes the time to loopback sockets, another reads it. What is above this is the engine's. The module
 * is also the reading thread's entry.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { extname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';
import { latencyHistogram, recordLatency } from './histogram.ts';

const MESSAGE_BYTES = 8;
/** As often as the exchange moves its market. */
const WRITE_INTERVAL_MS = 5;

interface ReaderData {
  readonly loopbackPort: number;
  readonly connections: number;
}

/** Latencies in microseconds from before the write to after the read, with as many readers as said. */
export async function measureLoopback(connections: number, seconds: number): Promise<Histogram> {
  const sockets: Socket[] = [];
  const server = createServer({ noDelay: true }, (socket) => sockets.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const data: ReaderData = { loopbackPort: (server.address() as AddressInfo).port, connections };
  const reader = new Worker(new URL(`./loopback${extname(import.meta.url)}`, import.meta.url), { workerData: data });
  try {
    await once(reader, 'message');
    const endMs = performance.now() + seconds * 1_000;
    while (performance.now() < endMs) {
      for (const socket of sockets) {
        const message = Buffer.allocUnsafe(MESSAGE_BYTES);
        message.writeDoubleLE(epochMicros());
        socket.write(message);
      }
      await sleep(WRITE_INTERVAL_MS);
    }
    for (const socket of sockets) socket.end();
    const [encoded] = (await once(reader, 'message')) as [string];
    return decodeFromCompressedBase64(encoded) as Histogram;
  } finally {
    server.close();
    await reader.terminate();
  }
}

function epochMicros(): number {
  return (performance.timeOrigin + performance.now()) * 1_000;
}

async function read({ loopbackPort, connections }: ReaderData): Promise<void> {
  const histogram = latencyHistogram();
  const buffer = Buffer.allocUnsafe(MESSAGE_BYTES);
  const sockets = Array.from({ length: connections }, () =>
    connect({
      host: '127.0.0.1',
      port: loopbackPort,
      onread: {
        buffer,
        callback: () => {
          recordLatency(histogram, epochMicros() - buffer.readDoubleLE());
          return true;
        },
      },
    }),
  );
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  parentPort!.postMessage('connected');
  await Promise.all(sockets.map((socket) => once(socket, 'close')));
  parentPort!.postMessage(encodeIntoCompressedBase64(histogram));
}

if (workerData !== null && 'loopbackPort' in (workerData as object)) await read(workerData as ReaderData);
