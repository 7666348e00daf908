import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../core/fix/testing/seeded-random.ts';
import { indianDate } from '../../core/market/calendar.ts';
import { askControl } from '../../net/control-socket.ts';
import { readInstrumentFile } from '../../net/instrument-file.ts';
import { issueToken } from '../../net/token.ts';
import { readTokenSecret } from '../../net/token-secret.ts';
import { type CommandCounts, CrashTrader } from './crash-trader.ts';
import {
  clientFaults,
  type LedgerAccounts,
  ledgerFaults,
  orderFaults,
  readAccounts,
  tradeFaults,
  withOwnReader,
} from './order-crash-checks.ts';
import { QuoteTap } from './quote-tap.ts';
import { CLI, processesOf, Running, type Status } from './running.ts';
import { askVenue, nameAtVenue, venueFault } from './venue-probe.ts';

export const VICTIMS = ['engine', 'exchange', 'database', 'backend'] as const;
export type Victim = (typeof VICTIMS)[number];

export interface OrderCrashOptions {
  /** Deaths under load, each followed by the comparison of everything. */
  readonly rounds: number;
  readonly seed: number;
  /** Commands a second of all users together. 1,000. */
  readonly rate?: number;
  readonly users?: number;
  /** How long one wait may take. */
  readonly timeoutMs?: number;
  readonly onRound?: (round: number, victims: readonly Victim[]) => void;
}

export interface OrderCrashResult {
  readonly seed: number;
  readonly rounds: number;
  readonly kills: Readonly<Record<Victim, number>>;
  readonly commands: CommandCounts;
  /** Commands a second while there was load, the time of the outages included. */
  readonly commandsPerSecond: number;
  /** In the ledgers, at the ends. */
  readonly orders: number;
  readonly executions: number;
  /** Orders of which the exchange was asked, and said the same. */
  readonly askedAtVenue: number;
}

/** Rounds on one data directory, so that recoveries stack; then comes a new one, so that comparisons stay quick. */
const ROUNDS_A_DIRECTORY = 10;
const USERS = 100;
const RATE = 1_000;
const TIMEOUT_MS = 90_000;
const SYMBOLS = 12;
/** The control socket takes 16 connections. */
const ACCOUNTS_AT_ONCE = 10;
const DEPOSIT_PAISE = 1_000_000_000_000;
/** The longest that load goes on before a death. */
const FLOW_MS_MAX = 900;
/** One death in so many is followed by another before the first is over. */
const SECOND_DEATH_ODDS = 4;
const SECOND_DEATH_MS_MAX = 700;
/** The supervisor gives a process up that dies five times within a minute. */
const DEATHS_A_MINUTE_MAX = 3;
const PACE_MS = 5;
/** Commands that the pacing makes up for when it was late. */
const BACKLOG_MAX = 200;
/** Orders that are acknowledged after a death before the load ends. */
const ACKNOWLEDGED_AFTER = 50;
const FAULTS_TOLD = 10;

/**
 * Death at random instants, under load, of engine, database and exchange of a whole running Outcry, in a data directory of its own. After each round and when nothing is under way: the
 * ledger agrees with itself, the exchange's trade file with our trades, what clients were told with what is there; no acknowledged order is missing, no refused one is there. At the end the
 * exchange is asked after every order. Raises an error that names the seed; the directory is then kept.
 */
export async function runOrderCrashRounds(options: OrderCrashOptions): Promise<OrderCrashResult> {
  const { rounds, seed } = options;
  const random = seededRandom(seed);
  const kills: Record<Victim, number> = { engine: 0, exchange: 0, database: 0, backend: 0 };
  const commands: CommandCounts = { place: 0, modify: 0, cancel: 0, acknowledged: 0, refused: {}, resumes: 0 };
  const sums = { orders: 0, executions: 0, askedAtVenue: 0, loadMs: 0 };
  for (let done = 0; done < rounds; done += ROUNDS_A_DIRECTORY) {
    const dataDir = mkdtempSync(join(tmpdir(), 'outcry-order-crash-'));
    const desk = new Desk(dataDir, options, random, kills, commands);
    try {
      await desk.open();
      for (let round = done + 1; round <= Math.min(rounds, done + ROUNDS_A_DIRECTORY); round++) {
        const victims = await desk.round();
        options.onRound?.(round, victims);
      }
      const { orders, executions, askedAtVenue } = await desk.finish();
      sums.orders += orders;
      sums.executions += executions;
      sums.askedAtVenue += askedAtVenue;
      sums.loadMs += desk.loadMs;
      rmSync(dataDir, { recursive: true, force: true });
    } catch (error) {
      throw new Error(`seed ${seed}, files in ${dataDir}: ${(error as Error).message}`, { cause: error });
    } finally {
      await desk.abandon();
    }
  }
  const sent = commands.place + commands.modify + commands.cancel;
  const { loadMs, ...counts } = sums;
  return { seed, rounds, kills, commands, commandsPerSecond: Math.round((sent * 1_000) / loadMs), ...counts };
}

/** One Outcry, its traders, and what is done to it. */
class Desk {
  loadMs = 0;
  readonly #dataDir: string;
  readonly #timeoutMs: number;
  readonly #rate: number;
  readonly #users: number;
  readonly #random: (below: number) => number;
  readonly #kills: Record<Victim, number>;
  readonly #commands: CommandCounts;
  readonly #deaths: { victim: Victim; atMs: number }[] = [];
  readonly #faults: string[] = [];
  readonly #running: Running;
  readonly #traders: CrashTrader[] = [];
  #quotes: QuoteTap | undefined;
  #load: NodeJS.Timeout | undefined;
  #loadSinceMs = 0;

  constructor(
    dataDir: string,
    { rate = RATE, users = USERS, timeoutMs = TIMEOUT_MS }: OrderCrashOptions,
    random: (below: number) => number,
    kills: Record<Victim, number>,
    commands: CommandCounts,
  ) {
    this.#dataDir = dataDir;
    this.#rate = rate;
    this.#users = users;
    this.#timeoutMs = timeoutMs;
    this.#random = random;
    this.#kills = kills;
    this.#commands = commands;
    this.#running = new Running(dataDir, [CLI, 'start'], { OUTCRY_ORDER_SESSIONS: '', OUTCRY_FANOUT_WORKERS: '1' });
  }

  async open(): Promise<void> {
    const dataDir = this.#dataDir;
    await this.#running.ready();
    const { url } = this.#running;
    const date = indianDate(Date.now() * 1_000);
    const tradable = readInstrumentFile(join(dataDir, 'instruments.json'))
      .asOf(date)
      .filter(({ kind }) => kind === 'equity');
    const symbols = tradable.slice(0, SYMBOLS).map(({ symbol }) => symbol);
    const quotes = new QuoteTap(url, symbols);
    this.#quotes = quotes;
    const secret = readTokenSecret({ dataDir, secretFile: '', environment: {} });
    const userIds = Array.from({ length: this.#users }, (_, i) => i + 1);
    for (let from = 0; from < userIds.length; from += ACCOUNTS_AT_ONCE)
      await Promise.all(userIds.slice(from, from + ACCOUNTS_AT_ONCE).map((userId) => openAccount(dataDir, userId)));
    for (const userId of userIds) {
      const nowMs = Date.now();
      const token = await issueToken(secret, { userId, expiresMs: nowMs + 86_400_000 }, nowMs);
      const trader = new CrashTrader({
        ...{ url, userId, token, random: this.#random, symbols, counts: this.#commands },
        lastPaise: (symbol) => quotes.lastPaise(symbol),
        onFault: (text) => void this.#faults.push(text),
      });
      this.#traders.push(trader);
    }
    await this.#until(() => symbols.every((symbol) => quotes.lastPaise(symbol) > 0), 'prices');
    await this.#until(() => this.#traders.every(({ isResumed }) => isResumed), 'every trader to be logged in');
  }

  /** Load, a death or two, recovery, the end of the load, and the comparison of everything. */
  async round(): Promise<Victim[]> {
    this.#startLoad();
    await sleep(50 + this.#random(FLOW_MS_MAX));
    const victims = [await this.#killOne()];
    if (this.#random(SECOND_DEATH_ODDS) === 0) {
      await sleep(this.#random(SECOND_DEATH_MS_MAX));
      victims.push(await this.#killOne());
    }
    await this.#served(victims);
    const { acknowledged } = this.#commands;
    await this.#until(() => this.#commands.acknowledged >= acknowledged + ACKNOWLEDGED_AFTER, 'orders to be served');
    this.#stopLoad();
    for (const trader of this.#traders) trader.cancelAbout(0.5);
    await this.#quiet();
    await this.#compare();
    return victims;
  }

  /** Cancels what rests, so that nothing moves any more, asks the exchange after every order, and ends everything in order. */
  async finish(): Promise<{ orders: number; executions: number; askedAtVenue: number }> {
    for (const trader of this.#traders) trader.cancelAbout(1);
    await this.#quiet();
    await this.#compare();
    const { venue } = await this.#running.status();
    const { orders, symbols, executions } = await withOwnReader(this.#dataDir, async (reader) => {
      const { orders } = await readAccounts(reader);
      const date = indianDate(Date.now() * 1_000);
      const entries = readInstrumentFile(join(this.#dataDir, 'instruments.json')).asOf(date);
      const symbols = new Map(entries.map(({ instrumentId, symbol }) => [instrumentId, symbol]));
      const executions = await reader.snapshot(async (read) => {
        for await (const [count] of read('SELECT count(*)::int FROM outcry.trades')) return count as number;
        return 0;
      });
      return { orders, symbols, executions };
    });
    const asked = orders.map((order) => ({ order, symbol: symbols.get(order.instrumentId)! }));
    const theirs = await askVenue(venue.port, asked, this.#timeoutMs);
    const faults = orders.map((order) => venueFault(order, theirs.get(nameAtVenue(order))!)).filter((fault) => fault !== '');
    if (faults.length > 0) throw new Error(told(faults));
    for (const trader of this.#traders) trader.close();
    this.#quotes?.close();
    this.#running.child.kill('SIGTERM');
    const code = await this.#running.ended();
    if (code !== 0) throw new Error(`it ended with ${code}: ${this.#running.stderr}`);
    const left = processesOf(this.#dataDir);
    if (left.length > 0) throw new Error(`processes are left: ${left}`);
    return { orders: orders.length, executions, askedAtVenue: theirs.size };
  }

  /** Leaves nothing running. */
  async abandon(): Promise<void> {
    this.#stopLoad();
    for (const trader of this.#traders) trader.close();
    this.#quotes?.close();
    this.#running.child.kill('SIGKILL');
    await this.#running.ended();
    for (const pid of processesOf(this.#dataDir)) process.kill(pid, 'SIGKILL');
  }

  #startLoad(): void {
    let lastMs = performance.now();
    let due = 0;
    this.#loadSinceMs = lastMs;
    this.#load = setInterval(() => {
      const nowMs = performance.now();
      due = Math.min(BACKLOG_MAX, due + ((nowMs - lastMs) * this.#rate) / 1_000);
      lastMs = nowMs;
      for (; due >= 1; due--) this.#traders[this.#random(this.#traders.length)]!.act();
    }, PACE_MS);
  }

  #stopLoad(): void {
    if (this.#load === undefined) return;
    clearInterval(this.#load);
    this.#load = undefined;
    this.loadMs += performance.now() - this.#loadSinceMs;
  }

  /** Kills a process that may be killed now; which one is drawn. */
  async #killOne(): Promise<Victim> {
    const nowMs = performance.now();
    const recent = this.#deaths.filter(({ atMs }) => nowMs - atMs < 60_000);
    const allowed = VICTIMS.filter(
      (victim) => recent.filter((death) => death.victim === victim).length < DEATHS_A_MINUTE_MAX,
    );
    const candidates = allowed.length > 0 ? allowed : (['database', 'backend'] as const);
    const victim = candidates[this.#random(candidates.length)]!;
    const pid = await this.#pidOf(victim);
    process.kill(pid, 'SIGKILL');
    this.#deaths.push({ victim, atMs: performance.now() });
    this.#kills[victim]++;
    return victim;
  }

  async #pidOf(victim: Victim): Promise<number> {
    let pid = 0;
    await this.#until(async () => {
      const status = await this.#running.status().catch(() => undefined);
      const { engine, exchange, postgres } = status?.processes ?? {};
      if (victim === 'engine') pid = engine?.pid ?? 0;
      else if (victim === 'exchange') pid = exchange?.pid ?? 0;
      else if (victim === 'database') pid = postgres?.pid ?? 0;
      else pid = postgres?.pid ? this.#backendOf(postgres.pid) : 0;
      return pid > 0 && isAlive(pid);
    }, `a ${victim} to kill`);
    return pid;
  }

  /** One of the processes that serve the engine's connections; 0 for none. */
  #backendOf(postmaster: number): number {
    const backends = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((name) => {
        try {
          const parent = / (\d+) /.exec(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]!.slice(1))?.[1];
          return (
            Number(parent) === postmaster && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('outcry_engine')
          );
        } catch {
          // It ended.
          return false;
        }
      });
    return backends.length === 0 ? 0 : Number(backends[this.#random(backends.length)]);
  }

  /** Everything is there again. */
  async #served(victims: readonly Victim[]): Promise<void> {
    let last: Status | undefined;
    const isServed = async (): Promise<boolean> => {
      if (this.#running.child.exitCode !== null) throw new Error(`it ended: ${this.#running.stderr}`);
      last = await this.#running.status().catch(() => undefined);
      return last?.ready === true && last.orders?.state === 'serving' && last.orders.sessionsUp === 1;
    };
    try {
      await this.#until(isServed, 'the recovery');
    } catch (error) {
      throw new Error(`after ${victims}: ${(error as Error).message}; ${JSON.stringify(last)}`);
    }
  }

  /** Nothing is under way between traders and engine. */
  async #quiet(): Promise<void> {
    await this.#until(() => {
      for (const trader of this.#traders) trader.settle();
      return this.#traders.every(({ isQuiet }) => isQuiet);
    }, 'every request to be answered');
  }

  /** The exchange's last reports may be on their way: what is not so yet must become so. */
  async #compare(): Promise<void> {
    let faults: string[] = [];
    const isSo = async (): Promise<boolean> => {
      faults = await withOwnReader(this.#dataDir, async (reader) => {
        const accounts: LedgerAccounts = await readAccounts(reader);
        const first = [...orderFaults(accounts), ...clientFaults(this.#traders, accounts)];
        return first.length > 0 ? first : tradeFaults(this.#dataDir, reader);
      });
      return faults.length === 0;
    };
    await this.#until(isSo, 'agreement').catch((error) => {
      throw new Error(`${(error as Error).message}: ${told(faults)}`);
    });
    faults = await withOwnReader(this.#dataDir, ledgerFaults);
    if (faults.length > 0) throw new Error(told(faults));
  }

  async #until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
    const deadline = performance.now() + this.#timeoutMs;
    for (;;) {
      if (this.#faults.length > 0) throw new Error(told(this.#faults));
      if (await condition()) return;
      if (performance.now() > deadline) throw new Error(`waited ${this.#timeoutMs} ms for ${what}`);
      await sleep(20);
    }
  }
}

async function openAccount(dataDir: string, userId: number): Promise<void> {
  await askControl(dataDir, { type: 'account', command: { type: 'open-account', userId } });
  const deposit = { type: 'deposit', userId, amountPaise: DEPOSIT_PAISE, reference: randomUUID() } as const;
  await askControl(dataDir, { type: 'account', command: deposit });
}

function told(faults: readonly string[]): string {
  const more = faults.length > FAULTS_TOLD ? `; ${faults.length} in all` : '';
  return `${faults.slice(0, FAULTS_TOLD).join('; ')}${more}`;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
