import t from 'tap';
import { Prng } from '../exchange/prng.ts';
import { type Account, cashPaise, marginUsedPaise, newAccount, positionKey } from './account.ts';
import { applyEvent } from './apply-event.ts';
import { batchRows } from './batch-rows.ts';
import { accountOpened, deposited, withdrawn } from './cash-events.ts';
import { addCharges } from './charges.ts';
import { contractNoteIssued, positionSettled } from './day-events.ts';
import { type Execution, orderFilled, type StandingTrade, tradeBusted, tradeCorrected } from './execution-events.ts';
import { nextHoldRaised } from './hold-cover.ts';
import type { TradeRow } from './ledger-batch.ts';
import { EventType, LedgerAccount, type LedgerEvent } from './ledger-event.ts';
import { moneyRulesAsOf } from './money-rules.ts';
import { closableQty, exposureOf } from './open-exposure.ts';
import { isTerminal, type Order, OrderSide, OrderStatus, OrderType, Product, Validity } from './order.ts';
import {
  cancelRequested,
  changeRejected,
  holdWithChange,
  modifyRequested,
  orderAccepted,
  orderEnded,
  orderModified,
  orderPlaced,
  orderTriggered,
  stopOrderModified,
} from './order-events.ts';
import { heldBy, holdPricePaise, maxLeavesQty, orderHoldPaise } from './order-hold.ts';
import { totalValuePaise } from './total-value.ts';

/** Random commands and reports on one account, held after each event to a twin that keeps nothing but the list of trades and adds it up anew. */
const rules = moneyRulesAsOf('2026-03-02');
const INSTRUMENTS = [5, 6, 7];
const PRODUCTS = [Product.CNC, Product.MIS, Product.NRML];
const LAST_PAISE = 100_000;
const UPPER_PAISE = 120_000;

/** A trade as the twin keeps it: what stands. */
interface TwinTrade {
  standing: StandingTrade;
  readonly order: Order;
}

class Run {
  readonly account: Account = newAccount(7);
  readonly events: LedgerEvent[] = [];
  readonly #prng: Prng;
  readonly #trades: TwinTrade[] = [];
  readonly #rows: TradeRow[] = [];
  /** What may take more than there is: late fills, busts, losses, settlement of what was never there. */
  #mayBeShort = false;
  #day = 2;
  #number = 0;
  readonly counts = new Map<number, number>();

  constructor(seed: number) {
    this.#prng = new Prng(seed);
    this.#apply(accountOpened(this.account, this.#now()));
    this.#apply(deposited(this.account, 50_000_000, 'first', this.#now()));
  }

  step(): void {
    const orders = [...this.account.orders.values()];
    const roll = this.#prng.below(100);
    if (roll < 22 || orders.length === 0) this.#place();
    else if (roll < 62) this.#report(this.#pick(orders));
    else if (roll < 74) this.#change(this.#pick(orders));
    else if (roll < 80) this.#ask(this.#pick(orders));
    else if (roll < 88) this.#undo();
    else if (roll < 95) this.#cash();
    else if (roll < 97) this.#fillLate(this.#pick(orders));
    else this.#dayRoll();
  }

  #place(): void {
    const { account } = this;
    const orderID = ++this.#number;
    const side = this.#pick([OrderSide.Buy, OrderSide.Sell]);
    const product = this.#pick(PRODUCTS);
    const instrumentId = this.#pick(INSTRUMENTS);
    const terms = this.#terms(this.#pick(Object.values(OrderType)), 1 + this.#prng.below(60));
    const order = { orderID, instrumentId, side, product, validity: Validity.DAY, terms };
    const price = holdPricePaise(side, product, terms, LAST_PAISE, UPPER_PAISE);
    const none = { cumQty: 0, cumValuePaise: 0, brokeragePaise: 0, exposureQty: 0, pendingChanges: [] };
    const closable = closableQty(exposureOf(account, instrumentId), order, 0);
    const hold = heldBy(rules, { ...order, ...none, holdPricePaise: price }, closable);
    if (hold.holdPaise > Math.max(0, account.availablePaise)) return;
    const placed = { ...order, ...hold, holdPricePaise: price, clientOrderID: `C${orderID}` };
    this.#apply(orderPlaced(account, placed, this.#now()));
  }

  #terms(ordType: OrderType, quantity: number) {
    const pricePaise = 90_000 + this.#prng.below(30_000);
    const isLimit = ordType === OrderType.Limit || ordType === OrderType.StopLimit;
    const isStop = ordType === OrderType.StopLimit || ordType === OrderType.StopMarket;
    return { quantity, ordType, pricePaise: isLimit ? pricePaise : 0, triggerPricePaise: isStop ? pricePaise : 0 };
  }

  /** What the venue may say next of an order. */
  #report(order: Order): void {
    const { account } = this;
    const now = this.#now();
    if (isTerminal(order.status)) return;
    const roll = this.#prng.below(10);
    if (order.status === OrderStatus.TriggerPending) {
      if (roll === 0) this.#apply(orderEnded(account, order, EventType.OrderExpired, 0, '', now));
      else {
        const ordType = order.terms.ordType === OrderType.StopLimit ? OrderType.Limit : OrderType.Market;
        this.#apply(orderTriggered(account, order, ordType, now));
      }
      return;
    }
    const [pending] = order.pendingChanges;
    if (pending !== undefined && roll < 5) {
      const { version, terms } = pending;
      if (roll < 2) this.#apply(changeRejected(rules, account, order, version, 440, 'no', now));
      else if (terms === null) this.#apply(orderEnded(account, order, EventType.OrderCanceled, 0, '', now));
      else if (terms.quantity >= order.cumQty) this.#apply(orderModified(rules, account, order, version, null, now));
    } else if (order.status === OrderStatus.Pending && roll < 6) {
      if (roll === 0) this.#apply(orderEnded(account, order, EventType.OrderRejected, 410, 'refused', now));
      else this.#apply(orderAccepted(account, order, `V${order.orderID}`, now));
    } else if (roll === 6) this.#apply(orderEnded(account, order, EventType.OrderCanceled, 0, '', now));
    else this.#fill(order, 1 + this.#prng.below(order.terms.quantity - order.cumQty));
  }

  #fill(order: Order, lastQty: number): void {
    const { pricePaise } = order.terms;
    const isBuy = order.side === OrderSide.Buy;
    // No worse than the limit; and no dearer than what a short is held at.
    const worst = pricePaise > 0 ? pricePaise : isBuy ? UPPER_PAISE : 80_000;
    const best = isBuy ? 80_000 : Math.max(worst, Math.min(order.holdPricePaise, LAST_PAISE));
    const [low, high] = [Math.min(worst, best), Math.max(worst, best)];
    const execution = this.#execution(lastQty, low + this.#prng.below(high - low + 1));
    const isLate = isTerminal(order.status);
    const event = orderFilled(rules, this.account, order, execution, this.#now());
    if (event.detail.type !== EventType.OrderFilled) throw new Error('a fill');
    const { realisedPaise } = event.detail.position;
    const loses = order.product !== Product.CNC && realisedPaise < 0;
    if (isLate || loses) this.#mayBeShort = true;
    this.#trades.push({ order, standing: { ...execution, charges: event.detail.charges } });
    this.#apply(event);
  }

  #fillLate(order: Order): void {
    if (isTerminal(order.status)) this.#fill(order, 1 + this.#prng.below(20));
  }

  /** A change that the account can afford is asked for. */
  #change(order: Order): void {
    const { account } = this;
    const isHere = order.status === OrderStatus.TriggerPending;
    if (isTerminal(order.status) || order.pendingChanges.length > 3) return;
    const terms = this.#terms(order.terms.ordType, order.cumQty + 1 + this.#prng.below(60));
    const price = holdPricePaise(order.side, order.product, terms, LAST_PAISE, UPPER_PAISE);
    const change = { terms, holdPricePaise: price };
    const more = holdWithChange(rules, account, order, change).holdPaise - order.holdPaise;
    if (more > 0 && more > account.availablePaise) return;
    const build = isHere ? stopOrderModified : modifyRequested;
    this.#apply(build(rules, account, order, change, this.#now()));
  }

  #ask(order: Order): void {
    if (isTerminal(order.status) || order.status === OrderStatus.TriggerPending) return;
    this.#apply(cancelRequested(this.account, order, this.#now()));
  }

  /** A bust or a correction of any trade that stands. */
  #undo(): void {
    if (this.#trades.length === 0) return;
    const trade = this.#pick(this.#trades);
    const { order, standing } = trade;
    this.#mayBeShort = true;
    if (this.#prng.below(2) === 0) {
      const bust = this.#execution(standing.lastQty, standing.lastPxPaise);
      this.#trades.splice(this.#trades.indexOf(trade), 1);
      this.#apply(tradeBusted(rules, this.account, order, bust, standing, this.#now()));
      return;
    }
    const execution = this.#execution(1 + this.#prng.below(standing.lastQty), 80_000 + this.#prng.below(40_000));
    const event = tradeCorrected(rules, this.account, order, execution, standing, this.#now());
    if (event.detail.type !== EventType.TradeCorrected) throw new Error('a correction');
    trade.standing = { ...execution, charges: addCharges(standing.charges, event.detail.charges) };
    this.#apply(event);
  }

  #cash(): void {
    const { account } = this;
    const reference = `r${++this.#number}`;
    const amountPaise = 1 + this.#prng.below(10_000_000);
    if (this.#prng.below(2) === 0) this.#apply(deposited(account, amountPaise, reference, this.#now()));
    else if (amountPaise <= account.availablePaise)
      this.#apply(withdrawn(account, amountPaise, reference, this.#now()));
  }

  #dayRoll(): void {
    for (const instrumentId of INSTRUMENTS) {
      const event = positionSettled(this.account, instrumentId, this.#date(), this.#now());
      if (event !== null) this.#apply(event);
    }
    if (this.account.noteDue.executionCount > 0) {
      this.#mayBeShort = true;
      this.#apply(contractNoteIssued(this.account, this.#now()));
    }
    this.#day++;
  }

  /** An event, and what raises the holds that it leaves too small. */
  #apply(event: LedgerEvent): void {
    this.#post(event);
    const { instrumentId, product } = event;
    for (;;) {
      const raised = product === 0 ? null : nextHoldRaised(rules, this.account, instrumentId, product, event.tsMicros);
      if (raised === null) break;
      // It may take more than the order freed that was quicker.
      this.#mayBeShort = true;
      this.#post(raised);
    }
    this.#checkClaims();
  }

  #post(event: LedgerEvent): void {
    const { account } = this;
    this.events.push(event);
    this.counts.set(event.detail.type, (this.counts.get(event.detail.type) ?? 0) + 1);
    applyEvent(account, event);
    this.#rows.push(...batchRows([event], () => account).trades);
    this.#check(event);
  }

  #check(event: LedgerEvent): void {
    const { account } = this;
    const sums = new Map<LedgerAccount, bigint>();
    for (const { postings } of this.events)
      for (const { account: ledgerAccount, amountPaise } of postings)
        sums.set(ledgerAccount, (sums.get(ledgerAccount) ?? 0n) + BigInt(amountPaise));
    const sum = (ledgerAccount: LedgerAccount): bigint => sums.get(ledgerAccount) ?? 0n;
    equal(
      [...sums.values()].reduce((a, b) => a + b, 0n),
      0n,
      'all postings sum to zero',
    );
    equal(BigInt(account.availablePaise), sum(LedgerAccount.Available), 'free cash is its postings');
    equal(BigInt(account.heldPaise), sum(LedgerAccount.Held), 'the hold is its postings');
    equal(BigInt(account.marginPaise), sum(LedgerAccount.Margin), 'the margin is its postings');
    equal(BigInt(cashPaise(account) - marginUsedPaise(account)), sum(LedgerAccount.Available), 'cash is its parts');
    this.#checkOrders();
    this.#checkPositions(sum);
    const charged = [20, 21, 22, 23, 24, 25, 26].reduce((total, at) => total + sum(at as LedgerAccount), 0n);
    const traded = this.#trades.reduce((total, { standing }) => total + chargesOf(standing), 0n);
    const notes = this.events.reduce(
      (total, { detail }) => total + (detail.type === EventType.ContractNoteIssued ? chargesOf(detail) : 0n),
      0n,
    );
    // A bust may leave a part of the capped brokerage of its order where it was, or give back more: `rows` has all of it.
    const rows = this.#rows.reduce((total, row) => total + BigInt(row.chargesPaise), 0n);
    equal(charged, rows + notes, 'charges are what trades and notes were charged');
    if (!this.events.some(({ detail }) => detail.type === EventType.TradeBusted))
      equal(rows, traded, 'and those of the trades that stand');
    if (account.availablePaise >= 0) this.#mayBeShort = false;
    else if (!this.#mayBeShort) throw new Error(`${account.availablePaise} is free after ${JSON.stringify(event)}`);
    if (account.heldPaise < 0 || account.marginPaise < 0) throw new Error('a hold or margin below nothing');
  }

  #checkOrders(): void {
    const { account } = this;
    let heldPaise = 0;
    for (const order of account.orders.values()) {
      heldPaise += order.holdPaise;
      equal(
        order.holdPaise,
        isTerminal(order.status) ? 0 : orderHoldPaise(rules, order),
        'an order holds what it needs',
      );
      const trades = this.#trades.filter((trade) => trade.order === order);
      equal(BigInt(order.cumQty), total(trades, quantityOf), 'CumQty is the trades');
      equal(BigInt(order.cumValuePaise), total(trades, paidPaise), 'so is their value');
    }
    equal(account.heldPaise, heldPaise, 'the hold is that of the orders');
    for (const instrumentId of INSTRUMENTS) this.#checkExposure(instrumentId);
  }

  /** No unit is counted on twice: whatever fills first, what opens a position is held for. */
  #checkClaims(): void {
    for (const instrumentId of INSTRUMENTS) {
      for (const product of [Product.MIS, Product.NRML]) {
        const open = this.#trades
          .filter(({ order }) => order.instrumentId === instrumentId && order.product === product)
          .reduce((sum, trade) => sum + Number(signedQuantity(trade)), 0);
        for (const side of [OrderSide.Buy, OrderSide.Sell]) {
          let closable = Math.max(0, side === OrderSide.Buy ? -open : open);
          for (const order of this.account.orders.values()) {
            const isOther = order.instrumentId !== instrumentId || order.product !== product || order.side !== side;
            if (!isOther && !isTerminal(order.status)) closable -= maxLeavesQty(order) - order.exposureQty;
          }
          if (closable < 0) throw new Error(`${-closable} units of ${instrumentId} are counted on that are not there`);
        }
      }
    }
  }

  #checkExposure(instrumentId: number): void {
    const exposure = exposureOf(this.account, instrumentId);
    for (const product of PRODUCTS) {
      for (const side of [OrderSide.Buy, OrderSide.Sell]) {
        let open = 0;
        let closing = 0;
        for (const order of this.account.orders.values()) {
          const isOther = order.instrumentId !== instrumentId || order.product !== product || order.side !== side;
          if (isOther || isTerminal(order.status)) continue;
          const asked = order.pendingChanges.map(({ terms }) => terms?.quantity ?? 0);
          const leavesQty = Math.max(0, Math.max(order.terms.quantity, ...asked) - order.cumQty);
          if (order.exposureQty < 0 || order.exposureQty > leavesQty) throw new Error(`${order.exposureQty} exposed`);
          open += leavesQty;
          closing += leavesQty - order.exposureQty;
        }
        const found = exposure?.[product - 1];
        const isBuy = side === OrderSide.Buy;
        equal((isBuy ? found?.openBuyQty : found?.openSellQty) ?? 0, open, 'open units');
        equal((isBuy ? found?.closingBuyQty : found?.closingSellQty) ?? 0, closing, 'units that close');
      }
    }
  }

  #checkPositions(sum: (account: LedgerAccount) => bigint): void {
    const { account } = this;
    let marginPaise = 0;
    let owedPaise = 0n;
    let worthPaise = BigInt(cashPaise(account));
    for (const instrumentId of INSTRUMENTS) {
      for (const product of PRODUCTS) {
        const position = account.positions.get(positionKey(instrumentId, product));
        const trades = this.#trades.filter(
          ({ order }) => order.instrumentId === instrumentId && order.product === product,
        );
        const holding = product === Product.CNC ? account.holdings.get(instrumentId) : undefined;
        const quantity = BigInt(position?.quantity ?? 0) + BigInt(holding?.quantity ?? 0);
        equal(quantity, total(trades, signedQuantity), 'position and holding are the trades');
        const rows = this.#rows.filter(({ orderID }) => {
          const order = account.orders.get(orderID)!;
          return order.instrumentId === instrumentId && order.product === product;
        });
        equal(
          quantity,
          rows.reduce((all, row) => all + BigInt(row.quantity), 0n),
          'and the rows of trades',
        );
        if (position === undefined) continue;
        marginPaise += position.marginPaise;
        const cost = BigInt(position.openValuePaise) + BigInt(holding?.valuePaise ?? 0);
        const realised = BigInt(position.realisedPaise);
        equal(cost - realised, total(trades, signedValue), 'cost less what was realised is what was paid');
        owedPaise += product === Product.CNC ? cost - realised : -realised;
        const mark = BigInt(position.markPaise);
        worthPaise +=
          BigInt(position.quantity) * mark + BigInt(holding?.quantity ?? 0) * BigInt(holding?.markPaise ?? 0);
        if (product !== Product.CNC) worthPaise -= BigInt(position.openValuePaise);
        const today = trades.filter(({ standing }) => standing.tradingDay === position.tradingDay);
        const bought = today.filter(({ order }) => order.side === OrderSide.Buy);
        const sold = today.filter(({ order }) => order.side === OrderSide.Sell);
        equal(BigInt(position.dayBuyQty), total(bought, quantityOf), 'bought on the day');
        equal(BigInt(position.dayBuyValuePaise), total(bought, paidPaise), 'bought on the day for');
        equal(BigInt(position.daySellQty), total(sold, quantityOf), 'sold on the day');
        equal(BigInt(position.daySellValuePaise), total(sold, paidPaise), 'sold on the day for');
        if (position.quantity === 0) equal(position.openValuePaise, 0, 'nothing open has no cost');
        equal(position.marginPaise, marginOf(product, position.openValuePaise), 'margin is the rate of the cost');
      }
    }
    equal(account.marginPaise, marginPaise, 'the margin is that of the positions');
    equal(sum(LedgerAccount.Exchange), owedPaise, 'what went to the exchange is cost less what was realised');
    equal(BigInt(totalValuePaise(account)), worthPaise, 'total value');
  }

  #execution(lastQty: number, lastPxPaise: number): Execution {
    return { execID: `E${++this.#number}`, venue: 'V', tradingDay: this.#date(), lastQty, lastPxPaise };
  }

  #date(): string {
    return `2026-03-${String(this.#day).padStart(2, '0')}`;
  }

  #now(): number {
    return 1_000_000 + this.events.length;
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#prng.below(values.length)]!;
  }
}

function equal<T>(actual: T, expected: T, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${actual}, not ${expected}`);
}

function total(trades: readonly TwinTrade[], value: (trade: TwinTrade) => bigint): bigint {
  return trades.reduce((sum, trade) => sum + value(trade), 0n);
}

const quantityOf = ({ standing }: TwinTrade): bigint => BigInt(standing.lastQty);
const paidPaise = ({ standing }: TwinTrade): bigint => BigInt(standing.lastQty) * BigInt(standing.lastPxPaise);
const signOf = ({ order }: TwinTrade): bigint => (order.side === OrderSide.Buy ? 1n : -1n);
const signedQuantity = (trade: TwinTrade): bigint => signOf(trade) * quantityOf(trade);
const signedValue = (trade: TwinTrade): bigint => signOf(trade) * paidPaise(trade);

function chargesOf({ charges }: Pick<StandingTrade, 'charges'>): bigint {
  return Object.values(charges).reduce((sum, paise) => sum + BigInt(paise), 0n);
}

function marginOf(product: Product, openValuePaise: number): number {
  const part = { [Product.CNC]: 0n, [Product.MIS]: 2n, [Product.NRML]: 10n }[product];
  const value = BigInt(Math.abs(openValuePaise)) * part;
  return Number((value + 9n) / 10n);
}

const RUNS = 30;
const STEPS = 250;

t.test('random commands against the list of trades', async (t) => {
  const firstSeed = Number(process.env.SEED ?? 20_260_302);
  const counts = new Map<number, number>();
  for (let seed = firstSeed; seed < firstSeed + RUNS; seed++) {
    const run = new Run(seed);
    try {
      for (let i = 0; i < STEPS; i++) run.step();
    } catch (error) {
      t.comment(`seed ${seed}, event ${run.events.length}`);
      throw error;
    }
    const replayed = newAccount(7);
    for (const event of JSON.parse(JSON.stringify(run.events)) as LedgerEvent[]) applyEvent(replayed, event);
    t.same(replayed, run.account, `seed ${seed}: replayed from JSON`);
    for (const [type, count] of run.counts) counts.set(type, (counts.get(type) ?? 0) + count);
  }
  t.comment(`seeds from ${firstSeed}`);
  for (const [name, type] of Object.entries(EventType)) {
    if (type === EventType.AccountFrozen || type === EventType.AccountUnfrozen) continue;
    t.ok((counts.get(type) ?? 0) > 5, `${name}: ${counts.get(type)}`);
  }
});
