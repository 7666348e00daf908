import { setImmediate } from 'node:timers/promises';
import { DeliveryMark } from '../../core/fix/delivery-mark.ts';
import type { FixMessage } from '../../core/fix/fix-message.ts';
import { FixSession } from '../../core/fix/fix-session.ts';
import { MsgType } from '../../core/fix/generated/fix-enums.gen.ts';
import { Tag } from '../../core/fix/generated/fix-tags.gen.ts';
import { namedFields } from '../../core/fix/message-text.ts';
import { type FixApplication, type FixTransport, SESSION_DEFAULTS } from '../../core/fix/session-contract.ts';
import { seededRandom } from '../../core/fix/testing/seeded-random.ts';
import { DurableWriter } from '../durable-writer.ts';
import { FileFixStore } from '../fix-store-file.ts';
import { CrashFiles } from './crash-files.ts';

/**
 * Order flow between two sessions in one process, in a time and over disks of its own: in each round one of the two machines dies (its disk keeps only
 * what was synced, and any part of the rest) or one of the processes. Every choice is drawn from the seed.
 */

const START_MS = 1_800_000_000_000;
/** Deaths between the same two; then two new ones begin. */
const DEATHS_A_WORLD = 20;
const STEPS_MAX = 120;
const ORDERS_OUT_MAX = 8;
/** More than any world needs to come to rest. */
const DRAIN_STEPS_MAX = 100_000;
const EFFECTS = 'effects';

export interface CrashSimulationResult {
  readonly deaths: number;
  /** Orders sent, each taken once and reported once. */
  readonly orders: number;
  readonly tornTails: number;
}

/** Raises an error for the first promise that is broken. */
export async function runCrashSimulation(options: { deaths: number; seed: number }): Promise<CrashSimulationResult> {
  const random = seededRandom(options.seed);
  let deaths = 0;
  let orders = 0;
  let tornTails = 0;
  while (deaths < options.deaths) {
    const world = new World(random);
    for (let i = 0; i < DEATHS_A_WORLD; i++) {
      for (let steps = random(STEPS_MAX); steps > 0; steps--) await world.step();
      world.die();
      deaths++;
    }
    orders += await world.drain();
    // The timers of stores that died keep them in memory until they have fired.
    await setImmediate();
    tornTails += world.broker.tornTails + world.venue.tornTails;
  }
  return { deaths, orders, tornTails };
}

class World {
  readonly broker: Broker;
  readonly venue: Venue;
  nowMs = START_MS;
  readonly #random: (below: number) => number;
  #isConnected = false;

  constructor(random: (below: number) => number) {
    this.#random = random;
    this.broker = new Broker(new CrashFiles(random, START_MS), START_MS);
    this.venue = new Venue(new CrashFiles(random, START_MS), START_MS);
  }

  async step(): Promise<void> {
    const random = this.#random;
    const { broker, venue } = this;
    const choice = random(20);
    this.nowMs += random(3);
    if (!this.#isConnected) {
      if (choice < 10) this.#connect();
    } else if (choice < 4) {
      broker.fill(this.nowMs);
    } else if (choice < 9) {
      this.#carry(broker, venue);
    } else if (choice < 14) {
      this.#carry(venue, broker);
    } else if (choice === 14) {
      for (const peer of [venue, broker]) peer.session.onTimer(this.nowMs);
    }
    if (choice >= 12) (random(2) === 0 ? broker : venue).files.step();
    await Promise.resolve();
    // A side may have ended the connection.
    if (this.#isConnected && (broker.isDisconnected || venue.isDisconnected)) this.#disconnect();
  }

  die(): void {
    const random = this.#random;
    const [victim, other] = random(2) === 0 ? [this.broker, this.venue] : [this.venue, this.broker];
    victim.restart(random(3) === 0 ? victim.files.kill() : victim.files.crash(), this.nowMs);
    const { nextSenderMsgSeqNum } = victim.store;
    const { nextTargetMsgSeqNum } = other.store;
    if (nextSenderMsgSeqNum < nextTargetMsgSeqNum)
      throw new Error(`goes on at ${nextSenderMsgSeqNum}, ${nextTargetMsgSeqNum} is expected of it`);
    this.#disconnect();
  }

  /** Lets everything come to an end, and checks it. */
  async drain(): Promise<number> {
    this.broker.isDraining = true;
    for (let steps = 0; this.broker.open.size > 0; steps++) {
      if (steps > DRAIN_STEPS_MAX) throw new Error(`never answered: ${[...this.broker.open]}`);
      await this.step();
      this.broker.files.step();
      this.venue.files.step();
    }
    const orders = this.broker.storedOrderIds();
    checkSame(
      'orders taken',
      orders,
      this.venue.effects.map(({ orderId }) => orderId),
    );
    checkSame('reports sent', orders, this.venue.storedOrderIds());
    checkSame(
      'reports taken',
      orders,
      this.broker.effects.map(({ orderId }) => orderId),
    );
    return orders.length;
  }

  #connect(): void {
    this.#isConnected = true;
    for (const peer of [this.venue, this.broker]) peer.connect(this.nowMs);
  }

  #disconnect(): void {
    this.#isConnected = false;
    for (const peer of [this.venue, this.broker]) peer.disconnected(this.nowMs);
  }

  /** Takes a piece of what is on the way, cut anywhere. */
  #carry(from: Peer, to: Peer): void {
    const bytes = from.takeWire(1 + this.#random(600));
    if (bytes.length > 0) to.session.receive(bytes, 0, bytes.length, this.nowMs);
  }
}

abstract class Peer implements FixApplication, FixTransport {
  files!: CrashFiles;
  store!: FileFixStore;
  session!: FixSession;
  effects: { epoch: number; msgSeqNum: number; orderId: string }[] = [];
  isDisconnected = true;
  tornTails = 0;
  protected mark: DeliveryMark = new DeliveryMark();
  #effectFile = 0;
  #effectLength = 0;
  #writer: DurableWriter | null = null;
  #wire: Uint8Array[] = [];
  #stopListening: () => void = () => {};

  protected abstract readonly role: 'initiator' | 'acceptor';
  abstract onLogon(): void;
  abstract onMessage(session: FixSession, message: FixMessage): void;
  /** The state that the process has from its files. */
  protected abstract load(): void;

  onGap(): void {}
  onLogout(): void {}

  restart(files: CrashFiles, nowMs: number): void {
    const isInitiator = this.role === 'initiator';
    this.files = files;
    files.nowMs = nowMs;
    this.store = new FileFixStore({
      directory: '/',
      sessionId: this.role,
      files,
      now: () => files.nowMs,
      segmentBytes: 8_192,
      inboundSyncMs: 0,
    });
    if (this.store.tornBytes > 0) this.tornTails++;
    this.#openEffects();
    const settings = {
      ...SESSION_DEFAULTS,
      role: this.role,
      senderCompID: isInitiator ? 'BROKER' : 'VENUE',
      targetCompID: isInitiator ? 'VENUE' : 'BROKER',
      gapPolicy: 'resend' as const,
      resetOnLogon: false,
    };
    this.session = new FixSession(settings, this, this, this.store);
    this.load();
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

  readonly waitingBytes = 0;

  append(bytes: Uint8Array, start: number, end: number): boolean {
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

  /** ClOrdIDs of the application messages in the store. */
  storedOrderIds(): string[] {
    const found: string[] = [];
    for (let msgSeqNum = 1; msgSeqNum < this.store.nextSenderMsgSeqNum; msgSeqNum++) {
      const stored = this.store.read(msgSeqNum);
      if (stored === null) throw new Error(`message ${msgSeqNum} cannot be sent again`);
      const fields = namedFields(stored.buffer.subarray(stored.start, stored.end));
      const id = fields.find(({ tag }) => tag === String(Tag.ClOrdID));
      if (id !== undefined) found.push(id.value);
    }
    return found;
  }

  /** An effect with its key: `done` once it is on the disk; within the call without one. */
  protected commit(message: FixMessage, orderId: string, done?: () => void): void {
    const { epoch } = this.store;
    const { msgSeqNum } = message;
    this.mark.advance(epoch, msgSeqNum);
    this.effects.push({ epoch, msgSeqNum, orderId });
    const line = Buffer.from(`${epoch} ${msgSeqNum} ${orderId}\n`);
    const at = this.#effectLength;
    this.#effectLength += line.length;
    const { files } = this;
    const file = this.#effectFile;
    if (done === undefined) {
      files.writeNow(file, line, line.length, at);
      files.syncNow(file);
      return;
    }
    files.write(file, line, line.length, at, () => files.sync(file, done));
  }

  protected orderId(message: FixMessage): string {
    return message.ascii(message.find(Tag.ClOrdID, message.bodyPosition));
  }

  #openEffects(): void {
    const { files } = this;
    this.effects = [];
    this.mark = new DeliveryMark();
    this.#effectLength = 0;
    if (!files.list().includes(EFFECTS)) {
      this.#effectFile = files.create(EFFECTS);
      files.syncDirectory();
      return;
    }
    this.#effectFile = files.open(EFFECTS);
    // Up to the first line that is not whole: nothing behind it was committed.
    for (const line of Buffer.from(files.readFile(EFFECTS)).toString('latin1').split('\n').slice(0, -1)) {
      const match = /^(\d+) (\d+) (\d+-\d+)$/.exec(line);
      if (match === null) break;
      this.effects.push({ epoch: Number(match[1]), msgSeqNum: Number(match[2]), orderId: match[3]! });
      this.mark.advance(Number(match[1]), Number(match[2]));
      this.#effectLength += line.length + 1;
    }
    // What is read back may only be in the cache yet.
    const bytes = files.readFile(EFFECTS).subarray(0, this.#effectLength);
    files.writeNow(this.#effectFile, bytes, bytes.length, 0);
    files.syncNow(this.#effectFile);
  }
}

/** Sends orders; commits reports later than it takes them. */
class Broker extends Peer {
  protected readonly role = 'initiator';
  isDraining = false;
  open: Set<string> = new Set();

  constructor(files: CrashFiles, nowMs: number) {
    super();
    this.restart(files, nowMs);
  }

  protected load(): void {
    this.open = new Set(this.storedOrderIds());
    for (const { orderId } of this.effects) this.open.delete(orderId);
  }

  fill(nowMs: number): void {
    const { session, store } = this;
    if (this.isDraining || !session.loggedOn || this.open.size >= ORDERS_OUT_MAX) return;
    const orderId = `${store.epoch}-${session.nextOutSeqNum}`;
    session.begin(MsgType.NewOrderSingle, nowMs).ascii(Tag.ClOrdID, orderId);
    if (session.send(nowMs) > 0) this.open.add(orderId);
  }

  onLogon(): void {}

  onMessage(_session: FixSession, message: FixMessage): void {
    const { store, open } = this;
    const { epoch } = store;
    const { msgSeqNum } = message;
    if (!this.mark.isNew(epoch, msgSeqNum)) return;
    const orderId = this.orderId(message);
    store.hold(msgSeqNum);
    this.commit(message, orderId, () => {
      store.committed(epoch, msgSeqNum);
      open.delete(orderId);
    });
  }
}

/** Takes each order once, before the next message is looked at, and reports it. */
class Venue extends Peer {
  protected readonly role = 'acceptor';
  #reported: Set<string> = new Set();

  constructor(files: CrashFiles, nowMs: number) {
    super();
    this.restart(files, nowMs);
  }

  protected load(): void {
    this.#reported = new Set(this.storedOrderIds());
  }

  onLogon(): void {
    for (const { orderId } of this.effects) this.#report(orderId);
  }

  onMessage(_session: FixSession, message: FixMessage): void {
    const orderId = this.orderId(message);
    if (this.mark.isNew(this.store.epoch, message.msgSeqNum)) this.commit(message, orderId);
    this.#report(orderId);
  }

  #report(orderId: string): void {
    const { session } = this;
    if (this.#reported.has(orderId)) return;
    session.begin(MsgType.ExecutionReport, session.nowMs).ascii(Tag.ClOrdID, orderId);
    if (session.send(session.nowMs) > 0) this.#reported.add(orderId);
  }
}

function checkSame(what: string, expected: readonly string[], found: readonly string[]): void {
  const missing = expected.filter((id) => !found.includes(id));
  const twice = found.filter((id, i) => found.indexOf(id) < i);
  if (missing.length === 0 && twice.length === 0 && found.length === expected.length) return;
  throw new Error(`${expected.length} orders, ${found.length} ${what}; missing: ${missing}; twice: ${twice}`);
}
