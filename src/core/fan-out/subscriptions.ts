// Not hot but often: a reconnect storm subscribes everybody anew, so a request costs its own size, not that of the lists squared.
import type { PhaseGroup } from './phase-group.ts';
import type { Subscriber } from './subscriber.ts';
import { NEEDS_KEYFRAME, STREAM_MASK, SubscriptionLists } from './subscription-lists.ts';
import type { QuoteMode } from './wire.ts';

/** Who subscribes to what: the lists of all connections, and the changes of them. */
export class Subscriptions {
  /** Walked by sweeps. */
  readonly lists = new SubscriptionLists();
  /** Position + 1 of an instrument in the list that is being changed. All zero between calls. */
  readonly #positions: Int32Array;

  constructor(instrumentCapacity: number) {
    this.#positions = new Int32Array(instrumentCapacity);
  }

  /** How many subscriptions a connection would have with these instruments besides. */
  countWith(subscriber: Subscriber, instrumentIndices: readonly number[]): number {
    const positions = this.#mark(subscriber);
    let count = subscriber.count;
    for (const index of instrumentIndices) {
      if (positions[index] !== 0) continue;
      positions[index] = -1;
      count++;
    }
    for (const index of instrumentIndices) positions[index] = 0;
    this.#unmark(subscriber);
    return count;
  }

  /** Adds instruments in a mode, or switches those that are there to it; all need a keyframe then. Returns how many are new. */
  add(
    subscriber: Subscriber,
    group: PhaseGroup,
    instrumentIndices: readonly number[],
    mode: QuoteMode,
    nowMicros: number,
  ): number {
    const before = subscriber.count;
    const positions = this.#mark(subscriber);
    for (const index of instrumentIndices) {
      const word = group.subscribe(index, mode, nowMicros) | NEEDS_KEYFRAME;
      const position = positions[index]!;
      if (position === 0) {
        this.#reserve(subscriber, subscriber.count + 1);
        this.lists.words[subscriber.listAt + subscriber.count++] = word;
        positions[index] = subscriber.count;
      } else {
        const at = subscriber.listAt + position - 1;
        group.unsubscribe(this.lists.words[at]! & STREAM_MASK);
        this.lists.words[at] = word;
      }
    }
    this.#unmark(subscriber);
    return subscriber.count - before;
  }

  /** Takes instruments away in whatever mode; returns how many were there. */
  remove(subscriber: Subscriber, group: PhaseGroup, instrumentIndices: readonly number[]): number {
    const before = subscriber.count;
    const positions = this.#mark(subscriber);
    const words = this.lists.words;
    for (const index of instrumentIndices) {
      const position = positions[index]!;
      if (position === 0) continue;
      positions[index] = 0;
      const at = subscriber.listAt + position - 1;
      const stream = words[at]! & STREAM_MASK;
      const moved = words[subscriber.listAt + --subscriber.count]!;
      if (position !== subscriber.count + 1) {
        words[at] = moved;
        positions[group.streams.instrumentOf[moved & STREAM_MASK]!] = position;
      }
      group.unsubscribe(stream);
    }
    this.#unmark(subscriber);
    return before - subscriber.count;
  }

  /** Gives a connection the same instruments and modes in another group. */
  move(subscriber: Subscriber, from: PhaseGroup, to: PhaseGroup, nowMicros: number): void {
    const words = this.lists.words;
    for (let at = subscriber.listAt; at < subscriber.listAt + subscriber.count; at++) {
      const stream = words[at]! & STREAM_MASK;
      const instrumentIndex = from.streams.instrumentOf[stream]!;
      const mode = from.streams.modeOf[stream] as QuoteMode;
      words[at] = to.subscribe(instrumentIndex, mode, nowMicros) | NEEDS_KEYFRAME;
      from.unsubscribe(stream);
    }
  }

  /** Takes everything away. */
  clear(subscriber: Subscriber, group: PhaseGroup): void {
    const words = this.lists.words;
    for (let at = subscriber.listAt; at < subscriber.listAt + subscriber.count; at++) {
      group.unsubscribe(words[at]! & STREAM_MASK);
    }
    this.lists.free(subscriber.listAt, subscriber.listRoom);
    subscriber.count = 0;
    subscriber.listRoom = 0;
  }

  #reserve(subscriber: Subscriber, count: number): void {
    if (count <= subscriber.listRoom) return;
    const room = SubscriptionLists.roomFor(count);
    const at = this.lists.allocate(room);
    this.lists.words.copyWithin(at, subscriber.listAt, subscriber.listAt + subscriber.count);
    this.lists.free(subscriber.listAt, subscriber.listRoom);
    subscriber.listAt = at;
    subscriber.listRoom = room;
  }

  #mark(subscriber: Subscriber): Int32Array {
    const positions = this.#positions;
    const { group } = subscriber;
    if (group === undefined) return positions;
    const words = this.lists.words;
    for (let i = 0; i < subscriber.count; i++) {
      positions[group.streams.instrumentOf[words[subscriber.listAt + i]! & STREAM_MASK]!] = i + 1;
    }
    return positions;
  }

  #unmark(subscriber: Subscriber): void {
    const { group } = subscriber;
    if (group === undefined) return;
    const words = this.lists.words;
    for (let i = 0; i < subscriber.count; i++) {
      this.#positions[group.streams.instrumentOf[words[subscriber.listAt + i]! & STREAM_MASK]!] = 0;
    }
  }
}
