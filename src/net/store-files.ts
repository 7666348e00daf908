import {
  close,
  closeSync,
  fdatasync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  write,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/**
 * What a store asks of a file system. Everything raises or hands on the system's error. The promise that all rests on: after
 * `sync` every byte written to the file before is on the disk, after `syncDirectory` every name; before it, any of them may be lost.
 */
export interface StoreFiles {
  /** Makes the directory when it is missing, durably. */
  makeDirectory(directory: string): void;
  list(directory: string): string[];
  readFile(path: string): Uint8Array;
  /** An empty file, open for reading and writing. */
  create(path: string): number;
  open(path: string): number;
  /** Bytes read: fewer than asked for only at the end of the file. */
  read(file: number, target: Uint8Array, length: number, position: number): number;
  writeNow(file: number, bytes: Uint8Array, length: number, position: number): void;
  syncNow(file: number): void;
  /** Writes all of `bytes[0 .. length)`; they must stay as they are until `done`. */
  write(file: number, bytes: Uint8Array, length: number, position: number, done: FileDone): void;
  sync(file: number, done: FileDone): void;
  close(file: number): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
  syncDirectory(directory: string): void;
  /** When the file was last written, epoch milliseconds. */
  modifiedMs(path: string): number;
}

export type FileDone = (error: Error | null) => void;

/** The file system of the machine. */
export const nodeFiles: StoreFiles = {
  makeDirectory(directory) {
    const first = mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (first === undefined) return;
    // Each directory that was made is a name in the one above it.
    for (let made = directory; made.length >= first.length; made = dirname(made)) this.syncDirectory(dirname(made));
  },

  list: (directory) => readdirSync(directory),

  readFile: (path) => readFileSync(path),

  create: (path) => openSync(path, 'w+', 0o600),

  open: (path) => openSync(path, 'r+'),

  read(file, target, length, position) {
    let total = 0;
    while (total < length) {
      const count = readSync(file, target, total, length - total, position + total);
      if (count === 0) break;
      total += count;
    }
    return total;
  },

  writeNow(file, bytes, length, position) {
    for (let total = 0; total < length; ) total += writeSync(file, bytes, total, length - total, position + total);
  },

  syncNow: (file) => fsyncSync(file),

  write(file, bytes, length, position, done) {
    const writeFrom = (from: number): void => {
      write(file, bytes, from, length - from, position + from, (error, count) => {
        if (error !== null) done(error);
        else if (from + count < length) writeFrom(from + count);
        else done(null);
      });
    };
    writeFrom(0);
  },

  sync: (file, done) => fdatasync(file, done),

  close: (file) => close(file),

  rename: (from, to) => renameSync(from, to),

  remove: (path) => rmSync(path, { force: true }),

  syncDirectory(directory) {
    const handle = openSync(directory, 'r');
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  },

  modifiedMs: (path) => statSync(path).mtimeMs,
};
