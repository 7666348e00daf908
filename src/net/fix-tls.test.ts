import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectPlainTls } from 'node:tls';
import t, { type Test } from 'tap';
import type { FixSession } from '../core/fix/fix-session.ts';
import { MemoryFixStore } from '../core/fix/fix-store.ts';
import { MsgType } from '../core/fix/generated/fix-enums.gen.ts';
import { Tag } from '../core/fix/generated/fix-tags.gen.ts';
import { type FixApplication, type FixSessionSettings, SESSION_DEFAULTS } from '../core/fix/session-contract.ts';
import { connectFix, type FixInitiator, listenFix } from './fix-tcp.ts';
import type { FixTlsClient, FixTlsServer } from './fix-tls.ts';
import { testAuthority } from './testing/test-certificate.ts';
import { PASSWORD_VARIABLE, readVenueCredentials } from './venue-credentials.ts';

const WAIT_MS = 30_000;

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const folder = mkdtempSync(join(tmpdir(), 'outcry-tls-'));
t.teardown(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const authority = testAuthority('Test Authority');
const venueCertificate = authority.sign('venue.test');
const brokerCertificate = authority.sign('broker.test');
const stranger = testAuthority('Another Authority');
const caFile = file('ca.pem', authority.certificate);
const server: FixTlsServer = {
  certFile: file('venue.pem', venueCertificate.certificate),
  keyFile: file('venue.key', venueCertificate.key),
  caFile: '',
};
const client: FixTlsClient = { caFile, certFile: '', keyFile: '', serverName: 'venue.test' };

class Recorder implements FixApplication {
  messageCount = 0;
  onLogon(): void {}
  onMessage(session: FixSession): void {
    this.messageCount++;
    if (session.settings.role === 'acceptor') {
      session.begin(MsgType.ExecutionReport, session.nowMs).ascii(Tag.OrderID, 'V-1');
      session.send(session.nowMs);
    }
  }
  onGap(): void {}
  onLogout(_session: FixSession, _text: string): void {}
}

function settings(role: 'initiator' | 'acceptor'): FixSessionSettings {
  const isBroker = role === 'initiator';
  const own = { senderCompID: isBroker ? 'BROKER' : 'VENUE', targetCompID: isBroker ? 'VENUE' : '' };
  return { ...SESSION_DEFAULTS, role, ...own, gapPolicy: 'resend' };
}

/** An acceptor and an initiator; `details` is what the initiator was told of its connections. */
async function pair(t: Test, serverTls: FixTlsServer | null, clientTls: FixTlsClient | null) {
  const venue = new Recorder();
  const broker = new Recorder();
  const details: string[] = [];
  const acceptor = await listenFix({ port: 0, session: settings('acceptor'), application: venue, tls: serverTls });
  const initiator: FixInitiator = connectFix({
    host: '127.0.0.1',
    port: acceptor.port,
    session: settings('initiator'),
    application: broker,
    tls: clientTls,
    reconnectMinMs: 10,
    reconnectMaxMs: 50,
    onConnection: (event, detail) => details.push(`${event} ${detail}`),
  });
  t.teardown(async () => {
    await initiator.close('');
    await acceptor.close('');
  });
  return { acceptor, initiator, venue, broker, details };
}

t.test('TLS: a session over it, both ways, under load', async (t) => {
  const { initiator, venue, broker } = await pair(t, server, client);
  await until(() => initiator.session.loggedOn, 'logged on');
  const count = 5_000;
  for (let i = 0; i < count; i++) {
    initiator.session.begin(MsgType.NewOrderSingle, Date.now()).ascii(Tag.ClOrdID, `order-${i}`);
    initiator.session.send(Date.now());
  }
  await until(() => broker.messageCount === count, 'every order is answered');
  t.equal(venue.messageCount, count);
});

t.test('TLS: a client certificate, where the venue asks for one', async (t) => {
  const asking = { ...server, caFile };
  const known = {
    ...client,
    certFile: file('broker.pem', brokerCertificate.certificate),
    keyFile: file('broker.key', brokerCertificate.key),
  };
  const { initiator } = await pair(t, asking, known);
  await until(() => initiator.session.loggedOn, 'logged on with a certificate');
  const other = stranger.sign('broker.test');
  const unknown = { ...client, certFile: file('o.pem', other.certificate), keyFile: file('o.key', other.key) };
  for (const without of [client, unknown]) {
    const refused = await pair(t, asking, without);
    await until(() => refused.details.length >= 2, 'refused');
    t.notOk(refused.initiator.session.loggedOn);
  }
});

t.test('TLS: a certificate of another authority, or for another name, is not taken', async (t) => {
  const others = { ...client, caFile: file('other-ca.pem', stranger.certificate) };
  for (const [tls, reason] of [
    [others, /unable to verify|self-signed/],
    [{ ...client, serverName: 'elsewhere.test' }, /does not match|altnames/],
  ] as const) {
    const { initiator, details } = await pair(t, server, tls);
    await until(() => details.length >= 2, 'refused twice: it is tried again');
    t.match(details[0], reason);
    t.equal(initiator.connectCount, 0, 'no byte of FIX was sent');
  }
});

t.test('TLS: below 1.2, and plain TCP, nothing is served', async (t) => {
  const { acceptor } = await pair(t, server, client);
  const old = connectPlainTls({
    port: acceptor.port,
    host: '127.0.0.1',
    ca: authority.certificate,
    servername: 'venue.test',
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  });
  const [error] = await new Promise<[Error]>((resolve) => old.once('error', (e) => resolve([e])));
  t.match(error.message, /protocol|version|handshake|alert/i);
  const plain = await pair(t, server, null);
  await until(() => plain.details.some((detail) => detail.startsWith('disconnected')), 'cut off');
  t.notOk(plain.initiator.session.loggedOn);
});

t.test('TLS: a file that is wrong is named before anything is connected', (t) => {
  const attempt = (tls: FixTlsClient) => () =>
    connectFix({ host: '127.0.0.1', port: 1, session: settings('initiator'), application: new Recorder(), tls });
  t.throws(attempt({ ...client, caFile: join(folder, 'nowhere.pem') }), { code: 'CONFIG_INVALID', message: /nowhere/ });
  t.throws(attempt({ ...client, certFile: caFile }), { code: 'CONFIG_INVALID', message: /go together/ });
  t.end();
});

t.test('credentials come from the environment or a file, and no error shows them', (t) => {
  t.equal(readVenueCredentials('', '', {}), null);
  const environment = { [PASSWORD_VARIABLE]: 'from the environment' };
  t.same(readVenueCredentials('U', '', environment), { username: 'U', password: 'from the environment' });
  const path = file('password', 'from the file\n');
  t.same(readVenueCredentials('U', path, environment), { username: 'U', password: 'from the file' });
  const wrong = file('wrong', 'secr\u0001et');
  for (const attempt of [
    () => readVenueCredentials('U', wrong, {}),
    () => readVenueCredentials('U', '', {}),
    () => readVenueCredentials('U', '', { [PASSWORD_VARIABLE]: 'secr\u0001et' }),
    () => readVenueCredentials('U', join(folder, 'none'), {}),
  ]) {
    const error = t.throws(attempt, { code: 'CONFIG_INVALID' }) as unknown as Error;
    t.notMatch(String(error), /secr/);
  }
  t.end();
});

t.test('credentials go with each Logon, and nowhere else', async (t) => {
  const received: string[] = [];
  const venue = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (data) => {
      received.push(data.toString('latin1').replaceAll('\u0001', '|'));
      socket.destroy();
    });
  }).listen(0, '127.0.0.1');
  await once(venue, 'listening');
  const details: string[] = [];
  const initiator = connectFix({
    host: '127.0.0.1',
    port: (venue.address() as AddressInfo).port,
    session: { ...settings('initiator'), credentials: { username: 'DESK', password: 'open sesame' } },
    application: new Recorder(),
    reconnectMinMs: 10,
    reconnectMaxMs: 10,
    onConnection: (_, detail) => details.push(detail),
  });
  await until(() => received.length === 2, 'two Logons');
  await initiator.close('');
  venue.close();
  for (const logon of received) t.match(logon, '|553=DESK|554=open sesame|');
  t.notMatch(details.join(), 'sesame');
});

t.test('an acceptor that asks for credentials, over TCP and TLS', async (t) => {
  const credentials = { username: 'DESK', password: 'open sesame' };
  for (const [serverTls, clientTls] of [
    [null, null],
    [server, client],
  ] as const) {
    const logouts: string[] = [];
    const venue = new Recorder();
    const acceptor = await listenFix({
      port: 0,
      session: { ...settings('acceptor'), resetOnLogon: false, credentials },
      application: venue,
      tls: serverTls,
    });
    t.teardown(() => acceptor.close(''));
    const dial = (password: string, broker: Recorder, store: MemoryFixStore): FixInitiator =>
      connectFix({
        host: '127.0.0.1',
        port: acceptor.port,
        session: { ...settings('initiator'), resetOnLogon: false, credentials: { ...credentials, password } },
        application: broker,
        store,
        tls: clientTls,
        reconnectMinMs: 10,
        reconnectMaxMs: 20,
      });
    const refused = new Recorder();
    refused.onLogout = (_session, text) => logouts.push(text);
    const wrong = dial('guess', refused, new MemoryFixStore());
    await until(() => logouts.length >= 2, 'refused, and again');
    t.notOk(wrong.session.loggedOn);
    await wrong.close('');
    t.match(logouts[0], 'Username(553) or Password(554) not accepted');
    t.notMatch(logouts.join(), /guess|sesame/);
    const broker = new Recorder();
    const right = dial(credentials.password, broker, new MemoryFixStore());
    await until(() => right.session.loggedOn, 'logged on with the password');
    right.session.begin(MsgType.NewOrderSingle, Date.now()).ascii(Tag.ClOrdID, 'o-1');
    right.session.send(Date.now());
    await until(() => broker.messageCount === 1, 'the order is answered');
    await right.close('');
  }
});
