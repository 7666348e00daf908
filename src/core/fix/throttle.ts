import { assert } from '../assert.ts';

/**
 * What a venue's limit of messages a second does to messages that come faster: a token bucket, and behind it a bounded queue in which cancels
 * go first. Sans-I/O: its owner sends what it is told may go, and asks again after `waitMs`.
 */

/** What becomes of a message that is offered. */
export const ThrottleVerdict = {
  /** It may go now, and its token is taken. */
  SendNow: 0,
  /** It waits; `next` hands it out. */
  Queued: 1,
  /** As many wait as may: it is refused. */
  Full: 2,
} as const;
export type ThrottleVerdict = (typeof ThrottleVerdict)[keyof typeof ThrottleVerdict];

export interface ThrottleSettings {
  /** The venue's limit; 0 for none. */
  readonly messagesPerSecond: number;
  /** Messages that may go at once after a pause, at least 1. */
  readonly burst: number;
  /** Messages that may wait, and as many cancels beside them: a full queue of orders still takes a cancel. */
  readonly queueMax: number;
}

/** A token is a thousand of these, so that rate × milliseconds is whole. */
const UNITS_A_TOKEN = 1_000;

/** Tokens come at a rate, up to a burst; a message takes one. Integers: no rounding adds up over a day. */
export class TokenBucket {
  readonly #unitsAMilli: number;
  readonly #unitsMax: number;
  #units: number;
  #filledMs = Number.NEGATIVE_INFINITY;

  constructor(messagesPerSecond: number, burst: number) {
    assert(Number.isInteger(messagesPerSecond) && messagesPerSecond >= 0, 'whole messages a second');
    assert(Number.isInteger(burst) && burst >= 1, 'a burst of at least 1');
    this.#unitsAMilli = messagesPerSecond;
    this.#unitsMax = burst * UNITS_A_TOKEN;
    this.#units = this.#unitsMax;
  }

  /** Takes a token if there is one. */
  take(nowMs: number): boolean {
    if (this.#unitsAMilli === 0) return true;
    this.#fill(nowMs);
    if (this.#units < UNITS_A_TOKEN) return false;
    this.#units -= UNITS_A_TOKEN;
    return true;
  }

  /** Milliseconds until there is a token; 0 when there is one. */
  waitMs(nowMs: number): number {
    if (this.#unitsAMilli === 0) return 0;
    this.#fill(nowMs);
    return Math.max(0, Math.ceil((UNITS_A_TOKEN - this.#units) / this.#unitsAMilli));
  }

  /** A clock that goes back gives nothing, and takes nothing away. */
  #fill(nowMs: number): void {
    const elapsedMs = nowMs - this.#filledMs;
    if (elapsedMs < 0) {
      this.#filledMs = nowMs;
      return;
    }
    if (elapsedMs === 0) return;
    this.#filledMs = nowMs;
    this.#units = Math.min(this.#unitsMax, this.#units + elapsedMs * this.#unitsAMilli);
  }
}

/** The bucket and the queue of one session. Cancels are in their own lane, which is emptied first. */
export class Throttle<T> {
  readonly #bucket: TokenBucket;
  readonly #queueMax: number;
  readonly #cancels: T[] = [];
  readonly #others: T[] = [];

  constructor(settings: ThrottleSettings) {
    this.#bucket = new TokenBucket(settings.messagesPerSecond, settings.burst);
    this.#queueMax = settings.queueMax;
  }

  get queuedCount(): number {
    return this.#cancels.length + this.#others.length;
  }

  /** A message that nothing waiting may overtake is no cancel: it goes behind what was offered before it. */
  offer(message: T, isCancel: boolean, nowMs: number): ThrottleVerdict {
    const lane = isCancel ? this.#cancels : this.#others;
    const isFirst = lane.length === 0 && (isCancel || this.#cancels.length === 0);
    if (isFirst && this.#bucket.take(nowMs)) return ThrottleVerdict.SendNow;
    if (lane.length >= this.#queueMax) return ThrottleVerdict.Full;
    lane.push(message);
    return ThrottleVerdict.Queued;
  }

  /** The next waiting message that may go now, its token taken; undefined when there is none. */
  next(nowMs: number): T | undefined {
    if (this.queuedCount === 0 || !this.#bucket.take(nowMs)) return undefined;
    return this.#cancels.shift() ?? this.#others.shift();
  }

  /** Milliseconds until `next` has something; Infinity when nothing waits. */
  waitMs(nowMs: number): number {
    return this.queuedCount === 0 ? Number.POSITIVE_INFINITY : this.#bucket.waitMs(nowMs);
  }

  /** The first waiting message, cancels aside, that `matches`; it stays. */
  find(matches: (message: T) => boolean): T | undefined {
    return this.#others.find(matches);
  }

  /** Takes a waiting message out of the queue; false when it does not wait any more. */
  withdraw(message: T): boolean {
    const at = this.#others.indexOf(message);
    if (at < 0) return false;
    this.#others.splice(at, 1);
    return true;
  }

  /** Empties the queue and returns what waited, in the order in which it would have gone. */
  clear(): T[] {
    return [...this.#cancels.splice(0), ...this.#others.splice(0)];
  }
}
