/**
 * The servers of the comparison that run on Node: `uws-publish`, a topic a symbol and one publish a quote, and `ws`, one send a quote and client, as
 * users of either library would write them. Argument: which. Prints `listening PORT FEED_PORT`. A client sends one binary message with the positions
 * that it watches (u16, little-endian) and is answered by an empty one.
 */

import uWS from 'uWebSockets.js';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { StreamReader } from './feeds.ts';

interface Peer {
  readonly port: number;
  publish(position: number, entry: Buffer): void;
}

const BACKPRESSURE_MAX = 1 << 20;
const EMPTY = new Uint8Array(0);

function positionsOf(message: ArrayBuffer): Uint16Array {
  return new Uint16Array(message.slice(0));
}

async function uwsPublish(): Promise<Peer> {
  const app = uWS.App({});
  app.ws('/*', {
    idleTimeout: 0,
    sendPingsAutomatically: false,
    maxBackpressure: BACKPRESSURE_MAX,
    message(socket, message) {
      for (const position of positionsOf(message)) socket.subscribe(String(position));
      socket.send(EMPTY, true);
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    app.listen('127.0.0.1', 0, (socket) => {
      if (socket) resolve(uWS.us_socket_local_port(socket));
      else reject(new Error('uWebSockets.js cannot listen'));
    });
  });
  return { port, publish: (position, entry) => void app.publish(String(position), entry, true) };
}

async function wsSend(): Promise<Peer> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  const watchers = new Map<number, Set<WebSocket>>();
  server.on('connection', (socket) => {
    socket.on('message', (message: Buffer) => {
      const bytes = message.buffer.slice(message.byteOffset, message.byteOffset + message.length) as ArrayBuffer;
      for (const position of positionsOf(bytes)) {
        const sockets = watchers.get(position) ?? new Set();
        watchers.set(position, sockets.add(socket));
      }
      socket.send(EMPTY);
    });
  });
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    publish: (position, entry) => {
      for (const socket of watchers.get(position) ?? []) socket.send(entry);
    },
  };
}

const peer = process.argv[2] === 'uws-publish' ? await uwsPublish() : await wsSend();
const feed = createServer((socket) => {
  const reader = new StreamReader();
  socket.on('data', (bytes) => {
    reader.read(bytes, (tick) => {
      // From inside a callback of a socket uWebSockets.js's publish costs many times as much.
      setImmediate(() => {
        for (const { position, entry } of tick) peer.publish(position, entry);
      });
    });
  });
});
feed.listen(0, '127.0.0.1');
await once(feed, 'listening');
process.stdout.write(`listening ${peer.port} ${(feed.address() as AddressInfo).port}\n`);
