import { availableParallelism } from 'node:os';
import { type Command, Option } from 'commander';
import { daySeedOf } from '../core/simulation/day-runs.ts';
import { PLANTED_BUGS } from '../core/simulation/planted-bugs.ts';
import type { DayResult } from '../core/simulation/simulated-day.ts';
import { runDays } from '../workers/simulation-pool.ts';
import { wholeNumber } from './exchange-command.ts';
import { ExitCode } from './exit-codes.ts';

interface SimulateOptions {
  readonly seed: number;
  readonly days: number;
  readonly daySeed?: number;
  readonly bug?: string;
  readonly threads: number;
  readonly json?: boolean;
}

const DAYS_MAX = 1_000_000;
const THREADS_MAX = 64;
const SEED_MAX = 0xffff_ffff;

export function addSimulateCommand(program: Command): void {
  program
    .command('simulate')
    .description('run simulated trading days with every kind of fault, and check that nothing is lost or wrong')
    .option('--seed <n>', 'the same seed gives the same days', wholeNumber(0, SEED_MAX), 1)
    .option('--days <n>', 'simulated days', wholeNumber(1, DAYS_MAX), 10)
    .option('--day-seed <n>', 'one day alone, by the seed that a broken one is told with', wholeNumber(0, SEED_MAX))
    .addOption(new Option('--bug <name>', 'with a planted bug, which must be found').choices(Object.keys(PLANTED_BUGS)))
    .option('--threads <n>', 'threads', wholeNumber(1, THREADS_MAX), availableParallelism())
    .option('--json', 'print nothing but the summary, as one line of JSON')
    .addHelpText(
      'after',
      '\nThe last line is a summary as one JSON object; the exit code is 0 only if every invariant held.\n' +
        'Examples:\n  outcry simulate --seed 7 --days 200\n  outcry simulate --days 200 --bug stale-epoch-accepted',
    )
    .action(simulate);
}

async function simulate({ seed, days, daySeed, bug = '', threads, json }: SimulateOptions): Promise<void> {
  const daySeeds = daySeed === undefined ? Array.from({ length: days }, (_, day) => daySeedOf(seed, day)) : [daySeed];
  const runs = await runDays(daySeeds, bug, threads, (result) => {
    if (json !== true) tell(result);
  });
  if (json !== true) process.stdout.write(`\nCrashes by crash point and order state:\n${runs.coverage.toText()}\n\n`);
  process.stdout.write(`${JSON.stringify(runs.summary(seed))}\n`);
  if (runs.broken.length > 0) process.exitCode = ExitCode.Failed;
}

function tell({ seed, orders, findings, digest }: DayResult): void {
  const [first] = findings;
  const verdict = first === undefined ? 'all held' : `BROKEN ${first.invariant}: ${first.text}`;
  process.stdout.write(`day ${seed}: ${orders} orders, digest ${digest}, ${verdict}\n`);
}
