import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { InstrumentTable } from '../src/core/market-data/instrument-table.ts';
import { dictionaryFile, nativeProgram } from '../src/net/testing/native-program.ts';

/** What a decoder in a process of its own gave in one round. */
export interface PeerRound {
  readonly messages: number;
  readonly seconds: number;
  /** Of all passes together, modulo 2^32. */
  readonly checksum: number;
}

/** A program of `bench/peers/` that holds the messages of one case and reads them when told. */
export class DecodePeer {
  readonly impl: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(impl: string, program: string, args: readonly string[]) {
    this.impl = impl;
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /** Reads all messages over and over for so long. */
  async read(roundMs: number): Promise<PeerRound> {
    this.#child.stdin!.write(`${roundMs}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.impl} ended`);
    const [messages, seconds, checksum] = value.split(' ').map(Number) as [number, number, number];
    return { messages, seconds, checksum };
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin!.end();
    await exited;
  }
}

/** The programs that could be compiled here, the files they read, and why others are left out. */
export class DecodePeers {
  readonly missing: string[] = [];
  readonly #directory = mkdtempSync(join(tmpdir(), 'outcry-decode-'));
  readonly #programs: { impl: string; path: string; args: readonly string[] }[] = [];
  readonly #running: DecodePeer[] = [];

  async open(table: InstrumentTable): Promise<void> {
    // However the bench ends.
    process.once('exit', () => rmSync(this.#directory, { recursive: true, force: true }));
    const symbols = Array.from({ length: table.count }, (_, index) => `${table.symbol(index)}\n`);
    writeFileSync(join(this.#directory, 'symbols'), symbols.join(''));
    await this.#add('quickfix', 'bench/peers/quickfix-decode.cpp', 'quickfix', [dictionaryFile('FIX44')]);
    await this.#add('c-scan', 'bench/peers/c-scan.c', null, []);
  }

  /** A process of each program, with the messages of a case. */
  start(decodeCase: string, bytes: Buffer): DecodePeer[] {
    const messages = join(this.#directory, decodeCase);
    writeFileSync(messages, bytes);
    const symbols = join(this.#directory, 'symbols');
    const peers = this.#programs.map(
      ({ impl, path, args }) => new DecodePeer(impl, path, [symbols, messages, ...args]),
    );
    this.#running.push(...peers);
    return peers;
  }

  async close(): Promise<void> {
    await Promise.all(this.#running.map((peer) => peer.stop()));
  }

  async #add(impl: string, source: string, library: 'quickfix' | null, args: readonly string[]): Promise<void> {
    const program = await nativeProgram(source, library);
    if ('path' in program) this.#programs.push({ impl, path: program.path, args });
    else this.missing.push(`no row ${impl}: ${program.missing}`);
  }
}
