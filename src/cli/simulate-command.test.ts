import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const CLI = fileURLToPath(new URL('../cli.js', import.meta.url));

t.test('simulate: a broken invariant is exit code 1, and the last line tells how to see it again', (t) => {
  const args = ['simulate', '--day-seed', '1000', '--bug', 'posting-unbalanced'];
  const { status, stdout } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8' });
  t.equal(status, 1);
  const lines = stdout.trimEnd().split('\n');
  t.match(lines[0], /^day 1000: \d+ orders, digest [0-9a-f]{16}, BROKEN postings-zero/);
  const summary = JSON.parse(lines.at(-1)!);
  t.match(summary, { seed: 1, days: 1, broken: [{ daySeed: 1000 }], coverage: { cells: 120 } });
  t.type(summary.orders, 'number');
  t.type(summary.faults['engine-crash'], 'number');
  t.end();
});

t.test('simulate: --json prints one line; an unknown bug is wrong usage', (t) => {
  const json = spawnSync(
    process.execPath,
    [CLI, 'simulate', '--days', '2', '--threads', '2', '--bug', 'push-lost', '--json'],
    { encoding: 'utf8' },
  );
  t.equal(json.status, 1);
  t.equal(json.stdout.trimEnd().split('\n').length, 1);
  t.equal(JSON.parse(json.stdout).broken.length, 2);
  const unknown = spawnSync(process.execPath, [CLI, 'simulate', '--bug', 'none'], { encoding: 'utf8' });
  t.equal(unknown.status, 2);
  t.end();
});
