import { basename } from 'node:path';
import type { FileDone, StoreFiles } from '../store-files.ts';

const SECTOR_BYTES = 512;

/** A file's bytes: as its readers see them, as they are on the disk, and the writes between the two. */
interface Node {
  cached: Uint8Array;
  stored: Uint8Array;
  unsynced: { position: number; bytes: Uint8Array }[];
  modifiedMs: number;
}

/**
 * A disk in memory that keeps no more than it promised: when it crashes, of every write that was not synced any part may be there (a prefix, some
 * sectors, nothing), and of the names that were not synced the first few. One directory. Asynchronous calls wait for `step`.
 */
export class CrashFiles implements StoreFiles {
  nowMs: number;
  /** Of the calls that write or sync, one in so many fails from here on; 0 for none. */
  failOneIn = 0;
  readonly #random: (below: number) => number;
  readonly #names: Map<string, Node>;
  /** Names on the disk, and the changes since. */
  readonly #storedNames: Map<string, Node>;
  #unsyncedNames: ((names: Map<string, Node>) => void)[] = [];
  readonly #handles: (Node | null)[] = [];
  readonly #waiting: { node: Node; call: () => void }[] = [];

  constructor(random: (below: number) => number, nowMs: number, names: Map<string, Node> = new Map()) {
    this.#random = random;
    this.nowMs = nowMs;
    this.#names = new Map(names);
    this.#storedNames = new Map(names);
  }

  /** What there is after the machine has died here and come up again. */
  crash(): CrashFiles {
    const names = new Map(this.#storedNames);
    for (const change of this.#unsyncedNames.slice(0, this.#random(this.#unsyncedNames.length + 1))) change(names);
    const nodes = new Map<string, Node>();
    for (const [name, node] of names) nodes.set(name, this.#nodeAfterCrash(node));
    return new CrashFiles(this.#random, this.nowMs, nodes);
  }

  /** What a new process finds after the old one was killed: calls that the system had not begun are lost, all else is there. */
  kill(): CrashFiles {
    const files = new CrashFiles(this.#random, this.nowMs, this.#names);
    files.#storedNames.clear();
    for (const [name, node] of this.#storedNames) files.#storedNames.set(name, node);
    files.#unsyncedNames = this.#unsyncedNames.slice();
    return files;
  }

  /** Does a call that waits, of whichever file, but in order for each; false when none does. */
  step(): boolean {
    const drawn = this.#waiting[this.#random(this.#waiting.length)];
    if (drawn === undefined) return false;
    const first = this.#waiting.findIndex(({ node }) => node === drawn.node);
    for (const { call } of this.#waiting.splice(first, 1)) call();
    return true;
  }

  /** Turns round a bit on the disk and in the cache. */
  damage(name: string, offset: number): void {
    const node = this.#names.get(name)!;
    node.cached[offset]! ^= 1;
    node.stored[offset]! ^= 1;
  }

  makeDirectory(): void {}

  list(): string[] {
    return [...this.#names.keys()];
  }

  readFile(path: string): Uint8Array {
    return this.#node(path).cached.slice();
  }

  create(path: string): number {
    const name = basename(path);
    const node = { cached: new Uint8Array(0), stored: new Uint8Array(0), unsynced: [], modifiedMs: this.nowMs };
    this.#change((names) => names.set(name, node));
    return this.#handles.push(node) - 1;
  }

  open(path: string): number {
    return this.#handles.push(this.#node(path)) - 1;
  }

  read(file: number, target: Uint8Array, length: number, position: number): number {
    const bytes = this.#handle(file).cached.subarray(position, position + length);
    target.set(bytes);
    return bytes.length;
  }

  writeNow(file: number, bytes: Uint8Array, length: number, position: number): void {
    this.#failSometimes('ENOSPC');
    this.#put(this.#handle(file), bytes.slice(0, length), position);
  }

  syncNow(file: number): void {
    this.#sync(this.#handle(file));
  }

  write(file: number, bytes: Uint8Array, length: number, position: number, done: FileDone): void {
    const node = this.#handle(file);
    const call = outcome(done, () => {
      this.#failSometimes('ENOSPC');
      this.#put(node, bytes.slice(0, length), position);
    });
    this.#waiting.push({ node, call });
  }

  sync(file: number, done: FileDone): void {
    const node = this.#handle(file);
    this.#waiting.push({ node, call: outcome(done, () => this.#sync(node)) });
  }

  close(file: number): void {
    this.#handle(file);
    this.#handles[file] = null;
  }

  rename(from: string, to: string): void {
    const node = this.#node(from);
    this.#change((names) => {
      names.delete(basename(from));
      names.set(basename(to), node);
    });
  }

  remove(path: string): void {
    this.#change((names) => names.delete(basename(path)));
  }

  syncDirectory(): void {
    this.#failSometimes('EIO');
    for (const change of this.#unsyncedNames) change(this.#storedNames);
    this.#unsyncedNames = [];
  }

  modifiedMs(path: string): number {
    return this.#node(path).modifiedMs;
  }

  #node(path: string): Node {
    const node = this.#names.get(basename(path));
    if (node === undefined) throw new Error(`ENOENT: ${path}`);
    return node;
  }

  #handle(file: number): Node {
    const node = this.#handles[file];
    if (!node) throw new Error('EBADF: the file is closed');
    return node;
  }

  #change(change: (names: Map<string, Node>) => void): void {
    change(this.#names);
    this.#unsyncedNames.push(change);
  }

  #put(node: Node, bytes: Uint8Array, position: number): void {
    node.cached = putBytes(node.cached, bytes, position);
    node.unsynced.push({ position, bytes });
    node.modifiedMs = this.nowMs;
  }

  /** One that fails leaves the cache as it is and forgets that the disk has none of it, as Linux does. */
  #sync(node: Node): void {
    const unsynced = node.unsynced;
    node.unsynced = [];
    this.#failSometimes('EIO');
    for (const { position, bytes } of unsynced) node.stored = putBytes(node.stored, bytes, position);
  }

  #failSometimes(code: string): void {
    if (this.failOneIn > 0 && this.#random(this.failOneIn) === 0) throw new Error(`${code}: simulated`);
  }

  #nodeAfterCrash(node: Node): Node {
    let stored = node.stored;
    for (const { position, bytes } of node.unsynced) {
      const kept = this.#random(4);
      if (kept === 0) continue;
      if (kept === 1) stored = putBytes(stored, bytes, position);
      else if (kept === 2) stored = putBytes(stored, bytes.subarray(0, this.#random(bytes.length + 1)), position);
      else
        for (let at = 0; at < bytes.length; at += SECTOR_BYTES) {
          if (this.#random(2) === 0) stored = putBytes(stored, bytes.subarray(at, at + SECTOR_BYTES), position + at);
        }
    }
    return { cached: stored.slice(), stored: stored.slice(), unsynced: [], modifiedMs: node.modifiedMs };
  }
}

/** `target` with `bytes` at `position`; what lies between its end and them is zero. */
function putBytes(target: Uint8Array, bytes: Uint8Array, position: number): Uint8Array {
  const result = new Uint8Array(Math.max(target.length, position + bytes.length));
  result.set(target);
  result.set(bytes, position);
  return result;
}

function outcome(done: FileDone, act: () => void): () => void {
  return () => {
    let error: Error | null = null;
    try {
      act();
    } catch (caught) {
      error = caught as Error;
    }
    done(error);
  };
}
