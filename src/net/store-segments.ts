import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { OutcryError } from '../core/errors.ts';
import { encodeHeader } from '../core/fix/store-format.ts';
import type { FileContent, RecordVisitor, StoreNumbers } from '../core/fix/store-state.ts';
import {
  listStoreFiles,
  NEW_FILE_SUFFIX,
  newestEpoch,
  readStoreFiles,
  type StoreFile,
  storeFileName,
} from './store-directory.ts';
import type { StoreFiles } from './store-files.ts';

const SALT_LIMIT = 4_294_967_296;
const MICROS_A_MILLI = 1_000;

/** One file of the epoch. */
export interface Segment {
  readonly path: string;
  readonly salt: number;
}

/** A file that was begun: open, its header on the disk. */
export interface StartedFile extends Segment {
  readonly file: number;
  readonly length: number;
}

/** The files of one session's store: begins them, reads them when the process starts and for a resend, deletes them by age. */
export class StoreSegments {
  readonly #files: StoreFiles;
  readonly #directory: string;
  readonly #sessionId: string;
  readonly #keepMs: number;
  /** Of the epoch, oldest first; an index entry's ordinal counts in it. null: deleted. */
  #segments: (Segment | null)[] = [];
  /** The number of the next file of the epoch, and how much of the one before it counts. */
  #nextSegment = 1;
  #previousLength = 0;
  /** The file that was last read from. */
  #readFile = -1;
  #readOrdinal = -1;

  constructor(files: StoreFiles, directory: string, sessionId: string, keepMs: number) {
    this.#files = files;
    this.#directory = directory;
    this.#sessionId = sessionId;
    this.#keepMs = keepMs;
  }

  /** Of the newest file. */
  get newestOrdinal(): number {
    return this.#segments.length - 1;
  }

  /** null when the file is no more. */
  at(ordinal: number): Segment | null {
    return this.#segments[ordinal] ?? null;
  }

  /** The directory's newest epoch by its files' names, 0 for none; what a crash left of a file that was being made is removed. */
  tidy(): number {
    this.#files.makeDirectory(this.#directory);
    for (const name of this.#files.list(this.#directory)) {
      if (name.endsWith(NEW_FILE_SUFFIX)) this.#files.remove(join(this.#directory, name));
    }
    return this.#listNewest().at(-1)?.epoch ?? 0;
  }

  /** Reads the newest epoch, which there must be; `visit` gets the records of each file. Returns the newest file's content. STORE_DAMAGED. */
  recover(visit: (ordinal: number) => RecordVisitor): FileContent {
    const chain = this.#listNewest();
    const contents = readStoreFiles(this.#files, this.#directory, chain, (_file, ordinal) => visit(ordinal));
    const newest = contents.at(-1)!;
    const { header } = newest;
    if (header.sessionId !== this.#sessionId)
      throw new OutcryError('STORE_DAMAGED', `${this.#directory}: is the store of ${header.sessionId}`);
    this.#segments = contents.map((content, i) => {
      return { path: join(this.#directory, chain[i]!.name), salt: content.header.salt };
    });
    if (newest.recordCount === 0) {
      // Nothing to keep it for: the next file takes its place.
      this.#segments.pop();
      this.#nextSegment = header.segment;
      this.#previousLength = header.previousLength;
    } else {
      this.#settle(this.#segments.at(-1)!.path, newest);
      this.#nextSegment = header.segment + 1;
      this.#previousLength = newest.length;
    }
    return newest;
  }

  /** The next file begins a new epoch. */
  beginEpoch(): void {
    this.#segments = [];
    this.#nextSegment = 1;
    this.#previousLength = 0;
    this.closeRead();
  }

  /** The newest file ends, `length` bytes long: the next follows it. */
  end(length: number): void {
    this.#previousLength = length;
  }

  /** Makes a file with a header, and only then gives it its name: a crash leaves all of it or nothing. */
  start(epoch: number, numbers: StoreNumbers, nowMs: number): StartedFile {
    const files = this.#files;
    const path = join(this.#directory, storeFileName(epoch, this.#nextSegment));
    const salt = randomInt(SALT_LIMIT);
    const header = encodeHeader({
      sessionId: this.#sessionId,
      epoch,
      segment: this.#nextSegment,
      salt,
      ...numbers,
      previousLength: this.#previousLength,
      createdMicros: nowMs * MICROS_A_MILLI,
    });
    this.#deleteOld(nowMs);
    const file = files.create(path + NEW_FILE_SUFFIX);
    files.writeNow(file, header, header.length, 0);
    files.syncNow(file);
    files.rename(path + NEW_FILE_SUFFIX, path);
    files.syncDirectory(this.#directory);
    this.#segments.push({ path, salt });
    this.#nextSegment++;
    return { path, salt, file, length: header.length };
  }

  /** Fills `bytes` from a file that is not the newest. */
  read(ordinal: number, path: string, offset: number, bytes: Uint8Array): void {
    if (this.#readOrdinal !== ordinal) {
      this.closeRead();
      this.#readFile = this.#files.open(path);
      this.#readOrdinal = ordinal;
    }
    this.#files.read(this.#readFile, bytes, bytes.length, offset);
  }

  closeRead(): void {
    if (this.#readFile >= 0) this.#files.close(this.#readFile);
    this.#readFile = -1;
    this.#readOrdinal = -1;
  }

  #listNewest(): StoreFile[] {
    return newestEpoch(listStoreFiles(this.#files, this.#directory));
  }

  /**
   * Puts on the disk what the next header builds on. Whole records that a process left behind may only be in the system's cache, and after a failed
   * sync a second one proves nothing (the cache takes them for written): so they are written again, same bytes, same place.
   */
  #settle(path: string, { durableLength, length }: FileContent): void {
    const tail = this.#files.readFile(path).subarray(durableLength, length);
    const file = this.#files.open(path);
    try {
      this.#files.writeNow(file, tail, tail.length, durableLength);
      this.#files.syncNow(file);
    } finally {
      this.#files.close(file);
    }
  }

  /** Oldest first, and never the newest, so that what is left is always one unbroken piece. */
  #deleteOld(nowMs: number): void {
    const oldestMs = nowMs - this.#keepMs;
    for (const { name } of listStoreFiles(this.#files, this.#directory).slice(0, -1)) {
      const path = join(this.#directory, name);
      if (this.#files.modifiedMs(path) >= oldestMs) return;
      this.#files.remove(path);
      const ordinal = this.#segments.findIndex((segment) => segment?.path === path);
      if (ordinal < 0) continue;
      this.#segments[ordinal] = null;
      if (ordinal === this.#readOrdinal) this.closeRead();
    }
  }
}
