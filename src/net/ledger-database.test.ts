/** The database under the ledger: started, killed, refused, migrated. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { OutcryError } from '../core/errors.ts';
import { withLedger } from './ledger-access.ts';
import { openLedgerDatabase } from './ledger-database.ts';
import { LedgerPostgres } from './ledger-postgres.ts';
import { LedgerReader } from './ledger-reader.ts';
import { clientConfig, connectLedger, type LedgerTarget } from './ledger-target.ts';
import { migrate, readMigrations } from './migrate.ts';
import { EMBEDDED_PORT, EMBEDDED_USERS, startEmbeddedPostgres } from './postgres-embedded.ts';
import { openTestDatabase, TEST_SHARD, TestLedger, testServers } from './testing/ledger-fixture.ts';
import { LineProcess } from './testing/line-process.ts';

const WAIT_MS = 60_000;
const silent = (): void => {};

function superuser(target: LedgerTarget) {
  const { socketDirectory: host } = target as { socketDirectory: string };
  return connectLedger({ host, port: EMBEDDED_PORT, database: 'outcry', user: EMBEDDED_USERS.superuser, password: '' });
}

async function isGone(pid: number): Promise<boolean> {
  const deadline = Date.now() + WAIT_MS;
  for (;;) {
    try {
      if (readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.startsWith('Z')) return true;
    } catch {
      return true;
    }
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const root = t.testdir();
chmodSync(root, 0o755);
/** Made once: each test leaves a whole cluster in it. */
let dataDir = '';

for (const { name, binDirectory } of testServers()) {
  await t.test(`${name}: killed while it commits, nothing that was acknowledged is lost`, async (t) => {
    dataDir = join(root, binDirectory === undefined ? 'embedded' : 'installed');
    mkdirSync(dataDir);
    let database = await openTestDatabase(dataDir, binDirectory);
    const test = await new TestLedger(database).claim();
    const account = await test.account(1, 1_000_000);
    let acknowledged = account.seq;
    const { pid } = database.server!;
    setTimeout(() => process.kill(pid, 'SIGKILL'), 300);
    let last: Awaited<ReturnType<LedgerPostgres['commit']>>;
    do {
      last = await test.ledger.commit(test.place(account, 1));
      if (last.kind === 'committed') acknowledged = account.seq;
    } while (last.kind === 'committed');
    t.match(last.kind, /unknown|unavailable/);
    await test.ledger.close();
    t.equal(await database.server!.ended, 'SIGKILL');
    database = await openTestDatabase(dataDir, binDirectory);
    const reader = new LedgerReader(database.target);
    const seq = (await reader.funds(1))!.seq;
    t.ok(
      acknowledged > 2 && (seq === acknowledged || seq === acknowledged + 1),
      `${acknowledged} acknowledged, ${seq} there`,
    );
    await reader.close();
    await database.close();
  });
}

dataDir = join(root, 'embedded');

await t.test('our death is its death, and the next start waits for it', async (t) => {
  const entry = fileURLToPath(new URL('./testing/postgres-owner.js', import.meta.url));
  const owner = new LineProcess('sh', ['-c', `echo $$; exec "$0" "$@"`, process.execPath, entry, dataDir], WAIT_MS);
  const ownerPid = Number(await owner.next(''));
  const [, pid] = (await owner.next('ready')).split(' ').map(Number);
  t.match(readFileSync(`/proc/${pid}/comm`, 'utf8'), 'postgres');
  if (process.getuid?.() === 0) t.not(statSync(`/proc/${pid}`).uid, 0, 'it is not root');
  process.kill(ownerPid, 'SIGKILL');
  const next = await openTestDatabase(dataDir);
  t.ok(await isGone(pid!), 'it is gone');
  t.not(next.server!.pid, pid);
  await next.close();
  await owner.stop();
});

await t.test('a postmaster.pid that names somebody else is in nobody’s way', async (t) => {
  const first = await openTestDatabase(dataDir);
  const file = join(dataDir, 'postgres/cluster/postmaster.pid');
  const lines = readFileSync(file, 'utf8').split('\n');
  await first.close();
  writeFileSync(file, [process.pid, ...lines.slice(1)].join('\n'));
  const second = await openTestDatabase(dataDir);
  await second.close();
  t.same(readdirSync(join(dataDir, 'postgres')), ['cluster'], 'sockets and pid files are gone');
});

await t.test('a data directory too deep for a socket', async (t) => {
  const deep = join(root, 'd'.repeat(90));
  renameSync(dataDir, deep);
  dataDir = deep;
  const database = await openTestDatabase(dataDir);
  const { socketDirectory } = database.server!;
  t.equal(statSync(socketDirectory).mode & 0o777, 0o700);
  const log = readFileSync(join(dataDir, 'postgres.log'), 'utf8');
  t.match(log, 'ready to accept connections');
  await database.close();
  t.throws(() => statSync(socketDirectory), { code: 'ENOENT' });
  dataDir = join(root, 'embedded');
  renameSync(deep, dataDir);
});

await t.test(
  'a closed directory is named',
  { skip: process.getuid?.() === 0 ? false : 'only root drops to another user' },
  async (t) => {
    const closed = join(root, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    mkdirSync(join(closed, 'data'));
    const start = startEmbeddedPostgres({ dataDir: join(closed, 'data'), log: silent });
    await t.rejects(start, { code: 'LEDGER_UNREACHABLE', message: /closed is closed to the user/ });
  },
);

await t.test('settings, versions and servers that are refused', async (t) => {
  const database = await openTestDatabase(dataDir);
  t.teardown(() => database.close());
  const { client } = await superuser(database.target);
  t.teardown(() => client.end());
  const { socketDirectory } = database.server!;
  const url = `postgres://postgres@localhost/outcry?host=${encodeURIComponent(socketDirectory)}`;
  const open = () => openLedgerDatabase({ dataDir, url, passwordFile: '', log: silent });
  await (await open()).close();
  await client.query('ALTER DATABASE outcry SET synchronous_commit = off');
  await t.rejects(open(), { code: 'LEDGER_UNSAFE', message: /synchronous_commit is off/ });
  const ledger = new LedgerPostgres(database.target, TEST_SHARD);
  const { epoch, lastBatchId } = await ledger.claimShard();
  const none = { events: [], accounts: [], newOrders: [], changedOrders: [], positions: [], holdings: [], trades: [] };
  const batch = { batchId: lastBatchId + 1, shard: TEST_SHARD, epoch, ...none, sessions: [] };
  t.match(await ledger.commit(batch), { kind: 'unavailable', text: /synchronous_commit is off/ });
  await client.query('ALTER DATABASE outcry RESET synchronous_commit');
  t.same(await ledger.commit(batch), { kind: 'committed' }, 'it serves by itself when that is mended');
  await ledger.close();
  const nobody = openLedgerDatabase({ dataDir, url: 'postgres://x@127.0.0.1:1/x', passwordFile: '', log: silent });
  await t.rejects(nobody, { code: 'LEDGER_UNREACHABLE', message: /127\.0\.0\.1:1/ });
});

await t.test('a server by URL, with a password, whose engine login owns nothing', async (t) => {
  const database = await openTestDatabase(dataDir);
  t.teardown(() => database.close());
  const { client } = await superuser(database.target);
  await client.query('CREATE ROLE desk LOGIN');
  await client.query('GRANT outcry_engine TO desk');
  await client.query('CREATE DATABASE theirs OWNER desk');
  await client.end();
  const hba = join(dataDir, 'postgres/cluster/pg_hba.conf');
  writeFileSync(hba, `local theirs desk trust\n${readFileSync(hba, 'utf8')}`);
  process.kill(database.server!.pid, 'SIGHUP');
  const url = `postgres://desk@localhost/theirs?host=${encodeURIComponent(database.server!.socketDirectory)}`;
  const values = { ledger_url: url };
  const passwordFile = join(dataDir, 'password');
  writeFileSync(passwordFile, 'not asked for\n');
  const options = { dataDir, url, passwordFile, log: silent };
  const theirs = await eventually(() => openLedgerDatabase(options));
  const test = await new TestLedger(theirs).claim();
  await test.account(1, 5);
  await test.ledger.close();
  const { client: engine } = await connectLedger(clientConfig(theirs.target, 'engine'));
  t.equal((await engine.query('SELECT current_user AS name')).rows[0].name, 'outcry_engine');
  await t.rejects(engine.query('DELETE FROM outcry.accounts'), { code: '42501' });
  await engine.end();
  const config = { dataDir, ledgerPasswordFile: passwordFile, values };
  t.equal(await withLedger(config, silent, async (target) => target.kind), 'url');
});

/** The server reads its files again a moment after it was told to. */
async function eventually<T>(work: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + WAIT_MS; ; ) {
    try {
      return await work();
    } catch (error) {
      if ((error as OutcryError).code !== 'LEDGER_UNREACHABLE' || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

await t.test('migrations', async (t) => {
  const database = await openTestDatabase(dataDir);
  t.teardown(() => database.close());
  const { client } = await connectLedger(clientConfig(database.target, 'owner'));
  t.teardown(() => client.end());
  const ours = readMigrations();
  const more = (sql: string) => [...ours, { number: ours.length + 1, name: '9999-more.sql', sql, checksum: 'x' }];
  await t.rejects(migrate(client, more('CREATE TABLE half (x int);\nSELEC'), silent), {
    code: 'LEDGER_MIGRATION',
    message: /9999-more.sql, line 2/,
  });
  t.same((await client.query(`SELECT to_regclass('outcry.half') AS half`)).rows, [{ half: null }], 'all or nothing');
  const { client: other, destroy } = await connectLedger(clientConfig(database.target, 'owner'));
  await Promise.all([client, other].map((each) => migrate(each, more('CREATE TABLE once (x int)'), silent)));
  destroy();
  await migrate(client, more('CREATE TABLE once (x int)'), silent);
  await t.rejects(
    migrate(client, ours, silent),
    { code: 'LEDGER_MIGRATION', message: /has 9999-more.sql/ },
    'a newer one',
  );
  const changed = [{ ...ours[0]!, checksum: 'y' }, ...more('').slice(1)];
  await t.rejects(migrate(client, changed, silent), {
    code: 'LEDGER_MIGRATION',
    message: /0001-ledger.sql is not the/,
  });
  const gap = join(dataDir, 'gap');
  mkdirSync(gap);
  for (const name of ['0001-a.sql', '0003-b.sql']) writeFileSync(join(gap, name), '');
  t.throws(() => readMigrations(gap), { code: 'LEDGER_MIGRATION', message: /0003-b.sql is not number 2/ });
});
