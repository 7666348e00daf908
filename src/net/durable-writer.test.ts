import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { FixMessage } from '../core/fix/fix-message.ts';
import type { FixSession } from '../core/fix/fix-session.ts';
import { MsgType } from '../core/fix/generated/fix-enums.gen.ts';
import { Tag } from '../core/fix/generated/fix-tags.gen.ts';
import { DisconnectReason, type FixApplication, SESSION_DEFAULTS } from '../core/fix/session-contract.ts';
import { fixSessionId } from '../core/fix/store-state.ts';
import { seededRandom } from '../core/fix/testing/seeded-random.ts';
import { FileFixStore, openFixStore } from './fix-store-file.ts';
import { connectFix, type FixAcceptor, type FixInitiator, listenFix } from './fix-tcp.ts';
import { CrashFiles } from './testing/crash-files.ts';

/** The edge of a session with a store: no byte leaves before what belongs to it is on the disk. */

const WAIT_MS = 30_000;

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

class Recorder implements FixApplication {
  readonly received: number[] = [];
  readonly logouts: string[] = [];
  logons = 0;
  onLogon(): void {
    this.logons++;
  }
  onMessage(_session: FixSession, message: FixMessage): void {
    this.received.push(message.msgSeqNum);
  }
  onGap(): void {}
  onLogout(_session: FixSession, text: string): void {
    this.logouts.push(text);
  }
}

function settings(role: 'initiator' | 'acceptor') {
  return {
    ...SESSION_DEFAULTS,
    role,
    senderCompID: role === 'initiator' ? 'BROKER' : 'VENUE',
    targetCompID: role === 'initiator' ? 'VENUE' : 'BROKER',
    gapPolicy: 'resend' as const,
    resetOnLogon: false,
    logoutTimeoutMs: 300,
    hangUpTimeoutMs: 100,
  };
}

function listen(application: FixApplication, port = 0): Promise<FixAcceptor> {
  return listenFix({ port, session: settings('acceptor'), application });
}

function dial(port: number, application: FixApplication, store: FileFixStore, outboundBytesMax = 65_536): FixInitiator {
  const session = settings('initiator');
  const reconnect = { reconnectMinMs: 5, reconnectMaxMs: 10 };
  return connectFix({ host: '127.0.0.1', port, session, application, store, outboundBytesMax, ...reconnect });
}

function sendOrder(session: FixSession): number {
  const encoder = session.begin(MsgType.NewOrderSingle, Date.now());
  encoder.ascii(Tag.ClOrdID, `order ${session.nextOutSeqNum}`);
  return session.send(Date.now());
}

function heldStore(): { files: CrashFiles; store: FileFixStore } {
  const files = new CrashFiles(seededRandom(1), Date.now());
  return { files, store: new FileFixStore({ directory: '/', sessionId: 'FIX.4.4-BROKER-VENUE', files }) };
}

/** Turns of the event loop, in each of which a byte that was let go would have arrived. */
async function turns(count: number): Promise<void> {
  for (; count > 0; count--) await new Promise((resolve) => setImmediate(resolve));
}

t.test('nothing leaves before it is durable; what gathers meanwhile leaves with the next group', async (t) => {
  const venue = new Recorder();
  const broker = new Recorder();
  const acceptor = await listen(venue);
  const { files, store } = heldStore();
  const initiator = dial(acceptor.port, broker, store);
  await until(() => initiator.connectCount === 1, 'the connection stands');
  await turns(50);
  t.equal(venue.logons, 0, 'not even the Logon');
  t.ok(files.step() && files.step(), 'written and synced');
  await until(() => venue.logons === 1 && broker.logons === 1, 'logged on');
  t.equal(sendOrder(initiator.session), 2);
  await Promise.resolve();
  files.step();
  t.equal(sendOrder(initiator.session), 3);
  t.equal(sendOrder(initiator.session), 4);
  await turns(50);
  t.same(venue.received, [], 'written is not durable');
  files.step();
  await until(() => venue.received.length === 1, 'the first order is there');
  await turns(50);
  t.same(venue.received, [2]);
  files.step();
  files.step();
  await until(() => venue.received.length === 3, 'those of the next group are there');
  t.same(venue.received, [2, 3, 4]);
  const closed = initiator.close('done');
  await until(() => files.step(), 'the Logout is to be written');
  files.step();
  await closed;
  await acceptor.close('done');
  t.ok(venue.logouts.includes('done'), 'the Logout went out once it was durable');
});

t.test('a store that fails takes the session down at once, and it is not tried again', async (t) => {
  const venue = new Recorder();
  const broker = new Recorder();
  const acceptor = await listen(venue);
  const { files, store } = heldStore();
  const initiator = dial(acceptor.port, broker, store);
  await until(() => files.step(), 'the Logon is written');
  files.step();
  await until(() => broker.logons === 1, 'logged on');
  sendOrder(initiator.session);
  await Promise.resolve();
  files.failOneIn = 1;
  files.step();
  await until(() => broker.logouts.length === 1, 'the session is down');
  t.same(broker.logouts, [DisconnectReason.StoreFailed]);
  t.equal(store.durability.failure?.code, 'STORE_FAILED');
  t.ok(sendOrder(initiator.session) < 0, 'nothing more can be sent');
  await until(() => venue.logouts.length === 1, 'the counterparty sees the connection lost');
  t.same(venue.received, []);
  await turns(100);
  t.equal(initiator.connectCount, 1);
  await initiator.close('');
  await acceptor.close('');
});

t.test(
  'what waits for the disk counts as what waits for the counterparty: beyond the bound the connection ends',
  async (t) => {
    const venue = new Recorder();
    const broker = new Recorder();
    const acceptor = await listen(venue);
    const { files, store } = heldStore();
    const initiator = dial(acceptor.port, broker, store, 4_096);
    await until(() => files.step(), 'the Logon is written');
    files.step();
    await until(() => broker.logons === 1, 'logged on');
    let sent = 0;
    while (sendOrder(initiator.session) > 0 && sent < 1_000) sent++;
    t.ok(sent > 10 && sent < 100, `${sent} orders in 4 KiB`);
    await until(() => broker.logouts.length > 0, 'the session is down');
    t.same(broker.logouts, [DisconnectReason.SlowConsumer]);
    await initiator.close('');
    await acceptor.close('');
  },
);

t.test(
  'two file stores: numbers go on over a restart of both sides, and each side asks for what it missed',
  async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'outcry-edge-'));
    t.teardown(() => rmSync(directory, { recursive: true, force: true }));
    const ids = [fixSessionId('FIX.4.4', 'BROKER', 'VENUE'), fixSessionId('FIX.4.4', 'VENUE', 'BROKER')] as const;
    const received: number[] = [];
    for (let life = 0; life < 3; life++) {
      const stores = ids.map((sessionId) => openFixStore({ directory, sessionId })) as [FileFixStore, FileFixStore];
      const venue = new Recorder();
      const broker = new Recorder();
      const identify = () => ({ settings: settings('acceptor'), store: stores[1] });
      const acceptor = await listen(Object.assign(venue, { identify }));
      const initiator = dial(acceptor.port, broker, stores[0]);
      await until(() => broker.logons === 1, 'logged on');
      for (let i = 0; i < 20; i++) sendOrder(initiator.session);
      await until(() => venue.received.length >= 20, 'orders are there');
      received.push(...venue.received);
      await initiator.close('');
      await acceptor.close('');
      for (const store of stores) await store.close();
    }
    const expected = received.length;
    t.equal(new Set(received).size, expected, 'none came twice');
    t.ok(expected >= 60);
  },
);
