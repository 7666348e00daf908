import { Worker } from 'node:worker_threads';
import { DayRuns } from '../core/simulation/day-runs.ts';
import type { DayResult } from '../core/simulation/simulated-day.ts';
import { workerUrl } from './worker-url.ts';

/** Most of what a day makes lives until the day is over, or for a moment: a larger nursery copies less of it. */
const YOUNG_GENERATION_MB = 96;

/** What one worker runs: whole days, each by its seed. */
export interface SimulationWork {
  readonly daySeeds: readonly number[];
  /** Name of a planted bug, '' for none. */
  readonly bug: string;
}

/** Runs days in as many threads. Each day is single-threaded and depends on its seed alone, so how they are dealt changes nothing but the time. */
export async function runDays(
  daySeeds: readonly number[],
  bug: string,
  threads: number,
  onDay: (result: DayResult) => void,
): Promise<DayRuns> {
  const results = new Map<number, DayResult>();
  const shares = Array.from({ length: Math.min(threads, daySeeds.length) }, (_, share) =>
    daySeeds.filter((_, position) => position % threads === share),
  );
  await Promise.all(
    shares.map((share) =>
      runShare({ daySeeds: share, bug }, (result) => {
        results.set(result.seed, result);
        onDay(result);
      }),
    ),
  );
  // In the order of the days, so that the summary of a seed is the same however they were dealt.
  const runs = new DayRuns();
  for (const daySeed of daySeeds) runs.add(results.get(daySeed)!);
  return runs;
}

function runShare(work: SimulationWork, onDay: (result: DayResult) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerUrl('simulation.worker'), {
      workerData: work,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    let count = 0;
    worker.on('message', (result: DayResult) => {
      count++;
      onDay(result);
    });
    worker.on('error', reject);
    worker.on('exit', () => {
      if (count === work.daySeeds.length) resolve();
      else reject(new Error(`a worker ended after ${count} of ${work.daySeeds.length} days`));
    });
  });
}
