import type { MessagePort } from 'node:worker_threads';
import { RING_EMPTY, type SpscRingConsumer, type SpscRingProducer } from '../src/core/shm/spsc-ring.ts';

/** How a thread learns that its ring has something for it. */
export const WAKES = ['spin', 'wait-async', 'port'] as const;
export type Wake = (typeof WAKES)[number];

const SLEEPING = 0;
const WAKE_SEQ = 1;
/** Memory of one direction's wake words. */
export const WAKE_BYTES = 8;
/** A sleeper looks again after so long: a lost wake must show as latency, not as a hang. */
const SLEEP_MAX_MS = 1_000;

/**
 * The sleeping side of a ring. The announcement comes before the last look, and the producer publishes before it looks for
 * the announcement, so one of the two sees the other.
 */
export class RingSleeper {
  readonly #consumer: SpscRingConsumer;
  readonly #words: Int32Array;
  readonly #port: MessagePort;
  readonly #wake: Wake;

  constructor(consumer: SpscRingConsumer, wakeMemory: SharedArrayBuffer, port: MessagePort, wake: Wake) {
    this.#consumer = consumer;
    this.#words = new Int32Array(wakeMemory);
    this.#port = port;
    this.#wake = wake;
  }

  /** Resolves with the next record's payload, as `SpscRingConsumer.poll` gives it. */
  async next(): Promise<number> {
    const words = this.#words;
    for (;;) {
      const wakeSeq = Atomics.load(words, WAKE_SEQ);
      Atomics.store(words, SLEEPING, 1);
      const at = this.#consumer.poll();
      if (at !== RING_EMPTY) {
        Atomics.store(words, SLEEPING, 0);
        return at;
      }
      if (this.#wake === 'port') await this.#message();
      else await Atomics.waitAsync(words, WAKE_SEQ, wakeSeq, SLEEP_MAX_MS).value;
    }
  }

  #message(): Promise<void> {
    return new Promise((resolve) => this.#port.once('message', resolve));
  }
}

/** The producer's side: publishes, and wakes the consumer if it sleeps. */
export class RingWaker {
  readonly #producer: SpscRingProducer;
  readonly #words: Int32Array;
  readonly #port: MessagePort;
  readonly #wake: Wake;

  constructor(producer: SpscRingProducer, wakeMemory: SharedArrayBuffer, port: MessagePort, wake: Wake) {
    this.#producer = producer;
    this.#words = new Int32Array(wakeMemory);
    this.#port = port;
    this.#wake = wake;
  }

  publish(): void {
    this.#producer.publish();
    if (this.#wake === 'spin' || Atomics.exchange(this.#words, SLEEPING, 0) === 0) return;
    if (this.#wake === 'port') this.#port.postMessage(null);
    else {
      Atomics.add(this.#words, WAKE_SEQ, 1);
      Atomics.notify(this.#words, WAKE_SEQ);
    }
  }
}
