import t from 'tap';
import { VenueRefusal } from '../fix/venue-refusals.ts';
import type { LedgerBatch } from '../ledger/ledger-batch.ts';
import { EventType } from '../ledger/ledger-event.ts';
import { clOrdIDOf, OrderStatus } from '../ledger/order.ts';
import { RefusalCode } from '../refusal-codes.ts';
import { AlarmKind } from './order-effects.ts';
import { ACME, limit, limitOrder, OTHER_USER, stopLimit, TestDesk, USER } from './testing/test-desk.ts';
import { SESSION_NAME } from './testing/test-venue.ts';

t.test('accounts and money', (t) => {
  const desk = TestDesk.open();
  t.match(desk.ask({ type: 'open-account', userId: USER }), { kind: 'refused', code: RefusalCode.AccountExists });
  t.match(desk.ask({ type: 'open-account', userId: 9 }), { kind: 'done', seq: 1 });
  const deposit = { type: 'deposit', userId: 9, amountPaise: 500, reference: 'bank-1' } as const;
  t.match(desk.ask(deposit), { kind: 'done', seq: 2, isRepeat: false });
  t.match(desk.ask(deposit), { kind: 'done', seq: 2, isRepeat: true });
  const before = structuredClone(desk.account(9));
  for (const amountPaise of [0, -1, 0.5, Number.NaN, 1e300])
    t.match(desk.ask({ ...deposit, amountPaise, reference: 'other' }), { code: RefusalCode.BadAmount });
  t.match(desk.ask({ ...deposit, reference: '' }), { code: RefusalCode.BadAmount });
  t.match(desk.ask({ ...deposit, userId: 99 }), { code: RefusalCode.UnknownAccount });
  const withdraw = { ...deposit, type: 'withdraw', reference: 'out' } as const;
  t.match(desk.ask({ ...withdraw, amountPaise: 501 }), { code: RefusalCode.InsufficientFunds });
  t.match(desk.ask({ type: 'freeze', userId: 9, reason: '' }), { code: RefusalCode.BadField });
  t.same(desk.account(9), before);
  t.match(desk.ask(withdraw), { kind: 'done', isRepeat: false });
  t.equal(desk.ledger.account(9).availablePaise, 0);
  t.match(desk.ask({ type: 'freeze', userId: 9, reason: 'asked for' }), { kind: 'done', isRepeat: false });
  t.match(desk.ask({ type: 'freeze', userId: 9, reason: 'again' }), { kind: 'done', isRepeat: true });
  t.equal(desk.ledger.account(9).frozenReason, 'asked for');
  t.end();
});

/** A batch that places an order of so many. */
function places(batch: LedgerBatch, quantity: number): boolean {
  return batch.events.some(({ detail }) => detail.type === EventType.OrderPlaced && detail.terms.quantity === quantity);
}

/** A batch that sets this trigger. */
function setsTrigger({ events }: LedgerBatch, triggerPricePaise: number): boolean {
  return events.some(({ detail }) => 'terms' in detail && detail.terms.triggerPricePaise === triggerPricePaise);
}

t.test('a stop order does not fire at a trigger that was refused in the end', (t) => {
  const desk = TestDesk.open();
  const orderID = desk.place({ terms: stopLimit(10, 10_200, 10_300) });
  desk.ledger.constraint = (batch) => (setsTrigger(batch, 10_100) ? 'orders_check' : '');
  desk.send({ type: 'modify', userId: USER, orderID, terms: stopLimit(10, 10_100, 10_300) });
  desk.trade(ACME, 10_100);
  desk.settle();
  t.match(desk.replies.at(-1), { code: RefusalCode.BadTrigger }, 'decided again when the market was there already');
  t.match(desk.order(orderID), { status: OrderStatus.TriggerPending, terms: stopLimit(10, 10_200, 10_300) });
  t.same(desk.venue.inbox, []);
  desk.trade(ACME, 10_200);
  desk.settle();
  t.equal(desk.venue.inbox.length, 1, 'its own trigger fires it');
  t.same(desk.account(), desk.ledger.account(USER));
  t.end();
});

t.test('a stop order fires at a trigger that traded during a change that was refused in the end', (t) => {
  const desk = TestDesk.open();
  const orderID = desk.place({ terms: stopLimit(10, 10_200, 10_300) });
  desk.ledger.constraint = (batch) => (setsTrigger(batch, 10_400) ? 'orders_check' : '');
  desk.send({ type: 'modify', userId: USER, orderID, terms: stopLimit(10, 10_400, 10_500) });
  desk.trade(ACME, 10_200);
  t.match(desk.replies.at(-1), { code: RefusalCode.LedgerRefused });
  t.equal(desk.order(orderID).status, OrderStatus.TriggerPending);
  desk.wait(250_000);
  t.equal(desk.order(orderID).status, OrderStatus.Pending);
  t.equal(desk.venue.inbox.length, 1);
  t.same(desk.account(), desk.ledger.account(USER));
  t.end();
});

t.test('an order that the database refuses is refused alone, at each place in a batch', (t) => {
  for (let poison = 0; poison < 6; poison++) {
    const desk = TestDesk.open();
    desk.ledger.constraint = (batch) => (places(batch, 13) ? 'orders_check' : '');
    const userIds = [USER, USER, OTHER_USER, USER, OTHER_USER, USER];
    userIds.forEach((userId, at) => {
      desk.send(limitOrder({ userId, terms: limit(at === poison ? 13 : at + 1, 10_000) }));
    });
    desk.settle();
    t.equal(desk.replies.filter(({ kind }) => kind === 'placed').length, 5);
    t.match(
      desk.replies.filter(({ kind }) => kind === 'refused'),
      [{ code: RefusalCode.LedgerRefused, text: 'orders_check' }],
    );
    t.same(
      desk.venue.inbox.map(({ terms }) => terms!.orderQty),
      [1, 2, 3, 4, 5, 6].filter((quantity) => quantity !== poison + 1),
    );
    t.match(desk.alarms, [{ kind: AlarmKind.LedgerRefused, userId: userIds[poison] }]);
    for (const userId of [USER, OTHER_USER]) t.same(desk.account(userId), desk.ledger.account(userId));
  }
  t.end();
});

t.test('orders that are decided again do not count twice in the rates', (t) => {
  const desk = TestDesk.open({ limits: { ordersPerSecond: 4, duplicateOrders: 0 } });
  desk.ledger.constraint = (batch) => (places(batch, 13) ? 'orders_check' : '');
  for (const quantity of [1, 13, 2, 3]) desk.send(limitOrder({ terms: limit(quantity, 10_000) }));
  desk.settle();
  t.equal(desk.replies.filter(({ kind }) => kind === 'placed').length, 3);
  t.equal(-desk.place({ terms: limit(5, 10_000) }), RefusalCode.OrdersPerSecond);
  t.end();
});

t.test('a report that the database refuses freezes its account, and the rest goes on', (t) => {
  const desk = TestDesk.open();
  const orderID = desk.place();
  const otherID = desk.place({ userId: OTHER_USER });
  desk.venue.accept();
  desk.venue.accept();
  desk.settle();
  desk.ledger.constraint = ({ trades }) => (trades.some(({ quantity }) => quantity === 3) ? 'trades_check' : '');
  desk.venue.fill(clOrdIDOf(orderID, 0), 3, 10_000);
  desk.venue.fill(clOrdIDOf(otherID, 0), 4, 10_000);
  desk.settle();
  t.equal(desk.ledger.account(OTHER_USER).orders.get(otherID)!.cumQty, 4);
  t.match(desk.ledger.account(USER).frozenReason, /the database refused execution: trades_check/);
  t.same(desk.account(), desk.ledger.account(USER));
  t.match(desk.alarms, [{ kind: AlarmKind.LedgerRefused, userId: USER }]);
  t.end();
});

t.test('an account that is opened in a batch which is refused is not there', (t) => {
  const desk = TestDesk.open();
  desk.ledger.constraint = ({ accounts }) => (accounts.some(({ userId }) => userId === 9) ? 'accounts_check' : '');
  t.match(desk.ask({ type: 'open-account', userId: 9 }), { code: RefusalCode.LedgerRefused });
  t.match(desk.ask({ type: 'deposit', userId: 9, amountPaise: 1, reference: 'r' }), {
    code: RefusalCode.UnknownAccount,
  });
  t.end();
});

t.test('the database is away: commands are refused, reports wait, and nothing is lost', (t) => {
  const desk = TestDesk.open();
  const orderID = desk.place();
  desk.venue.accept();
  desk.settle();
  desk.ledger.faults.push('unavailable', 'unavailable');
  desk.send(limitOrder({ terms: limit(5, 10_000) }));
  desk.settle();
  t.notOk(desk.service.isLedgerAvailable);
  t.match(desk.ask(limitOrder()), { kind: 'refused', code: RefusalCode.LedgerUnavailable });
  desk.venue.fill(clOrdIDOf(orderID, 0), 4, 10_000);
  desk.settle();
  t.equal(desk.ledger.account(USER).orders.get(orderID)!.cumQty, 0);
  desk.wait(50_000);
  t.notOk(desk.service.isLedgerAvailable);
  desk.replies.length = 0;
  desk.wait(100_000);
  t.ok(desk.service.isLedgerAvailable);
  t.match(desk.replies, [{ kind: 'placed' }], 'it was not too old');
  t.equal(desk.ledger.account(USER).orders.get(orderID)!.cumQty, 4);
  t.end();
});

t.test('an order that is too old when the database is back was not placed', (t) => {
  const desk = TestDesk.open();
  desk.ledger.faults.push('unavailable');
  desk.send(limitOrder({ clientOrderID: 'late' }));
  desk.send({ type: 'deposit', userId: USER, amountPaise: 100, reference: 'late' });
  desk.settle();
  desk.wait(3_100_000);
  t.match(desk.replies, [
    { kind: 'refused', code: RefusalCode.LedgerTooLate },
    { kind: 'done', isRepeat: false },
  ]);
  t.equal(desk.ledger.account(USER).orders.size, 0);
  t.same(desk.venue.inbox, []);
  t.match(
    desk.ask(limitOrder({ clientOrderID: 'late' })),
    { kind: 'placed', isRepeat: false },
    'it may be placed anew',
  );
  t.end();
});

t.test('an unknown outcome is asked; an order that became durable too late is not sent', (t) => {
  const desk = TestDesk.open();
  desk.ledger.faults.push('lost-after');
  desk.send(limitOrder());
  desk.settle();
  t.match(desk.takeReplies(), [{ kind: 'placed' }]);
  t.equal(desk.venue.inbox.length, 1);
  desk.ledger.faults.push('lost-before');
  desk.send(limitOrder({ terms: limit(2, 10_000) }));
  desk.settle();
  t.match(desk.takeReplies(), [{ kind: 'placed' }]);
  t.equal(desk.venue.inbox.length, 2);
  t.equal(desk.ledger.batches.length, new Set(desk.ledger.batches.map(({ batchId }) => batchId)).size);
  desk.ledger.faults.push('lost-after', 'unavailable');
  desk.send(limitOrder({ terms: limit(3, 10_000) }));
  desk.settle();
  desk.wait(4_000_000);
  t.match(desk.replies, [{ kind: 'placed' }]);
  const { orderID } = desk.replies[0] as { orderID: number };
  t.match(desk.order(orderID), { status: OrderStatus.Rejected, refusalCode: RefusalCode.LedgerTooLate, holdPaise: 0 });
  t.equal(desk.venue.inbox.length, 2);
  t.end();
});

t.test('a stale epoch: nothing leaves any more', (t) => {
  const desk = TestDesk.open();
  desk.ledger.faults.push('stale-epoch');
  desk.send(limitOrder());
  desk.settle();
  t.match(desk.fatal, /another process/);
  t.same([desk.replies, desk.venue.inbox], [[], []]);
  t.match(desk.ask(limitOrder()), { kind: 'refused', code: RefusalCode.NotServing });
  t.end();
});

t.test('as many commands wait as may, of all and of one', (t) => {
  const desk = TestDesk.open({ settings: { commandsMax: 5, commandsPerUserMax: 3 } });
  for (let at = 0; at < 4; at++) desk.send(limitOrder({ terms: limit(at + 1, 10_000) }));
  t.match(desk.takeReplies(), [{ code: RefusalCode.LedgerBusy, text: /of the user/ }]);
  for (let at = 0; at < 3; at++) desk.send(limitOrder({ userId: OTHER_USER, terms: limit(at + 1, 10_000) }));
  t.match(desk.takeReplies(), [{ code: RefusalCode.LedgerBusy }]);
  desk.settle();
  t.equal(desk.replies.length, 5);
  t.ok(desk.place({ terms: limit(9, 10_000) }) > 0);
  t.end();
});

t.test('reports beyond the bound: the session is dropped, and they come again', (t) => {
  const desk = TestDesk.open({ settings: { inputsMax: 3 } });
  const orderID = desk.place();
  desk.venue.accept();
  desk.settle();
  const name = clOrdIDOf(orderID, 0);
  for (let at = 0; at < 6; at++) desk.venue.fill(name, 1, 10_000);
  desk.venue.carry();
  t.match(desk.alarms, [{ kind: AlarmKind.ReportsHeldUp }]);
  desk.settle();
  t.equal(desk.ledger.account(USER).orders.get(orderID)!.cumQty, 3, 'what was taken');
  for (let round = 0; round < 5 && !desk.venue.isUp; round++) {
    desk.venue.connect();
    desk.settle();
  }
  t.equal(desk.ledger.account(USER).orders.get(orderID)!.cumQty, 6);
  t.equal(desk.service.repeatCount, 0);
  t.end();
});

t.test('a read is told when what it saw is durable', (t) => {
  const desk = TestDesk.open();
  const seen: [when: string, held: boolean][] = [];
  const look = (when: string): boolean =>
    desk.service.read(
      USER,
      (account) => {
        const held = account!.heldPaise > 0;
        return () => void seen.push([when, held]);
      },
      desk.nowMicros,
    );
  t.ok(look('at rest'));
  t.same(seen, [['at rest', false]], 'nothing is open: at once');
  desk.send(limitOrder());
  look('after the order');
  t.equal(seen.length, 1);
  desk.settle();
  t.same(seen.at(-1), ['after the order', true]);
  t.equal(desk.service.pendingCount, 0);
  t.end();
});

t.test('a session that is down: what waited never left, and is rejected', (t) => {
  const desk = TestDesk.open();
  desk.send(limitOrder());
  desk.service.flush(desk.nowMicros);
  desk.venue.cut();
  desk.settle();
  t.match(desk.replies, [{ kind: 'placed' }], 'it is durable, so it is acknowledged');
  const { orderID } = desk.replies[0] as { orderID: number };
  t.match(desk.order(orderID), { status: OrderStatus.Rejected, refusalCode: VenueRefusal.SessionDown, holdPaise: 0 });
  t.match(desk.ledger.sessions.get(SESSION_NAME), { state: 'down' });
  t.end();
});

t.test('how far the session is, is committed with what its messages did', (t) => {
  const desk = TestDesk.open();
  const orderID = desk.place();
  desk.venue.accept();
  desk.settle();
  const row = desk.ledger.sessions.get(SESSION_NAME)!;
  t.equal(desk.venue.file.nextTargetMsgSeqNum, row.lastReceivedSeqNum + 1);
  desk.venue.fill(clOrdIDOf(orderID, 0), 1, 10_000);
  desk.venue.carry();
  t.equal(desk.venue.file.nextTargetMsgSeqNum, row.lastReceivedSeqNum + 1, 'the store does not lead');
  desk.settle();
  t.equal(desk.ledger.sessions.get(SESSION_NAME)!.lastReceivedSeqNum, row.lastReceivedSeqNum + 1);
  t.equal(desk.venue.file.nextTargetMsgSeqNum, row.lastReceivedSeqNum + 2);
  t.end();
});

t.test('orders of former days are forgotten', (t) => {
  const desk = TestDesk.open();
  const doneID = desk.place({ clientOrderID: 'done' });
  const openID = desk.place({ terms: limit(5, 10_000) });
  desk.venue.reject();
  desk.settle();
  desk.service.forgetDoneBefore(desk.nowMicros + 1);
  t.same([...desk.account().orders.keys()], [openID]);
  t.equal(desk.account().clientOrders.size, 0);
  t.ok(doneID > 0);
  t.end();
});
