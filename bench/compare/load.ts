import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Cores, spawnOn } from '../placement.ts';
import { encodePlan, type Opening } from './openings.ts';

/** How the load client reads a server's messages: see `peers/quote-load.c`. */
export type Decoder = 'outcry' | 'entries' | 'message' | 'nats';

export interface QuoteLoadSettings {
  /** The compiled load client, and a file that it may have. */
  readonly program: string;
  readonly planFile: string;
  readonly port: number;
  readonly openings: readonly Opening[];
  readonly decoder: Decoder;
  readonly quotesATick: number;
  /** What a connection must have been sent to be open: keyframes, empty messages or PONGs. */
  readonly marks: number;
  readonly cores: Cores;
}

/** What all connections together got between `begin` and `end`. */
export interface QuoteLoadFigures {
  readonly quotes: number;
  /** WebSocket messages with quotes in them. */
  readonly messages: number;
  /** Payload of the messages. */
  readonly bytes: number;
  /** All bytes of all entries added up. */
  readonly byteSum: number;
  readonly reads: number;
  /** Time spent other than waiting for something to come. */
  readonly busySeconds: number;
  readonly seconds: number;
}

/** The load client's exit code when the server took a connection for slow. */
const EXIT_SLOW = 3;

/** The load client did not get the processor for seconds: the round says nothing, and may be repeated. */
export class LoadTooSlowError extends Error {}

const CONNECT_TIMEOUT_MS = 120_000;
const TICK_TIMEOUT_MS = 60_000;
const ANSWER_TIMEOUT_MS = 10_000;

/** The load client's process. It watches over the count of every connection by itself, and ends when one is wrong. */
export class QuoteLoad {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #exitCode: Promise<number | null>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exitCode = new Promise((resolve) => child.once('close', resolve));
    child.on('error', (error) => process.stderr.write(`the load client: ${error.message}\n`));
    this.#lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  /** Resolves when every connection is open. */
  static async open(settings: QuoteLoadSettings): Promise<QuoteLoad> {
    const { program, planFile, port, openings, decoder, quotesATick, marks, cores } = settings;
    writeFileSync(planFile, encodePlan(openings));
    const awake = cores === '' ? 0 : 1;
    const args = [port, openings.length, planFile, decoder, quotesATick, marks, awake].map(String);
    const [file, ...all] = spawnOn(cores, program, args);
    const load = new QuoteLoad(spawn(file!, all, { stdio: ['pipe', 'pipe', 'inherit'] }));
    try {
      await load.#expect('ready', CONNECT_TIMEOUT_MS);
      return load;
    } catch (error) {
      await load.close();
      throw error;
    }
  }

  async begin(): Promise<void> {
    this.#child.stdin!.write('begin\n');
    await this.#expect('begun', ANSWER_TIMEOUT_MS);
  }

  /** Resolves when every connection has had its quotes of the tick that was fed. */
  async tickDone(): Promise<void> {
    await this.#expect('tick', TICK_TIMEOUT_MS);
  }

  async end(): Promise<QuoteLoadFigures> {
    this.#child.stdin!.write('end\n');
    const numbers = (await this.#line(ANSWER_TIMEOUT_MS)).split(' ').map(Number);
    const [quotes = 0, messages = 0, bytes = 0, byteSum = 0, reads = 0, busySeconds = 0, seconds = 0] = numbers;
    return { quotes, messages, bytes, byteSum, reads, busySeconds, seconds };
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  async #expect(line: string, timeoutMs: number): Promise<void> {
    const got = await this.#line(timeoutMs);
    if (got !== line) throw new Error(`the load client said ${got} instead of ${line}`);
  }

  async #line(timeoutMs: number): Promise<string> {
    const timer = setTimeout(() => {
      process.stderr.write(`the load client was silent for ${timeoutMs / 1_000} s\n`);
      this.#child.kill('SIGKILL');
    }, timeoutMs);
    const { value, done } = await this.#lines.next();
    clearTimeout(timer);
    if (done) {
      const text = 'the load client has ended: its last words are above';
      throw (await this.#exitCode) === EXIT_SLOW ? new LoadTooSlowError(text) : new Error(text);
    }
    return value;
  }
}
