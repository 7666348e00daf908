import type { CommandOrigin } from '../orders/order-command.ts';
import type { WakeBell } from '../shm/wake-bell.ts';
import { type OrderRecord, OrderRecordFlag, OrderRecordType, OrderRingReader, OrderRingWriter } from './order-ring.ts';

/** Records that are taken from one ring before the next has its turn. */
const TURN_RECORDS = 64;

/** What the order worker does with what its peers ask. Answers are given to `OrderPeers` later on. */
export interface PeerHost {
  onCommand(origin: CommandOrigin, userId: number, body: Uint8Array): void;
  onRead(origin: CommandOrigin, userId: number, body: Uint8Array): void;
  onLogin(origin: CommandOrigin, userId: number): void;
  /** The page of events after `seq` that `origin.requestID` names. */
  onFill(origin: CommandOrigin, userId: number, seq: number): void;
}

export interface PeerRings {
  readonly commands: SharedArrayBuffer;
  readonly answers: SharedArrayBuffer;
  readonly bell: WakeBell;
}

/** One fan-out worker, as the order worker sees it. */
interface Peer {
  readonly channel: string;
  readonly reader: OrderRingReader;
  readonly writer: OrderRingWriter;
  /** Of the worker that was heard last; a newer one has begun anew. */
  generation: number;
  /** Whose events are wanted there. */
  readonly followed: Set<number>;
  /** For whom something found no room, and whether answers were among it. */
  readonly behind: Map<number, boolean>;
}

/**
 * The order worker's ends of all rings. It never waits for a peer: what finds no room is written down as one word a user, told once there is room,
 * and read from the ledger again by who missed it.
 */
export class OrderPeers {
  readonly #peers: readonly Peer[];
  readonly #byChannel: ReadonlyMap<string, Peer>;
  readonly #host: PeerHost;
  readonly #newestSeq: (userId: number) => number;
  readonly #record: OrderRecord;
  #behindCount = 0;

  /** `orderGeneration` is our own; `newestSeq` the newest event of a user that was pushed. */
  constructor(
    rings: readonly PeerRings[],
    answerRingBytes: number,
    orderGeneration: number,
    host: PeerHost,
    newestSeq: (userId: number) => number,
  ) {
    this.#host = host;
    this.#newestSeq = newestSeq;
    this.#record = {
      type: OrderRecordType.Answer,
      generation: 0,
      orderGeneration,
      connection: 0,
      flags: 0,
      requestID: 0,
      userId: 0,
      seq: 0,
    };
    this.#peers = rings.map(({ commands, answers, bell }, index) => ({
      channel: `fan-out-${index}`,
      reader: new OrderRingReader(commands),
      writer: new OrderRingWriter(answers, answerRingBytes, bell),
      generation: 0,
      followed: new Set(),
      behind: new Map(),
    }));
    this.#byChannel = new Map(this.#peers.map((peer) => [peer.channel, peer]));
  }

  /** Times that something found no room. */
  get behindCount(): number {
    return this.#behindCount;
  }

  /** Takes what the peers ask, a turn of each; true when there may be more. `flush` follows. */
  poll(): boolean {
    let hasMore = false;
    for (const peer of this.#peers) {
      let count = 0;
      while (count < TURN_RECORDS && peer.reader.poll()) {
        count++;
        this.#take(peer);
      }
      if (count === TURN_RECORDS) hasMore = true;
    }
    return hasMore;
  }

  /** An answer to a command or a read. */
  answer(origin: CommandOrigin, userId: number, message: Uint8Array): void {
    this.#answer(OrderRecordType.Answer, origin, userId, 0, 0, message);
  }

  /** The answer to a login: `seq` is the newest event that was pushed. */
  loggedIn(origin: CommandOrigin, userId: number, seq: number, message: Uint8Array): void {
    this.#byChannel.get(origin.channel)?.followed.add(userId);
    this.#answer(OrderRecordType.LoggedIn, origin, userId, 0, seq, message);
  }

  loginRefused(origin: CommandOrigin, userId: number, message: Uint8Array): void {
    this.#answer(OrderRecordType.LoggedIn, origin, userId, OrderRecordFlag.Refused, 0, message);
  }

  /** Whether anybody wants the events of a user: they need not be encoded otherwise. */
  isFollowed(userId: number): boolean {
    return this.#peers.some(({ followed }) => followed.has(userId));
  }

  /** A live event, for every socket of its user. */
  push(userId: number, seq: number, message: Uint8Array): void {
    for (const peer of this.#peers) {
      if (!peer.followed.has(userId)) continue;
      if (!this.#write(peer, OrderRecordType.Event, userId, seq, message)) this.#fallBehind(peer, userId, false);
    }
  }

  /** An event of a page; false when the page must end here. */
  filled(origin: CommandOrigin, userId: number, seq: number, message: Uint8Array): boolean {
    const peer = this.#reached(origin);
    return peer !== undefined && this.#writeFor(peer, OrderRecordType.Filled, origin, userId, 0, seq, message);
  }

  fillEnd(origin: CommandOrigin, userId: number, newestSeq: number): void {
    const peer = this.#reached(origin);
    if (peer === undefined || this.#writeFor(peer, OrderRecordType.FillEnd, origin, userId, 0, newestSeq)) return;
    this.#fallBehind(peer, userId, false);
  }

  /** Tells who is behind, where there is room by now, and hands everything over. */
  flush(): void {
    for (const peer of this.#peers) {
      for (const [userId, answersLost] of peer.behind) {
        this.#record.flags = answersLost ? OrderRecordFlag.AnswersLost : 0;
        if (!this.#write(peer, OrderRecordType.Behind, userId, this.#newestSeq(userId))) break;
        peer.behind.delete(userId);
      }
      this.#record.flags = 0;
      peer.writer.flush();
    }
  }

  #take(peer: Peer): void {
    const { reader } = peer;
    const { record } = reader;
    const { generation, userId } = record;
    // Meant for an order worker that is no more: who asked has been told so.
    if (record.orderGeneration !== this.#record.orderGeneration || generation < peer.generation) return;
    if (generation > peer.generation) {
      peer.generation = generation;
      peer.followed.clear();
      peer.behind.clear();
    }
    const origin = {
      channel: peer.channel,
      generation,
      connection: record.connection,
      requestID: record.requestID,
    };
    switch (record.type) {
      case OrderRecordType.Command:
        this.#host.onCommand(origin, userId, reader.body);
        break;
      case OrderRecordType.Read:
        this.#host.onRead(origin, userId, reader.body);
        break;
      case OrderRecordType.Login:
        this.#host.onLogin(origin, userId);
        break;
      case OrderRecordType.Fill:
        peer.followed.add(userId);
        this.#host.onFill(origin, userId, record.seq);
        break;
      case OrderRecordType.Leave:
        peer.followed.delete(userId);
        break;
    }
  }

  #answer(
    type: OrderRecordType,
    origin: CommandOrigin,
    userId: number,
    flags: number,
    seq: number,
    message: Uint8Array,
  ): void {
    const peer = this.#reached(origin);
    if (peer === undefined || this.#writeFor(peer, type, origin, userId, flags, seq, message)) return;
    this.#fallBehind(peer, userId, true);
  }

  /** Undefined when whoever asked is no more. */
  #reached({ channel, generation }: CommandOrigin): Peer | undefined {
    const peer = this.#byChannel.get(channel);
    return peer?.generation === generation ? peer : undefined;
  }

  #writeFor(
    peer: Peer,
    type: OrderRecordType,
    { connection, requestID }: CommandOrigin,
    userId: number,
    flags: number,
    seq: number,
    message?: Uint8Array,
  ): boolean {
    const record = this.#record;
    record.connection = connection;
    record.requestID = requestID;
    record.flags = flags;
    const isWritten = this.#write(peer, type, userId, seq, message);
    record.flags = 0;
    return isWritten;
  }

  #write(peer: Peer, type: OrderRecordType, userId: number, seq: number, message?: Uint8Array): boolean {
    const record = this.#record;
    record.type = type;
    record.generation = peer.generation;
    record.userId = userId;
    record.seq = seq;
    return peer.writer.write(record, message);
  }

  #fallBehind(peer: Peer, userId: number, answersLost: boolean): void {
    this.#behindCount++;
    peer.behind.set(userId, answersLost || peer.behind.get(userId) === true);
  }
}
