import type { BatchAnswer, CommitOutcome, LedgerBatch } from '../core/ledger/ledger-batch.ts';
import type { LoadedAccount, LoadedOrder } from '../core/orders/order-books.ts';
import type { LedgerEffects, WantedOrder } from '../core/orders/order-effects.ts';
import {
  ORDER_STATS_COMMIT_FAILURES,
  ORDER_STATS_COMMIT_MICROS,
  ORDER_STATS_COMMITS,
  ORDER_STATS_EVENTS_COMMITTED,
} from '../core/shm/generated/worker-stats.gen.ts';
import type { LedgerPostgres } from '../net/ledger-postgres.ts';
import type { LedgerReader } from '../net/ledger-reader.ts';
import { loadAccounts, loadOrder } from '../net/ledger-state.ts';

/** What the database says, on its way back to the order service. */
export interface LedgerAnswers {
  committed(batchId: number, outcome: CommitOutcome): void;
  batchAnswer(batchId: number, answer: BatchAnswer): void;
  /** Null: it could not be reached. */
  reloaded(accounts: readonly LoadedAccount[] | null): void;
  recalled(wanted: WantedOrder, found: LoadedOrder | null | 'unavailable'): void;
}

/** The database, as the order service asks it. */
export class OrderLedger implements LedgerEffects {
  readonly #ledger: LedgerPostgres;
  readonly #reader: LedgerReader;
  readonly #answers: LedgerAnswers;
  readonly #stats: Float64Array;
  readonly #dayMicros: () => number;

  /** `dayMicros` is when the trading day began whose orders are in memory. */
  constructor(
    ledger: LedgerPostgres,
    reader: LedgerReader,
    answers: LedgerAnswers,
    stats: Float64Array,
    dayMicros: () => number,
  ) {
    this.#ledger = ledger;
    this.#reader = reader;
    this.#answers = answers;
    this.#stats = stats;
    this.#dayMicros = dayMicros;
  }

  prepare(batch: LedgerBatch): void {
    this.#ledger.prepare(batch);
  }

  commit(batch: LedgerBatch): void {
    const startMs = performance.now();
    void this.#ledger.commit(batch).then((outcome) => {
      const stats = this.#stats;
      stats[ORDER_STATS_COMMIT_MICROS >> 1]! += (performance.now() - startMs) * 1_000;
      if (outcome.kind === 'committed') {
        stats[ORDER_STATS_COMMITS >> 1]! += 1;
        stats[ORDER_STATS_EVENTS_COMMITTED >> 1]! += batch.events.length;
      } else {
        stats[ORDER_STATS_COMMIT_FAILURES >> 1]! += 1;
      }
      this.#answers.committed(batch.batchId, outcome);
    });
  }

  askBatch(batchId: number): void {
    void this.#ledger.answer(batchId).then((answer) => this.#answers.batchAnswer(batchId, answer));
  }

  reload(userIds: readonly number[]): void {
    void loadAccounts(this.#reader, userIds, this.#dayMicros()).then(
      (accounts) => this.#answers.reloaded(accounts),
      () => this.#answers.reloaded(null),
    );
  }

  recall(wanted: WantedOrder): void {
    void loadOrder(this.#reader, wanted).then(
      (found) => this.#answers.recalled(wanted, found),
      () => this.#answers.recalled(wanted, 'unavailable'),
    );
  }
}
