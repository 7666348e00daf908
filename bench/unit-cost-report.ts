import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { nodeCosts } from '../src/core/capacity/node-costs.ts';
import type { CostMeasurement, PredictedLoad, UnitCosts } from '../src/core/capacity/unit-costs.ts';
import type { Sample } from './harness.ts';
import type { MeasuredLoad } from './unit-cost-fit.ts';

/** Where `outcry capacity` has its costs from, below the root of the source. */
const COSTS_FILE = 'src/core/capacity/unit-costs.json';

/** What the costs say of a load that they were not fitted to, and what it was: means of the rounds. */
export interface Prediction extends PredictedLoad {
  readonly predictedFrames: number;
  readonly measuredFrames: number;
  readonly predictedQuotes: number;
  readonly measuredQuotes: number;
  readonly predictedBytes: number;
  readonly measuredBytes: number;
}

/** From the load as it was offered alone: frames, quotes and bytes are predicted, too. */
export function predictLoad(load: string, rounds: readonly MeasuredLoad[], costs: UnitCosts): Prediction {
  const predicted = rounds.map((round) => nodeCosts(round.load, round.handshakesPerSecond, costs));
  return {
    load,
    predictedCores: mean(predicted.map(({ cores }) => cores)),
    measuredCores: mean(rounds.map(({ cores }) => cores)),
    predictedFrames: mean(predicted.map(({ framesPerSecond }) => framesPerSecond)),
    measuredFrames: mean(rounds.map(({ framesPerSecond }) => framesPerSecond)),
    predictedQuotes: mean(predicted.map(({ quotesPerSecond }) => quotesPerSecond)),
    measuredQuotes: mean(rounds.map(({ quotesPerSecond }) => quotesPerSecond)),
    predictedBytes: mean(predicted.map(({ payloadBytesPerSecond }) => payloadBytesPerSecond)),
    measuredBytes: mean(rounds.map(({ payloadBytesPerSecond }) => payloadBytesPerSecond)),
  };
}

export function loadSamples(measured: MeasuredLoad): Sample[] {
  const { load, handshakesPerSecond, cores, feedCores, framesPerSecond, quotesPerSecond, rssBytes } = measured;
  return [
    { metric: 'server_cores', unit: 'cores', value: cores },
    { metric: 'thread_feed', unit: 'cores', value: feedCores },
    { metric: 'frames_per_s', unit: 'frames/s', value: framesPerSecond },
    { metric: 'quotes_per_s', unit: 'quotes/s', value: quotesPerSecond },
    { metric: 'handshakes_per_s', unit: 'handshakes/s', value: handshakesPerSecond },
    { metric: 'updates_in_per_s', unit: 'updates/s', value: load.updatesPerSecond },
    { metric: 'effective_tick', unit: 'ms', value: load.tickSeconds * 1_000 },
    { metric: 'server_rss', unit: 'MiB', value: rssBytes / 2 ** 20 },
  ];
}

export function costSamples({ cpu, change, ...costs }: UnitCosts): Sample[] {
  return [
    { metric: 'cpu_idle', unit: 'cores', value: cpu.idleCores },
    { metric: 'cpu_feed_update', unit: 'µs', value: cpu.feedUpdateMicros },
    { metric: 'cpu_worker_update', unit: 'µs', value: cpu.workerUpdateMicros },
    { metric: 'cpu_encoding', unit: 'µs', value: cpu.encodingMicros },
    { metric: 'cpu_frame', unit: 'µs', value: cpu.frameMicros },
    { metric: 'cpu_quote', unit: 'µs', value: cpu.quoteMicros },
    { metric: 'cpu_connection_second', unit: 'µs', value: cpu.connectionMicros },
    { metric: 'cpu_handshake', unit: 'µs', value: cpu.handshakeMicros },
    { metric: 'change_scale', unit: 'updates', value: change.scale },
    { metric: 'change_shape', unit: '', value: change.shape },
    { metric: 'frame_bytes', unit: 'bytes', value: costs.frameBytes },
    { metric: 'quote_bytes', unit: 'bytes', value: costs.quoteBytes },
    { metric: 'process_memory', unit: 'MiB', value: costs.processBytes / 2 ** 20 },
    { metric: 'connection_memory', unit: 'KiB', value: costs.connectionBytes / 1024 },
  ];
}

/** By how much the prediction misses; a rate that is predicted wrong is seen beside the cores that it leads to. */
export function predictionSamples(prediction: Prediction): Sample[] {
  const { load, predictedFrames, predictedQuotes, predictedBytes } = prediction;
  const miss = (what: string, predicted: number, measured: number): Sample => ({
    metric: `${load}_${what}`,
    unit: '% off',
    value: (predicted / measured - 1) * 100,
  });
  return [
    miss('cores', prediction.predictedCores, prediction.measuredCores),
    miss('frames', predictedFrames, prediction.measuredFrames),
    miss('quotes', predictedQuotes, prediction.measuredQuotes),
    miss('bytes', predictedBytes, prediction.measuredBytes),
  ];
}

/** Run from the root of the source, as npm does. */
export function writeCosts(costs: UnitCosts, predictions: readonly Prediction[], tls: boolean): void {
  // Where else the figures went says nothing of them.
  const words = process.argv.slice(2).filter((word, at, all) => word !== '--json' && all[at - 1] !== '--json');
  const measurement: CostMeasurement = {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`,
    command: `npm run bench -- ${words.join(' ')}`,
    checks: predictions.map(({ load, predictedCores, measuredCores }) => ({
      load,
      predictedCores: significant(predictedCores),
      measuredCores: significant(measuredCores),
    })),
    costs: JSON.parse(JSON.stringify(costs, (_, value) => (typeof value === 'number' ? significant(value) : value))),
  };
  const path = join(process.cwd(), COSTS_FILE);
  const kept = { ...JSON.parse(readFileSync(path, 'utf8')), [tls ? 'tls' : 'plain']: measurement };
  writeFileSync(path, `${JSON.stringify(kept, null, 2)}\n`);
}

/** No more digits than the noise leaves a meaning. */
function significant(value: number): number {
  return Number(value.toPrecision(4));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
