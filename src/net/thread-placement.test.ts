import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { allowedCpus, nameThread, pinThread } from './thread-placement.ts';

t.test('a thread has the name and the CPUs that it was given', async (t) => {
  const before = allowedCpus();
  const last = before.at(-1) as number;
  nameThread('a-name-longer-than-15');
  t.equal(readFileSync('/proc/thread-self/comm', 'utf8'), 'a-name-longer-t\n');
  t.equal(pinThread([last]), '');
  t.same(allowedCpus(), [last]);
  t.equal(pinThread([]), '');
  t.same(allowedCpus(), [last], 'none: nothing is changed');
  t.equal(pinThread(before), '');
  t.same(allowedCpus(), before);
});

t.test('a CPU that is not there, and no taskset: the reason is told', async (t) => {
  const before = allowedCpus();
  t.match(pinThread([4_095]), /taskset/);
  const path = process.env.PATH;
  const empty = mkdtempSync(join(tmpdir(), 'outcry-no-programs-'));
  try {
    process.env.PATH = empty;
    t.match(pinThread(before), /taskset of util-linux cannot be run: .*ENOENT/);
  } finally {
    process.env.PATH = path;
    rmSync(empty, { recursive: true });
  }
  t.same(allowedCpus(), before);
});
