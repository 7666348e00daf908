// hot: `beginTick`, `sweep`, `flush` and what they call run per tick, connection and subscription: no allocation, no closure.
import { QuoteBoardReader } from '../market-data/quote-board.ts';
import { DirtyBitmapReader } from '../shm/dirty-bitmap.ts';
import {
  FAN_OUT_STATS_CHANGES_TAKEN,
  FAN_OUT_STATS_CLOSED,
  FAN_OUT_STATS_CONNECTIONS,
  FAN_OUT_STATS_FILTERED,
  FAN_OUT_STATS_OPENED,
  FAN_OUT_STATS_SLOT_RETRIES,
  FAN_OUT_STATS_SLOW_CONNECTIONS,
  FAN_OUT_STATS_SUBSCRIPTIONS,
} from '../shm/generated/worker-stats.gen.ts';
import { CreditBook } from './credit.ts';
import { FrameSender } from './frame-sender.ts';
import type { InstrumentDirectory } from './instrument-directory.ts';
import { MarketView } from './market-view.ts';
import { PhaseGroup } from './phase-group.ts';
import { AckStatus, NOT_LISTED, type QuoteSink, Subscriber } from './subscriber.ts';
import { Subscriptions } from './subscriptions.ts';
import { FILTER_CLASSES_BPS, type QuoteMode } from './wire.ts';

export interface FanOutOptions {
  readonly board: SharedArrayBuffer;
  readonly dirtySet: SharedArrayBuffer;
  /** A `fanOutStatsLayout` block. */
  readonly stats: SharedArrayBuffer;
  readonly instrumentCapacity: number;
  readonly directory: InstrumentDirectory;
  readonly phaseCount: number;
  /** Connections that a phase takes before the next is begun; PHASE_FILL when left out. */
  readonly phaseFill?: number;
  /** Filter of a new binary connection, basis points; JSON begins with 0. */
  readonly filterBps: number;
  readonly maxConnections: number;
  readonly maxSubscriptions: number;
}

/**
 * Every phase in use encodes every change anew, which costs as much as the sends of a hundred connections. Half a thousand sends are a few milliseconds: no
 * burst worth another phase.
 */
export const PHASE_FILL = 512;

export const SubscribeStatus = { Subscribed: 0, TooMany: 1 } as const;
export type SubscribeStatus = (typeof SubscribeStatus)[keyof typeof SubscribeStatus];

/**
 * Who gets which quote, when, in which bytes: the fan-out of one worker without its sockets, timers and clock. The owner
 * calls `beginTick` when a phase is due and `sweep` until it is done, `flush` soon after `needsFlush` turns true, and
 * never any of them from inside a socket's callback.
 */
export class FanOut {
  readonly directory: InstrumentDirectory;
  readonly maxSubscriptions: number;
  readonly defaultFilterBps: number;
  /** Filters that a connection may ask for, basis points. */
  readonly filterClasses: readonly number[];
  connectionCount = 0;

  readonly #maxConnections: number;
  readonly #instrumentCapacity: number;
  readonly #dirty: DirtyBitmapReader;
  readonly #view: MarketView;
  readonly #stats: Float64Array;
  readonly #groups: PhaseGroup[] = [];
  readonly #groupsByPhase: PhaseGroup[][] = [];
  readonly #connectionsByPhase: number[] = [];
  /** Phases in the order in which they are filled: as far from each other in time as can be. */
  readonly #fillOrder: readonly number[];
  readonly #phaseFill: number;
  readonly #subscriptions: Subscriptions;
  readonly #credit = new CreditBook();
  readonly #sender: FrameSender;
  readonly #freeIndices: number[] = [];
  #usedIndices = 0;

  #tick = 0;
  /** Groups of the running sweep, the one it is at, and the members it has still to see; from the last to the first. */
  #sweepGroups: readonly PhaseGroup[] = [];
  #sweepGroup = 0;
  #sweepLeft = 0;
  #sweepTick = 0;
  #sweepPhase = 0;
  #flushQueue: Subscriber[] = [];
  #flushHead = 0;

  constructor(options: FanOutOptions) {
    this.directory = options.directory;
    this.maxSubscriptions = options.maxSubscriptions;
    this.defaultFilterBps = options.filterBps;
    this.filterClasses = [...new Set([...FILTER_CLASSES_BPS, options.filterBps])].sort((a, b) => a - b);
    this.#maxConnections = options.maxConnections;
    this.#instrumentCapacity = options.instrumentCapacity;
    this.#subscriptions = new Subscriptions(options.instrumentCapacity);
    this.#dirty = new DirtyBitmapReader(options.dirtySet, options.instrumentCapacity);
    const board = new QuoteBoardReader(options.board, options.instrumentCapacity);
    this.#view = new MarketView(board, this.#dirty, options.instrumentCapacity);
    for (let phase = 0; phase < options.phaseCount; phase++) {
      this.#groupsByPhase.push([]);
      this.#connectionsByPhase.push(0);
    }
    this.#fillOrder = Array.from(this.#groupsByPhase.keys()).sort((a, b) => bitsReversed(a) - bitsReversed(b));
    this.#phaseFill = options.phaseFill ?? PHASE_FILL;
    // Counters go on where an earlier worker of the role left them; what tells of now begins anew.
    this.#stats = new Float64Array(options.stats);
    this.#stats[FAN_OUT_STATS_CONNECTIONS >> 1] = 0;
    this.#stats[FAN_OUT_STATS_SUBSCRIPTIONS >> 1] = 0;
    this.#stats[FAN_OUT_STATS_SLOW_CONNECTIONS >> 1] = 0;
    this.#sender = new FrameSender(this.#subscriptions.lists, this.#credit, this.#stats);
  }

  /** The dirty set, for an owner that sleeps on it. */
  get dirtySet(): DirtyBitmapReader {
    return this.#dirty;
  }

  get phaseCount(): number {
    return this.#groupsByPhase.length;
  }

  get hasRoom(): boolean {
    return this.connectionCount < this.#maxConnections;
  }

  /** Whether `flush` has something to do. */
  get needsFlush(): boolean {
    return this.#flushHead < this.#flushQueue.length;
  }

  get isSweeping(): boolean {
    return this.#sweepGroup < this.#sweepGroups.length;
  }

  /** A connection opens; the caller has asked `hasRoom`. */
  connect(sink: QuoteSink, isJson: boolean): Subscriber {
    const phase = this.#choosePhase();
    this.#connectionsByPhase[phase]!++;
    const connectionIndex = this.#freeIndices.pop() ?? this.#usedIndices++;
    this.#credit.open(connectionIndex);
    this.connectionCount++;
    this.#stats[FAN_OUT_STATS_OPENED >> 1]! += 1;
    this.#stats[FAN_OUT_STATS_CONNECTIONS >> 1] = this.connectionCount;
    return new Subscriber(sink, isJson, connectionIndex, phase, isJson ? 0 : this.defaultFilterBps);
  }

  disconnect(subscriber: Subscriber): void {
    if (!subscriber.isOpen) return;
    subscriber.isOpen = false;
    this.#clearSubscriptions(subscriber);
    this.#connectionsByPhase[subscriber.phase]!--;
    this.#freeIndices.push(subscriber.connectionIndex);
    this.connectionCount--;
    this.#stats[FAN_OUT_STATS_CLOSED >> 1]! += 1;
    this.#stats[FAN_OUT_STATS_CONNECTIONS >> 1] = this.connectionCount;
  }

  /**
   * Subscribes to instruments in a mode: new ones are added, others switch to the mode, and each gets a keyframe at the
   * next flush. TooMany, when the limit would be passed, changes nothing.
   */
  subscribe(
    subscriber: Subscriber,
    instrumentIndices: readonly number[],
    mode: QuoteMode,
    nowMicros: number,
  ): SubscribeStatus {
    const subscriptions = this.#subscriptions;
    if (subscriptions.countWith(subscriber, instrumentIndices) > this.maxSubscriptions) return SubscribeStatus.TooMany;
    if (instrumentIndices.length === 0) return SubscribeStatus.Subscribed;
    const group = subscriber.group ?? this.#join(subscriber);
    this.#stats[FAN_OUT_STATS_SUBSCRIPTIONS >> 1]! += subscriptions.add(
      subscriber,
      group,
      instrumentIndices,
      mode,
      nowMicros,
    );
    this.#setBehind(subscriber);
    return SubscribeStatus.Subscribed;
  }

  /** Ends subscriptions in whatever mode; returns how many there were. */
  unsubscribe(subscriber: Subscriber, instrumentIndices: readonly number[]): number {
    const group = subscriber.group;
    if (group === undefined) return 0;
    const removed = this.#subscriptions.remove(subscriber, group, instrumentIndices);
    this.#stats[FAN_OUT_STATS_SUBSCRIPTIONS >> 1]! -= removed;
    if (subscriber.count === 0) this.#clearSubscriptions(subscriber);
    return removed;
  }

  /** Moves a connection to another filter class; `filterBps` is one of `filterClasses`. Everything comes as keyframes. */
  setFilter(subscriber: Subscriber, filterBps: number, nowMicros: number): void {
    if (subscriber.filterBps === filterBps) return;
    subscriber.filterBps = filterBps;
    const before = subscriber.group;
    if (before === undefined) return;
    this.#leave(subscriber, before);
    const group = this.#join(subscriber);
    this.#subscriptions.move(subscriber, before, group, nowMicros);
    this.#setBehind(subscriber);
  }

  /** The client has everything up to this tick. */
  acknowledge(subscriber: Subscriber, tick: number): AckStatus {
    if (tick > subscriber.lastTick) return AckStatus.Unsent;
    if (tick <= subscriber.ackedTick) return AckStatus.Repeated;
    subscriber.ackedTick = tick;
    this.#credit.acknowledge(subscriber.connectionIndex, tick);
    this.#retry(subscriber);
    return AckStatus.Advanced;
  }

  /** The socket's buffer has emptied. */
  drained(subscriber: Subscriber): void {
    subscriber.isCongested = false;
    this.#retry(subscriber);
  }

  /** Takes what changed and encodes it for the groups of a phase; true when anything had. The `sweep` before must be done. */
  beginTick(phase: number, nowMs: number): boolean {
    const nowMicros = nowMs * 1_000;
    const stats = this.#stats;
    const view = this.#view;
    // A phase of nobody leaves the changes where they are: they coalesce until one with connections takes them.
    const isEmpty = this.#connectionsByPhase[phase] === 0 && this.connectionCount > 0;
    const hasChanges = !isEmpty && view.drain(this.#groups);
    stats[FAN_OUT_STATS_CHANGES_TAKEN >> 1]! += view.changesTaken;
    stats[FAN_OUT_STATS_SLOT_RETRIES >> 1]! += view.slotRetries;
    view.changesTaken = 0;
    view.slotRetries = 0;

    this.#tick++;
    this.#sweepTick = this.#tick;
    this.#sweepPhase = phase;
    const groups = this.#groupsByPhase[phase]!;
    this.#sweepGroups = groups;
    this.#sweepGroup = 0;
    for (let g = 0; g < groups.length; g++) {
      const group = groups[g]!;
      group.encode(this.#tick, nowMs, nowMicros);
      stats[FAN_OUT_STATS_FILTERED >> 1]! += group.filtered;
      group.filtered = 0;
    }
    this.#toNextGroup();
    return hasChanges;
  }

  /** Serves up to `limit` connections of the tick begun last; true when all are served. */
  sweep(limit: number, nowMs: number): boolean {
    for (let served = 0; served < limit && this.isSweeping; served++) {
      const group = this.#sweepGroups[this.#sweepGroup]!;
      // Members may have left meanwhile; one that was moved down into a place still to come has been served already.
      this.#sweepLeft = Math.min(this.#sweepLeft, group.members.length);
      if (this.#sweepLeft > 0) {
        const subscriber = group.members[--this.#sweepLeft]!;
        if (subscriber.sweptTick !== this.#sweepTick) {
          subscriber.sweptTick = this.#sweepTick;
          this.#sender.serve(subscriber, group, this.#sweepTick, nowMs);
        }
      }
      if (this.#sweepLeft === 0) {
        this.#sweepGroup++;
        this.#toNextGroup();
      }
    }
    return !this.isSweeping;
  }

  /** Sends keyframes to up to `limit` connections that are behind and may send; true when all are served. */
  flush(limit: number, nowMs: number): boolean {
    if (!this.needsFlush) return true;
    this.#tick++;
    for (let served = 0; served < limit && this.needsFlush; served++) {
      const subscriber = this.#flushQueue[this.#flushHead++]!;
      subscriber.isFlushing = false;
      const group = subscriber.group;
      if (!subscriber.isOpen || !subscriber.isBehind || group === undefined) continue;
      // A connection that the running sweep has still to come to is served all of that tick now, or its ticks would go back.
      const isDue = this.isSweeping && group.phase === this.#sweepPhase && subscriber.sweptTick !== this.#sweepTick;
      if (isDue) subscriber.sweptTick = this.#sweepTick;
      this.#sender.serve(subscriber, group, isDue ? this.#sweepTick : this.#tick, nowMs);
    }
    if (this.needsFlush) return false;
    this.#flushQueue.length = 0;
    this.#flushHead = 0;
    return true;
  }

  #toNextGroup(): void {
    while (this.#sweepGroup < this.#sweepGroups.length) {
      const group = this.#sweepGroups[this.#sweepGroup]!;
      this.#sweepLeft = group.encodedCount === 0 ? 0 : group.members.length;
      if (this.#sweepLeft > 0) return;
      this.#sweepGroup++;
    }
  }

  /** The first phase with room, or the emptiest. */
  #choosePhase(): number {
    let emptiest = 0;
    for (const phase of this.#fillOrder) {
      const count = this.#connectionsByPhase[phase]!;
      if (count < this.#phaseFill) return phase;
      if (count < this.#connectionsByPhase[emptiest]!) emptiest = phase;
    }
    return emptiest;
  }

  /** Something that held a connection back is gone: what it missed is sent at the next flush if it has credit then. */
  #retry(subscriber: Subscriber): void {
    if (subscriber.isBehind) this.#requestFlush(subscriber);
  }

  #setBehind(subscriber: Subscriber): void {
    subscriber.isBehind = true;
    this.#requestFlush(subscriber);
  }

  #requestFlush(subscriber: Subscriber): void {
    if (subscriber.isFlushing) return;
    subscriber.isFlushing = true;
    this.#flushQueue.push(subscriber);
  }

  #join(subscriber: Subscriber): PhaseGroup {
    const groups = this.#groupsByPhase[subscriber.phase]!;
    let group = groups.find((candidate) => candidate.filterBps === subscriber.filterBps);
    if (group === undefined) {
      const { phase, filterBps } = subscriber;
      group = new PhaseGroup(phase, filterBps, this.#view, this.directory, this.#instrumentCapacity);
      groups.push(group);
      this.#groups.push(group);
    }
    subscriber.group = group;
    subscriber.memberIndex = group.members.length;
    // All it subscribes to comes as keyframes: a sweep that is under way has nothing for it.
    subscriber.sweptTick = this.#sweepTick;
    group.members.push(subscriber);
    return group;
  }

  #leave(subscriber: Subscriber, group: PhaseGroup): void {
    const last = group.members.pop()!;
    if (last !== subscriber) {
      group.members[subscriber.memberIndex] = last;
      last.memberIndex = subscriber.memberIndex;
    }
    subscriber.group = undefined;
    subscriber.memberIndex = NOT_LISTED;
  }

  #clearSubscriptions(subscriber: Subscriber): void {
    const group = subscriber.group;
    if (group === undefined) return;
    this.#stats[FAN_OUT_STATS_SUBSCRIPTIONS >> 1]! -= subscriber.count;
    this.#subscriptions.clear(subscriber, group);
    subscriber.isBehind = false;
    this.#sender.setSlow(subscriber, false);
    this.#leave(subscriber, group);
  }
}

/** 0, 4, 2, 6, 1, 5, 3, 7 for the numbers below 8: neighbours become far apart. */
function bitsReversed(value: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) if ((value & (1 << bit)) !== 0) reversed += 2 ** (31 - bit);
  return reversed;
}
