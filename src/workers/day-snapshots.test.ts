import t from 'tap';
import { DaySnapshots } from './day-snapshots.ts';

t.test('at the end of each day once, again after a failure, and not while one is being closed', async (t) => {
  const taken: { resolve: (count: number) => void; reject: (error: Error) => void }[] = [];
  const days = new DaySnapshots(
    () => {
      const done = new Promise<number>((resolve, reject) => taken.push({ resolve, reject }));
      return { done, stop: async () => taken.at(-1)!.reject(new Error('stopped')) };
    },
    () => {},
  );
  const at = async (doneDate: string, nowMs: number) => {
    days.onTimer(doneDate, nowMs);
    await new Promise(setImmediate);
    return taken.length;
  };
  t.equal(await at('', 0), 0, 'the day is being closed');
  t.equal(await at('2026-11-26', 1), 1);
  t.equal(await at('2026-11-26', 2), 1, 'under way');
  taken[0]!.reject(new Error('the database is away'));
  t.equal(await at('2026-11-26', 3), 1, 'after a pause');
  await new Promise(setImmediate);
  t.equal(await at('2026-11-26', 70_000), 2);
  taken[1]!.resolve(7);
  await new Promise(setImmediate);
  t.equal(await at('2026-11-26', 200_000), 2, 'done');
  t.equal(await at('', 200_001), 2);
  t.equal(await at('2026-11-27', 200_002), 3, 'the next day');
  await days.close();
});
