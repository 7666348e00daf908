import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Entries come on the turns after their collection, a few at a time: so many turns without one end the wait. */
const QUIET_TURNS = 5;

/** Runs synchronous `work` and returns its result with the number of garbage collections during it. */
export async function countCollections<T>(work: () => T): Promise<{ result: T; collections: number }> {
  let from = Number.POSITIVE_INFINITY;
  let to = 0;
  const starts: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) starts.push(entry.startTime);
  });
  observer.observe({ entryTypes: ['gc'] });
  from = performance.now();
  const result = work();
  to = performance.now();
  for (let quiet = 0, seen = 0; quiet < QUIET_TURNS; quiet++) {
    await nextTurn();
    if (starts.length === seen) continue;
    seen = starts.length;
    quiet = 0;
  }
  observer.disconnect();
  return { result, collections: starts.filter((start) => start >= from && start <= to).length };
}
