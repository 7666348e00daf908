import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../../core/fix/testing/seeded-random.ts';
import {
  type CrashPeerReport,
  type CrashPeerRequest,
  type CrashPeerSettings,
  effectPath,
  storedOrderIds,
} from './crash-peer.ts';
import { readEffects } from './effect-file.ts';

const PEER = fileURLToPath(new URL('./crash-peer.js', import.meta.url));
type Role = CrashPeerSettings['role'];
const ROLES: readonly Role[] = ['broker', 'venue'];

export interface CrashRoundsOptions {
  /** Processes killed. */
  rounds: number;
  seed: number;
  /** The longest that order flow goes on before the next is killed. 300 ms. */
  flowMsMax?: number;
  /** How long a process may take to start, and the last orders to be answered. 30 s. */
  timeoutMs?: number;
  /** After each round: how many are done. */
  onRound?: (round: number) => void;
}

export interface CrashRoundsResult {
  readonly seed: number;
  readonly kills: Readonly<Record<Role, number>>;
  /** Orders sent, each of them taken once and reported once. */
  readonly orders: number;
  /** Starts that found a torn tail. */
  readonly tornTails: number;
}

/**
 * Order flow between two processes, one of which is killed (SIGKILL) at a random instant in each round and started again; sometimes before it was
 * ready. Raises an error that names the seed when a number went back, or when at the end not every order was taken exactly once and reported exactly
 * once; the directory is then kept.
 */
export async function runCrashRounds(options: CrashRoundsOptions): Promise<CrashRoundsResult> {
  const { rounds, seed, flowMsMax = 300, timeoutMs = 30_000 } = options;
  const random = seededRandom(seed);
  const directory = mkdtempSync(join(tmpdir(), 'outcry-crash-'));
  const peers = { broker: new Peer('broker', directory), venue: new Peer('venue', directory) };
  const kills = { broker: 0, venue: 0 };
  try {
    peers.venue.start(0);
    await peers.venue.ready(timeoutMs);
    const { port } = peers.venue.last!;
    peers.broker.start(port);
    await peers.broker.ready(timeoutMs);
    for (let round = 1; round <= rounds; round++) {
      await new Promise((resolve) => setTimeout(resolve, random(flowMsMax)));
      const role = ROLES[random(2)]!;
      const peer = peers[role];
      await peer.kill();
      kills[role]++;
      peer.start(port, peers[role === 'broker' ? 'venue' : 'broker'].last!.nextIn);
      // One in four is killed again as it starts.
      if (random(4) > 0) await peer.ready(timeoutMs);
      options.onRound?.(round);
    }
    for (const role of ROLES) await peers[role].ready(timeoutMs);
    peers.broker.ask('drain');
    await peers.broker.until(() => peers.broker.last?.type === 'drained', timeoutMs, 'every order is answered');
    for (const role of ROLES) await peers[role].stop(timeoutMs);
    const orders = checkEffects(directory);
    const tornTails = peers.broker.tornTails + peers.venue.tornTails;
    rmSync(directory, { recursive: true, force: true });
    return { seed, kills, orders, tornTails };
  } catch (error) {
    throw new Error(`seed ${seed}, files in ${directory}: ${(error as Error).message}`, { cause: error });
  } finally {
    for (const role of ROLES) await peers[role].kill();
  }
}

/** Every order that the broker stored was taken once by the venue, reported once, and its report taken once. Returns how many. */
function checkEffects(directory: string): number {
  const [broker, venue] = ROLES.map((role) => join(directory, role)) as [string, string];
  const orders = storedOrderIds(broker, 'broker', 'D').sort();
  if (new Set(orders).size !== orders.length) throw new Error('an order was stored twice');
  const lists: [string, string[]][] = [
    ['orders taken', readEffects(effectPath(venue)).effects.map(({ orderId }) => orderId)],
    ['reports sent', storedOrderIds(venue, 'venue', '8')],
    ['reports taken', readEffects(effectPath(broker)).effects.map(({ orderId }) => orderId)],
  ];
  for (const [name, list] of lists) {
    list.sort();
    if (list.length === orders.length && list.every((id, i) => id === orders[i])) continue;
    const missing = orders.filter((id) => !list.includes(id));
    const twice = list.filter((id, i) => id === list[i - 1]);
    throw new Error(`${orders.length} orders, ${list.length} ${name}; missing: ${missing}; twice: ${twice}`);
  }
  return orders.length;
}

/** A process that is started again and again. */
class Peer {
  /** What it said last, in whichever life. */
  last: CrashPeerReport | undefined;
  tornTails = 0;
  readonly #role: Role;
  readonly #directory: string;
  #child: ChildProcess | undefined;
  #isReady = false;
  #failure: Error | undefined;
  #onChange: () => void = () => {};
  /** As it was opened last: the number in on the disk never goes back. */
  #openedIn = 1;

  constructor(role: Role, directory: string) {
    this.#role = role;
    this.#directory = join(directory, role);
    mkdirSync(this.#directory);
  }

  /** `seenByOther`: the counterparty expects this number next, so that no lower one may be given out. */
  start(port: number, seenByOther = 1): void {
    const settings: CrashPeerSettings = { role: this.#role, directory: this.#directory, port };
    const child = fork(PEER, [JSON.stringify(settings)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: [],
    });
    this.#child = child;
    this.#isReady = false;
    child.on('message', (report: CrashPeerReport) => {
      if (report.type === 'ready') this.#onReady(report, seenByOther);
      this.last = report;
      this.#onChange();
    });
    child.on('exit', (code) => {
      if (code !== null && code !== 0) this.#failure = new Error(`the ${this.#role} ended with code ${code}`);
      this.#onChange();
    });
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  ask(request: CrashPeerRequest): void {
    this.#child?.send(request);
  }

  ready(timeoutMs: number): Promise<void> {
    return this.until(() => this.#isReady, timeoutMs, 'it is ready');
  }

  async stop(timeoutMs: number): Promise<void> {
    this.ask('stop');
    await this.until(() => this.#child?.exitCode === 0, timeoutMs, 'it has ended');
  }

  async until(condition: () => boolean, timeoutMs: number, what: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`waited in vain for the ${this.#role} until ${what}`)),
        timeoutMs,
      );
      this.#onChange = () => {
        if (this.#failure === undefined && !condition()) return;
        clearTimeout(timer);
        this.#onChange = () => {};
        if (this.#failure === undefined) resolve();
        else reject(this.#failure);
      };
      this.#onChange();
    });
  }

  #onReady(report: CrashPeerReport, seenByOther: number): void {
    this.#isReady = true;
    if (report.tornBytes > 0) this.tornTails++;
    if (this.last !== undefined && report.epoch !== this.last.epoch)
      this.#failure = new Error(`the ${this.#role} began a new epoch`);
    if (report.nextOut < seenByOther)
      this.#failure = new Error(`the ${this.#role} goes on at ${report.nextOut}, ${seenByOther} is expected of it`);
    if (report.nextIn < this.#openedIn)
      this.#failure = new Error(`the ${this.#role} expects ${report.nextIn}, and had expected ${this.#openedIn}`);
    this.#openedIn = report.nextIn;
  }
}
