import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../core/fix/testing/seeded-random.ts';
import { CrashDesk, type DeskSettings } from './crash-desk.ts';
import type { CommandCounts } from './crash-trader.ts';
import type { Victim } from './victims.ts';

export interface OrderCrashOptions {
  /** Deaths under load, each followed by the comparison of everything. */
  readonly rounds: number;
  readonly seed: number;
  readonly onRound?: (round: number, victims: readonly Victim[]) => void;
}

export interface OrderCrashResult {
  readonly seed: number;
  readonly rounds: number;
  readonly kills: Readonly<Record<Victim, number>>;
  readonly commands: CommandCounts;
  /** Commands a second, from the begin of each load to the first death. */
  readonly commandsPerSecond: number;
  /** In the ledgers, at the ends. */
  readonly orders: number;
  readonly executions: number;
  /** Orders of which the exchange was asked, and said the same. */
  readonly askedAtVenue: number;
}

/** Rounds on one data directory, so that recoveries stack; then comes a new one, so that comparisons stay quick. */
const ROUNDS_A_DIRECTORY = 10;
const SETTINGS: DeskSettings = { users: 100, rate: 1_000, timeoutMs: 180_000 };

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
  const sums = { orders: 0, executions: 0, askedAtVenue: 0 };
  const flow = { ms: 0, commands: 0 };
  for (let done = 0; done < rounds; done += ROUNDS_A_DIRECTORY) {
    const dataDir = mkdtempSync(join(tmpdir(), 'outcry-order-crash-'));
    const desk = new CrashDesk(dataDir, SETTINGS, random, kills, commands);
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
      flow.ms += desk.flow.ms;
      flow.commands += desk.flow.commands;
      rmSync(dataDir, { recursive: true, force: true });
    } catch (error) {
      throw new Error(`seed ${seed}, files in ${dataDir}: ${(error as Error).message}`, { cause: error });
    } finally {
      await desk.abandon();
    }
  }
  const commandsPerSecond = Math.round((flow.commands * 1_000) / flow.ms);
  return { seed, rounds, kills, commands, commandsPerSecond, ...sums };
}
