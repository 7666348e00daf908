import { assert } from '../assert.ts';
import { indianDay, indianTimeMicros, isoDate, isTradingDay, isWeekday, timeOfDayMicros } from '../market/calendar.ts';

/** Which days a session is held on: those of the market's calendar, Monday to Friday, or all. */
export const SessionDays = { Trading: 'trading', Weekdays: 'weekdays', All: 'all' } as const;
export type SessionDays = (typeof SessionDays)[keyof typeof SessionDays];

export interface SessionScheduleSettings {
  readonly days: SessionDays;
  /** HH:MM in Asia/Kolkata: when the session may be connected. */
  readonly start: string;
  /** HH:MM: when it is disconnected. Not after `start` means on the next day; the same time means all round. */
  readonly end: string;
}

/** One session: from its connection to its disconnection, under one set of numbers. */
export interface SessionWindow {
  /** The Indian date it begins on, YYYY-MM-DD: a session past midnight belongs to the day before. */
  readonly date: string;
  /** Epoch microseconds; the end is exclusive. */
  readonly startMicros: number;
  readonly endMicros: number;
}

const MICROS_A_DAY = 86_400_000_000;
/** No calendar has a longer pause. */
const PAUSE_DAYS_MAX = 366;

/**
 * When a session with a venue is held. Sans-I/O: time comes in, epoch microseconds. The message numbers begin at 1 with each window, so `isNewDay`
 * says whether a session last active at one time has to reset them at another.
 */
export class SessionSchedule {
  readonly #days: SessionDays;
  readonly #startMicros: number;
  readonly #lengthMicros: number;

  constructor(settings: SessionScheduleSettings) {
    assert(isTimeOfDay(settings.start) && isTimeOfDay(settings.end), 'times of day as HH:MM');
    this.#days = settings.days;
    this.#startMicros = timeOfDayMicros(settings.start);
    const length = timeOfDayMicros(settings.end) - this.#startMicros;
    this.#lengthMicros = length > 0 ? length : length + MICROS_A_DAY;
  }

  /** The session that is held at `tsMicros`, or null. */
  windowAt(tsMicros: number): SessionWindow | null {
    const day = indianDay(tsMicros);
    // Yesterday's may reach past midnight.
    for (const candidate of [day, day - 1]) {
      if (!this.#isHeldOn(candidate)) continue;
      const window = this.#windowOf(candidate);
      if (window.startMicros <= tsMicros && tsMicros < window.endMicros) return window;
    }
    return null;
  }

  /** The first session that begins after `tsMicros`. */
  nextWindow(tsMicros: number): SessionWindow {
    const today = indianDay(tsMicros);
    for (let day = today; day <= today + PAUSE_DAYS_MAX; day++) {
      if (!this.#isHeldOn(day)) continue;
      const window = this.#windowOf(day);
      if (window.startMicros > tsMicros) return window;
    }
    throw new RangeError(`no session is held within ${PAUSE_DAYS_MAX} days`);
  }

  /** Whether a session that was last active at `lastMicros` belongs to an earlier window than `nowMicros`, which is inside one. */
  isNewDay(lastMicros: number, nowMicros: number): boolean {
    const window = this.windowAt(nowMicros);
    return window !== null && lastMicros < window.startMicros;
  }

  #isHeldOn(day: number): boolean {
    if (this.#days === SessionDays.All) return true;
    return this.#days === SessionDays.Trading ? isTradingDay(day) : isWeekday(day);
  }

  #windowOf(day: number): SessionWindow {
    const startMicros = indianTimeMicros(day, this.#startMicros);
    return { date: isoDate(day), startMicros, endMicros: startMicros + this.#lengthMicros };
  }
}

/** Whether a text is a time of day that a schedule takes. */
export function isTimeOfDay(text: string): boolean {
  return /^([01][0-9]|2[0-3]):[0-5][0-9]$/.test(text);
}
