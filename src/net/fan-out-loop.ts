import type { FanOut } from '../core/fan-out/fan-out.ts';
import { FAN_OUT_STATS_EFFECTIVE_TICK_MICROS } from '../core/shm/generated/worker-stats.gen.ts';

/** Frames a second that one thread is allowed: the tick grows with the connections beyond it. */
const FRAMES_A_MS_MAX = 70;
/** Share of the thread's time that ticks may take; beyond it the tick grows. */
const BUSY_MAX = 0.8;
/**
 * Time of one turn before sockets, timers and the control port get theirs. When they took longer than the least, a turn is as long as they were, up to the most: in
 * a storm of handshakes those who are connected keep half of the thread.
 */
const TURN_LEAST_MS = 4;
const TURN_MOST_MS = 50;
/** Connections served between two looks at the clock. */
const BATCH = 32;
/** How long a sleeping loop sleeps at most: changes that the filter holds back need a tick too. */
const SLEEP_MAX_MS = 100;

/** What else is sent from the loop: answers and closes. */
export interface AnswerQueue {
  /** Sends all that waits. */
  flush(): void;
}

export interface FanOutLoopOptions {
  readonly fanOut: FanOut;
  /** A `fanOutStatsLayout` block. */
  readonly stats: SharedArrayBuffer;
  /** 0: no tick, whatever changes goes out at once. */
  readonly tickMs: number;
  /** Epoch milliseconds with a fraction. */
  readonly nowMs: () => number;
}

/**
 * When a fan-out worker does what: phases one after the other, spread evenly over the tick, in turns short enough that
 * pings, accepts and requests are not kept waiting.
 */
export class FanOutLoop {
  readonly #fanOut: FanOut;
  readonly #nowMs: () => number;
  readonly #tickMs: number;
  readonly #stats: Float64Array;
  readonly #turn = (): void => this.#runTurn();
  readonly #timerTurn = (): void => {
    this.#timer = undefined;
    this.#runTurn();
  };
  #answers: AnswerQueue | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #immediate: NodeJS.Immediate | undefined = undefined;
  #isSleeping = false;
  #isRunning = false;
  #phase = 0;
  #dueMs = 0;
  #effectiveTickMs: number;
  /** Time spent since the first phase was last begun. */
  #busyMs = 0;
  /** Since when the work that the last turn left has waited; undefined when it left none. */
  #leftSinceMs: number | undefined = undefined;

  constructor(options: FanOutLoopOptions) {
    this.#fanOut = options.fanOut;
    this.#nowMs = options.nowMs;
    this.#tickMs = options.tickMs;
    this.#effectiveTickMs = options.tickMs;
    this.#stats = new Float64Array(options.stats);
  }

  start(answers: AnswerQueue): void {
    this.#answers = answers;
    this.#isRunning = true;
    this.#dueMs = this.#nowMs();
    this.#runTurn();
  }

  /** No turn runs afterwards. */
  stop(): void {
    this.#isRunning = false;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = undefined;
    this.#immediate = undefined;
  }

  /** Something waits to be flushed: a turn runs soon. */
  wake(): void {
    if (this.#isRunning) this.#immediate ??= setImmediate(this.#turn);
  }

  #runTurn(): void {
    this.#immediate = undefined;
    if (!this.#isRunning) return;
    const startMs = this.#nowMs();
    const isDone = this.#work();
    const endMs = this.#nowMs();
    this.#busyMs += endMs - startMs;
    this.#leftSinceMs = isDone ? undefined : endMs;
    if (!isDone) this.wake();
    else if (this.#tickMs === 0) this.#sleep();
    else this.#timer ??= setTimeout(this.#timerTurn, Math.max(1, Math.ceil(this.#dueMs - this.#nowMs())));
  }

  /** Does what is due until the turn is used up; false when something was left. */
  #work(): boolean {
    const fanOut = this.#fanOut;
    this.#answers?.flush();
    const startMs = this.#nowMs();
    const waitedMs = startMs - (this.#leftSinceMs ?? this.#dueMs);
    const endMs = startMs + Math.min(TURN_MOST_MS, Math.max(TURN_LEAST_MS, waitedMs));
    for (let nowMs = startMs; nowMs < endMs; nowMs = this.#nowMs()) {
      if (!fanOut.isSweeping && nowMs >= this.#dueMs) {
        const hasChanges = this.#beginTick(nowMs);
        if (this.#tickMs === 0 && !hasChanges && !fanOut.isSweeping && !fanOut.needsFlush) return true;
      }
      const isSwept = fanOut.sweep(BATCH, nowMs);
      const isFlushed = fanOut.flush(BATCH, nowMs);
      if (isSwept && isFlushed && (this.#tickMs === 0 ? this.#effectiveTickMs > 0 : this.#dueMs > this.#nowMs())) {
        return true;
      }
    }
    return false;
  }

  #beginTick(nowMs: number): boolean {
    const fanOut = this.#fanOut;
    if (this.#phase === 0) this.#measureTick();
    const stepMs = this.#effectiveTickMs / fanOut.phaseCount;
    // A phase that is a little late keeps the beat; one that is later is not made up for. Without a tick there is no beat.
    this.#dueMs = (this.#tickMs === 0 ? nowMs : Math.max(this.#dueMs, nowMs - stepMs / 2)) + stepMs;
    const phase = this.#phase;
    this.#phase = (phase + 1) % fanOut.phaseCount;
    return fanOut.beginTick(phase, nowMs);
  }

  /** Once round: the next tick is as long as what this one cost, and the connections there are, need. */
  #measureTick(): void {
    this.#effectiveTickMs = Math.max(
      this.#tickMs,
      this.#fanOut.connectionCount / FRAMES_A_MS_MAX,
      this.#tickMs > 0 ? this.#busyMs / BUSY_MAX : 0,
    );
    this.#busyMs = 0;
    this.#stats[FAN_OUT_STATS_EFFECTIVE_TICK_MICROS >> 1] = this.#effectiveTickMs * 1_000;
  }

  /** Without a tick: until something changes. */
  #sleep(): void {
    if (this.#isSleeping || this.#timer !== undefined) return;
    const restMs = this.#dueMs - this.#nowMs();
    if (restMs > 0.5) {
      this.#timer = setTimeout(this.#timerTurn, Math.ceil(restMs));
      return;
    }
    const dirtySet = this.#fanOut.dirtySet;
    const change = dirtySet.sleep(SLEEP_MAX_MS);
    // What was marked before the announcement woke nobody: look once more.
    const hasChanges = this.#beginTick(this.#nowMs());
    if (change === undefined || hasChanges || this.#fanOut.isSweeping) {
      dirtySet.awake();
      this.wake();
      return;
    }
    this.#isSleeping = true;
    void change.then(() => {
      this.#isSleeping = false;
      dirtySet.awake();
      this.wake();
    });
  }
}
