/**
 * Simulated time: what is to happen, by its moment. Events of one moment happen in the order in which they were asked for, so that a seed is one
 * course of things.
 */
export class Scheduler {
  /** Epoch microseconds. Only `step` moves it. */
  nowMicros: number;
  /** A binary heap by moment and order of asking. */
  readonly #heap: ScheduledEvent[] = [];
  #askedCount = 0;

  constructor(startMicros: number) {
    this.nowMicros = startMicros;
  }

  get nowMs(): number {
    return Math.floor(this.nowMicros / 1000);
  }

  get waitingCount(): number {
    return this.#heap.length;
  }

  /** Moment of the next event; Infinity for none. */
  get nextMicros(): number {
    return this.#heap[0]?.atMicros ?? Number.POSITIVE_INFINITY;
  }

  after(delayMicros: number, run: () => void): void {
    this.at(this.nowMicros + delayMicros, run);
  }

  /** What is asked for a moment that has passed happens now. */
  at(tsMicros: number, run: () => void): void {
    const heap = this.#heap;
    const event = { atMicros: Math.max(tsMicros, this.nowMicros), order: this.#askedCount++, run };
    let hole = heap.length;
    heap.push(event);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (isBefore(heap[parent]!, event)) break;
      heap[hole] = heap[parent]!;
      hole = parent;
    }
    heap[hole] = event;
  }

  /** Lets the next event happen; false when there is none. */
  step(): boolean {
    const heap = this.#heap;
    const next = heap[0];
    if (next === undefined) return false;
    const last = heap.pop()!;
    if (heap.length > 0) this.#sink(last);
    this.nowMicros = next.atMicros;
    next.run();
    return true;
  }

  #sink(event: ScheduledEvent): void {
    const heap = this.#heap;
    let hole = 0;
    for (;;) {
      let child = hole * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (isBefore(event, heap[child]!)) break;
      heap[hole] = heap[child]!;
      hole = child;
    }
    heap[hole] = event;
  }
}

interface ScheduledEvent {
  readonly atMicros: number;
  readonly order: number;
  readonly run: () => void;
}

function isBefore(left: ScheduledEvent, right: ScheduledEvent): boolean {
  return left.atMicros < right.atMicros || (left.atMicros === right.atMicros && left.order < right.order);
}
