import { assert } from '../assert.ts';

/** Doublings beyond make no difference: any delay has reached its maximum. */
const DOUBLINGS_MAX = 20;

/**
 * How long to wait before a connection is tried again: from `minMs`, doubling with each attempt that came to nothing, up to `maxMs`. Each delay is drawn
 * between half of itself and the whole, so that many clients of a venue that comes back do not come at once.
 */
export class ReconnectBackoff {
  readonly #minMs: number;
  readonly #maxMs: number;
  #failures = 0;

  constructor(minMs: number, maxMs: number) {
    assert(minMs > 0 && maxMs >= minMs, 'delays above 0, the longest not below the shortest');
    this.#minMs = minMs;
    this.#maxMs = maxMs;
  }

  /** The delay before the next attempt; `random` is 0 ≤ random < 1. */
  nextDelayMs(random: number): number {
    const delayMs = Math.min(this.#maxMs, this.#minMs * 2 ** Math.min(this.#failures, DOUBLINGS_MAX));
    this.#failures++;
    return Math.floor(delayMs * (0.5 + random / 2));
  }

  /** A logon succeeded: the next delay is the shortest again. */
  succeeded(): void {
    this.#failures = 0;
  }
}
