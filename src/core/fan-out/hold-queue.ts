// hot: per change held back. Growing happens at subscriptions only.
import { assert } from '../assert.ts';

/** Nothing is due. */
export const NONE_DUE = -1;

/**
 * Streams whose change the differential filter holds back, in the order in which their wait ends: since every wait is as
 * long as any other, that is the order of arrival. A stream stands here at most once, so as many places as streams are enough.
 */
export class HoldQueue {
  #streams = new Int32Array(64);
  #deadlinesMs = new Float64Array(64);
  #head = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Makes room for so many streams. */
  reserve(streamCapacity: number): void {
    const capacity = this.#streams.length;
    if (streamCapacity <= capacity) return;
    const streams = new Int32Array(streamCapacity);
    const deadlinesMs = new Float64Array(streamCapacity);
    for (let i = 0; i < this.#count; i++) {
      streams[i] = this.#streams[(this.#head + i) % capacity]!;
      deadlinesMs[i] = this.#deadlinesMs[(this.#head + i) % capacity]!;
    }
    this.#streams = streams;
    this.#deadlinesMs = deadlinesMs;
    this.#head = 0;
  }

  push(stream: number, deadlineMs: number): void {
    assert(this.#count < this.#streams.length, 'more streams held than there are');
    const at = (this.#head + this.#count) % this.#streams.length;
    this.#streams[at] = stream;
    this.#deadlinesMs[at] = deadlineMs;
    this.#count++;
  }

  /** Takes a stream whose wait is over, or NONE_DUE. */
  takeDue(nowMs: number): number {
    if (this.#count === 0 || this.#deadlinesMs[this.#head]! > nowMs) return NONE_DUE;
    const stream = this.#streams[this.#head]!;
    this.#head = (this.#head + 1) % this.#streams.length;
    this.#count--;
    return stream;
  }
}
