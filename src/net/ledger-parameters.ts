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

const SESSION_AT = 2;
/** In the order of the columns. */
const POSTED_TO = Object.values(LedgerAccount);

/** Rows of a table, as the function has them: the numbers of each, and its texts. In buffers that are used again: what `of` gives is good until the next time. */
export class TableRows<T> {
  readonly numbers: NumberArray;
  readonly texts: TextArray;
  readonly #add: (to: TableRows<T>, row: T) => void;

  constructor(numbers: number, texts: number, add: (to: TableRows<T>, row: T) => void) {
    this.numbers = new NumberArray(numbers);
    this.texts = new TextArray(texts);
    this.#add = add;
  }

  of(rows: readonly T[]): [numbers: Buffer, texts: Buffer] {
    this.numbers.clear();
    this.texts.clear();
    for (const row of rows) this.#add(this, row);
    return [this.numbers.encoded(), this.texts.encoded()];
  }
}

export const orderRows = (): TableRows<Order> => new TableRows(22, 4, addOrder);
export const positionRows = (): TableRows<UserPosition> => new TableRows(12, 1, addPosition);
export const holdingRows = (): TableRows<UserHolding> => new TableRows(5, 1, addHolding);
export const tradeRows = (): TableRows<TradeRow> => new TableRows(8, 4, addTrade);

/** Parameters of `outcry.commit_batch`; those of a batch are good until the next one is rendered. */
export class CommitParameters {
  #batch: LedgerBatch | undefined;
  #values: (number | Buffer)[] = [];
  /** The number of each account's row. */
  readonly #accountRow = new Map<number, number>();
  readonly #events = new TableRows<LedgerEvent>(19, 2, (to, event) =>
    addEvent(to, event, this.#accountRow.get(event.userId) ?? 0),
  );
  readonly #accounts = new TableRows<AccountRow>(7, 1, addAccount);
  readonly #newOrders = orderRows();
  readonly #changedOrders = new TableRows<Order>(17, 3, addChangedOrder);
  readonly #positions = positionRows();
  readonly #holdings = holdingRows();
  readonly #trades = tradeRows();
  readonly #sessions = new TableRows<FixSessionRow>(3, 2, addSession);

  has(batch: LedgerBatch): boolean {
    return this.#batch === batch;
  }

  of(session: number): (number | Buffer)[] {
    return this.#values.with(SESSION_AT, session);
  }

  /** UnfitValue for what no column takes. */
  render(batch: LedgerBatch): void {
    this.#batch = undefined;
    const { accounts } = batch;
    this.#accountRow.clear();
    let newAccounts = 0;
    for (let i = 0; i < accounts.length; i++) {
      const { userId, firstSeq } = accounts[i]!;
      this.#accountRow.set(userId, i + 1);
      if (firstSeq === 1) newAccounts++;
    }
    this.#values = [
      ...[batch.shard, batch.epoch, 0, batch.batchId],
      ...this.#events.of(batch.events),
      ...this.#accounts.of(accounts),
      newAccounts,
      ...this.#newOrders.of(batch.newOrders),
      ...this.#changedOrders.of(batch.changedOrders),
      ...this.#positions.of(batch.positions),
      this.#holdings.of(batch.holdings)[0],
      ...this.#trades.of(batch.trades),
      ...this.#sessions.of(batch.sessions),
    ];
    this.#batch = batch;
  }
}

type Columns = Pick<TableRows<never>, 'numbers' | 'texts'>;

function addEvent({ numbers, texts }: Columns, event: LedgerEvent, accountRow: number): void {
  const { postings, detail } = event;
  numbers.add(accountRow);
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

function addAccount({ numbers, texts }: Columns, row: AccountRow): void {
  numbers.add(row.userId);
  numbers.add(row.firstSeq);
  numbers.add(row.lastSeq);
  numbers.add(row.cashPaise);
  numbers.add(row.marginUsedPaise);
  numbers.add(row.totalValuePaise);
  numbers.add(row.mustBeCovered ? 1 : 0);
  texts.add(row.frozenReason);
}

function addOrder({ numbers, texts }: Columns, order: Order): void {
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
function addChangedOrder({ numbers, texts }: Columns, order: Order): void {
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

function addPosition({ numbers, texts }: Columns, { userId, position }: UserPosition): void {
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

function addHolding({ numbers }: Columns, { userId, holding }: UserHolding): void {
  numbers.add(userId);
  numbers.add(holding.instrumentId);
  numbers.add(holding.quantity);
  numbers.add(holding.valuePaise);
  numbers.add(holding.markPaise);
}

function addTrade({ numbers, texts }: Columns, row: TradeRow): void {
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

function addSession({ numbers, texts }: Columns, row: FixSessionRow): void {
  numbers.add(row.epoch);
  numbers.add(row.lastSentSeqNum);
  numbers.add(row.lastReceivedSeqNum);
  texts.add(row.sessionName);
  texts.add(row.state);
}
