import { type Account, cashPaise, marginUsedPaise, newAccount } from '../../ledger/account.ts';
import { applyEvent } from '../../ledger/apply-event.ts';
import {
  type BatchAnswer,
  CLIENT_ORDER_ONCE,
  type CommitOutcome,
  type FixSessionRow,
  type LedgerBatch,
} from '../../ledger/ledger-batch.ts';
import { EventType, type LedgerEvent } from '../../ledger/ledger-event.ts';
import { forgetEndedOrders } from '../../ledger/order-memory.ts';
import type { LoadedAccount, LoadedOrder } from '../order-books.ts';
import type { LedgerEffects, WantedOrder } from '../order-effects.ts';
import type { CommittedState } from '../order-service-parts.ts';

/** For tests: what answers the ledger's effects, each question in a later turn. */
export interface LedgerAnswers {
  committed(batchId: number, outcome: CommitOutcome): void;
  batchAnswer(batchId: number, answer: BatchAnswer): void;
  reloaded(accounts: readonly LoadedAccount[] | null): void;
  recalled(wanted: WantedOrder, found: LoadedOrder | null | 'unavailable'): void;
}

/** How the next question is answered in place of the truth. `lost-after` and `lost-before`: the connection is lost after, or before, the batch took effect. */
export type LedgerFault = 'unavailable' | 'lost-after' | 'lost-before' | 'stale-epoch';

/**
 * For tests: the ledger database as a list of events. It verifies what the real one verifies by its constraints, keeps nothing but events, sessions and batch
 * ids, and makes accounts of the events anew whenever it is asked.
 */
export class TestLedger implements LedgerEffects {
  readonly batches: LedgerBatch[] = [];
  readonly sessions = new Map<string, FixSessionRow>();
  /** Of every batch that was sent, whatever became of it. */
  readonly sent: LedgerBatch[] = [];
  /** Taken from the front, one a question. */
  readonly faults: LedgerFault[] = [];
  /** A constraint of the test's own: the name of what it breaks, or ''. */
  constraint: (batch: LedgerBatch) => string = () => '';
  answers: LedgerAnswers | null = null;
  /** Orders that ended before are not loaded with their account. */
  dayMicros = 0;
  readonly #events = new Map<number, LedgerEvent[]>();
  readonly #questions: (() => void)[] = [];

  get events(): readonly LedgerEvent[] {
    return this.batches.flatMap((batch) => batch.events);
  }

  get isIdle(): boolean {
    return this.#questions.length === 0;
  }

  prepare(): void {}

  commit(batch: LedgerBatch): void {
    this.sent.push(batch);
    this.#questions.push(() => {
      const outcome = this.#commit(batch);
      this.answers?.committed(batch.batchId, outcome);
    });
  }

  askBatch(batchId: number): void {
    this.#questions.push(() => {
      const isDone = this.batches.some((batch) => batch.batchId === batchId);
      const isAway = this.faults.shift() === 'unavailable';
      this.answers?.batchAnswer(batchId, isAway ? 'unavailable' : isDone ? 'committed' : 'not-committed');
    });
  }

  reload(userIds: readonly number[]): void {
    this.#questions.push(() => {
      const isAway = this.faults.shift() === 'unavailable';
      this.answers?.reloaded(isAway ? null : userIds.flatMap((userId) => this.#recent(userId) ?? []));
    });
  }

  recall(wanted: WantedOrder): void {
    this.#questions.push(() => {
      const isAway = this.faults.shift() === 'unavailable';
      this.answers?.recalled(wanted, isAway ? 'unavailable' : this.#find(wanted));
    });
  }

  /** Answers the oldest question. */
  answer(): void {
    this.#questions.shift()?.();
  }

  /** The process that asked is gone. */
  forgetQuestions(): void {
    this.#questions.length = 0;
    this.answers = null;
  }

  load(userId: number): LoadedAccount | null {
    const events = this.#events.get(userId);
    if (events === undefined) return null;
    const account = newAccount(userId);
    for (const event of events) applyEvent(account, event);
    return { account, executions: events.filter(({ detail }) => EXECUTIONS.has(detail.type)) };
  }

  account(userId: number): Account {
    return this.load(userId)!.account;
  }

  state(): CommittedState {
    const accounts = [...this.#events.keys()].map((userId) => this.#recent(userId)!);
    const lastOrderID = Math.max(0, ...this.events.map(({ orderID }) => orderID));
    const lastBatchId = this.batches.at(-1)?.batchId ?? 0;
    return { accounts, sessions: [...this.sessions.values()], lastOrderID, lastBatchId };
  }

  #recent(userId: number): LoadedAccount | null {
    const loaded = this.load(userId);
    if (loaded !== null) forgetEndedOrders(loaded.account, this.dayMicros);
    return loaded;
  }

  #find(wanted: WantedOrder): LoadedOrder | null {
    const placed = this.events.find(({ userId, orderID, detail }) =>
      'orderID' in wanted
        ? orderID === wanted.orderID
        : userId === wanted.userId &&
          detail.type === EventType.OrderPlaced &&
          detail.clientOrderID === wanted.clientOrderID,
    );
    if (placed === undefined) return null;
    const { account, executions } = this.load(placed.userId)!;
    const { orderID } = placed;
    return { order: account.orders.get(orderID)!, executions: executions.filter((event) => event.orderID === orderID) };
  }

  #commit(batch: LedgerBatch): CommitOutcome {
    const fault = this.faults.shift();
    if (fault === 'unavailable') return { kind: 'unavailable', text: 'away' };
    if (fault === 'stale-epoch') return { kind: 'stale-epoch' };
    if (fault === 'lost-before') return { kind: 'unknown', text: 'lost' };
    if (this.batches.some(({ batchId }) => batchId === batch.batchId)) return { kind: 'committed' };
    const broken = this.constraint(batch) || this.#broken(batch);
    if (broken !== '') return { kind: 'refused', text: broken };
    this.batches.push(batch);
    for (const event of batch.events) {
      const events = this.#events.get(event.userId) ?? [];
      events.push(event);
      this.#events.set(event.userId, events);
    }
    for (const row of batch.sessions) this.sessions.set(row.sessionName, row);
    return fault === 'lost-after' ? { kind: 'unknown', text: 'lost' } : { kind: 'committed' };
  }

  /** The constraint that a batch breaks, or ''. */
  #broken(batch: LedgerBatch): string {
    for (const { userId, clientOrderID } of batch.newOrders)
      if (clientOrderID !== '' && this.load(userId)?.account.clientOrders.has(clientOrderID)) return CLIENT_ORDER_ONCE;
    for (const row of batch.accounts) {
      const before = this.load(row.userId)?.account ?? newAccount(row.userId);
      if (before.seq !== row.firstSeq - 1) return 'account sequence';
      for (const event of batch.events) if (event.userId === row.userId) applyEvent(before, event);
      if (before.seq !== row.lastSeq || cashPaise(before) !== row.cashPaise) return 'account balance';
      if (marginUsedPaise(before) !== row.marginUsedPaise) return 'account margin';
      if (row.mustBeCovered && before.availablePaise < 0) return 'account covered';
    }
    const trades = new Set(this.batches.flatMap((each) => each.trades.map(tradeKey)));
    for (const key of batch.trades.map(tradeKey)) {
      if (trades.has(key)) return 'trades unique';
      trades.add(key);
    }
    return '';
  }
}

const EXECUTIONS: ReadonlySet<number> = new Set([
  EventType.OrderFilled,
  EventType.TradeBusted,
  EventType.TradeCorrected,
]);

function tradeKey({ venue, tradingDay, execID, execRefID }: LedgerBatch['trades'][number]): string {
  return [venue, tradingDay, execID, execRefID].join('|');
}
