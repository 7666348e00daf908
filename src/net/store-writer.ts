// hot: `record`, per message. No exception there, no closure, no allocation but when a buffer grows.
import { assert } from '../core/assert.ts';
import { OutcryError } from '../core/errors.ts';
import type { Durability } from '../core/fix/fix-store.ts';
import { RECORD_OVERHEAD_BYTES, type RecordType, writeRecord } from '../core/fix/store-format.ts';
import type { FileDone, StoreFiles } from './store-files.ts';

export const STORE_BUFFER_BYTES_MIN = 65_536;

/**
 * Appends records to a file by group commit: they gather in memory; a group of them is written and synced at once while the next gathers. A group
 * that fails ends the writer: after a failed sync nobody knows what the disk has (the kernel may drop what it could not write), so nothing is tried
 * again.
 */
export class StoreWriter implements Durability {
  appendedGroup = 0;
  durableGroup = 0;
  failure: OutcryError | null = null;
  /** Groups that went to the disk. */
  groupCount = 0;
  readonly #files: StoreFiles;
  readonly #pendingBytesMax: number;
  /** Called before a group leaves: the last chance to add to it. */
  readonly #onGroup: () => void;
  #path = '';
  #file = -1;
  #salt = 0;
  /** Bytes of the file, those not yet written included; and those that are on the disk. */
  #length = 0;
  #durableLength = 0;
  #filling: Uint8Array = new Uint8Array(STORE_BUFFER_BYTES_MIN);
  #view: DataView = new DataView(this.#filling.buffer);
  #filled = 0;
  #openGroup = 1;
  /** The group that is being written: 0 bytes when there is none. */
  #flying: Uint8Array = new Uint8Array(STORE_BUFFER_BYTES_MIN);
  #flyingLength = 0;
  #flyingPosition = 0;
  #flyingFile = -1;
  #flyingGroup = 0;
  #groupIsWanted = false;
  #beginIsDue = false;
  #isClosing = false;
  #listener: (() => void) | null = null;
  #onLanded: (() => void) | null = null;
  readonly #beginAtTurnsEnd = (): void => {
    this.#beginIsDue = false;
    this.#begin();
  };
  readonly #onWritten: FileDone = (error) => {
    if (error === null && this.failure === null) this.#files.sync(this.#flyingFile, this.#onSynced);
    else this.#land(error);
  };
  readonly #onSynced: FileDone = (error) => {
    if (error === null && this.#flyingFile === this.#file) {
      this.#durableLength = Math.max(this.#durableLength, this.#flyingPosition + this.#flyingLength);
    }
    this.#land(error);
  };
  readonly #tell = (): void => this.#listener?.();

  constructor(files: StoreFiles, pendingBytesMax: number, onGroup: () => void) {
    assert(pendingBytesMax >= STORE_BUFFER_BYTES_MIN, `pendingBytesMax is at least ${STORE_BUFFER_BYTES_MIN}`);
    this.#files = files;
    this.#pendingBytesMax = pendingBytesMax;
    this.#onGroup = onGroup;
  }

  /** Bytes of the file with what waits for the disk. */
  get length(): number {
    return this.#length;
  }

  /** Of them, those that gather for the next group. */
  get pendingBytes(): number {
    return this.#filled;
  }

  listen(listener: () => void): () => void {
    this.#listener = listener;
    return () => {
      if (this.#listener === listener) this.#listener = null;
    };
  }

  /** From here on records go to `file`, whose first `length` bytes are on the disk. What came before must have been flushed. */
  switchTo(path: string, file: number, length: number, salt: number): void {
    assert(this.#filled === 0, 'what was gathered belongs to the file before');
    const before = this.#file;
    this.#path = path;
    this.#file = file;
    this.#length = length;
    this.#durableLength = length;
    this.#salt = salt;
    if (before >= 0 && (this.#flyingLength === 0 || this.#flyingFile !== before)) this.#files.close(before);
  }

  /** Adds a record; returns its offset in the file, -1 when the writer has failed. It leaves with the next group. */
  record(
    type: RecordType,
    number: number,
    timeMicros: number,
    payload: Uint8Array,
    start: number,
    end: number,
  ): number {
    const needed = end - start + RECORD_OVERHEAD_BYTES;
    if (this.failure !== null || (this.#filled + needed > this.#filling.length && !this.#makeRoom(needed))) return -1;
    const at = this.#length;
    const durable = this.#durableLength;
    const from = this.#filled;
    this.#filled = writeRecord(
      this.#filling,
      this.#view,
      from,
      type,
      number,
      durable,
      timeMicros,
      this.#salt,
      payload,
      start,
      end,
    );
    this.#length = at + this.#filled - from;
    return at;
  }

  /** What was recorded is the counterparty's business: a group leaves as soon as none is under way, `appendedGroup` is its number. */
  commit(): void {
    this.appendedGroup = this.#openGroup;
    this.gather();
  }

  /** Has a group leave, but nobody waits for it. */
  gather(): void {
    this.#groupIsWanted = true;
    if (this.#beginIsDue || this.#flyingLength > 0) return;
    this.#beginIsDue = true;
    queueMicrotask(this.#beginAtTurnsEnd);
  }

  /** Makes durable, before it returns, everything recorded. What is under way is written once more: same bytes, same place. */
  flushNow(): void {
    if (this.failure !== null) return;
    this.#onGroup();
    try {
      if (this.#flyingLength > 0 && this.#flyingFile === this.#file)
        this.#files.writeNow(this.#file, this.#flying, this.#flyingLength, this.#flyingPosition);
      if (this.#filled > 0) this.#files.writeNow(this.#file, this.#filling, this.#filled, this.#length - this.#filled);
      this.#files.syncNow(this.#file);
      this.groupCount++;
    } catch (error) {
      this.fail(error);
      return;
    }
    this.#filled = 0;
    this.#durableLength = this.#length;
    this.durableGroup = this.#openGroup++;
    queueMicrotask(this.#tell);
  }

  /** Makes durable what is left, and closes the file once the system is done with it. Nothing may be recorded after. */
  async close(): Promise<void> {
    this.#listener = null;
    this.#isClosing = true;
    if (this.#flyingLength > 0) {
      await new Promise<void>((resolve) => {
        this.#onLanded = resolve;
      });
    }
    this.flushNow();
    if (this.#file >= 0) this.#files.close(this.#file);
    this.#file = -1;
  }

  /** Fills `target` with the file's bytes from `offset`, wherever they are by now. Raises what the system says. */
  read(offset: number, target: Uint8Array): void {
    const fillingFrom = this.#length - this.#filled;
    if (offset >= fillingFrom) copyTo(target, this.#filling, offset - fillingFrom);
    else if (this.#flyingLength > 0 && this.#flyingFile === this.#file && offset >= this.#flyingPosition)
      copyTo(target, this.#flying, offset - this.#flyingPosition);
    else this.#files.read(this.#file, target, target.length, offset);
  }

  fail(error: unknown): void {
    if (this.failure !== null) return;
    this.failure = asStoreError(this.#path, error);
    queueMicrotask(this.#tell);
  }

  #makeRoom(needed: number): boolean {
    if (this.#filled + needed > this.#pendingBytesMax) {
      // The disk is behind: waiting for it here stops the reading of the socket, and so the counterparty.
      this.flushNow();
      return this.failure === null;
    }
    const larger = new Uint8Array(Math.min(this.#pendingBytesMax, this.#filling.length * 2));
    larger.set(this.#filling.subarray(0, this.#filled));
    this.#filling = larger;
    this.#view = new DataView(larger.buffer);
    return true;
  }

  #begin(): void {
    if (!this.#groupIsWanted || this.#flyingLength > 0 || this.#isClosing || this.failure !== null) return;
    this.#onGroup();
    this.#groupIsWanted = false;
    if (this.#filled === 0) return;
    const empty = this.#flying;
    this.#flying = this.#filling;
    this.#flyingLength = this.#filled;
    this.#flyingPosition = this.#length - this.#filled;
    this.#flyingFile = this.#file;
    this.#flyingGroup = this.#openGroup++;
    this.#filling = empty;
    this.#view = new DataView(empty.buffer);
    this.#filled = 0;
    this.#files.write(this.#flyingFile, this.#flying, this.#flyingLength, this.#flyingPosition, this.#onWritten);
  }

  #land(error: Error | null): void {
    this.#flyingLength = 0;
    if (this.#flyingFile !== this.#file) this.#files.close(this.#flyingFile);
    // A flush in the meantime has settled this group already, whatever came of it here.
    if (this.durableGroup < this.#flyingGroup) {
      if (error !== null) this.fail(error);
      else if (this.failure === null) this.durableGroup = this.#flyingGroup;
    }
    this.groupCount++;
    this.#onLanded?.();
    this.#tell();
    this.#begin();
  }
}

export function asStoreError(path: string, error: unknown): OutcryError {
  if (error instanceof OutcryError) return error;
  return new OutcryError('STORE_FAILED', `${path}: ${error instanceof Error ? error.message : String(error)}`, error);
}

function copyTo(target: Uint8Array, source: Uint8Array, from: number): void {
  target.set(source.subarray(from, from + target.length));
}
