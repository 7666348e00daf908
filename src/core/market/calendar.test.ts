import t from 'tap';
import { indianDate, lastOpenMicros, MarketHours, nextOpenMicros, SessionPhase, sessionPhase } from './calendar.ts';

/** Epoch microseconds of a wall-clock time in Asia/Kolkata. */
const ist = (text: string): number => Date.parse(`${text}+05:30`) * 1000;
const { Nse, Always } = MarketHours;

t.test('phases of an ordinary Monday', async (t) => {
  for (const [time, phase] of [
    ['08:59:59.999', SessionPhase.Closed],
    ['09:00:00', SessionPhase.PreOpen],
    ['09:14:59.999', SessionPhase.PreOpen],
    ['09:15:00', SessionPhase.Continuous],
    ['15:29:59.999', SessionPhase.Continuous],
    ['15:30:00', SessionPhase.Closed],
  ] as const) {
    t.equal(sessionPhase(ist(`2026-11-23T${time}`), Nse), phase, time);
  }
});

t.test('holidays and weekends are closed all day, and always-open hours never are', async (t) => {
  t.equal(sessionPhase(ist('2026-11-22T11:00:00'), Nse), SessionPhase.Holiday, 'Sunday');
  t.equal(sessionPhase(ist('2026-11-21T11:00:00'), Nse), SessionPhase.Holiday, 'Saturday');
  t.equal(sessionPhase(ist('2026-11-24T11:00:00'), Nse), SessionPhase.Holiday, 'listed holiday');
  t.equal(sessionPhase(ist('2026-11-22T03:00:00'), Always), SessionPhase.Continuous);
});

t.test('the next open skips weekends and holidays', async (t) => {
  t.equal(nextOpenMicros(ist('2026-11-20T16:00:00'), Nse), ist('2026-11-23T09:15:00'), 'Friday evening to Monday');
  t.equal(nextOpenMicros(ist('2026-11-23T15:30:00'), Nse), ist('2026-11-25T09:15:00'), 'over the holiday of the 24th');
  t.equal(nextOpenMicros(ist('2026-11-23T07:00:00'), Nse), ist('2026-11-23T09:15:00'), 'this morning');
  t.equal(nextOpenMicros(ist('2026-11-23T10:00:00'), Nse), ist('2026-11-23T10:00:00'), 'open now');
  t.equal(nextOpenMicros(ist('2026-11-22T10:00:00'), Always), ist('2026-11-22T10:00:00'));
});

t.test('the trading day of a moment begins at the last open', async (t) => {
  t.equal(lastOpenMicros(ist('2026-11-23T10:00:00'), Nse), ist('2026-11-23T09:15:00'));
  t.equal(
    lastOpenMicros(ist('2026-11-23T09:00:00'), Nse),
    ist('2026-11-20T09:15:00'),
    'before Monday opens it is Friday',
  );
  t.equal(lastOpenMicros(ist('2026-11-22T09:00:00'), Always), ist('2026-11-21T09:15:00'));
});

t.test('the Indian date changes at 18:30 UTC', async (t) => {
  t.equal(indianDate(Date.parse('2026-11-22T18:29:59.999Z') * 1000), '2026-11-22');
  t.equal(indianDate(Date.parse('2026-11-22T18:30:00Z') * 1000), '2026-11-23');
});
