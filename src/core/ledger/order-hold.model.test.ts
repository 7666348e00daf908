import t from 'tap';
import { Prng } from '../exchange/prng.ts';
import { newAccount } from './account.ts';
import { applyEvent } from './apply-event.ts';
import { accountOpened, deposited } from './cash-events.ts';
import {
  boundCharges,
  type ChargeTable,
  chargesPaise,
  NO_CHARGES,
  orderBrokeragePaise,
  tradeCharges,
} from './charges.ts';
import { RATE_ONE, rateBound, rateCeil, rateHalfUp, ratioBps, shareOf } from './exact-arithmetic.ts';
import { orderFilled } from './execution-events.ts';
import type { Charges } from './ledger-event.ts';
import { moneyRulesAsOf } from './money-rules.ts';
import { OrderSide, OrderType, Product, Validity } from './order.ts';
import { modifyRequested, orderModified, orderPlaced } from './order-events.ts';
import { heldBy } from './order-hold.ts';

const rules = moneyRulesAsOf('2026-03-02');
const SEED = Number(process.env.SEED ?? 20_260_303);
const prng = new Prng(SEED);
t.comment(`seed ${SEED}`);

/** Up to 2^53 − 1, all magnitudes alike. */
function magnitude(bits: number): number {
  return Math.floor((prng.unit() + prng.unit() / 2 ** 32) * 2 ** prng.below(bits + 1));
}

t.test('arithmetic is that of BigInt, up to the greatest safe integers', async (t) => {
  const one = BigInt(RATE_ONE);
  let wrong = 0;
  for (let i = 0; i < 200_000; i++) {
    const value = i < 10 ? Number.MAX_SAFE_INTEGER - i : magnitude(53);
    const rate = i % 7 === 0 ? RATE_ONE : prng.below(2_000_000);
    const product = BigInt(value) * BigInt(rate);
    if (BigInt(rateHalfUp(value, rate)) !== (product + one / 2n) / one) wrong++;
    if (BigInt(rateCeil(value, rate)) !== (product + one - 1n) / one) wrong++;
    const whole = 1 + magnitude(40);
    const part = prng.below(Math.min(whole, 2 ** 32 - 1) + 1);
    const sign = i % 2 === 0 ? 1 : -1;
    if (BigInt(shareOf(sign * value, part, whole)) !== (BigInt(sign * value) * BigInt(part)) / BigInt(whole)) wrong++;
    const small = magnitude(39);
    const bps = (BigInt(small) * 10_000n + BigInt(whole) - 1n) / BigInt(whole);
    if (bps <= BigInt(Number.MAX_SAFE_INTEGER) && BigInt(ratioBps(small, whole)) !== bps) wrong++;
  }
  t.equal(wrong, 0);
  t.equal(rateHalfUp(-50, 100_000), -1, 'a half goes away from zero');
  t.equal(rateHalfUp(49, 100_000), 0);
});

t.test('the bound is at least what any cutting into pieces is rounded to', async (t) => {
  let wrong = 0;
  for (let i = 0; i < 20_000; i++) {
    const units = 1 + prng.below(30);
    const unitPaise = 1 + magnitude(24);
    const rate = 1 + prng.below(20_000);
    let roundedPaise = 0;
    for (let left = units; left > 0; ) {
      const piece = 1 + prng.below(left);
      roundedPaise += rateHalfUp(piece * unitPaise, rate);
      left -= piece;
    }
    const bound = rateBound(units * unitPaise, rate, units);
    const exact = (BigInt(units * unitPaise) * BigInt(rate)) / BigInt(RATE_ONE);
    if (roundedPaise > bound || BigInt(bound) > exact + BigInt(units) / 2n + 2n) wrong++;
  }
  t.equal(wrong, 0);
});

t.test('charges, item by item', async (t) => {
  const { charges: table } = rules;
  const of = (product: Product, side: OrderSide, paise: number, depositoryPaise = 0): Charges =>
    tradeCharges(table, product, side, paise, orderBrokeragePaise(table, product, paise), depositoryPaise);
  t.same(of(Product.MIS, OrderSide.Sell, 5_000_000), {
    brokeragePaise: 1_500,
    sttPaise: 1_250,
    exchangePaise: 149,
    sebiPaise: 5,
    stampDutyPaise: 0,
    gstPaise: 298,
    depositoryPaise: 0,
  });
  t.match(of(Product.MIS, OrderSide.Buy, 100_000_000), { brokeragePaise: 2_000, sttPaise: 0, stampDutyPaise: 3_000 });
  t.match(of(Product.CNC, OrderSide.Sell, 5_000_000, 1_534), { sttPaise: 5_000, depositoryPaise: 1_534 });
  t.same(of(Product.CNC, OrderSide.Buy, 0), NO_CHARGES);
  const bound = { ...NO_CHARGES };
  boundCharges(bound, table, Product.CNC, OrderSide.Sell, 5_000_000, 1, 0);
  t.ok(chargesPaise(bound) >= chargesPaise(of(Product.CNC, OrderSide.Sell, 5_000_000, 1_534)));
});

/** A table in which every item rounds often. */
const rough: ChargeTable = {
  exchangeRate: 333_333,
  sebiRate: 100_001,
  gstRate: 1_800_000,
  products: {
    [Product.CNC]: { ...rules.charges.products[Product.CNC], brokerageRate: 123_457, sttBuyRate: 77_777 },
    [Product.MIS]: { ...rules.charges.products[Product.MIS], brokerageRate: 123_457, brokerageCapPaise: 40 },
    [Product.NRML]: { ...rules.charges.products[Product.NRML], stampDutyBuyRate: 55_555 },
  },
};

t.test('who has what an order holds, and nothing more, can pay for it in whatever parts it is filled', async (t) => {
  let tightest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 6_000; i++) {
    const money = i % 2 === 0 ? rules : { ...rules, charges: rough };
    const [product, side] = (
      [
        [Product.CNC, OrderSide.Buy],
        [Product.MIS, OrderSide.Buy],
        [Product.MIS, OrderSide.Sell],
        [Product.NRML, OrderSide.Buy],
        [Product.NRML, OrderSide.Sell],
      ] as const
    )[i % 5]!;
    const quantity = 1 + prng.below(12);
    const price = 1 + magnitude(i % 3 === 0 ? 6 : 18);
    const terms = { quantity, ordType: OrderType.Limit, pricePaise: price, triggerPricePaise: 0 };
    const order = { orderID: 1, instrumentId: 5, side, product, validity: Validity.DAY, terms, clientOrderID: '' };
    const none = { cumQty: 0, cumValuePaise: 0, brokeragePaise: 0, exposureQty: 0, pendingChanges: [] };
    const hold = heldBy(money, { ...order, ...none, holdPricePaise: price }, 0);
    const account = newAccount(7);
    applyEvent(account, accountOpened(account, 1));
    applyEvent(account, deposited(account, hold.holdPaise, 'd', 1));
    applyEvent(account, orderPlaced(account, { ...order, ...hold, holdPricePaise: price }, 1));
    const placed = account.orders.get(1)!;
    while (placed.cumQty < placed.terms.quantity) {
      const lastQty = 1 + prng.below(placed.terms.quantity - placed.cumQty);
      const lastPxPaise = prng.below(3) > 0 ? price : 1 + prng.below(price);
      const execution = { execID: `${placed.cumQty}`, venue: 'V', tradingDay: '2026-03-02', lastQty, lastPxPaise };
      applyEvent(account, orderFilled(money, account, placed, execution, 2));
      if (prng.below(4) === 0 && placed.holdPaise > 0) {
        // A replace to fewer units can be afforded at any time, and needs nothing once it is taken.
        const fewer = { ...terms, quantity: placed.cumQty + 1 };
        const change = { terms: fewer, holdPricePaise: price };
        applyEvent(account, modifyRequested(money, account, placed, change, 3));
        applyEvent(account, orderModified(money, account, placed, placed.version, null, 3));
      }
      tightest = Math.min(tightest, account.availablePaise);
    }
    if (account.heldPaise !== 0) t.fail(`seed ${SEED}, order ${i}: ${account.heldPaise} is still held`);
  }
  t.equal(tightest, 0, 'never below nothing, and now and then to the paisa');
});
