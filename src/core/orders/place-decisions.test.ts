import t from 'tap';
import { VenueRefusal } from '../fix/venue-refusals.ts';
import { OrderSide, OrderStatus, Product } from '../ledger/order.ts';
import { RefusalCode } from '../refusal-codes.ts';
import type { PlaceOrder } from './order-command.ts';
import {
  ACME,
  LOTS,
  limit,
  limitOrder,
  market,
  OTHER_USER,
  stopLimit,
  stopMarket,
  TestDesk,
  USER,
} from './testing/test-desk.ts';

t.test('each refusal of an order changes nothing', (t) => {
  const refusals: [string, Partial<PlaceOrder>, number][] = [
    ['no account', { userId: 99 }, RefusalCode.UnknownAccount],
    ['no symbol', { symbol: 'NONE' }, RefusalCode.UnknownSymbol],
    ['an index', { symbol: 'INDEX' }, RefusalCode.NotTradable],
    ['a fraction', { terms: limit(1.5, 10_000) }, RefusalCode.BadQuantity],
    ['not on the tick', { terms: limit(10, 10_001) }, RefusalCode.TickSize],
    ['out of the band', { terms: limit(10, 20_000) }, RefusalCode.PriceBand],
    ['too far from the last price', { terms: limit(10, 8_500) }, RefusalCode.PriceCollar],
    ['what is not held', { side: OrderSide.Sell }, RefusalCode.Holdings],
    ['too many shares', { terms: limit(5_001, 10_000), product: Product.MIS }, RefusalCode.PositionLimit],
    ['a trigger that has passed', { terms: stopMarket(10, 9_000) }, RefusalCode.BadTrigger],
  ];
  const desk = TestDesk.open();
  for (const [name, fields, code] of refusals) {
    const before = structuredClone([desk.account(USER), desk.account(OTHER_USER)]);
    const batches = desk.ledger.sent.length;
    t.equal(-desk.place(fields), code, name);
    t.same([desk.account(USER), desk.account(OTHER_USER)], before, `${name}: memory is as it was`);
    t.equal(desk.ledger.sent.length, batches, `${name}: nothing is committed`);
  }
  t.same([desk.pushed, desk.alarms, desk.venue.inbox], [[], [], []]);
  t.end();
});

t.test('what the state of the world refuses', (t) => {
  const desk = TestDesk.open({ settings: { stopOrdersMax: 1 } });
  desk.market.stale.add(0);
  t.equal(-desk.place(), RefusalCode.StaleReferencePrice);
  desk.market.stale.clear();
  desk.market.halted.add(0);
  t.equal(-desk.place(), RefusalCode.InstrumentHalted);
  desk.market.halted.clear();
  desk.market.isMarketHalted = true;
  t.equal(-desk.place(), RefusalCode.MarketHalted);
  desk.market.isMarketHalted = false;
  desk.ask({ type: 'freeze', userId: USER, reason: 'asked for' });
  t.equal(-desk.place(), RefusalCode.AccountFrozen);
  t.ok(desk.place({ userId: OTHER_USER }) > 0);
  desk.ask({ type: 'unfreeze', userId: USER, reason: 'all is well' });
  t.ok(desk.place({ terms: stopMarket(1, 10_100) }) > 0);
  t.equal(-desk.place({ terms: stopMarket(1, 10_100) }), VenueRefusal.TooManyOrders);
  desk.venue.cut();
  t.equal(-desk.place(), VenueRefusal.SessionDown);
  desk.wait(6 * 3_600_000_000);
  t.equal(-desk.place(), RefusalCode.MarketClosed);
  t.end();
});

t.test('money runs out, with its numbers', (t) => {
  const desk = TestDesk.open();
  const big = { terms: limit(4_500, 11_000) };
  t.ok(desk.place(big) > 0);
  t.ok(desk.place({ ...big, symbol: 'LOTS' }) > 0);
  const reply = desk.ask(limitOrder({ terms: limit(500, 11_000), product: Product.NRML }));
  t.match(reply, {
    kind: 'refused',
    code: RefusalCode.BuyingPower,
    check: { check: 'buying-power', limit: 100_000_000 },
  });
  t.equal(desk.account().heldPaise + desk.account().availablePaise, 100_000_000);
  t.end();
});

t.test('an order is answered and sent when it is durable, and not before', (t) => {
  const desk = TestDesk.open();
  desk.send(limitOrder());
  t.same([desk.replies, desk.pushed], [[], []]);
  t.ok(desk.account().heldPaise > 100_000, 'memory holds at once');
  desk.service.flush(desk.nowMicros);
  desk.venue.carry();
  t.same([desk.replies, desk.venue.inbox], [[], []], 'it is under way to the database');
  desk.ledger.answer();
  desk.venue.carry();
  t.match(desk.replies, [{ kind: 'placed', isRepeat: false }]);
  t.match(desk.pushed, [{ userId: USER, seq: 3 }]);
  t.equal(desk.venue.inbox.length, 1);
  t.end();
});

t.test('the same client order id twice is one order', (t) => {
  const desk = TestDesk.open();
  const order = limitOrder({ clientOrderID: 'mine' });
  desk.send(order);
  desk.send(order);
  t.same(desk.replies, [], 'the second waits for what the first waits for');
  desk.settle();
  const [first, second] = desk.takeReplies();
  t.match(first, { kind: 'placed', isRepeat: false });
  t.match(second, { kind: 'placed', isRepeat: true });
  t.match(first, { orderID: (second as { orderID: number }).orderID });
  t.match(desk.ask(order), { kind: 'placed', isRepeat: true });
  t.equal(desk.venue.inbox.length, 1);
  t.match(desk.ask(limitOrder({ clientOrderID: 'mine', terms: limit(11, 10_000) })), {
    kind: 'refused',
    code: RefusalCode.IdempotencyConflict,
  });
  t.match(desk.ask({ ...order, userId: OTHER_USER }), { kind: 'placed', isRepeat: false }, "another user's is another");
  desk.restart();
  t.match(desk.ask(order), { kind: 'placed', isRepeat: true }, 'in a later process too');
  t.end();
});

t.test('a dry run tells what the order would do, and does nothing', (t) => {
  const desk = TestDesk.open();
  const before = structuredClone(desk.account());
  const batches = desk.ledger.sent.length;
  const reply = desk.ask(limitOrder({ dryRun: true }));
  if (reply.kind !== 'dry-run') throw new Error(reply.kind);
  t.match(reply, { code: 0, marginPaise: 100_000 });
  t.equal(
    reply.chargesPaise,
    Object.values(reply.charges).reduce((sum, paise) => sum + paise, 0),
  );
  t.ok(reply.checks.length > 5 && reply.checks.every(({ passed }) => passed));
  t.same(desk.account(), before);
  t.equal(desk.ledger.sent.length, batches);
  desk.place();
  t.equal(desk.account().heldPaise, reply.marginPaise + reply.chargesPaise, 'the order holds what the dry run said');
  t.match(desk.ask(limitOrder({ dryRun: true, side: OrderSide.Sell })), {
    kind: 'dry-run',
    code: RefusalCode.Holdings,
  });
  t.end();
});

t.test('rates count orders that were placed, also after a restart', (t) => {
  const desk = TestDesk.open({
    limits: { ordersPerSecond: 3, ordersPerMinute: 5, ordersPerDay: 7, duplicateOrders: 0 },
  });
  const codes = (count: number): number[] =>
    Array.from({ length: count }, (_, at) => Math.max(0, -desk.place({ terms: limit(10 + at, 10_000) })));
  t.same(codes(4), [0, 0, 0, RefusalCode.OrdersPerSecond]);
  desk.wait(1_000_000);
  t.same(codes(3), [0, 0, RefusalCode.OrdersPerMinute]);
  desk.restart();
  desk.wait(1_000_000);
  t.same(codes(1), [RefusalCode.OrdersPerMinute]);
  desk.wait(60_000_000);
  t.same(codes(1), [0]);
  t.equal(-desk.place({ terms: limit(10, 10_000) }), RefusalCode.DuplicateOrder);
  t.same(codes(1).length, 1);
  desk.wait(1_000_001);
  t.same(codes(2), [0, RefusalCode.OrdersPerDay]);
  t.end();
});

t.test('a stop order waits here, and goes to the venue when its price has traded and that is durable', (t) => {
  const desk = TestDesk.open();
  const limitID = desk.place({ terms: stopLimit(10, 10_100, 10_200) });
  const marketID = desk.place({ terms: stopMarket(10, 10_050), product: Product.MIS });
  t.equal(desk.order(limitID).status, OrderStatus.TriggerPending);
  t.same(desk.venue.inbox, []);
  desk.trade(LOTS, 10_300);
  t.equal(desk.order(limitID).status, OrderStatus.TriggerPending, 'another instrument');
  desk.market.prices.set(0, 10_150);
  desk.service.trade(0, 10_150, desk.nowMicros);
  t.same(desk.venue.inbox, []);
  desk.settle();
  t.same(
    desk.venue.inbox.map(({ terms }) => [terms?.ordType, terms?.pricePaise, terms?.orderQty]),
    [
      [49, 0, 10],
      [50, 10_200, 10],
    ],
    'the one that the price reached first goes first',
  );
  t.equal(desk.order(marketID).status, OrderStatus.Pending);
  desk.trade(ACME, 10_300);
  t.equal(desk.venue.inbox.length, 2, 'once');
  t.end();
});

t.test('market orders are held at the upper band', (t) => {
  const desk = TestDesk.open();
  desk.place({ terms: market(10) });
  t.ok(desk.account().heldPaise >= 120_000);
  desk.venue.accept();
  desk.venue.fill(desk.venue.orders.keys().next().value!, 10, 10_010);
  desk.settle();
  t.equal(desk.account().heldPaise, 0);
  t.ok(desk.account().availablePaise < 100_000_000 - 100_100);
  t.end();
});
