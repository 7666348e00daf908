import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Cores, forkOn, spawnOn } from './placement.ts';

const STOP_TIMEOUT_MS = 10_000;
const OUTPUT_BYTES_MAX = 64 * 1024;

/** A program in a process of its own, which ends with the bench. */
export class BenchChild {
  readonly name: string;
  readonly #child: ChildProcess;
  #output = '';
  #onOutput: (() => void) | undefined;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
    this.#child.on('error', (error) => this.#take(error.message));
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => this.#take(text));
    }
  }

  /** A program of ours: `entry` is a module of the build by its path from `bench/`, without extension: `../src/cli`. */
  static ours(
    name: string,
    entry: string,
    args: readonly string[],
    environment: NodeJS.ProcessEnv,
    cores: Cores,
  ): BenchChild {
    const child = fork(modulePath('./guarded'), [modulePath(entry), ...args], {
      env: environment,
      ...forkOn(cores),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    return new BenchChild(name, child);
  }

  /** Somebody else's program. */
  static program(name: string, command: string, args: readonly string[], cores: Cores): BenchChild {
    const [file, ...all] = spawnOn(cores, command, args);
    return new BenchChild(name, spawn(file!, all, { stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Waits until the program has printed what `pattern` matches. Fails when it ends or takes longer. */
  async printed(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    const deadlineMs = Date.now() + timeoutMs;
    for (;;) {
      const match = pattern.exec(this.#output);
      if (match !== null) return match;
      if (this.#ended()) throw new Error(`${this.name} ended: ${this.#output.trim()}`);
      const leftMs = deadlineMs - Date.now();
      if (leftMs <= 0) throw new Error(`${this.name} was not ready in ${timeoutMs / 1_000} s: ${this.#output.trim()}`);
      await this.#change(leftMs);
    }
  }

  /** Asks the program to end, and ends it when it does not. */
  async stop(): Promise<void> {
    if (this.#ended()) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(timer);
  }

  #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #take(text: string): void {
    this.#output = (this.#output + text).slice(-OUTPUT_BYTES_MAX);
    this.#onOutput?.();
  }

  /** Resolves at the next output, at the program's end, or when the time is over. */
  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#child.off('exit', done);
        this.#onOutput = undefined;
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#child.on('exit', done);
      this.#onOutput = done;
    });
  }
}

/** The file of a module beside this one: `.ts` from source, `.js` from the build. */
export function modulePath(module: string): string {
  return fileURLToPath(new URL(`${module}${extname(import.meta.url)}`, import.meta.url));
}
