import { latencyHistogram, recordLatency } from './histogram.ts';
import type { LoadSettings } from './load-messages.ts';

/** A worker that throws closes its connections at once: one that closes later than this after the order is lost for another reason. */
const LOSSES_MS = 5_000;
/** Until its replacement listens, who comes again is refused. */
const RETURNS_MS = 15_000;
/** How a connection ends then: told that the server goes away, or cut off, or never accepted. Any other end is a fault, drill or not. */
const REASONS = /code 4500$|^connection lost$|ECONNRESET|ECONNREFUSED|EPIPE/;
const STEP_MS = 10;
const NOT_AWAY = 0;

/** Clients whose connections end because a worker of the engine was made to throw: they come again by themselves, at the pace at which all came first. */
export class LoadReturning {
  /** Connections lost in drills. */
  lost = 0;
  /** Of these, how many are not served again yet. */
  awaited = 0;
  /** From the loss to the first quotes of the next connection, microseconds. */
  readonly away = latencyHistogram();
  readonly #reopen: (connection: number) => void;
  readonly #perStep: number;
  /** When each was lost, `performance.now`. */
  readonly #lostMs: Float64Array;
  #queue: number[] = [];
  #drillMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor({ connections, connectsPerSecond }: LoadSettings, reopen: (connection: number) => void) {
    this.#lostMs = new Float64Array(connections).fill(NOT_AWAY);
    this.#perStep = Math.max(1, Math.ceil((connectsPerSecond * STEP_MS) / 1_000));
    this.#reopen = reopen;
  }

  /** From now on connections are lost in a drill. */
  expect(nowMs: number): void {
    this.#drillMs = nowMs;
  }

  /** A connection has closed, or one that was to take its place did not come to be. False when no drill explains it. */
  take(connection: number, reason: string, nowMs: number): boolean {
    const isAway = this.#lostMs[connection] !== NOT_AWAY;
    if (nowMs - this.#drillMs > (isAway ? RETURNS_MS : LOSSES_MS) || !REASONS.test(reason)) {
      if (isAway) this.awaited--;
      this.#lostMs[connection] = NOT_AWAY;
      return false;
    }
    if (!isAway) {
      this.#lostMs[connection] = nowMs;
      this.lost++;
      this.awaited++;
    }
    this.#queue.push(connection);
    this.#timer ??= setInterval(() => this.#step(), STEP_MS);
    return true;
  }

  /** A connection has its first quotes. */
  served(connection: number, nowMs: number): void {
    if (this.#lostMs[connection] === NOT_AWAY) return;
    recordLatency(this.away, (nowMs - this.#lostMs[connection]!) * 1_000);
    this.#lostMs[connection] = NOT_AWAY;
    this.awaited--;
  }

  #step(): void {
    for (const connection of this.#queue.splice(0, this.#perStep)) this.#reopen(connection);
    if (this.#queue.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
