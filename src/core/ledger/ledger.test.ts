import t from 'tap';
import { type Account, newAccount } from './account.ts';
import { applyEvent } from './apply-event.ts';
import { batchRows } from './batch-rows.ts';
import { accountOpened, deposited } from './cash-events.ts';
import { addCharges } from './charges.ts';
import { positionSettled } from './day-events.ts';
import { type Execution, orderFilled, tradeBusted, tradeCorrected } from './execution-events.ts';
import { nextHoldRaised } from './hold-cover.ts';
import { EventType, type LedgerEvent } from './ledger-event.ts';
import { moneyRulesAsOf } from './money-rules.ts';
import { closableQty, exposureOf } from './open-exposure.ts';
import { type Order, OrderSide, OrderStatus, OrderType, Product, Validity } from './order.ts';
import {
  cancelRequested,
  changeRejected,
  modifyRequested,
  orderAccepted,
  orderEnded,
  orderModified,
  orderPlaced,
} from './order-events.ts';
import { heldBy } from './order-hold.ts';
import { forgetEndedOrders, recallOrder } from './order-memory.ts';
import { canApply } from './order-transitions.ts';

const DAY = '2026-03-02';
const rules = moneyRulesAsOf(DAY);

class Ledger {
  readonly account: Account = newAccount(7);
  readonly events: LedgerEvent[] = [];
  #orderID = 0;
  #execID = 0;

  constructor(paise: number) {
    this.apply(accountOpened(this.account, 1));
    this.apply(deposited(this.account, paise, 'd1', 2));
  }

  apply(event: LedgerEvent): LedgerEvent {
    applyEvent(this.account, event);
    this.events.push(event);
    return event;
  }

  place(side: OrderSide, product: Product, quantity: number, pricePaise: number): Order {
    const orderID = ++this.#orderID;
    const terms = { quantity, ordType: OrderType.Limit, pricePaise, triggerPricePaise: 0 };
    const order = { orderID, instrumentId: 5, side, product, validity: Validity.DAY, terms, clientOrderID: '' };
    const unfilled = { cumQty: 0, cumValuePaise: 0, brokeragePaise: 0, exposureQty: 0, pendingChanges: [] };
    const held = { ...order, ...unfilled, holdPricePaise: pricePaise };
    const hold = heldBy(rules, held, closableQty(exposureOf(this.account, 5), order, 0));
    this.apply(orderPlaced(this.account, { ...order, holdPricePaise: pricePaise, ...hold }, 10));
    return this.account.orders.get(orderID)!;
  }

  execution(lastQty: number, lastPxPaise: number): Execution {
    return { execID: `E${++this.#execID}`, venue: 'V', tradingDay: DAY, lastQty, lastPxPaise };
  }

  fill(order: Order, lastQty: number, lastPxPaise: number): LedgerEvent {
    return this.apply(orderFilled(rules, this.account, order, this.execution(lastQty, lastPxPaise), 20));
  }

  /** Raises the holds that do not cover any more; the orders whose they are. */
  cover(product: Product): number[] {
    const raised: number[] = [];
    for (;;) {
      const event = nextHoldRaised(rules, this.account, 5, product, 30);
      if (event === null) return raised;
      raised.push(this.apply(event).orderID);
    }
  }

  position(product: Product) {
    return this.account.positions.get(`5:${product}`)!;
  }
}

t.test('a CNC purchase filled in two parts', async (t) => {
  const ledger = new Ledger(20_000_000);
  const { account } = ledger;
  const order = ledger.place(OrderSide.Buy, Product.CNC, 100, 100_000);
  // 1,00,000 rupees, and as bounds: STT 10,000 + 50, exchange 297 + 50, SEBI 10 + 10, stamp 1,500 + 50, GST 18 % of 367 = 66.06 + 50.
  t.equal(order.holdPaise, 10_000_000 + 10_050 + 347 + 20 + 1_550 + 117);
  t.equal(account.availablePaise + account.heldPaise, 20_000_000);
  ledger.apply(orderAccepted(account, order, 'V1', 15));
  t.equal(order.status, OrderStatus.Open);
  const first = ledger.fill(order, 40, 99_900);
  t.same(first.detail.type === EventType.OrderFilled && first.detail.charges, {
    brokeragePaise: 0,
    sttPaise: 3_996,
    exchangePaise: 119,
    sebiPaise: 4,
    stampDutyPaise: 599,
    gstPaise: 22,
    depositoryPaise: 0,
  });
  t.equal(order.status, OrderStatus.PartiallyFilled);
  ledger.fill(order, 60, 100_000);
  t.equal(order.status, OrderStatus.Filled);
  t.equal(account.heldPaise, 0);
  const charges = 3_996 + 119 + 4 + 599 + 22 + 6_000 + 178 + 6 + 900 + 33;
  t.equal(account.availablePaise, 20_000_000 - 3_996_000 - 6_000_000 - charges);
  t.match(ledger.position(Product.CNC), { quantity: 100, openValuePaise: 9_996_000, dayBuyQty: 100, marginPaise: 0 });
  ledger.apply(positionSettled(account, 5, DAY, 30)!);
  t.same(account.holdings.get(5), { instrumentId: 5, quantity: 100, valuePaise: 9_996_000, markPaise: 100_000 });
  t.equal(positionSettled(account, 5, DAY, 31), null);
});

t.test('an MIS short closed at a loss', async (t) => {
  const ledger = new Ledger(5_000_000);
  const { account } = ledger;
  const short = ledger.place(OrderSide.Sell, Product.MIS, 100, 100_000);
  t.equal(short.exposureQty, 100);
  ledger.fill(short, 100, 100_000);
  t.match(ledger.position(Product.MIS), { quantity: -100, openValuePaise: -10_000_000, marginPaise: 2_000_000 });
  t.equal(account.marginPaise, 2_000_000);
  const cover = ledger.place(OrderSide.Buy, Product.MIS, 100, 102_000);
  t.equal(cover.exposureQty, 0, 'it closes');
  ledger.fill(cover, 100, 101_000);
  t.match(ledger.position(Product.MIS), { quantity: 0, openValuePaise: 0, marginPaise: 0, realisedPaise: -100_000 });
  t.equal(account.marginPaise + account.heldPaise, 0);
  const sale = 2_000 + 2_500 + 297 + 10 + 415;
  const purchase = 2_000 + 300 + 10 + 303 + 416;
  t.equal(account.availablePaise, 5_000_000 - 100_000 - sale - purchase);
});

t.test('a replace that is unanswered is held for, refused or taken', async (t) => {
  const ledger = new Ledger(20_000_000);
  const { account } = ledger;
  const order = ledger.place(OrderSide.Buy, Product.CNC, 10, 100_000);
  const before = order.holdPaise;
  const terms = { ...order.terms, quantity: 20 };
  ledger.apply(modifyRequested(rules, account, order, { terms, holdPricePaise: 100_000 }, 20));
  t.ok(order.holdPaise > 2_000_000);
  ledger.apply(changeRejected(rules, account, order, 1, 440, 'too late', 21));
  t.equal(order.holdPaise, before);
  ledger.apply(modifyRequested(rules, account, order, { terms, holdPricePaise: 100_000 }, 22));
  ledger.fill(order, 5, 100_000);
  ledger.apply(orderModified(rules, account, order, 2, null, 23));
  t.match(order, { terms: { quantity: 20 }, cumQty: 5, venueVersion: 2, status: OrderStatus.PartiallyFilled });
  ledger.apply(cancelRequested(account, order, 24));
  t.match(order.pendingChanges, [{ version: 3, terms: null }]);
  ledger.apply(orderEnded(account, order, EventType.OrderCanceled, 0, '', 25));
  t.match(order, { status: OrderStatus.Canceled, holdPaise: 0, pendingChanges: { length: 0 } });
  t.equal(account.heldPaise, 0);
  const late = ledger.fill(order, 15, 100_000);
  t.match(late.detail, { isLate: true });
  t.match(order, { status: OrderStatus.Canceled, cumQty: 20 });
});

t.test('units that close fill first, and what a replace adds is counted while it is unanswered', async (t) => {
  const ledger = new Ledger(20_000_000);
  const { account } = ledger;
  ledger.fill(ledger.place(OrderSide.Buy, Product.MIS, 10, 100_000), 10, 100_000);
  const sale = ledger.place(OrderSide.Sell, Product.MIS, 15, 100_000);
  t.equal(sale.exposureQty, 5);
  t.equal(ledger.place(OrderSide.Sell, Product.MIS, 1, 100_000).exposureQty, 1, 'what closes is claimed once');
  ledger.apply(
    modifyRequested(rules, account, sale, { terms: { ...sale.terms, quantity: 25 }, holdPricePaise: 100_000 }, 20),
  );
  t.equal(sale.exposureQty, 15);
  t.match(exposureOf(account, 5)![Product.MIS - 1], { openSellQty: 26, closingSellQty: 10 });
  ledger.apply(orderModified(rules, account, sale, 1, null, 21));
  t.equal(sale.exposureQty, 15);
  ledger.fill(sale, 4, 100_000);
  t.equal(sale.exposureQty, 15);
  t.match(exposureOf(account, 5)![Product.MIS - 1], { openSellQty: 22, closingSellQty: 6 });
  ledger.fill(sale, 7, 100_000);
  t.equal(sale.exposureQty, 14);
  t.equal(account.marginPaise, 20_000);
});

t.test('an order that was overtaken is held for, out of what the other order held', async (t) => {
  const ledger = new Ledger(20_000_000);
  const { account } = ledger;
  ledger.fill(ledger.place(OrderSide.Buy, Product.MIS, 30, 100_000), 30, 100_000);
  const first = ledger.place(OrderSide.Sell, Product.MIS, 28, 100_000);
  const second = ledger.place(OrderSide.Sell, Product.MIS, 31, 100_000);
  t.match([first.exposureQty, second.exposureQty], [0, 29]);
  const chargesPaise = first.holdPaise;
  t.same(ledger.cover(Product.MIS), [], 'as placed, they cover');
  const availablePaise = account.availablePaise;
  ledger.fill(second, 10, 100_000);
  t.same(ledger.cover(Product.MIS), [first.orderID]);
  t.match([first.exposureQty, second.exposureQty], [8, 21]);
  t.equal(first.holdPaise, chargesPaise + 8 * 20_000);
  t.ok(account.availablePaise >= availablePaise, 'nothing free was taken');
  ledger.fill(second, 21, 100_000);
  t.equal(ledger.position(Product.MIS).quantity, -1);
  t.same(ledger.cover(Product.MIS), [first.orderID]);
  t.match(first, { exposureQty: 28, holdPaise: chargesPaise + 28 * 20_000 });
  t.same(ledger.cover(Product.MIS), []);
  const freePaise = account.availablePaise;
  ledger.fill(first, 28, 100_000);
  t.ok(account.availablePaise >= freePaise, 'and it is paid for by its hold');
  t.equal(account.heldPaise, 0);
});

t.test(
  'the oldest order keeps what it counts on, also one that was asked to be changed; a hold is raised below nothing',
  async (t) => {
    const ledger = new Ledger(1_000_000);
    const { account } = ledger;
    const bought = ledger.place(OrderSide.Buy, Product.MIS, 30, 100_000);
    const trade = ledger.fill(bought, 30, 100_000);
    if (trade.detail.type !== EventType.OrderFilled) throw new Error('a fill');
    const orders = [10, 10, 10].map((quantity) => ledger.place(OrderSide.Sell, Product.MIS, quantity, 100_000));
    const [, second, third] = orders as [Order, Order, Order];
    const change = { terms: { ...second.terms, quantity: 8 }, holdPricePaise: 110_000 };
    ledger.apply(modifyRequested(rules, account, second, change, 25));
    const correction = ledger.execution(15, 100_000);
    ledger.apply(tradeCorrected(rules, account, bought, correction, trade.detail, 26));
    t.same(ledger.cover(Product.MIS), [third.orderID, second.orderID]);
    t.same(
      orders.map(({ exposureQty }) => exposureQty),
      [0, 5, 10],
    );
    const undone = { ...correction, charges: addCharges(trade.detail.charges, trade.detail.charges, -1) };
    ledger.apply(tradeBusted(rules, account, bought, ledger.execution(15, 100_000), undone, 27));
    ledger.cover(Product.MIS);
    t.same(
      orders.map(({ exposureQty }) => exposureQty),
      [10, 10, 10],
    );
    t.equal(
      account.heldPaise,
      orders.reduce((sum, { holdPaise }) => sum + holdPaise, 0),
    );
    const poor = new Ledger(610_000);
    poor.fill(poor.place(OrderSide.Buy, Product.MIS, 30, 100_000), 30, 100_000);
    const waits = poor.place(OrderSide.Sell, Product.MIS, 30, 110_000);
    const late = poor.place(OrderSide.Sell, Product.MIS, 1, 0);
    poor.apply(orderEnded(poor.account, late, EventType.OrderCanceled, 0, '', 28));
    poor.fill(late, 30, 10_000);
    poor.cover(Product.MIS);
    t.equal(waits.exposureQty, 30);
    t.ok(poor.account.availablePaise < 0);
  },
);

t.test('a correction and a bust undo to the paisa', async (t) => {
  const ledger = new Ledger(20_000_000);
  const { account } = ledger;
  const order = ledger.place(OrderSide.Sell, Product.MIS, 10, 100_000);
  const free = account.availablePaise + account.heldPaise;
  const filled = ledger.fill(order, 10, 100_000);
  if (filled.detail.type !== EventType.OrderFilled) throw new Error('a fill');
  const { execID, tradingDay, lastQty, lastPxPaise, charges } = filled.detail;
  const standing = { execID, tradingDay, lastQty, lastPxPaise, charges };
  const corrected = ledger.apply(tradeCorrected(rules, account, order, ledger.execution(4, 99_000), standing, 30));
  if (corrected.detail.type !== EventType.TradeCorrected) throw new Error('a correction');
  t.match(ledger.position(Product.MIS), { quantity: -4, openValuePaise: -396_000, daySellQty: 4 });
  t.equal(order.status, OrderStatus.Canceled, 'what does not come back to the market');
  const now = {
    ...standing,
    execID: corrected.detail.execID,
    lastQty: 4,
    lastPxPaise: 99_000,
    charges: addCharges(charges, corrected.detail.charges),
  };
  ledger.apply(tradeBusted(rules, account, order, ledger.execution(4, 99_000), now, 31));
  t.match(ledger.position(Product.MIS), { quantity: 0, openValuePaise: 0, marginPaise: 0, daySellQty: 0 });
  t.equal(account.availablePaise, free + ledger.position(Product.MIS).realisedPaise);
  t.equal(order.cumQty, 0);
  t.equal(order.brokeragePaise, 0);
  const rows = batchRows(ledger.events, () => account);
  t.equal(rows.trades.length, 4);
  t.equal(
    rows.trades.reduce((sum, trade) => sum + trade.quantity, 0),
    0,
  );
  t.equal(
    rows.trades.reduce((sum, trade) => sum + trade.chargesPaise, 0),
    0,
  );
  t.match(rows.accounts, [{ userId: 7, firstSeq: 1, lastSeq: account.seq, mustBeCovered: true }]);
  t.equal(rows.newOrders.length, 1);
  t.equal(rows.changedOrders.length, 0);
});

t.test('what ended is forgotten after its day, and recalled for a bust', async (t) => {
  const ledger = new Ledger(20_000_000);
  const { account } = ledger;
  const order = ledger.place(OrderSide.Buy, Product.CNC, 10, 100_000);
  const live = ledger.place(OrderSide.Buy, Product.CNC, 10, 90_000);
  const filled = ledger.fill(order, 10, 100_000);
  if (filled.detail.type !== EventType.OrderFilled) throw new Error('a fill');
  forgetEndedOrders(account, 20);
  t.equal(account.orders.size, 2);
  forgetEndedOrders(account, 21);
  t.same([...account.orders.keys()], [live.orderID]);
  recallOrder(account, order);
  ledger.apply(tradeBusted(rules, account, order, ledger.execution(10, 100_000), filled.detail, 40));
  t.equal(account.availablePaise + account.heldPaise, 20_000_000);
  t.throws(() => recallOrder(account, order), /was not forgotten/);
});

t.test('the table of transitions', async (t) => {
  const legal = (type: EventType) => Object.values(OrderStatus).filter((status) => canApply(status, type));
  const { Pending, TriggerPending, Open, PartiallyFilled, Filled, Canceled, Rejected, Expired } = OrderStatus;
  t.same(legal(EventType.OrderTriggered), [TriggerPending]);
  t.same(legal(EventType.ModifyRequested), [Pending, Open, PartiallyFilled]);
  t.same(legal(EventType.OrderModified), [Pending, TriggerPending, Open, PartiallyFilled, Filled]);
  t.same(legal(EventType.OrderFilled), [Pending, Open, PartiallyFilled, Filled, Canceled, Rejected, Expired]);
  t.same(legal(EventType.OrderRejected), [Pending, TriggerPending, Open]);
  t.same(legal(EventType.OrderCanceled), [Pending, TriggerPending, Open, PartiallyFilled]);
  t.same(legal(EventType.HoldRaised), [Pending, TriggerPending, Open, PartiallyFilled]);
  t.same(legal(EventType.TradeBusted), [PartiallyFilled, Filled, Canceled, Rejected, Expired]);
  t.same(legal(EventType.Deposited), []);
  const ledger = new Ledger(20_000_000);
  const order = ledger.place(OrderSide.Buy, Product.CNC, 10, 100_000);
  ledger.apply(orderEnded(ledger.account, order, EventType.OrderRejected, 410, 'no', 20));
  t.throws(
    () => ledger.apply(orderEnded(ledger.account, order, EventType.OrderCanceled, 0, '', 21)),
    /event type 18 for order status 7/,
  );
});

t.test('events in JSON replay to the same account; a wrong one is refused', async (t) => {
  const ledger = new Ledger(20_000_000);
  const order = ledger.place(OrderSide.Buy, Product.CNC, 10, 100_000);
  const fill = ledger.fill(order, 4, 99_000);
  const replayed = newAccount(7);
  for (const event of JSON.parse(JSON.stringify(ledger.events))) applyEvent(replayed, event);
  t.same(replayed, ledger.account);
  t.throws(() => applyEvent(replayed, fill), /event 4 of user 7 applied after 4/);
  const next = { ...fill, seq: 5 };
  t.throws(() => applyEvent(replayed, { ...next, userId: 8 }), /user 8/);
  t.throws(() => applyEvent(replayed, { ...next, postings: [{ account: 1, amountPaise: 5 }] }), /sum to 5/);
});
