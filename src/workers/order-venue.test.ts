import t from 'tap';
import { SessionSchedule } from '../core/fix/session-schedule.ts';
import { sessionScheduleOf } from './order-venue.ts';

t.test('order sessions: held before the pre-open of a trading day until it is closed, or around the clock', (t) => {
  const nse = sessionScheduleOf({ sessionHours: '', marketHours: 'nse' });
  t.same(nse, { days: 'trading', start: '08:45', end: '17:00' });
  const always = sessionScheduleOf({ sessionHours: '', marketHours: 'always' });
  t.same(always, { days: 'all', start: '09:15', end: '09:15' });
  const saturdayNight = Date.parse('2026-11-29T03:00:00+05:30') * 1_000;
  t.equal(new SessionSchedule(nse).windowAt(saturdayNight), null);
  t.match(new SessionSchedule(always).windowAt(saturdayNight), { date: '2026-11-28' });
  t.same(sessionScheduleOf({ sessionHours: '07:30-23:00', marketHours: 'nse' }), {
    ...{ days: 'trading', start: '07:30', end: '23:00' },
  });
  t.end();
});
