import type { Prng } from '../exchange/prng.ts';
import type { BatchAnswer, CommitOutcome, LedgerBatch } from '../ledger/ledger-batch.ts';
import type { ModelDatabase } from './model-database.ts';
import type { Scheduler } from './scheduler.ts';

/** What a call to commit meets. */
export const CommitFault = {
  /** The connection is lost before the call is read. */
  FailsBefore: 'fails-before',
  /** The connection is lost when it may have been committed, and it was. */
  LostCommitted: 'lost-committed',
  /** The same, and it never will be. */
  LostNotCommitted: 'lost-not-committed',
  /** The same, and it is still on its way when the next connection asks. */
  LostUnderWay: 'lost-under-way',
  Slow: 'slow',
} as const;
export type CommitFault = (typeof CommitFault)[keyof typeof CommitFault];

/** Whom the link tells when a batch is in the database, whoever lives. */
export interface LinkObserver {
  committed(batch: LedgerBatch): void;
}

const COMMIT_MICROS_MIN = 200;
const COMMIT_MICROS_RANGE = 3_000;
const SLOW_MICROS_RANGE = 800_000;
const LOST_TEXT = 'the connection was lost';

/** The wires between engines and the database, and what goes wrong on them. They outlive the engines: a batch of a dead one may still arrive. */
export class DatabaseNetwork {
  readonly database: ModelDatabase;
  readonly scheduler: Scheduler;
  readonly random: Prng;
  readonly observer: LinkObserver;
  /** Until when no connection can be had. */
  awayUntilMicros = 0;
  /** What the next commits meet, in turn. */
  readonly faults: CommitFault[] = [];

  constructor(database: ModelDatabase, scheduler: Scheduler, random: Prng, observer: LinkObserver) {
    this.database = database;
    this.scheduler = scheduler;
    this.random = random;
    this.observer = observer;
  }

  get isAway(): boolean {
    return this.scheduler.nowMicros < this.awayUntilMicros;
  }

  delayMicros(isSlow: boolean = false): number {
    const micros = COMMIT_MICROS_MIN + this.random.below(COMMIT_MICROS_RANGE);
    return isSlow ? micros + this.random.below(SLOW_MICROS_RANGE) : micros;
  }
}

/** One engine's way to the database. After a loss it opens a new session before anything else, as the real one does. */
export class DatabaseLink {
  readonly #network: DatabaseNetwork;
  readonly #shard: number;
  readonly #epoch: number;
  /** Of the connection; null while there is none. */
  #session: number | null = null;

  constructor(network: DatabaseNetwork, shard: number, epoch: number) {
    this.#network = network;
    this.#shard = shard;
    this.#epoch = epoch;
  }

  /** `batch` is its sender's no more: rows are as they were when it was sent. */
  commit(batch: LedgerBatch, answer: (outcome: CommitOutcome) => void): void {
    const network = this.#network;
    const { scheduler } = network;
    const fault = network.isAway ? CommitFault.FailsBefore : network.faults.shift();
    const sent = network.delayMicros(fault === CommitFault.Slow);
    const back = network.delayMicros();
    if (fault === CommitFault.FailsBefore) {
      this.#session = null;
      scheduler.after(sent, () => answer({ kind: 'unavailable', text: 'no connection' }));
      return;
    }
    const session = this.#open();
    if (session === null) {
      scheduler.after(sent, () => answer({ kind: 'stale-epoch' }));
      return;
    }
    switch (fault) {
      case CommitFault.LostCommitted:
      case CommitFault.LostNotCommitted:
      case CommitFault.LostUnderWay: {
        this.#session = null;
        const arrives = fault === CommitFault.LostUnderWay ? sent + back + network.delayMicros() : sent;
        if (fault !== CommitFault.LostNotCommitted) scheduler.after(arrives, () => this.#arrive(batch, session));
        scheduler.after(sent + back, () => answer({ kind: 'unknown', text: LOST_TEXT }));
        return;
      }
      default:
        scheduler.after(sent, () => {
          const outcome = this.#arrive(batch, session);
          scheduler.after(back, () => answer(outcome));
        });
    }
  }

  /** What became of a batch: asked on a new session, so that what an earlier one has under way can no longer be committed after it. */
  ask(batchId: number, answer: (answer: BatchAnswer) => void): void {
    const network = this.#network;
    network.scheduler.after(network.delayMicros(), () => {
      if (network.isAway) {
        answer('unavailable');
        return;
      }
      this.#session = null;
      this.#open();
      answer(network.database.answer(this.#shard, batchId));
    });
  }

  #open(): number | null {
    this.#session ??= this.#network.database.openSession(this.#shard, this.#epoch);
    return this.#session;
  }

  #arrive(batch: LedgerBatch, session: number): CommitOutcome {
    const outcome = this.#network.database.commit(batch, session);
    if (outcome.kind === 'committed') this.#network.observer.committed(batch);
    return outcome;
  }
}
