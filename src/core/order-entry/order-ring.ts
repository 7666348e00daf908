// hot: per command, answer and event. No closure, no exception.
import {
  ORDER_RECORD_CONNECTION,
  ORDER_RECORD_FLAGS,
  ORDER_RECORD_GENERATION,
  ORDER_RECORD_ORDER_GENERATION,
  ORDER_RECORD_REQUEST_ID,
  ORDER_RECORD_SEQ,
  ORDER_RECORD_STRIDE_WORDS,
  ORDER_RECORD_USER_ID,
} from '../shm/generated/order-record.gen.ts';
import { BYTES_PER_WORD } from '../shm/layout.ts';
import { maxRecordBytes, RING_EMPTY, RING_FULL, SpscRingConsumer, SpscRingProducer } from '../shm/spsc-ring.ts';
import type { WakeBell } from '../shm/wake-bell.ts';

/** What goes between a fan-out worker and the order worker. */
export const OrderRecordType = {
  // Fan-out worker to order worker.
  /** An OrderCommand without its origin and user, which are in the head. */
  Command: 1,
  /** An AccountRead. */
  Read: 2,
  /** Somebody proved to be `userId`: the answer says whether there is such an account, and its events are wanted from now on. */
  Login: 3,
  /** The events after `seq` are wanted, and those to come. */
  Fill: 4,
  /** Nobody of this worker is `userId` any more. */
  Leave: 5,
  // Order worker to fan-out worker; the body is a whole message for the client.
  Answer: 16,
  /** The answer to a login: `seq` is the newest event that was pushed. Flag Refused: there is no such account. */
  LoggedIn: 17,
  /** A live event of `userId`. */
  Event: 18,
  /** An event of the page that `requestID` names. */
  Filled: 19,
  /** The page is over; `seq` is the newest event there is. */
  FillEnd: 20,
  /** Something for `userId` found no room: `seq` is the newest event there is. Flag AnswersLost: answers were among it. */
  Behind: 21,
} as const;
export type OrderRecordType = (typeof OrderRecordType)[keyof typeof OrderRecordType];

export const OrderRecordFlag = { Refused: 1, AnswersLost: 2 } as const;

/** The head of a record. */
export interface OrderRecord {
  type: OrderRecordType;
  generation: number;
  orderGeneration: number;
  connection: number;
  flags: number;
  requestID: number;
  userId: number;
  seq: number;
}

const HEAD_BYTES = ORDER_RECORD_STRIDE_WORDS * BYTES_PER_WORD;
const NO_BODY = new Uint8Array(0);

export class OrderRingWriter {
  readonly #ring: SpscRingProducer;
  readonly #bell: WakeBell;
  readonly #bytes: Uint8Array;
  readonly #numbers: Float64Array;
  readonly #bodyMaxBytes: number;
  #hasNews = false;

  constructor(buffer: SharedArrayBuffer, ringBytes: number, bell: WakeBell) {
    this.#ring = new SpscRingProducer(buffer);
    this.#bell = bell;
    this.#bytes = new Uint8Array(buffer);
    this.#numbers = new Float64Array(buffer);
    this.#bodyMaxBytes = maxRecordBytes(ringBytes) - HEAD_BYTES;
  }

  /** False when there is no room: nothing was written. The reader has it after the next `flush`. */
  write(record: Readonly<OrderRecord>, body: Uint8Array = NO_BODY): boolean {
    if (body.length > this.#bodyMaxBytes) return false;
    const word = this.#ring.claim(record.type, HEAD_BYTES + body.length);
    if (word === RING_FULL) return false;
    const { words } = this.#ring;
    words[word + ORDER_RECORD_GENERATION] = record.generation;
    words[word + ORDER_RECORD_ORDER_GENERATION] = record.orderGeneration;
    words[word + ORDER_RECORD_CONNECTION] = record.connection;
    words[word + ORDER_RECORD_FLAGS] = record.flags;
    const numbers = this.#numbers;
    numbers[(word + ORDER_RECORD_REQUEST_ID) >> 1] = record.requestID;
    numbers[(word + ORDER_RECORD_USER_ID) >> 1] = record.userId;
    numbers[(word + ORDER_RECORD_SEQ) >> 1] = record.seq;
    this.#bytes.set(body, word * BYTES_PER_WORD + HEAD_BYTES);
    this.#hasNews = true;
    return true;
  }

  /** Hands over what was written and wakes the reader: once a batch. */
  flush(): void {
    if (!this.#hasNews) return;
    this.#hasNews = false;
    this.#ring.publish();
    this.#bell.ring();
  }
}

export class OrderRingReader {
  /** The record that `poll` took last; reused. */
  readonly record: OrderRecord = {
    type: OrderRecordType.Answer,
    generation: 0,
    orderGeneration: 0,
    connection: 0,
    flags: 0,
    requestID: 0,
    userId: 0,
    seq: 0,
  };
  /** Its body, a copy. */
  body: Uint8Array = NO_BODY;
  readonly #ring: SpscRingConsumer;
  readonly #bytes: Uint8Array;
  readonly #numbers: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#ring = new SpscRingConsumer(buffer);
    this.#bytes = new Uint8Array(buffer);
    this.#numbers = new Float64Array(buffer);
  }

  /** Takes the next record; false when there is none. It is gone from the ring at once: what throws over it must not meet it again in the next life. */
  poll(): boolean {
    const ring = this.#ring;
    const word = ring.poll();
    if (word === RING_EMPTY) return false;
    const { words } = ring;
    const numbers = this.#numbers;
    const { record } = this;
    record.type = ring.type as OrderRecordType;
    record.generation = (words[word + ORDER_RECORD_GENERATION] as number) >>> 0;
    record.orderGeneration = (words[word + ORDER_RECORD_ORDER_GENERATION] as number) >>> 0;
    record.connection = (words[word + ORDER_RECORD_CONNECTION] as number) >>> 0;
    record.flags = words[word + ORDER_RECORD_FLAGS] as number;
    record.requestID = numbers[(word + ORDER_RECORD_REQUEST_ID) >> 1] as number;
    record.userId = numbers[(word + ORDER_RECORD_USER_ID) >> 1] as number;
    record.seq = numbers[(word + ORDER_RECORD_SEQ) >> 1] as number;
    const start = word * BYTES_PER_WORD;
    this.body = this.#bytes.slice(start + HEAD_BYTES, start + ring.lengthBytes);
    ring.release();
    return true;
  }
}
