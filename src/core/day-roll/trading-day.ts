import {
  indianDay,
  indianTimeMicros,
  isoDate,
  lastOpenMicros,
  MarketHours,
  nextOpenMicros,
  timeOfDayMicros,
} from '../market/calendar.ts';
import sessions from '../market/sessions.json' with { type: 'json' };

const MICROS_A_DAY = 86_400_000_000;
const CLOSE_MICROS = timeOfDayMicros(sessions.close);
/** Between the pre-open and the open nothing trades: what belongs to the days before is put in its place then. */
const PRE_OPEN_MICROS = timeOfDayMicros(sessions.open) - timeOfDayMicros(sessions.preOpen);
/** Intraday positions are closed out so long before the close: at 15:20 of a close at 15:30. */
const SQUARE_OFF_MICROS = 600_000_000;

/** A trading day and its moments, epoch microseconds. */
export interface TradingDay {
  /** The Indian date that it begins on, YYYY-MM-DD. */
  readonly date: string;
  readonly openMicros: number;
  /** From here on intraday positions are closed and no new one is begun. */
  readonly squareOffMicros: number;
  readonly closeMicros: number;
  /** T+1: from here on its deliveries are holdings. */
  readonly settleMicros: number;
}

/** The trading day that a moment belongs to: the last one that has opened. */
export function tradingDayAt(tsMicros: number, hours: MarketHours): TradingDay {
  const openMicros = lastOpenMicros(tsMicros, hours);
  const isAlways = hours === MarketHours.Always;
  const day = indianDay(openMicros);
  const closeMicros = isAlways ? openMicros + MICROS_A_DAY : indianTimeMicros(day, CLOSE_MICROS);
  const settleMicros = isAlways ? closeMicros : nextOpenMicros(closeMicros, hours) - PRE_OPEN_MICROS;
  return {
    date: isoDate(day),
    openMicros,
    squareOffMicros: closeMicros - SQUARE_OFF_MICROS,
    closeMicros,
    settleMicros,
  };
}

/** How far the trading days have come at one moment. */
export interface DayMarks {
  readonly current: TradingDay;
  /** The last day whose intraday positions were to be closed. */
  readonly squaredOff: TradingDay;
  /** The last day that has closed. */
  readonly closed: TradingDay;
  /** The last day whose deliveries are holdings. */
  readonly settled: TradingDay;
  /** When one of these moves on. */
  readonly nextMicros: number;
}

export function dayMarksAt(tsMicros: number, hours: MarketHours): DayMarks {
  const current = tradingDayAt(tsMicros, hours);
  const previous = tradingDayAt(current.openMicros - 1, hours);
  const past = (micros: number): TradingDay => (micros <= tsMicros ? current : previous);
  const { squareOffMicros, closeMicros, settleMicros } = current;
  // With round-the-clock hours the next day begins when this one closes: its own square-off comes later than anything of this one.
  const nextMicros = [squareOffMicros, closeMicros, settleMicros].find((micros) => micros > tsMicros);
  return {
    current,
    squaredOff: past(squareOffMicros),
    closed: past(closeMicros),
    settled: past(settleMicros),
    nextMicros: nextMicros ?? nextOpenMicros(tsMicros, hours),
  };
}
