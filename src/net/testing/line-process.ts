import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const STOP_TIMEOUT_MS = 5_000;
const LINES_TOLD = 10;

/** A program that takes commands and tells what happens, a line each. */
export class LineProcess {
  /** All it has printed. */
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #waitMs: number;
  #position = 0;
  #ended = false;
  #wake: () => void = () => {};

  /** `waitMs` bounds every wait for a line. */
  constructor(program: string, args: readonly string[], waitMs: number) {
    this.#waitMs = waitMs;
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      this.lines.push(line);
      this.#wake();
    });
    // A command to a program that has ended is told by the wait for its answer.
    this.#child.stdin!.on('error', () => {});
    this.#child.once('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  send(line: string): void {
    this.#child.stdin!.write(`${line}\n`);
  }

  /** The next line that has all of these pieces; what comes before it is passed over. */
  async next(...pieces: string[]): Promise<string> {
    const deadlineMs = Date.now() + this.#waitMs;
    for (;;) {
      while (this.#position < this.lines.length) {
        const line = this.lines[this.#position++]!;
        if (pieces.every((piece) => line.includes(piece))) return line;
      }
      const leftMs = deadlineMs - Date.now();
      if (leftMs <= 0 || this.#ended) {
        const last = this.lines.slice(-LINES_TOLD).join('\n');
        throw new Error(`no line with ${pieces.join(' ')}${this.#ended ? ', it ended' : ''}; the last were\n${last}`);
      }
      await this.#change(leftMs);
    }
  }

  /** How many of its lines have all of these pieces. */
  count(...pieces: string[]): number {
    return this.lines.filter((line) => pieces.every((piece) => line.includes(piece))).length;
  }

  /** Asks it to quit, and ends it when it does not. */
  async stop(): Promise<void> {
    if (this.#ended) return;
    const closed = once(this.#child, 'close');
    this.send('quit');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await closed;
    clearTimeout(timer);
  }

  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
