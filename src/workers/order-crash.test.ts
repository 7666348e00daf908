import t from 'tap';
import { runOrderCrashRounds } from './testing/order-crash-rounds.ts';

/** Deaths at random instants under order load, of the whole product. `npm run torture` runs the same for longer. */

const ROUNDS = 10;

t.setTimeout(1_800_000);
if (process.platform !== 'linux') t.plan(0, 'processes are found by /proc, which is Linux');

t.test('engine, database and exchange killed under orders: nothing lost, nothing doubled, all agree', async (t) => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000_000);
  t.comment(`seed ${seed}`);
  const { kills, commands, commandsPerSecond, ...counts } = await runOrderCrashRounds({ rounds: ROUNDS, seed });
  t.comment(
    `seed ${seed}: killed ${JSON.stringify(kills)}, ${commandsPerSecond} commands/s, ${JSON.stringify(counts)}`,
  );
  t.comment(`seed ${seed}: commands ${JSON.stringify(commands)}`);
  t.ok(kills.engine + kills.exchange + kills.database + kills.backend >= ROUNDS);
  t.ok(commands.acknowledged > ROUNDS * 50, 'orders were acknowledged');
  t.ok(counts.executions > 0, 'orders were executed');
});
