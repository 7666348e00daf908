/** The long run of what `npm test` runs short: mutated messages by the million, deaths at random instants under order flow, simulated trading days. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Command, InvalidArgumentError } from 'commander';
import { FixVersion } from '../src/core/fix/fix-version.ts';
import { fuzzFraming } from '../src/core/fix/testing/framing-fuzz.ts';
import { fuzzSession } from '../src/core/fix/testing/session-fuzz.ts';
import { PLANTED_BUGS } from '../src/core/simulation/planted-bugs.ts';
import { runCrashRounds } from '../src/net/testing/crash-rounds.ts';
import { runCrashSimulation } from '../src/net/testing/crash-simulation.ts';
import { runResetSimulation } from '../src/net/testing/reset-simulation.ts';
import { runStoreLives } from '../src/net/testing/store-lives.ts';
import { runOrderCrashRounds } from '../src/workers/testing/order-crash-rounds.ts';
import { compareDatabases, findPlantedBugs, simulateDays } from './torture-ledger.ts';

/** Messages between two reports of a fuzz run. A slice takes a second or two. */
const SLICE_MESSAGES = 64_000;
/** A slice that takes longer hangs. */
const SLICE_TIMEOUT_MS = 120_000;
/** Memory is compared with what it was after so many slices: by then the code is compiled and buffers have their size. */
const SETTLED_SLICES = 5;
const MEMORY_GROWTH_MAX_BYTES = 64 * 1024 * 1024;
const PROGRESS_MS = 10_000;
const ROUNDS_TOLD = 50;
const ORDER_ROUNDS_TOLD = 10;

/** What mutated messages are sent into. */
type Target = 'framing' | FixVersion;

/** What one fuzz run gave. */
interface FuzzSummary {
  seed: number;
  messages: number;
  /** What happened, by name: counts of a run in which nothing did would show it. */
  counts: Record<string, number>;
  /** Heap and buffers in use at the end above what was in use once it had settled. */
  memoryGrowthBytes: number;
  faults: string[];
}

interface SliceReport {
  messages: number;
  counts: Record<string, number>;
  memoryBytes: number;
  faults: string[];
}

interface FuzzOptions {
  readonly target: Target;
  readonly messages: number;
  readonly seed: number;
}

interface TortureOptions {
  readonly messages: number;
  readonly seed: number;
  readonly rounds: number;
  readonly deaths: number;
  readonly days: number;
  readonly batches: number;
  readonly bugs: boolean;
  readonly orderRounds: number;
}

if (isMainThread) await main();
else await fuzzSlices(workerData as FuzzOptions);

async function main(): Promise<void> {
  const program = new Command('npm run torture --')
    .description(
      'Mutated messages, and deaths at random instants under order flow. The last line is a summary as JSON; it ends with 0 if all held.',
    )
    .option('--messages <n>', 'mutated messages; 0 for none', whole(0, 10_000_000_000), 10_000_000)
    .option('--rounds <n>', 'processes killed under order flow; 0 for none', whole(0, 1_000_000), 500)
    .option(
      '--deaths <n>',
      'deaths over disks that drop what was not synced; 0 for none',
      whole(0, 1_000_000_000),
      100_000,
    )
    .option('--days <n>', 'simulated trading days with faults; 0 for none', whole(0, 1_000_000), 200)
    .option(
      '--batches <n>',
      'random batches on the model of the database and a real one; 0 for none',
      whole(0, 1_000_000),
      10_000,
    )
    .option('--no-bugs', 'do not look for the planted bugs')
    .option(
      '--order-rounds <n>',
      'deaths of engine, database or exchange of a whole Outcry under order load; 0 for none',
      whole(0, 1_000_000),
      300,
    )
    .option('--seed <n>', 'seed of everything drawn', whole(0, 4_294_967_295), Date.now() % 1_000_000_000)
    .showHelpAfterError();
  program.parse();
  const { messages, rounds, deaths, days, batches, bugs, orderRounds, seed } = program.opts<TortureOptions>();
  say(`torture: seed ${seed}`);
  const startMs = Date.now();
  const results: Record<string, unknown> = {};
  const faults: string[] = [];
  let told = 0;
  const stage = async (name: string, count: number, run: () => Promise<unknown>): Promise<void> => {
    if (count === 0) return;
    say(`torture: ${name}, ${count}`);
    try {
      results[name] = await run();
    } catch (error) {
      faults.push(`${name}: ${(error as Error).message}`);
    }
    // At once: a run that is ended early has told what it found.
    for (const fault of faults.slice(told)) say(`torture: FAULT ${fault}`);
    told = faults.length;
  };
  // A half of the messages at framer and decoder, a quarter each at a session of each version.
  const shares: [string, Target, number][] = [
    ['framing', 'framing', Math.ceil(messages / 2)],
    ['session44', FixVersion.Fix44, Math.ceil(messages / 4)],
    ['session42', FixVersion.Fix42, Math.ceil(messages / 4)],
  ];
  for (const [name, target, share] of shares) {
    await stage(name, share, async () => {
      const { faults: found, ...summary } = await fuzz({ target, seed, messages: share });
      faults.push(...found);
      return summary;
    });
  }
  await stage('storeLives', deaths, () => runStoreLives({ lives: deaths, seed }));
  await stage('simulatedDeaths', deaths, () => runCrashSimulation({ deaths, seed }));
  await stage('resetDeaths', deaths, () => runResetSimulation({ deaths, seed }));
  await stage('killedProcesses', rounds, () => {
    const onRound = (round: number) => void (round % ROUNDS_TOLD === 0 && say(`torture: ${round} processes killed`));
    return runCrashRounds({ rounds, seed, onRound });
  });
  await stage('simulatedDays', days, () => simulateDays(seed, days));
  await stage('plantedBugs', bugs ? Object.keys(PLANTED_BUGS).length : 0, () => findPlantedBugs(seed));
  await stage('databaseTwins', batches, () => compareDatabases(seed, batches));
  await stage('orderDeaths', orderRounds, () => {
    const onRound = (round: number) =>
      void (round % ORDER_ROUNDS_TOLD === 0 && say(`torture: ${round} deaths under order load`));
    return runOrderCrashRounds({ rounds: orderRounds, seed, onRound });
  });
  const seconds = Math.round((Date.now() - startMs) / 1_000);
  process.stdout.write(`${JSON.stringify({ ok: faults.length === 0, seconds, seed, faults, results })}\n`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}

/** Runs the fuzz in a thread of its own, so that a hang in it is seen. */
async function fuzz(options: FuzzOptions): Promise<FuzzSummary> {
  const { seed, messages } = options;
  const summary: FuzzSummary = { seed, messages: 0, counts: {}, memoryGrowthBytes: 0, faults: [] };
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: options });
  const hang = setTimeout(() => {
    summary.faults.push(`no progress in ${SLICE_TIMEOUT_MS / 1_000} s after ${summary.messages} messages: a hang`);
    void worker.terminate();
  }, SLICE_TIMEOUT_MS);
  let slices = 0;
  let settledBytes = 0;
  let toldMs = Date.now();
  worker.on('message', (slice: SliceReport) => {
    hang.refresh();
    slices++;
    summary.messages += slice.messages;
    for (const [name, count] of Object.entries(slice.counts)) {
      summary.counts[name] = (summary.counts[name] ?? 0) + count;
    }
    summary.faults.push(...slice.faults);
    if (slices <= SETTLED_SLICES) settledBytes = Math.max(settledBytes, slice.memoryBytes);
    summary.memoryGrowthBytes = slice.memoryBytes - settledBytes;
    if (Date.now() - toldMs < PROGRESS_MS) return;
    toldMs = Date.now();
    say(`torture: ${summary.messages} messages`);
  });
  worker.on('error', (error) => summary.faults.push(`it threw after ${summary.messages} messages: ${error.stack}`));
  await once(worker, 'exit');
  clearTimeout(hang);
  if (summary.memoryGrowthBytes > MEMORY_GROWTH_MAX_BYTES) {
    summary.faults.push(`memory grew by ${summary.memoryGrowthBytes} bytes`);
  }
  if (summary.faults.length === 0 && summary.messages < messages) summary.faults.push('it ended early');
  return summary;
}

/** The thread's side. */
async function fuzzSlices({ target, seed, messages }: FuzzOptions): Promise<void> {
  for (let done = 0; done < messages; ) {
    // Slices must not be of the same seed: a slice of so many messages uses up fewer seeds.
    const sliceSeed = (seed + done) >>> 0;
    const count = Math.min(SLICE_MESSAGES, messages - done);
    const { counts, faults } =
      target === 'framing' ? framingSlice(sliceSeed, count) : sessionSlice(target, sliceSeed, count);
    done += count;
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    parentPort!.postMessage({
      messages: count,
      counts,
      faults,
      memoryBytes: heapUsed + arrayBuffers,
    } satisfies SliceReport);
    if (faults.length > 0) return;
  }
}

type Slice = Pick<SliceReport, 'counts' | 'faults'>;

function framingSlice(seed: number, messages: number): Slice {
  const { framed, garbledBytes, faults } = fuzzFraming(seed, messages);
  return { counts: { framed, garbledBytes }, faults };
}

function sessionSlice(version: FixVersion, seed: number, messages: number): Slice {
  try {
    const { messages: _done, ...counts } = fuzzSession({ seed, version, messages });
    return { counts, faults: [] };
  } catch (error) {
    return { counts: {}, faults: [(error as Error).stack ?? String(error)] };
  }
}

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
