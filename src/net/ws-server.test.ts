import uWS from 'uWebSockets.js';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { type ClientOptions, WebSocket } from 'ws';
import { OutcryClient, type OutcryClientOptions, type WebSocketLike } from '../client/outcry-client.ts';
import type { QuoteDecoder } from '../client/quote-decoder.ts';
import { type ControlMap, decodeControl, encodeControl } from '../core/fan-out/control-codec.ts';
import { createFanOutFixture, type FanOutFixture, type FanOutFixtureOptions } from '../core/fan-out/fan-out-fixture.ts';
import {
  FrameType,
  QUOTE_FIELD_COUNT,
  QuoteField,
  SUBPROTOCOL_BINARY,
  SUBPROTOCOL_JSON,
} from '../core/fan-out/wire.ts';
import {
  QUOTE_SLOT_CLOSE_PAISE,
  QUOTE_SLOT_LAST_PAISE,
  QUOTE_SLOT_TS_MICROS,
  QUOTE_SLOT_VOLUME,
} from '../core/shm/generated/quote-slot.gen.ts';
import {
  FAN_OUT_STATS_CONNECTIONS,
  FAN_OUT_STATS_FRAMES_OUT,
  FAN_OUT_STATS_PROTOCOL_ERRORS,
  FAN_OUT_STATS_REFUSED,
  FAN_OUT_STATS_SKIPPED,
  FAN_OUT_STATS_SLOW_CONNECTIONS,
  FAN_OUT_STATS_SUBSCRIPTIONS,
} from '../core/shm/generated/worker-stats.gen.ts';
import { CloseCode } from './close-codes.ts';
import { FanOutLoop } from './fan-out-loop.ts';
import { MESSAGE_HARD_MAX_BYTES, MESSAGE_MAX_BYTES } from './ws-limits.ts';
import { WsServer } from './ws-server.ts';

const WAIT_MS = 30_000;

interface TestServerOptions extends FanOutFixtureOptions {
  readonly tickMs?: number;
  readonly idleTimeoutSeconds?: number;
  readonly maxPendingSockets?: number;
}

/** A server on a free loopback port over a board that the test writes. */
class TestServer {
  readonly fixture: FanOutFixture;
  readonly server: WsServer;
  /** Added to the clock, so that a test need not wait for time to pass. */
  skewMs = 0;
  readonly #loop: FanOutLoop;
  readonly #app = uWS.App({});
  #port = 0;

  constructor(options: TestServerOptions) {
    const tickMs = options.tickMs ?? 5;
    this.fixture = createFanOutFixture(options);
    const { fanOut, stats } = this.fixture;
    this.#loop = new FanOutLoop({ fanOut, stats, tickMs, nowMs: () => this.nowMs() });
    this.server = new WsServer({
      fanOut,
      stats,
      tickMs,
      nowMs: () => this.nowMs(),
      onWork: () => this.#loop.wake(),
      allowedOrigins: ['https://trade.example'],
      maxPendingSockets: options.maxPendingSockets ?? 100,
      ...(options.idleTimeoutSeconds === undefined ? {} : { idleTimeoutSeconds: options.idleTimeoutSeconds }),
    });
    this.server.mount(this.#app);
  }

  static async start(t: Test, options: TestServerOptions = {}) {
    const server = new TestServer(options);
    await new Promise<void>((resolve) => {
      server.#app.listen('127.0.0.1', 0, (socket) => {
        server.#port = uWS.us_socket_local_port(socket as uWS.us_socket);
        resolve();
      });
    });
    server.#loop.start(server.server);
    t.teardown(() => {
      server.#loop.stop();
      server.#app.close();
    });
    return server;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}/ws`;
  }

  get port(): number {
    return this.#port;
  }

  nowMs(): number {
    return performance.timeOrigin + performance.now() + this.skewMs;
  }

  setLast(index: number, lastPaise: number, closePaise = 0, tsMicros = 0, volume = 0): void {
    const { board } = this.fixture;
    board.open(index);
    board.setI32(QUOTE_SLOT_LAST_PAISE, lastPaise);
    if (closePaise > 0) board.setI32(QUOTE_SLOT_CLOSE_PAISE, closePaise);
    if (tsMicros > 0) board.setF64(QUOTE_SLOT_TS_MICROS, tsMicros);
    if (volume > 0) board.setF64(QUOTE_SLOT_VOLUME, volume);
    board.close((this.nowMs() * 1_000) | 0);
    board.wakeReaders();
  }
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > deadlineMs) throw new Error(`not within ${WAIT_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A bare client that keeps what it was sent. */
class RawClient {
  readonly socket: WebSocket;
  readonly binary: Uint8Array[] = [];
  readonly texts: string[] = [];
  closeCode = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.binary.push(new Uint8Array(data));
      else this.texts.push(data.toString());
    });
    socket.on('close', (code) => {
      this.closeCode = code;
    });
    socket.on('error', () => {});
  }

  static async open(t: Test, url: string, protocols: string[] = [], options: ClientOptions = {}): Promise<RawClient> {
    const client = new RawClient(new WebSocket(url, protocols, options));
    t.teardown(() => client.socket.terminate());
    await once(client.socket, 'open');
    return client;
  }

  control(map: ControlMap): void {
    this.socket.send(encodeControl([FrameType.Control], map));
  }

  /** Control maps received so far. */
  replies(): ControlMap[] {
    return this.binary
      .filter((message) => message[0] === FrameType.Control)
      .map((message) => decodeControl(message, 1)!);
  }

  json(): unknown[] {
    return this.texts.flatMap((text) => JSON.parse(text) as unknown);
  }
}

function openClient(t: Test, server: TestServer, options: Partial<OutcryClientOptions> = {}): OutcryClient {
  const webSocket = WebSocket as unknown as new (url: string, protocols: string[]) => WebSocketLike;
  const client = new OutcryClient({ url: server.url, webSocket, ...options });
  t.teardown(() => client.close());
  return client;
}

function last(decoder: QuoteDecoder, index: number): number {
  return decoder.fields[index * QUOTE_FIELD_COUNT + QuoteField.LastPaise]!;
}

t.test('binary: a snapshot at once, then changes, whatever the tick', async (t) => {
  for (const tickMs of [5, 0]) {
    const server = await TestServer.start(t, { phaseCount: tickMs === 0 ? 1 : 4, tickMs });
    server.setLast(3, 245_075, 244_925);
    const arrivals: number[] = [];
    const client = openClient(t, server, {
      timing: true,
      onQuotes: (decoder) => arrivals.push(decoder.oldestArrivalMicros),
    });
    const result = await client.subscribe(['S3', 'NONE', 'S9'], 'full');
    t.strictSame(result, {
      instruments: [
        { symbol: 'S3', instrumentIndex: 3, name: 'S3 Limited', kind: 'equity', tickPaise: 5, lotSize: 1 },
        { symbol: 'S9', instrumentIndex: 9, name: 'S9 Limited', kind: 'equity', tickPaise: 5, lotSize: 1 },
      ],
      unknown: ['NONE'],
    });
    t.equal(client.instrument(9)?.symbol, 'S9');
    await until('the snapshot', () => last(client.decoder, 3) === 245_075);
    t.equal(client.decoder.fields[3 * QUOTE_FIELD_COUNT + QuoteField.ClosePaise], 244_925);
    const beforeMicros = server.nowMs() * 1_000;
    server.setLast(3, 245_100);
    server.setLast(9, 10_000);
    await until('the changes', () => last(client.decoder, 3) === 245_100 && last(client.decoder, 9) === 10_000);
    t.ok(arrivals.at(-1)! >= Math.floor(beforeMicros) - 1, 'the arrival of the change is told');
    await client.unsubscribe(['S3']);
    await until('the count', () => server.fixture.stat(FAN_OUT_STATS_SUBSCRIPTIONS) === 1);
    client.close();
    await until('the close', () => server.fixture.stat(FAN_OUT_STATS_CONNECTIONS) === 0);
  }
});

t.test(
  'binary: what the client asks while it has no connection is asked then, and again after each reconnect',
  async (t) => {
    const server = await TestServer.start(t);
    server.setLast(1, 50_000);
    const states: string[] = [];
    const client = openClient(t, server, { filterBps: 0, onState: (state) => states.push(state) });
    await client.subscribe(['S1'], 'ltp');
    await until('the snapshot', () => last(client.decoder, 1) === 50_000);
    server.server.closeAll();
    server.setLast(1, 50_010);
    await until('the new connection', () => states.filter((state) => state === 'open').length === 2);
    await until('the snapshot on it', () => last(client.decoder, 1) === 50_010);
    t.equal(client.instrument(1)?.symbol, 'S1', 'facts are known again');
    t.strictSame(states, ['connecting', 'open', 'waiting', 'connecting', 'open']);
    await t.rejects(client.setFilter(11), { code: 'BAD_FILTER' });
  },
);

t.test('JSON: the brief’s messages, byte for byte', async (t) => {
  const server = await TestServer.start(t);
  server.setLast(0, 245_075, 244_925, 1_609_459_200_000_000);
  server.setLast(1, 10_010, 10_040, 1_609_459_200_123_456);
  for (const protocols of [[], [SUBPROTOCOL_JSON], ['something', SUBPROTOCOL_JSON]]) {
    const client = await RawClient.open(t, server.url, protocols);
    t.equal(client.socket.protocol, protocols.length === 0 ? '' : SUBPROTOCOL_JSON);
    client.socket.send('{"action":"subscribe","symbols":["S0"]}');
    await until('one', () => client.texts.length === 1);
    t.equal(client.texts[0], '{"symbol":"S0","ltp":2450.75,"change":1.5,"timestamp":1609459200000}');
    client.socket.send('{"action":"subscribe","symbols":["S0","S1","S2","WHAT"]}');
    await until('several', () => client.texts.length === 3);
    t.strictSame(client.texts.slice(1), [
      '{"unknown":["WHAT"]}',
      '[{"symbol":"S0","ltp":2450.75,"change":1.5,"timestamp":1609459200000},' +
        '{"symbol":"S1","ltp":100.1,"change":-0.3,"timestamp":1609459200123}]',
    ]);
    client.socket.send('{"action":"ping"}');
    client.socket.send('{"action":"set","filterBps":10}');
    await until('the answers', () => client.texts.some((text) => text.includes('filterBps')));
    t.ok(client.texts.includes('{"action":"pong"}'));
    t.ok(client.texts.includes('{"action":"set","filterBps":10}'));
    client.socket.send('{"action":"unsubscribe","symbols":["S0","S1","S2"]}');
    client.socket.close();
    await until('the close', () => server.fixture.stat(FAN_OUT_STATS_CONNECTIONS) === 0);
  }
});

t.test('wrong input has its code, and changes nothing', async (t) => {
  const server = await TestServer.start(t, { maxSubscriptions: 3 });
  const binary = (...bytes: number[]): Uint8Array => Uint8Array.from([FrameType.Control, ...bytes]);
  const control = (map: ControlMap): Uint8Array => encodeControl([FrameType.Control], map);
  const cases: [string, Uint8Array | string, string][] = [
    ['nothing', new Uint8Array(0), 'BAD_MESSAGE'],
    ['an unknown type', Uint8Array.of(0x77, 1, 2), 'BAD_MESSAGE'],
    ['text', 'hello', 'BAD_MESSAGE'],
    ['a cut map', binary(0x81, 0xa1), 'BAD_MESSAGE'],
    ['an array of four billion', binary(0xdd, 0xff, 0xff, 0xff, 0xff), 'BAD_MESSAGE'],
    ['an extension', binary(0xd4, 0x72, 0x40), 'BAD_MESSAGE'],
    ['sixty thousand nested arrays', binary(...new Array<number>(60_000).fill(0x91)), 'BAD_MESSAGE'],
    ['bad UTF-8', binary(0x81, 0xa2, 0xff, 0xfe, 0x01), 'BAD_MESSAGE'],
    ['an id that is none', control({ id: -1, action: 'ping' }), 'BAD_MESSAGE'],
    ['an acknowledgement of nothing sent', Uint8Array.of(FrameType.Ack, 0x7f), 'BAD_MESSAGE'],
    ['a cut acknowledgement', Uint8Array.of(FrameType.Ack, 0xff), 'BAD_MESSAGE'],
    ['an unknown action', control({ id: 7, action: 'buy' }), 'UNKNOWN_ACTION'],
    ['no symbols', control({ id: 7, action: 'subscribe' }), 'BAD_SYMBOLS'],
    ['numbers for symbols', control({ id: 7, action: 'subscribe', symbols: [1] }), 'BAD_SYMBOLS'],
    ['too many symbols', control({ id: 7, action: 'subscribe', symbols: new Array(1_001).fill('X') }), 'BAD_SYMBOLS'],
    ['a bad mode', control({ id: 7, action: 'subscribe', symbols: ['S1'], mode: 'toString' }), 'BAD_MODE'],
    ['a bad filter', control({ id: 7, action: 'set', filterBps: 3 }), 'BAD_FILTER'],
    ['a bad timing', control({ id: 7, action: 'set', timing: 'yes' }), 'BAD_TIMING'],
    [
      'too many subscriptions',
      control({ id: 7, action: 'subscribe', symbols: ['S1', 'S2', 'S3', 'S4'] }),
      'TOO_MANY_SUBSCRIPTIONS',
    ],
  ];
  for (const [name, message, code] of cases) {
    const client = await RawClient.open(t, server.url, [SUBPROTOCOL_BINARY]);
    client.socket.send(message);
    await until(name, () => client.replies().length > 0);
    const [reply] = client.replies();
    t.equal((reply!.error as ControlMap).code, code, name);
    if (typeof message !== 'string' && reply!.id !== undefined) t.equal(reply!.id, 7);
    client.socket.close();
  }
  const json: [string, Uint8Array | string, string][] = [
    ['binary', Uint8Array.of(1), 'BAD_MESSAGE'],
    ['no JSON', '{"action":', 'BAD_MESSAGE'],
    ['sixty thousand nested arrays', '['.repeat(60_000), 'BAD_MESSAGE'],
    ['five nested objects', `${'{"a":'.repeat(5)}1${'}'.repeat(5)}`, 'BAD_MESSAGE'],
    ['brackets in a string', '{"action":"\\"[[[[["}', 'UNKNOWN_ACTION'],
    ['many lists side by side', `{"action":"set","filterBps":[${'[],'.repeat(100)}[]]}`, 'BAD_FILTER'],
    ['an array', '[1]', 'UNKNOWN_ACTION'],
    ['a number', '1', 'BAD_MESSAGE'],
    ['an unknown action', '{"action":"sell"}', 'UNKNOWN_ACTION'],
    ['a prototype', '{"__proto__":{"action":"ping"}}', 'UNKNOWN_ACTION'],
    ['no list', '{"action":"subscribe","symbols":"S1"}', 'BAD_SYMBOLS'],
    ['a bad filter', '{"action":"set","filterBps":"10"}', 'BAD_FILTER'],
    ['too many', '{"action":"subscribe","symbols":["S1","S2","S3","S4"]}', 'TOO_MANY_SUBSCRIPTIONS'],
  ];
  for (const [name, message, code] of json) {
    const client = await RawClient.open(t, server.url);
    client.socket.send(message);
    await until(name, () => client.texts.length > 0);
    t.equal((JSON.parse(client.texts[0]!) as { error: { code: string } }).error.code, code, name);
    client.socket.close();
  }
  t.equal(server.fixture.stat(FAN_OUT_STATS_SUBSCRIPTIONS), 0, 'nothing was subscribed');
  t.equal(server.fixture.stat(FAN_OUT_STATS_PROTOCOL_ERRORS), cases.length + json.length, 'each was counted');
});

t.test('what goes too far is closed with its code', async (t) => {
  const server = await TestServer.start(t);
  const cases: [string, number, (client: RawClient) => void][] = [
    [
      'a message too large',
      CloseCode.MessageTooLarge,
      ({ socket }) => socket.send(new Uint8Array(MESSAGE_MAX_BYTES + 1)),
    ],
    ['beyond the hard limit', 1006, ({ socket }) => socket.send(new Uint8Array(MESSAGE_HARD_MAX_BYTES + 1))],
    [
      'a flood of messages',
      CloseCode.TooManyMessages,
      (client) => {
        for (let i = 0; i < 400; i++) client.control({ action: 'ping' });
      },
    ],
    [
      'a flood of pings',
      CloseCode.TooManyMessages,
      ({ socket }) => {
        for (let i = 0; i < 400; i++) socket.ping();
      },
    ],
    [
      'a flood of bytes',
      CloseCode.TooManyMessages,
      ({ socket }) => {
        for (let i = 0; i < 19; i++) socket.send(new Uint8Array(MESSAGE_MAX_BYTES));
      },
    ],
    [
      'a flood of symbols',
      CloseCode.TooManyMessages,
      (client) => {
        for (let i = 0; i < 8; i++) client.control({ action: 'subscribe', symbols: new Array(1_000).fill('S1') });
      },
    ],
    [
      'nothing but errors',
      CloseCode.TooManyErrors,
      (client) => {
        for (let i = 0; i < 30; i++) client.socket.send('?');
      },
    ],
  ];
  for (const [name, code, hurt] of cases) {
    const client = await RawClient.open(t, server.url, [SUBPROTOCOL_BINARY]);
    hurt(client);
    await until(name, () => client.closeCode !== 0);
    t.equal(client.closeCode, code, name);
  }
  const client = openClient(t, server);
  t.equal((await client.subscribe(['S1'])).instruments.length, 1, 'and others are served');
});

t.test('an upgrade that cannot be is answered in HTTP', async (t) => {
  const server = await TestServer.start(t, { maxConnections: 1 });
  const refused = async (protocols: string[], options: ClientOptions): Promise<number> => {
    const socket = new WebSocket(server.url, protocols, options);
    socket.on('error', () => {});
    const [, response] = await once(socket, 'unexpected-response');
    socket.terminate();
    return response.statusCode;
  };
  t.equal(await refused(['chat'], {}), 400, 'another subprotocol');
  t.equal(await refused([], { origin: 'https://elsewhere.example' }), 403, 'another site');
  const own = await RawClient.open(t, server.url, [], { origin: `http://127.0.0.1:${server.port}` });
  t.equal(await refused([], {}), 503, 'no room');
  t.equal(server.fixture.stat(FAN_OUT_STATS_REFUSED), 3);
  own.socket.close();
  await until('room again', () => server.fixture.fanOut.hasRoom);
  const listed = await RawClient.open(t, server.url, [], { origin: 'https://trade.example' });
  listed.socket.close();
});

t.test('sockets that never become WebSockets are bounded, and WebSockets are none of them', async (t) => {
  const server = await TestServer.start(t, { maxPendingSockets: 2 });
  const silent = async (): Promise<Socket> => {
    const socket = connectTcp(server.port, '127.0.0.1');
    socket.on('error', () => {});
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  for (let i = 0; i < 4; i++) await RawClient.open(t, server.url, [SUBPROTOCOL_BINARY]);
  const first = await silent();
  const second = await silent();
  await once((await silent()).resume(), 'close');
  t.equal(server.fixture.stat(FAN_OUT_STATS_REFUSED), 1, 'one too many, and counted');
  t.equal(server.fixture.stat(FAN_OUT_STATS_CONNECTIONS), 4);
  t.notOk(first.destroyed || second.destroyed, 'the others stay');
  first.destroy();
  // The server may be told of the new one before it is told that the first is gone.
  for (let back = false; !back; ) {
    back = await RawClient.open(t, server.url, [SUBPROTOCOL_BINARY]).then(
      () => true,
      () => false,
    );
  }
  t.equal(server.fixture.stat(FAN_OUT_STATS_CONNECTIONS), 5, 'there is room again');
});

t.test('a client that stops is sent no more than its credit, and then the newest', async (t) => {
  const server = await TestServer.start(t, { filterBps: 0 });
  const { fixture } = server;
  for (let index = 0; index < 64; index++) server.setLast(index, 100_000 + index);
  const symbols = Array.from({ length: 64 }, (_, index) => `S${index}`);
  for (const protocol of [SUBPROTOCOL_BINARY, SUBPROTOCOL_JSON]) {
    const stopped = await RawClient.open(t, server.url, [protocol]);
    const isJson = protocol === SUBPROTOCOL_JSON;
    // Neither reads nor, for JSON, answers pings: as a suspended process.
    stopped.socket.pause();
    if (isJson) stopped.socket.send(JSON.stringify({ action: 'subscribe', symbols }));
    else stopped.control({ action: 'subscribe', symbols, mode: 'quote' });
    await until('its subscriptions', () => fixture.stat(FAN_OUT_STATS_SUBSCRIPTIONS) === 64);
    const well = openClient(t, server);
    await well.subscribe(['S5'], 'ltp');
    const skippedBefore = fixture.stat(FAN_OUT_STATS_SKIPPED);
    let price = 200_000;
    await until('it is skipped', () => {
      price += 100;
      for (let index = 0; index < 64; index++) server.setLast(index, price + index);
      return fixture.stat(FAN_OUT_STATS_SKIPPED) > skippedBefore + 1_000;
    });
    t.equal(fixture.stat(FAN_OUT_STATS_SLOW_CONNECTIONS), 1, 'one is slow');
    server.skewMs += 5_000;
    const newest = price + 100;
    for (let index = 0; index < 64; index++) server.setLast(index, newest + index);
    await until('the other has the newest', () => last(well.decoder, 5) === newest + 5);
    stopped.socket.resume();
    if (isJson) {
      await until('the newest', () => {
        const quote = stopped.json().findLast((each) => (each as { symbol?: string }).symbol === 'S63');
        return (quote as { ltp: number } | undefined)?.ltp === (newest + 63) / 100;
      });
      t.ok(stopped.texts.join('').length < 3 * 32_768, 'and little in between');
    } else {
      await until('what was under way', () => stopped.binary.some((message) => message[0] === FrameType.Quotes));
      const { QuoteDecoder } = await import('../client/quote-decoder.ts');
      const decoder = new QuoteDecoder();
      let taken = 0;
      await until('the newest', () => {
        for (; taken < stopped.binary.length; taken++) {
          const message = stopped.binary[taken]!;
          if (message[0] !== FrameType.Quotes) continue;
          t.equal(decoder.decode(message), 0);
          const ack = encodeAck(decoder.tick);
          stopped.socket.send(ack);
        }
        return last(decoder, 63) === newest + 63;
      });
      const bytes = stopped.binary.reduce((sum, message) => sum + message.length, 0);
      t.ok(bytes < 3 * 32_768, `and little in between: ${bytes}`);
    }
    stopped.socket.close();
    well.close();
    await until('both gone', () => fixture.stat(FAN_OUT_STATS_CONNECTIONS) === 0);
    t.equal(fixture.stat(FAN_OUT_STATS_SLOW_CONNECTIONS), 0);
  }
  t.ok(fixture.stat(FAN_OUT_STATS_FRAMES_OUT) > 0);
});

function encodeAck(tick: number): Uint8Array {
  const bytes: number[] = [FrameType.Ack];
  let rest = tick;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

t.test('a half-open socket is closed after the silence allowed, one that answers pings is not', async (t) => {
  const server = await TestServer.start(t, { idleTimeoutSeconds: 8 });
  const alive = await RawClient.open(t, server.url, [SUBPROTOCOL_BINARY]);
  const silent = connectTcp(server.port, '127.0.0.1');
  t.teardown(() => silent.destroy());
  silent.write(
    'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  );
  silent.resume();
  await until('both', () => server.fixture.stat(FAN_OUT_STATS_CONNECTIONS) === 2);
  await Promise.race([
    once(silent, 'close'),
    new Promise((_, reject) => setTimeout(reject, 25_000, new Error('never closed')).unref()),
  ]);
  t.equal(server.fixture.stat(FAN_OUT_STATS_CONNECTIONS), 1);
  t.equal(alive.closeCode, 0);
});
