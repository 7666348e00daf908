import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import t from 'tap';
import { FixEncoder } from '../core/fix/fix-encoder.ts';
import type { FixMessage } from '../core/fix/fix-message.ts';
import type { FixSession } from '../core/fix/fix-session.ts';
import { MsgType } from '../core/fix/generated/fix-enums.gen.ts';
import { Tag } from '../core/fix/generated/fix-tags.gen.ts';
import {
  DisconnectReason,
  type FixApplication,
  type FixSessionProfile,
  type FixSessionSettings,
  SESSION_DEFAULTS,
} from '../core/fix/session-contract.ts';
import { openFixStore } from './fix-store-file.ts';
import {
  connectFix,
  type FixAcceptor,
  type FixAcceptorOptions,
  type FixInitiator,
  type FixInitiatorOptions,
  listenFix,
} from './fix-tcp.ts';

const WAIT_MS = 30_000;

/** Resolves when `condition` holds; it is asked again in every turn of the loop, and the wait is bounded. */
async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Notes what happens to the sessions of one side. */
class Recorder implements FixApplication {
  readonly events: string[] = [];
  readonly sessions: FixSession[] = [];
  messageCount = 0;
  onEach: (session: FixSession, message: FixMessage) => void = () => {};

  onLogon(session: FixSession): void {
    this.sessions.push(session);
    this.events.push(`logon ${session.counterpartyCompID}`);
  }

  onMessage(session: FixSession, message: FixMessage): void {
    this.messageCount++;
    this.onEach(session, message);
  }

  onGap(): void {
    this.events.push('gap');
  }

  onReset(): void {
    this.events.push('reset');
  }

  onLogout(_: FixSession, text: string): void {
    this.events.push(`logout ${text}`);
  }
}

function settings(role: 'initiator' | 'acceptor', senderCompID: string): FixSessionSettings {
  return {
    ...SESSION_DEFAULTS,
    role,
    senderCompID,
    targetCompID: role === 'initiator' ? 'VENUE' : '',
    gapPolicy: 'resend',
    logoutTimeoutMs: 300,
  };
}

function listen(application: FixApplication, options: Partial<FixAcceptorOptions> = {}): Promise<FixAcceptor> {
  return listenFix({ port: 0, session: settings('acceptor', 'VENUE'), application, ...options });
}

function dial(port: number, application: FixApplication, options: Partial<FixInitiatorOptions> = {}): FixInitiator {
  const session = settings('initiator', 'BROKER');
  return connectFix({
    host: '127.0.0.1',
    port,
    session,
    application,
    reconnectMinMs: 10,
    reconnectMaxMs: 40,
    ...options,
  });
}

function rawLogon(senderCompID: string): Uint8Array {
  const encoder = new FixEncoder('FIX.4.4');
  encoder.setCompIDs(senderCompID, 'VENUE');
  encoder.begin(MsgType.Logon, 1, Date.now() * 1000);
  encoder.int(Tag.EncryptMethod, 0);
  encoder.int(Tag.HeartBtInt, 30);
  encoder.finish();
  return encoder.buffer.slice(encoder.start, encoder.end);
}

/** A client without a session. */
async function rawClient(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

t.test('messages go both ways, gathered into few writes', async (t) => {
  const venue = new Recorder();
  const broker = new Recorder();
  venue.onEach = (session, message) => {
    const encoder = session.begin(MsgType.ExecutionReport, session.nowMs);
    encoder.bytes(
      Tag.ClOrdID,
      message.buffer,
      message.starts[message.bodyPosition]!,
      message.ends[message.bodyPosition]!,
    );
    session.send(session.nowMs);
  };
  const answered: string[] = [];
  broker.onEach = (_, message) => answered.push(message.ascii(message.bodyPosition));
  let reads = 0;
  const acceptor = await listen(venue, { onReadEnd: () => reads++ });
  t.match(acceptor, { connectionCount: 0 });
  const initiator = dial(acceptor.port, broker);
  await until(() => initiator.session.loggedOn, 'logged on');
  const orderCount = 20_000;
  const sent: string[] = [];
  for (let i = 0; i < orderCount; i++) {
    initiator.session.begin(MsgType.NewOrderSingle, Date.now()).ascii(Tag.ClOrdID, `order-${i}`);
    initiator.session.send(Date.now());
    sent.push(`order-${i}`);
  }
  await until(() => answered.length === orderCount, 'every order is answered');
  t.same(answered, sent, 'in order, whole, once');
  t.ok(reads < orderCount / 10, `${reads} reads for ${orderCount} messages`);
  t.ok(initiator.bytesIn > orderCount * 50);
  await initiator.close('done');
  t.same(venue.events, ['logon BROKER', 'logout done']);
  t.same(broker.events, ['logon VENUE', `logout ${DisconnectReason.LogoutComplete}`]);
  await acceptor.close('closing');
  t.equal(acceptor.connectionCount, 0);
});

t.test('an initiator comes again: listener not there, killed, and back', async (t) => {
  const reserved = await listen(new Recorder());
  const { port } = reserved;
  await reserved.close('');
  const broker = new Recorder();
  const connections: string[] = [];
  const initiator = dial(port, broker, { onConnection: (event) => connections.push(event), random: () => 0.5 });
  await until(() => connections.length >= 3, 'three attempts failed');
  t.notOk(connections.includes('connected'));
  const sockets: Socket[] = [];
  const mute = createServer((socket) => sockets.push(socket.on('error', () => socket.destroy())));
  await new Promise<void>((resolve) => mute.listen(port, '127.0.0.1', resolve));
  await until(() => sockets.length > 0, 'it connects');
  for (const socket of sockets) socket.resetAndDestroy();
  await new Promise((resolve) => mute.close(resolve));
  const venue = new Recorder();
  const acceptor = await listen(venue, { port });
  await until(() => initiator.session.loggedOn, 'logged on');
  t.same(broker.events.slice(-2), [`logout ${DisconnectReason.ConnectionLost}`, 'logon VENUE']);
  t.ok(initiator.connectCount >= 2);
  await acceptor.close('end of day');
  t.equal(venue.events.at(-1), `logout ${DisconnectReason.LogoutComplete}`);
  t.equal(broker.events.at(-1), 'logout end of day');
  await initiator.close('');
});

t.test('a taken port is LISTEN_FAILED', async (t) => {
  const acceptor = await listen(new Recorder());
  await t.rejects(listen(new Recorder(), { port: acceptor.port }), { code: 'LISTEN_FAILED' });
  await acceptor.close('');
});

t.test('a second logon to a live session is refused, and the first goes on', async (t) => {
  const venue = new Recorder();
  const acceptor = await listen(venue);
  const first = new Recorder();
  const second = new Recorder();
  const initiator = dial(acceptor.port, first);
  await until(() => initiator.session.loggedOn, 'the first is on');
  const intruder = dial(acceptor.port, second);
  await until(() => second.events.length > 0, 'the second is told');
  t.equal(second.events[0], 'logout the connection was lost');
  t.ok(initiator.session.loggedOn);
  t.same(first.events, ['logon VENUE']);
  const other = dial(acceptor.port, new Recorder(), { session: settings('initiator', 'BROKER2') });
  await until(() => other.session.loggedOn, 'another name comes in');
  await Promise.all([intruder.close(''), initiator.close(''), other.close('')]);
  await acceptor.close('');
});

t.test('garbage, silence and a crowd', async (t) => {
  const venue = new Recorder();
  let nowMs = Date.now();
  const acceptor = await listen(venue, { connectionsMax: 3, now: () => nowMs });
  const good = dial(acceptor.port, new Recorder());
  await until(() => good.session.loggedOn, 'logged on');
  const flooder = await rawClient(acceptor.port);
  const flooded = once(flooder.resume(), 'close');
  flooder.write(Buffer.alloc(100_000, 'GET / HTTP/1.1\r\n'));
  await flooded;
  t.ok(venue.events.includes(`logout ${DisconnectReason.GarbageLimit}`), 'garbage is dropped');
  const silent = await rawClient(acceptor.port);
  const other = await rawClient(acceptor.port);
  await until(() => acceptor.connectionCount === 3, 'three connections');
  const crowd = await rawClient(acceptor.port);
  await once(crowd.resume(), 'close');
  t.equal(acceptor.connectionCount, 3, 'a fourth is closed at once');
  const ended = [once(silent.resume(), 'close'), once(other.resume(), 'close')];
  nowMs += 10_000;
  await Promise.all(ended);
  t.equal(
    venue.events.filter((event) => event === `logout ${DisconnectReason.LogonTimeout}`).length,
    2,
    'no Logon in 10 s',
  );
  t.ok(good.session.loggedOn, 'and the good one went on');
  await good.close('');
  await acceptor.close('');
});

t.test('a counterparty that does not read is disconnected, with bounded memory', async (t) => {
  const venue = new Recorder();
  const outboundBytesMax = 262_144;
  const acceptor = await listen(venue, { outboundBytesMax });
  const frozen = await rawClient(acceptor.port);
  frozen.pause();
  frozen.write(rawLogon('FROZEN'));
  await until(() => venue.sessions.length === 1, 'logged on');
  const session = venue.sessions[0]!;
  const text = 'x'.repeat(1_000);
  let sent = 0;
  while (session.loggedOn) {
    session.begin(MsgType.MarketDataIncrementalRefresh, Date.now()).ascii(Tag.Text, text);
    if (session.send(Date.now()) > 0) sent++;
    if (sent % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    if (sent > 1_000_000) throw new Error('never refused');
  }
  t.same(venue.events, ['logon FROZEN', `logout ${DisconnectReason.SlowConsumer}`]);
  t.ok(sent * 1_000 > outboundBytesMax, `after ${sent} messages, what the kernel took included`);
  frozen.destroy();
  await acceptor.close('');
});

t.test('bytes that the kernel takes late arrive as they were sent', async (t) => {
  const venue = new Recorder();
  const acceptor = await listen(venue, { outboundBytesMax: 33_554_432 });
  const reader = await rawClient(acceptor.port);
  reader.pause();
  reader.write(rawLogon('LATE'));
  await until(() => venue.sessions.length === 1, 'logged on');
  const session = venue.sessions[0]!;
  const count = 20_000;
  for (let i = 0; i < count; i++) {
    session.begin(MsgType.MarketDataIncrementalRefresh, Date.now()).ascii(Tag.Text, `${i} ${'y'.repeat(i % 1_500)}`);
    if (session.send(Date.now()) < 0) throw new Error(`refused at ${i}`);
    if (i % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const chunks: Buffer[] = [];
  let length = 0;
  reader.on('data', (chunk) => {
    chunks.push(chunk);
    length += chunk.length;
  });
  reader.resume();
  let before = -1;
  await until(() => {
    if (length === before) return false;
    before = length;
    return Buffer.concat(chunks.slice(-2)).includes(`58=${count - 1} `);
  }, 'the last message is there');
  const texts =
    Buffer.concat(chunks)
      .toString('latin1')
      .match(/58=\d+ y*/g) ?? [];
  t.equal(texts.length, count);
  t.equal(
    texts.findIndex((found, i) => found !== `58=${i} ${'y'.repeat(i % 1_500)}`),
    -1,
    'no byte is out of place',
  );
  reader.destroy();
  await acceptor.close('');
});

t.test('numbers begin anew while messages go both ways, over stores on the disk', async (t) => {
  const directory = t.testdir();
  const stores = new Map(['BROKER', 'VENUE'].map((sessionId) => [sessionId, openFixStore({ directory, sessionId })]));
  const kept = { resetOnLogon: false };
  const sides = [new Recorder(), new Recorder()] as const;
  const [broker, venue] = sides;
  const keys: [string, string][] = [];
  for (const side of sides) {
    side.onEach = (session, message) => {
      const key = `${session.settings.senderCompID} ${session.store.epoch} ${message.msgSeqNum}`;
      keys.push([key, message.ascii(message.bodyPosition)]);
    };
  }
  const session = { ...settings('acceptor', 'VENUE'), ...kept };
  const identify = (): FixSessionProfile => ({ settings: session, store: stores.get('VENUE')! });
  const acceptor = await listen(Object.assign(venue, { identify }), { session });
  const initiator = dial(acceptor.port, broker, {
    session: { ...settings('initiator', 'BROKER'), ...kept },
    store: stores.get('BROKER')!,
  });
  await until(() => initiator.session.loggedOn && venue.sessions.length === 1, 'logged on');
  let sent = 0;
  const say = (from: FixSession): void => {
    from.begin(MsgType.NewOrderSingle, Date.now()).ascii(Tag.ClOrdID, `${sent}`);
    if (from.send(Date.now()) > 0) sent++;
  };
  const resets = 20;
  for (let reset = 1; reset <= resets; reset++) {
    const asks = (): boolean => (reset % 2 === 0 ? acceptor.resetSeqNums('BROKER') : initiator.resetSeqNums());
    await until(asks, 'a reset is asked for');
    const done = (side: Recorder): boolean => side.events.filter((event) => event === 'reset').length === reset;
    await until(() => {
      for (const from of [initiator.session, venue.sessions[0]!]) say(from);
      return done(broker) && done(venue);
    }, 'both have begun anew');
  }
  await until(() => keys.length === sent, 'all that was sent has come');
  t.ok(sent > resets, `${sent} messages`);
  t.equal(new Set(keys.map(([key]) => key)).size, sent, 'under keys of their own');
  t.equal(new Set(keys.map(([, id]) => id)).size, sent, 'each once');
  t.notOk(acceptor.resetSeqNums('NOBODY'));
  await initiator.close('done');
  await acceptor.close('');
  for (const store of stores.values()) await store.close();
  t.notOk(initiator.resetSeqNums());
  t.same(broker.events.filter((event) => event === 'logon VENUE').length, 1, 'in one session');
});
