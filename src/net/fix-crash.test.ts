import t from 'tap';
import { runCrashRounds } from './testing/crash-rounds.ts';
import { runCrashSimulation } from './testing/crash-simulation.ts';
import { runResetSimulation } from './testing/reset-simulation.ts';
import { runStoreLives } from './testing/store-lives.ts';

/** Deaths at random instants. `npm run torture` runs the same for longer. */

const KILLED_PROCESSES = 10;
const STORE_LIVES = 2_000;
const SIMULATED_DEATHS = 1_000;

function newSeed(): number {
  return Number(process.env.SEED ?? Date.now() % 1_000_000_000);
}

t.test(
  'a store over a disk that drops what was not synced: numbers never back, all that was sent can be sent again',
  async (t) => {
    const seed = newSeed();
    t.comment(`seed ${seed}`);
    const { lives, endings, messages, tornTails } = await runStoreLives({ lives: STORE_LIVES, seed });
    t.comment(`${lives} lives, ${JSON.stringify(endings)}, ${messages} messages sent`);
    t.ok(tornTails > 0, 'some deaths tore a tail');
  },
);

t.test('order flow over such disks: nothing lost, each order taken once and reported once', async (t) => {
  const seed = newSeed();
  t.comment(`seed ${seed}`);
  const { deaths, orders, tornTails } = await runCrashSimulation({ deaths: SIMULATED_DEATHS, seed });
  t.comment(`${deaths} deaths, ${orders} orders, ${tornTails} torn tails`);
  t.ok(orders > SIMULATED_DEATHS / 2, 'orders went through');
});

t.test('resets in a session: no key twice, no message twice, and both sides find each other again', async (t) => {
  const seed = newSeed();
  t.comment(`seed ${seed}`);
  const { deaths, deathsInReset, resets, messages } = await runResetSimulation({ deaths: SIMULATED_DEATHS, seed });
  t.comment(`${deaths} deaths, ${deathsInReset} in a reset, ${resets} resets, ${messages} messages`);
  t.ok(deathsInReset > SIMULATED_DEATHS / 10, 'many died while the numbers turned');
});

t.test('order flow between processes, killed: nothing lost, each order taken once and reported once', async (t) => {
  const seed = newSeed();
  t.comment(`seed ${seed}`);
  const { kills, orders } = await runCrashRounds({ rounds: KILLED_PROCESSES, seed });
  t.comment(`${kills.broker} brokers and ${kills.venue} venues killed, ${orders} orders`);
  t.equal(kills.broker + kills.venue, KILLED_PROCESSES);
  t.ok(orders > 0, 'orders went through');
});
