import { parentPort, workerData } from 'node:worker_threads';
import { runDay } from '../core/simulation/day-runs.ts';
import type { SimulationWork } from './simulation-pool.ts';

/** Runs its share of the days and tells of each. */
const { daySeeds, bug } = workerData as SimulationWork;
for (const daySeed of daySeeds) parentPort!.postMessage(runDay(daySeed, bug));
