import { positionKey } from '../ledger/account.ts';
import type { AccountRow, BatchAnswer, CommitOutcome, LedgerBatch } from '../ledger/ledger-batch.ts';
import { EventType, LedgerAccount, type LedgerEvent } from '../ledger/ledger-event.ts';
import { NO_NOTE_DUE, withExecution } from '../ledger/note-due.ts';
import { isTerminal } from '../ledger/order.ts';
import { isExecution } from './event-audit.ts';
import {
  type AccountRecord,
  firstAtLeast,
  insertAscending,
  ModelTables,
  NO_ACCOUNT,
  tradeKey,
} from './model-tables.ts';

/** What a batch made of the accounts it touches, by user; or the constraint that refuses it. */
type Verdict = ReadonlyMap<number, AccountRecord> | string;

/** Constraints that a planted bug may switch off. */
export type Constraint =
  | 'owner'
  | 'batch-id'
  | 'event-sequence'
  | 'postings-sum'
  | 'account-balance'
  | 'account-covered'
  | 'client-order-once'
  | 'reference-once'
  | 'execution-once'
  | 'orders'
  | 'sessions';

/** The mark is moved on in one batch of so many, by so many orders at most. */
const OPEN_FROM_EVERY = 4;
const OPEN_FROM_ORDERS = 1_000;
const COMMITTED: CommitOutcome = { kind: 'committed' };

/**
 * A model of the database's `commit_batch`: the same constraints, the same verdicts, the same rows after. All of a batch, or nothing. It is held to the
 * real one by a test that runs the same batches on both.
 */
export class ModelDatabase {
  readonly tables = new ModelTables();
  readonly #without: ReadonlySet<Constraint>;

  constructor(without: ReadonlySet<Constraint> = new Set()) {
    this.#without = without;
  }

  /** Makes the caller the owner of the shard: batches of the one before are refused from now on. */
  claimShard(shard: number): { readonly epoch: number; readonly lastBatchId: number } {
    const before = this.tables.owners.get(shard) ?? { epoch: 0, session: 0, lastBatchId: 0, openFrom: 0 };
    const owner = { ...before, epoch: before.epoch + 1, session: 0 };
    this.tables.owners.set(shard, owner);
    return { epoch: owner.epoch, lastBatchId: owner.lastBatchId };
  }

  /** A new connection of the owner; null for one that is the owner no more. */
  openSession(shard: number, epoch: number): number | null {
    const owner = this.tables.owners.get(shard);
    return owner?.epoch === epoch ? ++owner.session : null;
  }

  commit(batch: LedgerBatch, session: number): CommitOutcome {
    const { tables } = this;
    const owner = tables.owners.get(batch.shard);
    const isOwner = owner?.epoch === batch.epoch && owner.session === session;
    if (!isOwner && this.#has('owner')) return { kind: 'stale-epoch' };
    if (this.#has('batch-id') && owner!.lastBatchId >= batch.batchId) return refused('batch_id');
    const openFrom = this.#openFrom(batch);
    const verdict = this.#verdict(batch, openFrom);
    if (typeof verdict === 'string') return refused(verdict);
    owner!.lastBatchId = batch.batchId;
    owner!.openFrom = openFrom;
    this.#apply(batch, verdict);
    return COMMITTED;
  }

  answer(shard: number, batchId: number): BatchAnswer {
    return this.tables.owners.get(shard)?.lastBatchId === batchId ? 'committed' : 'not-committed';
  }

  #has(constraint: Constraint): boolean {
    return !this.#without.has(constraint);
  }

  #verdict(batch: LedgerBatch, openFrom: number): Verdict {
    const eventsOf = new Map<number, LedgerEvent[]>();
    const text = this.#eventsRefusal(batch, eventsOf);
    if (text !== '') return text;
    const accounts = new Map<number, AccountRecord>();
    for (const row of batch.accounts) {
      if (accounts.has(row.userId)) return 'account_sequence';
      const record = this.#accountAfter(row, eventsOf.get(row.userId) ?? []);
      if (typeof record === 'string') return record;
      accounts.set(row.userId, record);
    }
    for (const userId of eventsOf.keys()) if (!accounts.has(userId)) return 'account_sequence';
    return this.#ordersRefusal(batch, openFrom) || this.#otherRefusal(batch) || accounts;
  }

  #eventsRefusal(batch: LedgerBatch, eventsOf: Map<number, LedgerEvent[]>): string {
    const { references, events } = this.tables;
    const seen = new Set<string>();
    for (const event of batch.events) {
      const { userId, seq, postings } = event;
      const known = events.get(userId)?.length ?? 0;
      if (this.#has('event-sequence') && (seq <= known || isRepeat(seen, `e${userId} ${seq}`)))
        return 'ledger_events_pkey';
      if (postings.some(({ account }, i) => i > 0 && account <= postings[i - 1]!.account)) return 'postings_in_order';
      const sum = postings.reduce((total, { amountPaise }) => total + amountPaise, 0);
      if (this.#has('postings-sum') && sum !== 0) return 'postings_sum_to_zero';
      const reference = referenceOf(event);
      if (reference !== '' && this.#has('reference-once')) {
        const key = `${userId} ${reference}`;
        if (references.has(key) || isRepeat(seen, `r${key}`)) return 'reference_once';
      }
      const list = eventsOf.get(userId);
      if (list === undefined) eventsOf.set(userId, [event]);
      else list.push(event);
    }
    return '';
  }

  #accountAfter(row: AccountRow, events: readonly LedgerEvent[]): AccountRecord | string {
    const before = this.tables.accounts.get(row.userId);
    if (this.#has('event-sequence')) {
      const seqs = events.map(({ seq }) => seq);
      const isWhole =
        events.length === row.lastSeq - row.firstSeq + 1 &&
        Math.min(...seqs) === row.firstSeq &&
        Math.max(...seqs) === row.lastSeq;
      if ((before?.lastSeq ?? 0) !== row.firstSeq - 1 || (before === undefined && row.firstSeq !== 1))
        return 'account_sequence';
      if (!isWhole || events.length === 0) return 'account_balance';
    }
    let { availablePaise, heldPaise, marginPaise } = before ?? NO_ACCOUNT;
    for (const { postings } of events) {
      for (const { account, amountPaise } of postings) {
        if (account === LedgerAccount.Available) availablePaise += amountPaise;
        else if (account === LedgerAccount.Held) heldPaise += amountPaise;
        else if (account === LedgerAccount.Margin) marginPaise += amountPaise;
      }
    }
    if (this.#has('account-covered') && row.mustBeCovered && row.cashPaise < row.marginUsedPaise)
      return 'account_covered';
    const marginUsedPaise = heldPaise + marginPaise;
    if (this.#has('account-balance')) {
      if (availablePaise + marginUsedPaise !== row.cashPaise || marginUsedPaise !== row.marginUsedPaise)
        return 'account_balance';
      if (heldPaise < 0) return 'held_not_negative';
      if (marginPaise < 0) return 'margin_not_negative';
    }
    const { lastSeq, totalValuePaise, frozenReason } = row;
    return { lastSeq, availablePaise, heldPaise, marginPaise, totalValuePaise, frozenReason };
  }

  /** The mark below which every order has ended, as this batch moves it on. */
  #openFrom({ shard, batchId, newOrders }: LedgerBatch): number {
    const { openFrom } = this.tables.owners.get(shard)!;
    if (newOrders.length === 0 || batchId % OPEN_FROM_EVERY !== 0) return openFrom;
    const { orderIDs, orders } = this.tables;
    const first = firstAtLeast(orderIDs, openFrom);
    const next = orderIDs.slice(first, first + OPEN_FROM_ORDERS);
    const open = next.find((orderID) => !isTerminal(orders.get(orderID)!.status));
    return open ?? (next.length === 0 ? openFrom : next.at(-1)! + 1);
  }

  #ordersRefusal(batch: LedgerBatch, openFrom: number): string {
    if (!this.#has('orders')) return '';
    const { orders, clientOrders } = this.tables;
    const seen = new Set<string>();
    for (const order of batch.newOrders) {
      const { orderID, userId, clientOrderID, terms, cumQty, holdPaise } = order;
      if (terms.quantity <= 0 || cumQty < 0 || holdPaise < 0) return 'orders_check';
      if (orderID < openFrom) return 'order_after_ended';
      if (orders.has(orderID) || isRepeat(seen, `${orderID}`)) return 'orders_pkey';
      if (clientOrderID === '' || !this.#has('client-order-once')) continue;
      const key = `${userId} ${clientOrderID}`;
      if (clientOrders.has(key) || isRepeat(seen, `c${key}`)) return 'client_order_once';
    }
    for (const order of batch.changedOrders) {
      const before = orders.get(order.orderID);
      const mayChange =
        before !== undefined &&
        before.userId === order.userId &&
        (!isTerminal(before.status) || isTerminal(order.status));
      if (order.terms.quantity <= 0 || order.cumQty < 0 || order.holdPaise < 0) return 'orders_check';
      if (!mayChange || isRepeat(seen, `${order.orderID}`)) return 'order_change';
    }
    return '';
  }

  #otherRefusal(batch: LedgerBatch): string {
    const { trades, sessions } = this.tables;
    const seen = new Set<string>();
    for (const { userId, position } of batch.positions)
      if (isRepeat(seen, `p${userId} ${positionKey(position.instrumentId, position.product)}`))
        return 'positions_twice';
    for (const { userId, holding } of batch.holdings)
      if (isRepeat(seen, `h${userId} ${holding.instrumentId}`)) return 'holdings_twice';
    if (this.#has('execution-once'))
      for (const trade of batch.trades) {
        const key = tradeKey(trade);
        if (trades.has(key) || isRepeat(seen, `t${key}`)) return 'execution_once';
      }
    if (!this.#has('sessions')) return '';
    for (const { sessionName, epoch, lastReceivedSeqNum } of batch.sessions) {
      const before = sessions.get(sessionName);
      const goesBack =
        before !== undefined &&
        (epoch < before.epoch || (epoch === before.epoch && lastReceivedSeqNum < before.lastReceivedSeqNum));
      if (goesBack || isRepeat(seen, `s${sessionName}`)) return 'session_numbers';
    }
    return '';
  }

  #apply(batch: LedgerBatch, accounts: ReadonlyMap<number, AccountRecord>): void {
    const { tables } = this;
    for (const [userId, record] of accounts) tables.accounts.set(userId, record);
    for (const event of batch.events) {
      const { userId } = event;
      listOf(tables.events, userId).push(event);
      const { detail } = event;
      if (detail.type === EventType.ContractNoteIssued) tables.noteDueOf.delete(userId);
      if (isExecution(detail)) {
        listOf(tables.executionsOf, userId).push(event);
        tables.noteDueOf.set(userId, withExecution(tables.noteDueOf.get(userId) ?? NO_NOTE_DUE, detail));
      }
      const reference = referenceOf(event);
      if (reference === '') continue;
      tables.references.add(`${userId} ${reference}`);
      rowsOf(tables.referencesOf, userId).set(reference, event.seq);
    }
    for (const order of batch.newOrders) {
      tables.orders.set(order.orderID, order);
      insertAscending(tables.orderIDs, order.orderID);
      listOf(tables.ordersOf, order.userId).push(order.orderID);
      tables.lastOrderID = Math.max(tables.lastOrderID, order.orderID);
      if (order.clientOrderID !== '') tables.clientOrders.add(`${order.userId} ${order.clientOrderID}`);
    }
    for (const order of batch.changedOrders) tables.orders.set(order.orderID, order);
    for (const { userId, position } of batch.positions)
      rowsOf(tables.positions, userId).set(positionKey(position.instrumentId, position.product), position);
    for (const { userId, holding } of batch.holdings)
      rowsOf(tables.holdings, userId).set(holding.instrumentId, holding);
    for (const trade of batch.trades) tables.trades.set(tradeKey(trade), trade);
    for (const session of batch.sessions) tables.sessions.set(session.sessionName, session);
  }
}

export function referenceOf({ detail }: LedgerEvent): string {
  return detail.type === EventType.Deposited || detail.type === EventType.Withdrawn ? detail.reference : '';
}

function refused(text: string): CommitOutcome {
  return { kind: 'refused', text };
}

function isRepeat(seen: Set<string>, key: string): boolean {
  return seen.size === seen.add(key).size;
}

function rowsOf<K, V>(tables: Map<number, Map<K, V>>, userId: number): Map<K, V> {
  let rows = tables.get(userId);
  if (rows === undefined) {
    rows = new Map();
    tables.set(userId, rows);
  }
  return rows;
}

function listOf<V>(lists: Map<number, V[]>, userId: number): V[] {
  let list = lists.get(userId);
  if (list === undefined) {
    list = [];
    lists.set(userId, list);
  }
  return list;
}
