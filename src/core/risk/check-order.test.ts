import t from 'tap';
import { type Account, newAccount } from '../ledger/account.ts';
import { applyEvent } from '../ledger/apply-event.ts';
import { accountFrozen, accountOpened, deposited, withdrawn } from '../ledger/cash-events.ts';
import { orderFilled } from '../ledger/execution-events.ts';
import { moneyRulesAsOf } from '../ledger/money-rules.ts';
import { type Order, OrderSide, OrderType, Product, Validity } from '../ledger/order.ts';
import { orderPlaced } from '../ledger/order-events.ts';
import { RefusalCode } from '../refusal-codes.ts';
import { OrderCheck } from './check-order.ts';
import { OrderActivity, type PlacedOrder } from './order-activity.ts';
import { DEFAULT_LIMITS, limitProblem, RISK_PROFILES, type RiskProfile } from './risk-limits.ts';
import { RISK_RULES } from './risk-rules.ts';
import { type LimitSettings, RiskSettings } from './risk-settings.ts';
import type { MarketState } from './risk-subject.ts';

const DAY = '2026-03-02';
const money = moneyRulesAsOf(DAY);
const CALM: MarketState = {
  marketHalted: false,
  isHalted: false,
  isStale: false,
  lastPaise: 100_000,
  bandHighPaise: 120_000,
  freezeQuantity: 10_000,
};

function order(changes: Partial<PlacedOrder> & { quantity?: number; pricePaise?: number } = {}): PlacedOrder {
  const { quantity = 10, pricePaise = 100_000, ...rest } = changes;
  return {
    instrumentId: 5,
    side: OrderSide.Buy,
    product: Product.MIS,
    validity: Validity.DAY,
    terms: { quantity, ordType: OrderType.Limit, pricePaise, triggerPricePaise: 0 },
    ...rest,
  };
}

/** One user who places orders that pass. */
class Desk {
  readonly account: Account = newAccount(7);
  readonly activity = new OrderActivity();
  readonly check = new OrderCheck();
  readonly settings: RiskSettings;
  market = CALM;
  nowMicros = 1_000_000_000;
  #orderID = 0;

  constructor(paise: number, limits: LimitSettings = {}, profile: RiskProfile = 'standard') {
    this.settings = new RiskSettings(money, profile, limits);
    applyEvent(this.account, accountOpened(this.account, 1));
    applyEvent(this.account, deposited(this.account, paise, 'd', 1));
  }

  decide(placed: PlacedOrder): RefusalCode {
    const { account, market, activity, nowMicros } = this;
    const terms = this.settings.terms(7, placed.instrumentId);
    const dry = this.check.dryRun(account, placed, market, terms, activity, nowMicros, DAY);
    const code = this.check.checkPlacement(account, placed, market, terms, activity, nowMicros, DAY);
    if (dry.code !== code) throw new Error(`a dry run says ${dry.code}, the decision ${code}`);
    const failed = dry.checks.find(({ passed }) => !passed) ?? null;
    if (JSON.stringify(failed) !== JSON.stringify(this.check.failed)) throw new Error('they differ in their numbers');
    return code;
  }

  place(placed: PlacedOrder): Order {
    const code = this.decide(placed);
    if (code !== RefusalCode.None) throw new Error(`refused with ${code} ${JSON.stringify(this.check.failed)}`);
    const orderID = ++this.#orderID;
    const { holdPricePaise, holdPaise, exposureQty, notionalPaise } = this.check;
    const hold = { holdPricePaise, holdPaise, exposureQty };
    const { account } = this;
    applyEvent(account, orderPlaced(account, { ...placed, orderID, clientOrderID: '', ...hold }, this.nowMicros));
    this.activity.placed(placed, notionalPaise, this.nowMicros, DAY, 1_000_000);
    return account.orders.get(orderID)!;
  }

  fill(filled: Order, lastPxPaise: number): void {
    const execution = { execID: `E${filled.orderID}`, venue: 'V', tradingDay: DAY, lastPxPaise };
    const lastQty = filled.terms.quantity;
    const event = orderFilled(money, this.account, filled, { ...execution, lastQty }, this.nowMicros);
    applyEvent(this.account, event);
  }
}

const CRORE_PAISE = 1_000_000_000;

t.test('states of account and market', async (t) => {
  const desk = new Desk(CRORE_PAISE);
  t.equal(desk.decide(order()), RefusalCode.None);
  t.equal(desk.check.failed, null);
  desk.market = { ...CALM, isHalted: true };
  t.equal(desk.decide(order()), RefusalCode.InstrumentHalted);
  desk.market = { ...CALM, isHalted: true, marketHalted: true };
  t.equal(desk.decide(order()), RefusalCode.MarketHalted);
  desk.market = { ...CALM, isStale: true };
  t.equal(desk.decide(order()), RefusalCode.StaleReferencePrice);
  t.same(desk.check.failed, { check: 'reference-price', unit: 'orders', limit: 0, used: 0, after: 1, passed: false });
  desk.market = { ...CALM, lastPaise: 0, bandHighPaise: 0 };
  t.equal(desk.decide(order()), RefusalCode.StaleReferencePrice);
  desk.market = CALM;
  applyEvent(desk.account, accountFrozen(desk.account, 'a break', 2));
  t.equal(desk.decide(order()), RefusalCode.AccountFrozen);
});

t.test('freeze quantity and price collar, to the unit', async (t) => {
  const desk = new Desk(1_000 * CRORE_PAISE, { positionQty: null, dailyNotionalPaise: null });
  t.equal(desk.decide(order({ quantity: 10_000 })), RefusalCode.None);
  t.equal(desk.decide(order({ quantity: 10_001 })), RefusalCode.FreezeQuantity);
  t.match(desk.check.failed, { limit: 10_000, used: 0, after: 10_001, unit: 'shares' });
  for (const pricePaise of [90_000, 110_000]) t.equal(desk.decide(order({ pricePaise })), RefusalCode.None);
  for (const pricePaise of [89_999, 110_001]) t.equal(desk.decide(order({ pricePaise })), RefusalCode.PriceCollar);
  t.match(desk.check.failed, { limit: 1_000, after: 1_001, unit: 'bps' });
  const stop = { quantity: 1, ordType: OrderType.StopMarket, pricePaise: 0, triggerPricePaise: 110_001 };
  t.equal(desk.decide(order({ terms: stop })), RefusalCode.PriceCollar);
  const market = { quantity: 1, ordType: OrderType.Market, pricePaise: 0, triggerPricePaise: 0 };
  t.equal(desk.decide(order({ terms: market })), RefusalCode.None);
  t.equal(desk.check.holdPricePaise, 120_000, 'held at the top of the band');
  desk.market = { ...CALM, bandHighPaise: 0 };
  t.equal(desk.decide(order({ terms: market })), RefusalCode.None);
  t.equal(desk.check.holdPricePaise, 110_000, 'or of the collar');
});

t.test('duplicates and rates', async (t) => {
  const desk = new Desk(100 * CRORE_PAISE, { ordersPerMinute: 12, ordersPerDay: 14, ordersPerSecond: 3 });
  desk.place(order());
  t.equal(desk.decide(order()), RefusalCode.DuplicateOrder);
  t.equal(desk.decide(order({ quantity: 11 })), RefusalCode.None);
  desk.nowMicros += 999_999;
  t.equal(desk.decide(order()), RefusalCode.DuplicateOrder);
  desk.nowMicros += 1;
  desk.place(order());
  desk.place(order({ quantity: 11 }));
  desk.place(order({ quantity: 12 }));
  t.equal(desk.decide(order({ quantity: 13 })), RefusalCode.OrdersPerSecond);
  t.match(desk.check.failed, { limit: 3, used: 3, after: 4 });
  for (let i = 0; i < 8; i++) {
    desk.nowMicros += 1_000_000;
    desk.place(order({ quantity: 20 + i }));
  }
  desk.nowMicros += 500_000;
  t.equal(desk.decide(order({ quantity: 30 })), RefusalCode.OrdersPerMinute);
  t.match(desk.check.failed, { limit: 12, used: 12, after: 13 });
  desk.nowMicros += 60_000_000;
  desk.place(order({ quantity: 30 }));
  desk.nowMicros += 500_000;
  desk.place(order({ quantity: 31 }));
  desk.nowMicros += 60_000_000;
  t.equal(desk.decide(order({ quantity: 32 })), RefusalCode.OrdersPerDay);
  t.equal(desk.activity.ordersToday('2026-03-03'), 0, 'another day begins anew');
});

t.test('daily notional', async (t) => {
  const desk = new Desk(100 * CRORE_PAISE, { dailyNotionalPaise: 3_000_000 });
  desk.place(order({ quantity: 20 }));
  t.equal(desk.decide(order({ quantity: 11 })), RefusalCode.DailyNotional);
  t.match(desk.check.failed, { limit: 3_000_000, used: 2_000_000, after: 3_100_000 });
  t.equal(desk.decide(order({ quantity: 10 })), RefusalCode.None);
});

t.test('position limit counts what is open, and never stops what only reduces', async (t) => {
  const desk = new Desk(100 * CRORE_PAISE, { positionQty: 100, duplicateOrders: null });
  desk.fill(desk.place(order({ quantity: 60 })), 100_000);
  desk.place(order({ quantity: 30, pricePaise: 99_000 }));
  t.equal(desk.decide(order({ quantity: 11 })), RefusalCode.PositionLimit);
  t.match(desk.check.failed, { limit: 100, used: 90, after: 101, unit: 'shares' });
  t.equal(desk.decide(order({ quantity: 10 })), RefusalCode.None);
  t.equal(desk.decide(order({ quantity: 160, side: OrderSide.Sell })), RefusalCode.None);
  t.equal(desk.decide(order({ quantity: 161, side: OrderSide.Sell })), RefusalCode.PositionLimit);
  const lower = new Desk(100 * CRORE_PAISE);
  lower.fill(lower.place(order({ quantity: 4_000, side: OrderSide.Sell })), 100_000);
  const strict = new RiskSettings(money, 'standard', { positionQty: 100 }).terms(7, 5);
  const cover = (quantity: number) => {
    const { account, activity, nowMicros } = lower;
    return lower.check.checkPlacement(account, order({ quantity }), CALM, strict, activity, nowMicros, DAY);
  };
  t.equal(cover(4_000), RefusalCode.None);
  t.equal(cover(4_101), RefusalCode.PositionLimit);
});

t.test('holdings', async (t) => {
  const desk = new Desk(CRORE_PAISE);
  const sale = (quantity: number) => order({ side: OrderSide.Sell, product: Product.CNC, quantity });
  t.equal(desk.decide(sale(1)), RefusalCode.Holdings);
  desk.fill(desk.place(order({ product: Product.CNC, quantity: 50 })), 100_000);
  desk.place(sale(30));
  t.equal(desk.decide(sale(21)), RefusalCode.Holdings);
  t.match(desk.check.failed, { limit: 20, used: 0, after: 21 });
  t.equal(desk.decide(sale(20)), RefusalCode.None);
  t.equal(desk.check.holdPaise, 0);
});

t.test('concentration: the brief’s own numbers', async (t) => {
  const desk = new Desk(10_000_000, {}, 'retail-strict');
  t.equal(desk.decide(order({ quantity: 25 })), RefusalCode.None);
  t.equal(desk.decide(order({ quantity: 26 })), RefusalCode.Concentration);
  t.match(desk.check.failed, { limit: 2_500, used: 0, after: 2_600, unit: 'bps' });
  t.match(RISK_PROFILES['retail-strict'], { concentrationBps: 2_500, ordersPerMinute: 20, ordersPerDay: 100 });
  t.equal(RISK_PROFILES['retail-strict'].dailyNotionalPaise, CRORE_PAISE);
});

t.test('buying power, to the paisa', async (t) => {
  const rich = new Desk(CRORE_PAISE);
  rich.decide(order());
  const needPaise = rich.check.holdPaise;
  t.ok(needPaise > 200_000 && needPaise < 201_000, 'a fifth of the value, and charges');
  t.equal(new Desk(needPaise).decide(order()), RefusalCode.None);
  const poor = new Desk(needPaise - 1);
  t.equal(poor.decide(order()), RefusalCode.BuyingPower);
  t.match(poor.check.failed, { limit: needPaise - 1, used: 0, after: needPaise });
  const short = new Desk(CRORE_PAISE);
  short.fill(short.place(order({ side: OrderSide.Sell })), 100_000);
  applyEvent(short.account, withdrawn(short.account, short.account.availablePaise - 2_000, 'w', 3));
  t.equal(short.decide(order({ quantity: 10 })), RefusalCode.None, 'what closes takes no margin');
  t.equal(short.decide(order({ quantity: 11 })), RefusalCode.BuyingPower);
});

t.test('a change is decided by the same rules, less those of placing', async (t) => {
  const desk = new Desk(CRORE_PAISE, { positionQty: 100 });
  const placed = desk.place(order({ quantity: 90 }));
  const terms = desk.settings.terms(7, 5);
  const change = (quantity: number, pricePaise = 100_000) =>
    desk.check.checkChange(desk.account, placed, { ...placed.terms, quantity, pricePaise }, desk.market, terms);
  t.equal(change(100), RefusalCode.None);
  t.ok(desk.check.holdPaise > placed.holdPaise);
  t.equal(change(101), RefusalCode.PositionLimit);
  t.equal(change(90, 120_000), RefusalCode.PriceCollar);
  desk.market = { ...CALM, isHalted: true };
  t.equal(change(80), RefusalCode.InstrumentHalted);
});

t.test('a dry run has every check, margin and charges', async (t) => {
  const desk = new Desk(1_000, {}, 'retail-strict');
  const terms = desk.settings.terms(7, 5);
  const dry = desk.check.dryRun(desk.account, order(), CALM, terms, desk.activity, desk.nowMicros, DAY);
  t.equal(dry.code, RefusalCode.Concentration);
  const asked = RISK_RULES.map(({ check }) => check).filter((check) => check !== 'holdings');
  t.same(
    dry.checks.map(({ check }) => check),
    asked,
  );
  t.same(
    dry.checks.filter(({ passed }) => !passed).map(({ check }) => check),
    ['concentration', 'buying-power'],
  );
  t.equal(dry.marginPaise, 200_000);
  t.match(dry.charges, { brokeragePaise: 300, sttPaise: 0, stampDutyPaise: 35, depositoryPaise: 0 });
});

t.test('settings in layers', async (t) => {
  const instruments = new Map([[5, { positionQty: 50, priceCollarBps: 200 }]]);
  const users = new Map([[7, { positionQty: 70, ordersPerDay: null, misMarginBps: 5_000 }]]);
  const settings = new RiskSettings(money, 'retail-strict', { ordersPerDay: 90 }, instruments, users);
  const limits = (userId: number, instrumentId: number) => settings.terms(userId, instrumentId).limits;
  const strict = { ...DEFAULT_LIMITS, ...RISK_PROFILES['retail-strict'] };
  t.same(limits(1, 1), { ...strict, ordersPerDay: 90 });
  t.match(limits(1, 5), { positionQty: 50, priceCollarBps: 200, ordersPerDay: 90 });
  t.match(limits(7, 1), { positionQty: 70, priceCollarBps: 1_000, ordersPerDay: Number.POSITIVE_INFINITY });
  t.match(limits(7, 5), { positionQty: 70, priceCollarBps: 200 });
  t.equal(settings.terms(7, 5), settings.terms(7, 5), 'resolved once');
  t.equal(settings.terms(7, 5).money.marginRates[Product.MIS], 5_000_000);
  t.equal(limitProblem('ordersPerMinute', 4_097), 'ordersPerMinute must be a whole number from 0 to 4096');
  t.match(limitProblem('positionQty', 0.5), /whole number/);
  t.match(limitProblem('positionQty', Number.NaN), /whole number/);
  t.match(limitProblem('toString', 1), /no limit/);
  t.match(limitProblem('misMarginBps', null), /cannot be turned off/);
  t.equal(limitProblem('positionQty', null), undefined);
});
