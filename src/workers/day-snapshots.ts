import { Worker } from 'node:worker_threads';
import type { LedgerTarget } from '../net/ledger-target.ts';
import type { Log } from '../net/log.ts';
import { workerUrl } from './worker-url.ts';

/** After an attempt that failed: the database may be away. */
const RETRY_MS = 60_000;

/** Takes the snapshots of accounts that are due; how many. */
export type TakeSnapshots = () => { readonly done: Promise<number>; stop(): Promise<unknown> };

/** Has accounts written down whole when a trading day is done with, so that their past is read quickly. In a thread of its own: events are replayed for it. */
export class DaySnapshots {
  readonly #take: TakeSnapshots;
  readonly #log: Log;
  #date = '';
  #retryMs = 0;
  #running: ReturnType<TakeSnapshots> | null = null;

  constructor(take: TakeSnapshots, log: Log) {
    this.#take = take;
    this.#log = log;
  }

  /** `doneDate` is the last day that is done with, '' while one is being closed. After a start it is done again: what was written down is not due. */
  onTimer(doneDate: string, nowMs: number): void {
    if (doneDate === '' || doneDate === this.#date || this.#running !== null || nowMs < this.#retryMs) return;
    const running = this.#take();
    this.#running = running;
    running.done.then(
      (snapshots) => {
        this.#running = null;
        this.#date = doneDate;
        this.#log('info', 'accounts are written down at the end of the day', { day: doneDate, snapshots });
      },
      (error: Error) => {
        this.#running = null;
        this.#retryMs = nowMs + RETRY_MS;
        this.#log('warn', 'accounts could not be written down at the end of the day', { reason: error.message });
      },
    );
  }

  async close(): Promise<void> {
    await this.#running?.stop();
  }
}

export interface SnapshotWork {
  readonly target: LedgerTarget;
  /** CPUs that the thread keeps to; none leaves it to the kernel. */
  readonly cpus: readonly number[];
}

export function snapshotThread(work: SnapshotWork): ReturnType<TakeSnapshots> {
  const worker = new Worker(workerUrl('snapshot.worker'), { workerData: work });
  const done = new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the thread was stopped')));
  });
  return { done, stop: () => worker.terminate() };
}
