import t from 'tap';
import { ExecType } from '../fix/generated/fix-enums.gen.ts';
import { EventType } from '../ledger/ledger-event.ts';
import { clOrdIDOf, OrderStatus } from '../ledger/order.ts';
import { RefusalCode } from '../refusal-codes.ts';
import { AlarmKind } from './order-effects.ts';
import { limit, limitOrder, TestDesk, USER } from './testing/test-desk.ts';

const DAY_MICROS = 86_400_000_000;

/** A desk on the day after an order `old` was filled: memory has let go of it. */
function nextDay(): { desk: TestDesk; orderID: number; name: string; execID: string } {
  const desk = TestDesk.open();
  const orderID = desk.place({ clientOrderID: 'old' });
  const name = clOrdIDOf(orderID, 0);
  desk.venue.accept();
  const execID = desk.venue.fill(name, 10, 10_000);
  desk.settle();
  desk.nowMicros += DAY_MICROS;
  // The day before is closed: note, delivery.
  for (let i = 0; i < 5; i++) desk.wait(1_000_000);
  forget(desk);
  desk.takeReplies();
  return { desk, orderID, name, execID };
}

/** A new day begins now. */
function forget(desk: TestDesk): void {
  desk.nowMicros++;
  desk.ledger.dayMicros = desk.nowMicros;
  desk.service.forgetDoneBefore(desk.nowMicros);
}

const isHere = (desk: TestDesk, orderID: number): boolean => desk.account().orders.has(orderID);

t.test('a client order id of a former day: the same order, or a mistake', (t) => {
  const { desk, orderID } = nextDay();
  t.notOk(isHere(desk, orderID));
  t.match(desk.ask(limitOrder({ clientOrderID: 'old' })), { kind: 'placed', orderID, isRepeat: true });
  forget(desk);
  const other = limitOrder({ clientOrderID: 'old', terms: limit(11, 10_000) });
  t.match(desk.ask(other), { kind: 'refused', code: RefusalCode.IdempotencyConflict });
  t.same(desk.alarms, []);
  t.equal(desk.ledger.events.filter(({ detail }) => detail.type === EventType.OrderPlaced).length, 1);
  t.equal(desk.account().heldPaise, 0);
  t.end();
});

t.test('several at once, among others, with the database away in between: each has its own answer', (t) => {
  const { desk, orderID } = nextDay();
  desk.send(limitOrder({ clientOrderID: 'a' }));
  desk.service.flush(desk.nowMicros);
  desk.send(limitOrder({ clientOrderID: 'old' }));
  desk.send(limitOrder({ clientOrderID: 'b' }));
  desk.send(limitOrder({ clientOrderID: 'old' }));
  desk.send(limitOrder({ clientOrderID: 'old', terms: limit(11, 10_000) }));
  desk.send(limitOrder({ clientOrderID: 'c' }));
  const asked = desk.ledger.recall.bind(desk.ledger);
  let asksCount = 0;
  desk.ledger.recall = (wanted) => {
    if (asksCount++ === 0) desk.ledger.faults.push('unavailable');
    asked(wanted);
  };
  desk.settle();
  t.equal(asksCount, 1);
  for (let i = 0; i < 3; i++) desk.wait(1_000_000);
  const replies = desk.takeReplies();
  t.equal(replies.length, 6);
  t.equal(replies.filter((reply) => reply.kind === 'placed' && reply.orderID === orderID && reply.isRepeat).length, 2);
  t.equal(replies.filter((reply) => reply.kind === 'placed' && !reply.isRepeat).length, 3);
  t.match(
    replies.find(({ kind }) => kind === 'refused'),
    { code: RefusalCode.IdempotencyConflict },
  );
  t.same(desk.alarms, []);
  t.end();
});

t.test('a process that dies before the answer: asked again, the next one gives it', (t) => {
  const { desk, orderID } = nextDay();
  desk.send(limitOrder({ clientOrderID: 'old' }));
  desk.service.flush(desk.nowMicros);
  desk.ledger.answer();
  desk.restart();
  t.match(desk.ask(limitOrder({ clientOrderID: 'old' })), { kind: 'placed', orderID, isRepeat: true });
  t.end();
});

t.test('late reports on a forgotten order are applied, each once: a bust, a correction, a fill', (t) => {
  const { desk, orderID, name, execID } = nextDay();
  desk.venue.report(name, { execType: ExecType.TradeCorrect, execRefID: execID, lastQty: 10, lastPxPaise: 9_900 });
  desk.venue.fill(name, 2, 10_000);
  const again = desk.venue.report(name, { execType: ExecType.Trade, lastQty: 1, lastPxPaise: 10_000 });
  desk.settle();
  t.match(desk.order(orderID), { cumQty: 13, cumValuePaise: 10 * 9_900 + 2 * 10_000 + 10_000 });
  t.same(
    desk.alarms.filter(({ kind }) => kind !== AlarmKind.Overfill).map(({ kind }) => kind),
    [AlarmKind.LateFill, AlarmKind.LateFill],
    'nobody is unknown',
  );
  forget(desk);
  t.notOk(isHere(desk, orderID));
  desk.venue.report(name, { execType: ExecType.Trade, execID: again, lastQty: 1, lastPxPaise: 10_000 });
  desk.venue.report(name, { execType: ExecType.TradeCancel, execRefID: again, lastQty: 1, lastPxPaise: 10_000 });
  desk.settle();
  t.match(desk.order(orderID), { cumQty: 12, status: OrderStatus.Filled });
  t.equal(desk.service.repeatCount, 1);
  t.end();
});

t.test(
  'a late report is dealt with before what came after it, and not lost by a death or a database that is away',
  (t) => {
    for (const isDeath of [true, false]) {
      const { desk, orderID, name, execID } = nextDay();
      desk.venue.report(name, { execType: ExecType.TradeCancel, execRefID: execID, lastQty: 10, lastPxPaise: 10_000 });
      const next = desk.place({ clientOrderID: `next ${isDeath}` });
      t.ok(next > 0);
      desk.venue.accept();
      forget(desk);
      desk.venue.report(name, { execType: ExecType.Trade, lastQty: 1, lastPxPaise: 10_000 });
      desk.venue.fill(clOrdIDOf(next, 0), 10, 10_000);
      desk.venue.carry();
      desk.ledger.faults.push('unavailable');
      desk.service.flush(desk.nowMicros);
      if (isDeath) desk.restart();
      else desk.settle();
      desk.wait(1_000_000);
      t.equal(desk.ledger.account(USER).orders.get(orderID)?.cumQty, 1);
      t.equal(desk.order(next).cumQty, 10);
      const unknown = desk.alarms.filter(
        ({ kind }) => kind === AlarmKind.UnknownOrder || kind === AlarmKind.UnknownTrade,
      );
      t.same(unknown, []);
    }
    t.end();
  },
);

t.test('a report on an order that nobody ever placed is a stranger’s', (t) => {
  const { desk, name } = nextDay();
  const stranger = clOrdIDOf(4_711, 0);
  desk.venue.orders.set(stranger, { ...desk.venue.orders.get(name)! });
  desk.venue.report(stranger, { clOrdID: stranger, execType: ExecType.Trade, lastQty: 1, lastPxPaise: 10_000 });
  desk.settle();
  t.match(desk.alarms, [{ kind: AlarmKind.UnknownOrder }]);
  t.end();
});
