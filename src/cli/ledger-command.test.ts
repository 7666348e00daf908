/** `outcry ledger`, with an engine that runs, one that does not, and none. */
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { clientConfig, connectLedger } from '../net/ledger-target.ts';
import { clearLeftovers } from '../net/postgres-leftovers.ts';
import { openTestDatabase, TestLedger } from '../net/testing/ledger-fixture.ts';
import { LineProcess } from '../net/testing/line-process.ts';

const WAIT_MS = 60_000;

await t.test('verify, at, rebuild', async (t) => {
  const dataDir = t.testdir();
  chmodSync(dataDir, 0o755);
  const cli = fileURLToPath(new URL('../cli.js', import.meta.url));
  const run = (...args: string[]) => {
    const env = { ...process.env, OUTCRY_DATA_DIR: dataDir };
    try {
      const out = execFileSync(process.execPath, [cli, 'ledger', ...args], {
        env,
        encoding: 'utf8',
        stdio: 'pipe',
        timeout: WAIT_MS,
      });
      return { code: 0, out };
    } catch (error) {
      const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
      return { code: status, out: stdout + stderr };
    }
  };
  t.match(run('verify'), { code: 1, out: /has no ledger yet/ });
  const database = await openTestDatabase(dataDir);
  const test = await new TestLedger(database).claim();
  await test.account(7, 123_456);
  await test.ledger.close();
  await database.close();
  const report = run('verify', '--json');
  t.equal(report.code, 0);
  t.match(JSON.parse(report.out), { accounts: 1, events: 2, isClean: true });
  t.match(run('at', '--user', '7', '--time', '2099-01-01').out, /available +1234\.56/);
  t.match(JSON.parse(run('at', '--user', '7', '--time', '2099-01-01', '--json').out), {
    userId: 7,
    cashPaise: 123_456,
  });
  t.match(run('at', '--user', '7', '--time', '1999-01-01'), { code: 4, out: /no account 7 then/ });
  t.equal(run('at', '--user', 'x', '--time', '2099-01-01').code, 2);
  t.match(run('rebuild'), { code: 0, out: /1 accounts, 0 orders/ });
  const entry = fileURLToPath(new URL('../net/testing/postgres-owner.js', import.meta.url));
  const owner = new LineProcess(process.execPath, [entry, dataDir], WAIT_MS);
  const [, , socketDirectory] = (await owner.next('ready')).split(' ');
  t.match(run('verify'), { code: 0, out: /agrees with itself/ }, 'of the one that runs');
  const damaged = await connectLedger(clientConfig({ kind: 'embedded', socketDirectory: socketDirectory! }, 'owner'));
  await damaged.client.query('UPDATE outcry.accounts SET total_value_paise = 0');
  damaged.destroy();
  t.match(run('verify'), { code: 4, out: /totalValuePaise/ });
  process.kill(Number(readFileSync(join(dataDir, 'outcry.lock'), 'utf8').split(' ')[0]), 'SIGKILL');
  await owner.stop();
  await clearLeftovers(join(dataDir, 'postgres/cluster'));
});
