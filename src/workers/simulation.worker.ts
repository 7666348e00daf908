import { parentPort, workerData } from 'node:worker_threads';
import { runDay } from '../core/simulation/day-runs.ts';
import { nameThread } from '../net/thread-placement.ts';
import type { SimulationWork } from './simulation-pool.ts';

/** Runs its share of the days and tells of each. */
const { daySeeds, bug } = workerData as SimulationWork;
nameThread('simulation');
for (const daySeed of daySeeds) parentPort!.postMessage(runDay(daySeed, bug));
