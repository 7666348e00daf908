import t from 'tap';
import { OrderSide, type OrderTerms, Product, Validity } from '../ledger/order.ts';
import { MarketHours } from '../market/calendar.ts';
import { RefusalCode } from '../refusal-codes.ts';
import { type InstrumentFacts, kindRefusal, marketRefusal, priceBand, termsRefusal } from './order-validation.ts';
import {
  ACME,
  INDEX,
  LOTS,
  limit,
  limitOrder,
  market,
  START_MICROS,
  stopLimit,
  stopMarket,
} from './testing/test-desk.ts';

const { Buy, Sell } = OrderSide;
const DAY_MICROS = 86_400_000_000;

t.test('terms', (t) => {
  const code = (terms: OrderTerms, facts: InstrumentFacts = ACME, side: OrderSide = Buy, lastPaise = 10_000): number =>
    termsRefusal(side, terms, facts, lastPaise)?.code ?? 0;
  t.equal(code(limit(10, 10_000)), 0);
  t.equal(code(market(10)), 0);
  for (const quantity of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])
    t.equal(code(limit(quantity, 10_000)), RefusalCode.BadQuantity, `quantity ${quantity}`);
  t.equal(code(limit(2_000_000_000, 10_000)), RefusalCode.BadQuantity, 'a value that cannot be summed exactly');
  t.equal(code(limit(15, 10_000), LOTS), RefusalCode.LotSize);
  t.equal(code(limit(20, 10_000), LOTS), 0);
  for (const price of [0, -5, 0.5, Number.NaN]) t.equal(code(limit(10, price)), RefusalCode.BadPrice, `price ${price}`);
  t.equal(code({ ...market(10), pricePaise: 10_000 }), RefusalCode.BadPrice, 'a market order has no price');
  t.equal(
    code({ ...limit(10, 10_000), triggerPricePaise: 9_000 }),
    RefusalCode.BadTrigger,
    'a limit order has no trigger',
  );
  t.equal(code(limit(10, 10_003)), RefusalCode.TickSize);
  t.equal(code(stopMarket(10, 10_003)), RefusalCode.TickSize);
  t.same(priceBand(ACME), { lowPaise: 8_000, highPaise: 12_000 });
  t.same(priceBand({ ...ACME, previousClosePaise: 10_010, priceBandBps: 500 }), { lowPaise: 9_510, highPaise: 10_510 });
  t.equal(code(limit(10, 12_005)), RefusalCode.PriceBand);
  t.equal(code(limit(10, 7_995)), RefusalCode.PriceBand);
  t.equal(code(limit(10, 12_000)), 0);
  t.equal(code(limit(10, 90_000), { ...ACME, priceBandBps: null }), 0, 'no band');
  t.end();
});

t.test('a trigger is on the side of the market that it waits for', (t) => {
  const code = (side: OrderSide, terms: OrderTerms, lastPaise = 10_000): number =>
    termsRefusal(side, terms, ACME, lastPaise)?.code ?? 0;
  t.equal(code(Buy, stopMarket(10, 10_005)), 0);
  t.equal(code(Buy, stopMarket(10, 10_000)), RefusalCode.BadTrigger);
  t.equal(code(Sell, stopMarket(10, 9_995)), 0);
  t.equal(code(Sell, stopMarket(10, 10_000)), RefusalCode.BadTrigger);
  t.equal(code(Buy, stopMarket(10, 9_000), 0), 0, 'nothing has traded yet');
  t.equal(code(Buy, stopLimit(10, 10_100, 10_095)), RefusalCode.BadTrigger, 'it could not be filled when it fires');
  t.equal(code(Buy, stopLimit(10, 10_100, 10_100)), 0);
  t.equal(code(Sell, stopLimit(10, 9_900, 9_905)), RefusalCode.BadTrigger);
  t.equal(code(Buy, stopMarket(10, 0)), RefusalCode.BadTrigger);
  t.end();
});

t.test('what is traded, and how', (t) => {
  const code = (fields: Partial<Parameters<typeof kindRefusal>[0]>, facts: InstrumentFacts = ACME): number =>
    kindRefusal({ ...limitOrder(), ...fields }, facts)?.code ?? 0;
  t.equal(code({}), 0);
  t.equal(code({}, INDEX), RefusalCode.NotTradable);
  t.equal(code({}, { ...ACME, listed: false }), RefusalCode.NotTradable);
  t.equal(code({ product: 4 as Product }), RefusalCode.ProductNotAllowed);
  t.equal(code({ validity: 3 as Validity }), RefusalCode.ValidityNotAllowed);
  t.equal(code({ side: 3 as OrderSide }), RefusalCode.BadField);
  t.equal(code({ validity: Validity.IOC, terms: stopMarket(10, 10_100) }), RefusalCode.ValidityNotAllowed);
  t.equal(code({ validity: Validity.IOC, product: Product.MIS }), 0);
  t.end();
});

t.test('market hours and holidays', (t) => {
  const code = (nowMicros: number, hours: MarketHours = MarketHours.Nse): number =>
    marketRefusal(nowMicros, hours)?.code ?? 0;
  t.equal(code(START_MICROS), 0);
  t.equal(code(START_MICROS - 2 * 3_600_000_000), RefusalCode.MarketClosed, 'before the open');
  t.equal(code(START_MICROS + 6 * 3_600_000_000), RefusalCode.MarketClosed, 'after the close');
  t.equal(code(START_MICROS + 2 * DAY_MICROS), RefusalCode.MarketClosed, 'a Saturday');
  t.equal(code(Date.UTC(2026, 0, 26, 5) * 1000), RefusalCode.MarketClosed, 'Republic Day');
  t.equal(code(START_MICROS + 2 * DAY_MICROS, MarketHours.Always), 0);
  t.end();
});
