import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OutcryError } from '../core/errors.ts';

/** A server whose engine was killed is shutting down by itself; a checkpoint may take it some seconds. */
const FAST_SHUTDOWN_MS = 20_000;
const IMMEDIATE_SHUTDOWN_MS = 10_000;
const POLL_MS = 10;

/** Socket directories of ours outside the data directory: see `socketDirectory` in postgres-embedded.ts. */
export const SOCKET_DIRECTORY_PREFIX = 'outcry-postgres-';

/**
 * Waits for the processes of a server before this one, telling them to end, and clears away what a dead one left. The caller holds the lock of the
 * data directory, so that whoever still runs here serves nobody.
 */
export async function clearLeftovers(clusterDirectory: string): Promise<void> {
  const pidFile = join(clusterDirectory, 'postmaster.pid');
  const lines = readLines(pidFile);
  if (lines === undefined) return;
  // Backends outlive a killed postmaster by a moment; all have the cluster as their working directory.
  for (const [signal, waitMs] of [
    ['SIGINT', FAST_SHUTDOWN_MS],
    ['SIGQUIT', IMMEDIATE_SHUTDOWN_MS],
  ] as const) {
    const postmaster = Number(lines[0]);
    if (processesIn(clusterDirectory).includes(postmaster)) tell(postmaster, signal);
    if (await allGone(clusterDirectory, waitMs)) {
      // Left behind, the file would make the next server refuse when its pid was given to another process since.
      rmSync(pidFile, { force: true });
      const socketDirectory = lines[4] ?? '';
      if (dirname(join(socketDirectory, 'x')).includes(`/${SOCKET_DIRECTORY_PREFIX}`))
        rmSync(socketDirectory, { recursive: true, force: true });
      return;
    }
  }
  throw new OutcryError('LEDGER_UNREACHABLE', `a server that nobody uses does not leave ${clusterDirectory}`);
}

function readLines(path: string): string[] | undefined {
  try {
    return readFileSync(path, 'latin1').split('\n');
  } catch {
    return undefined;
  }
}

async function allGone(directory: string, waitMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + waitMs;
  while (processesIn(directory).length > 0) {
    if (performance.now() > deadlineMs) return false;
    await sleep(POLL_MS);
  }
  return true;
}

function processesIn(directory: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => workingDirectory(pid) === directory);
}

function workingDirectory(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    // It has ended, or is somebody else's.
    return undefined;
  }
}

function tell(pid: number, signal: 'SIGINT' | 'SIGQUIT'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
