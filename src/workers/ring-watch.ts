import { WakeBell } from '../core/shm/wake-bell.ts';

/** A sleep ends by itself after this: a ring that was lost costs no more. */
const SLEEP_MAX_MS = 1_000;

/** Calls `onNews` whenever somebody rang a bell, until it is stopped. */
export class RingWatch {
  readonly #bell: WakeBell;
  readonly #onNews: () => void;
  #isRunning = false;

  constructor(bell: SharedArrayBuffer, onNews: () => void) {
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
      this.#onNews();
      // A ring that came meanwhile: others get their turn before the next look.
      await (rung ?? new Promise((resolve) => setImmediate(resolve)));
    }
  }
}
