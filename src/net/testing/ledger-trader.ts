import { assert } from '../../core/assert.ts';
import { Prng } from '../../core/exchange/prng.ts';
import { type Account, newAccount } from '../../core/ledger/account.ts';
import { applyEvent } from '../../core/ledger/apply-event.ts';
import { batchRows } from '../../core/ledger/batch-rows.ts';
import { accountFrozen, accountOpened, accountUnfrozen, deposited, withdrawn } from '../../core/ledger/cash-events.ts';
import { addCharges } from '../../core/ledger/charges.ts';
import { contractNoteIssued, positionSettled } from '../../core/ledger/day-events.ts';
import { orderFilled, type StandingTrade, tradeBusted, tradeCorrected } from '../../core/ledger/execution-events.ts';
import { nextHoldRaised } from '../../core/ledger/hold-cover.ts';
import type { LedgerBatch } from '../../core/ledger/ledger-batch.ts';
import { EventType, type LedgerEvent } from '../../core/ledger/ledger-event.ts';
import { moneyRulesAsOf } from '../../core/ledger/money-rules.ts';
import { closableQty, exposureOf } from '../../core/ledger/open-exposure.ts';
import { isTerminal, type Order, OrderSide, OrderType, Product, Validity } from '../../core/ledger/order.ts';
import {
  cancelRequested,
  holdWithChange,
  modifyRequested,
  orderAccepted,
  orderEnded,
  orderPlaced,
} from '../../core/ledger/order-events.ts';
import { heldBy } from '../../core/ledger/order-hold.ts';

const DAYS = ['2026-11-25', '2026-11-26'];
const rules = moneyRulesAsOf(DAYS[0]!);
const INSTRUMENTS = [5, 9_007_199_254_740_000];

interface Trade {
  readonly order: Order;
  standing: StandingTrade;
}

/** Users who do at random what users and venues do, by the builders of the core: what they leave behind is a ledger with everything in it. */
export class LedgerTraders {
  readonly accounts = new Map<number, Account>();
  /** Since the last batch. */
  readonly events: LedgerEvent[] = [];
  readonly #prng: Prng;
  readonly #trades: Trade[] = [];
  #number = 0;
  #micros = 1_795_600_000_000_000;

  constructor(seed: number, users: number) {
    this.#prng = new Prng(seed);
    for (let userId = 1; userId <= users; userId++) {
      const account = newAccount(userId);
      this.accounts.set(userId, account);
      this.#apply(account, accountOpened(account, this.#now()));
      this.#apply(account, deposited(account, 30_000_000, 'first', this.#now()));
    }
  }

  /** What happened since the last batch, as a batch. */
  batch(frame: Pick<LedgerBatch, 'batchId' | 'shard' | 'epoch'>): LedgerBatch {
    const rows = batchRows([...this.events], (userId) => this.accounts.get(userId)!);
    this.events.length = 0;
    return { ...frame, ...structuredClone(rows), sessions: [] };
  }

  step(): void {
    const account = this.#pick([...this.accounts.values()]);
    const orders = [...account.orders.values()].filter(({ status }) => !isTerminal(status));
    const roll = this.#prng.below(100);
    if (roll < 30 || orders.length === 0) this.#place(account);
    else if (roll < 45) this.#accept(account, this.#pick(orders));
    else if (roll < 70) this.#fill(account, this.#pick(orders));
    else if (roll < 78) this.#end(account, this.#pick(orders));
    else if (roll < 86) this.#ask(account, this.#pick(orders));
    else if (roll < 92) this.#undo();
    else this.#other(account, roll);
  }

  #place(account: Account): void {
    const orderID = ++this.#number;
    const pricePaise = 90_000 + this.#prng.below(20_000);
    const quantity = 1 + this.#prng.below(50);
    const terms = { quantity, ordType: OrderType.Limit, pricePaise, triggerPricePaise: 0 };
    const product = this.#pick([Product.CNC, Product.MIS, Product.NRML]);
    const side = this.#pick([OrderSide.Buy, OrderSide.Sell]);
    const instrumentId = this.#pick(INSTRUMENTS);
    const order = { orderID, instrumentId, side, product, validity: Validity.DAY, terms };
    const none = { cumQty: 0, cumValuePaise: 0, brokeragePaise: 0, exposureQty: 0, pendingChanges: [] };
    const closable = closableQty(exposureOf(account, instrumentId), order, 0);
    const hold = heldBy(rules, { ...order, ...none, holdPricePaise: pricePaise }, closable);
    if (hold.holdPaise > Math.max(0, account.availablePaise)) return;
    const placed = { ...order, ...hold, holdPricePaise: pricePaise, clientOrderID: `C "${orderID}"` };
    this.#apply(account, orderPlaced(account, placed, this.#now()));
  }

  #accept(account: Account, order: Order): void {
    if (order.venueOrderID === '')
      this.#apply(account, orderAccepted(account, order, `V${order.orderID}`, this.#now()));
  }

  #fill(account: Account, order: Order): void {
    const leaves = order.terms.quantity - order.cumQty;
    if (leaves <= 0) return;
    const execution = this.#execution(1 + this.#prng.below(leaves), order.terms.pricePaise, this.#pick(DAYS));
    const event = orderFilled(rules, account, order, execution, this.#now());
    this.#apply(account, event);
    assert(event.detail.type === EventType.OrderFilled, 'a fill');
    this.#trades.push({ order, standing: { ...execution, charges: event.detail.charges } });
  }

  #end(account: Account, order: Order): void {
    const type = this.#pick([EventType.OrderCanceled, EventType.OrderExpired] as const);
    this.#apply(account, orderEnded(account, order, type, 0, 'ended,\n"so"', this.#now()));
  }

  #ask(account: Account, order: Order): void {
    if (order.pendingChanges.length > 0) return;
    if (this.#prng.below(2) === 0) return void this.#apply(account, cancelRequested(account, order, this.#now()));
    const terms = { ...order.terms, quantity: Math.max(order.cumQty + 1, order.terms.quantity - 1) };
    if (terms.quantity > order.terms.quantity) return;
    const change = { terms, holdPricePaise: order.holdPricePaise };
    // Fewer units can need more money: what the order counted on to close may be gone.
    const morePaise = holdWithChange(rules, account, order, change).holdPaise - order.holdPaise;
    if (morePaise > Math.max(0, account.availablePaise)) return;
    this.#apply(account, modifyRequested(rules, account, order, change, this.#now()));
  }

  #undo(): void {
    const at = this.#prng.below(this.#trades.length || 1);
    const trade = this.#trades[at];
    if (trade === undefined) return;
    const { order, standing } = trade;
    const account = this.accounts.get(order.userId)!;
    if (this.#prng.below(2) === 0) {
      this.#trades.splice(at, 1);
      const bust = this.#execution(standing.lastQty, standing.lastPxPaise, standing.tradingDay);
      this.#apply(account, tradeBusted(rules, account, order, bust, standing, this.#now()));
    } else {
      const correction = this.#execution(standing.lastQty, standing.lastPxPaise + 5, standing.tradingDay);
      const event = tradeCorrected(rules, account, order, correction, standing, this.#now());
      this.#apply(account, event);
      assert(event.detail.type === EventType.TradeCorrected, 'a correction');
      trade.standing = { ...correction, charges: addCharges(standing.charges, event.detail.charges) };
    }
  }

  #other(account: Account, roll: number): void {
    const now = this.#now();
    const reference = `R${now}`;
    if (roll < 94) this.#apply(account, deposited(account, 1 + this.#prng.below(1_000), reference, now));
    else if (roll < 95 && account.availablePaise > 0) this.#apply(account, withdrawn(account, 1, reference, now));
    else if (roll < 96 && account.frozenReason === '') this.#apply(account, accountFrozen(account, 'a "break"', now));
    else if (roll < 97 && account.frozenReason !== '') this.#apply(account, accountUnfrozen(account, 'settled', now));
    else if (roll < 98) {
      if (account.noteDue.executionCount > 0) this.#apply(account, contractNoteIssued(account, now));
    } else {
      const settled = positionSettled(account, this.#pick(INSTRUMENTS), DAYS[0]!, now);
      if (settled !== null) this.#apply(account, settled);
    }
  }

  #execution(lastQty: number, lastPxPaise: number, tradingDay: string) {
    return { execID: `E${++this.#number}`, venue: 'V', tradingDay, lastQty, lastPxPaise };
  }

  #apply(account: Account, event: LedgerEvent): void {
    const { instrumentId, product, tsMicros } = event;
    for (let next: LedgerEvent | null = event; next !== null; ) {
      applyEvent(account, next);
      this.events.push(next);
      next = product === 0 ? null : nextHoldRaised(rules, account, instrumentId, product, tsMicros);
    }
  }

  #now(): number {
    this.#micros += 1_000;
    return this.#micros;
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#prng.below(from.length)]!;
  }
}
