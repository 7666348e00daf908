import { Worker } from 'node:worker_threads';
import type { ErrorCode } from '../core/errors.ts';
import { FEED_STATS_BEAT_MILLIS, FEED_STATS_GENERATION } from '../core/shm/generated/worker-stats.gen.ts';
import type { ControlRequest } from '../net/control-socket.ts';
import { BEAT_MAX_MS } from '../net/engine-view.ts';
import type { Log } from '../net/log.ts';
import type { RunnerMessage, WorkerReport } from './agent-runner.ts';
import { Questions } from './questions.ts';
import type { WorkerWiring } from './topology.ts';

/** Pauses before the next replacement of a worker that dies again and again, milliseconds; the first is at once. */
const REPLACE_DELAY_MS = [0, 100, 200, 400, 800] as const;
/** So many deaths within the window are beyond this process: its parent starts it anew. */
const DEATHS_MAX = 5;
const DEATHS_WINDOW_MS = 30_000;
/** A worker that reported its failure ends within this, or it never will. */
const EXIT_TIMEOUT_MS = 2_000;
const FIRST_BEAT_MAX_MS = 20_000;
/** How long a worker may take to answer a request. */
const ANSWER_MS = 6_000;

/** A young generation is two semi-spaces and as much again for what is large. */
const SEMI_SPACES = 3;

export interface WorkerRoleOptions {
  readonly entry: URL;
  /** Room for new objects: a thread has touched twice as much after a while, however little it makes. */
  readonly semiSpaceMb: number;
  readonly log: Log;
  /** The wiring of the next worker, made when it starts: rows and settings as they are then. */
  readonly wiring: (generation: number) => WorkerWiring;
  readonly onServing: () => void;
  /** A replacement cures nothing: the process must end. */
  readonly onFatal: (code: ErrorCode, text: string) => void;
}

/**
 * One role and the worker that has it. A worker that throws has closed itself and is replaced at once; one that cannot close, runs out of memory or
 * cannot even start is not this thread's to cure. It is never terminated from here: with a live uWebSockets App that aborts the process.
 */
export class WorkerRole {
  readonly roleName: string;
  readonly #options: WorkerRoleOptions;
  readonly #stats: Float64Array;
  readonly #questions: Questions;
  #worker: Worker | undefined;
  #generation = 0;
  #served = false;
  #closing = false;
  #deaths: number[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(roleName: string, stats: SharedArrayBuffer, options: WorkerRoleOptions) {
    this.roleName = roleName;
    this.#stats = new Float64Array(stats);
    this.#options = options;
    this.#questions = new Questions(`the ${roleName} worker`, ANSWER_MS);
  }

  get generation(): number {
    return this.#generation;
  }

  /** Epoch milliseconds of the worker's last turn. */
  get beatMs(): number {
    return this.#stats[FEED_STATS_BEAT_MILLIS >> 1] as number;
  }

  /** For how long it may be silent: before its first beat it loads code, on a slow or busy machine perhaps. */
  get silenceMaxMs(): number {
    const hasBeaten = this.#stats[FEED_STATS_GENERATION >> 1] === this.#generation;
    return hasBeaten ? BEAT_MAX_MS : FIRST_BEAT_MAX_MS;
  }

  start(): void {
    this.#generation++;
    this.#stats[FEED_STATS_BEAT_MILLIS >> 1] = Date.now();
    const worker = new Worker(this.#options.entry, {
      workerData: this.#options.wiring(this.#generation),
      name: this.roleName,
      resourceLimits: { maxYoungGenerationSizeMb: this.#options.semiSpaceMb * SEMI_SPACES },
    });
    this.#worker = worker;
    worker.on('message', (report: WorkerReport) => this.#onReport(report));
    worker.on('error', (error: NodeJS.ErrnoException) => this.#onError(error));
    worker.on('exit', () => this.#onExit());
  }

  post(message: RunnerMessage): void {
    this.#worker?.postMessage(message);
  }

  /** Puts a request to the worker: see Questions. */
  ask(request: ControlRequest): Promise<unknown> {
    return this.#questions.ask(request, (question) => {
      if (this.#worker === undefined) return false;
      this.post(question);
      return true;
    });
  }

  /** Closes the worker for good; resolves when its thread is gone. */
  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#timer);
    const worker = this.#worker;
    if (worker === undefined) return;
    const gone = new Promise((resolve) => worker.once('exit', resolve));
    this.post({ type: 'close' });
    await gone;
  }

  #onReport(report: WorkerReport): void {
    const { log, onServing, onFatal } = this.#options;
    if (report.type === 'log') {
      log(report.level, report.text, { worker: this.roleName, ...report.fields });
    } else if (report.type === 'answer') {
      this.#questions.answered(report);
    } else if (report.type === 'serving') {
      this.#served = true;
      log('info', 'a worker serves', { worker: this.roleName, generation: this.#generation });
      onServing();
    } else {
      log('error', 'a worker failed', { worker: this.roleName, generation: this.#generation, error: report.text });
      if (report.code === 'LEDGER_TAKEN') onFatal(report.code, report.text);
      else if (!report.closed) onFatal('WORKER_FAILED', `${this.roleName} failed and could not close`);
      else if (!this.#served) onFatal(report.code, report.text);
      else
        this.#timer = setTimeout(
          () => onFatal('WORKER_FAILED', `${this.roleName} failed and did not end`),
          EXIT_TIMEOUT_MS,
        );
    }
  }

  /** It died before or outside its runner: it does not load, or is out of memory. */
  #onError(error: NodeJS.ErrnoException): void {
    const { log, onFatal } = this.#options;
    log('error', 'a worker died of an error', { worker: this.roleName, error: error.stack ?? String(error) });
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') onFatal('WORKER_FAILED', `${this.roleName} is out of memory`);
    else if (!this.#served) onFatal('WORKER_FAILED', `${this.roleName} cannot start: ${error.message}`);
  }

  #onExit(): void {
    clearTimeout(this.#timer);
    this.#worker = undefined;
    this.#questions.died();
    if (this.#closing) return;
    const nowMs = performance.now();
    this.#deaths = [...this.#deaths.filter((deathMs) => nowMs - deathMs < DEATHS_WINDOW_MS), nowMs];
    const count = this.#deaths.length;
    if (count >= DEATHS_MAX) {
      this.#options.onFatal(
        'WORKER_FAILED',
        `${this.roleName} died ${count} times within ${DEATHS_WINDOW_MS / 1_000} s`,
      );
      return;
    }
    // Until the replacement beats, the role is as alive as it can be: the hang watch must not add to its trouble.
    this.#stats[FEED_STATS_BEAT_MILLIS >> 1] = Date.now();
    this.#timer = setTimeout(() => this.start(), REPLACE_DELAY_MS[count - 1]);
  }
}
