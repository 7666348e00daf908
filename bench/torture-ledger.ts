/** The order path's part of the long run: simulated days, planted bugs, and the model of the database against the real one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { daySeedOf } from '../src/core/simulation/day-runs.ts';
import { PLANTED_BUGS } from '../src/core/simulation/planted-bugs.ts';
import { runDatabaseTwins, type TwinRun } from '../src/net/testing/database-twins.ts';
import { openTestDatabase } from '../src/net/testing/ledger-fixture.ts';
import { runDays } from '../src/workers/simulation-pool.ts';

/** Within so many days each planted bug must be found. */
const BUG_DAYS_MAX = 200;
const BUG_DAYS_AT_ONCE = 2;

/** Raises an error when an invariant was broken, or a crash never met a state. */
export async function simulateDays(seed: number, days: number): Promise<object> {
  const daySeeds = Array.from({ length: days }, (_, day) => daySeedOf(seed, day));
  const runs = await runDays(daySeeds, '', availableParallelism(), () => {});
  const summary = runs.summary(seed);
  if (runs.broken.length > 0) throw new Error(JSON.stringify(summary));
  return summary;
}

/** The day on which each planted bug was found. An error names those that were not. */
export async function findPlantedBugs(seed: number): Promise<Record<string, number>> {
  const foundOn: Record<string, number> = {};
  const missed: string[] = [];
  for (const bug of Object.keys(PLANTED_BUGS)) {
    for (let day = 0; day < BUG_DAYS_MAX && foundOn[bug] === undefined; day += BUG_DAYS_AT_ONCE) {
      const daySeeds = Array.from({ length: BUG_DAYS_AT_ONCE }, (_, next) => daySeedOf(seed, day + next));
      const { broken } = await runDays(daySeeds, bug, availableParallelism(), () => {});
      if (broken.length > 0) foundOn[bug] = day + daySeeds.indexOf(broken[0]!.daySeed) + 1;
    }
    if (foundOn[bug] === undefined) missed.push(bug);
  }
  if (missed.length > 0) throw new Error(`not found within ${BUG_DAYS_MAX} days: ${missed.join(', ')}`);
  return foundOn;
}

export async function compareDatabases(seed: number, batches: number): Promise<TwinRun> {
  const directory = mkdtempSync(join(tmpdir(), 'outcry-torture-'));
  const database = await openTestDatabase(directory);
  try {
    return await runDatabaseTwins(database.target, seed, batches);
  } finally {
    await database.close();
    rmSync(directory, { recursive: true, force: true });
  }
}
