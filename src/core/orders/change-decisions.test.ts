import t from 'tap';
import { ExecType, OrdStatus } from '../fix/generated/fix-enums.gen.ts';
import { VenueRefusal } from '../fix/venue-refusals.ts';
import { clOrdIDOf, OrderStatus, type OrderTerms, Product, Validity } from '../ledger/order.ts';
import { RefusalCode } from '../refusal-codes.ts';
import { ACME, limit, market, OTHER_USER, stopLimit, stopMarket, TestDesk, USER } from './testing/test-desk.ts';

/** An order of ten at 100 rupees that is open at the venue. */
function openOrder(desk: TestDesk, terms: OrderTerms = limit(10, 10_000)): number {
  const orderID = desk.place({ terms });
  desk.venue.accept();
  desk.settle();
  return orderID;
}

function modify(desk: TestDesk, orderID: number, terms: OrderTerms, userId = USER): number {
  const reply = desk.ask({ type: 'modify', userId, orderID, terms });
  return reply.kind === 'refused' ? reply.code : 0;
}

function cancel(desk: TestDesk, orderID: number, userId = USER): number {
  const reply = desk.ask({ type: 'cancel', userId, orderID });
  return reply.kind === 'refused' ? reply.code : 0;
}

t.test('each refusal of a change changes nothing', (t) => {
  const desk = TestDesk.open();
  const orderID = openOrder(desk);
  const stopID = desk.place({ terms: stopMarket(1, 10_500) });
  const doneID = openOrder(desk, limit(5, 10_000));
  const iocID = desk.place({ validity: Validity.IOC });
  desk.venue.inbox.length = 0;
  desk.venue.fill(clOrdIDOf(doneID, 0), 5, 10_000);
  desk.venue.fill(clOrdIDOf(orderID, 0), 4, 10_000);
  desk.settle();
  const before = structuredClone(desk.account());
  const refusals: [string, number, OrderTerms, number, number][] = [
    ['no order', 12345, limit(9, 10_000), USER, RefusalCode.UnknownOrder],
    ["another user's", orderID, limit(9, 10_000), OTHER_USER, RefusalCode.UnknownOrder],
    ['no account', orderID, limit(9, 10_000), 99, RefusalCode.UnknownOrder],
    ['a done one', doneID, limit(9, 10_000), USER, RefusalCode.OrderDone],
    ['an immediate one', iocID, limit(9, 10_000), USER, RefusalCode.ValidityNotAllowed],
    ['to less than is executed', orderID, limit(4, 10_000), USER, RefusalCode.BelowExecuted],
    ['to what it is', orderID, limit(10, 10_000), USER, RefusalCode.NothingChanged],
    ['to a stop order', orderID, stopMarket(10, 10_500), USER, RefusalCode.BadTrigger],
    ['of a stop order to none', stopID, limit(10, 10_000), USER, RefusalCode.BadTrigger],
    ['off the tick', orderID, limit(10, 10_001), USER, RefusalCode.TickSize],
    ['too far', orderID, limit(10, 11_500), USER, RefusalCode.PriceCollar],
    ['too much', orderID, limit(20_000, 10_000), USER, RefusalCode.FreezeQuantity],
    ['a fraction', orderID, limit(1.5, 10_000), USER, RefusalCode.BadQuantity],
  ];
  for (const [name, id, terms, userId, code] of refusals) t.equal(modify(desk, id, terms, userId), code, name);
  t.equal(cancel(desk, 12345), RefusalCode.UnknownOrder);
  t.equal(cancel(desk, orderID, OTHER_USER), RefusalCode.UnknownOrder);
  t.equal(cancel(desk, doneID), RefusalCode.OrderDone);
  desk.venue.cut();
  desk.settle();
  t.equal(modify(desk, orderID, limit(9, 10_000)), VenueRefusal.SessionDown);
  t.equal(cancel(desk, orderID), VenueRefusal.SessionDown, 'nothing of the account goes elsewhere');
  t.same(desk.account(), before);
  t.same(desk.venue.inbox, []);
  t.end();
});

t.test('a replace: held for the more of both until it is answered', (t) => {
  const desk = TestDesk.open();
  const orderID = openOrder(desk);
  const held10 = desk.account().heldPaise;
  t.equal(modify(desk, orderID, limit(20, 10_000)), 0);
  const held20 = desk.account().heldPaise;
  t.ok(held20 > 1.9 * held10);
  t.match(desk.venue.inbox, [{ clOrdID: clOrdIDOf(orderID, 1), origClOrdID: clOrdIDOf(orderID, 0) }]);
  t.equal(desk.order(orderID).terms.quantity, 10, 'the terms in force are the old ones');
  desk.venue.accept();
  desk.settle();
  t.match(desk.order(orderID), {
    terms: { quantity: 20 },
    venueVersion: 1,
    pendingChanges: { length: 0 },
    holdPaise: held20,
  });
  t.equal(modify(desk, orderID, limit(5, 10_000)), 0);
  t.equal(desk.account().heldPaise, held20, 'less is not free before the venue says so');
  desk.venue.reject();
  desk.settle();
  t.match(desk.order(orderID), {
    terms: { quantity: 20 },
    venueVersion: 1,
    pendingChanges: { length: 0 },
    holdPaise: held20,
  });
  t.equal(modify(desk, orderID, limit(5, 10_000)), 0);
  desk.venue.accept();
  desk.settle();
  t.ok(desk.account().heldPaise < held10);
  t.same(desk.alarms, []);
  t.end();
});

t.test('a chain of replaces and a cancel, each naming the one before it', (t) => {
  const desk = TestDesk.open();
  const orderID = openOrder(desk);
  t.equal(modify(desk, orderID, limit(12, 10_000)), 0);
  t.equal(modify(desk, orderID, limit(14, 10_000)), 0);
  t.equal(cancel(desk, orderID), 0);
  t.equal(modify(desk, orderID, limit(15, 10_000)), RefusalCode.ChangePending);
  t.equal(cancel(desk, orderID), RefusalCode.ChangePending);
  t.same(
    desk.venue.inbox.map(({ clOrdID, origClOrdID }) => [clOrdID, origClOrdID]),
    [1, 2, 3].map((version) => [clOrdIDOf(orderID, version), clOrdIDOf(orderID, version - 1)]),
  );
  desk.venue.accept();
  desk.venue.accept();
  desk.settle();
  t.match(desk.order(orderID), { terms: { quantity: 14 }, venueVersion: 2 });
  desk.venue.accept();
  desk.settle();
  t.match(desk.order(orderID), { status: OrderStatus.Canceled, holdPaise: 0, pendingChanges: { length: 0 } });
  t.equal(desk.account().heldPaise, 0);
  t.end();
});

t.test('what is chained to a rejected replace is rejected with it', (t) => {
  const desk = TestDesk.open();
  const orderID = openOrder(desk);
  const heldPaise = desk.account().heldPaise;
  modify(desk, orderID, limit(12, 10_000));
  modify(desk, orderID, limit(14, 10_000));
  desk.venue.reject();
  desk.venue.accept();
  desk.settle();
  t.match(desk.order(orderID), { terms: { quantity: 10 }, pendingChanges: { length: 0 }, holdPaise: heldPaise });
  t.equal(modify(desk, orderID, limit(12, 10_000)), 0);
  desk.venue.accept();
  desk.settle();
  t.match(desk.order(orderID), { terms: { quantity: 12 }, venueVersion: 3 });
  t.end();
});

t.test('a replace that crosses the last fill', (t) => {
  const desk = TestDesk.open();
  const orderID = openOrder(desk);
  modify(desk, orderID, limit(5, 10_000));
  desk.venue.fill(clOrdIDOf(orderID, 0), 5, 10_000);
  desk.venue.accept();
  desk.settle();
  t.match(desk.order(orderID), { status: OrderStatus.Filled, cumQty: 5, holdPaise: 0 });
  const secondID = openOrder(desk);
  modify(desk, secondID, limit(20, 10_000));
  desk.venue.fill(clOrdIDOf(secondID, 0), 10, 10_000);
  desk.settle();
  t.equal(desk.order(secondID).status, OrderStatus.Filled);
  desk.venue.inbox.length = 0;
  const thirdID = openOrder(desk);
  modify(desk, thirdID, limit(5, 10_000));
  modify(desk, thirdID, limit(20, 10_000));
  desk.venue.fill(clOrdIDOf(thirdID, 0), 5, 10_000);
  desk.venue.accept();
  desk.settle();
  t.match(
    desk.order(thirdID),
    { status: OrderStatus.Filled, holdPaise: 0, pendingChanges: { length: 0 } },
    'with another behind it',
  );
  desk.venue.inbox.length = 0;
  t.equal(desk.account().heldPaise, 0);
  t.end();
});

t.test('a stop order that waits here is changed and canceled at once', (t) => {
  const desk = TestDesk.open();
  const orderID = desk.place({ terms: stopLimit(10, 10_100, 10_200) });
  t.match(desk.ask({ type: 'modify', userId: USER, orderID, terms: stopLimit(10, 10_300, 10_400) }), { kind: 'done' });
  desk.trade(ACME, 10_250);
  t.equal(desk.order(orderID).status, OrderStatus.TriggerPending, 'it waits for its new price');
  desk.market.prices.set(0, 10_000);
  t.match(desk.ask({ type: 'cancel', userId: USER, orderID }), { kind: 'done', orderID });
  t.equal(desk.account().heldPaise, 0);
  desk.trade(ACME, 10_500);
  t.equal(desk.order(orderID).status, OrderStatus.Canceled);
  t.same(desk.venue.inbox, []);
  t.end();
});

t.test('a triggered order is changed like any other', (t) => {
  const desk = TestDesk.open();
  const orderID = desk.place({ terms: stopLimit(10, 10_100, 10_200) });
  desk.trade(ACME, 10_100);
  desk.venue.accept();
  desk.settle();
  t.equal(modify(desk, orderID, limit(10, 10_200)), RefusalCode.NothingChanged);
  t.equal(modify(desk, orderID, limit(10, 10_150)), 0);
  desk.venue.accept();
  desk.settle();
  t.match(desk.order(orderID), { terms: limit(10, 10_150), status: OrderStatus.Open });
  t.end();
});

t.test('a cancel of an order that still waits behind the limit takes it out', (t) => {
  const desk = TestDesk.open({ throttle: { messagesPerSecond: 1, burst: 1, queueMax: 2 } });
  desk.wait(5_000_000);
  const first = desk.place({ terms: limit(1, 10_000) });
  const second = desk.place({ terms: limit(2, 10_000) });
  const third = desk.place({ terms: limit(3, 10_000) });
  const fourth = desk.place({ terms: limit(4, 10_000) });
  t.match(desk.order(fourth), { status: OrderStatus.Rejected, refusalCode: VenueRefusal.ThrottleFull, holdPaise: 0 });
  t.equal(cancel(desk, second), 0);
  t.match(desk.order(second), { status: OrderStatus.Canceled, refusalCode: VenueRefusal.Withdrawn, holdPaise: 0 });
  desk.wait(5_000_000);
  t.same(
    desk.venue.inbox.map(({ clOrdID }) => clOrdID),
    [first, third].map((orderID) => clOrdIDOf(orderID, 0)),
  );
  t.same(desk.alarms, []);
  t.end();
});

t.test('an immediate order: what is not filled is canceled by the venue', (t) => {
  const desk = TestDesk.open();
  const orderID = desk.place({ validity: Validity.IOC, terms: market(10), product: Product.MIS });
  desk.venue.accept();
  desk.venue.fill(clOrdIDOf(orderID, 0), 4, 10_000);
  desk.venue.end(clOrdIDOf(orderID, 0), OrdStatus.Canceled, ExecType.Canceled);
  desk.settle();
  t.match(desk.order(orderID), { status: OrderStatus.Canceled, cumQty: 4, holdPaise: 0 });
  t.equal(desk.account().heldPaise, 0);
  t.end();
});

t.test('all open orders are canceled at once, or those of one instrument', (t) => {
  const desk = TestDesk.open();
  const done = desk.place({ terms: limit(1, 10_000) });
  desk.venue.accept();
  desk.venue.fill(clOrdIDOf(done, 0), 1, 10_000);
  const rests = desk.place({ terms: limit(2, 10_000) });
  desk.venue.accept();
  const stop = desk.place({ terms: stopLimit(10, 10_100, 10_200) });
  const asked = desk.place({ terms: limit(3, 10_000) });
  const other = desk.place({ symbol: 'LOTS', terms: limit(10, 10_000) });
  const others = desk.place({ userId: OTHER_USER, terms: limit(4, 10_000) });
  desk.settle();
  cancel(desk, asked);
  const all = (symbol = '', userId = USER) => desk.ask({ type: 'cancel-all', userId, symbol });
  t.match(all('NONE'), { kind: 'refused', code: RefusalCode.UnknownSymbol });
  t.match(all('', 99), { kind: 'refused', code: RefusalCode.UnknownAccount });
  t.match(all('ACME'), { kind: 'cancels-requested', requested: 2, canceled: 1, left: 0, seq: desk.account().seq });
  t.equal(desk.order(stop).status, OrderStatus.Canceled);
  const isAsked = (orderID: number, userId = USER) => desk.order(orderID, userId).pendingChanges.length;
  t.same([isAsked(rests), isAsked(asked), isAsked(other), isAsked(others, OTHER_USER)], [1, 1, 0, 0]);
  t.match(all(), { requested: 3, canceled: 0, left: 0 });
  while (desk.venue.inbox.length > 0) desk.venue.accept();
  desk.settle();
  t.match(all(), { kind: 'cancels-requested', requested: 0, canceled: 0, left: 0 }, 'nothing is open');
  t.equal(desk.account().heldPaise, 0);
  t.same(desk.alarms, []);
  t.end();
});

t.test('with the session down what waits here is canceled, and what is left is told', (t) => {
  const desk = TestDesk.open();
  desk.place({ terms: limit(1, 10_000) });
  desk.venue.accept();
  const stop = desk.place({ terms: stopLimit(10, 10_100, 10_200) });
  desk.venue.cut();
  desk.settle();
  const all = { type: 'cancel-all', userId: USER, symbol: '' } as const;
  t.match(desk.ask(all), { kind: 'cancels-requested', requested: 0, canceled: 1, left: 1 });
  t.equal(desk.order(stop).status, OrderStatus.Canceled);
  const { seq } = desk.account();
  t.match(desk.ask(all), { kind: 'refused', code: VenueRefusal.SessionDown });
  t.equal(desk.account().seq, seq);
  t.end();
});
