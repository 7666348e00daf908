// hot: `append`, `received`, `setNextTargetMsgSeqNum`, per message. No exception there, no closure, no allocation.
import { join } from 'node:path';
import { assert } from '../core/assert.ts';
import { OutcryError } from '../core/errors.ts';
import { MESSAGE_BYTES_MAX } from '../core/fix/fix-encoder.ts';
import type { Durability, FixStore, StoredMessage } from '../core/fix/fix-store.ts';
import { isLogon, withoutSecrets } from '../core/fix/logon-secrets.ts';
import {
  CHECKSUM_BYTES,
  RECORD_HEADER_BYTES,
  RECORD_OVERHEAD_BYTES,
  RecordReader,
  RecordType,
} from '../core/fix/store-format.ts';
import { StoreIndex } from '../core/fix/store-index.ts';
import { lockDataDir } from './data-lock.ts';
import { nodeFiles, type StoreFiles } from './store-files.ts';
import { StoreSegments } from './store-segments.ts';
import { asStoreError, StoreWriter } from './store-writer.ts';

const MILLIS_A_DAY = 86_400_000;
const MICROS_A_MILLI = 1_000;
/** Asia/Kolkata, all year. */
const INDIA_OFFSET_MS = 19_800_000;
/** Messages kept for the log that make a group of their own. */
const INBOUND_GROUP_BYTES = 131_072;
const NO_BYTES = new Uint8Array(0);

export interface FileFixStoreOptions {
  /** Directory of all stores; the session's own is in it. */
  directory: string;
  /** See `fixSessionId`. */
  sessionId: string;
  /** Whether inbound application messages are kept for the log. Yes. */
  keepInbound?: boolean;
  /** Files that nothing was written to for so many days are deleted. 7. */
  keepDays?: number;
  /** A file longer than this is followed by the next. 64 MiB; 4 KiB to 1 GiB. */
  segmentBytes?: number;
  /** Bytes that may wait for the disk; who would add more waits for it, and the process with him. 16 MiB. */
  pendingBytesMax?: number;
  /** How long a number in, or a message kept for the log, may wait for the disk when nothing goes out. 100 ms. */
  inboundSyncMs?: number;
  /** Outbound messages that can be found again, a power of two; 20 bytes of memory each. 4,194,304. */
  indexMax?: number;
  now?: () => number;
  files?: StoreFiles;
}

/**
 * A session's store in append-only files; format and guarantees are in fix-store.md. A file is only ever appended to by the process that made it:
 * every start, every day and every epoch has a new one, whose header repeats the numbers.
 */
export class FileFixStore implements FixStore {
  epoch = 0;
  nextSenderMsgSeqNum = 1;
  nextTargetMsgSeqNum = 1;
  /** The session's own. */
  readonly directory: string;
  readonly durability: Durability;
  /** Bytes that a crash had left behind the last whole record, when this process began. */
  tornBytes = 0;

  readonly #now: () => number;
  readonly #keepInbound: boolean;
  readonly #segmentBytes: number;
  readonly #inboundSyncMs: number;
  readonly #writer: StoreWriter;
  readonly #index: StoreIndex;
  readonly #segments: StoreSegments;
  #rollAtMs = 0;
  #recordedTarget = 1;
  /** First and last number that the application holds; 0 for none. */
  #heldFrom = 0;
  #heldTo = 0;
  #syncTimer: NodeJS.Timeout | undefined;
  #readBuffer: Uint8Array = NO_BYTES;
  readonly #found: { buffer: Uint8Array; start: number; end: number } = { buffer: NO_BYTES, start: 0, end: 0 };
  readonly #release: () => void;
  readonly #onSyncTimer = (): void => {
    this.#syncTimer = undefined;
    this.#writer.gather();
  };

  /**
   * Goes on from what the directory has: STORE_DAMAGED, STORE_FAILED. `release` is called once the store is closed; `isReset` leaves what
   * there is unread and begins a new epoch.
   */
  constructor(options: FileFixStoreOptions, release: () => void = () => {}, isReset = false) {
    const { segmentBytes = 67_108_864, pendingBytesMax = 16_777_216, indexMax = 4_194_304, keepDays = 7 } = options;
    assert(segmentBytes >= 4_096 && segmentBytes <= 1_073_741_824, 'segmentBytes is 4 KiB to 1 GiB');
    this.directory = join(options.directory, options.sessionId);
    this.#now = options.now ?? Date.now;
    this.#keepInbound = options.keepInbound ?? true;
    this.#segmentBytes = segmentBytes;
    this.#inboundSyncMs = options.inboundSyncMs ?? 100;
    this.#index = new StoreIndex(indexMax);
    const files = options.files ?? nodeFiles;
    this.#segments = new StoreSegments(files, this.directory, options.sessionId, keepDays * MILLIS_A_DAY);
    this.#writer = new StoreWriter(files, pendingBytesMax, () => this.#recordTarget());
    this.durability = this.#writer;
    this.#release = release;
    try {
      this.#recover(isReset);
    } catch (error) {
      throw asStoreError(this.directory, error);
    }
  }

  /** Groups that went to the disk so far. */
  get groupCount(): number {
    return this.#writer.groupCount;
  }

  append(msgSeqNum: number, buffer: Uint8Array, start: number, end: number): void {
    assert(msgSeqNum === this.nextSenderMsgSeqNum, 'numbers are used one after another');
    const at = isLogon(buffer, start, end)
      ? this.#record(RecordType.Outbound, msgSeqNum, withoutSecrets(buffer, start, end), 0, end - start)
      : this.#record(RecordType.Outbound, msgSeqNum, buffer, start, end);
    this.nextSenderMsgSeqNum = msgSeqNum + 1;
    if (at < 0) return;
    this.#index.put(msgSeqNum, this.#segments.newestOrdinal, at, end - start);
    this.#writer.commit();
  }

  received(msgSeqNum: number, buffer: Uint8Array, start: number, end: number): void {
    if (!this.#keepInbound) return;
    this.#record(RecordType.Inbound, msgSeqNum, buffer, start, end);
    if (this.#writer.pendingBytes >= INBOUND_GROUP_BYTES) this.#writer.gather();
    else this.#syncSoon();
  }

  setNextTargetMsgSeqNum(msgSeqNum: number): void {
    assert(msgSeqNum >= this.nextTargetMsgSeqNum, 'numbers never go back');
    this.nextTargetMsgSeqNum = msgSeqNum;
    this.#syncSoon();
  }

  setNextSenderMsgSeqNum(msgSeqNum: number): void {
    assert(msgSeqNum >= this.nextSenderMsgSeqNum, 'numbers never go back');
    const at = this.#record(RecordType.NextSender, msgSeqNum, NO_BYTES, 0, 0);
    this.nextSenderMsgSeqNum = msgSeqNum;
    if (at >= 0) this.#writer.commit();
  }

  /**
   * For an application that commits later than it takes: called in `onMessage`. The number on the disk stays at the first message that is held, so that
   * after a crash it comes again.
   */
  hold(msgSeqNum: number): void {
    if (this.#heldFrom === 0) this.#heldFrom = msgSeqNum;
    this.#heldTo = msgSeqNum;
  }

  /** The application has committed every message of this epoch up to `msgSeqNum`; it commits them in order. */
  committed(epoch: number, msgSeqNum: number): void {
    if (epoch !== this.epoch || this.#heldFrom === 0 || msgSeqNum < this.#heldFrom) return;
    this.#heldFrom = msgSeqNum >= this.#heldTo ? 0 : msgSeqNum + 1;
    this.#syncSoon();
  }

  read(msgSeqNum: number): StoredMessage | null {
    const index = this.#index;
    if (this.durability.failure !== null || !index.find(msgSeqNum)) return null;
    const { ordinal, offset } = index;
    const segment = this.#segments.at(ordinal);
    if (segment === null) return null;
    const length = index.length + RECORD_OVERHEAD_BYTES;
    if (this.#readBuffer.length === 0) this.#readBuffer = new Uint8Array(MESSAGE_BYTES_MAX + RECORD_OVERHEAD_BYTES);
    const bytes = this.#readBuffer.subarray(0, length);
    try {
      if (ordinal === this.#segments.newestOrdinal) this.#writer.read(offset, bytes);
      else this.#segments.read(ordinal, segment.path, offset, bytes);
    } catch (error) {
      this.#writer.fail(error);
      return null;
    }
    const reader = new RecordReader(bytes, segment.salt);
    if (!reader.read(0) || reader.type !== RecordType.Outbound || reader.number !== msgSeqNum) {
      const detail = `${segment.path}: the record at offset ${offset} cannot be read`;
      this.#writer.fail(new OutcryError('STORE_DAMAGED', detail));
      return null;
    }
    this.#found.buffer = bytes;
    this.#found.start = RECORD_HEADER_BYTES;
    this.#found.end = length - CHECKSUM_BYTES;
    return this.#found;
  }

  /** Waits for the disk, a few milliseconds: no message of the new epoch may be delivered, and keyed by it, before the disk knows of it. */
  reset(nowMs: number, nextSenderMsgSeqNum = 1): void {
    this.#writer.flushNow();
    this.#beginEpoch(nowMs, nextSenderMsgSeqNum);
    this.#goOnInNextFile();
  }

  /** Makes durable what is left and lets go of the directory; nothing may be appended after. */
  async close(): Promise<void> {
    clearTimeout(this.#syncTimer);
    await this.#writer.close();
    this.#segments.closeRead();
    this.#release();
  }

  #record(type: RecordType, number: number, buffer: Uint8Array, start: number, end: number): number {
    const nowMs = this.#now();
    if (this.#writer.pendingBytes === 0 && (this.#writer.length >= this.#segmentBytes || nowMs >= this.#rollAtMs)) {
      this.#roll();
    }
    return this.#writer.record(type, number, nowMs * MICROS_A_MILLI, buffer, start, end);
  }

  /** What the disk may say that the counterparty need not send again. */
  get #safeTarget(): number {
    return this.#heldFrom > 0 ? this.#heldFrom : this.nextTargetMsgSeqNum;
  }

  /** The number in goes with every group that leaves. */
  #recordTarget(): void {
    const target = this.#safeTarget;
    if (target <= this.#recordedTarget) return;
    this.#recordedTarget = target;
    this.#writer.record(RecordType.NextTarget, target, this.#now() * MICROS_A_MILLI, NO_BYTES, 0, 0);
  }

  #syncSoon(): void {
    this.#syncTimer ??= setTimeout(this.#onSyncTimer, this.#inboundSyncMs).unref();
  }

  /** Goes on in the next file of the epoch. */
  #roll(): void {
    this.#writer.flushNow();
    this.#segments.end(this.#writer.length);
    this.#goOnInNextFile();
  }

  #beginEpoch(nowMs: number, nextSenderMsgSeqNum: number): void {
    // The time is part of it, so that a directory that was lost and begun anew never gives out an epoch a second time.
    this.epoch = Math.max(this.epoch + 1, nowMs);
    this.nextSenderMsgSeqNum = nextSenderMsgSeqNum;
    this.nextTargetMsgSeqNum = 1;
    this.#heldFrom = 0;
    this.#index.clear();
    this.#segments.beginEpoch();
  }

  #recover(isReset: boolean): void {
    this.epoch = this.#segments.tidy();
    if (this.epoch === 0 || isReset) {
      this.#beginEpoch(this.#now(), 1);
    } else {
      const { numbers, tornBytes } = this.#segments.recover((ordinal) => (reader, at) => {
        if (reader.type !== RecordType.Outbound) return;
        this.#index.put(reader.number, ordinal, at, reader.payloadEnd - reader.payloadStart);
      });
      this.nextSenderMsgSeqNum = numbers.nextSenderMsgSeqNum;
      this.nextTargetMsgSeqNum = numbers.nextTargetMsgSeqNum;
      this.tornBytes = tornBytes;
    }
    this.#startFile();
  }

  #startFile(): void {
    const nowMs = this.#now();
    const { nextSenderMsgSeqNum } = this;
    const nextTargetMsgSeqNum = this.#safeTarget;
    const started = this.#segments.start(this.epoch, { nextSenderMsgSeqNum, nextTargetMsgSeqNum }, nowMs);
    this.#writer.switchTo(started.path, started.file, started.length, started.salt);
    this.#recordedTarget = nextTargetMsgSeqNum;
    this.#rollAtMs = nextMidnightMs(nowMs);
  }

  /** `#startFile` in the middle of a session: what the system says then ends the store. */
  #goOnInNextFile(): void {
    if (this.durability.failure !== null) return;
    try {
      this.#startFile();
    } catch (error) {
      this.#writer.fail(error);
    }
  }
}

/** Opens a session's store and holds it against other processes until it is closed: REQUEST_REFUSED names the owner. */
export function openFixStore(options: FileFixStoreOptions): FileFixStore {
  return openLocked(options, false);
}

/**
 * Begins a new epoch, both numbers 1, whatever state the store is in; a crash leaves the old epoch or the new one. REQUEST_REFUSED while a process
 * has the store.
 */
export async function resetFixStore(options: FileFixStoreOptions): Promise<number> {
  const store = openLocked(options, true);
  await store.close();
  return store.epoch;
}

function openLocked(options: FileFixStoreOptions, isReset: boolean): FileFixStore {
  const directory = join(options.directory, options.sessionId);
  try {
    nodeFiles.makeDirectory(directory);
  } catch (error) {
    throw asStoreError(directory, error);
  }
  const release = lockDataDir(directory);
  try {
    return new FileFixStore(options, release, isReset);
  } catch (error) {
    release();
    throw error;
  }
}

/** The next midnight in India. */
function nextMidnightMs(nowMs: number): number {
  return (Math.floor((nowMs + INDIA_OFFSET_MS) / MILLIS_A_DAY) + 1) * MILLIS_A_DAY - INDIA_OFFSET_MS;
}
