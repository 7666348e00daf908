import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../config.ts';
import { installed } from '../installation.ts';
import { KNOWN_BINARIES } from '../native-check.ts';
import { gatherFacts } from './gather-facts.ts';
import { type Finding, judgeMachine } from './judge-machine.ts';
import type { DiskFacts, MachineFacts } from './machine-facts.ts';
import { parseSysctlFile } from './sysctl-file.ts';

const sysctl = parseSysctlFile(readFileSync(installed('native-config/90-outcry.conf'), 'utf8'));
const config = loadConfig({ environment: {}, directory: t.testdir() });
const load = { ...config, fanOutWorkers: 4 };

const disk: DiskFacts = { directory: '/srv/outcry', isMemory: false, freeMB: 50_000, syncMsMedian: 0.8, syncMsMax: 3 };
const native = {
  key: 'linux_x64_115',
  sha256: KNOWN_BINARIES.linux_x64_115 as string,
  moduleFunctions: ['App', 'us_listen_socket_close', 'us_socket_local_port'],
  appFunctions: ['ws', 'get', 'any', 'listen', 'close', 'filter'],
};
/** A machine as it should be. */
const good: MachineFacts = {
  nodeVersion: '20.20.2',
  glibcVersion: '2.36',
  native,
  missingPrograms: [],
  openFilesMax: 65_536,
  coreFileMax: 0,
  sysctl: Object.fromEntries(sysctl),
  conntrackMax: '',
  governors: ['performance'],
  transparentHugepages: 'always [madvise] never',
  allowedCpus: [0, 1, 2, 3, 4, 5, 6, 7],
  numaNodes: [
    [0, 1, 2, 3],
    [4, 5, 6, 7],
  ],
  clockSource: 'tsc',
  clockSynchronized: true,
  swapMB: 0,
  overcommitMemory: '0',
  memoryMB: 16_000,
  disk,
};

function judged(own: Partial<MachineFacts>, ownLoad: Partial<typeof load> = {}): Finding[] {
  return judgeMachine({ ...good, ...own }, { ...load, ...ownLoad }, sysctl).filter(({ verdict }) => verdict !== 'ok');
}

t.test('a machine as it should be', async (t) => {
  t.same(judged({}), []);
});

t.test('each thing that is wrong is one finding, with what to change and the page that says why', async (t) => {
  const cases: readonly [Partial<MachineFacts>, string, 'warn' | 'fail'][] = [
    [{ nodeVersion: '22.20.0', glibcVersion: '2.39' }, 'Node.js', 'warn'],
    [{ glibcVersion: '2.26' }, 'glibc', 'fail'],
    [{ glibcVersion: '' }, 'glibc', 'fail'],
    [{ native: 'does not load' }, 'uWebSockets.js', 'fail'],
    [{ native: { ...native, sha256: 'other' } }, 'uWebSockets.js', 'warn'],
    [{ native: { ...native, appFunctions: ['ws'] } }, 'uWebSockets.js', 'fail'],
    [{ missingPrograms: ['taskset'] }, 'programs', 'warn'],
    [{ openFilesMax: 39_999 }, 'open files', 'warn'],
    [{ openFilesMax: 20_100 }, 'open files', 'fail'],
    [{ coreFileMax: Number.POSITIVE_INFINITY }, 'core dumps', 'warn'],
    [{ conntrackMax: '30000' }, 'connection tracking', 'warn'],
    [{ conntrackMax: '8192' }, 'connection tracking', 'fail'],
    [{ governors: ['performance', 'powersave'] }, 'CPU frequency', 'warn'],
    [{ transparentHugepages: '[always] madvise never' }, 'transparent hugepages', 'warn'],
    [{ allowedCpus: [0, 1, 2] }, 'cores', 'warn'],
    [{ clockSource: 'hpet' }, 'clock source', 'warn'],
    [{ clockSynchronized: false }, 'clock synchronised', 'warn'],
    [{ clockSynchronized: null }, 'clock synchronised', 'warn'],
    [{ memoryMB: 2_000 }, 'memory', 'warn'],
    [{ swapMB: 2_048 }, 'swap', 'warn'],
    [{ overcommitMemory: '2' }, 'overcommit', 'fail'],
    [{ disk: '/srv/outcry: EACCES' }, 'data directory', 'fail'],
    [{ disk: { ...disk, isMemory: true } }, 'data directory', 'fail'],
    [{ disk: { ...disk, freeMB: 9_000 } }, 'free space', 'warn'],
    [{ disk: { ...disk, freeMB: 500 } }, 'free space', 'fail'],
    [{ disk: { ...disk, syncMsMedian: 12 } }, 'write to disk', 'warn'],
  ];
  const page = readFileSync(installed('native-config/README.md'), 'utf8');
  for (const [facts, check, verdict] of cases) {
    const findings = judged(facts);
    t.match(findings, [{ check, verdict }], `${check} ${verdict}`);
    t.equal(findings.length, 1, check);
    t.not(findings[0]?.change, '', `${check}: what to change`);
    const section = /^native-config\/README\.md, "(.+)"$/.exec(findings[0]?.see ?? '')?.[1];
    t.ok(page.includes(`\n## ${section}\n`), `${check}: its section is there`);
  }
});

t.test('sysctl: the file has the values, and each name of it has a direction', async (t) => {
  for (const [name, wanted] of sysctl) {
    const higher = wanted.replace(/\d+$/, (last) => `${Number(last) * 2}`);
    const lower = wanted.replace(/\d+$/, (last) => `${Number(last) >> 1}`);
    const verdicts = [lower, higher].map((value) => judged({ sysctl: { ...good.sysctl, [name]: value } }).length);
    t.equal(verdicts[0]! + verdicts[1]!, 1, `${name}: better is right, worse is not`);
    t.match(judged({ sysctl: { ...good.sysctl, [name]: '' } }), [{ check: name, found: 'unknown' }]);
  }
  const unlimited = { ...good.sysctl, 'net.ipv4.tcp_notsent_lowat': '-1' };
  t.match(judged({ sysctl: unlimited }), [{ check: 'net.ipv4.tcp_notsent_lowat', verdict: 'warn' }]);
});

t.test('pinning: CPUs that are not ours, none left, two nodes', async (t) => {
  const plan = { feed: 2, orders: 3, fanOut: [1], rest: [0] };
  t.same(judged({}, { corePlan: plan }), []);
  for (const [corePlan, text] of [
    [{ ...plan, fanOut: [9] }, /take 9 out/],
    [{ ...plan, rest: [] }, /leave a CPU out/],
    [{ ...plan, fanOut: [5] }, /from the node/],
  ] as const) {
    t.match(judged({}, { corePlan }), [{ check: 'pinning', verdict: 'warn', change: text }]);
  }
});

t.test('this machine can be looked at, and nothing is left of it', async (t) => {
  const directory = t.testdir();
  const facts = gatherFacts(join(directory, 'data/not/there'), sysctl.keys());
  t.equal(facts.nodeVersion, process.versions.node);
  t.ok(facts.allowedCpus.length > 0);
  t.ok(facts.memoryMB > 0);
  t.match(facts.disk, { directory, isMemory: Boolean, freeMB: Number, syncMsMedian: Number });
  t.same(Object.keys(facts.sysctl), [...sysctl.keys()]);
  t.same(readdirSync(directory), []);
});
