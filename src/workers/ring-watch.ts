import { WakeBell } from '../core/shm/wake-bell.ts';

/** A sleep ends by itself after this: a ring that was lost costs no more. */
const SLEEP_MAX_MS = 1_000;

/** Calls `onNews` whenever somebody rang a bell, until it is stopped, and again soon while it says that there is more. */
export class RingWatch {
  readonly #bell: WakeBell;
  readonly #onNews: () => boolean;
  #isRunning = false;

  constructor(bell: SharedArrayBuffer, onNews: () => boolean) {
    this.#bell = new WakeBell(bell);
    this.#onNews = onNews;
  }

  start(): void {
    this.#isRunning = true;
    void this.#watch();
  }

  stop(): void {
    this.#isRunning = false;
  }

  async #watch(): Promise<void> {
    while (this.#isRunning) {
      const rung = this.#bell.sleep(SLEEP_MAX_MS);
      // What was published before the announcement rang for nobody.
      const hasMore = this.#onNews();
      // Others get their turn before the next look.
      await (hasMore || rung === undefined ? new Promise((resolve) => setImmediate(resolve)) : rung);
    }
  }
}
