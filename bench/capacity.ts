import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineUsage, Metrics } from './engine-under-test.ts';
import type { BenchSetup, Measurement, Subject } from './harness.ts';
import { QUOTES_BY_ZIPF, Rig, type RigOptions } from './rig.ts';
import { fitUnitCosts, type MeasuredLoad } from './unit-cost-fit.ts';
import { costSamples, loadSamples, predictionSamples, predictLoad, writeCosts } from './unit-cost-report.ts';

export interface CapacityOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** Connections and updates as per cent of what they usually are: for a test, or a machine with less or more to give. */
  readonly scale: number;
  /** Only so many of the loads, from the first on. */
  readonly loads: number;
  readonly tls: boolean;
  /** Leaves the costs where `outcry capacity` reads them. */
  readonly write?: boolean;
}

/** A load of the bench. Loads of the fit and of the check stand in turn, so that what disturbs the machine falls on both. */
interface Point {
  readonly use: 'fit' | 'check';
  readonly connections: number;
  readonly symbols: number;
  readonly tickMs: number;
  readonly updatesPerSecond: number;
}

const POINTS: readonly Point[] = [
  { use: 'fit', connections: 1_000, symbols: 20, tickMs: 100, updatesPerSecond: 100_000 },
  { use: 'check', connections: 1_500, symbols: 20, tickMs: 100, updatesPerSecond: 50_000 },
  { use: 'fit', connections: 1_500, symbols: 50, tickMs: 100, updatesPerSecond: 20_000 },
  { use: 'fit', connections: 2_500, symbols: 5, tickMs: 100, updatesPerSecond: 100_000 },
  { use: 'check', connections: 2_500, symbols: 10, tickMs: 250, updatesPerSecond: 80_000 },
  { use: 'fit', connections: 300, symbols: 50, tickMs: 100, updatesPerSecond: 100_000 },
  { use: 'fit', connections: 4_000, symbols: 20, tickMs: 1_000, updatesPerSecond: 20_000 },
  { use: 'check', connections: 2_000, symbols: 30, tickMs: 200, updatesPerSecond: 10_000 },
  { use: 'fit', connections: 2_000, symbols: 10, tickMs: 100, updatesPerSecond: 5_000 },
];

const MADE_UP_INSTRUMENTS = 1_950;
const CONNECTS_PER_SECOND = 1_000;
/** A handshake takes the engine over a millisecond, and what waits for one is bounded (`src/net/pending-sockets.ts`). */
const TLS_CONNECTS_PER_SECOND = 300;
/** The engine without clients is measured for this part of the time of a load. */
const IDLE_SHARE = 0.4;
/** A load has at least these parts of the updates, the tick rate and the frames that it is to have; not every tick has something for everybody. */
const LOAD_SHARE_MIN = 0.9;
const FRAMES_SHARE_MIN = 0.8;
/** A load that is another one is measured so often again; it counts as it is then. */
const ATTEMPTS_MORE = 2;

/** Costs of single things from the costs of whole loads, and how well they tell the cost of loads that they were not made from. */
export async function capacityBench(options: CapacityOptions): Promise<BenchSetup> {
  let rig: Rig | undefined;
  const fitted: MeasuredLoad[] = [];
  const checked = new Map<string, MeasuredLoad[]>();
  const measureOnce = async (point: Point): Promise<MeasuredPoint> => {
    rig = await Rig.start(rigOptions(point, options), point.connections);
    const idle = await whileIdle(rig, point, options);
    const arrivals = await underArrivals(rig, point, options);
    const loaded = await underLoad(rig, point, options);
    await rig.close();
    rig = undefined;
    return { idle, arrivals, loaded };
  };
  const points = POINTS.slice(0, options.loads).map((point) => ({
    ...point,
    connections: Math.round((point.connections * options.scale) / 100),
    updatesPerSecond: Math.round((point.updatesPerSecond * options.scale) / 100),
  }));
  const subjects: Subject[] = points.map((point) => ({
    impl: 'outcry',
    case: caseName(point),
    async measure(): Promise<Measurement> {
      let measured = await measureOnce(point);
      for (let again = 0; isOtherLoad(measured, point) && again < ATTEMPTS_MORE; again++) {
        process.stderr.write(
          `capacity: ${caseName(point)} was not the load that it should be, and is measured again\n`,
        );
        measured = await measureOnce(point);
      }
      const { idle, arrivals, loaded } = measured;
      if (point.use === 'fit') fitted.push(idle, arrivals, loaded);
      else checked.set(caseName(point), [...(checked.get(caseName(point)) ?? []), loaded]);
      return { samples: loadSamples(loaded), checksum: Math.round(loaded.quotesPerSecond) };
    },
  }));
  subjects.push({
    impl: 'outcry',
    case: 'unit-costs',
    measure(round): Measurement {
      const costs = fitUnitCosts(fitted);
      const predictions = [...checked].map(([name, measured]) => predictLoad(name, measured, costs));
      if (options.write === true && round === options.rounds - 1) writeCosts(costs, predictions, options.tls);
      const samples = [...costSamples(costs), ...predictions.flatMap(predictionSamples)];
      return { samples, checksum: fitted.length };
    },
  });
  return { subjects, close: async () => rig?.close() };
}

interface MeasuredPoint {
  readonly idle: MeasuredLoad;
  readonly arrivals: MeasuredLoad;
  readonly loaded: MeasuredLoad;
}

/** A machine that others keep busy does not get the updates or the ticks through: its figures would be of neither load. */
function isOtherLoad({ loaded }: MeasuredPoint, { updatesPerSecond, tickMs, connections }: Point): boolean {
  const { load, framesPerSecond } = loaded;
  const ticks = (connections / tickMs) * 1_000;
  return (
    load.updatesPerSecond < updatesPerSecond * LOAD_SHARE_MIN ||
    load.tickSeconds * 1_000 * LOAD_SHARE_MIN > tickMs ||
    framesPerSecond < ticks * FRAMES_SHARE_MIN
  );
}

function caseName({ use, connections, symbols, tickMs, updatesPerSecond }: Point): string {
  return `${use}-${connections}x${symbols}-${tickMs}ms-${updatesPerSecond}`;
}

function rigOptions({ updatesPerSecond, tickMs }: Point, { seed, tls }: CapacityOptions): RigOptions {
  return {
    feed: 'replay',
    rate: updatesPerSecond,
    madeUpInstruments: MADE_UP_INSTRUMENTS,
    tickMs,
    fanOutWorkers: 1,
    seed,
    apart: true,
    transport: tls ? 'tls' : 'plain',
  };
}

async function whileIdle(rig: Rig, point: Point, options: CapacityOptions): Promise<MeasuredLoad> {
  await sleep(options.warmupSeconds * 1_000);
  const before = await reading(rig);
  await sleep(options.seconds * IDLE_SHARE * 1_000);
  return difference(point, 0, 0, before, await reading(rig));
}

/** From nobody to everybody served: half of them are there in the mean. */
async function underArrivals(rig: Rig, point: Point, { seed, tls }: CapacityOptions): Promise<MeasuredLoad> {
  const before = await reading(rig);
  await rig.connect({
    connections: point.connections,
    symbols: point.symbols,
    ...QUOTES_BY_ZIPF,
    connectsPerSecond: tls ? TLS_CONNECTS_PER_SECOND : CONNECTS_PER_SECOND,
    seed,
  });
  return difference(point, point.connections / 2, point.connections, before, await reading(rig));
}

async function underLoad(rig: Rig, point: Point, options: CapacityOptions): Promise<MeasuredLoad> {
  await sleep(options.warmupSeconds * 1_000);
  await rig.measure();
  const before = await reading(rig);
  await sleep(options.seconds * 1_000);
  const after = await reading(rig);
  const left = after.metrics.get('outcry_connections');
  if (left !== point.connections) throw new Error(`${left} of ${point.connections} connections are left at the end`);
  return difference(point, point.connections, 0, before, after);
}

interface Reading {
  readonly usage: EngineUsage;
  readonly metrics: Metrics;
}

async function reading(rig: Rig): Promise<Reading> {
  return { usage: rig.engine.usage(), metrics: await rig.engine.metrics() };
}

/** Frames, quotes and bytes are the engine's own counts: they are those that the CPU time went into, received or not. */
function difference(
  { symbols }: Point,
  connections: number,
  handshakes: number,
  before: Reading,
  after: Reading,
): MeasuredLoad {
  const seconds = (after.usage.atMs - before.usage.atMs) / 1_000;
  const aSecond = (name: string) => (after.metrics.get(name)! - before.metrics.get(name)!) / seconds;
  const feed = (usage: EngineUsage) => usage.threads.get('feed')!;
  return {
    load: {
      connections,
      symbols,
      instruments: after.metrics.get('outcry_instruments')!,
      // A tick that had to be made longer is the load that there was.
      tickSeconds: after.metrics.get('outcry_effective_tick_seconds')!,
      updatesPerSecond: aSecond('outcry_updates_in_total'),
      workers: 1,
    },
    handshakesPerSecond: handshakes / seconds,
    cores: (after.usage.cpuSeconds - before.usage.cpuSeconds) / seconds,
    feedCores: (feed(after.usage) - feed(before.usage)) / seconds,
    framesPerSecond: aSecond('outcry_frames_out_total'),
    quotesPerSecond: aSecond('outcry_updates_out_total'),
    payloadBytesPerSecond: aSecond('outcry_bytes_out_total'),
    rssBytes: after.usage.rssBytes,
  };
}
