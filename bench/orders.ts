import { decodeFromCompressedBase64, type Histogram } from 'hdr-histogram-js';
import { AskedChild } from './asked-child.ts';
import type { Metrics } from './engine-under-test.ts';
import type { BenchSetup, Measurement, Sample, Subject } from './harness.ts';
import { percentileSamples } from './histogram.ts';
import { OrderEcho } from './order-echo.ts';
import type { OrderFigures, OrderLoadOrder, OrderLoadReport, OrderOutcome, OrderPlan } from './order-load-messages.ts';
import { OrderRig, type OrderRigOptions, type OrderUsage } from './order-rig.ts';

export const ORDER_CASES = ['throughput', 'latency', 'noisy-neighbour'] as const;

export interface OrdersOptions extends OrderRigOptions {
  readonly inFlight: number;
  readonly rate: number;
  readonly othersRate: number;
  readonly noisyRate: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
  /** All of them when left out. */
  readonly only: (typeof ORDER_CASES)[number] | undefined;
}

type Load = AskedChild<OrderLoadOrder, OrderLoadReport>;

/** Silent and noisy by turns, so that a disturbance of the machine falls on both alike. */
const NOISY_TURNS = 2;

/** Orders through the whole engine; the baseline is the same load on a server that does nothing. */
export async function ordersBench(options: OrdersOptions): Promise<BenchSetup> {
  const { only, inFlight, warmupSeconds, seconds, rate } = options;
  const rig = await OrderRig.start(options);
  const { traders, noisy, symbols } = rig;
  const { host } = rig.engine;
  const loads: Load[] = [];
  const echo = await OrderEcho.start();
  const close = async (): Promise<void> => {
    for (const load of loads) load.close();
    echo.close();
    await rig.close();
  };
  try {
    const load = await connected({ host, port: rig.engine.port, traders, noisy, symbols }, loads);
    const echoLoad = await connected({ host, port: echo.port, traders, noisy, symbols }, loads);
    const throughput: OrderPlan = { kind: 'in-flight', inFlight, warmupSeconds, seconds };
    const latency: OrderPlan = { kind: 'scheduled', ordersPerSecond: rate, noisyPerSecond: 0, warmupSeconds, seconds };
    const subjects: Subject[] = [];
    for (const [name, plan] of [
      ['throughput', throughput],
      [`latency-${rate}`, latency],
    ] as const) {
      if (only !== undefined && !name.startsWith(only)) continue;
      subjects.push(
        { impl: 'baseline', case: name, measure: async () => ofBaseline(await run(echoLoad, plan)) },
        { impl: 'outcry', case: name, measure: () => throughEngine(rig, load, plan) },
      );
    }
    if (only === undefined || only === 'noisy-neighbour') {
      subjects.push({ impl: 'outcry', case: 'noisy-neighbour', measure: () => besideNoise(load, options) });
    }
    return { subjects, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function connected(settings: Extract<OrderLoadOrder, { type: 'connect' }>['settings'], loads: Load[]) {
  const load: Load = new AskedChild('the load client', './order-load-client', '');
  loads.push(load);
  await load.ask({ type: 'connect', settings }, 'connected');
  return load;
}

async function run(load: Load, plan: OrderPlan): Promise<OrderFigures> {
  const { figures } = await load.ask({ type: 'run', plan }, 'figures');
  complain(figures);
  return figures;
}

/** Every order must end, and market orders by a fill. */
function complain({ lost, others, noisy }: OrderFigures): void {
  const say = (text: string) => process.stderr.write(`orders: ${text}\n`);
  for (const { refused, ended } of [others, noisy]) {
    for (const [code, count] of Object.entries(refused)) say(`${count} refused with ${code}`);
    if (ended > 0) say(`${ended} ended without a fill`);
  }
  if (lost === 0) return;
  say(`${lost} had not ended when the run was given up`);
  process.exitCode = 1;
}

function ofBaseline(figures: OrderFigures): Measurement {
  return { samples: [...orderSamples(figures), loadSample(figures)], checksum: figures.others.filled };
}

async function throughEngine(rig: OrderRig, load: Load, plan: OrderPlan): Promise<Measurement> {
  const metricsBefore = await rig.metrics();
  const before = rig.usage();
  const figures = await run(load, plan);
  const after = rig.usage();
  const metricsAfter = await rig.metrics();
  const samples = [
    ...orderSamples(figures),
    ...usageSamples(before, after, figures.filledInAll),
    loadSample(figures),
    ...batchSamples(metricsBefore, metricsAfter),
  ];
  return { samples, checksum: figures.others.filled };
}

/** The same schedule of the others with and without one account that places as many again. */
async function besideNoise(load: Load, options: OrdersOptions): Promise<Measurement> {
  const { warmupSeconds, seconds, othersRate, noisyRate } = options;
  const silent: OrderFigures[] = [];
  const loud: OrderFigures[] = [];
  for (let turn = 0; turn < NOISY_TURNS; turn++) {
    for (const [all, noisyPerSecond] of [
      [silent, 0],
      [loud, noisyRate],
    ] as const) {
      const ordersPerSecond = othersRate;
      all.push(await run(load, { kind: 'scheduled', ordersPerSecond, noisyPerSecond, warmupSeconds, seconds }));
    }
  }
  const noisyFilled = loud.reduce((sum, { noisy }) => sum + noisy.filled, 0);
  const samples: Sample[] = [
    { metric: 'noisy_orders_per_s', unit: 'orders/s', value: noisyFilled / NOISY_TURNS / seconds },
  ];
  for (const [name, pick] of [
    ['pending', ({ pending }: OrderOutcome) => pending],
    ['fill', ({ fill }: OrderOutcome) => fill],
  ] as const) {
    const p99 = (all: readonly OrderFigures[]) =>
      merged(all.map(({ others }) => pick(others))).getValueAtPercentile(99) / 1_000;
    samples.push(
      { metric: `${name}_p99_alone`, unit: 'ms', value: p99(silent) },
      { metric: `${name}_p99_beside`, unit: 'ms', value: p99(loud) },
      { metric: `${name}_p99_ratio`, unit: '×', value: p99(loud) / p99(silent) },
    );
  }
  return { samples, checksum: [...silent, ...loud].reduce((sum, { others }) => sum + others.filled, 0) };
}

function orderSamples({ others, filledPerSecond, lateness }: OrderFigures): Sample[] {
  const { sent, acknowledged, filled } = others;
  return [
    { metric: 'filled_per_s', unit: 'orders/s', value: filledPerSecond },
    { metric: 'accepted', unit: '%', value: (acknowledged / sent) * 100 },
    { metric: 'filled', unit: '%', value: (filled / sent) * 100 },
    ...percentileSamples(decoded(others.pending), 'pending', 'ms', 1_000),
    ...percentileSamples(decoded(others.fill), 'fill', 'ms', 1_000),
    { metric: 'sent_late_p99', unit: 'ms', value: decoded(lateness).getValueAtPercentile(99) / 1_000 },
  ];
}

function usageSamples(before: OrderUsage, after: OrderUsage, filled: number): Sample[] {
  return [...after].map(([name, cpuSeconds]) => ({
    metric: `cpu_${name}`,
    unit: 'CPU s/1,000 orders',
    value: ((cpuSeconds - (before.get(name) ?? 0)) / filled) * 1_000,
  }));
}

function loadSample({ cpuSeconds, filledInAll }: OrderFigures): Sample {
  return { metric: 'cpu_load', unit: 'CPU s/1,000 orders', value: (cpuSeconds / filledInAll) * 1_000 };
}

function batchSamples(before: Metrics, after: Metrics): Sample[] {
  const grown = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  const commits = grown('outcry_ledger_commits_total');
  return [
    { metric: 'events_per_commit', unit: 'events', value: grown('outcry_ledger_events_total') / commits },
    { metric: 'commit_time', unit: 'ms', value: (grown('outcry_ledger_commit_seconds_total') / commits) * 1_000 },
    { metric: 'alarms', unit: 'alarms', value: grown('outcry_order_alarms_total') },
  ];
}

function decoded(text: string): Histogram {
  return decodeFromCompressedBase64(text) as Histogram;
}

function merged(encoded: readonly string[]): Histogram {
  const [first, ...rest] = encoded.map(decoded);
  for (const histogram of rest) first!.add(histogram);
  return first!;
}
