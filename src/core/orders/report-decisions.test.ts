import t from 'tap';
import { ExecType, OrdStatus } from '../fix/generated/fix-enums.gen.ts';
import { EventType } from '../ledger/ledger-event.ts';
import { clOrdIDOf, OrderSide, OrderStatus, Product } from '../ledger/order.ts';
import { AlarmKind } from './order-effects.ts';
import { limit, OTHER_USER, stopLimit, TestDesk, USER } from './testing/test-desk.ts';

/** An order of ten at 100 rupees that is open at the venue, and the name that the venue knows it by. */
function openOrder(desk: TestDesk): { orderID: number; name: string } {
  const orderID = desk.place();
  desk.venue.accept();
  desk.settle();
  return { orderID, name: clOrdIDOf(orderID, 0) };
}

function kinds(desk: TestDesk): string[] {
  return desk.alarms.map(({ kind }) => kind);
}

t.test('fills: in parts, at better prices, and what was held is free to the paisa', (t) => {
  const desk = TestDesk.open();
  const { orderID, name } = openOrder(desk);
  desk.venue.fill(name, 4, 9_990);
  desk.settle();
  t.match(desk.order(orderID), { status: OrderStatus.PartiallyFilled, cumQty: 4, cumValuePaise: 39_960 });
  t.equal(desk.account().heldPaise, desk.order(orderID).holdPaise);
  desk.venue.fill(name, 6, 10_000);
  desk.settle();
  t.match(desk.order(orderID), { status: OrderStatus.Filled, cumQty: 10, holdPaise: 0 });
  t.equal(desk.account().heldPaise, 0);
  t.match([...desk.account().positions.values()], [{ quantity: 10, openValuePaise: 99_960 }]);
  t.same(
    desk.pushed.map(({ seq }) => seq),
    [3, 4, 5, 6],
    'every event is pushed, without a gap',
  );
  t.same(desk.alarms, []);
  t.end();
});

t.test('the same execution again changes nothing, whatever it comes with', (t) => {
  const desk = TestDesk.open();
  const { orderID, name } = openOrder(desk);
  const execID = desk.venue.fill(name, 4, 10_000);
  desk.settle();
  const before = structuredClone(desk.account());
  desk.venue.report(name, { execType: ExecType.Trade, execID, lastQty: 4, lastPxPaise: 10_000 });
  desk.settle();
  t.same(desk.account(), before);
  t.equal(desk.service.repeatCount, 1);
  desk.restart();
  desk.venue.report(name, { execType: ExecType.Trade, execID, lastQty: 4, lastPxPaise: 10_000 });
  desk.settle();
  t.equal(desk.order(orderID).cumQty, 4, 'a later process knows it too');
  t.equal(desk.service.repeatCount, 1);
  t.end();
});

t.test('reports of what is so already change nothing', (t) => {
  const desk = TestDesk.open();
  const { orderID, name } = openOrder(desk);
  desk.venue.report(name, { execType: ExecType.New });
  desk.ask({ type: 'modify', userId: USER, orderID, terms: limit(12, 10_000) });
  desk.venue.accept();
  desk.venue.report(clOrdIDOf(orderID, 1), { execType: ExecType.Replace, origClOrdID: name });
  desk.ask({ type: 'cancel', userId: USER, orderID });
  desk.venue.accept();
  desk.settle();
  const before = structuredClone(desk.account());
  desk.venue.report(name, { execType: ExecType.Canceled });
  desk.venue.report(name, { execType: ExecType.New });
  desk.venue.report(name, { execType: ExecType.PendingCancel });
  desk.settle();
  t.same(desk.account(), before);
  t.same(desk.alarms, []);
  t.end();
});

t.test('a fill before the confirmation', (t) => {
  const desk = TestDesk.open();
  const orderID = desk.place();
  desk.venue.inbox.length = 0;
  const name = clOrdIDOf(orderID, 0);
  const terms = {
    clOrdID: name,
    account: '7',
    symbol: 'ACME',
    side: 49,
    orderQty: 10,
    ordType: 50,
    pricePaise: 10_000,
  };
  const order = { ...terms, timeInForce: 48, transactTimeMicros: 0 } as never;
  desk.venue.orders.set(name, { orderID: 'V', terms: order, ordStatus: OrdStatus.New, cumQty: 0, valuePaise: 0 });
  desk.venue.fill(name, 10, 10_000);
  desk.venue.report(name, { execType: ExecType.New });
  desk.settle();
  t.match(desk.order(orderID), { status: OrderStatus.Filled, cumQty: 10 });
  t.same(desk.alarms, []);
  t.end();
});

t.test('the ways in which the venue ends an order', (t) => {
  const desk = TestDesk.open();
  const ends: [OrdStatus, ExecType, OrderStatus][] = [
    [OrdStatus.Canceled, ExecType.Canceled, OrderStatus.Canceled],
    [OrdStatus.Expired, ExecType.Expired, OrderStatus.Expired],
    [OrdStatus.DoneForDay, ExecType.DoneForDay, OrderStatus.Expired],
    [OrdStatus.Rejected, ExecType.Rejected, OrderStatus.Rejected],
  ];
  for (const [ordStatus, execType, status] of ends) {
    const { orderID, name } = openOrder(desk);
    desk.venue.end(name, ordStatus, execType);
    desk.settle();
    t.match(desk.order(orderID), { status, holdPaise: 0 });
  }
  const { orderID, name } = openOrder(desk);
  desk.venue.fill(name, 4, 10_000);
  desk.venue.end(name, OrdStatus.Rejected, ExecType.Rejected);
  desk.settle();
  t.match(desk.order(orderID), { status: OrderStatus.Canceled, cumQty: 4 }, 'what is executed in part is not rejected');
  const rejectedID = desk.place();
  desk.venue.reject();
  desk.settle();
  t.match(desk.order(rejectedID), { status: OrderStatus.Rejected, refusalCode: 439, text: 'no' });
  t.equal(desk.account().heldPaise, 0);
  t.same(desk.alarms, []);
  t.end();
});

t.test('a late fill is posted, makes the account short if it must, and raises an alarm', (t) => {
  const desk = TestDesk.open();
  const { orderID, name } = openOrder(desk);
  desk.ask({ type: 'cancel', userId: USER, orderID });
  desk.venue.accept();
  desk.settle();
  desk.ask({ type: 'withdraw', userId: USER, amountPaise: desk.account().availablePaise, reference: 'all' });
  desk.venue.fill(name, 10, 10_000);
  desk.settle();
  t.match(desk.order(orderID), { status: OrderStatus.Canceled, cumQty: 10, holdPaise: 0 });
  t.ok(desk.account().availablePaise < -100_000);
  t.same(kinds(desk), [AlarmKind.LateFill, AlarmKind.AccountShort]);
  t.equal(desk.account().availablePaise, desk.ledger.account(USER).availablePaise, 'and it is durable');
  t.end();
});

t.test('what overtakes an order raises its hold in the same batch, with an alarm when the account is short', (t) => {
  const desk = TestDesk.open();
  const trade = (side: OrderSide, quantity: number, pricePaise: number): string => {
    const orderID = desk.place({ side, product: Product.MIS, terms: limit(quantity, pricePaise) });
    desk.venue.accept();
    desk.settle();
    return clOrdIDOf(orderID, 0);
  };
  desk.venue.fill(trade(OrderSide.Buy, 30, 10_000), 30, 10_000);
  desk.settle();
  const waitingID = desk.place({ side: OrderSide.Sell, product: Product.MIS, terms: stopLimit(28, 9_000, 9_000) });
  const quick = trade(OrderSide.Sell, 31, 10_000);
  t.equal(desk.order(waitingID).exposureQty, 0);
  desk.ask({ type: 'withdraw', userId: USER, amountPaise: desk.account().availablePaise, reference: 'all' });
  desk.venue.fill(quick, 10, 10_000);
  desk.settle();
  t.match(desk.order(waitingID), { status: OrderStatus.TriggerPending, exposureQty: 8 });
  t.same(
    desk.ledger.batches.at(-1)!.events.map(({ detail }) => detail.type),
    [EventType.OrderFilled, EventType.HoldRaised],
  );
  t.same(desk.alarms, [], 'what the quick order held is enough');
  const late = trade(OrderSide.Sell, 1, 10_000);
  desk.venue.end(late, OrdStatus.Canceled, ExecType.Canceled);
  desk.settle();
  const { availablePaise } = desk.account();
  if (availablePaise > 0) desk.ask({ type: 'withdraw', userId: USER, amountPaise: availablePaise, reference: 'rest' });
  desk.venue.fill(late, 25, 8_000);
  desk.settle();
  t.match(desk.order(waitingID), { exposureQty: 28 });
  t.same(kinds(desk), [AlarmKind.LateFill, AlarmKind.Overfill, AlarmKind.AccountShort]);
  t.same(desk.account(), desk.ledger.account(USER), 'and it is durable');
  t.end();
});

t.test('more than was ordered is posted, and raises an alarm', (t) => {
  const desk = TestDesk.open();
  const { orderID, name } = openOrder(desk);
  desk.venue.fill(name, 12, 10_000);
  desk.settle();
  t.match(desk.order(orderID), { status: OrderStatus.Filled, cumQty: 12 });
  t.same(kinds(desk), [AlarmKind.Overfill]);
  t.end();
});

t.test('a bust and a correction undo what they name, once', (t) => {
  const desk = TestDesk.open();
  const { orderID, name } = openOrder(desk);
  const before = structuredClone(desk.account());
  const execRefID = desk.venue.fill(name, 4, 10_000);
  desk.settle();
  const order = desk.venue.orders.get(name)!;
  order.cumQty = 0;
  const bust = desk.venue.report(name, { execType: ExecType.TradeCancel, execRefID });
  desk.venue.report(name, { execType: ExecType.TradeCancel, execRefID, execID: bust });
  desk.settle();
  t.equal(desk.account().heldPaise, before.heldPaise);
  t.equal(desk.account().availablePaise, before.availablePaise);
  t.equal(desk.order(orderID).cumQty, 0);
  t.equal(desk.service.repeatCount, 1);
  const second = desk.venue.fill(name, 4, 10_000);
  const correction = { execType: ExecType.TradeCorrect, execRefID: second, lastQty: 3, lastPxPaise: 9_900 };
  order.cumQty = 3;
  const third = desk.venue.report(name, correction);
  desk.settle();
  t.match(desk.order(orderID), { cumQty: 3, cumValuePaise: 29_700 });
  desk.restart();
  order.cumQty = 0;
  desk.venue.report(name, { execType: ExecType.TradeCancel, execRefID: third });
  desk.settle();
  t.match(desk.order(orderID), { cumQty: 0, cumValuePaise: 0 }, 'a corrected trade is busted by its new name');
  t.same(desk.alarms, []);
  desk.venue.report(name, { execType: ExecType.TradeCancel, execRefID: 'NONE' });
  desk.settle();
  t.same(kinds(desk), [AlarmKind.UnknownTrade]);
  t.end();
});

t.test('a report about an order that is not ours raises an alarm', (t) => {
  const desk = TestDesk.open();
  const { name } = openOrder(desk);
  desk.venue.orders.set('STRANGER', { ...desk.venue.orders.get(name)! });
  desk.venue.report('STRANGER', { clOrdID: 'STRANGER', execType: ExecType.Trade, lastQty: 1, lastPxPaise: 1 });
  desk.venue.report('STRANGER', { clOrdID: clOrdIDOf(4711, 0), execType: ExecType.Trade, lastQty: 1, lastPxPaise: 1 });
  desk.settle();
  t.same(kinds(desk), [AlarmKind.UnknownOrder, AlarmKind.UnknownOrder]);
  t.same(desk.account(OTHER_USER).positions.size + desk.account().positions.size, 0);
  t.end();
});

t.test('an execution that cannot be is not posted', (t) => {
  const desk = TestDesk.open();
  const { orderID, name } = openOrder(desk);
  desk.venue.report(name, { execType: ExecType.Trade, lastQty: 0, lastPxPaise: 10_000 });
  desk.settle();
  t.equal(desk.order(orderID).cumQty, 0);
  t.same(kinds(desk), [AlarmKind.VenueDiffers]);
  t.end();
});

t.test('terms that the venue made itself are those in force', (t) => {
  const desk = TestDesk.open();
  const { orderID, name } = openOrder(desk);
  desk.ask({ type: 'modify', userId: USER, orderID, terms: limit(20, 10_000) });
  const { terms } = desk.venue.inbox[0]!;
  desk.venue.inbox[0] = { ...desk.venue.inbox[0]!, terms: { ...terms!, orderQty: 15 } };
  desk.venue.accept();
  desk.settle();
  t.match(desk.order(orderID), { terms: { quantity: 15 }, venueVersion: 1, pendingChanges: { length: 0 } });
  t.same(kinds(desk), [AlarmKind.VenueDiffers]);
  t.ok(name !== '');
  t.end();
});

t.test(
  'when the venue has executed more than we know, nobody guesses: the account is frozen and the order stays',
  (t) => {
    const desk = TestDesk.open();
    const { orderID, name } = openOrder(desk);
    desk.venue.orders.get(name)!.cumQty = 4;
    desk.venue.report(name, { execType: ExecType.OrderStatus });
    desk.venue.end(name, OrdStatus.Canceled, ExecType.Canceled);
    desk.settle();
    t.match(desk.order(orderID), { status: OrderStatus.Open, cumQty: 0 });
    t.match(desk.account().frozenReason, /venue has 4 executed, we have 0/);
    t.ok(kinds(desk).every((kind) => kind === AlarmKind.VenueDiffers));
    t.end();
  },
);

t.test('intraday and carried positions: long, short and through nothing', (t) => {
  const desk = TestDesk.open();
  const trade = (side: OrderSide, quantity: number, pricePaise: number, product: Product): void => {
    const orderID = desk.place({ side, product, terms: limit(quantity, pricePaise) });
    t.ok(orderID > 0, `placed ${orderID}`);
    desk.venue.accept();
    desk.venue.fill(clOrdIDOf(orderID, 0), quantity, pricePaise);
    desk.settle();
  };
  trade(OrderSide.Sell, 10, 10_000, Product.MIS);
  trade(OrderSide.Buy, 15, 9_900, Product.MIS);
  trade(OrderSide.Buy, 5, 10_000, Product.NRML);
  trade(OrderSide.Sell, 5, 10_100, Product.NRML);
  const account = desk.account();
  t.match(
    [...account.positions.values()].map(({ quantity, realisedPaise }) => [quantity, realisedPaise]),
    [
      [5, 1_000],
      [0, 500],
    ],
  );
  t.equal(account.heldPaise, 0);
  t.equal(account.marginPaise, 9_900);
  t.same(desk.alarms, []);
  t.end();
});

t.test('an execution can be the end of an order that is not executed whole', (t) => {
  const desk = TestDesk.open();
  const { orderID, name } = openOrder(desk);
  desk.venue.report(name, {
    ...{ execType: ExecType.Trade, ordStatus: OrdStatus.Canceled },
    ...{ execID: 'LAST', lastQty: 4, lastPxPaise: 10_000, cumQty: 4, leavesQty: 0 },
  });
  desk.settle();
  t.match(desk.order(orderID), { status: OrderStatus.Canceled, cumQty: 4, holdPaise: 0 });
  t.equal(desk.account().heldPaise, 0);
  t.same(desk.alarms, []);
  t.end();
});
