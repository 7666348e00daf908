import t from 'tap';
import { clOrdIDOf, parseClOrdID } from '../ledger/order.ts';
import { OrderIds, SHARD_MAX, shardOf } from './order-ids.ts';

const NOW = Date.UTC(2026, 10, 26, 4) * 1000;

t.test('ids grow, through bursts and when the clock goes back', (t) => {
  const ids = new OrderIds(5, 0);
  let last = 0;
  let descents = 0;
  for (let i = 0; i < 10_000; i++) {
    const id = ids.next(NOW - (i % 7) * 3_000_000);
    if (id <= last || !Number.isSafeInteger(id) || shardOf(id) !== 5) descents++;
    last = id;
  }
  t.equal(descents, 0);
  t.end();
});

t.test('64 ids a millisecond, then the next one is borrowed', (t) => {
  const ids = new OrderIds(0, 0);
  const first = ids.next(NOW);
  for (let i = 1; i < 64; i++) t.equal(ids.next(NOW), first + i);
  t.equal(ids.next(NOW), first + 64 * 128);
  t.equal(ids.next(NOW + 1_000), first + 64 * 128 + 1, 'a borrowed millisecond goes on');
  t.end();
});

t.test('a later process begins above what was persisted, even with an earlier clock', (t) => {
  const last = new OrderIds(SHARD_MAX, 0).next(NOW);
  t.ok(new OrderIds(0, last).next(NOW - 60_000_000) > last);
  t.ok(new OrderIds(SHARD_MAX, last).next(NOW) > last);
  t.end();
});

t.test('an id survives its ClOrdID', (t) => {
  const orderID = new OrderIds(3, 0).next(NOW);
  t.same(parseClOrdID(clOrdIDOf(orderID, 12)), { orderID, version: 12 });
  t.equal(parseClOrdID('SOMEBODY-ELSE'), undefined);
  t.end();
});
