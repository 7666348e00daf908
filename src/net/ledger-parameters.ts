// hot: every row that is committed is laid out here, in the order of migrations/0002-commit-batch.sql.
import type {
  AccountRow,
  FixSessionRow,
  LedgerBatch,
  TradeRow,
  UserHolding,
  UserPosition,
} from '../core/ledger/ledger-batch.ts';
import { EventType, LedgerAccount, type LedgerEvent } from '../core/ledger/ledger-event.ts';
import type { Order, PendingChange } from '../core/ledger/order.ts';
import { NumberArray, TextArray, UnfitValue } from './binary-array.ts';

const PARAMETERS = 20;
export const COMMIT_CALL = {
  name: 'commit-batch',
  text: `SELECT outcry.commit_batch(${Array.from({ length: PARAMETERS }, (_, i) => `$${i + 1}`).join(', ')})`,
} as const;

/** Of an account's row. */
const ACCOUNT_NUMBERS = 7;
/** In the order of the columns. */
const POSTED_TO = Object.values(LedgerAccount);

/** Rows of a table: their numbers, one after another, and their texts. */
export class TableRows {
  readonly numbers = new NumberArray();
  readonly texts = new TextArray();

  clear(): void {
    this.numbers.clear();
    this.texts.clear();
  }

  encoded(): [numbers: Buffer, texts: Buffer] {
    return [this.numbers.encoded(), this.texts.encoded()];
  }
}

/** Parameters of `outcry.commit_batch`, in buffers that are used again: those of a batch are good until the next one is rendered. */
export class CommitParameters {
  readonly #events = new TableRows();
  readonly #accounts = new TableRows();
  readonly #newOrders = new TableRows();
  readonly #changedOrders = new TableRows();
  readonly #positions = new TableRows();
  readonly #holdings = new TableRows();
  readonly #trades = new TableRows();
  readonly #sessions = new TableRows();

  /** UnfitValue for what no column takes. */
  of(batch: LedgerBatch, session: number): (number | Buffer)[] {
    const { accounts } = batch;
    const accountAt = new Map<number, number>();
    let newAccounts = 0;
    for (let i = 0; i < accounts.length; i++) {
      const { userId, firstSeq } = accounts[i]!;
      accountAt.set(userId, 1 + i * ACCOUNT_NUMBERS);
      if (firstSeq === 1) newAccounts++;
    }
    return [
      ...[batch.shard, batch.epoch, session, batch.batchId],
      ...rendered(this.#events, batch.events, (to, event) => addEvent(to, event, accountAt.get(event.userId) ?? 0)),
      ...rendered(this.#accounts, accounts, addAccount),
      newAccounts,
      ...rendered(this.#newOrders, batch.newOrders, addOrder),
      ...rendered(this.#changedOrders, batch.changedOrders, addChangedOrder),
      ...rendered(this.#positions, batch.positions, addPosition),
      rendered(this.#holdings, batch.holdings, addHolding)[0],
      ...rendered(this.#trades, batch.trades, addTrade),
      ...rendered(this.#sessions, batch.sessions, addSession),
    ];
  }
}

export function rendered<T>(
  to: TableRows,
  rows: readonly T[],
  add: (to: TableRows, row: T) => void,
): [numbers: Buffer, texts: Buffer] {
  to.clear();
  for (const row of rows) add(to, row);
  return to.encoded();
}

function addEvent({ numbers, texts }: TableRows, event: LedgerEvent, accountAt: number): void {
  const { postings, detail } = event;
  numbers.add(accountAt);
  numbers.add(event.seq);
  numbers.add(event.tsMicros);
  numbers.add(event.orderID);
  numbers.add(event.instrumentId);
  let next = 0;
  for (let i = 0; i < POSTED_TO.length; i++) {
    if (next < postings.length && postings[next]!.account === POSTED_TO[i]) numbers.add(postings[next++]!.amountPaise);
    else numbers.addNull();
  }
  if (next < postings.length)
    throw new UnfitValue(
      `postings_in_order: event ${event.seq} of user ${event.userId} has not one posting an account, in their order`,
    );
  numbers.add(detail.type);
  numbers.add(event.product);
  if (detail.type === EventType.Deposited || detail.type === EventType.Withdrawn) texts.add(detail.reference);
  else texts.addNull();
  texts.add(JSON.stringify(detail));
}

function addAccount({ numbers, texts }: TableRows, row: AccountRow): void {
  numbers.add(row.userId);
  numbers.add(row.firstSeq);
  numbers.add(row.lastSeq);
  numbers.add(row.cashPaise);
  numbers.add(row.marginUsedPaise);
  numbers.add(row.totalValuePaise);
  numbers.add(row.mustBeCovered ? 1 : 0);
  texts.add(row.frozenReason);
}

export function addOrder({ numbers, texts }: TableRows, order: Order): void {
  const { terms } = order;
  numbers.add(order.orderID);
  numbers.add(order.userId);
  numbers.add(order.instrumentId);
  numbers.add(terms.quantity);
  numbers.add(terms.pricePaise);
  numbers.add(terms.triggerPricePaise);
  numbers.add(order.cumQty);
  numbers.add(order.cumValuePaise);
  numbers.add(order.exposureQty);
  numbers.add(order.holdPricePaise);
  numbers.add(order.holdPaise);
  numbers.add(order.brokeragePaise);
  numbers.add(order.placedMicros);
  numbers.add(order.updatedMicros);
  numbers.add(order.version);
  numbers.add(order.venueVersion);
  numbers.add(order.refusalCode);
  numbers.add(order.side);
  numbers.add(order.product);
  numbers.add(order.validity);
  numbers.add(order.status);
  numbers.add(terms.ordType);
  texts.add(order.clientOrderID);
  texts.add(order.venueOrderID);
  texts.add(order.text);
  texts.add(pendingText(order.pendingChanges));
}

/** What may change. */
function addChangedOrder({ numbers, texts }: TableRows, order: Order): void {
  const { terms } = order;
  numbers.add(order.orderID);
  numbers.add(order.userId);
  numbers.add(order.status);
  numbers.add(terms.ordType);
  numbers.add(terms.quantity);
  numbers.add(terms.pricePaise);
  numbers.add(terms.triggerPricePaise);
  numbers.add(order.version);
  numbers.add(order.venueVersion);
  numbers.add(order.cumQty);
  numbers.add(order.cumValuePaise);
  numbers.add(order.exposureQty);
  numbers.add(order.holdPricePaise);
  numbers.add(order.holdPaise);
  numbers.add(order.brokeragePaise);
  numbers.add(order.refusalCode);
  numbers.add(order.updatedMicros);
  texts.add(order.venueOrderID);
  texts.add(order.text);
  texts.add(pendingText(order.pendingChanges));
}

function pendingText(changes: readonly PendingChange[]): string {
  return changes.length === 0 ? '[]' : JSON.stringify(changes);
}

export function addPosition({ numbers, texts }: TableRows, { userId, position }: UserPosition): void {
  numbers.add(userId);
  numbers.add(position.instrumentId);
  numbers.add(position.product);
  numbers.add(position.quantity);
  numbers.add(position.openValuePaise);
  numbers.add(position.marginPaise);
  numbers.add(position.realisedPaise);
  numbers.add(position.dayBuyQty);
  numbers.add(position.dayBuyValuePaise);
  numbers.add(position.daySellQty);
  numbers.add(position.daySellValuePaise);
  numbers.add(position.markPaise);
  texts.add(position.tradingDay);
}

export function addHolding({ numbers }: TableRows, { userId, holding }: UserHolding): void {
  numbers.add(userId);
  numbers.add(holding.instrumentId);
  numbers.add(holding.quantity);
  numbers.add(holding.valuePaise);
  numbers.add(holding.markPaise);
}

export function addTrade({ numbers, texts }: TableRows, row: TradeRow): void {
  numbers.add(row.userId);
  numbers.add(row.seq);
  numbers.add(row.orderID);
  numbers.add(row.instrumentId);
  numbers.add(row.quantity);
  numbers.add(row.pricePaise);
  numbers.add(row.chargesPaise);
  numbers.add(row.tsMicros);
  texts.add(row.tradingDay);
  texts.add(row.venue);
  texts.add(row.execID);
  texts.add(row.execRefID);
}

function addSession({ numbers, texts }: TableRows, row: FixSessionRow): void {
  numbers.add(row.epoch);
  numbers.add(row.lastSentSeqNum);
  numbers.add(row.lastReceivedSeqNum);
  texts.add(row.sessionName);
  texts.add(row.state);
}
