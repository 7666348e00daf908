import { parentPort } from 'node:worker_threads';
import { assert } from '../core/assert.ts';
import { type ErrorCode, OutcryError } from '../core/errors.ts';
import {
  FAN_OUT_STATS_BEAT_MILLIS,
  FEED_STATS_BEAT_MILLIS,
  FEED_STATS_GENERATION,
  FEED_STATS_LOOP_LAG_MICROS,
} from '../core/shm/generated/worker-stats.gen.ts';
import { formatCpuList } from '../net/cpu-list.ts';
import type { LogLevel } from '../net/log.ts';
import { nameThread, pinThread } from '../net/thread-placement.ts';
import type { Agent, ControlMessage } from './agent.ts';
import type { Answer } from './process-messages.ts';
import type { WorkerWiring } from './topology.ts';

/** How often a worker beats and its agent's `onTimer` runs, milliseconds. */
export const TIMER_MS = 250;
/** A close that takes longer is given up: main then ends the process, since a thread with a live App cannot be killed. */
const CLOSE_TIMEOUT_MS = 2_000;

export type DrillKind = 'throw' | 'hang';

/** Main thread to worker. */
export type RunnerMessage =
  | ControlMessage
  | { readonly type: 'close' }
  | { readonly type: 'drill'; readonly kind: DrillKind };

/** Worker to main thread. */
export type WorkerReport =
  | { readonly type: 'serving' }
  /** The agent threw, or could not start; `closed` says whether it could be closed, so that the thread will end. */
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly text: string; readonly closed: boolean }
  | { readonly type: 'log'; readonly level: LogLevel; readonly text: string; readonly fields: Record<string, unknown> }
  | Answer;

/**
 * Runs an agent on this worker's event loop until it is told to close or throws. Never `process.exit`: with a live
 * uWebSockets App that aborts the whole process. The App is closed and the thread ends by itself.
 */
export async function runAgent(agent: Agent, wiring: WorkerWiring): Promise<void> {
  assert(FEED_STATS_BEAT_MILLIS === FAN_OUT_STATS_BEAT_MILLIS, 'stats blocks of all roles begin with the same fields');
  assert(parentPort !== null, 'agents run in worker threads');
  const port = parentPort;
  nameThread(wiring.roleName);
  const stats = new Float64Array(wiring.stats);
  stats[FEED_STATS_GENERATION >> 1] = wiring.generation;
  stats[FEED_STATS_BEAT_MILLIS >> 1] = Date.now();

  let dueMs = performance.now() + TIMER_MS;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    stats[FEED_STATS_LOOP_LAG_MICROS >> 1] = Math.max(0, nowMs - dueMs) * 1_000;
    dueMs = nowMs + TIMER_MS;
    const epochMs = Date.now();
    stats[FEED_STATS_BEAT_MILLIS >> 1] = epochMs;
    agent.onTimer(epochMs);
  }, TIMER_MS);

  let ending = false;
  async function end(failure: unknown): Promise<void> {
    if (ending) return;
    ending = true;
    clearInterval(timer);
    let closed = true;
    try {
      closed = await closeInTime(agent);
    } catch (error) {
      closed = false;
      report({ type: 'log', level: 'error', text: 'a worker could not close', fields: { error: describe(error) } });
    }
    if (failure !== undefined) {
      const code: ErrorCode = failure instanceof OutcryError ? failure.code : 'WORKER_FAILED';
      const text = failure instanceof OutcryError ? failure.detail : describe(failure);
      report({ type: 'failed', code, text, closed });
    }
    port.close();
  }
  function report(message: WorkerReport): void {
    port.postMessage(message);
  }
  const refusal = pinThread(wiring.cpus);
  if (refusal !== '') {
    const fields = { cpus: formatCpuList(wiring.cpus), reason: refusal };
    report({ type: 'log', level: 'warn', text: 'a thread could not be pinned and goes on without', fields });
  }

  process.on('uncaughtException', (error) => void end(error ?? new Error('a worker threw nothing')));
  process.on('unhandledRejection', (reason) => void end(reason ?? new Error('a worker rejected with nothing')));
  port.on('message', (message: RunnerMessage) => {
    if (message.type === 'close') void end(undefined);
    else if (message.type === 'drill') drill(message.kind);
    else if (!ending) agent.onControl(message);
  });

  function drill(kind: DrillKind): void {
    if (!wiring.drills) return;
    if (kind === 'throw') throw new Error('drill: this worker was told to throw');
    for (;;);
  }

  try {
    await agent.onStart();
    if (!ending) report({ type: 'serving' });
  } catch (error) {
    await end(error);
  }
}

/** False when the agent did not close within CLOSE_TIMEOUT_MS. */
async function closeInTime(agent: Agent): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, CLOSE_TIMEOUT_MS, false);
  });
  const closed = await Promise.race([agent.onClose().then(() => true), timeout]);
  clearTimeout(timer);
  return closed;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
