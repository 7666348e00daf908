import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { indianDate } from '../../core/market/calendar.ts';
import { askControl } from '../../net/control-socket.ts';
import { readInstrumentFile } from '../../net/instrument-file.ts';
import { issueToken } from '../../net/token.ts';
import { readTokenSecret } from '../../net/token-secret.ts';
import { type CommandCounts, CrashTrader } from './crash-trader.ts';
import {
  clientFaults,
  ledgerFaults,
  orderFaults,
  readAccounts,
  tradeFaults,
  withOwnReader,
} from './order-crash-checks.ts';
import { QuoteTap } from './quote-tap.ts';
import { CLI, killProcessesOf, processesOf, Running, type Status } from './running.ts';
import { askVenue, nameAtVenue, venueFault } from './venue-probe.ts';
import { Killer, type Victim } from './victims.ts';

export interface DeskSettings {
  readonly users: number;
  /** Commands a second of all users together. */
  readonly rate: number;
  /** How long one wait may take. */
  readonly timeoutMs: number;
}

const SYMBOLS = 12;
/** The control socket takes 16 connections. */
const ACCOUNTS_AT_ONCE = 10;
const DEPOSIT_PAISE = 1_000_000_000_000;
/** How long load goes on before a death. */
const FLOW_MS_MIN = 50;
const FLOW_MS_MAX = 900;
/** One death in so many is followed by another before the first is over. */
const SECOND_DEATH_ODDS = 4;
const SECOND_DEATH_MS_MAX = 700;
const PACE_MS = 5;
/** A change that was under way may have refused a cancel. */
const CANCEL_AGAIN_MS = 500;
/** Commands that the pacing makes up for when it was late. */
const BACKLOG_MAX = 200;
/** Orders that are acknowledged after a death before the load ends. */
const ACKNOWLEDGED_AFTER = 50;
const FAULTS_TOLD = 10;

/** One Outcry, its traders, and what is done to it. */
export class CrashDesk {
  /** From the begin of a load to the first death: for how long, and commands sent. */
  readonly flow = { ms: 0, commands: 0 };
  readonly #dataDir: string;
  readonly #timeoutMs: number;
  readonly #rate: number;
  readonly #users: number;
  readonly #random: (below: number) => number;
  readonly #kills: Record<Victim, number>;
  readonly #commands: CommandCounts;
  readonly #faults: string[] = [];
  readonly #running: Running;
  readonly #killer: Killer;
  readonly #traders: CrashTrader[] = [];
  #quotes: QuoteTap | undefined;
  #load: NodeJS.Timeout | undefined;

  constructor(
    dataDir: string,
    { rate, users, timeoutMs }: DeskSettings,
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
    this.#killer = new Killer(this.#running, random);
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
    const sinceMs = performance.now();
    const before = commandsOf(this.#commands);
    this.#startLoad();
    await sleep(FLOW_MS_MIN + this.#random(FLOW_MS_MAX));
    const victims = [await this.#killOne()];
    this.flow.ms += performance.now() - sinceMs;
    this.flow.commands += commandsOf(this.#commands) - before;
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
    const isOver = (): boolean => this.#traders.every(({ isQuiet, liveCount }) => isQuiet && liveCount === 0);
    await this.#until(async () => {
      for (const trader of this.#traders) trader.cancelAbout(1);
      await sleep(CANCEL_AGAIN_MS);
      return isOver();
    }, 'every order to be over');
    await this.#compare();
    const { venue } = await this.#running.status();
    const { orders, symbols, executions } = await withOwnReader(this.#dataDir, async (reader) => {
      const { orders } = await readAccounts(reader);
      const date = indianDate(Date.now() * 1_000);
      const symbols = readInstrumentFile(join(this.#dataDir, 'instruments.json')).symbolsOn(date);
      const executions = await reader.snapshot(async (read) => {
        for await (const [count] of read('SELECT count(*)::int FROM outcry.trades')) return count as number;
        return 0;
      });
      return { orders, symbols, executions };
    });
    const asked = orders.map((order) => ({ order, symbol: symbols.get(order.instrumentId)! }));
    const theirs = await askVenue(venue.port, asked, this.#timeoutMs);
    const faults = orders
      .map((order) => venueFault(order, theirs.get(nameAtVenue(order))!))
      .filter((fault) => fault !== '');
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
    await killProcessesOf(this.#dataDir);
  }

  #startLoad(): void {
    let lastMs = performance.now();
    let due = 0;
    this.#load = setInterval(() => {
      const nowMs = performance.now();
      due = Math.min(BACKLOG_MAX, due + ((nowMs - lastMs) * this.#rate) / 1_000);
      lastMs = nowMs;
      for (; due >= 1; due--) this.#traders[this.#random(this.#traders.length)]!.act();
    }, PACE_MS);
  }

  #stopLoad(): void {
    clearInterval(this.#load);
  }

  async #killOne(): Promise<Victim> {
    const victim = this.#killer.draw();
    await this.#until(() => this.#killer.kill(victim), `a ${victim} to kill`);
    this.#kills[victim]++;
    return victim;
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
        const accounts = await readAccounts(reader);
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

function commandsOf({ place, modify, cancel }: CommandCounts): number {
  return place + modify + cancel;
}

function told(faults: readonly string[]): string {
  const more = faults.length > FAULTS_TOLD ? `; ${faults.length} in all` : '';
  return `${faults.slice(0, FAULTS_TOLD).join('; ')}${more}`;
}
