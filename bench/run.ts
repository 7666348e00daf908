import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { capacityBench } from './capacity.ts';
import { COMPARE_CASES, COMPARE_ROWS, compareBench } from './compare/compare.ts';
import { decodeBench } from './decode.ts';
import { fanOutBench } from './fanout.ts';
import { FEED_KINDS } from './feed.ts';
import { type BenchSetup, type Report, runRounds } from './harness.ts';
import { hostileBench } from './hostile.ts';
import { SYMBOL_DRAWS } from './instrument-draw.ts';
import { ledgerBench } from './ledger.ts';
import type { Decode } from './load-messages.ts';
import { ORDER_CASES, ordersBench } from './orders.ts';
import { renderReport } from './report.ts';
import { ringBench } from './ring.ts';
import { riskBench } from './risk.ts';
import { sessionBench } from './session.ts';
import { soakBench } from './soak.ts';
import { stormBench } from './storm.ts';
import { tickToSocketBench } from './tick-to-socket.ts';
import { tlsBench } from './tls.ts';
import { ALL_TROUBLE } from './trouble-kinds.ts';
import { wireBench } from './wire.ts';

interface CommonOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly json?: string;
}

/** A bench as the command line knows it. */
interface Bench {
  readonly command: Command;
  readonly warmupRounds: number;
  readonly open: (options: CommonOptions) => Promise<BenchSetup>;
}

const DEFAULT_SEED = 20_260_302;
const program = new Command('npm run bench --').enablePositionalOptions();
const benches: Bench[] = [];

function define<O>(
  name: string,
  description: string,
  rounds: number,
  warmupRounds: number,
  open: (options: O & CommonOptions) => Promise<BenchSetup>,
): Command {
  const command = program
    .command(name)
    .description(description)
    .option('--rounds <n>', 'rounds, interleaved across the rows', whole(1, 1_000), rounds)
    .option('--seed <n>', 'seed of everything drawn', whole(0, 4_294_967_295), DEFAULT_SEED)
    .option('--json <file>', 'write the figures to a file as well');
  // Commander's parsers have checked the options that `open` is given.
  const bench: Bench = { command, warmupRounds, open: (options) => open(options as O & CommonOptions) };
  benches.push(bench);
  command.action(async (options: CommonOptions) => {
    const report = await run(bench, options);
    if (options.json !== undefined) writeJson(options.json, report);
  });
  return command;
}

async function run(bench: Bench, options: CommonOptions): Promise<Report> {
  const setup = await bench.open(options);
  try {
    const log = (line: string) => process.stderr.write(`${line}\n`);
    const { rounds, seed } = options;
    const settings = { name: bench.command.name(), rounds, warmupRounds: bench.warmupRounds, log };
    const result = await runRounds(settings, setup.subjects);
    process.stdout.write(renderReport(result, seed));
    return result.report;
  } finally {
    await setup.close();
  }
}

function writeJson(file: string, value: unknown): void {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

/** An option's whole number from `min` to `max`. */
function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

/** An option's list out of some words, `ws,nchan`. */
function wordList(words: readonly string[]): (text: string) => string[] {
  return (text) => {
    const list = text.split(',');
    if (list.every((word) => words.includes(word))) return list;
    throw new InvalidArgumentError(`It must be some of ${words.join(', ')}.`);
  };
}

/** An option's list of whole numbers, `1,100`. */
function wholeList(min: number, max: number): (text: string) => number[] {
  return (text) => text.split(',').map(whole(min, max));
}

function choice(flags: string, description: string, choices: readonly string[], fallback: string): Option {
  return new Option(flags, description).choices(choices).default(fallback);
}

define(
  'decode',
  'FIX market data messages read a second: the engine, jspurefix, QuickFIX C++, a scan in C, a byte loop',
  5,
  1,
  decodeBench,
)
  .option('--messages <n>', 'different messages of a case', whole(1, 100_000), 1_000)
  .option('--round-ms <ms>', 'time of one round of one row', whole(1, 60_000), 300);

define('session', 'orders and reports: codec, and a session over TCP, validated and stored', 5, 1, sessionBench)
  .option('--codec-messages <n>', 'messages of a round of the codec', whole(1_000, 100_000_000), 500_000)
  .option('--messages <n>', 'messages of a round over TCP, each way', whole(1, 10_000_000), 50_000);

define('ring', 'memory shared by threads: rings, wakes, quote board, dirty bitmap', 5, 1, ringBench)
  .option('--records <n>', 'records of a round of the rings', whole(1_000, 100_000_000), 4_000_000)
  .option('--hand-offs <n>', 'hand-offs of a round', whole(100, 10_000_000), 50_000)
  .option('--updates <n>', 'updates of a round of the board', whole(1_000, 100_000_000), 1_000_000);

define(
  'risk',
  'pre-trade risk with every rule on: decisions that pass, that are refused last, dry runs',
  5,
  1,
  riskBench,
).option('--decisions <n>', 'decisions of a round of one row', whole(1_000, 10_000_000), 500_000);

define(
  'ledger',
  'orders made durable by batches and one by one, and reads, on a PostgreSQL of its own',
  5,
  1,
  ledgerBench,
)
  .option('--accounts <n>', 'accounts that place', whole(1, 1_000_000), 2_000)
  .option('--callers <n>', 'orders that wait to be durable at once', whole(1, 100_000), 256)
  .option('--connections <n>', 'connections of the baseline, which waits for one order on each', whole(1, 60), 32)
  .option('--postgres-bin <directory>', "another server's `postgres` and `initdb` (default: the packaged ones)")
  .option('--seconds <s>', 'time of a round of a row', whole(1, 600), 3);

define(
  'orders',
  'orders through the whole engine: placed and filled a second, latencies, a noisy account',
  3,
  0,
  ordersBench,
)
  .option('--accounts <n>', 'accounts that trade, a socket each', whole(1, 50_000), 1_000)
  .option('--in-flight <n>', 'orders of `throughput` that wait for their fill', whole(1, 50_000), 1_000)
  .option('--rate <n>', 'orders a second of `latency`', whole(1, 100_000), 1_000)
  .option('--others-rate <n>', 'orders a second of `noisy-neighbour`, of all accounts but one', whole(1, 100_000), 500)
  .option('--noisy-rate <n>', 'orders a second of that one', whole(1, 550), 500)
  .option('--market-rate <n>', 'updates a second of the simulated market', whole(1, 1_000_000), 1_000)
  .option('--made-up-instruments <n>', 'shares beside those of the NIFTY 50', whole(0, 16_000), 150)
  .option('--fan-out-workers <n>', 'fan-out threads of the engine', whole(1, 16), 1)
  .option('--warmup-seconds <s>', 'load of a row before measuring', whole(0, 600), 2)
  .option('--seconds <s>', 'measured time of a row', whole(1, 3_600), 10)
  .addOption(new Option('--only <case>', 'one of the cases').choices(ORDER_CASES));

define('wire', 'bytes that a change costs a client in each mode, and how fast a client reads them', 3, 1, wireBench)
  .option('--rates <list>', 'updates a second into the market of the cases', wholeList(1, 1_000_000), [10_000, 100_000])
  .option('--connections <n>', 'clients of each mode', whole(1, 10_000), 100)
  .option('--symbols <n>', 'instruments a client, drawn by Zipf’s law', whole(1, 1_000), 20)
  .option('--made-up-instruments <n>', 'shares beside those of the NIFTY 50', whole(0, 16_000), 1_950)
  .option('--seconds <s>', 'market time, after two seconds of warm-up', whole(1, 3_600), 10)
  .option('--round-ms <ms>', 'time of one round of reading', whole(1, 60_000), 300);

/** What a rig is made of. A soak looks into the frames at once: nobody could keep those of half an hour. */
function withLoad(command: Command, connections: number, decode: Decode): Command {
  return command
    .option('--connections <n>', 'WebSocket connections', whole(1, 60_000), connections)
    .option('--symbols <n>', 'instruments a connection', whole(1, 1_000), 20)
    .addOption(choice('--draw <how>', 'how instruments are drawn', SYMBOL_DRAWS, 'zipf'))
    .addOption(choice('--mode <mode>', 'what is sent of a quote', ['ltp', 'quote', 'full'], 'quote'))
    .option(
      '--filter-bps <n>',
      'differential filter of every connection; the server’s default if not given',
      whole(0, 100),
    )
    .addOption(choice('--feed <kind>', 'a recording served over and over, or a live market', FEED_KINDS, 'replay'))
    .option('--rate <n>', 'updates a second into the engine', whole(1, 1_000_000), 100_000)
    .option('--made-up-instruments <n>', 'shares beside those of the NIFTY 50', whole(0, 16_000), 1_950)
    .option('--tick-ms <ms>', 'tick of the fan-out', whole(0, 10_000), 100)
    .option('--fan-out-workers <n>', 'fan-out threads of the engine', whole(1, 16), 1)
    .option('--clients <n>', 'load processes', whole(1, 16), 1)
    .option('--connects-per-second <n>', 'rate at which connections are opened', whole(1, 100_000), 1_000)
    .option('--no-apart', 'let the kernel place server and load instead of giving the load the last core')
    .addOption(choice('--decode <when>', 'when load processes look into the frames', ['later', 'now'], decode))
    .option('--warmup-seconds <s>', 'load before measuring', whole(0, 600), 5);
}

withLoad(
  define('fanout', 'the engine, its feed and many connections, each in processes of their own', 1, 0, fanOutBench),
  10_000,
  'later',
).option('--seconds <s>', 'measured time', whole(1, 86_400), 60);

withLoad(
  define('soak', 'the same for long: growth of memory, latency at the end by that of the beginning', 1, 0, soakBench),
  5_000,
  'now',
)
  .option('--seconds <s>', 'measured time', whole(1, 86_400), 120)
  .option('--window-seconds <s>', 'time of a figure of latency', whole(1, 3_600), 30)
  .option('--trouble', 'beside them clients that come and go, are slow or have stopped, and workers that throw', false)
  .option('--troublemakers <n>', 'how many of those clients', whole(1, 10_000), 500)
  .option('--drill-seconds <s>', 'from one throwing worker to the next; 0 for none', whole(0, 3_600), 60);

define('compare', 'CPU a delivered quote, ours beside that of other servers and of a bare one in C', 3, 0, compareBench)
  .option('--only <cases>', `some of ${COMPARE_CASES.join(', ')}`, wordList(COMPARE_CASES))
  .option('--rows <rows>', `some of ${COMPARE_ROWS.join(', ')}`, wordList(COMPARE_ROWS))
  .option('--quotes <n>', 'quotes delivered in a round of a row, as near as whole ticks come', whole(1, 1e9), 1_000_000)
  .option('--ticks-min <n>', 'ticks of a round at least; as many come before it', whole(1, 10_000), 4)
  .option('--ticks-max <n>', 'ticks of a round at most', whole(1, 10_000), 100)
  .option(
    '--tick-ms <ms>',
    'from one tick to the next, if all have it by then; also the tick of the engine',
    whole(1, 10_000),
    100,
  )
  .option('--made-up-instruments <n>', 'shares beside those of the NIFTY 50', whole(0, 16_000), 150)
  .option('--shrink <n>', 'divides the connections of every case: for a try', whole(1, 1_000), 1)
  .option('--no-apart', 'let the kernel place server and load instead of giving the load the last core');

define(
  'storm',
  'many clients connect and subscribe at once: until all are served, and what others notice',
  1,
  0,
  stormBench,
)
  .option('--others <n>', 'connections that are there before', whole(1, 50_000), 2_000)
  .option('--clients <n>', 'connections that come', whole(1, 50_000), 10_000)
  .option('--within-seconds <s>', 'they are opened within', whole(1, 600), 5)
  .option('--symbols <n>', 'instruments a connection', whole(1, 1_000), 20)
  .option('--rate <n>', 'updates a second into the engine', whole(1, 1_000_000), 10_000)
  .option('--made-up-instruments <n>', 'shares beside those of the NIFTY 50', whole(0, 16_000), 1_950)
  .option('--seconds <s>', 'calm before the storm, measured', whole(1, 3_600), 10);

define('hostile', 'one client in ten is hostile or has stopped: what the others notice of it', 1, 0, hostileBench)
  .option('--connections <n>', 'clients that behave well, measured', whole(1, 50_000), 9_000)
  .option('--hostile <n>', 'those that do not, of every kind by turns', whole(1, 10_000), 1_000)
  .option('--symbols <n>', 'instruments a connection', whole(1, 1_000), 20)
  .option('--rate <n>', 'updates a second into the engine', whole(1, 1_000_000), 10_000)
  .option('--made-up-instruments <n>', 'shares beside those of the NIFTY 50', whole(0, 16_000), 1_950)
  .addOption(
    new Option('--only <kinds>', `some of ${ALL_TROUBLE.join(', ')}`)
      .argParser(wordList(ALL_TROUBLE))
      .default(ALL_TROUBLE, 'all'),
  )
  .option('--warmup-seconds <s>', 'load and trouble before measuring', whole(0, 600), 10)
  .option('--seconds <s>', 'measured time of a row', whole(1, 3_600), 60);

define('tick-to-socket', 'latency through an engine that is not busy', 1, 0, tickToSocketBench)
  .option('--connections <list>', 'connections of the cases', wholeList(1, 10_000), [1, 100])
  .option('--ticks <list>', 'ticks of the cases, ms', wholeList(0, 10_000), [0, 25, 100])
  .option('--symbols <n>', 'instruments a connection', whole(1, 1_000), 5)
  .option('--rate <n>', 'updates a second into the engine', whole(1, 1_000_000), 2_000)
  .option('--seconds <s>', 'measured time of a case', whole(1, 3_600), 10);

define(
  'tls',
  'frames, memory and handshakes: plain, over TLS of the engine, over TLS of an nginx in front',
  1,
  0,
  tlsBench,
)
  .option('--connections <n>', 'WebSocket connections', whole(1, 10_000), 1_500)
  .option('--warmup-seconds <s>', 'load before measuring', whole(0, 600), 3)
  .option('--seconds <s>', 'measured time of a row', whole(1, 3_600), 8);

define(
  'capacity',
  'what one frame, quote, connection, handshake and update costs, for `outcry capacity`',
  1,
  0,
  capacityBench,
)
  .option('--scale <n>', 'connections and updates of the loads, per cent of the usual', whole(1, 1_000), 100)
  .option('--warmup-seconds <s>', 'load before measuring', whole(0, 600), 3)
  .option('--seconds <s>', 'measured time of a load', whole(1, 3_600), 10)
  .option('--loads <n>', 'only so many of the loads, from the first on', whole(3, 9), 9)
  .option('--tls', 'clients over TLS, which the engine speaks', false)
  .option('--write', 'leave the costs in src/core/capacity/unit-costs.json');

program
  .description('Measures Outcry. Without a name: every bench at its default size.')
  .option('--json <file>', 'write the figures of all benches to a file as well, as an array')
  .showHelpAfterError()
  .action(async (options: { json?: string }) => {
    const reports: Report[] = [];
    for (const bench of benches) reports.push(await run(bench, bench.command.opts<CommonOptions>()));
    if (options.json !== undefined) writeJson(options.json, reports);
  });

// What was started ends with this process, and files are removed as it exits.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
