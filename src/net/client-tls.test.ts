import uWS from 'uWebSockets.js';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { connect } from 'node:tls';
import t, { type Test } from 'tap';
import { WebSocket } from 'ws';
import { type ClientTls, checkClientTls } from './client-tls.ts';
import { clientUrl, isLoopback } from './client-url.ts';
import { loadConfig } from './config.ts';
import { testAuthority } from './testing/test-certificate.ts';
import { openApp } from './ws-server.ts';

const authority = testAuthority('Test Authority');
const desk = authority.sign('desk.test');

function files(t: Test, certificate: string, key: string): ClientTls {
  const directory = t.testdir({ 'desk.pem': certificate, 'desk.key': key });
  const keyFile = join(directory, 'desk.key');
  chmodSync(keyFile, 0o600);
  return { certFile: join(directory, 'desk.pem'), keyFile };
}

t.test('what is wrong with certificate or key is told by the setting', (t) => {
  const good = files(t, desk.certificate, desk.key);
  const now = new Date();
  const refused = (tls: ClientTls, pattern: RegExp, at = now) =>
    t.throws(() => checkClientTls(tls, at), { code: 'CONFIG_INVALID', message: pattern });
  t.doesNotThrow(() => checkClientTls(good, now));
  refused({ ...good, certFile: '' }, /tls_cert: is empty/);
  refused({ ...good, keyFile: '' }, /tls_key: is empty/);
  refused({ ...good, certFile: '/nowhere/desk.pem' }, /tls_cert: \/nowhere\/desk\.pem: ENOENT/);
  refused({ ...good, certFile: good.keyFile }, /tls_cert: .*desk\.key/);
  refused({ ...good, keyFile: good.certFile }, /tls_key: .*desk\.pem/);
  const week = 7 * 86_400_000;
  refused(good, /tls_cert: .*has expired on/, new Date(now.getTime() + week));
  refused(good, /tls_cert: .*is not valid before/, new Date(now.getTime() - week));
  chmodSync(good.keyFile, 0o644);
  refused(good, /tls_key: .*mode 644/);
  chmodSync(good.keyFile, 0o640);
  t.doesNotThrow(() => checkClientTls(good, now), 'a group may read it');
  writeFileSync(good.keyFile, authority.sign('other.test').key);
  refused(good, /tls_key: .*is not the key of/);
  t.end();
});

t.test('the configuration checks them, and clients are told wss', (t) => {
  const { certFile, keyFile } = files(t, desk.certificate, desk.key);
  const directory = t.testdirName;
  const environment = { OUTCRY_TLS: 'true', OUTCRY_TLS_CERT: 'desk.pem', OUTCRY_TLS_KEY: 'desk.key' };
  const config = loadConfig({ environment, directory });
  t.same(config.clientTls, { certFile, keyFile });
  t.equal(clientUrl(config, 9_001), 'wss://127.0.0.1:9001/ws');
  t.equal(clientUrl(loadConfig({ environment: { OUTCRY_HOST: '::1' }, directory }), 1), 'ws://[::1]:1/ws');
  t.throws(() => loadConfig({ environment: { ...environment, OUTCRY_TLS_KEY: '' }, directory }), /tls_key/);
  t.same(['127.0.0.1', '127.8.8.8', '::1', '0.0.0.0', '10.0.0.1', '::'].map(isLoopback), [
    ...[true, true, true, false, false, false],
  ]);
  t.end();
});

t.test('HTTP and WebSocket over TLS, and nothing else, from version 1.2 on', async (t) => {
  const tls = files(t, desk.certificate, desk.key);
  const app = openApp(tls);
  t.teardown(() => app.close());
  app.get('/', (response) => void response.end('served'));
  app.ws('/ws', { message: (socket, message, isBinary) => void socket.send(message, isBinary) });
  const port = await new Promise<number>((resolve) => {
    app.listen('127.0.0.1', 0, (socket) => resolve(uWS.us_socket_local_port(socket as never)));
  });
  const trust = { ca: authority.certificate, servername: 'desk.test' };
  const [answer] = await once(get({ host: '127.0.0.1', port, path: '/', ...trust }), 'response');
  answer.resume();
  t.equal(answer.statusCode, 200);

  const socket = new WebSocket(`wss://127.0.0.1:${port}/ws`, {
    ...trust,
    checkServerIdentity: () => undefined,
  } as object);
  t.teardown(() => socket.terminate());
  socket.once('open', () => socket.send('hello'));
  const [echo] = await once(socket, 'message');
  t.equal(String(echo), 'hello');

  const plain = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  await once(plain, 'error');
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const secure = connect({ host: '127.0.0.1', port, ...trust, minVersion: version, maxVersion: version });
    await once(secure, 'secureConnect');
    t.equal(secure.getProtocol(), version);
    secure.destroy();
  }
  const old = connect({ host: '127.0.0.1', port, ...trust, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' });
  const [refusal] = await once(old, 'error');
  t.ok(refusal, 'TLS 1.1 is not spoken');
});
