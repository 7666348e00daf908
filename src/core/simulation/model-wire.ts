import type { Prng } from '../exchange/prng.ts';
import type { FixSession } from '../fix/fix-session.ts';
import type { Durability } from '../fix/fix-store.ts';
import type { FixTransport } from '../fix/session-contract.ts';
import { copyMessage } from './message-copies.ts';
import type { Scheduler } from './scheduler.ts';

/** One way, in microseconds: mostly near the least, at times much more. */
const LATENCY_MICROS_MIN = 60;
const LATENCY_MICROS_RANGE = 400;
/** After a cut each side learns of it by itself within this. */
const NOTICE_MICROS_RANGE = 20_000;

/** Bytes on their way, and those that wait for the disk before they may leave. */
interface Flight {
  readonly bytes: Uint8Array;
  readonly group: number;
}

/** What a simulated crash may come between. */
export interface WireProbe {
  /** A message is in the session's store, and not on the disk. */
  stored(): void;
  /** Bytes may leave, and leave with the return of the call. */
  leaving(): void;
  left(bytes: Uint8Array): void;
  /** Bytes are there and the session takes them next. */
  arriving(): void;
}

const NO_PROBE: WireProbe = { stored() {}, leaving() {}, left() {}, arriving() {} };

/** One end of a wire: the transport of its session. With a durability nothing leaves before what was appended by then is on the disk. */
export class WireEnd implements FixTransport {
  session: FixSession | null = null;
  isConnected = false;
  /** No byte arrives here before this moment: what reorders a session against the others. */
  stalledUntilMicros = 0;
  /** Told when a connection is over, whoever ended it. */
  onLost: () => void = () => {};

  /** Messages on their way here, or waiting here for the disk. */
  get underWayCount(): number {
    return this.#arriving + this.#held.length;
  }

  #arriving = 0;
  #wire: ModelWire | null = null;
  #probe: WireProbe = NO_PROBE;
  #durability: Durability | null = null;
  #held: Flight[] = [];
  #arrivedMicros = 0;
  #connection = 0;
  readonly #scheduler: Scheduler;
  readonly #random: Prng;

  constructor(scheduler: Scheduler, random: Prng) {
    this.#scheduler = scheduler;
    this.#random = random;
  }

  use(session: FixSession, durability: Durability | null, probe: WireProbe = NO_PROBE): void {
    this.session = session;
    this.#durability = durability;
    this.#probe = probe;
    this.#held = [];
    durability?.listen(() => this.#release());
  }

  connected(wire: ModelWire): void {
    this.#wire = wire;
    this.#connection++;
    this.#held = [];
    this.isConnected = true;
    this.session!.connected(this.#scheduler.nowMs);
  }

  isOn(wire: ModelWire): boolean {
    return this.#wire === wire;
  }

  /** The process dies: nothing is told to its session any more. */
  abandon(): void {
    this.session = null;
    this.isConnected = false;
    this.onLost = () => {};
    this.#durability = null;
    this.#held = [];
  }

  /** The connection is gone and this end has learnt of it. */
  lost(): void {
    if (!this.isConnected) return;
    this.isConnected = false;
    this.session?.disconnected(this.#scheduler.nowMs);
    this.onLost();
  }

  send(buffer: Uint8Array, start: number, end: number): void {
    const bytes = copyMessage(buffer, start, end);
    const durability = this.#durability;
    if (durability === null) {
      this.#leave(bytes);
      return;
    }
    if (this.#held.length === 0 && durability.durableGroup >= durability.appendedGroup) this.#leave(bytes);
    else {
      this.#held.push({ bytes, group: durability.appendedGroup });
      this.#probe.stored();
    }
  }

  /** The session has had enough of the connection. */
  disconnect(): void {
    if (!this.isConnected) return;
    this.isConnected = false;
    this.#held = [];
    this.#wire?.cut();
    this.onLost();
  }

  /** Takes bytes off the wire, in order, when they have arrived. */
  arrive(bytes: Uint8Array): void {
    const { nowMicros } = this.#scheduler;
    const latency = LATENCY_MICROS_MIN + this.#random.below(LATENCY_MICROS_RANGE);
    this.#arrivedMicros = Math.max(this.#arrivedMicros, nowMicros + latency, this.stalledUntilMicros);
    const connection = this.#connection;
    this.#arriving++;
    this.#scheduler.at(this.#arrivedMicros, () => {
      this.#arriving--;
      const { session } = this;
      if (session === null || !this.isConnected || connection !== this.#connection || this.#wire?.isCut) return;
      this.#probe.arriving();
      session.receive(bytes, 0, bytes.length, this.#scheduler.nowMs);
    });
  }

  #release(): void {
    const { durableGroup } = this.#durability!;
    while (this.#held.length > 0 && this.#held[0]!.group <= durableGroup) this.#leave(this.#held.shift()!.bytes);
  }

  #leave(bytes: Uint8Array): void {
    this.#probe.leaving();
    this.#wire?.carry(this, bytes);
    this.#probe.left(bytes);
  }
}

/** A connection between two ends. When it is cut, what is on the way is lost, and each end learns of it in its own time. */
export class ModelWire {
  isCut = false;
  /** The next message from this end takes the connection with it. */
  loseNextFrom: WireEnd | null = null;
  readonly #near: WireEnd;
  readonly #far: WireEnd;
  readonly #scheduler: Scheduler;
  readonly #random: Prng;

  constructor(near: WireEnd, far: WireEnd, scheduler: Scheduler, random: Prng) {
    this.#near = near;
    this.#far = far;
    this.#scheduler = scheduler;
    this.#random = random;
    far.connected(this);
    near.connected(this);
  }

  carry(from: WireEnd, bytes: Uint8Array): void {
    if (this.isCut) return;
    if (this.loseNextFrom === from) this.cut();
    else (from === this.#near ? this.#far : this.#near).arrive(bytes);
  }

  cut(): void {
    if (this.isCut) return;
    this.isCut = true;
    for (const end of [this.#near, this.#far]) {
      const { session } = end;
      this.#scheduler.after(this.#random.below(NOTICE_MICROS_RANGE), () => {
        if (end.session === session && end.isOn(this)) end.lost();
      });
    }
  }
}
