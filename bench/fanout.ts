import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineUsage, Metrics } from './engine-under-test.ts';
import type { BenchSetup, Measurement, Sample } from './harness.ts';
import { percentileSamples } from './histogram.ts';
import type { LoadVerdict } from './load-messages.ts';
import { MachineWatch } from './machine.ts';
import { type LoadOptions, type LoadTotals, Rig, type RigOptions } from './rig.ts';

export interface FanOutOptions extends Omit<RigOptions, 'transport'>, LoadOptions {
  /** Measured time, after the warm-up. */
  readonly seconds: number;
  readonly warmupSeconds: number;
}

/** The idle engine is measured for so long, or as long as the loaded one if that is less. */
const IDLE_SECONDS_MAX = 3;
/** A scrape costs the serving thread a little: few of them are enough for a mean. */
const SCRAPE_INTERVAL_MS = 5_000;

/**
 * The engine under a load of many connections. Its baseline is the same engine on the same feed without a client, measured first in each round:
 * what it costs to do nothing.
 */
export async function fanOutBench(options: FanOutOptions): Promise<BenchSetup> {
  const name = `${options.connections}x${options.symbols}-${options.mode}-${options.tickMs}ms`;
  let rig: Rig | undefined;
  let idle: EngineUsage | undefined;
  return {
    subjects: [
      {
        impl: 'baseline',
        case: name,
        async measure(): Promise<Measurement> {
          rig = await Rig.start({ ...options, transport: 'plain' }, options.connections);
          await sleep(options.warmupSeconds * 1_000);
          const before = rig.engine.usage();
          await sleep(Math.min(IDLE_SECONDS_MAX, options.seconds) * 1_000);
          const after = rig.engine.usage();
          await rig.engine.settle();
          idle = rig.engine.usage();
          return { samples: usageSamples(before, after), checksum: 0 };
        },
      },
      {
        impl: 'outcry',
        case: name,
        async measure(): Promise<Measurement> {
          const measurement = await underLoad(rig!, idle!, options);
          await rig!.close();
          rig = undefined;
          return measurement;
        },
      },
    ],
    close: async () => rig?.close(),
  };
}

async function underLoad(rig: Rig, idle: EngineUsage, options: FanOutOptions): Promise<Measurement> {
  await rig.connect(options);
  await sleep(options.warmupSeconds * 1_000);
  const feedCpu = rig.feed.cpuSeconds();
  const metricsBefore = await rig.engine.metrics();
  const before = rig.engine.usage();
  const watch = new MachineWatch();
  await rig.measure();
  const ticks: number[] = [];
  const endMs = performance.now() + options.seconds * 1_000;
  while (performance.now() < endMs) {
    await sleep(Math.min(SCRAPE_INTERVAL_MS, endMs - performance.now()));
    ticks.push((await rig.engine.metrics()).get('outcry_effective_tick_seconds')!);
  }
  const { busyPercent } = watch.shares();
  const totals = await rig.figures();
  const after = rig.engine.usage();
  const metricsAfter = await rig.engine.metrics();
  const feedCores = (rig.feed.cpuSeconds() - feedCpu) / totals.seconds;
  const serverCores = (after.cpuSeconds - before.cpuSeconds) / totals.seconds;
  const loadCores = totals.cpuSeconds / totals.seconds;
  const busyCores = (busyPercent / 100) * availableParallelism();
  const quotes = await rig.quotes();
  const verdict = await rig.verify();
  complain(verdict);
  const samples = [
    ...percentileSamples(totals.latency, 'latency', 'ms', 1_000),
    ...deliverySamples(totals, quotes, ticks),
    ...engineSamples(metricsBefore, metricsAfter, totals.seconds),
    ...usageSamples(before, after),
    {
      metric: 'cpu_s_per_million',
      unit: 'CPU s',
      value: ((after.cpuSeconds - before.cpuSeconds) / quotes) * 1e6,
    },
    {
      metric: 'memory_per_connection',
      unit: 'KiB',
      value: (after.rssBytes - idle.rssBytes) / 1024 / options.connections,
    },
    { metric: 'load_cores', unit: 'cores', value: loadCores },
    { metric: 'feed_cores', unit: 'cores', value: feedCores },
    { metric: 'other_cores', unit: 'cores', value: busyCores - serverCores - loadCores - feedCores },
    ...verdictSamples(verdict),
  ];
  return { samples, checksum: quotes };
}

function deliverySamples(totals: LoadTotals, quotes: number, ticks: readonly number[]): Sample[] {
  const { frames, bytes, seconds } = totals;
  const tickSeconds = ticks.reduce((sum, tick) => sum + tick, 0) / ticks.length;
  return [
    { metric: 'effective_tick', unit: 'ms', value: tickSeconds * 1_000 },
    { metric: 'frames_per_s', unit: 'frames/s', value: frames / seconds },
    { metric: 'quotes_per_s', unit: 'quotes/s', value: quotes / seconds },
    { metric: 'quotes_per_frame', unit: 'quotes', value: quotes / frames },
    { metric: 'bytes_per_quote', unit: 'bytes', value: bytes / quotes },
  ];
}

/** What the engine counted meanwhile. Conflation is the share of changes that were merged into a later one before they were sent. */
function engineSamples(before: Metrics, after: Metrics, seconds: number): Sample[] {
  const grown = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  const updates = grown('outcry_updates_in_total');
  return [
    { metric: 'updates_in_per_s', unit: 'updates/s', value: updates / seconds },
    { metric: 'conflated_per_s', unit: 'updates/s', value: grown('outcry_conflated_total') / seconds },
    { metric: 'filtered_per_s', unit: 'changes/s', value: grown('outcry_filtered_total') / seconds },
    { metric: 'skipped_per_s', unit: 'quotes/s', value: grown('outcry_skipped_total') / seconds },
    { metric: 'feed_gaps', unit: 'gaps', value: grown('outcry_feed_gaps_total') },
    {
      metric: 'collections_per_minute',
      unit: 'collections',
      value: (grown('outcry_garbage_collections_total') / seconds) * 60,
    },
  ];
}

/** CPU of all of the engine's processes, of each thread of the one that serves, and that one's memory. */
function usageSamples(before: EngineUsage, after: EngineUsage): Sample[] {
  const seconds = (after.atMs - before.atMs) / 1_000;
  const samples: Sample[] = [
    { metric: 'server_cores', unit: 'cores', value: (after.cpuSeconds - before.cpuSeconds) / seconds },
  ];
  for (const [name, cpuSeconds] of after.threads) {
    const value = (cpuSeconds - (before.threads.get(name) ?? 0)) / seconds;
    samples.push({ metric: `thread_${name}`, unit: 'cores', value });
  }
  samples.push({ metric: 'server_rss', unit: 'MiB', value: after.rssBytes / 2 ** 20 });
  return samples;
}

/** What is told of a verdict. */
export function verdictSamples(verdict: LoadVerdict): Sample[] {
  return [
    { metric: 'disconnects', unit: 'connections', value: verdict.disconnects },
    { metric: 'states_checked', unit: 'quotes', value: verdict.checked },
    { metric: 'states_wrong', unit: 'quotes', value: verdict.mismatches },
  ];
}

/** A run that was wrong says so in words, too, and fails. */
export function complain(verdict: LoadVerdict): void {
  for (const reason of verdict.reasons) process.stderr.write(`a connection was lost: ${reason}\n`);
  for (const example of verdict.examples) process.stderr.write(`wrong state: ${example}\n`);
  if (verdict.disconnects > 0 || verdict.mismatches > 0) process.exitCode = 1;
}
