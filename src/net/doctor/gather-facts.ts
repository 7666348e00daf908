import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { parseCpuList } from '../cpu-list.ts';
import { inspectNative } from '../native-check.ts';
import { allowedCpus } from '../thread-placement.ts';
import type { DiskFacts, MachineFacts } from './machine-facts.ts';

const PROGRAMS = ['setpriv', 'taskset'];
const PROGRAM_TIMEOUT_MS = 2_000;
const SYNCS = 20;
/** A disk that is slower than this has shown it. */
const SYNCS_TIME_MAX_MS = 2_000;
const SYNC_BYTES = 8_192;
const TMPFS = 0x01021994;
const RAMFS = 0x858458f6;

/** Looks at this machine. Changes nothing but for a file in the data directory, written and deleted to time the disk. */
export function gatherFacts(dataDir: string, sysctlNames: Iterable<string>): MachineFacts {
  const limits = read('/proc/self/limits');
  return {
    nodeVersion: process.versions.node,
    glibcVersion: glibcVersion(),
    native: nativeLibrary(),
    missingPrograms: PROGRAMS.filter((name) => run(name, ['--version']) === undefined),
    openFilesMax: limitOf(limits, /^Max open files\s+\S+\s+(\S+)/m),
    coreFileMax: limitOf(limits, /^Max core file size\s+(\S+)/m),
    sysctl: Object.fromEntries([...sysctlNames].map((name) => [name, read(`/proc/sys/${name.replaceAll('.', '/')}`)])),
    conntrackMax: read('/proc/sys/net/netfilter/nf_conntrack_max'),
    governors: governors(),
    transparentHugepages: read('/sys/kernel/mm/transparent_hugepage/enabled'),
    allowedCpus: allowedCpus(),
    numaNodes: numaNodes(),
    clockSource: read('/sys/devices/system/clocksource/clocksource0/current_clocksource'),
    clockSynchronized: clockSynchronized(),
    swapMB: kilobytes(read('/proc/meminfo'), 'SwapTotal') / 1_024,
    overcommitMemory: read('/proc/sys/vm/overcommit_memory'),
    memoryMB: memoryMB(),
    disk: disk(dataDir),
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

/** What a program printed; undefined when it is not there or failed. */
function run(program: string, args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8', timeout: PROGRAM_TIMEOUT_MS });
  return status === 0 ? stdout.trim() : undefined;
}

function limitOf(limits: string, pattern: RegExp): number {
  const value = pattern.exec(limits)?.[1] ?? 'unlimited';
  return value === 'unlimited' ? Number.POSITIVE_INFINITY : Number(value);
}

function glibcVersion(): string {
  const report = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  return report.header.glibcVersionRuntime ?? '';
}

function nativeLibrary(): MachineFacts['native'] {
  try {
    return inspectNative();
  } catch (error) {
    return (error as Error).message;
  }
}

function governors(): string[] {
  const root = '/sys/devices/system/cpu';
  const cpus = existsSync(root) ? readdirSync(root).filter((name) => /^cpu\d+$/.test(name)) : [];
  const found = new Set(cpus.map((cpu) => read(join(root, cpu, 'cpufreq/scaling_governor'))));
  found.delete('');
  return [...found];
}

function numaNodes(): (readonly number[])[] {
  const root = '/sys/devices/system/node';
  const nodes = existsSync(root) ? readdirSync(root).filter((name) => /^node\d+$/.test(name)) : [];
  return nodes.map((node) => parseCpuList(read(join(root, node, 'cpulist'))) ?? []).filter((cpus) => cpus.length > 0);
}

/** Asked of whoever keeps the clock: the kernel tells only callers of adjtimex(2). */
function clockSynchronized(): boolean | null {
  const systemd = run('timedatectl', ['show', '-p', 'NTPSynchronized', '--value']);
  if (systemd === 'yes' || systemd === 'no') return systemd === 'yes';
  const chrony = run('chronyc', ['-c', 'tracking']);
  if (chrony !== undefined) return chrony.endsWith(',Normal');
  return null;
}

function kilobytes(meminfo: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(meminfo)?.[1] ?? 0);
}

function memoryMB(): number {
  const machine = kilobytes(read('/proc/meminfo'), 'MemTotal') / 1_024;
  const allowed = process.constrainedMemory() / 1_048_576;
  return allowed > 0 && allowed < machine ? allowed : machine;
}

function disk(dataDir: string): DiskFacts | string {
  let directory = dataDir;
  while (!existsSync(directory)) directory = dirname(directory);
  const path = join(directory, `.outcry-doctor-${process.pid}`);
  try {
    const { type, bavail, bsize } = statfsSync(directory);
    const times = syncTimes(path).sort((a, b) => a - b);
    return {
      directory,
      isMemory: type === TMPFS || type === RAMFS,
      freeMB: (bavail * bsize) / 1_048_576,
      syncMsMedian: times[times.length >> 1] as number,
      syncMsMax: times.at(-1) as number,
    };
  } catch (error) {
    return `${directory}: ${(error as Error).message}`;
  }
}

function syncTimes(path: string): number[] {
  const file = openSync(path, 'wx', 0o600);
  try {
    const bytes = Buffer.alloc(SYNC_BYTES, 1);
    const times: number[] = [];
    const startMs = performance.now();
    for (let i = 0; i < SYNCS && performance.now() - startMs < SYNCS_TIME_MAX_MS; i++) {
      const beginMs = performance.now();
      writeSync(file, bytes);
      fdatasyncSync(file);
      times.push(performance.now() - beginMs);
    }
    return times;
  } finally {
    closeSync(file);
    rmSync(path, { force: true });
  }
}
