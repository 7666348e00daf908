import type { Holding, Position } from '../ledger/account.ts';
import type { FixSessionRow, TradeRow } from '../ledger/ledger-batch.ts';
import type { LedgerEvent } from '../ledger/ledger-event.ts';
import type { NoteDue } from '../ledger/note-due.ts';
import type { Order } from '../ledger/order.ts';

export interface OwnerRecord {
  epoch: number;
  /** Of the owner's connection: what an earlier one of it may still have under way is refused. */
  session: number;
  lastBatchId: number;
  /** Orders with a smaller id have ended, and none is placed any more. */
  openFrom: number;
}

/** An account as its row has it. */
export interface AccountRecord {
  readonly lastSeq: number;
  readonly availablePaise: number;
  readonly heldPaise: number;
  readonly marginPaise: number;
  readonly totalValuePaise: number;
  readonly frozenReason: string;
}

/** The tables of the ledger's database, by their keys. Rows are copies that nobody changes. */
export class ModelTables {
  readonly owners = new Map<number, OwnerRecord>();
  readonly accounts = new Map<number, AccountRecord>();
  /** By user, the event of seq n at n − 1. */
  readonly events = new Map<number, LedgerEvent[]>();
  readonly orders = new Map<number, Order>();
  /** Of all orders, ascending. */
  readonly orderIDs: number[] = [];
  readonly positions = new Map<number, Map<string, Position>>();
  readonly holdings = new Map<number, Map<number, Holding>>();
  readonly trades = new Map<string, TradeRow>();
  readonly sessions = new Map<string, FixSessionRow>();
  /** The unique indexes: of client order ids, and of references of deposits and withdrawals. */
  readonly clientOrders = new Set<string>();
  readonly references = new Set<string>();
  /** What is looked up by user when an engine loads, in the order in which it came in: OrderIDs, executions, references with their seq. */
  readonly ordersOf = new Map<number, number[]>();
  readonly executionsOf = new Map<number, LedgerEvent[]>();
  readonly referencesOf = new Map<number, Map<string, number>>();
  /** Of the executions since the last contract note. */
  readonly noteDueOf = new Map<number, NoteDue>();
  lastOrderID = 0;
}

export const NO_ACCOUNT: AccountRecord = {
  lastSeq: 0,
  availablePaise: 0,
  heldPaise: 0,
  marginPaise: 0,
  totalValuePaise: 0,
  frozenReason: '',
};

export function tradeKey({ venue, tradingDay, execID, execRefID }: TradeRow): string {
  return `${venue} ${tradingDay} ${execID} ${execRefID}`;
}

/** Puts a number into an ascending list; most are the greatest. */
export function insertAscending(list: number[], value: number): void {
  let at = list.length;
  while (at > 0 && list[at - 1]! > value) at--;
  list.splice(at, 0, value);
}

/** Where in an ascending list the numbers from `value` on begin. */
export function firstAtLeast(list: readonly number[], value: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
