import { type MessagePort, parentPort } from 'node:worker_threads';
import type { Log } from '../net/log.ts';
import type { WorkerReport } from './agent-runner.ts';

/** Lines a worker may log in a second; more are dropped and counted, so that a flood of bad input cannot flood main. */
const LINES_A_SECOND_MAX = 50;

/** The log of a worker thread: lines go to the main thread, which alone writes. */
export function createWorkerLog(port: MessagePort | null = parentPort): Log {
  let secondStartMs = 0;
  let lineCount = 0;
  let droppedCount = 0;
  const post = (report: WorkerReport): void => port?.postMessage(report);

  return (level, text, fields = {}) => {
    const nowMs = Date.now();
    if (nowMs - secondStartMs >= 1_000) {
      secondStartMs = nowMs;
      lineCount = 0;
      if (droppedCount > 0)
        post({ type: 'log', level: 'warn', text: 'log lines were dropped', fields: { droppedCount } });
      droppedCount = 0;
    }
    if (lineCount >= LINES_A_SECOND_MAX) {
      droppedCount++;
      return;
    }
    lineCount++;
    post({ type: 'log', level, text, fields });
  };
}
