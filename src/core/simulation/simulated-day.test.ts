import t, { test } from 'tap';
import { FAULT_KINDS, FAULTS_A_DAY_MIN } from './fault-plan.ts';
import { runSimulatedDay } from './simulated-day.ts';

// Two whole days: long on a machine that is busy with something else.
t.setTimeout(600_000);

test('a day with crashes at every step, lost messages, a failing database and more breaks nothing, and replays exactly', (t) => {
  const seed = 1;
  const day = runSimulatedDay(seed);
  t.same(day.findings, [], `seed ${seed}`);
  t.ok(day.orders >= 2_000, `${day.orders} orders`);
  for (const kind of FAULT_KINDS) t.ok(day.faults[kind] >= FAULTS_A_DAY_MIN, `${day.faults[kind]} of ${kind}`);
  t.same(runSimulatedDay(seed), day, 'the same again');
  t.end();
});
