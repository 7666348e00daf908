import { setTimeout as sleep } from 'node:timers/promises';
import { complain, verdictSamples } from './fanout.ts';
import type { BenchSetup, Measurement, Subject } from './harness.ts';
import { percentileSamples } from './histogram.ts';
import { measureLoopback } from './loopback.ts';
import { Rig } from './rig.ts';

export interface TickToSocketOptions {
  /** Connections of the cases. */
  readonly connections: readonly number[];
  /** Ticks of the cases, milliseconds; 0 sends as soon as something has changed. */
  readonly ticks: readonly number[];
  readonly symbols: number;
  readonly rate: number;
  readonly seconds: number;
  readonly seed: number;
}

const MADE_UP_INSTRUMENTS = 1_950;
const WARMUP_MS = 2_000;
const CONNECTS_PER_SECOND = 1_000;

/**
 * How long a price takes through an engine that is not busy: from the arrival of its FIX bytes, and from the exchange's own time stamp (of whole
 * milliseconds, so up to one more), to the client's receipt. The market is live, since a recording's times are not of now.
 */
export async function tickToSocketBench(options: TickToSocketOptions): Promise<BenchSetup> {
  let rig: Rig | undefined;
  const subjects: Subject[] = [];
  for (const connections of options.connections) subjects.push(loopbackSubject(connections, options));
  for (const tickMs of options.ticks) {
    for (const connections of options.connections) {
      subjects.push({
        impl: 'outcry',
        case: caseName(connections, tickMs),
        async measure(): Promise<Measurement> {
          rig = await Rig.start(
            {
              feed: 'simulator',
              rate: options.rate,
              madeUpInstruments: MADE_UP_INSTRUMENTS,
              tickMs,
              fanOutWorkers: 1,
              seed: options.seed,
              // One client is served best where the kernel puts it.
              apart: false,
              transport: 'plain',
            },
            connections,
          );
          const measurement = await measureLatency(rig, connections, options);
          await rig.close();
          rig = undefined;
          return measurement;
        },
      });
    }
  }
  return { subjects, close: async () => rig?.close() };
}

function caseName(connections: number, tickMs: number): string {
  return `${connections}-clients-tick-${tickMs}ms`;
}

/** The baseline of the cases of the shortest tick: the same way from thread to thread with no engine on it. */
function loopbackSubject(connections: number, options: TickToSocketOptions): Subject {
  return {
    impl: 'baseline',
    case: caseName(connections, options.ticks[0]!),
    async measure(): Promise<Measurement> {
      const histogram = await measureLoopback(connections, options.seconds);
      return {
        samples: percentileSamples(histogram, 'arrival_to_client', 'ms', 1_000),
        checksum: histogram.totalCount,
      };
    },
  };
}

async function measureLatency(rig: Rig, connections: number, options: TickToSocketOptions): Promise<Measurement> {
  await rig.connect({
    connections,
    symbols: options.symbols,
    draw: 'zipf',
    // Exchange times are in this mode only, and nothing is filtered.
    mode: 'full',
    filterBps: undefined,
    clients: 1,
    connectsPerSecond: CONNECTS_PER_SECOND,
    seed: options.seed,
    decode: 'now',
  });
  await sleep(WARMUP_MS);
  await rig.measure();
  await sleep(options.seconds * 1_000);
  const totals = await rig.figures();
  const quotes = await rig.quotes();
  const verdict = await rig.verify();
  complain(verdict);
  return {
    samples: [
      ...percentileSamples(totals.latency, 'arrival_to_client', 'ms', 1_000),
      ...percentileSamples(totals.exchangeLatency, 'exchange_to_client', 'ms', 1_000),
      { metric: 'frames_per_s', unit: 'frames/s', value: totals.frames / totals.seconds },
      ...verdictSamples(verdict),
    ],
    checksum: quotes,
  };
}
