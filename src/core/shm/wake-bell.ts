import { WAKE_BELL_SLEEPING, WAKE_BELL_STRIDE_WORDS, WAKE_BELL_WAKE_SEQ } from './generated/wake-bell.gen.ts';
import { BYTES_PER_WORD } from './layout.ts';

/**
 * Wakes the event loop of another thread, once however many ring: who rings takes the sleeper's announcement down, so that the next one rings for
 * nothing, which costs one atomic operation. A bell in shared memory outlives the threads on both ends of it, as a message port would not.
 *
 * Memory order. Who rings has published before; the sleeper announces itself and then looks at its rings once more. All of these are Atomics accesses,
 * so either the look sees what was published, or the exchange sees the announcement.
 */
export const WAKE_BELL_BYTES = WAKE_BELL_STRIDE_WORDS * BYTES_PER_WORD;

export class WakeBell {
  readonly #words: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer);
  }

  /** After publishing. */
  ring(): void {
    const words = this.#words;
    if (Atomics.exchange(words, WAKE_BELL_SLEEPING, 0) === 0) return;
    Atomics.add(words, WAKE_BELL_WAKE_SEQ, 1);
    Atomics.notify(words, WAKE_BELL_WAKE_SEQ);
  }

  /**
   * Announces that the thread will sleep and returns the promise of the next ring; undefined when it rang meanwhile. Look at the rings once more after
   * the call and before awaiting it: what was published before the announcement rang for nobody.
   */
  sleep(timeoutMs: number): Promise<unknown> | undefined {
    const words = this.#words;
    const wakeSeq = Atomics.load(words, WAKE_BELL_WAKE_SEQ);
    Atomics.store(words, WAKE_BELL_SLEEPING, 1);
    const result = Atomics.waitAsync(words, WAKE_BELL_WAKE_SEQ, wakeSeq, timeoutMs);
    return result.async ? result.value : undefined;
  }
}
