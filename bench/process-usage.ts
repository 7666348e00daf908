import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** CPU and memory of other processes as the kernel accounts them, from /proc (proc(5)). Linux only. */

/** Clock ticks a second in which /proc gives CPU time; a constant of the machine. */
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'latin1' }));

export interface ThreadUsage {
  readonly name: string;
  readonly cpuSeconds: number;
}

/** User and system time of all threads of a process, ended ones included, seconds. */
export function processCpuSeconds(pid: number): number {
  return cpuSeconds(`/proc/${pid}/stat`);
}

/** The threads of a process that there are now with their CPU seconds, by thread id: finer than the clock ticks of a process. */
export function threadUsage(pid: number): Map<number, ThreadUsage> {
  const threads = new Map<number, ThreadUsage>();
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    const directory = `/proc/${pid}/task/${tid}`;
    try {
      const name = readFileSync(`${directory}/comm`, 'latin1').trim();
      const [nanos] = readFileSync(`${directory}/schedstat`, 'latin1').split(' ');
      threads.set(Number(tid), { name, cpuSeconds: Number(nanos) / 1e9 });
    } catch {
      // A thread may end between the listing and the reading.
    }
  }
  return threads;
}

/** Resident memory of a process, bytes. */
export function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return match === null ? 0 : Number(match[1]) * 1024;
}

/** A process and all that it started, children's children included. */
export function processTree(root: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      parents.set(Number(entry), Number(statFields(`/proc/${entry}/stat`)[1]));
    } catch {
      // A process may end between the listing and the reading.
    }
  }
  const tree = [root];
  for (const parent of tree) for (const [pid, itsParent] of parents) if (itsParent === parent) tree.push(pid);
  return tree;
}

function cpuSeconds(statFile: string): number {
  const fields = statFields(statFile);
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The fields after the name, which stands in parentheses and may hold anything: they are counted from its end. */
function statFields(statFile: string): string[] {
  const stat = readFileSync(statFile, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
