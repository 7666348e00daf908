import { setTimeout as sleep } from 'node:timers/promises';
import { complain, verdictSamples } from './fanout.ts';
import type { BenchSetup, Measurement, Sample } from './harness.ts';
import { percentileSamples } from './histogram.ts';
import { type LoadOptions, Rig, type RigOptions } from './rig.ts';
import { BAD_LINES } from './trouble-kinds.ts';
import { troubleSamples } from './trouble-process.ts';

export interface SoakOptions extends Omit<RigOptions, 'transport'>, LoadOptions {
  readonly seconds: number;
  /** Latency is told of windows of this length. */
  readonly windowSeconds: number;
  readonly warmupSeconds: number;
  /** Whether there are clients on bad lines beside those that are measured, and workers that throw. */
  readonly trouble: boolean;
  /** How many of those clients. */
  readonly troublemakers: number;
  /** From one throwing worker to the next; 0 for none. */
  readonly drillSeconds: number;
}

interface MemorySample {
  readonly minute: number;
  readonly rssBytes: number;
}

const MEMORY_INTERVAL_MS = 5_000;
/** Heaps and tables find their size in that time; of a short run in its first sixth. */
const SETTLED_MINUTES = 5;
const MEBI = 2 ** 20;

/**
 * The engine under one load for long: whether its memory grows and its latency with it, and whether it was right at the end. With trouble, also whether clients on
 * bad lines and workers that throw change that.
 */
export async function soakBench(options: SoakOptions): Promise<BenchSetup> {
  const { connections, symbols, seconds, trouble } = options;
  if (trouble && options.decode === 'later') throw new Error('connections that come again need --decode now');
  const name = `${connections}x${symbols}-${seconds}s${trouble ? '-trouble' : ''}`;
  let rig: Rig | undefined;
  return {
    subjects: [
      {
        impl: 'outcry',
        case: name,
        async measure(): Promise<Measurement> {
          const troublemakers = trouble ? options.troublemakers : 0;
          rig = await Rig.start({ ...options, transport: 'plain', drills: trouble }, connections + troublemakers);
          // Among troublesome clients and a load that never sleeps, the latter would have the core.
          await rig.connect(trouble ? { ...options, awake: false } : options);
          const measurement = trouble ? await soakInTrouble(rig, options) : await soak(rig, options, 0);
          await rig.close();
          rig = undefined;
          return measurement;
        },
      },
    ],
    close: async () => rig?.close(),
  };
}

async function soakInTrouble(rig: Rig, options: SoakOptions): Promise<Measurement> {
  const beginMs = performance.now();
  const trouble = await rig.beginTrouble(options.troublemakers, BAD_LINES);
  return soak(rig, options, options.drillSeconds, async () => {
    const made = await trouble.figures();
    trouble.close();
    const { lost, away } = await rig.returns();
    return [
      { metric: 'lost_in_drills', unit: 'connections', value: lost },
      ...percentileSamples(away, 'away', 's', 1e6),
      ...troubleSamples(made, (performance.now() - beginMs) / 1_000),
    ];
  });
}

/** `end` is called when the measured time is over, for what else is to be told. */
async function soak(
  rig: Rig,
  options: SoakOptions,
  drillSeconds: number,
  end: () => Promise<Sample[]> = async () => [],
): Promise<Measurement> {
  await sleep(options.warmupSeconds * 1_000);
  const memory: MemorySample[] = [];
  const startMs = performance.now();
  const windows = Math.max(2, Math.round(options.seconds / options.windowSeconds));
  const drills = new Drills(rig, startMs, drillSeconds);
  const samples: Sample[] = [];
  const p99s: number[] = [];
  let frames = 0;
  const before = rig.engine.usage();
  for (let window = 1; window <= windows; window++) {
    await rig.measure();
    const endMs = performance.now() + options.windowSeconds * 1_000;
    while (performance.now() < endMs) {
      await sleep(Math.min(MEMORY_INTERVAL_MS, endMs - performance.now(), drills.dueMs - performance.now()));
      await drills.drill();
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
  const besides = await end();
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
    ...(options.trouble ? [{ metric: 'drills', unit: 'throws', value: drills.count }] : []),
    ...besides,
    ...verdictSamples(verdict),
  );
  return { samples, checksum: verdict.checked };
}

/** Workers that throw, one every so many seconds, the first in the middle of the first interval; none at all for 0. */
class Drills {
  count = 0;
  /** When the next is due, `performance.now`. */
  dueMs: number;
  readonly #rig: Rig;
  readonly #intervalMs: number;

  constructor(rig: Rig, startMs: number, seconds: number) {
    this.#rig = rig;
    this.#intervalMs = seconds === 0 ? Number.POSITIVE_INFINITY : seconds * 1_000;
    this.dueMs = startMs + this.#intervalMs / 2;
  }

  async drill(): Promise<void> {
    if (performance.now() < this.dueMs) return;
    this.dueMs += this.#intervalMs;
    await this.#rig.drill(this.count++);
  }
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
