import { assert } from '../assert.ts';
import type { Prng } from '../exchange/prng.ts';
import type { Durability, FixStore, StoredMessage } from '../fix/fix-store.ts';
import { copyMessage } from './message-copies.ts';
import type { Scheduler } from './scheduler.ts';

/** What a sync takes, between the two. */
const SYNC_MICROS_MIN = 100;
const SYNC_MICROS_RANGE = 1_500;

/** One thing on the disk, in the order of writing. */
type StoreRecord =
  | { readonly kind: 'message'; readonly msgSeqNum: number; readonly bytes: Uint8Array }
  | { readonly kind: 'sender' | 'target'; readonly msgSeqNum: number };

/** The disk under a session's store: what was written in order, and how much of it a crash leaves for certain. */
export class ModelStoreDisk {
  readonly records: StoreRecord[] = [];
  durableCount = 0;

  /** The machine dies: what was not synced is there up to any point. */
  crash(random: Prng): void {
    this.records.length = this.durableCount + random.below(this.records.length - this.durableCount + 1);
    this.durableCount = this.records.length;
  }
}

/**
 * A model of the session store in files: appended messages become durable in groups, a sync at a time, and the number in is written with the next
 * group.
 */
export class ModelFixStore implements FixStore, Durability {
  epoch = 1;
  nextSenderMsgSeqNum = 1;
  nextTargetMsgSeqNum = 1;
  appendedGroup = 0;
  durableGroup = 0;
  readonly failure = null;

  readonly #disk: ModelStoreDisk;
  readonly #scheduler: Scheduler;
  readonly #random: Prng;
  readonly #messages = new Map<number, Uint8Array>();
  readonly #found: { buffer: Uint8Array; start: number; end: number } = { buffer: new Uint8Array(0), start: 0, end: 0 };
  #listener: () => void = () => {};
  #recordedTarget = 1;
  #syncing = false;
  #isDead = false;

  /** Goes on from what the disk has. */
  constructor(disk: ModelStoreDisk, scheduler: Scheduler, random: Prng) {
    this.#disk = disk;
    this.#scheduler = scheduler;
    this.#random = random;
    for (const record of disk.records) {
      if (record.kind === 'target') {
        this.nextTargetMsgSeqNum = record.msgSeqNum;
        continue;
      }
      if (record.kind === 'message') this.#messages.set(record.msgSeqNum, record.bytes);
      this.nextSenderMsgSeqNum = record.kind === 'message' ? record.msgSeqNum + 1 : record.msgSeqNum;
    }
    this.#recordedTarget = this.nextTargetMsgSeqNum;
  }

  get durability(): Durability {
    return this;
  }

  listen(listener: () => void): () => void {
    this.#listener = listener;
    return () => {
      if (this.#listener === listener) this.#listener = () => {};
    };
  }

  /** The process is dead: nothing of it reaches the disk any more. */
  die(): void {
    this.#isDead = true;
  }

  append(msgSeqNum: number, buffer: Uint8Array, start: number, end: number): void {
    assert(msgSeqNum === this.nextSenderMsgSeqNum, 'numbers are used one after another');
    const bytes = copyMessage(buffer, start, end);
    this.nextSenderMsgSeqNum = msgSeqNum + 1;
    this.#messages.set(msgSeqNum, bytes);
    this.#write({ kind: 'message', msgSeqNum, bytes });
  }

  received(): void {}

  setNextTargetMsgSeqNum(msgSeqNum: number): void {
    assert(msgSeqNum >= this.nextTargetMsgSeqNum, 'numbers never go back');
    this.nextTargetMsgSeqNum = msgSeqNum;
    this.#syncSoon();
  }

  setNextSenderMsgSeqNum(msgSeqNum: number): void {
    assert(msgSeqNum >= this.nextSenderMsgSeqNum, 'numbers never go back');
    this.nextSenderMsgSeqNum = msgSeqNum;
    this.#write({ kind: 'sender', msgSeqNum });
  }

  read(msgSeqNum: number): StoredMessage | null {
    const bytes = this.#messages.get(msgSeqNum);
    if (bytes === undefined) return null;
    this.#found.buffer = bytes;
    this.#found.end = bytes.length;
    return this.#found;
  }

  reset(): void {
    assert(false, 'a simulated day is one epoch of the numbers');
  }

  #write(record: StoreRecord): void {
    if (this.#isDead) return;
    this.#disk.records.push(record);
    this.appendedGroup++;
    this.#syncSoon();
  }

  #syncSoon(): void {
    if (this.#syncing || this.#isDead) return;
    this.#syncing = true;
    if (this.nextTargetMsgSeqNum > this.#recordedTarget) {
      this.#recordedTarget = this.nextTargetMsgSeqNum;
      this.#disk.records.push({ kind: 'target', msgSeqNum: this.nextTargetMsgSeqNum });
    }
    const recordCount = this.#disk.records.length;
    const group = this.appendedGroup;
    this.#scheduler.after(SYNC_MICROS_MIN + this.#random.below(SYNC_MICROS_RANGE), () => {
      this.#syncing = false;
      if (!this.#isDead) this.#synced(recordCount, group);
    });
  }

  #synced(recordCount: number, group: number): void {
    this.#disk.durableCount = recordCount;
    if (this.#disk.records.length > recordCount) this.#syncSoon();
    if (this.durableGroup === group) return;
    this.durableGroup = group;
    this.#listener();
  }
}
