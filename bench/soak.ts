import { setTimeout as sleep } from 'node:timers/promises';
import { complain, verdictSamples } from './fanout.ts';
import type { BenchSetup, Measurement, Sample } from './harness.ts';
import { percentileSamples } from './histogram.ts';
import { type LoadOptions, Rig, type RigOptions } from './rig.ts';

export interface SoakOptions extends Omit<RigOptions, 'transport'>, LoadOptions {
  readonly seconds: number;
  /** Latency is told of windows of this length. */
  readonly windowSeconds: number;
  readonly warmupSeconds: number;
}

interface MemorySample {
  readonly minute: number;
  readonly rssBytes: number;
}

const MEMORY_INTERVAL_MS = 5_000;
/** Heaps and tables find their size in that time; of a short run in its first sixth. */
const SETTLED_MINUTES = 5;
const MEBI = 2 ** 20;

/** The engine under one load for long: whether its memory grows and its latency with it, and whether it was right at the end. */
export async function soakBench(options: SoakOptions): Promise<BenchSetup> {
  const name = `${options.connections}x${options.symbols}-${options.seconds}s`;
  let rig: Rig | undefined;
  return {
    subjects: [
      {
        impl: 'outcry',
        case: name,
        async measure(): Promise<Measurement> {
          rig = await Rig.start({ ...options, transport: 'plain' }, options.connections);
          await rig.connect(options);
          await sleep(options.warmupSeconds * 1_000);
          const measurement = await soak(rig, options);
          await rig.close();
          rig = undefined;
          return measurement;
        },
      },
    ],
    close: async () => rig?.close(),
  };
}

async function soak(rig: Rig, options: SoakOptions): Promise<Measurement> {
  const memory: MemorySample[] = [];
  const startMs = performance.now();
  const windows = Math.max(2, Math.round(options.seconds / options.windowSeconds));
  const samples: Sample[] = [];
  const p99s: number[] = [];
  let frames = 0;
  const before = rig.engine.usage();
  for (let window = 1; window <= windows; window++) {
    await rig.measure();
    const endMs = performance.now() + options.windowSeconds * 1_000;
    while (performance.now() < endMs) {
      await sleep(Math.min(MEMORY_INTERVAL_MS, endMs - performance.now()));
      const { atMs, rssBytes } = rig.engine.usage();
      memory.push({ minute: (atMs - startMs) / 60_000, rssBytes });
    }
    const totals = await rig.figures();
    frames += totals.frames;
    p99s.push(totals.latency.getValueAtPercentile(99));
    const [p50, p99] = [50, 99].map((percentile) =>
      (totals.latency.getValueAtPercentile(percentile) / 1_000).toFixed(0),
    );
    const rss = (memory.at(-1)!.rssBytes / MEBI).toFixed(1);
    process.stderr.write(`window ${window} of ${windows}: p50 ${p50} ms, p99 ${p99} ms, ${rss} MiB\n`);
    if (window === 1 || window === windows) {
      for (const sample of percentileSamples(totals.latency, window === 1 ? 'first' : 'last', 'ms', 1_000)) {
        samples.push(sample);
      }
    }
  }
  const after = rig.engine.usage();
  const seconds = (after.atMs - before.atMs) / 1_000;
  const verdict = await rig.verify();
  complain(verdict);
  samples.push(
    { metric: 'p99_last_by_first', unit: '×', value: p99s.at(-1)! / p99s[0]! },
    {
      metric: 'rss_slope',
      unit: 'MiB/min',
      value: slopeAfter(Math.min(SETTLED_MINUTES, options.seconds / 360), memory),
    },
    { metric: 'server_rss', unit: 'MiB', value: after.rssBytes / MEBI },
    { metric: 'server_cores', unit: 'cores', value: (after.cpuSeconds - before.cpuSeconds) / seconds },
    { metric: 'frames_per_s', unit: 'frames/s', value: frames / seconds },
    ...verdictSamples(verdict),
  );
  return { samples, checksum: verdict.checked };
}

/** Growth in MiB a minute, by least squares. */
function slopeAfter(afterMinute: number, memory: readonly MemorySample[]): number {
  const late = memory.filter(({ minute }) => minute >= afterMinute);
  const mean = (value: (sample: MemorySample) => number) =>
    late.reduce((sum, each) => sum + value(each), 0) / late.length;
  const meanMinute = mean(({ minute }) => minute);
  const meanBytes = mean(({ rssBytes }) => rssBytes);
  const covariance = mean(({ minute, rssBytes }) => (minute - meanMinute) * (rssBytes - meanBytes));
  return covariance / mean(({ minute }) => (minute - meanMinute) ** 2) / MEBI;
}
