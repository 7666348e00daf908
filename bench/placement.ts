import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Cores of a process as `taskset` lists them; '' for wherever the kernel puts it. */
export type Cores = string;

/**
 * Where the processes of a bench run. Apart: the load and the exchange on the last core, the server on the others. On a core of its own a load client
 * is what clients are in the world: elsewhere. Left to the kernel, each send over loopback wakes the client on the sender's core and in its place.
 */
export interface Placement {
  readonly server: Cores;
  readonly load: Cores;
}

/** `apart` needs two cores and taskset (util-linux). */
export function placement(apart: boolean): Placement {
  const cores = availableParallelism();
  if (!apart || cores < 2) return { server: '', load: '' };
  if (spawnSync('taskset', ['--version']).error !== undefined) {
    throw new Error('there is no taskset (util-linux) to keep server and load apart: use --no-apart');
  }
  return { server: cores === 2 ? '0' : `0-${cores - 2}`, load: String(cores - 1) };
}

/** Options of `fork` that start Node on these cores. */
export function forkOn(cores: Cores): { execPath?: string; execArgv: string[] } {
  return cores === '' ? { execArgv: [] } : { execPath: 'taskset', execArgv: ['-c', cores, process.execPath] };
}

/** The command line that runs a program on these cores and ends it with the bench. */
export function spawnOn(cores: Cores, command: string, args: readonly string[]): string[] {
  const pinned = cores === '' ? [] : ['taskset', '-c', cores];
  return ['setpriv', '--pdeathsig', 'TERM', ...pinned, command, ...args];
}
