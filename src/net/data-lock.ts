import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OutcryError } from '../core/errors.ts';

/** Rounds of taking away what a dead process left; each round that fails means that somebody else was quicker. */
const TRIES = 10;

/**
 * A data directory belongs to one running Outcry. The lock is a file with the owner's pid and start time: the pid alone may long belong to another
 * process. Raises REQUEST_REFUSED, naming the owner, when it is alive. Returns the release.
 */
export function lockDataDir(dataDir: string): () => void {
  const path = join(dataDir, 'outcry.lock');
  const own = `${path}.${process.pid}`;
  const content = `${process.pid} ${startTime(process.pid) ?? 0}\n`;
  // Written aside and linked into place: nobody ever reads a lock half written.
  writeFileSync(own, content);
  try {
    for (let tries = 0; tries < TRIES; tries++) {
      if (tryLink(own, path)) return () => release(path, content);
      const held = readLock(path);
      if (held === undefined) continue;
      const [pid = 0, started = 0] = held.split(' ').map(Number);
      if (pid > 0 && (startTime(pid) ?? -1) === started) {
        throw new OutcryError('REQUEST_REFUSED', `Outcry already runs on ${dataDir}, as process ${pid}`);
      }
      removeStale(path, held, own);
    }
    throw new OutcryError('REQUEST_REFUSED', `others keep starting on ${dataDir}`);
  } finally {
    rmSync(own, { force: true });
  }
}

/** The pid of the Outcry that runs on `dataDir`; undefined when none does. */
export function lockOwner(dataDir: string): number | undefined {
  const [pid = 0, started = 0] = (readLock(join(dataDir, 'outcry.lock')) ?? '').split(' ').map(Number);
  return pid > 0 && startTime(pid) === started ? pid : undefined;
}

/** Takes a dead owner's lock away, by a rename that only one contender can do, and puts back what turns out to be a new one. */
function removeStale(path: string, stale: string, own: string): void {
  const aside = `${own}.stale`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  if (readLock(aside) !== stale) tryLink(aside, path);
  rmSync(aside, { force: true });
}

function release(path: string, content: string): void {
  if (readLock(path) === content) rmSync(path, { force: true });
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * When a process started, clock ticks since boot (proc(5), field 22 of stat); undefined when there is no such process. Where there is no /proc, 0
 * for every live process.
 */
function startTime(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is a name in brackets that may itself have spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie holds its pid but runs no more.
    return fields[0] === 'Z' ? undefined : Number(fields[19]);
  } catch {
    if (process.platform === 'linux') return undefined;
  }
  try {
    process.kill(pid, 0);
    return 0;
  } catch {
    return undefined;
  }
}
