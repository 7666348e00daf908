import type { WebSocket } from 'uWebSockets.js';
import t from 'tap';
import { createFanOutFixture } from '../core/fan-out/fan-out-fixture.ts';
import { NO_PING, SendStatus } from '../core/fan-out/subscriber.ts';
import { CloseCode } from './close-codes.ts';
import { WsConnection } from './ws-connection.ts';
import { BUFFERED_MAX_BYTES, REPLIES_MAX_BYTES } from './ws-limits.ts';

/** The library's socket, as far as a connection uses it. */
class FakeSocket {
  status = 1;
  buffered = 0;
  readonly log: string[] = [];

  send(bytes: Uint8Array): number {
    this.log.push(`send ${bytes.length}`);
    return this.status;
  }

  ping(payload: Uint8Array): number {
    this.log.push(`ping ${payload.join()}`);
    return 1;
  }

  cork(act: () => void): void {
    this.log.push('cork');
    act();
  }

  getBufferedAmount(): number {
    return this.buffered;
  }

  end(code: number): void {
    this.log.push(`end ${code}`);
  }
}

function connect(): { connection: WsConnection; socket: FakeSocket; flushes: () => number } {
  const { fanOut } = createFanOutFixture();
  const socket = new FakeSocket();
  let flushes = 0;
  const host = {
    fanOut,
    requestFlush: () => {
      flushes++;
    },
    countProtocolError: () => {},
    hasRoom: () => {},
  };
  const protocol = { receive: () => {} };
  const connection = new WsConnection(socket as unknown as WebSocket<unknown>, host, protocol, true, 0);
  return { connection, socket, flushes: () => flushes };
}

t.test('answers wait for the flush, and go before quotes', async (t) => {
  const { connection, socket, flushes } = connect();
  connection.reply(new Uint8Array(3));
  connection.reply(new Uint8Array(4));
  t.equal(flushes(), 1, 'asked for once');
  t.strictSame(socket.log, [], 'nothing yet');
  t.equal(connection.sendQuotes(new Uint8Array(9), NO_PING), SendStatus.Sent);
  t.strictSame(socket.log, ['cork', 'send 3', 'send 4', 'send 9']);
  connection.flush();
  t.equal(socket.log.length, 4, 'once');
  connection.sendQuotes(new Uint8Array(5), 300);
  t.strictSame(socket.log.slice(4), ['cork', 'send 5', 'ping 172,2'], 'a tick to answer goes with the frame');
});

t.test('what the socket says of a frame', async (t) => {
  const { connection, socket } = connect();
  const bytes = new Uint8Array(1);
  socket.status = 0;
  socket.buffered = BUFFERED_MAX_BYTES;
  t.equal(connection.sendQuotes(bytes, NO_PING), SendStatus.Sent, 'a little in the buffer is nothing');
  socket.buffered = BUFFERED_MAX_BYTES + 1;
  t.equal(connection.sendQuotes(bytes, NO_PING), SendStatus.Congested);
  socket.status = 2;
  t.equal(connection.sendQuotes(bytes, NO_PING), SendStatus.Dropped);
  connection.closed();
  t.equal(connection.sendQuotes(bytes, NO_PING), SendStatus.Dropped, 'gone');
});

t.test('answers that nobody takes are bounded', async (t) => {
  const queued = connect();
  for (let i = 0; i < 5; i++) queued.connection.reply(new Uint8Array(60_000));
  queued.connection.flush();
  t.strictSame(queued.socket.log.at(-1), `end ${CloseCode.TooSlow}`, 'before they are sent');
  const buffered = connect();
  buffered.socket.buffered = REPLIES_MAX_BYTES + 1;
  buffered.connection.reply(new Uint8Array(10));
  buffered.connection.flush();
  t.strictSame(buffered.socket.log.at(-1), `end ${CloseCode.TooSlow}`, 'and in the socket’s buffer');
});
