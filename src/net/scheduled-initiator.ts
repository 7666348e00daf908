import { SessionSchedule, type SessionScheduleSettings, type SessionWindow } from '../core/fix/session-schedule.ts';
import { connectFix, type FixInitiator, type FixInitiatorOptions } from './fix-tcp.ts';

const MICROS = 1_000;
/** A timer is not trusted for longer: the machine may sleep, and its clock may be set. */
const LOOK_MS_MAX = 1_000;

export interface ScheduledInitiatorOptions {
  readonly connection: FixInitiatorOptions;
  /** Null connects at once and for good. */
  readonly schedule: SessionScheduleSettings | null;
  /** Epoch milliseconds of the session's last activity before this process; 0 for none. */
  readonly lastActiveMs: number;
  /** Called before the first connection of a window, when the session was last active in an earlier one and its store has been reset. */
  readonly onNewDay: (nowMs: number) => void;
  /**
   * Whether the store may be reset now: everything of the window before is settled. Until then the session goes on under the old numbers, by which it is told what
   * it missed; then it is logged out of, and begins anew. Absent is always.
   */
  readonly mayReset?: (nowMs: number) => boolean;
}

/** An initiator that is connected while its session is held, and logged out of between. */
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
    const isOver = window?.startMicros !== this.#window?.startMicros;
    if (isOver || (this.#isResetDue && this.#mayReset(nowMs))) this.#end();
    if (window !== null && this.#initiator === null && this.#ending === null) this.#begin(window, nowMs);
    if (this.#initiator !== null) this.#lastActiveMs = nowMs;
    this.#timer = setTimeout(() => this.#look(), LOOK_MS_MAX);
  }

  #begin(window: SessionWindow, nowMs: number): void {
    this.#window = window;
    const { connection, onNewDay } = this.#options;
    if (this.#isResetDue || this.#lastActiveMs * MICROS < window.startMicros) {
      this.#isResetDue = !this.#mayReset(nowMs);
      if (!this.#isResetDue) {
        connection.store?.reset(nowMs);
        onNewDay(nowMs);
      }
    }
    this.#initiator = connectFix(connection);
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
