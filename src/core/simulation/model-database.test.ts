import { test } from 'tap';
import { Prng } from '../exchange/prng.ts';
import { BATCH_FAULTS } from './broken-batches.ts';
import { ModelDatabase } from './model-database.ts';
import { RANDOM_BATCH_SHARD, RandomBatches } from './random-batches.ts';

test('takes every valid batch, refuses every kind of broken one, and keeps nothing of a refused one', (t) => {
  const seed = 11;
  const database = new ModelDatabase();
  database.claimShard(RANDOM_BATCH_SHARD);
  const { epoch } = database.claimShard(RANDOM_BATCH_SHARD);
  const session = database.openSession(RANDOM_BATCH_SHARD, epoch)!;
  const batches = new RandomBatches(new Prng(seed), database.tables);
  const seen = new Map<string, number>();
  for (let i = 0; i < 4_000; i++) {
    const { batch, fault } = batches.next();
    const eventCount = countEvents(database);
    const outcome = database.commit(batch, session);
    const expected = fault === '' ? 'committed' : fault === 'stale epoch' ? 'stale-epoch' : 'refused';
    if (outcome.kind !== expected) {
      t.fail(`seed ${seed}, batch ${i}, ${fault}: ${JSON.stringify(outcome)}`);
      break;
    }
    if (fault !== '' && countEvents(database) !== eventCount) t.fail(`batch ${i}, ${fault}: something of it is kept`);
    seen.set(fault, (seen.get(fault) ?? 0) + 1);
  }
  for (const fault of BATCH_FAULTS) t.ok(seen.get(fault)! >= 5, `${fault}: ${seen.get(fault)}`);
  t.end();
});

test('a new owner, and a new connection of one, end what was before', (t) => {
  const database = new ModelDatabase();
  const first = database.claimShard(RANDOM_BATCH_SHARD);
  const session = database.openSession(RANDOM_BATCH_SHARD, first.epoch)!;
  const batch = new RandomBatches(new Prng(3), database.tables).next().batch;
  database.openSession(RANDOM_BATCH_SHARD, first.epoch);
  t.equal(database.commit(batch, session).kind, 'stale-epoch');
  t.equal(database.answer(RANDOM_BATCH_SHARD, batch.batchId), 'not-committed');
  database.claimShard(RANDOM_BATCH_SHARD);
  t.equal(database.openSession(RANDOM_BATCH_SHARD, first.epoch), null);
  t.end();
});

function countEvents({ tables }: ModelDatabase): number {
  let count = 0;
  for (const events of tables.events.values()) count += events.length;
  return count;
}
