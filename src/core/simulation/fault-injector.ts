import type { Prng } from '../exchange/prng.ts';
import { type BrokerSessions, SESSION_NAMES } from './broker-sessions.ts';
import { CRASH_POINTS, CrashPoint, type CrashTrap, ORDER_STATES, OrderState } from './crash-points.ts';
import { CommitFault, type DatabaseNetwork } from './database-link.ts';
import { FaultKind, type FaultPlan } from './fault-plan.ts';
import type { ModelExchange } from './model-exchange.ts';
import type { Scheduler } from './scheduler.ts';

const AWAY_MICROS_MIN = 50_000;
const AWAY_MICROS_RANGE = 600_000;
/** Long enough for orders to become too old. */
const LONG_AWAY_MICROS = 4_000_000;
const STALL_MICROS_MIN = 20_000;
const STALL_MICROS_RANGE = 600_000;
/** A fault that finds nothing to hit is tried again so much later, so often at most. */
const AGAIN_MICROS = 40_000;
const TRIES_MAX = 30;

const UNKNOWN_OUTCOMES = [CommitFault.LostCommitted, CommitFault.LostNotCommitted, CommitFault.LostUnderWay] as const;

const DAY_END_POINTS = [
  CrashPoint.Decided,
  CrashPoint.CommitSent,
  CrashPoint.CommitDone,
  CrashPoint.CommitKnown,
  CrashPoint.EffectsHalfway,
  CrashPoint.Loaded,
] as const;

/** What faults are done to. The sessions are those of the engine that lives, if one does. */
export interface FaultTargets {
  readonly scheduler: Scheduler;
  readonly random: Prng;
  readonly exchange: ModelExchange;
  readonly network: DatabaseNetwork;
  readonly trap: CrashTrap;
  readonly sessions: BrokerSessions | null;
}

/** Does a fault, again and again until it hits something. */
export class FaultInjector {
  readonly #targets: FaultTargets;
  readonly #plan: FaultPlan;
  /** Faults that have not hit yet. */
  openCount = 0;

  constructor(targets: FaultTargets, plan: FaultPlan) {
    this.#targets = targets;
    this.#plan = plan;
  }

  inject(kind: FaultKind): void {
    this.openCount++;
    this.#try(kind, TRIES_MAX);
  }

  /** The engine dies of the next thing that it makes durable, or while it loads: for the hours when nothing but the end of the day happens. */
  crashSoon(): void {
    const { random, trap, sessions } = this.#targets;
    if (trap.isArmed || sessions === null) return;
    const point = DAY_END_POINTS[random.below(DAY_END_POINTS.length)]!;
    trap.arm(point, null, point === CrashPoint.Loaded ? CrashPoint.CommitKnown : null);
  }

  /** A crash counts when it happens, wherever it was planned. */
  crashed(): void {
    this.#plan.hit(FaultKind.EngineCrash);
  }

  #try(kind: FaultKind, tries: number): void {
    const { scheduler } = this.#targets;
    if (this.#do(kind)) {
      // A crash is counted by `crashed`.
      if (kind !== FaultKind.EngineCrash) this.#plan.hit(kind);
    } else if (tries > 0) {
      scheduler.after(AGAIN_MICROS, () => this.#try(kind, tries - 1));
      return;
    }
    this.openCount--;
  }

  #do(kind: FaultKind): boolean {
    const { random, exchange, network, sessions } = this.#targets;
    const name = SESSION_NAMES[random.below(SESSION_NAMES.length)]!;
    switch (kind) {
      case FaultKind.EngineCrash:
        return this.#crash();
      case FaultKind.SessionCrash: {
        if (exchange.ends.get(name)!.session?.loggedOn !== true) return false;
        exchange.crashSession(name);
        return true;
      }
      case FaultKind.MessageLost: {
        const wire = sessions?.wireOf(name) ?? null;
        if (wire === null || wire.isCut || wire.loseNextFrom !== null) return false;
        wire.loseNextFrom = random.below(2) === 0 ? sessions!.endOf(name) : exchange.ends.get(name)!;
        return true;
      }
      case FaultKind.MessageRepeated:
        return exchange.repeatOne(name);
      case FaultKind.DatabaseFailure:
        this.#failDatabase();
        return true;
      case FaultKind.UnknownOutcome:
        network.faults.push(UNKNOWN_OUTCOMES[random.below(UNKNOWN_OUTCOMES.length)]!);
        return true;
      default: {
        const end = random.below(2) === 0 ? sessions?.endOf(name) : exchange.ends.get(name);
        if (end === undefined) return false;
        end.stalledUntilMicros =
          this.#targets.scheduler.nowMicros + STALL_MICROS_MIN + random.below(STALL_MICROS_RANGE);
        return true;
      }
    }
  }

  #failDatabase(): void {
    const { random, network, scheduler } = this.#targets;
    switch (random.below(12)) {
      case 0:
        network.awayUntilMicros = scheduler.nowMicros + LONG_AWAY_MICROS;
        break;
      case 1:
      case 2:
      case 3:
        network.awayUntilMicros = scheduler.nowMicros + AWAY_MICROS_MIN + random.below(AWAY_MICROS_RANGE);
        break;
      case 4:
      case 5:
      case 6:
        network.faults.push(CommitFault.Slow);
        break;
      default:
        network.faults.push(CommitFault.FailsBefore);
    }
  }

  /** Arms the trap for one point and state; where it takes something else to get there, that is done, too. */
  #crash(): boolean {
    const { random, trap, network, sessions, exchange } = this.#targets;
    if (trap.isArmed || sessions === null) return false;
    const point = CRASH_POINTS[random.below(CRASH_POINTS.length)]!;
    const state = exchange.isOpen ? ORDER_STATES[random.below(ORDER_STATES.length)]! : OrderState.Expired;
    let before: CrashPoint | null = null;
    switch (point) {
      case CrashPoint.CommitSent:
        // Half of the time the batch is still on its way when the next engine takes over.
        if (random.below(2) === 0) network.faults.push(CommitFault.Slow);
        break;
      case CrashPoint.OutcomeAsked:
        network.faults.push(CommitFault.LostCommitted);
        break;
      case CrashPoint.Loaded:
      case CrashPoint.Settling:
        before = random.below(2) === 0 ? CrashPoint.Decided : CrashPoint.CommitKnown;
        break;
      case CrashPoint.RequestStored:
      case CrashPoint.RequestDurable:
      case CrashPoint.RequestLeft:
        // After the close nobody sends orders, but a session that comes back has questions.
        if (!exchange.isOpen) exchange.crashSession(SESSION_NAMES[random.below(SESSION_NAMES.length)]!);
        break;
      default:
    }
    trap.arm(point, state, before);
    return true;
  }
}
