import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

/**
 * An appended file of lines, bounded: at `maxBytes` it is renamed to `PATH.1`, replacing the one before, and begun anew. Writes are synchronous,
 * so that the last line before a crash is there. One process writes a file; here that is the supervisor, for all.
 */
export class LogFile {
  readonly #path: string;
  readonly #maxBytes: number;
  #file: number;
  #size: number;

  constructor(path: string, maxBytes: number) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#file = openSync(path, 'a', 0o640);
    this.#size = fstatSync(this.#file).size;
  }

  /** Appends whole lines, each with its line feed. */
  write(lines: string): void {
    const bytes = Buffer.from(lines);
    if (this.#size > 0 && this.#size + bytes.length > this.#maxBytes) this.#rotate();
    writeSync(this.#file, bytes);
    this.#size += bytes.length;
  }

  close(): void {
    closeSync(this.#file);
  }

  #rotate(): void {
    closeSync(this.#file);
    renameSync(this.#path, `${this.#path}.1`);
    this.#file = openSync(this.#path, 'a', 0o640);
    this.#size = 0;
  }
}
