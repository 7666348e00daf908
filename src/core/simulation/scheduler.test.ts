import { test } from 'tap';
import { Prng } from '../exchange/prng.ts';
import { Scheduler } from './scheduler.ts';

test('events happen by their moment, those of one moment in the order in which they were asked for', (t) => {
  const seed = 7;
  const random = new Prng(seed);
  const scheduler = new Scheduler(1_000);
  const asked: { at: number; order: number }[] = [];
  const happened: { at: number; order: number }[] = [];
  const ask = (): void => {
    const event = { at: scheduler.nowMicros + random.below(20), order: asked.length };
    asked.push(event);
    scheduler.at(event.at, () => {
      t.equal(scheduler.nowMicros, event.at);
      happened.push(event);
      if (asked.length < 300) ask();
    });
  };
  for (let i = 0; i < 100; i++) ask();
  while (scheduler.step());
  const sorted = [...asked].sort((left, right) => left.at - right.at || left.order - right.order);
  t.same(happened, sorted, `seed ${seed}`);
  t.equal(scheduler.nextMicros, Number.POSITIVE_INFINITY);
  t.end();
});

test('what is asked for a moment that has passed happens now', (t) => {
  const scheduler = new Scheduler(1_000);
  let at = 0;
  scheduler.at(10, () => {
    at = scheduler.nowMicros;
  });
  scheduler.step();
  t.equal(at, 1_000);
  t.notOk(scheduler.step());
  t.end();
});
