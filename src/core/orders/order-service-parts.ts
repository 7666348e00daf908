import type { FixSessionRow } from '../ledger/ledger-batch.ts';
import type { Venue } from './execution-decisions.ts';
import type { MarketView } from './market-view.ts';
import type { InstrumentDirectory, LoadedAccount, RiskSource } from './order-books.ts';
import type { OrderEffects } from './order-effects.ts';

/** What an order service is made of. */

export interface OrderServiceSettings {
  readonly shard: number;
  /** Of the owner of the shard, see LedgerBatch. */
  readonly epoch: number;
  readonly venue: Venue;
  /** An order or a replace that is older when it may leave is not sent any more. */
  readonly orderMaxAgeMicros: number;
  /** Commands that may wait for the database, of all users and of one. */
  readonly commandsMax: number;
  readonly commandsPerUserMax: number;
  /** Inputs of all kinds that may wait: beyond, the venue's session is dropped and resends. */
  readonly inputsMax: number;
  readonly stopOrdersMax: number;
  /** See CommitQueueSettings. */
  readonly batchInputsFull: number;
  readonly backOffMinMicros: number;
  readonly backOffMaxMicros: number;
}

export const ORDER_SERVICE_DEFAULTS = {
  shard: 0,
  orderMaxAgeMicros: 3_000_000,
  commandsMax: 16_384,
  commandsPerUserMax: 1_024,
  inputsMax: 65_536,
  stopOrdersMax: 1_000_000,
  batchInputsFull: 128,
  backOffMinMicros: 50_000,
  backOffMaxMicros: 1_000_000,
} as const satisfies Partial<OrderServiceSettings>;

/** What the database has at the start. */
export interface CommittedState {
  readonly accounts: Iterable<LoadedAccount>;
  readonly sessions: readonly FixSessionRow[];
  /** The greatest ids that were ever given; 0 for none. */
  readonly lastOrderID: number;
  readonly lastBatchId: number;
}

export interface OrderServiceParts {
  readonly effects: OrderEffects;
  readonly instruments: InstrumentDirectory;
  readonly risk: RiskSource;
  readonly market: MarketView;
}
