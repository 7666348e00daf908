/** The small services of a running Outcry that are about its machine: data lock, log file, control socket, native library. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { OutcryError } from '../core/errors.ts';
import { askControl, type ControlRequest, controlSocketPath, serveControl } from './control-socket.ts';
import { lockDataDir, lockOwner } from './data-lock.ts';
import { LogFile } from './log-file.ts';
import { checkNative, inspectNative, KNOWN_BINARIES, type NativeLibrary } from './native-check.ts';

t.test('a data directory has one owner', async (t) => {
  const dataDir = t.testdir();
  t.equal(lockOwner(dataDir), undefined);
  const release = lockDataDir(dataDir);
  t.equal(lockOwner(dataDir), process.pid);
  t.throws(() => lockDataDir(dataDir), { code: 'REQUEST_REFUSED', message: new RegExp(`as process ${process.pid}$`) });
  release();
  t.equal(lockOwner(dataDir), undefined);
  t.same(readdirSync(dataDir), [], 'nothing is left');
});

t.test('what a dead owner left is taken over', async (t) => {
  const dataDir = t.testdir();
  const lock = join(dataDir, 'outcry.lock');
  const { pid } = spawnSync(process.execPath, ['--version']);
  for (const stale of [`${pid} 12345\n`, `${process.pid} 1\n`, 'garbage', '']) {
    writeFileSync(lock, stale);
    t.equal(lockOwner(dataDir), undefined, JSON.stringify(stale));
    const release = lockDataDir(dataDir);
    t.equal(lockOwner(dataDir), process.pid);
    release();
    t.same(readdirSync(dataDir), []);
  }
});

t.test('a log file is bounded by two of its size', async (t) => {
  const path = join(t.testdir(), 'x.log');
  const log = new LogFile(path, 1_000);
  for (let i = 0; i < 100; i++) log.write(`${String(i).padStart(98, '.')}\n`);
  log.close();
  t.ok(statSync(path).size <= 1_000);
  t.equal(statSync(`${path}.1`).size <= 1_000, true);
  t.match(readFileSync(path, 'utf8'), /99\n$/, 'the newest line is in the file');
  const again = new LogFile(path, 1_000);
  again.write(`${'z'.repeat(2_000)}\n`);
  t.match(readFileSync(path, 'utf8'), /^z{2000}\n$/, 'a line that is too long alone is kept whole');
  again.close();
});

t.test('the control socket', async (t) => {
  const dataDir = t.testdir();
  const asked: ControlRequest[] = [];
  await t.rejects(askControl(dataDir, { type: 'status' }), { code: 'NOT_RUNNING' });
  writeFileSync(controlSocketPath(dataDir), 'what a dead owner left');
  const server = await serveControl(dataDir, async (request) => {
    asked.push(request);
    if (request.type === 'drill') throw new OutcryError('REQUEST_REFUSED', 'drills are off');
    return { answer: request.type };
  });
  t.equal(statSync(controlSocketPath(dataDir)).mode & 0o777, 0o600);
  t.same(await askControl(dataDir, { type: 'status' }), { answer: 'status' });
  await t.rejects(askControl(dataDir, { type: 'drill', kind: 'hang', worker: 'feed' }), {
    code: 'REQUEST_REFUSED',
    message: 'the engine refused the request: drills are off',
  });
  for (const bad of [
    'nonsense',
    '{}',
    '{"type":"drill","kind":"melt","worker":"feed"}',
    '{"type":"status","more":1}',
    `"${'x'.repeat(5_000)}`,
  ]) {
    const reply = await raw(dataDir, `${bad}\n`);
    t.match(JSON.parse(reply), { ok: false, code: 'PROTOCOL_VIOLATION' }, bad.slice(0, 40));
  }
  t.equal(asked.length, 2, 'what is malformed reaches nobody');
  server.close();
  await once(server, 'close');
  t.notOk(existsSync(controlSocketPath(dataDir)));
});

async function raw(dataDir: string, text: string): Promise<string> {
  const socket = createConnection(controlSocketPath(dataDir));
  let reply = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    reply += chunk;
  });
  socket.on('error', () => {});
  socket.write(text);
  await once(socket, 'close');
  return reply;
}

t.test('the native library', async (t) => {
  const lines: string[] = [];
  const log = (_level: string, text: string): void => void lines.push(text);
  const native = inspectNative();
  checkNative(native, log);
  t.same(lines, [], 'the installed library is the pinned one and has every function');
  t.equal(native.sha256, KNOWN_BINARIES[native.key]);

  checkNative({ ...native, sha256: '0'.repeat(64) }, log);
  t.match(lines, [/not the one that the lockfile pins/], 'another binary is a warning');

  checkNative({ ...native, key: 'plan9_mips_1', sha256: '0'.repeat(64) }, log);
  t.equal(lines.length, 1, 'of a machine that nobody pinned nothing is said');

  const poor: NativeLibrary = {
    ...native,
    moduleFunctions: native.moduleFunctions.filter((name) => name !== 'us_listen_socket_close'),
    appFunctions: native.appFunctions.filter((name) => name !== 'ws'),
  };
  t.throws(() => checkNative(poor, log), {
    code: 'NATIVE_UNSUPPORTED',
    message: /lacks us_listen_socket_close, App\.ws$/,
  });
});
