import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateInstrumentMaster } from '../../src/core/exchange/instrument-generator.ts';
import { InstrumentTable } from '../../src/core/market-data/instrument-table.ts';
import { nativeProgram } from '../../src/net/testing/native-program.ts';
import type { BenchSetup, Measurement, Sample, Subject } from '../harness.ts';
import { type Placement, placement } from '../placement.ts';
import { threadUsage } from '../process-usage.ts';
import { requireDescriptors } from '../rig.ts';
import { CONTENDERS, type Contender, type RunningContender } from './contenders.ts';
import { LoadTooSlowError, QuoteLoad, type QuoteLoadFigures } from './load.ts';
import { QuoteStream } from './quote-stream.ts';
import { WatchLists } from './watch-lists.ts';

/** A case: so many connections that get so many quotes each at every tick, of twice as many instruments. */
interface CompareCase {
  readonly name: string;
  readonly connections: number;
  readonly quotesATick: number;
}

const CASES: readonly CompareCase[] = [
  { name: 'list-1000', connections: 1_000, quotesATick: 10 },
  { name: 'list-5000', connections: 5_000, quotesATick: 10 },
  { name: 'list-10000', connections: 10_000, quotesATick: 10 },
  { name: 'one-1000', connections: 1_000, quotesATick: 1 },
];
export const COMPARE_CASES = CASES.map(({ name }) => name);
export const COMPARE_ROWS = CONTENDERS.map(({ impl }) => impl);

export interface CompareOptions {
  readonly seed: number;
  readonly tickMs: number;
  readonly quotes: number;
  readonly ticksMin: number;
  readonly ticksMax: number;
  readonly madeUpInstruments: number;
  readonly apart: boolean;
  /** Divides the connections of every case: for a try. */
  readonly shrink: number;
  readonly only?: readonly string[];
  readonly rows?: readonly string[];
}

const MASTER_DATE = '2026-01-01';
const INSTRUMENTS_MAX = 65_536;
/** Rounds of a row that are begun before the machine is given up as too crowded. */
const ATTEMPTS = 5;
const LOAD_CLIENT = 'bench/peers/quote-load.c';

/** What all rows of all cases share. */
interface Ground {
  readonly options: CompareOptions;
  readonly table: InstrumentTable;
  readonly directory: string;
  readonly instrumentsFile: string;
  readonly loadProgram: string;
  readonly placed: Placement;
}

/** The same quotes to the same connections by different servers, one of them after the other. */
export async function compareBench(options: CompareOptions): Promise<BenchSetup> {
  const cases = CASES.filter(({ name }) => options.only?.includes(name) ?? true);
  requireDescriptors(Math.max(...cases.map(({ connections }) => Math.ceil(connections / options.shrink))));
  const loadProgram = await nativeProgram(LOAD_CLIENT, null);
  if (!('path' in loadProgram)) {
    process.stderr.write(`no row of compare without its load client: ${loadProgram.missing}\n`);
    return { subjects: [], close: async () => {} };
  }
  const directory = mkdtempSync(join(tmpdir(), 'outcry-compare-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const ground: Ground = {
    options,
    directory,
    loadProgram: loadProgram.path,
    placed: placement(options.apart),
    ...instruments(options, directory),
  };
  const contenders: Contender[] = [];
  for (const contender of CONTENDERS) {
    if (options.rows !== undefined && !options.rows.includes(contender.impl)) continue;
    const missing = await contender.missing();
    if (missing === null) contenders.push(contender);
    else process.stderr.write(`no row ${contender.impl}: ${missing}\n`);
  }
  const subjects = cases.flatMap((compareCase) =>
    contenders.map((contender) => subject(ground, compareCase, contender)),
  );
  return { subjects, close: async () => rmSync(directory, { recursive: true, force: true }) };
}

function instruments(options: CompareOptions, directory: string): { table: InstrumentTable; instrumentsFile: string } {
  const { seed, madeUpInstruments } = options;
  const master = generateInstrumentMaster({ seed, madeUpCount: madeUpInstruments, from: MASTER_DATE });
  const table = new InstrumentTable(INSTRUMENTS_MAX);
  table.load(master, MASTER_DATE);
  const instrumentsFile = join(directory, 'instruments.json');
  writeFileSync(instrumentsFile, master.toText());
  return { table, instrumentsFile };
}

function subject(ground: Ground, compareCase: CompareCase, contender: Contender): Subject {
  return {
    impl: contender.impl,
    case: compareCase.name,
    async measure(): Promise<Measurement> {
      for (let attempt = 1; ; attempt++) {
        try {
          return await measure(ground, compareCase, contender);
        } catch (error) {
          if (error instanceof LoadTooSlowError && attempt < ATTEMPTS) continue;
          throw new Error(`${contender.impl}, ${compareCase.name}: ${(error as Error).message}`);
        }
      }
    },
  };
}

async function measure(ground: Ground, compareCase: CompareCase, contender: Contender): Promise<Measurement> {
  const { options, table, placed } = ground;
  const { quotesATick } = compareCase;
  const connections = Math.ceil(compareCase.connections / options.shrink);
  // Made anew for each row: the same quotes, and the same watchers, in all of them.
  const stream = new QuoteStream(table, options.seed);
  const watching = new WatchLists(connections, quotesATick, stream.symbols.length, options.seed);
  const dataDir = mkdtempSync(join(ground.directory, 'server-'));
  const server = await contender.start({
    quotes: stream.now(),
    instrumentsFile: ground.instrumentsFile,
    connections,
    tickMs: options.tickMs,
    dataDir,
    cores: placed.server,
  });
  let load: QuoteLoad | undefined;
  try {
    load = await QuoteLoad.open({
      program: ground.loadProgram,
      planFile: join(dataDir, 'plan'),
      port: server.port,
      openings: watching.lists.map((list) => contender.opening(list, stream.symbols)),
      decoder: contender.decoder,
      quotesATick,
      marks: contender.marks(watching.lists[0]!.length),
      cores: placed.load,
    });
    const wanted = Math.round(options.quotes / (connections * quotesATick));
    const ticks = Math.max(options.ticksMin, Math.min(options.ticksMax, wanted));
    return await underLoad({
      options,
      stream,
      watching,
      server,
      load,
      ticks,
      quotes: ticks * connections * quotesATick,
    });
  } finally {
    await server.stop();
    await load?.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

interface Run {
  readonly options: CompareOptions;
  readonly stream: QuoteStream;
  readonly watching: WatchLists;
  readonly server: RunningContender;
  readonly load: QuoteLoad;
  readonly ticks: number;
  /** What must have arrived. */
  readonly quotes: number;
}

async function underLoad(run: Run): Promise<Measurement> {
  const { load, server, ticks } = run;
  await load.begin();
  // As many before as are measured: code is compiled, buffers have grown.
  await playTicks(run, ticks);
  await load.begin();
  const before = threadSeconds(server.pids);
  const byteSum = await playTicks(run, ticks);
  const after = threadSeconds(server.pids);
  const figures = await load.end();
  if (figures.quotes !== run.quotes || figures.byteSum !== byteSum) {
    throw new Error(
      `${figures.quotes} quotes arrived, their bytes ${figures.byteSum} in all; ${run.quotes} and ${byteSum} were due`,
    );
  }
  return { samples: samplesOf(figures, before, after, ticks), checksum: byteSum };
}

/**
 * A tick begins a fixed time after the one before, or when all connections have that one whole, whichever is later. Returns the sum of the bytes that
 * all connections were due.
 */
async function playTicks({ options, stream, watching, server, load }: Run, count: number): Promise<number> {
  let byteSum = 0;
  for (let i = 0; i < count; i++) {
    const tick = stream.next();
    byteSum += watching.byteSum(tick);
    const dueMs = performance.now() + options.tickMs;
    server.publish(tick);
    await load.tickDone();
    await sleep(Math.max(0, dueMs - performance.now()));
  }
  return byteSum;
}

function samplesOf(figures: QuoteLoadFigures, before: Threads, after: Threads, ticks: number): Sample[] {
  const { quotes, messages, bytes, busySeconds, seconds, reads } = figures;
  const samples: Sample[] = [
    { metric: 'cpu_s_per_million', unit: 'CPU s', value: perMillion(total(after) - total(before), quotes) },
    { metric: 'quotes_per_frame', unit: 'quotes', value: quotes / messages },
    { metric: 'quotes_per_read', unit: 'quotes', value: quotes / reads },
    { metric: 'bytes_per_quote', unit: 'bytes', value: bytes / quotes },
    { metric: 'tick', unit: 'ms', value: (seconds / ticks) * 1_000 },
    { metric: 'load_busy', unit: '%', value: (busySeconds / seconds) * 100 },
  ];
  // Of a server with threads of its own naming: what of the whole is each one's.
  for (const name of ENGINE_THREADS) {
    if (!after.has(name)) continue;
    const value = perMillion(after.get(name)! - (before.get(name) ?? 0), quotes);
    samples.push({ metric: `cpu_s_per_million_${name}`, unit: 'CPU s', value });
  }
  return samples;
}

/** The threads of the engine that a quote passes. */
const ENGINE_THREADS = ['feed', 'fan-out-0'];

/** CPU seconds of all threads of some processes, by name. */
type Threads = ReadonlyMap<string, number>;

function threadSeconds(pids: readonly number[]): Threads {
  const threads = new Map<string, number>();
  for (const pid of pids) {
    for (const { name, cpuSeconds } of threadUsage(pid).values()) {
      threads.set(name, (threads.get(name) ?? 0) + cpuSeconds);
    }
  }
  return threads;
}

function total(threads: Threads): number {
  return [...threads.values()].reduce((sum, seconds) => sum + seconds, 0);
}

function perMillion(cpuSeconds: number, quotes: number): number {
  return (cpuSeconds / quotes) * 1e6;
}
