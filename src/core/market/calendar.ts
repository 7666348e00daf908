import holidays from './holidays.json' with { type: 'json' };
import sessions from './sessions.json' with { type: 'json' };

/** `always`: the market is in continuous trading around the clock; a trading day runs from one 09:15 to the next. `nse`: the exchange's calendar. */
export const MarketHours = { Always: 'always', Nse: 'nse' } as const;
export type MarketHours = (typeof MarketHours)[keyof typeof MarketHours];

export const SessionPhase = {
  PreOpen: 'pre-open',
  Continuous: 'continuous',
  Closed: 'closed',
  Holiday: 'holiday',
} as const;
export type SessionPhase = (typeof SessionPhase)[keyof typeof SessionPhase];

const MICROS_A_SECOND = 1_000_000;
const MICROS_A_DAY = 86_400 * MICROS_A_SECOND;
const UTC_OFFSET_MICROS = sessions.utcOffsetMinutes * 60 * MICROS_A_SECOND;
const PRE_OPEN_MICROS = timeOfDayMicros(sessions.preOpen);
const OPEN_MICROS = timeOfDayMicros(sessions.open);
const CLOSE_MICROS = timeOfDayMicros(sessions.close);
const HOLIDAYS: ReadonlySet<string> = new Set(holidays.holidays);
let lastDay = Number.NaN;
let lastDate = '';

/**
 * The phase of the cash market at `tsMicros` (epoch microseconds). The session data is Asia/Kolkata, UTC+05:30 all year. Years without holiday
 * data have weekends off only.
 */
export function sessionPhase(tsMicros: number, hours: MarketHours): SessionPhase {
  if (hours === MarketHours.Always) return SessionPhase.Continuous;
  const day = indianDay(tsMicros);
  if (!isTradingDay(day)) return SessionPhase.Holiday;
  const timeMicros = tsMicros + UTC_OFFSET_MICROS - day * MICROS_A_DAY;
  if (timeMicros < PRE_OPEN_MICROS || timeMicros >= CLOSE_MICROS) return SessionPhase.Closed;
  return timeMicros < OPEN_MICROS ? SessionPhase.PreOpen : SessionPhase.Continuous;
}

/** The first moment at or after `tsMicros` with continuous trading. */
export function nextOpenMicros(tsMicros: number, hours: MarketHours): number {
  if (sessionPhase(tsMicros, hours) === SessionPhase.Continuous) return tsMicros;
  let day = indianDay(tsMicros);
  if (openOfDay(day) <= tsMicros) day++;
  while (!isTradingDay(day)) day++;
  return openOfDay(day);
}

/** The open of the trading day that `tsMicros` belongs to: the last 09:15 of a trading day at or before it. */
export function lastOpenMicros(tsMicros: number, hours: MarketHours): number {
  let day = indianDay(tsMicros);
  if (openOfDay(day) > tsMicros) day--;
  while (hours === MarketHours.Nse && !isTradingDay(day)) day--;
  return openOfDay(day);
}

/** The Indian calendar date of `tsMicros`, as YYYY-MM-DD. */
export function indianDate(tsMicros: number): string {
  return isoDate(indianDay(tsMicros));
}

/** Microseconds since midnight of `HH:MM`. */
export function timeOfDayMicros(hhmm: string): number {
  return (Number(hhmm.slice(0, 2)) * 60 + Number(hhmm.slice(3))) * 60 * MICROS_A_SECOND;
}

/** Days since 1970-01-01 in Asia/Kolkata. */
export function indianDay(tsMicros: number): number {
  return Math.floor((tsMicros + UTC_OFFSET_MICROS) / MICROS_A_DAY);
}

/** Epoch microseconds of a time of an Indian day, given in microseconds since its midnight. */
export function indianTimeMicros(day: number, timeOfDayMicros: number): number {
  return day * MICROS_A_DAY + timeOfDayMicros - UTC_OFFSET_MICROS;
}

function openOfDay(day: number): number {
  return indianTimeMicros(day, OPEN_MICROS);
}

/** Whether the market has a session on a day since 1970-01-01: no weekend and no holiday. */
export function isTradingDay(day: number): boolean {
  return isWeekday(day) && !HOLIDAYS.has(isoDate(day));
}

/** Monday to Friday. */
export function isWeekday(day: number): boolean {
  const weekday = (day + 4) % 7; // day 0 was a Thursday; 0 is Sunday
  return weekday !== 0 && weekday !== 6;
}

/** A day since 1970-01-01 as YYYY-MM-DD. The last one is remembered: it is asked for by every order and execution of a day. */
export function isoDate(day: number): string {
  if (day !== lastDay) {
    lastDate = new Date(day * 86_400_000).toISOString().slice(0, 10);
    lastDay = day;
  }
  return lastDate;
}
