import type { FixStore } from '../core/fix/fix-store.ts';
import { SessionSchedule, type SessionScheduleSettings, type SessionWindow } from '../core/fix/session-schedule.ts';
import { connectFix, type FixInitiator, type FixInitiatorOptions } from './fix-tcp.ts';

const MICROS = 1_000;
/** A timer is not trusted for longer: the machine may sleep, and its clock may be set. */
const LOOK_MS_MAX = 1_000;

export interface ScheduledInitiatorOptions {
  readonly connection: FixInitiatorOptions;
  /** Null connects at once and for good. */
  readonly schedule: SessionScheduleSettings | null;
  /** Epoch milliseconds of the session's last activity before this process, or of when its numbers began; 0 for none. */
  readonly lastActiveMs: number;
  /**
   * Whether the numbers may begin anew now: everything of the window before is settled. Until then the session goes on under the old ones, by which it is told what
   * it missed; then it is logged out of, and the next Logon resets both sides. Absent is always.
   */
  readonly mayReset?: (nowMs: number) => boolean;
}

/**
 * An initiator that is connected while its session is held, and logged out of between. With the first connection of a window the numbers begin anew, by a Logon that asks the venue
 * to do the same: a process that dies in the middle of that asks again.
 */
export class ScheduledInitiator {
  readonly #options: ScheduledInitiatorOptions;
  readonly #schedule: SessionSchedule | null;
  readonly #now: () => number;
  #initiator: FixInitiator | null = null;
  #window: SessionWindow | null = null;
  #lastActiveMs: number;
  /** The window is connected to under the numbers of an earlier one. */
  #isResetDue = false;
  /** The logout of the window before, which the next connection waits for. */
  #ending: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ScheduledInitiatorOptions) {
    this.#options = options;
    this.#schedule = options.schedule === null ? null : new SessionSchedule(options.schedule);
    this.#now = options.connection.now ?? Date.now;
    this.#lastActiveMs = options.lastActiveMs;
    if (this.#schedule === null) this.#initiator = connectFix(options.connection);
    else this.#look();
  }

  /** Logs out and closes; resolves when nothing of it is left. */
  async close(text: string): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await Promise.all([this.#ending, this.#initiator?.close(text)]);
  }

  #look(): void {
    const schedule = this.#schedule as SessionSchedule;
    const nowMs = this.#now();
    const window = schedule.windowAt(nowMs * MICROS);
    const before = this.#window;
    const isOver = window?.startMicros !== before?.startMicros;
    // A session that is held around the clock is not logged out of for the new day, but for its new numbers, once it may have them.
    const goesOn = before !== null && window !== null && before.endMicros === window.startMicros;
    if (isOver && goesOn) {
      this.#window = window;
      this.#isResetDue = true;
    }
    if ((isOver && !goesOn) || (this.#isResetDue && this.#mayReset(nowMs))) this.#end();
    if (window !== null && this.#initiator === null && this.#ending === null) this.#begin(window, nowMs);
    if (this.#initiator !== null) this.#lastActiveMs = nowMs;
    this.#timer = setTimeout(() => this.#look(), LOOK_MS_MAX);
  }

  #begin(window: SessionWindow, nowMs: number): void {
    this.#window = window;
    const { connection } = this.#options;
    const isDue = this.#isResetDue || this.#lastActiveMs * MICROS < window.startMicros;
    const beginsAnew = isDue && isUsed(connection.store) && this.#mayReset(nowMs);
    this.#isResetDue = isDue && isUsed(connection.store) && !beginsAnew;
    this.#initiator = connectFix({ ...connection, beginsAnew });
  }

  #mayReset(nowMs: number): boolean {
    return this.#options.mayReset?.(nowMs) ?? true;
  }

  #end(): void {
    const initiator = this.#initiator;
    this.#window = null;
    this.#initiator = null;
    if (initiator === null) return;
    this.#ending = initiator.close('the session of the day is over').then(() => {
      this.#ending = null;
      if (this.#closed) return;
      clearTimeout(this.#timer);
      this.#look();
    });
  }
}

/** A store that nothing was sent or received under is as new as can be. */
function isUsed(store: FixStore | undefined): boolean {
  return store !== undefined && store.nextSenderMsgSeqNum + store.nextTargetMsgSeqNum > 2;
}
