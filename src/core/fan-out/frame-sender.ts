// hot: per connection and tick, per subscription and tick. No allocation, no closure, no exception.
import {
  FAN_OUT_STATS_BYTES_OUT,
  FAN_OUT_STATS_FRAMES_OUT,
  FAN_OUT_STATS_LATENCY_BUCKETS,
  FAN_OUT_STATS_LATENCY_COUNT,
  FAN_OUT_STATS_LATENCY_SUM_MICROS,
  FAN_OUT_STATS_QUOTES_OUT,
  FAN_OUT_STATS_SKIPPED,
  FAN_OUT_STATS_SLOW_CONNECTIONS,
  FAN_OUT_STATS_SNAPSHOTS_OUT,
} from '../shm/generated/worker-stats.gen.ts';
import { LATENCY_BUCKET_MS } from '../shm/worker-stats.layout.ts';
import type { CreditBook } from './credit.ts';
import { COPY_SLACK_BYTES, FRAME_MAX_BYTES, FrameScratch } from './frame-scratch.ts';
import { JSON_QUOTE_MAX_BYTES } from './json-encoder.ts';
import type { PhaseGroup } from './phase-group.ts';
import { ENTRY_MAX_BYTES } from './quote-encoder.ts';
import { SLICE_ARRIVAL, SLICE_AT, SLICE_LENGTH, SLICE_SHIFT, SLICE_STAMP } from './stream-table.ts';
import { NO_PING, SendStatus, type Subscriber } from './subscriber.ts';
import { NEEDS_KEYFRAME, STREAM_MASK, type SubscriptionLists } from './subscription-lists.ts';
import { writeVarint } from './varint.ts';
import { FrameType } from './wire.ts';

/** A symbol in JSON is bounded by the instrument master; this leaves it room when escaped. */
const SYMBOL_JSON_MAX_BYTES = 256;
/** Room that a frame must have left for one quote more. */
const QUOTE_MAX_BYTES = Math.max(ENTRY_MAX_BYTES, JSON_QUOTE_MAX_BYTES + SYMBOL_JSON_MAX_BYTES) + COPY_SLACK_BYTES;

const NO_AGE = -1;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;

/** Puts a connection's frame together from what its group encoded, and sends it if the connection has credit. */
export class FrameSender {
  readonly #lists: SubscriptionLists;
  readonly #credit: CreditBook;
  readonly #stats: Float64Array;
  readonly #scratch = new FrameScratch();

  // The frame that is being put together.
  #frameQuotes = 0;
  #frameKeyframes = 0;
  #frameAgeMicros = NO_AGE;
  #frameTimeAt = 0;

  constructor(lists: SubscriptionLists, credit: CreditBook, stats: Float64Array) {
    this.#lists = lists;
    this.#credit = credit;
    this.#stats = stats;
  }

  /** Sends a connection what its group encoded at `tick`, and keyframes of what it missed. */
  serve(subscriber: Subscriber, group: PhaseGroup, tick: number, nowMs: number): void {
    if (!this.#hasCredit(subscriber, nowMs)) {
      this.#skip(subscriber, group, subscriber.listAt, tick);
      return;
    }
    const slices = group.streams.slices;
    const stamp = tick | 0;
    const arena = group.arena;
    const words = this.#lists.words;
    const scratch = this.#scratch;
    const nowMicros32 = (nowMs * 1_000) | 0;
    const listEnd = subscriber.listAt + subscriber.count;
    let at = 0;
    for (let i = subscriber.listAt; i < listEnd; i++) {
      const word = words[i]!;
      const stream = word & STREAM_MASK;
      const slice = stream << SLICE_SHIFT;
      if (word >= 0 && slices[slice + SLICE_STAMP] !== stamp) continue;
      if (at > FRAME_MAX_BYTES - QUOTE_MAX_BYTES) {
        if (!this.#finish(subscriber, at, tick, nowMs)) return;
        at = 0;
        if (!this.#hasCredit(subscriber, nowMs)) {
          this.#skip(subscriber, group, i, tick);
          return;
        }
      }
      if (at === 0) at = this.#begin(subscriber, tick);
      const separated = subscriber.isJson && this.#frameQuotes > 0 ? at + 1 : at;
      let end: number;
      if (word < 0) {
        words[i] = stream;
        end = group.writeKeyframe(stream, scratch.bytes, separated);
        if (end === separated) continue;
        this.#frameKeyframes++;
      } else {
        const length = slices[slice + SLICE_LENGTH]!;
        scratch.copyWords(arena, slices[slice + SLICE_AT]!, length, separated);
        end = separated + length;
        const ageMicros = (nowMicros32 - slices[slice + SLICE_ARRIVAL]!) | 0;
        if (ageMicros > this.#frameAgeMicros) this.#frameAgeMicros = ageMicros;
      }
      if (separated !== at) scratch.bytes[at] = COMMA;
      at = end;
      this.#frameQuotes++;
    }
    subscriber.isBehind = false;
    if (at !== 0) this.#finish(subscriber, at, tick, nowMs);
  }

  /** A connection without credit: what it does not get now comes as a keyframe later. */
  #skip(subscriber: Subscriber, group: PhaseGroup, from: number, tick: number): void {
    const slices = group.streams.slices;
    const stamp = tick | 0;
    const words = this.#lists.words;
    const listEnd = subscriber.listAt + subscriber.count;
    let skipped = 0;
    for (let i = from; i < listEnd; i++) {
      const word = words[i]!;
      if (slices[((word & STREAM_MASK) << SLICE_SHIFT) + SLICE_STAMP] !== stamp) continue;
      words[i] = word | NEEDS_KEYFRAME;
      skipped++;
    }
    if (skipped > 0) subscriber.isBehind = true;
    if (subscriber.isBehind) this.setSlow(subscriber, true);
    this.#stats[FAN_OUT_STATS_SKIPPED >> 1]! += skipped;
  }

  #begin(subscriber: Subscriber, tick: number): number {
    this.#frameQuotes = 0;
    this.#frameKeyframes = 0;
    this.#frameAgeMicros = NO_AGE;
    const out = this.#scratch.bytes;
    if (subscriber.isJson) {
      out[0] = OPEN_BRACKET;
      return 1;
    }
    out[0] = subscriber.withTiming ? FrameType.TimedQuotes : FrameType.Quotes;
    let at = writeVarint(out, 1, tick);
    at = writeVarint(out, at, subscriber.lastTick === 0 ? 0 : tick - subscriber.lastTick);
    if (!subscriber.withTiming) return at;
    this.#frameTimeAt = at;
    return at + 8;
  }

  /** Sends the frame that was put together; false when the connection missed it. */
  #finish(subscriber: Subscriber, end: number, tick: number, nowMs: number): boolean {
    const quotes = this.#frameQuotes;
    if (quotes === 0) return true;
    const scratch = this.#scratch;
    let length = end;
    if (subscriber.isJson) {
      if (quotes === 1) {
        scratch.bytes.copyWithin(0, 1, length);
        length--;
      } else {
        scratch.bytes[length++] = CLOSE_BRACKET;
      }
    } else if (subscriber.withTiming) {
      const age = this.#frameAgeMicros;
      scratch.writeF64(this.#frameTimeAt, age === NO_AGE ? 0 : Math.floor(nowMs * 1_000) - age);
    }
    const credit = this.#credit;
    const isPinged = subscriber.isJson && credit.isCheckpointDue(subscriber.connectionIndex, length, nowMs);
    const status = subscriber.sink.sendQuotes(scratch.view(length), isPinged ? tick : NO_PING);
    if (status !== SendStatus.Sent) {
      subscriber.isCongested = true;
      if (status === SendStatus.Dropped) {
        this.#stats[FAN_OUT_STATS_SKIPPED >> 1]! += quotes;
        this.#needKeyframes(subscriber);
        return false;
      }
    }
    credit.sent(subscriber.connectionIndex, tick, length, nowMs);
    subscriber.lastTick = tick;
    const stats = this.#stats;
    stats[FAN_OUT_STATS_QUOTES_OUT >> 1]! += quotes;
    stats[FAN_OUT_STATS_SNAPSHOTS_OUT >> 1]! += this.#frameKeyframes;
    stats[FAN_OUT_STATS_FRAMES_OUT >> 1]! += 1;
    stats[FAN_OUT_STATS_BYTES_OUT >> 1]! += length;
    if (this.#frameAgeMicros !== NO_AGE) this.#recordLatency(this.#frameAgeMicros);
    return true;
  }

  #recordLatency(ageMicros: number): void {
    const stats = this.#stats;
    let bucket = 0;
    while (bucket < LATENCY_BUCKET_MS.length && ageMicros > LATENCY_BUCKET_MS[bucket]! * 1_000) bucket++;
    stats[(FAN_OUT_STATS_LATENCY_BUCKETS >> 1) + bucket]! += 1;
    stats[FAN_OUT_STATS_LATENCY_COUNT >> 1]! += 1;
    stats[FAN_OUT_STATS_LATENCY_SUM_MICROS >> 1]! += ageMicros;
  }

  #hasCredit(subscriber: Subscriber, nowMs: number): boolean {
    const has = !subscriber.isCongested && this.#credit.has(subscriber.connectionIndex, nowMs);
    if (has) this.setSlow(subscriber, false);
    return has;
  }

  /** Keeps count of the connections that are held back. */
  setSlow(subscriber: Subscriber, isSlow: boolean): void {
    if (subscriber.isSlow === isSlow) return;
    subscriber.isSlow = isSlow;
    this.#stats[FAN_OUT_STATS_SLOW_CONNECTIONS >> 1]! += isSlow ? 1 : -1;
  }

  #needKeyframes(subscriber: Subscriber): void {
    const words = this.#lists.words;
    for (let i = subscriber.listAt; i < subscriber.listAt + subscriber.count; i++) words[i]! |= NEEDS_KEYFRAME;
    subscriber.isBehind = true;
  }
}
