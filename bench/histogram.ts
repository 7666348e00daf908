import { build, type Histogram } from 'hdr-histogram-js';
import type { Sample } from './harness.ts';

/** Three significant digits from 1 to 10^8 of the unit recorded: 100 s in microseconds, 0.1 s in nanoseconds. */
const HIGHEST = 100_000_000;

export function latencyHistogram(): Histogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 32,
    autoResize: false,
    useWebAssembly: false,
  }) as Histogram;
}

/** Records what the histogram can hold: a negative value counts as 0, a larger one as the largest. */
export function recordLatency(histogram: Histogram, value: number): void {
  histogram.recordValue(value <= 0 ? 0 : value >= HIGHEST ? HIGHEST : Math.round(value));
}

const PERCENTILES = [
  ['p50', 50],
  ['p99', 99],
  ['p99.9', 99.9],
] as const;

/** The usual points of a latency distribution; values are divided by `divisor` into `unit`. */
export function percentileSamples(histogram: Histogram, prefix: string, unit: string, divisor: number): Sample[] {
  const samples: Sample[] = PERCENTILES.map(([name, percentile]) => ({
    metric: `${prefix}_${name}`,
    unit,
    value: histogram.getValueAtPercentile(percentile) / divisor,
  }));
  samples.push({ metric: `${prefix}_max`, unit, value: histogram.maxValue / divisor });
  return samples;
}
