import t from 'tap';
import { ReconnectBackoff } from './reconnect-backoff.ts';
import { SessionRouter } from './session-router.ts';
import { isTimeOfDay, SessionDays, SessionSchedule, type SessionWindow } from './session-schedule.ts';

const micros = (text: string): number => Date.parse(text) * 1_000;
const shown = (window: SessionWindow | null): string =>
  window === null
    ? 'none'
    : `${window.date}: ${new Date(window.startMicros / 1_000).toISOString()} to ${new Date(window.endMicros / 1_000).toISOString()}`;

// 2026: 24 November (a Tuesday) and 25 December (a Friday) are holidays of the market; 28 November is a Saturday.
t.test('schedule: a session is held on trading days between its times, in India', (t) => {
  const schedule = new SessionSchedule({ days: SessionDays.Trading, start: '08:45', end: '16:00' });
  const monday = '2026-11-23: 2026-11-23T03:15:00.000Z to 2026-11-23T10:30:00.000Z';
  t.equal(shown(schedule.windowAt(micros('2026-11-23T08:44:59.999+05:30'))), 'none', 'before its start');
  t.equal(shown(schedule.windowAt(micros('2026-11-23T08:45:00+05:30'))), monday, 'from its start');
  t.equal(shown(schedule.windowAt(micros('2026-11-23T15:59:59.999+05:30'))), monday, 'up to its end');
  t.equal(shown(schedule.windowAt(micros('2026-11-23T16:00:00+05:30'))), 'none', 'its end is outside');
  t.equal(schedule.nextWindow(micros('2026-11-23T08:00:00+05:30')).date, '2026-11-23', 'next: later today');
  t.equal(schedule.nextWindow(micros('2026-11-23T08:45:00+05:30')).date, '2026-11-25', 'next: over the holiday');
  t.equal(shown(schedule.windowAt(micros('2026-11-24T12:00:00+05:30'))), 'none', 'a holiday');
  t.equal(schedule.nextWindow(micros('2026-11-27T17:00:00+05:30')).date, '2026-11-30', 'over the week-end');
  t.equal(schedule.nextWindow(micros('2026-12-24T17:00:00+05:30')).date, '2026-12-28', 'holiday and week-end');
  t.end();
});

t.test('schedule: weekdays know no holidays, and all days no week-end', (t) => {
  const weekdays = new SessionSchedule({ days: SessionDays.Weekdays, start: '09:00', end: '10:00' });
  t.equal(weekdays.windowAt(micros('2026-11-24T09:30:00+05:30'))?.date, '2026-11-24');
  t.equal(weekdays.windowAt(micros('2026-11-28T09:30:00+05:30')), null);
  const all = new SessionSchedule({ days: SessionDays.All, start: '09:00', end: '10:00' });
  t.equal(all.windowAt(micros('2026-11-29T09:30:00+05:30'))?.date, '2026-11-29');
  t.end();
});

t.test('schedule: a session past midnight belongs to the day it began on', (t) => {
  const schedule = new SessionSchedule({ days: SessionDays.Trading, start: '20:00', end: '04:00' });
  t.equal(schedule.windowAt(micros('2026-11-23T23:59:59+05:30'))?.date, '2026-11-23');
  t.equal(schedule.windowAt(micros('2026-11-24T00:00:00+05:30'))?.date, '2026-11-23', 'into the holiday');
  t.equal(schedule.windowAt(micros('2026-11-24T03:59:59.999+05:30'))?.date, '2026-11-23');
  t.equal(schedule.windowAt(micros('2026-11-24T04:00:00+05:30')), null);
  t.equal(schedule.windowAt(micros('2026-11-24T21:00:00+05:30')), null, 'none begins on a holiday');
  const around = new SessionSchedule({ days: SessionDays.All, start: '09:00', end: '09:00' });
  t.equal(around.windowAt(micros('2026-11-24T08:59:59.999+05:30'))?.date, '2026-11-23', 'the same time is all round');
  t.equal(around.windowAt(micros('2026-11-24T09:00:00+05:30'))?.date, '2026-11-24');
  t.end();
});

t.test('schedule: numbers begin anew with the first window after the last activity', (t) => {
  const schedule = new SessionSchedule({ days: SessionDays.Trading, start: '20:00', end: '04:00' });
  const now = micros('2026-11-24T00:30:00+05:30');
  t.notOk(schedule.isNewDay(micros('2026-11-23T20:00:00+05:30'), now), 'midnight is no start of a day');
  t.ok(schedule.isNewDay(micros('2026-11-23T19:59:59.999+05:30'), now), 'of the day before');
  t.ok(schedule.isNewDay(0, now), 'never active');
  t.notOk(schedule.isNewDay(0, micros('2026-11-24T12:00:00+05:30')), 'outside a window nothing begins');
  t.throws(() => new SessionSchedule({ days: SessionDays.All, start: '9:00', end: '10:00' }), /HH:MM/);
  t.same(['00:00', '23:59', '24:00', '12:60', '1:00', '12:00:00'].map(isTimeOfDay), [
    true,
    true,
    ...Array(4).fill(false),
  ]);
  t.end();
});

t.test('router: an account is on one session, the same after a restart and in any order of sessions', (t) => {
  const names = ['NSE-A', 'NSE-B', 'NSE-C'];
  const router = new SessionRouter(names);
  const again = new SessionRouter([...names].reverse());
  const counts = new Map<string, number>();
  for (let i = 0; i < 30_000; i++) {
    const account = `ACC${i}`;
    const name = names[router.sessionOf(account)]!;
    counts.set(name, (counts.get(name) ?? 0) + 1);
    if ([...names].reverse()[again.sessionOf(account)] !== name) t.fail(`${account} moved`);
  }
  for (const name of names) {
    const share = counts.get(name)! / 10_000;
    t.ok(share > 0.95 && share < 1.05, `${name} has its third: ${share}`);
  }
  t.end();
});

t.test('router: a further session takes accounts for itself only; pinned ones stay', (t) => {
  const two = ['A', 'B'];
  const three = ['A', 'B', 'C'];
  const before = new SessionRouter(two);
  const after = new SessionRouter(three);
  let moved = 0;
  for (let i = 0; i < 10_000; i++) {
    const was = two[before.sessionOf(`ACC${i}`)];
    const is = three[after.sessionOf(`ACC${i}`)];
    if (was === is) continue;
    moved++;
    if (is !== 'C') t.fail(`ACC${i} went from ${was} to ${is}`);
  }
  t.ok(moved > 3_000 && moved < 3_700, `${moved} of 10,000 moved`);
  const pinned = new SessionRouter(three, new Map([['HOUSE', 'B']]));
  t.equal(three[pinned.sessionOf('HOUSE')], 'B');
  t.throws(() => new SessionRouter(two, new Map([['HOUSE', 'C']])), /no session/);
  t.throws(() => new SessionRouter(['A', 'A']), /once/);
  t.end();
});

t.test('backoff: from the shortest, doubling to the longest, with jitter; a logon begins anew', (t) => {
  const backoff = new ReconnectBackoff(5_000, 60_000);
  const almostOne = 1 - Number.EPSILON;
  t.same(
    Array.from({ length: 6 }, () => backoff.nextDelayMs(almostOne)),
    [4_999, 9_999, 19_999, 39_999, 59_999, 59_999],
  );
  t.equal(backoff.nextDelayMs(0), 30_000, 'at least half');
  backoff.succeeded();
  t.equal(backoff.nextDelayMs(0), 2_500);
  for (let i = 0; i < 10_000; i++) backoff.nextDelayMs(0.5);
  t.equal(backoff.nextDelayMs(0.5), 45_000, 'however long it is down');
  t.end();
});
