import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ErrorCode } from '../core/errors.ts';
import type { Log } from '../net/log.ts';
import { processCommand } from './process-command.ts';
import type { ChildReport } from './process-messages.ts';

/** A process that has beaten and then is silent for longer hangs: it is killed. */
const SILENCE_MAX_MS = 5_000;
/** Before its first beat a process loads code, on a slow disk perhaps. */
const FIRST_BEAT_MAX_MS = 20_000;
const WATCH_MS = 250;
/** An orderly stop that takes longer ends in SIGKILL. */
const STOP_TIMEOUT_MS = 4_000;
const RESTART_DELAY_MAX_MS = 2_000;
/** So many deaths within the window are a crash loop: restarting cures nothing. */
const CRASH_LOOP_DEATHS = 5;
const CRASH_LOOP_WINDOW_MS = 60_000;
const LINE_MAX = 4_096;

export interface SupervisedProcessOptions {
  readonly name: string;
  /** Which file of this directory it runs. */
  readonly entry: string;
  readonly log: Log;
  /** A line that the child wrote to stderr: its log, and what Node or the kernel say when it crashes. */
  readonly onLine: (line: string) => void;
  readonly onMessage: (message: unknown) => void;
  /** The first message to a new child; undefined while it cannot be told what to do: it loads its code, and is sent it then. */
  readonly startMessage: () => object | undefined;
  /** It ended though nobody asked; a restart follows, or the end. */
  readonly onDeath: () => void;
  /** It will not be started again. */
  readonly onGiveUp: (code: ErrorCode, text: string) => void;
}

/**
 * One child process, kept alive: started again when it ends or hangs, the first time at once, then with doubling pauses; given up when it dies five
 * times within a minute, or says itself that a restart is no cure before it ever served.
 */
export class SupervisedProcess {
  readonly #options: SupervisedProcessOptions;
  readonly #watch: NodeJS.Timeout;
  #child: ChildProcess | undefined;
  #restartTimer: NodeJS.Timeout | undefined;
  #deaths: number[] = [];
  #lastBeatMs = 0;
  #beaten = false;
  #lastWatchMs = performance.now();
  #stopping = false;
  #served = false;
  #fatal: { code: ErrorCode; text: string } | undefined;
  restarts = 0;

  constructor(options: SupervisedProcessOptions) {
    this.#options = options;
    this.#watch = setInterval(() => this.#check(), WATCH_MS);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    const { name, entry, log, onLine } = this.#options;
    const [program, ...args] = [...dieWithParent(), ...processCommand(entry)];
    const child = spawn(program as string, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#child = child;
    this.#lastBeatMs = performance.now();
    this.#beaten = false;
    this.#fatal = undefined;
    if (child.stderr) createInterface({ input: child.stderr }).on('line', (line) => onLine(line.slice(0, LINE_MAX)));
    child.on('message', (message) => this.#onMessage(message));
    // A failed spawn or send: 'exit' follows where a process was there, and this stands in for it where none was.
    child.on('error', (error) => {
      log('error', 'a child process failed', { child: name, error: error.message });
      if (child.pid === undefined) this.#onExit(child, 'could not be started');
    });
    child.on('exit', (code, signal) => this.#onExit(child, signal ?? `exit code ${code}`));
    const message = this.#options.startMessage();
    if (message !== undefined) this.send(message);
  }

  /** The child serves: what it reports as fatal from now on is an ordinary death. */
  markServing(): void {
    this.#served = true;
  }

  /** False when there is no child to send to. */
  send(message: object): boolean {
    if (!this.#child?.connected) return false;
    // The callback takes the error of a channel that closes under us: 'exit' follows.
    this.#child.send(message, () => {});
    return true;
  }

  /** Ends the child for good: `stop` first, SIGKILL when that takes too long. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#watch);
    clearTimeout(this.#restartTimer);
    const child = this.#child;
    if (child === undefined || child.pid === undefined) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    this.send({ type: 'stop' });
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await gone;
    clearTimeout(killer);
  }

  #onMessage(message: unknown): void {
    const report = message as ChildReport;
    this.#lastBeatMs = performance.now();
    this.#beaten = true;
    if (report.type === 'fatal') this.#fatal = { code: report.code, text: report.text };
    else if (report.type !== 'beat') this.#options.onMessage(message);
  }

  #onExit(child: ChildProcess, how: string): void {
    if (child !== this.#child) return;
    this.#child = undefined;
    if (this.#stopping) return;
    const { name, log, onGiveUp } = this.#options;
    const fatal = this.#fatal;
    const nowMs = performance.now();
    this.#deaths = [...this.#deaths.filter((deathMs) => nowMs - deathMs < CRASH_LOOP_WINDOW_MS), nowMs];
    this.#options.onDeath();
    log('error', 'a child process ended', { child: name, how, code: fatal?.code, reason: fatal?.text });
    if (fatal && (!this.#served || fatal.code === 'LEDGER_TAKEN')) {
      onGiveUp(fatal.code, fatal.text);
    } else if (this.#deaths.length >= CRASH_LOOP_DEATHS) {
      const reason = fatal?.text ?? `it ended by ${how}`;
      onGiveUp('WORKER_FAILED', `the ${name} died ${this.#deaths.length} times within a minute; last: ${reason}`);
    } else {
      const delayMs = this.#deaths.length === 1 ? 0 : Math.min(RESTART_DELAY_MAX_MS, 100 * 2 ** this.#deaths.length);
      this.#restartTimer = setTimeout(() => {
        this.restarts++;
        this.start();
      }, delayMs);
    }
  }

  #check(): void {
    const nowMs = performance.now();
    const late = nowMs - this.#lastWatchMs > WATCH_MS * 4;
    this.#lastWatchMs = nowMs;
    // We ourselves were stopped or starved: what looks like the child's silence may be ours.
    if (late) this.#lastBeatMs = Math.max(this.#lastBeatMs, nowMs - WATCH_MS);
    const allowedMs = this.#beaten ? SILENCE_MAX_MS : FIRST_BEAT_MAX_MS;
    if (this.#child === undefined || nowMs - this.#lastBeatMs <= allowedMs) return;
    this.#options.log('error', 'a child process hangs and is killed', {
      child: this.#options.name,
      silentMs: allowedMs,
    });
    this.#child.kill('SIGKILL');
    this.#lastBeatMs = nowMs;
  }
}

let diePrefix: readonly string[] | undefined;

/**
 * What makes Linux kill a child whose parent died, even one that hangs and so cannot see its channel close: setpriv of util-linux. Elsewhere the
 * closing channel must do.
 */
function dieWithParent(): readonly string[] {
  if (diePrefix === undefined) {
    const prefix = ['setpriv', '--pdeathsig', 'KILL'];
    const works = process.platform === 'linux' && spawnSync('setpriv', [...prefix.slice(1), 'true']).status === 0;
    diePrefix = works ? prefix : [];
  }
  return diePrefix;
}
