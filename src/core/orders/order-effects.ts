import type { NewOrderSingle, OrderCancelReplaceRequest, OrderCancelRequest } from '../fix/order-messages.ts';
import type { OrderStatusRequest } from '../fix/order-status-messages.ts';
import type { VenueRefusal } from '../fix/venue-refusals.ts';
import type { LedgerBatch } from '../ledger/ledger-batch.ts';
import type { LedgerEvent } from '../ledger/ledger-event.ts';
import type { CommandOrigin, CommandReply } from './order-command.ts';

/**
 * Everything that the order service does to the world. Nothing here answers at once but the venue: what is asked of the database is answered by the
 * service's `committed`, `batchAnswer` and `reloaded`, each exactly once, in a later turn.
 */
export interface OrderEffects {
  readonly ledger: LedgerEffects;
  readonly venue: VenueEffects;
  /** The reply to a command; to a change of the ledger only when that is durable. */
  answer(origin: CommandOrigin, reply: CommandReply): void;
  /** Durable events of one account, in the order of `seq` and without a gap, for every socket of its user. */
  push(userId: number, events: readonly LedgerEvent[]): void;
  alarm(alarm: OrderAlarm): void;
  /** This process does not own the shard any more and must end: nothing is taken or sent from here on. */
  fatal(text: string): void;
}

/** The ledger database. */
export interface LedgerEffects {
  /** The batch is complete and is likely to be committed next: what can be made ready for that may be, now. */
  prepare(batch: LedgerBatch): void;
  commit(batch: LedgerBatch): void;
  /** What became of a batch whose outcome is unknown. `not-committed` must be final: a COMMIT that is still under way must not succeed after it. */
  askBatch(batchId: number): void;
  /** The accounts as they are committed; one that is not there is none. */
  reload(userIds: readonly number[]): void;
  /** An order that memory let go of. `recalled` answers. */
  recall(wanted: WantedOrder): void;
}

/** An order by its id, whosoever it is, or by the client order id that a user placed it under. */
export type WantedOrder = { readonly orderID: number } | { readonly userId: number; readonly clientOrderID: string };

/** The gateway to the venue: see `net/venue-gateway.ts`. A request that is not None provably never left. */
export interface VenueEffects {
  place(order: NewOrderSingle): VenueRefusal;
  cancel(account: string, request: OrderCancelRequest): VenueRefusal;
  replace(request: OrderCancelReplaceRequest): VenueRefusal;
  status(account: string, request: OrderStatusRequest): VenueRefusal;
  /** The session of an account: the same every day. */
  sessionNameOf(account: string): string;
  /** An order of before this process: it is asked after at the next logon. */
  adopt(account: string, clOrdID: string, symbol: string, side: NewOrderSingle['side']): VenueRefusal;
  /** Asks after every order of a session that is alive, as at a logon: `onSettled` follows. */
  askAll(sessionName: string): void;
  /** What this delivery did, and those before it, is durable: the session's store may learn its number. */
  committed(sessionName: string, epoch: number, msgSeqNum: number): void;
}

export const AlarmKind = {
  /** The database refused what memory allowed. */
  LedgerRefused: 'ledger-refused',
  /** A report about an order that is not ours. */
  UnknownOrder: 'unknown-order',
  /** A fill after the order had ended. */
  LateFill: 'late-fill',
  /** More was executed than ordered. */
  Overfill: 'overfill',
  /** What the venue says of an order is not what we have. */
  VenueDiffers: 'venue-differs',
  /** A bust or a correction of a trade that is not known. */
  UnknownTrade: 'unknown-trade',
  /** Money that should have been there is not: an account is below zero. */
  AccountShort: 'account-short',
  /** As many reports wait for the database as may: the venue's session is dropped, and resends later. */
  ReportsHeldUp: 'reports-held-up',
  /** An intraday position could not be closed, or was carried over the close. */
  SquareOff: 'square-off',
  /** An order was taken to have expired without the venue's word. */
  Expired: 'expired',
  /** An account was frozen by command: a reconciliation found a break, or an operator had a reason. */
  Frozen: 'frozen',
  /** A message of the venue that cannot be used. */
  UnexpectedMessage: 'unexpected-message',
} as const;
export type AlarmKind = (typeof AlarmKind)[keyof typeof AlarmKind];

/** Somebody must look. Raised when what it is about is durable. */
export interface OrderAlarm {
  readonly kind: AlarmKind;
  /** 0 for none. */
  readonly userId: number;
  /** 0 for none. */
  readonly orderID: number;
  readonly text: string;
}
