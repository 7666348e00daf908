import { type Order, OrderStatus } from '../ledger/order.ts';

/** Where an engine may die: every step of an order's way, and of coming back. */
export const CrashPoint = {
  /** Decided in memory; the batch has not gone to the database. */
  Decided: 'decided',
  /** The batch is on its way and is not in the database. */
  CommitSent: 'commit-sent',
  /** It is in the database; the engine has no answer. */
  CommitDone: 'commit-done',
  /** The engine has the answer, and nothing that waited for it has left. */
  CommitKnown: 'commit-known',
  /** Some of what waited for it has left. */
  EffectsHalfway: 'effects-halfway',
  /** A request is in the session's store, and not on the disk. */
  RequestStored: 'request-stored',
  /** It is on the disk and none of its bytes has left. */
  RequestDurable: 'request-durable',
  /** Its bytes have left. */
  RequestLeft: 'request-left',
  /** A report is there and nobody has looked at it. */
  ReportArrived: 'report-arrived',
  /** The outcome of a batch is unknown and was asked for. */
  OutcomeAsked: 'outcome-asked',
  /** Coming back: accounts are loaded, no session is connected. */
  Loaded: 'loaded',
  /** Coming back: a session is logged on, its orders are not settled. */
  Settling: 'settling',
} as const;
export type CrashPoint = (typeof CrashPoint)[keyof typeof CrashPoint];

export const CRASH_POINTS: readonly CrashPoint[] = Object.values(CrashPoint);

/** The state of an order that a crash finds. */
export const OrderState = {
  Pending: 'pending',
  TriggerPending: 'trigger-pending',
  Open: 'open',
  PartiallyFilled: 'partially-filled',
  ModifyPending: 'modify-pending',
  CancelPending: 'cancel-pending',
  Filled: 'filled',
  Canceled: 'canceled',
  Rejected: 'rejected',
  Expired: 'expired',
} as const;
export type OrderState = (typeof OrderState)[keyof typeof OrderState];

export const ORDER_STATES: readonly OrderState[] = Object.values(OrderState);

const BY_STATUS: Readonly<Record<OrderStatus, OrderState>> = {
  [OrderStatus.Pending]: OrderState.Pending,
  [OrderStatus.TriggerPending]: OrderState.TriggerPending,
  [OrderStatus.Open]: OrderState.Open,
  [OrderStatus.PartiallyFilled]: OrderState.PartiallyFilled,
  [OrderStatus.Filled]: OrderState.Filled,
  [OrderStatus.Canceled]: OrderState.Canceled,
  [OrderStatus.Rejected]: OrderState.Rejected,
  [OrderStatus.Expired]: OrderState.Expired,
};

/** A change without an answer counts before the order's status. */
export function orderStateOf({ status, pendingChanges }: Order): OrderState {
  const last = pendingChanges.at(-1);
  if (last === undefined || status >= OrderStatus.Filled) return BY_STATUS[status];
  return last.terms === null ? OrderState.CancelPending : OrderState.ModifyPending;
}

/** The engine died here. It passes through whatever called. */
export class SimulatedCrash extends Error {
  readonly point: CrashPoint;

  constructor(point: CrashPoint) {
    super(`the engine died at ${point}`);
    this.point = point;
  }
}

/** The trap is not kept for a state that does not come. */
const PASSES_MAX = 300;

/** Lets the engine die when it comes to a point with an order in a certain state, and once before that where it takes a crash to get there. */
export class CrashTrap {
  #point: CrashPoint | null = null;
  #state: OrderState | null = null;
  #passes = 0;
  #before: CrashPoint | null = null;
  /** Whether an order of the engine is in a state. */
  isInState: (state: OrderState) => boolean = () => false;

  get isArmed(): boolean {
    return this.#point !== null;
  }

  /** `before` is where it dies first. With no state it is the next time that it comes there. */
  arm(point: CrashPoint, state: OrderState | null, before: CrashPoint | null): void {
    this.#point = point;
    this.#state = state;
    this.#passes = 0;
    this.#before = before;
  }

  disarm(): void {
    this.#point = null;
    this.#before = null;
  }

  pass(point: CrashPoint): void {
    if (this.#before !== null) {
      if (this.#before !== point || !this.#isTime()) return;
      this.#before = null;
    } else {
      // Where it took a crash to get to, it does not come again soon.
      const isRare = point === CrashPoint.Loaded || point === CrashPoint.Settling || point === CrashPoint.OutcomeAsked;
      if (this.#point !== point || !(this.#isTime() || isRare)) return;
      this.#point = null;
    }
    throw new SimulatedCrash(point);
  }

  #isTime(): boolean {
    return this.#passes++ > PASSES_MAX || this.#state === null || this.isInState(this.#state);
  }
}
