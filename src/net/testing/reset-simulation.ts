import { setImmediate } from 'node:timers/promises';
import type { FixMessage } from '../../core/fix/fix-message.ts';
import { FixSession } from '../../core/fix/fix-session.ts';
import { MsgType } from '../../core/fix/generated/fix-enums.gen.ts';
import { Tag } from '../../core/fix/generated/fix-tags.gen.ts';
import { isResetUnanswered } from '../../core/fix/reset-request.ts';
import { type FixApplication, type FixTransport, SESSION_DEFAULTS } from '../../core/fix/session-contract.ts';
import { seededRandom } from '../../core/fix/testing/seeded-random.ts';
import { DurableWriter } from '../durable-writer.ts';
import { FileFixStore } from '../fix-store-file.ts';
import { CrashFiles } from './crash-files.ts';

/**
 * Two sessions that ask each other for resets while messages are under way, in a time and over disks of their own, like `crash-simulation.ts`. Machines
 * die and processes are killed at any instant of it. Every choice is drawn from the seed.
 */

const START_MS = 1_800_000_000_000;
const DEATHS_A_WORLD = 10;
const STEPS_MAX = 60;
/** Until a reset is through, as a rule. */
const RESET_STEPS_MAX = 60;
const LONG_STEPS = 20;
/** More than any world needs to come to rest. */
const DRAIN_STEPS_MAX = 100_000;

export interface ResetSimulationResult {
  readonly deaths: number;
  /** Deaths while one side did not know whether the other had begun anew. */
  readonly deathsInReset: number;
  readonly resets: number;
  readonly messages: number;
}

/** Raises an error for the first promise that is broken. */
export async function runResetSimulation(options: { deaths: number; seed: number }): Promise<ResetSimulationResult> {
  const random = seededRandom(options.seed);
  const result = { deaths: 0, deathsInReset: 0, resets: 0, messages: 0 };
  while (result.deaths < options.deaths) {
    // Every other world is spared: there nothing at all may be lost.
    for (const deaths of [0, DEATHS_A_WORLD]) {
      const world = new World(random);
      for (let i = 0; i <= deaths; i++) {
        await world.steps(random(STEPS_MAX) * (deaths === 0 ? LONG_STEPS : 1));
        if (i === deaths) break;
        await world.askSoon();
        await world.steps(random(RESET_STEPS_MAX));
        result.deaths++;
        if (world.die()) result.deathsInReset++;
      }
      await world.drain();
      // The timers of stores that died keep them in memory until they have fired.
      await setImmediate();
      if (deaths === 0) world.checkNothingLost();
      for (const peer of world.peers) {
        result.resets += peer.resets;
        result.messages += peer.taken.size;
      }
    }
  }
  return result;
}

class World {
  readonly broker: Peer;
  readonly venue: Peer;
  readonly peers: readonly Peer[];
  nowMs = START_MS;
  readonly #random: (below: number) => number;
  #isConnected = false;
  #asks = true;

  constructor(random: (below: number) => number) {
    this.#random = random;
    this.broker = new Peer('initiator', new CrashFiles(random, START_MS));
    this.venue = new Peer('acceptor', new CrashFiles(random, START_MS));
    this.peers = [this.venue, this.broker];
  }

  async steps(count: number): Promise<void> {
    for (let left = count; left > 0; left--) await this.step();
  }

  /** One side asks for a reset as soon as it can. */
  async askSoon(): Promise<void> {
    const peer = this.peers[this.#random(2)]!;
    for (let steps = 0; !peer.session.resetSeqNums(this.nowMs) && steps < DRAIN_STEPS_MAX; steps++) await this.step();
  }

  async step(): Promise<void> {
    const random = this.#random;
    const choice = random(20);
    const peer = this.peers[random(2)]!;
    this.nowMs += random(3);
    for (const { files } of this.peers) files.nowMs = this.nowMs;
    if (!this.#isConnected) {
      if (choice < 10) this.#connect();
    } else if (choice < 4) {
      peer.say(this.nowMs);
    } else if (choice === 4) {
      if (this.#asks) peer.session.resetSeqNums(this.nowMs);
    } else if (choice < 14) {
      this.#carry(peer, peer === this.broker ? this.venue : this.broker);
    } else if (choice === 14) {
      for (const { session } of this.peers) session.onTimer(this.nowMs);
    }
    if (choice >= 12) peer.files.step();
    await Promise.resolve();
    if (this.#isConnected && this.peers.some(({ isDisconnected }) => isDisconnected)) this.#disconnect();
  }

  /** Whether it happened while one side did not know whether the other had begun anew. */
  die(): boolean {
    const random = this.#random;
    const inReset = this.peers.some(({ store }) => isResetUnanswered(store));
    const victim = this.peers[random(2)]!;
    victim.restart(random(3) === 0 ? victim.files.kill() : victim.files.crash());
    this.#disconnect();
    return inReset;
  }

  /** Lets everything come to rest: both must find each other again, at the same numbers. */
  async drain(): Promise<void> {
    this.#asks = false;
    for (const peer of this.peers) peer.isDraining = true;
    for (let steps = 0; !this.#isAtRest; steps++) {
      if (steps > DRAIN_STEPS_MAX) throw new Error(`never at rest: ${this.peers.map((peer) => peer.describe())}`);
      await this.step();
      for (const { files } of this.peers) files.step();
    }
  }

  checkNothingLost(): void {
    const { broker, venue } = this;
    for (const [from, to] of [
      [broker, venue],
      [venue, broker],
    ] as const) {
      const taken = [...to.taken.values()];
      const lost = from.said.filter((id) => !taken.includes(id));
      if (lost.length > 0) throw new Error(`lost without a death: ${lost}`);
    }
  }

  get #isAtRest(): boolean {
    const [venue, broker] = [this.venue.session, this.broker.session];
    return (
      this.#isConnected &&
      broker.loggedOn &&
      venue.loggedOn &&
      broker.nextOutSeqNum === venue.nextInSeqNum &&
      venue.nextOutSeqNum === broker.nextInSeqNum
    );
  }

  #connect(): void {
    this.#isConnected = true;
    for (const peer of this.peers) peer.connect(this.nowMs);
  }

  #disconnect(): void {
    this.#isConnected = false;
    for (const peer of this.peers) peer.disconnected(this.nowMs);
  }

  /** Takes a piece of what is on the way, cut anywhere. */
  #carry(from: Peer, to: Peer): void {
    const bytes = from.takeWire(1 + this.#random(400));
    if (bytes.length > 0) to.session.receive(bytes, 0, bytes.length, this.nowMs);
  }
}

class Peer implements FixApplication, FixTransport {
  files!: CrashFiles;
  store!: FileFixStore;
  session!: FixSession;
  isDisconnected = true;
  isDraining = false;
  resets = 0;
  /** What was delivered, by its key: known to the test alone, and longer than the process lives. */
  readonly taken: Map<string, string> = new Map();
  readonly said: string[] = [];
  readonly waitingBytes = 0;
  readonly #role: 'initiator' | 'acceptor';
  readonly #keyOf: Map<string, string> = new Map();
  readonly #left: Map<string, string> = new Map();
  readonly #saidIn: Map<string, number> = new Map();
  #writer: DurableWriter | null = null;
  #wire: Uint8Array[] = [];
  #stopListening: () => void = () => {};

  constructor(role: 'initiator' | 'acceptor', files: CrashFiles) {
    this.#role = role;
    this.restart(files);
  }

  restart(files: CrashFiles): void {
    const isInitiator = this.#role === 'initiator';
    this.files = files;
    this.store = new FileFixStore({
      directory: '/',
      sessionId: this.#role,
      files,
      now: () => files.nowMs,
      segmentBytes: 8_192,
      inboundSyncMs: 0,
    });
    const settings = {
      ...SESSION_DEFAULTS,
      role: this.#role,
      senderCompID: isInitiator ? 'BROKER' : 'VENUE',
      targetCompID: isInitiator ? 'VENUE' : 'BROKER',
      gapPolicy: 'resend' as const,
      resetOnLogon: false,
    };
    this.session = new FixSession(settings, this, this, this.store);
  }

  connect(nowMs: number): void {
    this.#wire = [];
    const { durability } = this.store;
    const writer = new DurableWriter(this, durability, 1_000_000);
    this.#writer = writer;
    this.#stopListening = durability.listen(() => writer.release());
    this.isDisconnected = false;
    this.session.connected(nowMs);
  }

  /** The session has had enough of the connection. */
  disconnect(): void {
    this.isDisconnected = true;
    this.#writer = null;
    this.#stopListening();
  }

  /** The connection is gone. */
  disconnected(nowMs: number): void {
    this.disconnect();
    this.session.disconnected(nowMs);
  }

  send(buffer: Uint8Array, start: number, end: number): void {
    this.#writer?.append(buffer, start, end);
  }

  /** Bytes leave. */
  append(bytes: Uint8Array, start: number, end: number): boolean {
    const text = Buffer.from(bytes.subarray(start, end)).toString('latin1').replaceAll('\u0001', '|');
    for (const message of text.split(/(?=8=FIX)/)) {
      const id = /\|11=([^|]+)\|/.exec(message)?.[1];
      const msgSeqNum = /\|34=(\d+)\|/.exec(message)?.[1];
      if (id !== undefined) once('sent', this.#left, `${this.#saidIn.get(id)} ${msgSeqNum}`, id);
    }
    this.#wire.push(bytes.slice(start, end));
    return true;
  }

  takeWire(length: number): Uint8Array {
    const first = this.#wire[0];
    if (first === undefined) return new Uint8Array(0);
    const taken = first.subarray(0, length);
    if (taken.length === first.length) this.#wire.shift();
    else this.#wire[0] = first.subarray(length);
    return taken;
  }

  say(nowMs: number): void {
    const { session, store } = this;
    if (this.isDraining || !session.loggedOn) return;
    const id = `${this.#role}-${this.#saidIn.size}`;
    session.begin(MsgType.NewOrderSingle, nowMs).ascii(Tag.ClOrdID, id);
    if (session.send(nowMs) < 0) throw new Error('logged on, and nothing can be sent');
    this.#saidIn.set(id, store.epoch);
    this.said.push(id);
  }

  onLogon(): void {}
  onGap(): void {}
  onLogout(): void {}

  onReset(): void {
    this.resets++;
  }

  /** A key that comes again is the same message again, and a message comes under one key alone. */
  onMessage(_session: FixSession, message: FixMessage): void {
    const id = message.ascii(message.find(Tag.ClOrdID, message.bodyPosition));
    const key = `${this.store.epoch} ${message.msgSeqNum}`;
    once('delivered', this.taken, key, id);
    once('delivered under two keys', this.#keyOf, id, key);
  }

  describe(): string {
    const { session, store } = this;
    return `${this.#role} epoch ${store.epoch} out ${session.nextOutSeqNum} in ${session.nextInSeqNum} ${session.loggedOn}`;
  }
}

function once(what: string, known: Map<string, string>, key: string, value: string): void {
  const before = known.get(key);
  if (before !== undefined && before !== value) throw new Error(`${what}: ${key} is ${before} and ${value}`);
  known.set(key, value);
}
