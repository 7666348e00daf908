import type { ExecutionReportRecord } from '../fix/execution-report-record.ts';
import type { BatchAnswer, CommitOutcome, LedgerBatch } from '../ledger/ledger-batch.ts';
import type { LedgerEvent } from '../ledger/ledger-event.ts';
import type { LoadedAccount } from '../orders/order-books.ts';
import type { OrderCommand } from '../orders/order-command.ts';
import type { Constraint } from './model-database.ts';

/**
 * Where a planted bug may lay its hand on what passes between the engine and the world around it: each hook gets what passes and returns what passes in
 * its place. The engine's own code knows nothing of it.
 */
export interface Tampering {
  /** Constraints that the database does without. */
  readonly without?: readonly Constraint[];
  /** Whether the engine is told that a batch is committed when it is sent. */
  readonly isToldAtOnce?: boolean;
  /** Whether orders are sent again however old they are. */
  readonly resendsAll?: boolean;
  /** Whether messages leave before they are on the disk. */
  readonly leavesUnsynced?: boolean;
  /** Whether the session's store learns a number before what came with it is committed. */
  readonly learnsAtOnce?: boolean;
  /** Whether an engine begins without knowing which deliveries were committed. */
  readonly forgetsDeliveries?: boolean;
  /** Whether an order of before is taken for one that never arrived. */
  readonly guessesLost?: boolean;
  /** A batch on its way to the database. */
  batch?(batch: LedgerBatch): LedgerBatch;
  outcome?(outcome: CommitOutcome): CommitOutcome;
  batchAnswer?(answer: BatchAnswer): BatchAnswer;
  /** An account as the engine loads it. */
  loaded?(loaded: LoadedAccount): LoadedAccount;
  command?(command: OrderCommand): OrderCommand;
  /** Whether a report gets through to the engine; it is the session's and reused. */
  report?(report: ExecutionReportRecord): boolean;
  cancelReject?(): boolean;
  /** A price that traded, as the engine is told of it. */
  trade?(pricePaise: number, instrumentIndex: number): number;
  /** What is pushed; null for nothing. */
  push?(events: readonly LedgerEvent[]): readonly LedgerEvent[] | null;
  /** How often an answer is given. */
  answers?(): number;
}

export const NO_TAMPERING: Tampering = {};
