import t from 'tap';
import { OrderSide } from '../ledger/order.ts';
import { MarketHours } from '../market/calendar.ts';
import type { OrderInput } from './order-input.ts';
import { StopWatch } from './stop-watch.ts';
import { TriggerBook } from './trigger-book.ts';

/** Thursday, 26 November 2026, 10:00 in India. */
const OPEN_MICROS = Date.UTC(2026, 10, 26, 4, 30) * 1000;
const HOUR_MICROS = 3_600_000_000;
const SECOND_MICROS = 1_000_000;

/** A buy at 105 in instrument 0, a sell at 95 in instrument 1, and both last prices at 100. */
function setUp() {
  const triggers = new TriggerBook(10);
  triggers.add({ orderID: 1, instrumentIndex: 0, side: OrderSide.Buy, triggerPricePaise: 105 });
  triggers.add({ orderID: 2, instrumentIndex: 1, side: OrderSide.Sell, triggerPricePaise: 95 });
  const market = {
    isMarketHalted: false,
    prices: [100, 100],
    stale: new Set<number>(),
    halted: new Set<number>(),
    lastPaise: (index: number) => market.prices[index]!,
    isStale: (index: number) => market.stale.has(index),
    isHalted: (index: number) => market.halted.has(index),
  };
  const offered: OrderInput[] = [];
  const stops = new StopWatch(triggers, market, MarketHours.Nse, (input) => void offered.push(input));
  return { triggers, market, offered, stops };
}

t.test('a last price that nobody told of as a trade fires what it has reached, once', (t) => {
  const { market, offered, stops } = setUp();
  stops.onTimer(OPEN_MICROS);
  t.same(offered, []);
  market.prices = [106, 94];
  stops.onTimer(stops.dueMicros - 1);
  t.same(offered, [], 'it is not time to look');
  const nowMicros = stops.dueMicros;
  stops.onTimer(nowMicros);
  t.same(offered, [
    { type: 'trigger', orderID: 1, lastPaise: 106, nowMicros },
    { type: 'trigger', orderID: 2, lastPaise: 94, nowMicros },
  ]);
  t.equal(stops.dueMicros, Number.POSITIVE_INFINITY, 'nothing waits');
  stops.onTimer(nowMicros + SECOND_MICROS);
  t.equal(offered.length, 2);
  t.end();
});

t.test(
  'nothing fires by a price that nobody vouches for, in a halt, before the first trade or outside of market hours',
  (t) => {
    const { triggers, market, offered, stops } = setUp();
    market.prices = [106, 0];
    market.stale.add(0);
    stops.onTimer(OPEN_MICROS);
    market.stale.delete(0);
    market.halted.add(0);
    stops.onTimer(OPEN_MICROS + SECOND_MICROS);
    market.halted.delete(0);
    market.isMarketHalted = true;
    stops.onTimer(OPEN_MICROS + 2 * SECOND_MICROS);
    market.isMarketHalted = false;
    stops.onTimer(OPEN_MICROS + 8 * HOUR_MICROS);
    t.same(offered, []);
    t.equal(triggers.count, 2);
    stops.onTimer(OPEN_MICROS + 24 * HOUR_MICROS);
    t.match(offered, [{ orderID: 1 }]);
    t.equal(triggers.count, 1);
    t.end();
  },
);
