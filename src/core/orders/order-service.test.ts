import t from 'tap';
import { OrderStatus } from '../ledger/order.ts';
import { TestDesk, USER } from './testing/test-desk.ts';

t.test('an order: acknowledged when durable, then sent, accepted, filled', (t) => {
  const desk = TestDesk.open();
  const orderID = desk.place();
  t.ok(orderID > 0, `${-orderID}`);
  t.equal(desk.order(orderID).status, OrderStatus.Pending);
  t.equal(desk.venue.inbox.length, 1);
  desk.venue.accept();
  desk.settle();
  t.equal(desk.order(orderID).status, OrderStatus.Open);
  desk.venue.fill(desk.venue.orders.keys().next().value!, 10, 10_000);
  desk.settle();
  t.equal(desk.order(orderID).status, OrderStatus.Filled);
  t.equal(desk.account(USER).heldPaise, 0);
  t.same(desk.alarms, []);
  t.end();
});
