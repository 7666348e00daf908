import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { askControl } from '../../net/control-socket.ts';

/** The whole product as its users start it, for tests. */

const SETTINGS: Record<string, string> = {
  OUTCRY_PORT: '0',
  OUTCRY_DRILLS: 'true',
  OUTCRY_FANOUT_WORKERS: '2',
  OUTCRY_EXCHANGE_INSTRUMENTS: '40',
  OUTCRY_EXCHANGE_RATE: '1000',
  // Who tests orders turns them on.
  OUTCRY_ORDER_SESSIONS: 'off',
};

/** The built command line. */
export const CLI = fileURLToPath(new URL('../../cli.js', import.meta.url));
/** Bound of every wait: far beyond what any of them takes. */
const WAIT_MS = 30_000;
/** A first start makes a database. */
const READY_MS = 120_000;
const MARK = `OUTCRY-TEST-${process.pid}-${Date.now()}`;

export interface Status {
  readonly url: string;
  readonly pid: number;
  readonly ready: boolean;
  readonly venue: { readonly port: number };
  readonly processes: Record<'engine' | 'exchange' | 'postgres', { readonly pid: number; readonly restarts: number }>;
  readonly orders: {
    readonly state: string;
    readonly sessionsUp: number;
    readonly accounts: number;
    readonly alarms: number;
  } | null;
  readonly health: { readonly workers: readonly { readonly worker: string; readonly generation: number }[] };
  readonly feed: { readonly stale: number; readonly subscribed: number; readonly instruments: number };
}

/** One `outcry start` with a data directory of its own. */
export class Running {
  readonly dataDir: string;
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';

  constructor(dataDir: string, command: readonly string[] = [CLI, 'start'], more: Record<string, string> = {}) {
    this.dataDir = dataDir;
    this.child = spawn(process.execPath, command, {
      env: environment(dataDir, more),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
  }

  async ready(): Promise<this> {
    await until(
      () => {
        if (this.child.exitCode !== null) throw new Error(`ended with ${this.child.exitCode}: ${this.stderr}`);
        return this.stdout.includes('\n');
      },
      'the ready line',
      READY_MS,
    );
    return this;
  }

  get url(): string {
    return /http:\S+/.exec(this.stdout)?.[0] ?? '';
  }

  async status(): Promise<Status> {
    return (await askControl(this.dataDir, { type: 'status' })) as Status;
  }

  /** Status once it is as wanted; requests that fail meanwhile are part of the failure under test. */
  async statusWhen(wanted: (status: Status) => boolean, what: string): Promise<Status> {
    let last: Status | undefined;
    await until(async () => {
      last = await this.status().catch(() => undefined);
      return last !== undefined && wanted(last);
    }, what);
    return last as Status;
  }

  async ended(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
    return this.child.exitCode;
  }
}

function environment(dataDir: string, more: Record<string, string>): NodeJS.ProcessEnv {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('OUTCRY_') && !name.startsWith('npm_'));
  // As under npm, the supervisor ends with whoever started it: a test that is killed leaves nothing behind.
  const own = { OUTCRY_DATA_DIR: dataDir, MARK: `${MARK}:${dataDir}`, npm_lifecycle_event: 'test' };
  return { ...Object.fromEntries(clean), ...SETTINGS, ...own, ...more };
}

/** Waits for a condition, asked again and again, within a bound. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  waitMs = WAIT_MS,
): Promise<void> {
  const deadline = Date.now() + waitMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${waitMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Live processes that were started for this data directory: by the mark in their environment, which a zombie has not, or by where they work. */
export function processesOf(dataDir: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        if (readFileSync(`/proc/${name}/environ`, 'utf8').includes(`MARK=${MARK}:${dataDir}\0`)) return true;
        // The database has an environment of its own.
        return readlinkSync(`/proc/${name}/cwd`).startsWith(`${dataDir}/`);
      } catch {
        // It ended, or is another user's.
        return false;
      }
    })
    .map(Number);
}

/** Ends what was started for this data directory. What is killed may have ended by itself, and what is alive may just be starting another. */
export async function killProcessesOf(dataDir: string): Promise<void> {
  await until(() => {
    const pids = processesOf(dataDir);
    for (const pid of pids) kill(pid, 'SIGKILL');
    return pids.length === 0;
  }, `the processes of ${dataDir} to end`);
}

/** False if the process has ended already. */
export function kill(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

export function newDataDir(t: Test): string {
  const dataDir = mkdtempSync(join(tmpdir(), 'outcry-test-'));
  t.teardown(async () => {
    await killProcessesOf(dataDir);
    rmSync(dataDir, { recursive: true, force: true });
  });
  return dataDir;
}
