import type { Prng } from '../exchange/prng.ts';
import { type Position, positionKey } from '../ledger/account.ts';
import type { FixSessionRow, LedgerBatch, TradeRow } from '../ledger/ledger-batch.ts';
import { EventType, LedgerAccount, type LedgerEvent, type Posting } from '../ledger/ledger-event.ts';
import { isTerminal, type Order, OrderSide, OrderStatus, OrderType, Product, Validity } from '../ledger/order.ts';
import { BATCH_FAULTS, type BatchFault, breakBatch, type DraftBatch } from './broken-batches.ts';
import { type AccountRecord, type ModelTables, NO_ACCOUNT } from './model-tables.ts';

export const RANDOM_BATCH_SHARD = 3;
const USERS = 14;
const INSTRUMENTS = 4;
const SESSIONS = ['ONE', 'TWO'];
/** One batch in so many is broken. */
const BROKEN_ONE_IN = 3;
const VENUES = ['NSE', 'BSE'];
const CHARGES = {
  brokeragePaise: 1,
  sttPaise: 2,
  exchangePaise: 3,
  sebiPaise: 0,
  stampDutyPaise: 4,
  gstPaise: 5,
  depositoryPaise: 0,
};

export interface RandomBatch {
  readonly batch: LedgerBatch;
  /** What was done to it to make it one that must be refused; '' for nothing. */
  readonly fault: BatchFault | '';
}

/**
 * Batches as a database may get them, valid ones and every kind of broken one, each made for the tables as they are. They are no history that the ledger would make: a
 * database verifies sums, sequences and keys, and knows nothing of what an event means.
 */
export class RandomBatches {
  readonly #random: Prng;
  readonly #tables: ModelTables;
  #nameCount = 0;
  #nowMicros = 1_800_000_000_000_000;

  constructor(random: Prng, tables: ModelTables) {
    this.#random = random;
    this.#tables = tables;
  }

  next(): RandomBatch {
    this.#nowMicros += 1_000;
    const owner = this.#tables.owners.get(RANDOM_BATCH_SHARD)!;
    const draft: DraftBatch = {
      batchId: owner.lastBatchId + 1 + this.#below(3),
      shard: RANDOM_BATCH_SHARD,
      epoch: owner.epoch,
      ...{ events: [], accounts: [], newOrders: [], changedOrders: [], positions: [], holdings: [], trades: [] },
      sessions: this.#sessions(),
    };
    const users = new Set<number>();
    for (let i = 1 + this.#below(4); i > 0; i--) users.add(1 + this.#below(USERS));
    for (const userId of users) this.#addUser(draft, userId);
    if (this.#below(BROKEN_ONE_IN) > 0) return { batch: draft, fault: '' };
    const fault = BATCH_FAULTS[this.#below(BATCH_FAULTS.length)]!;
    return breakBatch(draft, fault, this.#tables) ? { batch: draft, fault } : { batch: draft, fault: '' };
  }

  #addUser(draft: DraftBatch, userId: number): void {
    const before = this.#tables.accounts.get(userId) ?? NO_ACCOUNT;
    const firstSeq = before.lastSeq + 1;
    const after = { ...before };
    const free = [...this.#tables.orders.values()].filter((order) => order.userId === userId);
    for (let i = 1 + this.#below(3); i > 0; i--) this.#addEvent(draft, userId, after, free);
    this.#addRows(draft, userId);
    const { availablePaise, heldPaise, marginPaise } = after;
    draft.accounts.push({
      userId,
      firstSeq,
      lastSeq: after.lastSeq,
      cashPaise: availablePaise + heldPaise + marginPaise,
      marginUsedPaise: heldPaise + marginPaise,
      totalValuePaise: availablePaise + this.#below(1_000_000),
      frozenReason: this.#below(10) === 0 ? 'a break in the trades' : '',
      mustBeCovered: availablePaise >= 0 && this.#below(2) === 0,
    });
  }

  #addEvent(
    draft: DraftBatch,
    userId: number,
    after: { -readonly [K in keyof AccountRecord]: AccountRecord[K] },
    free: Order[],
  ): void {
    const seq = ++after.lastSeq;
    const base = { userId, seq, tsMicros: this.#nowMicros, orderID: 0, instrumentId: 0, product: 0 as const };
    if (seq === 1) {
      draft.events.push({ ...base, postings: [], detail: { type: EventType.AccountOpened } });
      return;
    }
    const choice = this.#below(10);
    if (choice < 3) {
      const amount = 1 + this.#below(1_000_000_000);
      const postings = [post(LedgerAccount.Available, amount), post(LedgerAccount.Bank, -amount)];
      after.availablePaise += amount;
      draft.events.push({ ...base, postings, detail: { type: EventType.Deposited, reference: this.#name('ref') } });
      return;
    }
    if (choice < 6) {
      const hold = 1 + this.#below(1 + Math.max(0, Math.min(after.availablePaise, 50_000_000)));
      const order = this.#newOrder(userId, hold);
      const { orderID, instrumentId, product, side, validity, terms, clientOrderID, holdPricePaise, exposureQty } =
        order;
      after.availablePaise -= hold;
      after.heldPaise += hold;
      const postings = [post(LedgerAccount.Available, -hold), post(LedgerAccount.Held, hold)];
      const detail = { side, validity, terms, clientOrderID, holdPricePaise, holdPaise: hold, exposureQty };
      draft.newOrders.push(order);
      draft.events.push({
        ...base,
        orderID,
        instrumentId,
        product,
        postings,
        detail: { type: EventType.OrderPlaced, ...detail },
      });
      return;
    }
    const order = free.splice(this.#below(free.length), 1)[0];
    if (order !== undefined) this.#changeOrder(draft, base, order, after);
    else {
      draft.events.push({
        ...base,
        postings: [],
        detail: { type: EventType.AccountFrozen, reason: this.#name('why "so"\\') },
      });
    }
  }

  #changeOrder(
    draft: DraftBatch,
    base: Pick<LedgerEvent, 'userId' | 'seq' | 'tsMicros'>,
    before: Order,
    after: { -readonly [K in keyof AccountRecord]: AccountRecord[K] },
  ): void {
    const { orderID, instrumentId, product } = before;
    const ends = isTerminal(before.status) || this.#below(3) === 0;
    const released = Math.min(
      before.holdPaise,
      after.heldPaise,
      ends ? before.holdPaise : this.#below(1 + before.holdPaise),
    );
    after.heldPaise -= released;
    after.availablePaise += released;
    const postings: Posting[] = [];
    if (released > 0) postings.push(post(LedgerAccount.Available, released), post(LedgerAccount.Held, -released));
    const order: Order = {
      ...before,
      status: ends ? (isTerminal(before.status) ? before.status : OrderStatus.Canceled) : OrderStatus.PartiallyFilled,
      cumQty: before.cumQty + 1,
      cumValuePaise: before.cumValuePaise + 100,
      holdPaise: before.holdPaise - released,
      venueOrderID: before.venueOrderID || this.#name('v'),
      pendingChanges: this.#below(3) === 0 ? [{ version: 1, terms: before.terms, holdPricePaise: 5 }] : [],
      text: this.#below(3) === 0 ? 'a text, with\ttab' : '',
      updatedMicros: this.#nowMicros,
    };
    draft.changedOrders.push(order);
    const event = { ...base, orderID, instrumentId, product, postings };
    if (ends) {
      draft.events.push({ ...event, detail: { type: EventType.OrderCanceled, code: 0, text: order.text } });
      return;
    }
    const trade = this.#trade(base, order);
    draft.trades.push(trade);
    const { execID, venue, tradingDay, pricePaise } = trade;
    const position = { quantity: 1, openValuePaise: 100, marginPaise: 0, realisedPaise: 0 };
    const execution = { execID, venue, tradingDay, lastQty: 1, lastPxPaise: pricePaise, charges: CHARGES, position };
    const detail = {
      type: EventType.OrderFilled,
      ...execution,
      cumQty: 1,
      cumValuePaise: pricePaise,
      leavesQty: 0,
      holdPaise: order.holdPaise,
      exposureQty: 0,
      isLate: false,
    };
    draft.events.push({ ...event, detail });
  }

  #trade({ userId, seq, tsMicros }: Pick<LedgerEvent, 'userId' | 'seq' | 'tsMicros'>, order: Order): TradeRow {
    return {
      ...{ userId, seq, tsMicros, orderID: order.orderID, instrumentId: order.instrumentId },
      venue: VENUES[this.#below(VENUES.length)]!,
      tradingDay: '2026-11-24',
      execID: this.#name('E'),
      execRefID: '',
      quantity: order.side === OrderSide.Buy ? 1 : -1,
      pricePaise: 100,
      chargesPaise: 15,
    };
  }

  #addRows(draft: DraftBatch, userId: number): void {
    const instrumentId = 1 + this.#below(INSTRUMENTS);
    if (this.#below(2) === 0) {
      const product = this.#below(2) === 0 ? Product.CNC : Product.MIS;
      const before = this.#tables.positions.get(userId)?.get(positionKey(instrumentId, product));
      draft.positions.push({ userId, position: this.#position(instrumentId, product, before) });
    }
    if (this.#below(4) === 0) {
      const holding = { instrumentId, quantity: this.#below(100), valuePaise: this.#below(1_000_000), markPaise: 7 };
      draft.holdings.push({ userId, holding });
    }
  }

  #position(instrumentId: number, product: Product, before: Position | undefined): Position {
    const signed = (): number => this.#below(2_000_000) - 1_000_000;
    return {
      ...{ instrumentId, product, quantity: signed(), openValuePaise: signed(), marginPaise: this.#below(1_000) },
      ...{
        realisedPaise: signed(),
        dayBuyQty: this.#below(100),
        dayBuyValuePaise: (before?.dayBuyValuePaise ?? 0) + 1,
      },
      ...{
        daySellQty: this.#below(100),
        daySellValuePaise: 3,
        tradingDay: '2026-11-24',
        markPaise: this.#below(10_000),
      },
    };
  }

  #newOrder(userId: number, holdPaise: number): Order {
    const isStop = this.#below(3) === 0;
    const orderID = 1_000 + ++this.#nameCount;
    return {
      ...{
        orderID,
        userId,
        instrumentId: 1 + this.#below(INSTRUMENTS),
        validity: Validity.DAY,
        placedMicros: this.#nowMicros,
      },
      side: this.#below(2) === 0 ? OrderSide.Buy : OrderSide.Sell,
      product: this.#below(2) === 0 ? Product.CNC : Product.NRML,
      clientOrderID: this.#below(2) === 0 ? '' : this.#name('c'),
      status: isStop ? OrderStatus.TriggerPending : OrderStatus.Pending,
      terms: {
        quantity: 1 + this.#below(100),
        ordType: isStop ? OrderType.StopLimit : OrderType.Limit,
        pricePaise: 100,
        triggerPricePaise: isStop ? 90 : 0,
      },
      ...{ version: 0, venueVersion: 0, venueOrderID: '', pendingChanges: [], cumQty: 0, cumValuePaise: 0 },
      ...{ exposureQty: 1, holdPricePaise: 100, holdPaise, brokeragePaise: 0, refusalCode: 0, text: '' },
      updatedMicros: this.#nowMicros,
    };
  }

  #sessions(): FixSessionRow[] {
    return SESSIONS.filter(() => this.#below(3) === 0).map((sessionName) => {
      const before = this.#tables.sessions.get(sessionName);
      return {
        sessionName,
        epoch: before?.epoch ?? 1,
        lastSentSeqNum: this.#below(1_000),
        lastReceivedSeqNum: (before?.lastReceivedSeqNum ?? 0) + this.#below(3),
        state: this.#below(2) === 0 ? 'up' : 'down',
      };
    });
  }

  #name(prefix: string): string {
    return `${prefix}${++this.#nameCount}`;
  }

  #below(bound: number): number {
    return this.#random.below(bound);
  }
}

function post(account: LedgerAccount, amountPaise: number): Posting {
  return { account, amountPaise };
}
