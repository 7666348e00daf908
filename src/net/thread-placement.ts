/** Name and CPUs of the thread that calls. Linux alone has the files; elsewhere threads stay nameless and unpinned. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { formatCpuList, parseCpuList } from './cpu-list.ts';

const TASKSET_TIMEOUT_MS = 2_000;
/** The kernel keeps so many bytes. */
const NAME_LENGTH_MAX = 15;

/** What `top -H` shows of this thread. */
export function nameThread(name: string): void {
  try {
    writeFileSync('/proc/thread-self/comm', name.slice(0, NAME_LENGTH_MAX));
  } catch {
    // Not Linux, or /proc is not there.
  }
}

/**
 * Keeps this thread, and threads and processes that it makes from now on, to `cpus`; none of them leaves it as it is. '' when that is done, otherwise
 * why it is not: no reason to stop, since the thread runs all the same.
 */
export function pinThread(cpus: readonly number[]): string {
  if (cpus.length === 0) return '';
  try {
    const threadId = basename(readlinkSync('/proc/thread-self'));
    const args = ['-cp', formatCpuList(cpus), threadId];
    const { error, status, stderr } = spawnSync('taskset', args, { encoding: 'utf8', timeout: TASKSET_TIMEOUT_MS });
    if (error !== undefined) return `taskset of util-linux cannot be run: ${error.message}`;
    return status === 0 ? '' : stderr.trim() || `taskset ended with exit code ${status}`;
  } catch (error) {
    return (error as Error).message;
  }
}

/** CPUs that this process may run on, ascending. */
export function allowedCpus(): readonly number[] {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    return parseCpuList(/^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '') ?? countedCpus();
  } catch {
    return countedCpus();
  }
}

function countedCpus(): readonly number[] {
  return Array.from({ length: availableParallelism() }, (_, cpu) => cpu);
}
