import type { Prng } from '../exchange/prng.ts';

export const FaultKind = {
  /** The engine dies at a named step. */
  EngineCrash: 'engine-crash',
  /** The exchange's end of a session dies, and comes back with its numbers. */
  SessionCrash: 'session-crash',
  /** A connection is lost with messages on it, one way or the other. */
  MessageLost: 'message-lost',
  /** The exchange tells an execution once more. */
  MessageRepeated: 'message-repeated',
  /** The database cannot be reached for a while, or is slow. */
  DatabaseFailure: 'database-failure',
  /** The connection is lost during a commit. */
  UnknownOutcome: 'unknown-outcome',
  /** One session stands still while everything else goes on. */
  Reordering: 'reordering',
} as const;
export type FaultKind = (typeof FaultKind)[keyof typeof FaultKind];

export const FAULT_KINDS: readonly FaultKind[] = Object.values(FaultKind);

/** Of each kind, what a day has at least. */
export const FAULTS_A_DAY_MIN = 20;
/** What is planned, since a fault may find nothing to hit. */
const FAULTS_PLANNED = 24;

/** Which faults a day has, dealt to its episodes, and how many have hit. */
export class FaultPlan {
  readonly hits = new Map<FaultKind, number>(FAULT_KINDS.map((kind) => [kind, 0]));
  readonly #waiting: FaultKind[];

  constructor(random: Prng) {
    const planned = FAULT_KINDS.flatMap((kind) => new Array<FaultKind>(FAULTS_PLANNED).fill(kind));
    for (let i = planned.length - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [planned[i], planned[j]] = [planned[j]!, planned[i]!];
    }
    this.#waiting = planned;
  }

  get isDone(): boolean {
    return [...this.hits.values()].every((count) => count >= FAULTS_A_DAY_MIN);
  }

  /** The faults of the next episode; once all are dealt, of each kind that has not hit often enough one more. */
  take(count: number): FaultKind[] {
    const taken = this.#waiting.splice(0, count);
    if (taken.length > 0) return taken;
    return FAULT_KINDS.filter((kind) => this.hits.get(kind)! < FAULTS_A_DAY_MIN);
  }

  hit(kind: FaultKind): void {
    this.hits.set(kind, this.hits.get(kind)! + 1);
  }
}
