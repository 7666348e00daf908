import { setTimeout as sleep } from 'node:timers/promises';
import { complain, verdictSamples } from './fanout.ts';
import type { BenchSetup, Measurement } from './harness.ts';
import { percentileSamples } from './histogram.ts';
import { type LoadOptions, QUOTES_BY_ZIPF, Rig, type RigOptions } from './rig.ts';

export interface StormOptions {
  /** Clients that are there all the time. */
  readonly others: number;
  /** Clients that come at once, as after a network's failure. */
  readonly clients: number;
  /** They open their connections within so many seconds. */
  readonly withinSeconds: number;
  readonly symbols: number;
  readonly rate: number;
  readonly madeUpInstruments: number;
  readonly seconds: number;
  readonly seed: number;
}

const TICK_MS = 100;
const CONNECTS_PER_SECOND = 1_000;
const WARMUP_MS = 2_000;

/**
 * A reconnect storm: how long until everybody who comes has what they subscribed to, and what those who were there already notice of it. The baseline is
 * the same server before the storm.
 */
export async function stormBench(options: StormOptions): Promise<BenchSetup> {
  const name = `${options.clients}-in-${options.withinSeconds}s-beside-${options.others}`;
  let rig: Rig | undefined;
  return {
    subjects: [
      {
        impl: 'baseline',
        case: name,
        async measure(): Promise<Measurement> {
          rig = await Rig.start(rigOptions(options), options.others + options.clients);
          await rig.connect(load(options, options.others, CONNECTS_PER_SECOND));
          await sleep(WARMUP_MS);
          await rig.measure();
          await sleep(options.seconds * 1_000);
          const { latency } = await rig.figures();
          return { samples: percentileSamples(latency, 'others', 'ms', 1_000), checksum: 0 };
        },
      },
      {
        impl: 'outcry',
        case: name,
        async measure(): Promise<Measurement> {
          const measurement = await storm(rig!, options);
          await rig!.close();
          rig = undefined;
          return measurement;
        },
      },
    ],
    close: async () => rig?.close(),
  };
}

async function storm(rig: Rig, options: StormOptions): Promise<Measurement> {
  const others = [...rig.loads];
  await rig.measure(others);
  const before = rig.engine.usage();
  const servedSeconds = await rig.connect(load(options, options.clients, options.clients / options.withinSeconds));
  const { latency } = await rig.figures(others);
  const after = rig.engine.usage();
  const verdict = await rig.verify();
  complain(verdict);
  return {
    samples: [
      { metric: 'all_served', unit: 's', value: servedSeconds },
      ...percentileSamples(latency, 'others', 'ms', 1_000),
      {
        metric: 'cpu_ms_per_client',
        unit: 'ms',
        value: ((after.cpuSeconds - before.cpuSeconds) / options.clients) * 1_000,
      },
      ...verdictSamples(verdict),
    ],
    checksum: verdict.checked,
  };
}

function rigOptions(options: StormOptions): RigOptions {
  const { rate, madeUpInstruments, seed } = options;
  const fixed = { feed: 'replay', tickMs: TICK_MS, fanOutWorkers: 1, apart: true, transport: 'plain' } as const;
  return { ...fixed, rate, madeUpInstruments, seed };
}

function load(options: StormOptions, connections: number, connectsPerSecond: number): LoadOptions {
  const { symbols, seed } = options;
  return {
    connections,
    symbols,
    ...QUOTES_BY_ZIPF,
    connectsPerSecond,
    seed,
    awake: false,
  };
}
