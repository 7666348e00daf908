import t from 'tap';
import { Prng } from '../exchange/prng.ts';
import { OrderSide, OrderType, Product, Validity } from '../ledger/order.ts';
import { OrderActivity, type PlacedOrder } from './order-activity.ts';
import { WINDOW_ORDERS_MAX } from './risk-limits.ts';

/** Random orders at random times against a twin that keeps them all. */
t.test('rates, duplicates and day figures are those of all orders', async (t) => {
  const seed = Number(process.env.SEED ?? 20_260_304);
  t.comment(`seed ${seed}`);
  const prng = new Prng(seed);
  const activity = new OrderActivity();
  const all: { readonly order: PlacedOrder; readonly micros: number; readonly day: string }[] = [];
  let micros = 1_000_000_000;
  let day = 'a';
  for (let i = 0; i < 5_000; i++) {
    // Bursts and pauses.
    micros += prng.below(20) === 0 ? prng.below(30_000_000) : prng.below(100_000);
    if (prng.below(500) === 0) day = `${day}a`;
    const terms = {
      quantity: 1 + prng.below(2),
      ordType: OrderType.Limit,
      pricePaise: 100 + prng.below(2),
      triggerPricePaise: 0,
    };
    const side = prng.below(2) === 0 ? OrderSide.Buy : OrderSide.Sell;
    const order = { instrumentId: 1 + prng.below(2), side, product: Product.MIS, validity: Validity.DAY, terms };
    const since = (windowMicros: number) => all.filter((placed) => placed.micros > micros - windowMicros);
    const key = JSON.stringify(order);
    const same = since(1_000_000).filter((placed) => JSON.stringify(placed.order) === key).length;
    const today = all.filter((placed) => placed.day === day).length;
    const expected = [since(1_000_000).length, since(60_000_000).length, same, today, today * 7];
    const found = [
      activity.ordersLastSecond(micros),
      activity.ordersLastMinute(micros),
      activity.duplicates(order, micros, 1_000_000),
      activity.ordersToday(day),
      activity.notionalTodayPaise(day),
    ];
    if (found.join() !== expected.join()) t.same(found, expected, `order ${i}`);
    activity.placed(order, 7, micros, day, 1_000_000);
    all.push({ order, micros, day });
  }
  t.ok(all.length === 5_000);
});

t.test('memory is bounded, whatever comes', async (t) => {
  const activity = new OrderActivity();
  const terms = { quantity: 1, ordType: OrderType.Limit, pricePaise: 100, triggerPricePaise: 0 };
  const order = { instrumentId: 1, side: OrderSide.Buy, product: Product.MIS, validity: Validity.DAY, terms };
  for (let i = 0; i < 3 * WINDOW_ORDERS_MAX; i++) activity.placed(order, 1, 1_000 + i, 'a', 1_000_000);
  t.equal(activity.ordersLastMinute(20_000), WINDOW_ORDERS_MAX, 'as many as any limit can be');
  t.equal(activity.ordersToday('a'), 3 * WINDOW_ORDERS_MAX);
});
