import { chmodSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Account } from '../../core/ledger/account.ts';
import { cashPaise, marginUsedPaise, newAccount } from '../../core/ledger/account.ts';
import type { AccountRow, LedgerBatch } from '../../core/ledger/ledger-batch.ts';
import { EventType, LedgerAccount, type LedgerEvent, type Posting } from '../../core/ledger/ledger-event.ts';
import { type Order, OrderSide, OrderStatus, OrderType, Product, Validity } from '../../core/ledger/order.ts';
import { postingsOf } from '../../core/ledger/postings.ts';
import { type LedgerDatabase, openLedgerDatabase } from '../ledger-database.ts';
import { LedgerPostgres } from '../ledger-postgres.ts';

/** Servers to test with: the embedded one, and Debian's where it is installed. */
export function testServers(): { readonly name: string; readonly binDirectory?: string }[] {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, 'bin')) : [];
  const installed = versions.filter((bin) => existsSync(join(bin, 'initdb')) && existsSync(join(bin, 'postgres')));
  return [{ name: 'embedded' }, ...installed.map((binDirectory) => ({ name: binDirectory, binDirectory }))];
}

export function openTestDatabase(dataDir: string, binDirectory?: string): Promise<LedgerDatabase> {
  // A test's directory may be its owner's alone, and as root the server is somebody else.
  chmodSync(dataDir, 0o755);
  const server = binDirectory === undefined ? {} : { binDirectory };
  return openLedgerDatabase({ dataDir, url: '', passwordFile: '', log: () => {}, ...server });
}

export const TEST_SHARD = 1;
const NOW_MICROS = 1_790_000_000_000_000;

/** Batches of a few accounts, kept as an order service would: what the database refuses is for the test to undo. */
export class TestLedger {
  readonly ledger: LedgerPostgres;
  epoch = 0;
  batchId = 0;
  #nextOrderID = 1_000_000;

  constructor(database: LedgerDatabase) {
    this.ledger = new LedgerPostgres(database.target, TEST_SHARD);
  }

  async claim(): Promise<this> {
    const { epoch, lastBatchId } = await this.ledger.claimShard();
    this.epoch = epoch;
    this.batchId = lastBatchId;
    return this;
  }

  batch(rows: Partial<LedgerBatch>): LedgerBatch {
    const none = {
      accounts: [],
      newOrders: [],
      changedOrders: [],
      positions: [],
      holdings: [],
      trades: [],
      sessions: [],
    };
    return { batchId: ++this.batchId, shard: TEST_SHARD, epoch: this.epoch, events: [], ...none, ...rows };
  }

  /** An account with so much in it, committed. */
  async account(userId: number, availablePaise: number): Promise<Account> {
    const account = newAccount(userId);
    const opened = event(account, { type: EventType.AccountOpened }, []);
    const reference = `D-${userId}`;
    const events = [
      opened,
      event(
        account,
        { type: EventType.Deposited, reference },
        move(LedgerAccount.Bank, LedgerAccount.Available, availablePaise),
      ),
    ];
    account.availablePaise = availablePaise;
    account.references.set(reference, 2);
    const outcome = await this.ledger.commit(this.batch({ events, accounts: [accountRow(account, 1)] }));
    if (outcome.kind !== 'committed') throw new Error(JSON.stringify(outcome));
    return account;
  }

  /** A purchase that holds so much: the account is changed, and the batch is to be committed. */
  place(account: Account, holdPaise: number, clientOrderID = ''): LedgerBatch {
    const order: Order = { ...newOrder(this.#nextOrderID++, account.userId, holdPaise), clientOrderID };
    const { side, validity, terms, holdPricePaise, exposureQty } = order;
    const detail = {
      type: EventType.OrderPlaced,
      side,
      validity,
      terms,
      clientOrderID,
      holdPricePaise,
      holdPaise,
      exposureQty,
    };
    const placed = event(account, detail, move(LedgerAccount.Available, LedgerAccount.Held, holdPaise), order);
    account.availablePaise -= holdPaise;
    account.heldPaise += holdPaise;
    account.orders.set(order.orderID, order);
    if (clientOrderID !== '') account.clientOrders.set(clientOrderID, order.orderID);
    return this.batch({ events: [placed], accounts: [accountRow(account, placed.seq)], newOrders: [order] });
  }
}

export function move(from: LedgerAccount, to: LedgerAccount, amountPaise: number): Posting[] {
  return postingsOf(from, to, amountPaise);
}

export function event(
  account: Account,
  detail: LedgerEvent['detail'],
  postings: readonly Posting[],
  order?: Order,
): LedgerEvent {
  const { orderID = 0, instrumentId = 0, product = 0 } = order ?? {};
  account.seq++;
  const { userId, seq } = account;
  return { userId, seq, tsMicros: NOW_MICROS + seq, orderID, instrumentId, product, postings, detail };
}

export function accountRow(account: Account, firstSeq: number): AccountRow {
  return {
    userId: account.userId,
    firstSeq,
    lastSeq: account.seq,
    cashPaise: cashPaise(account),
    marginUsedPaise: marginUsedPaise(account),
    totalValuePaise: cashPaise(account),
    frozenReason: account.frozenReason,
    mustBeCovered: true,
  };
}

function newOrder(orderID: number, userId: number, holdPaise: number): Order {
  return {
    orderID,
    userId,
    instrumentId: 738_561,
    side: OrderSide.Buy,
    product: Product.CNC,
    validity: Validity.DAY,
    clientOrderID: '',
    placedMicros: NOW_MICROS,
    status: OrderStatus.Pending,
    terms: { quantity: 10, ordType: OrderType.Limit, pricePaise: 100_000, triggerPricePaise: 0 },
    version: 0,
    venueVersion: 0,
    venueOrderID: '',
    pendingChanges: [],
    cumQty: 0,
    cumValuePaise: 0,
    exposureQty: 10,
    holdPricePaise: 100_000,
    holdPaise,
    brokeragePaise: 0,
    refusalCode: 0,
    text: '',
    updatedMicros: NOW_MICROS,
  };
}
