import { isDeepStrictEqual } from 'node:util';
import { Prng } from '../../core/exchange/prng.ts';
import { ModelDatabase } from '../../core/simulation/model-database.ts';
import type { ModelTables } from '../../core/simulation/model-tables.ts';
import { RANDOM_BATCH_SHARD, RandomBatches } from '../../core/simulation/random-batches.ts';
import { LedgerPostgres } from '../ledger-postgres.ts';
import { LedgerReader } from '../ledger-reader.ts';
import type { LedgerTarget } from '../ledger-target.ts';

/** Batches between two comparisons of every row of every table; after each batch, what it touched is compared. */
const WHOLE_EVERY = 1_000;
const ROWS_MAX = 1_000_000;

export interface TwinRun {
  readonly committed: number;
  readonly refused: number;
  /** Batches that were broken, by how. */
  readonly faults: Readonly<Record<string, number>>;
}

/** Runs the same random batches on the model of the database and on a real one, and raises an error for the first thing in which they differ. */
export async function runDatabaseTwins(target: LedgerTarget, seed: number, count: number): Promise<TwinRun> {
  const model = new ModelDatabase();
  const ledger = new LedgerPostgres(target, RANDOM_BATCH_SHARD);
  const reader = new LedgerReader(target);
  const faults: Record<string, number> = {};
  let committed = 0;
  try {
    const { epoch } = model.claimShard(RANDOM_BATCH_SHARD);
    const claim = await ledger.claimShard();
    if (claim.epoch !== epoch) throw new Error(`the database is not new: its first owner has epoch ${claim.epoch}`);
    const session = model.openSession(RANDOM_BATCH_SHARD, epoch)!;
    const batches = new RandomBatches(new Prng(seed), model.tables);
    for (let i = 0; i < count; i++) {
      const { batch, fault } = batches.next();
      faults[fault] = (faults[fault] ?? 0) + 1;
      const name = `seed ${seed}, batch ${i}, ${fault || 'valid'}`;
      const expected = model.commit(batch, session);
      const outcome = await ledger.commit(batch);
      if (outcome.kind !== expected.kind)
        throw new Error(`${name}: ${JSON.stringify(outcome)}, the model has ${JSON.stringify(expected)}`);
      if (outcome.kind === 'committed') committed++;
      const users = new Map(batch.accounts.map(({ userId, firstSeq }) => [userId, firstSeq - 1]));
      for (const { userId, seq } of batch.events) users.set(userId, Math.min(users.get(userId) ?? seq - 1, seq - 1));
      for (const [userId, afterSeq] of users) await compareUser(reader, model.tables, userId, afterSeq, name);
      await compareSessions(reader, model.tables, name);
      if ((i + 1) % WHOLE_EVERY === 0 || i + 1 === count)
        for (const userId of model.tables.accounts.keys()) await compareUser(reader, model.tables, userId, 0, name);
    }
  } finally {
    await ledger.close();
    await reader.close();
  }
  return { committed, refused: count - committed, faults };
}

/** All rows of a user; of events and trades those after `afterSeq`. */
async function compareUser(
  reader: LedgerReader,
  tables: ModelTables,
  userId: number,
  afterSeq: number,
  name: string,
): Promise<void> {
  const [funds, events, orders, trades, positions, holdings] = await Promise.all([
    reader.funds(userId),
    reader.eventsAfter(userId, afterSeq, ROWS_MAX),
    reader.orders(userId, 0, ROWS_MAX),
    reader.trades(userId, afterSeq, ROWS_MAX),
    reader.positions(userId),
    reader.holdings(userId),
  ]);
  const record = tables.accounts.get(userId);
  const { lastSeq, ...rest } = record ?? { lastSeq: 0 };
  same(funds, record && { userId, seq: lastSeq, ...rest }, `${name}: account ${userId}`);
  same(events, (tables.events.get(userId) ?? []).slice(afterSeq), `${name}: events of user ${userId}`);
  same(
    orders,
    sorted(
      [...tables.orders.values()].filter((order) => order.userId === userId),
      ({ orderID }) => orderID,
    ),
    `${name}: orders of user ${userId}`,
  );
  same(
    trades,
    sorted(
      [...tables.trades.values()].filter((trade) => trade.userId === userId && trade.seq > afterSeq),
      ({ seq }) => seq,
    ),
    `${name}: trades of user ${userId}`,
  );
  same(
    positions,
    sorted(
      [...(tables.positions.get(userId)?.values() ?? [])],
      ({ instrumentId, product }) => instrumentId * 10 + product,
    ),
    `${name}: positions of user ${userId}`,
  );
  same(
    holdings,
    sorted([...(tables.holdings.get(userId)?.values() ?? [])], ({ instrumentId }) => instrumentId),
    `${name}: holdings of user ${userId}`,
  );
}

async function compareSessions(reader: LedgerReader, tables: ModelTables, name: string): Promise<void> {
  const expected = [...tables.sessions.values()].sort((left, right) => (left.sessionName < right.sessionName ? -1 : 1));
  same(await reader.sessions(), expected, `${name}: sessions`);
}

function sorted<T>(rows: T[], keyOf: (row: T) => number): T[] {
  return rows.sort((left, right) => keyOf(left) - keyOf(right));
}

function same(real: unknown, model: unknown, name: string): void {
  if (!isDeepStrictEqual(real, model))
    throw new Error(`${name}:\n${JSON.stringify(real)} in the database,\n${JSON.stringify(model)} in the model`);
}
