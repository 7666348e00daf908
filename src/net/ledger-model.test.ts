/** The model of the database that the simulation runs on, held to the real one. */
import t from 'tap';
import { BATCH_FAULTS } from '../core/simulation/broken-batches.ts';
import { runDatabaseTwins } from './testing/database-twins.ts';
import { openTestDatabase } from './testing/ledger-fixture.ts';

const SEED = 41;
const BATCHES = 1_000;

t.test('model and database take and refuse the same batches, and have the same rows after each', async (t) => {
  const database = await openTestDatabase(t.testdir());
  t.teardown(() => database.close());
  const run = await runDatabaseTwins(database.target, SEED, BATCHES);
  t.equal(run.committed + run.refused, BATCHES, `seed ${SEED}`);
  for (const fault of BATCH_FAULTS) t.ok(run.faults[fault]! > 0, fault);
});
