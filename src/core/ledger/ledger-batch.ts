import type { Holding, Position } from './account.ts';
import type { LedgerEvent } from './ledger-event.ts';
import type { Order } from './order.ts';

/**
 * What is committed in one database call: everything that was decided since the last one. Rows are those after the batch; the database verifies them
 * against its own state and the postings (sequence without a gap, balances, uniqueness) and makes events and rows durable together, or nothing.
 */
export interface LedgerBatch {
  /** Names the batch for ever: an unknown outcome is asked by it. Grows. */
  readonly batchId: number;
  readonly shard: number;
  /** Of the owner of the shard: a stale one is refused. */
  readonly epoch: number;
  readonly events: readonly LedgerEvent[];
  readonly accounts: readonly AccountRow[];
  /** As `orders` rows: inserted, and updated. An order that was placed in this batch is among the new ones only. */
  readonly newOrders: readonly Order[];
  readonly changedOrders: readonly Order[];
  readonly positions: readonly UserPosition[];
  readonly holdings: readonly UserHolding[];
  readonly trades: readonly TradeRow[];
  readonly sessions: readonly FixSessionRow[];
}

/** An account after the batch. */
export interface AccountRow {
  readonly userId: number;
  /** Of its first and last event in the batch. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly cashPaise: number;
  readonly marginUsedPaise: number;
  readonly totalValuePaise: number;
  readonly frozenReason: string;
  /** It took money or a hold in this batch, so that what is free must not be negative after it. A late fill alone does not. */
  readonly mustBeCovered: boolean;
}

export interface UserPosition {
  readonly userId: number;
  readonly position: Position;
}

export interface UserHolding {
  readonly userId: number;
  readonly holding: Holding;
}

/**
 * Rows of trades add up to positions, values and charges: a bust is one row that takes back, a correction two, one that takes back (with `execRefID`)
 * and one that holds now (without).
 */
export interface TradeRow {
  readonly userId: number;
  /** Of the event that made it. */
  readonly seq: number;
  readonly orderID: number;
  readonly instrumentId: number;
  readonly venue: string;
  readonly tradingDay: string;
  readonly execID: string;
  /** '' but for a row that takes back, which names what it undoes. */
  readonly execRefID: string;
  /** Signed: bought is positive, and so is a sale taken back. */
  readonly quantity: number;
  readonly pricePaise: number;
  readonly chargesPaise: number;
  readonly tsMicros: number;
}

/** How far the order sessions are, committed with what their messages did. */
export interface FixSessionRow {
  readonly sessionName: string;
  readonly epoch: number;
  readonly lastSentSeqNum: number;
  readonly lastReceivedSeqNum: number;
  readonly state: 'up' | 'down';
}

/** The constraint that no two orders of a user are placed under one client order id, as a refusal begins with it. */
export const CLIENT_ORDER_ONCE = 'client_order_once';

/** What became of a batch. */
export type CommitOutcome =
  | { readonly kind: 'committed' }
  /** The database refused it by a constraint: nothing was changed. `text` begins with the constraint, and names the row. */
  | { readonly kind: 'refused'; readonly text: string }
  /** Somebody else owns the shard: this process must end. */
  | { readonly kind: 'stale-epoch' }
  /** It provably did not happen; the database cannot be reached. */
  | { readonly kind: 'unavailable'; readonly text: string }
  /** The connection was lost when it may have committed: ask by its id. */
  | { readonly kind: 'unknown'; readonly text: string };

/** The answer to the question whether a batch was committed. */
export type BatchAnswer = 'committed' | 'not-committed' | 'unavailable';
