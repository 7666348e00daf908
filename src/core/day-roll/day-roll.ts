import type { Account } from '../ledger/account.ts';
import { Product } from '../ledger/order.ts';
import { type MarketHours, SessionPhase, sessionPhase } from '../market/calendar.ts';
import { type DayOutlook, DayStep, dayDutyOf } from './day-duty.ts';
import { type DayMarks, dayMarksAt } from './trading-day.ts';

/** What the roll needs of the order path. */
export interface DayRollHost {
  /** All of the shard. */
  accounts(): Iterable<Account>;
  find(userId: number): Account | undefined;
  /** Takes the account's next step, through its one writer; `answered` follows when that is durable, or came to nothing. */
  step(userId: number, isSettled: boolean): void;
  /** The session with the venue that the user's orders go over. */
  sessionNameOf(userId: number): string;
  /** Asks the venue what became of every order that is alive on a session; `settled` follows. */
  askVenue(sessionName: string): void;
  /** `told` is called when everything that memory has now is durable. */
  whenDurable(told: () => void): void;
  /** The close came and a position was still open: it is carried, and closed when the market opens. */
  carried(userId: number, instrumentIds: readonly number[]): void;
}

/** Accounts that are looked at in one turn, and steps that wait for an answer. */
const LOOKS_A_TURN = 2_000;
const IN_FLIGHT_MAX = 256;
/** After a step that came to nothing; it doubles with each. */
const PAUSE_MIN_MICROS = 1_000_000;
const PAUSE_MAX_MICROS = 30_000_000;
/** Between two looks at accounts that wait for something. */
const LOOK_MICROS = 50_000;
/** A venue has so long to say by itself what expired, before it is asked. */
const VENUE_GRACE_MICROS = 5_000_000;
const ASK_AGAIN_MICROS = 60_000_000;

interface Session {
  isUp: boolean;
  /** When the venue was last asked after every order: at a logon, or by us. */
  askedMicros: number;
  /** What `askedMicros` was of the last time that it had answered for all. */
  settledMicros: number;
  /** Nothing of the days that these marks have closed is open on it; whether that is durable. */
  overAsked: { readonly marks: DayMarks; isDurable: boolean } | null;
}

/** An account whose day is not in order. */
interface Open {
  step: DayStep;
  isInFlight: boolean;
  retryMicros: number;
  pauseMicros: number;
  /** The day whose close an intraday position was carried over, once that is told; '' for none. */
  carriedDate: string;
}

/**
 * The end of each trading day, for every account: orders expire, the contract note is issued, deliveries become holdings; before that, intraday positions are squared off. Sans-I/O.
 *
 * It keeps nothing that must outlive the process. Which step an account is in is read from the account (`dayDutyOf`), whose every change is a durable event; an
 * account goes on when its step before is durable, and none waits for another.
 */
export class DayRoll {
  readonly #hours: MarketHours;
  readonly #host: DayRollHost;
  readonly #sessions = new Map<string, Session>();
  /** In the order in which they are looked at next. */
  readonly #open = new Map<number, Open>();
  #marks: DayMarks | null = null;
  /** Accounts that are to be looked at for the first time since the marks moved. */
  #scan: Iterator<Account> | null = null;
  #inFlight = 0;
  #dueMicros = Number.NEGATIVE_INFINITY;

  constructor(hours: MarketHours, host: DayRollHost) {
    this.#hours = hours;
    this.#host = host;
  }

  /** Whether every day that has closed is done with: nothing is left but what the day in progress will bring. */
  get isDone(): boolean {
    return this.#marks !== null && this.#scan === null && this.#open.size === 0;
  }

  /** The last day that has closed, once every account is done with it; '' until then. */
  get doneDate(): string {
    return this.isDone ? this.#marks!.closed.date : '';
  }

  /** When `onTimer` has something to do. */
  get dueMicros(): number {
    return this.#dueMicros;
  }

  /** How many accounts are in which step. */
  progress(): Readonly<Partial<Record<DayStep, number>>> {
    const counts: Partial<Record<DayStep, number>> = {};
    for (const { step } of this.#open.values()) counts[step] = (counts[step] ?? 0) + 1;
    return counts;
  }

  /**
   * Whether the numbers of a session may begin anew: nothing of a day that has closed is open on it, and that is durable. What the venue told is lost with the numbers it
   * was told under, so it must not be in memory alone. Asked again and again until it is so.
   */
  mayReset(sessionName: string, nowMicros: number): boolean {
    const marks = this.#marks;
    if (marks === null || this.#scan !== null || nowMicros >= marks.nextMicros) return false;
    const session = this.#session(sessionName);
    for (const [userId, { step }] of this.#open) {
      if (step !== DayStep.Expire || this.#host.sessionNameOf(userId) !== sessionName) continue;
      session.overAsked = null;
      return false;
    }
    if (session.overAsked?.marks !== marks) {
      const asked = { marks, isDurable: false };
      session.overAsked = asked;
      this.#host.whenDurable(() => {
        asked.isDurable = true;
      });
    }
    return session.overAsked.isDurable;
  }

  /** A session came up, which asks the venue after every order, or went down. */
  state(sessionName: string, isUp: boolean, nowMicros: number): void {
    const session = this.#session(sessionName);
    session.isUp = isUp;
    if (isUp) session.askedMicros = nowMicros;
  }

  /** The venue has answered for every order that was alive, and the service has taken the answers. */
  settled(sessionName: string): void {
    const session = this.#session(sessionName);
    session.settledMicros = session.askedMicros;
  }

  /** Whether the day's intraday positions are being closed: then an execution of an account may open one anew. */
  get isSquaringOff(): boolean {
    const marks = this.#marks;
    return marks !== null && marks.squaredOff.date === marks.current.date && marks.closed.date !== marks.current.date;
  }

  /** An execution, a bust or a correction is durable: the account is looked at once more, although its positions were closed. */
  executed(userId: number): void {
    if (!this.isSquaringOff || this.#open.has(userId)) return;
    this.#open.set(userId, newOpen(DayStep.SquareOff));
    this.#dueMicros = Number.NEGATIVE_INFINITY;
  }

  /** The answer to `step`. */
  answered(userId: number, isDone: boolean, nowMicros: number): void {
    const open = this.#open.get(userId);
    if (open === undefined || !open.isInFlight) return;
    open.isInFlight = false;
    this.#inFlight--;
    if (isDone) {
      open.pauseMicros = PAUSE_MIN_MICROS;
      return;
    }
    open.retryMicros = nowMicros + open.pauseMicros;
    open.pauseMicros = Math.min(2 * open.pauseMicros, PAUSE_MAX_MICROS);
  }

  onTimer(nowMicros: number): void {
    if (nowMicros < this.#dueMicros) return;
    if (this.#marks === null || nowMicros >= this.#marks.nextMicros) {
      this.#marks = dayMarksAt(nowMicros, this.#hours);
      this.#scan = this.#host.accounts()[Symbol.iterator]();
    }
    const marks = this.#marks;
    const isMarketOpen = sessionPhase(nowMicros, this.#hours) === SessionPhase.Continuous;
    const outlook = { marks, nowMicros, isMarketOpen };
    this.#look(outlook);
    this.#scanOn(outlook);
    const isIdle = this.#open.size === 0 && this.#scan === null;
    this.#dueMicros = isIdle ? marks.nextMicros : this.#scan === null ? nowMicros + LOOK_MICROS : nowMicros;
  }

  /** Looks at accounts that are open, those that were looked at longest ago first. */
  #look(outlook: Omit<DayOutlook, 'isSettled'>): void {
    let looks = Math.min(this.#open.size, LOOKS_A_TURN);
    for (const [userId, open] of this.#open) {
      if (looks-- === 0) return;
      this.#open.delete(userId);
      const account = this.#host.find(userId);
      if (open.isInFlight || account === undefined) this.#open.set(userId, open);
      else this.#take(account, open, outlook);
    }
  }

  #scanOn(outlook: Omit<DayOutlook, 'isSettled'>): void {
    for (let looks = 0; looks < LOOKS_A_TURN && this.#scan !== null; looks++) {
      const { done, value } = this.#scan.next();
      if (done) this.#scan = null;
      else if (!this.#open.has(value.userId)) this.#take(value, null, outlook);
    }
  }

  /** Keeps an account that is open, with its next step on the way if there is something to do. */
  #take(account: Account, known: Open | null, outlook: Omit<DayOutlook, 'isSettled'>): void {
    const { userId } = account;
    const { nowMicros, marks } = outlook;
    const isSettled = this.#isSettled(userId, marks);
    const duty = dayDutyOf(account, { ...outlook, isSettled });
    if (duty === null) return;
    const { step } = duty;
    const open = known ?? newOpen(step);
    open.step = step;
    this.#open.set(userId, open);
    if (step === DayStep.Expire && !isSettled) this.#askVenue(userId, outlook);
    if (step === DayStep.SquareOff) this.#tellCarried(account, open, marks);
    if (!duty.isActionable || nowMicros < open.retryMicros || this.#inFlight >= IN_FLIGHT_MAX) return;
    open.isInFlight = true;
    this.#inFlight++;
    this.#host.step(userId, isSettled);
  }

  #tellCarried({ userId, positions }: Account, open: Open, { closed, squaredOff }: DayMarks): void {
    if (squaredOff.date !== closed.date || open.carriedDate === closed.date) return;
    open.carriedDate = closed.date;
    const carried = [...positions.values()].filter(
      ({ product, quantity }) => product === Product.MIS && quantity !== 0,
    );
    this.#host.carried(
      userId,
      carried.map(({ instrumentId }) => instrumentId),
    );
  }

  /** Whether the venue has said what became of the user's orders since the last close. */
  #isSettled(userId: number, marks: DayMarks): boolean {
    const session = this.#session(this.#host.sessionNameOf(userId));
    return session.settledMicros >= marks.closed.closeMicros + VENUE_GRACE_MICROS;
  }

  #askVenue(userId: number, { marks, nowMicros }: Omit<DayOutlook, 'isSettled'>): void {
    const name = this.#host.sessionNameOf(userId);
    const session = this.#session(name);
    const fromMicros = marks.closed.closeMicros + VENUE_GRACE_MICROS;
    const isAsked = session.askedMicros >= fromMicros && nowMicros < session.askedMicros + ASK_AGAIN_MICROS;
    if (!session.isUp || nowMicros < fromMicros || isAsked) return;
    session.askedMicros = nowMicros;
    this.#host.askVenue(name);
  }

  #session(name: string): Session {
    let session = this.#sessions.get(name);
    if (session === undefined) {
      const never = Number.NEGATIVE_INFINITY;
      session = { isUp: false, askedMicros: never, settledMicros: never, overAsked: null };
      this.#sessions.set(name, session);
    }
    return session;
  }
}

function newOpen(step: DayStep): Open {
  return { step, isInFlight: false, retryMicros: 0, pauseMicros: PAUSE_MIN_MICROS, carriedDate: '' };
}
