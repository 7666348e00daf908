import t, { type Test } from 'tap';
import { ExecType, MsgType, OrdStatus } from '../fix/generated/fix-enums.gen.ts';
import { VenueRefusal } from '../fix/venue-refusals.ts';
import { clOrdIDOf, type Order, OrderSide, OrderStatus, Product } from '../ledger/order.ts';
import { AlarmKind } from './order-effects.ts';
import { ACME, limit, limitOrder, stopMarket, TestDesk, USER } from './testing/test-desk.ts';
import { SESSION_NAME } from './testing/test-venue.ts';

/** What a death can find under way: the steps of letting everything come to rest, each of which it may follow. */
function settleUntil(desk: TestDesk, steps: number): boolean {
  for (let step = 0; step < steps; step++) {
    const kind = step % 3;
    if (kind === 0) desk.venue.carry();
    else if (kind === 1) desk.service.flush(desk.nowMicros);
    else if (desk.ledger.isIdle) return true;
    else desk.ledger.answer();
  }
  return false;
}

/** A day in which everything happens once; each act works on what the acts before it have left, by the client order ids. */
const DAY: readonly ((desk: TestDesk, order: (clientOrderID: string) => Order | undefined) => void)[] = [
  (desk) => desk.send(limitOrder({ clientOrderID: 'a' })),
  (desk) => acceptAll(desk),
  (desk, order) => send(desk, 'modify', order('a'), 20),
  (desk) => acceptAll(desk),
  (desk, order) => fill(desk, order('a'), 6),
  (desk) => desk.send(limitOrder({ clientOrderID: 'b', product: Product.MIS, side: OrderSide.Sell })),
  (desk) => acceptAll(desk),
  (desk, order) => fill(desk, order('b'), 10),
  (desk) => desk.send(limitOrder({ clientOrderID: 's', terms: stopMarket(3, 10_100), product: Product.MIS })),
  (desk, order) => send(desk, 'cancel', order('a'), 0),
  (desk) => acceptAll(desk),
  (desk) => desk.service.trade(ACME.instrumentIndex, 10_200, desk.nowMicros),
  (desk) => acceptAll(desk),
  (desk, order) => fill(desk, order('s'), 3),
  (desk) => desk.send({ type: 'withdraw', userId: USER, amountPaise: 1_000, reference: 'out' }),
];

function acceptAll(desk: TestDesk): void {
  while (desk.venue.inbox.length > 0) desk.venue.accept();
}

function send(desk: TestDesk, type: 'modify' | 'cancel', order: Order | undefined, quantity: number): void {
  if (order === undefined) return;
  const { orderID } = order;
  if (type === 'modify') desk.send({ type, userId: USER, orderID, terms: limit(quantity, 10_000) });
  else desk.send({ type, userId: USER, orderID });
}

/** The venue executes what it has of the order, however it got there. */
function fill(desk: TestDesk, order: Order | undefined, quantity: number): void {
  const name = order === undefined ? '' : clOrdIDOf(order.orderID, order.venueVersion);
  const there = desk.venue.orders.get(name);
  if (there !== undefined && (there.ordStatus === OrdStatus.New || there.ordStatus === OrdStatus.PartiallyFilled))
    desk.venue.fill(name, quantity, 10_000);
}

/** Ledger and venue have executed the same, nothing is held for what has ended, and nobody had to be called. */
function check(t: Test, desk: TestDesk, name: string): void {
  const account = desk.ledger.account(USER);
  const problems: string[] = [];
  let heldPaise = 0;
  for (const order of account.orders.values()) {
    heldPaise += order.holdPaise;
    const there = desk.venue.orders.get(clOrdIDOf(order.orderID, order.venueVersion));
    if ((there?.cumQty ?? 0) !== order.cumQty) problems.push(`${order.orderID}: executed ${order.cumQty}`);
    const isLive = there?.ordStatus === OrdStatus.New || there?.ordStatus === OrdStatus.PartiallyFilled;
    const isLiveHere = [OrderStatus.Open, OrderStatus.PartiallyFilled].includes(order.status as 3 | 4);
    if (isLive !== isLiveHere) problems.push(`${order.orderID}: status ${order.status}, there ${there?.ordStatus}`);
    if (order.pendingChanges.length > 0) problems.push(`${order.orderID}: unanswered changes`);
  }
  if (heldPaise !== account.heldPaise) problems.push(`held ${account.heldPaise}, for orders ${heldPaise}`);
  problems.push(...desk.alarms.map(({ kind, text }) => `${kind}: ${text}`));
  t.same(problems, [], name);
  t.same(desk.account(), account, `${name}: memory is as the database has it`);
}

for (let death = 0; death < DAY.length; death++) {
  t.test(`death in act ${death} of a day, at each step of it`, (t) => {
    let isAtRest = false;
    for (let steps = 0; !isAtRest; steps++) {
      const desk = TestDesk.open();
      const order = (clientOrderID: string): Order | undefined => {
        const orderID = desk.account().clientOrders.get(clientOrderID);
        return orderID === undefined ? undefined : desk.order(orderID);
      };
      const acknowledged = new Set<number>();
      DAY.forEach((act, at) => {
        act(desk, order);
        if (at === death) {
          isAtRest = settleUntil(desk, steps);
          desk.restart();
        }
        desk.settle();
        for (const reply of desk.takeReplies()) if (reply.kind === 'placed') acknowledged.add(reply.orderID);
      });
      acceptAll(desk);
      desk.settle();
      check(t, desk, `after ${steps} steps`);
      const { orders } = desk.ledger.account(USER);
      t.ok(
        [...acknowledged].every((orderID) => orders.has(orderID)),
        'no acknowledged order is missing',
      );
    }
    t.end();
  });
}

t.test('an order that never left is rejected after the restart, and its hold is free', (t) => {
  const desk = TestDesk.open();
  desk.send(limitOrder());
  desk.service.flush(desk.nowMicros);
  // The database has it, and the process dies before it hears of that.
  desk.ledger.answers = null;
  desk.ledger.answer();
  desk.restart();
  const [order] = [...desk.account().orders.values()];
  t.match(order, { status: OrderStatus.Rejected, refusalCode: VenueRefusal.NotAtVenue, holdPaise: 0 });
  t.equal(desk.account().heldPaise, 0);
  t.same(desk.replies, []);
  t.same(desk.alarms, []);
  t.end();
});

t.test('a cancel that never left is rejected after the restart; one that the venue is at is waited for', (t) => {
  for (const isAtIt of [false, true]) {
    const desk = TestDesk.open();
    const orderID = desk.place();
    desk.venue.accept();
    desk.settle();
    desk.send({ type: 'cancel', userId: USER, orderID });
    desk.service.flush(desk.nowMicros);
    desk.ledger.answers = null;
    desk.ledger.answer();
    const origClOrdID = clOrdIDOf(orderID, 0);
    const request = { msgType: MsgType.OrderCancelRequest, clOrdID: clOrdIDOf(orderID, 1), origClOrdID, terms: null };
    if (isAtIt) desk.venue.inbox.push(request);
    desk.restart();
    t.equal(desk.order(orderID).status, OrderStatus.Open);
    t.equal(desk.order(orderID).pendingChanges.length, isAtIt ? 1 : 0);
    t.same(desk.alarms, []);
  }
  t.end();
});

t.test('a change that never arrived is asked after again when the answer before was undone with its batch', (t) => {
  const desk = TestDesk.open();
  const orderID = desk.place();
  desk.venue.accept();
  desk.send({ type: 'cancel', userId: USER, orderID });
  desk.settle();
  desk.venue.inbox.length = 0;
  desk.venue.cut();
  desk.venue.connect();
  while (desk.order(orderID).pendingChanges.length > 0) {
    desk.service.flush(desk.nowMicros);
    desk.ledger.answer();
    desk.venue.carry();
  }
  desk.ledger.constraint = ({ newOrders }) => (newOrders.length > 0 ? 'orders_check' : '');
  desk.send(limitOrder());
  desk.venue.cut();
  desk.venue.connect();
  t.same(desk.order(orderID).pendingChanges, [], 'there is nothing to ask after at this logon');
  desk.settle();
  t.match(desk.replies.at(-1), { kind: 'refused' }, 'the batch with the answer was undone');
  t.same(desk.order(orderID).pendingChanges, []);
  t.equal(desk.order(orderID).status, OrderStatus.Open);
  t.same(desk.account(), desk.ledger.account(USER));
  t.end();
});

t.test('an order that the venue has lost was canceled, and somebody must look', (t) => {
  const desk = TestDesk.open();
  const orderID = desk.place();
  desk.venue.accept();
  desk.settle();
  desk.venue.orders.clear();
  desk.restart();
  t.match(desk.order(orderID), { status: OrderStatus.Canceled, refusalCode: VenueRefusal.NotAtVenue, holdPaise: 0 });
  t.same(
    desk.alarms.map(({ kind }) => kind),
    [AlarmKind.VenueDiffers],
  );
  t.end();
});

t.test('what happened at the venue while nobody was here comes in once', (t) => {
  const desk = TestDesk.open();
  const orderID = desk.place();
  desk.venue.accept();
  desk.settle();
  const name = clOrdIDOf(orderID, 0);
  desk.venue.cut();
  desk.venue.fill(name, 4, 10_000);
  desk.venue.end(name, OrdStatus.Canceled, ExecType.Canceled);
  desk.restart();
  t.match(desk.order(orderID), { status: OrderStatus.Canceled, cumQty: 4, holdPaise: 0 });
  desk.restart();
  t.match(desk.order(orderID), { status: OrderStatus.Canceled, cumQty: 4 });
  t.same(desk.alarms, []);
  t.end();
});

t.test('over a reset of the numbers the row of a session goes on in the new epoch, and nothing is taken twice', (t) => {
  const desk = TestDesk.open();
  const orderID = desk.place();
  const name = clOrdIDOf(orderID, 0);
  desk.venue.accept();
  desk.venue.fill(name, 10, 10_000);
  desk.settle();
  const { epoch, nextTargetMsgSeqNum } = desk.venue.file;
  t.match(desk.ledger.sessions.get(SESSION_NAME), { epoch, lastReceivedSeqNum: nextTargetMsgSeqNum - 1 });
  desk.venue.beginAnew();
  desk.settle();
  t.equal(desk.venue.file.epoch, epoch + 1);
  t.match(
    desk.ledger.sessions.get(SESSION_NAME),
    { epoch: epoch + 1, lastReceivedSeqNum: 0, lastSentSeqNum: 0, state: 'up' },
    'before anything came in under the new numbers',
  );
  const next = clOrdIDOf(desk.place({ clientOrderID: 'next' }), 0);
  desk.venue.accept();
  desk.venue.fill(next, 4, 10_000);
  desk.venue.carry();
  t.equal(desk.venue.file.nextTargetMsgSeqNum, 2, 'the two reports are not committed');
  desk.restart();
  t.equal(desk.account().positions.values().next().value?.quantity, 14, 'they came again, under the new numbers');
  t.equal(desk.service.repeatCount, 0);
  t.match(desk.ledger.sessions.get(SESSION_NAME), {
    epoch: epoch + 1,
    lastReceivedSeqNum: desk.venue.file.nextTargetMsgSeqNum - 1,
  });
  t.same(desk.alarms, []);
  t.end();
});
