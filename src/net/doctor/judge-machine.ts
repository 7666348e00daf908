import type { Config } from '../config.ts';
import { formatCpuList } from '../cpu-list.ts';
import { KNOWN_BINARIES, missingFunctions } from '../native-check.ts';
import type { MachineFacts } from './machine-facts.ts';

/** `fail`: Outcry will not start, or not carry what it is configured for. `warn`: slower, or trouble later. */
export type Verdict = 'ok' | 'warn' | 'fail';

export interface Finding {
  readonly check: string;
  readonly verdict: Verdict;
  readonly found: string;
  readonly wanted: string;
  /** What to do; '' when nothing is. */
  readonly change: string;
  /** Which page says why. */
  readonly see: string;
}

/** What of the configuration the machine must carry. */
export type Load = Pick<Config, 'values' | 'fanOutWorkers' | 'corePlan' | 'orderSessions' | 'dataDir'>;

/** Files beside connections: log, stores, database, listeners. */
const OTHER_FILES = 256;
/** Of a node before its first client: engine, simulator, database and what the kernel wants. */
const BASE_MEMORY_MB = 1_024;
/** A client's 32 KB of credit, and what kernel and engine keep beside it. */
const CONNECTION_MEMORY_KB = 64;
const FREE_DISK_MIN_MB = 3_072;
const FREE_DISK_MB = 10_240;
const SYNC_MS_MAX = 5;
const CLOCK_SOURCES = ['tsc', 'kvm-clock', 'arch_sys_counter', 'hyperv_clocksource_tsc_page'];
const GLIBC_MIN: Readonly<Record<string, string>> = { 20: '2.28', 22: '2.38', 24: '2.38' };

/** Whether a sysctl's wanted value is the least or the most that is right; of several numbers the last counts. */
const SYSCTL_RULES: Readonly<Record<string, 'least' | 'most'>> = {
  'net.core.somaxconn': 'least',
  'net.ipv4.tcp_max_syn_backlog': 'least',
  'net.ipv4.tcp_wmem': 'most',
  'net.ipv4.tcp_notsent_lowat': 'most',
  'vm.swappiness': 'most',
};

/** Judges what was found against what `load` and the file of sysctl settings want. Touches nothing. */
export function judgeMachine(facts: MachineFacts, load: Load, sysctl: ReadonlyMap<string, string>): Finding[] {
  return [
    ...judgePrograms(facts),
    ...judgeLimits(facts, load),
    ...[...sysctl].map(([name, wanted]) => judgeSysctl(name, facts.sysctl[name] ?? '', wanted)),
    judgeConntrack(facts, load),
    ...judgeCpus(facts, load),
    ...judgeClock(facts),
    ...judgeMemory(facts, load),
    ...judgeDisk(facts, load),
  ];
}

function finding(check: string, section: string, found: string, wanted: string) {
  const head = { check, found, wanted, see: `native-config/README.md, "${section}"` };
  return {
    ok: (): Finding => ({ ...head, verdict: 'ok', change: '' }),
    warn: (change: string): Finding => ({ ...head, verdict: 'warn', change }),
    fail: (change: string): Finding => ({ ...head, verdict: 'fail', change }),
  };
}

function judgePrograms({ nodeVersion, glibcVersion, native, missingPrograms }: MachineFacts): Finding[] {
  const major = nodeVersion.split('.')[0] as string;
  const node = finding('Node.js', 'programs', nodeVersion, '20, from 20.19');
  const glibcMin = GLIBC_MIN[major] ?? '2.38';
  const glibc = finding('glibc', 'programs', glibcVersion || 'none', `${glibcMin} or later`);
  const programs = finding('programs', 'programs', found(missingPrograms), 'setpriv and taskset');
  return [
    major === '20' ? node.ok() : node.warn('use Node 20, which Outcry is built and tested on'),
    atLeastVersion(glibcVersion, glibcMin)
      ? glibc.ok()
      : glibc.fail(`Node ${major} and its WebSocket library need it: a newer system, or Node 20`),
    judgeNative(native),
    missingPrograms.length === 0 ? programs.ok() : programs.warn(`install util-linux (${missingPrograms.join(', ')})`),
  ];
}

function found(missing: readonly string[]): string {
  return missing.length === 0 ? 'there' : `no ${missing.join(', no ')}`;
}

function judgeNative(native: MachineFacts['native']): Finding {
  const check = 'uWebSockets.js';
  if (typeof native === 'string') {
    return finding(check, 'programs', native, 'loads').fail('use a Node version and machine that it has a binary for');
  }
  const pinned = KNOWN_BINARIES[native.key];
  const missing = missingFunctions(native);
  const judged = finding(check, 'programs', `sha256 ${native.sha256}`, `sha256 ${pinned ?? 'unknown'}`);
  if (missing.length > 0) return judged.fail(`it lacks ${missing.join(', ')}: install the pinned version`);
  if (pinned === native.sha256) return judged.ok();
  return judged.warn('unless you installed another on purpose, install anew from the lockfile');
}

function judgeLimits(facts: MachineFacts, { values }: Load): Finding[] {
  const clients = values.max_connections;
  const files = finding('open files', 'nofile', count(facts.openFilesMax), `${count(2 * clients)} or more`);
  const change = `LimitNOFILE=${2 * clients} in the unit, or a lower max_connections`;
  const core = finding('core dumps', 'core dumps', facts.coreFileMax === 0 ? 'off' : 'on', 'off');
  return [
    facts.openFilesMax < clients + OTHER_FILES
      ? files.fail(change)
      : facts.openFilesMax < 2 * clients
        ? files.warn(change)
        : files.ok(),
    facts.coreFileMax === 0 ? core.ok() : core.warn('LimitCORE=0 in the unit, or ulimit -c 0'),
  ];
}

function judgeSysctl(name: string, value: string, wanted: string): Finding {
  const rule = SYSCTL_RULES[name];
  const words = rule === undefined ? wanted : `${lastNumber(wanted)} at ${rule}`;
  const judged = finding(name, 'sysctl', value.replaceAll('\t', ' ') || 'unknown', words);
  // Values above 2^31 are how the kernel writes "no limit", and some write it as -1.
  const now = lastNumber(value) < 0 ? Number.POSITIVE_INFINITY : lastNumber(value);
  const isRight =
    rule === 'least' ? now >= lastNumber(wanted) : rule === 'most' ? now <= lastNumber(wanted) : value === wanted;
  return isRight ? judged.ok() : judged.warn(`sysctl -w ${name}="${wanted}", or install 90-outcry.conf`);
}

function lastNumber(text: string): number {
  return Number.parseInt(text.split(/\s+/).at(-1) ?? '', 10);
}

function judgeConntrack({ conntrackMax }: MachineFacts, { values }: Load): Finding {
  const wanted = 2 * values.max_connections;
  const words = `not loaded, or ${count(wanted)} or more`;
  const judged = finding('connection tracking', 'connection tracking', conntrackMax || 'not loaded', words);
  if (conntrackMax === '' || Number(conntrackMax) >= wanted) return judged.ok();
  const change = `sysctl -w net.netfilter.nf_conntrack_max=${wanted}, or a rule that leaves the port untracked`;
  return Number(conntrackMax) < values.max_connections ? judged.fail(change) : judged.warn(change);
}

function judgeCpus(facts: MachineFacts, load: Load): Finding[] {
  const { allowedCpus, governors, transparentHugepages } = facts;
  const busy = load.fanOutWorkers + (load.orderSessions.length > 0 ? 2 : 1);
  const cores = finding('cores', 'threads and cores', `${allowedCpus.length}`, `${busy}, one for each busy thread`);
  const governor = finding('CPU frequency', 'CPU frequency', governors.join(', ') || 'not ours to set', 'performance');
  const chosen = /\[(\w+)\]/.exec(transparentHugepages)?.[1] ?? 'none';
  const pages = finding('transparent hugepages', 'transparent hugepages', chosen, 'madvise or never');
  return [
    allowedCpus.length >= busy ? cores.ok() : cores.warn('fewer fanout_workers, or a larger machine under full load'),
    judgePinning(facts, load),
    governors.every((name) => name === 'performance')
      ? governor.ok()
      : governor.warn('cpupower frequency-set -g performance'),
    chosen === 'always' ? pages.warn('echo madvise > /sys/kernel/mm/transparent_hugepage/enabled') : pages.ok(),
  ];
}

function judgePinning({ allowedCpus, numaNodes }: MachineFacts, { corePlan, values }: Load): Finding {
  const section = 'threads and cores';
  if (corePlan === null) {
    return finding('pinning', section, `nothing is pinned (pin_cpus = ${values.pin_cpus})`, 'as configured').ok();
  }
  const hot = [corePlan.feed, ...(corePlan.orders === null ? [] : [corePlan.orders]), ...corePlan.fanOut];
  const judged = finding('pinning', section, formatCpuList(hot), 'CPUs that we may use, of one NUMA node');
  const absent = hot.filter((cpu) => !allowedCpus.includes(cpu));
  if (absent.length > 0)
    return judged.warn(`take ${formatCpuList(absent)} out of pin_cpus: this process may not use it`);
  if (corePlan.rest.length === 0) return judged.warn('leave a CPU out of pin_cpus, for everything else');
  const nodes = numaNodes.filter((cpus) => hot.some((cpu) => cpus.includes(cpu)));
  return nodes.length > 1 ? judged.warn('choose pin_cpus from the node that the network card is on') : judged.ok();
}

function judgeClock({ clockSource, clockSynchronized }: MachineFacts): Finding[] {
  const source = finding('clock source', 'clock', clockSource || 'unknown', CLOCK_SOURCES.join(', '));
  const state = clockSynchronized === null ? 'unknown' : clockSynchronized ? 'yes' : 'no';
  const synchronized = finding('clock synchronised', 'clock', state, 'yes');
  return [
    CLOCK_SOURCES.includes(clockSource)
      ? source.ok()
      : source.warn('boot with a clock that is read without a system call'),
    clockSynchronized
      ? synchronized.ok()
      : synchronized.warn(
          clockSynchronized === null
            ? 'see to it that chrony or systemd-timesyncd runs, here or on the host'
            : 'wait for chrony or systemd-timesyncd to reach its servers, or start it',
        ),
  ];
}

function judgeMemory(facts: MachineFacts, { values }: Load): Finding[] {
  const wantedMB = BASE_MEMORY_MB + (values.max_connections * CONNECTION_MEMORY_KB) / 1_024;
  const section = 'memory and swap';
  const memory = finding('memory', section, megabytes(facts.memoryMB), `${megabytes(wantedMB)} or more`);
  const swap = finding('swap', section, facts.swapMB > 0 ? megabytes(facts.swapMB) : 'none', 'none');
  const overcommit = finding('overcommit', section, `vm.overcommit_memory = ${facts.overcommitMemory}`, '0 or 1');
  return [
    facts.memoryMB >= wantedMB ? memory.ok() : memory.warn('a lower max_connections, or more memory'),
    facts.swapMB > 0 ? swap.warn('swapoff -a, and take it out of /etc/fstab') : swap.ok(),
    facts.overcommitMemory === '2' ? overcommit.fail('sysctl -w vm.overcommit_memory=0') : overcommit.ok(),
  ];
}

function judgeDisk({ disk }: MachineFacts, { dataDir, orderSessions, values }: Load): Finding[] {
  const section = 'disk';
  if (typeof disk === 'string') {
    const change = `make ${dataDir} writable for the user that Outcry runs as, and ask as that user`;
    return [finding('data directory', section, disk, 'writable').fail(change)];
  }
  const holdsLedger = orderSessions.length > 0 && values.ledger_url === '';
  const place = finding(
    'data directory',
    section,
    `${disk.directory}${disk.isMemory ? ', in memory' : ''}`,
    holdsLedger ? 'a disk, since the ledger is kept there' : 'a disk',
  );
  const free = finding('free space', section, megabytes(disk.freeMB), `${megabytes(FREE_DISK_MB)} or more`);
  const times = `${disk.syncMsMedian.toFixed(2)} ms at the median, ${disk.syncMsMax.toFixed(2)} at most`;
  const sync = finding('write to disk', section, times, `${SYNC_MS_MAX} ms at the median`);
  const isFreeEnough = disk.freeMB >= FREE_DISK_MB;
  const more = 'a larger disk, or data_dir on another';
  return [
    !disk.isMemory
      ? place.ok()
      : holdsLedger
        ? place.fail('data_dir on a disk: what is in memory is lost with the power')
        : place.warn('data_dir on a disk: FIX sessions lose their numbers with the power'),
    isFreeEnough ? free.ok() : disk.freeMB < FREE_DISK_MIN_MB ? free.fail(more) : free.warn(more),
    disk.syncMsMedian <= SYNC_MS_MAX ? sync.ok() : sync.warn('a disk with a cache that survives the loss of power'),
  ];
}

function atLeastVersion(version: string, least: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = least.split('.').map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

function count(value: number): string {
  return value === Number.POSITIVE_INFINITY ? 'unlimited' : value.toLocaleString('en-US');
}

function megabytes(value: number): string {
  return value < 1_024 ? `${Math.round(value)} MB` : `${(value / 1_024).toFixed(1)} GB`;
}
