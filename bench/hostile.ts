import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineUsage } from './engine-under-test.ts';
import { complain, verdictSamples } from './fanout.ts';
import type { BenchSetup, Measurement, Sample } from './harness.ts';
import { percentileSamples } from './histogram.ts';
import { type LoadOptions, QUOTES_BY_ZIPF, Rig } from './rig.ts';
import type { TroubleKindName } from './trouble-kinds.ts';
import { type TroubleProcess, troubleSamples } from './trouble-process.ts';

export interface HostileOptions {
  /** Clients that behave well. */
  readonly connections: number;
  /** Clients that do not; in the baseline as many more that do. */
  readonly hostile: number;
  readonly symbols: number;
  readonly rate: number;
  readonly madeUpInstruments: number;
  readonly only: readonly TroubleKindName[];
  readonly warmupSeconds: number;
  readonly seconds: number;
  readonly seed: number;
}

const TICK_MS = 100;
const CONNECTS_PER_SECOND = 1_000;
const MEBI = 2 ** 20;

/**
 * Clients that behave well beside others that are hostile or have stopped: what they notice, what the engine's memory does, and whether all of them know the truth at
 * the end. The baseline has well-behaved clients in the others' place.
 */
export async function hostileBench(options: HostileOptions): Promise<BenchSetup> {
  const name = `${options.hostile}-beside-${options.connections}`;
  let rig: Rig | undefined;
  let baselineP99 = 0;
  const open = async (): Promise<Rig> => {
    const { connections, hostile, rate, madeUpInstruments, seed } = options;
    const fixed = { feed: 'replay', tickMs: TICK_MS, fanOutWorkers: 1, apart: true, transport: 'plain' } as const;
    rig = await Rig.start({ ...fixed, rate, madeUpInstruments, seed }, connections + hostile);
    await rig.connect(load(options, connections));
    return rig;
  };
  const close = async (): Promise<void> => {
    await rig?.close();
    rig = undefined;
  };
  return {
    subjects: [
      {
        impl: 'baseline',
        case: name,
        async measure(): Promise<Measurement> {
          const opened = await open();
          await opened.connect(load(options, options.hostile));
          const { measurement, p99 } = await measured(opened, undefined, options);
          baselineP99 = p99;
          await close();
          return measurement;
        },
      },
      {
        impl: 'outcry',
        case: name,
        async measure(): Promise<Measurement> {
          const opened = await open();
          const trouble = await opened.beginTrouble(options.hostile, options.only);
          const { measurement, p99 } = await measured(opened, trouble, options);
          await close();
          const byBaseline = { metric: 'p99_by_baseline', unit: '×', value: p99 / baselineP99 };
          return { ...measurement, samples: [byBaseline, ...measurement.samples] };
        },
      },
    ],
    close,
  };
}

async function measured(
  rig: Rig,
  trouble: TroubleProcess | undefined,
  options: HostileOptions,
): Promise<{ measurement: Measurement; p99: number }> {
  const beginMs = performance.now();
  const [wellBehaved] = rig.loads;
  const idle = rig.engine.usage();
  await sleep(options.warmupSeconds * 1_000);
  await rig.measure([wellBehaved!]);
  const before = rig.engine.usage();
  await sleep(options.seconds * 1_000);
  const { latency } = await rig.figures([wellBehaved!]);
  const after = rig.engine.usage();
  const made = await trouble?.figures();
  const seconds = (performance.now() - beginMs) / 1_000;
  trouble?.close();
  const verdict = await rig.verify();
  complain(verdict);
  const samples: Sample[] = [
    ...percentileSamples(latency, 'latency', 'ms', 1_000),
    ...memorySamples(idle, before, after),
    ...verdictSamples(verdict),
    ...(made === undefined ? [] : troubleSamples(made, seconds)),
  ];
  return { measurement: { samples, checksum: verdict.checked }, p99: latency.getValueAtPercentile(99) };
}

function memorySamples(idle: EngineUsage, before: EngineUsage, after: EngineUsage): Sample[] {
  const seconds = (after.atMs - before.atMs) / 1_000;
  return [
    { metric: 'server_cores', unit: 'cores', value: (after.cpuSeconds - before.cpuSeconds) / seconds },
    { metric: 'server_rss', unit: 'MiB', value: after.rssBytes / MEBI },
    { metric: 'rss_growth_warmup', unit: 'MiB', value: (before.rssBytes - idle.rssBytes) / MEBI },
    { metric: 'rss_growth', unit: 'MiB', value: (after.rssBytes - before.rssBytes) / MEBI },
  ];
}

function load({ symbols, seed }: HostileOptions, connections: number): LoadOptions {
  return {
    connections,
    symbols,
    ...QUOTES_BY_ZIPF,
    connectsPerSecond: CONNECTS_PER_SECOND,
    seed,
    awake: false,
  };
}
