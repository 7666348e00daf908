import { AssertionError } from '../src/core/assert.ts';
import { Prng } from '../src/core/exchange/prng.ts';
import { type Account, newAccount } from '../src/core/ledger/account.ts';
import { applyEvent } from '../src/core/ledger/apply-event.ts';
import { accountOpened, deposited, withdrawn } from '../src/core/ledger/cash-events.ts';
import { orderFilled } from '../src/core/ledger/execution-events.ts';
import { moneyRulesAsOf } from '../src/core/ledger/money-rules.ts';
import { OrderSide, OrderType, Product, Validity } from '../src/core/ledger/order.ts';
import { orderPlaced } from '../src/core/ledger/order-events.ts';
import { RefusalCode } from '../src/core/refusal-codes.ts';
import { OrderCheck } from '../src/core/risk/check-order.ts';
import { OrderActivity, type PlacedOrder } from '../src/core/risk/order-activity.ts';
import { RiskSettings, type RiskTerms } from '../src/core/risk/risk-settings.ts';
import type { MarketState } from '../src/core/risk/risk-subject.ts';
import { countCollections } from './gc-count.ts';
import type { BenchSetup, Measurement, Subject } from './harness.ts';
import { latencyHistogram, percentileSamples, recordLatency } from './histogram.ts';

export interface RiskOptions {
  /** Decisions of one round of one row. */
  readonly decisions: number;
  readonly seed: number;
}

const DAY = '2026-03-02';
const ACCOUNTS = 256;
const INSTRUMENTS = 200;
/** Of an account, before the first decision. */
const POSITIONS = 10;
const OPEN_ORDERS = 10;
/** Different orders that are decided about, a power of two. */
const ORDERS = 4_096;
/** So that nearly as many orders of an account are in its last minute as may be. */
const MICROS_A_DECISION = 1_200;
const DEPOSIT_PAISE = 1_000_000_000_000;
const FIRST_MICROS = Date.UTC(2026, 2, 2, 3, 45) * 1_000;

/** Pre-trade risk with every rule on: decisions that pass, ones that the last rule refuses, and dry runs. */
export async function riskBench(options: RiskOptions): Promise<BenchSetup> {
  const desk = new Desk(options.seed);
  const { decisions } = options;
  const subjects: Subject[] = [
    { impl: 'outcry', case: 'pass', measure: () => measure(decisions, () => desk.pass()) },
    { impl: 'outcry', case: 'refuse-last', measure: () => measure(decisions, () => desk.refuse()) },
    { impl: 'outcry', case: 'dry-run', measure: () => measure(decisions, () => desk.dryRun()) },
    { impl: 'baseline', case: 'pass', measure: () => measure(decisions, () => 1) },
  ];
  return { subjects, close: async () => undefined };
}

/** Timed one by one first; then as many again without a clock, whose numbers are garbage themselves, for the collections. */
async function measure(decisions: number, decide: () => number): Promise<Measurement> {
  const histogram = latencyHistogram();
  let checksum = 0;
  for (let i = 0; i < decisions; i++) {
    const startMs = performance.now();
    const result = decide();
    recordLatency(histogram, (performance.now() - startMs) * 1e6);
    checksum = (checksum * 31 + result) | 0;
  }
  const { result, collections } = await countCollections(() => {
    let sum = checksum;
    for (let i = 0; i < decisions; i++) sum = (sum * 31 + decide()) | 0;
    return sum;
  });
  const collected = { metric: 'gc_per_million', unit: 'collections', value: (collections * 1e6) / decisions };
  return { samples: [...percentileSamples(histogram, 'decision', 'us', 1_000), collected], checksum: result };
}

interface Trader {
  readonly account: Account;
  readonly activity: OrderActivity;
}

/** Traders with positions and open orders, in a market in which all is well. */
class Desk {
  readonly #check = new OrderCheck();
  /** By instrument id; there is no 0. */
  readonly #market: readonly MarketState[];
  readonly #orders: readonly PlacedOrder[];
  readonly #terms: RiskTerms;
  readonly #rich: readonly Trader[];
  readonly #poor: readonly Trader[];
  #nowMicros = FIRST_MICROS;
  /** Which trader and order is next. */
  #next = 0;

  constructor(seed: number) {
    const prng = new Prng(seed);
    this.#market = Array.from({ length: INSTRUMENTS + 1 }, () => marketState(10_000 + prng.below(500_000)));
    // Every rule is on; what counts over a day is as wide as a bench needs.
    const wide = { ordersPerMinute: 200, ordersPerDay: 1e9, dailyNotionalPaise: 1e15, concentrationBps: 1e6 };
    const settings = new RiskSettings(moneyRulesAsOf(DAY), 'retail-strict', { ...wide, positionQty: 100_000 });
    this.#terms = settings.terms(1, 1);
    this.#orders = Array.from({ length: ORDERS }, () => this.#draw(prng));
    this.#rich = Array.from({ length: ACCOUNTS }, (_, i) => this.#open(prng, i + 1));
    this.#poor = Array.from({ length: ACCOUNTS }, (_, i) => {
      const trader = this.#open(prng, ACCOUNTS + i + 1);
      const { account } = trader;
      applyEvent(account, withdrawn(account, account.availablePaise, 'all', FIRST_MICROS));
      return trader;
    });
  }

  /** Allowed and, as an order that is placed, counted. */
  pass(): number {
    const i = this.#next++;
    const order = this.#orders[i & (ORDERS - 1)]!;
    const trader = this.#rich[i & (ACCOUNTS - 1)]!;
    this.#expect(this.#decide(trader, order), RefusalCode.None);
    trader.activity.placed(order, this.#check.notionalPaise, this.#nowMicros, DAY, 1_000_000);
    return this.#check.holdPaise;
  }

  /** Refused by the rule that is asked last. */
  refuse(): number {
    const i = this.#next++;
    const code = this.#decide(this.#poor[i & (ACCOUNTS - 1)]!, this.#orders[i & (ORDERS - 1)]!);
    this.#expect(code, RefusalCode.BuyingPower);
    return this.#check.failed!.after;
  }

  dryRun(): number {
    const i = this.#next++;
    const order = this.#orders[i & (ORDERS - 1)]!;
    const { account, activity } = this.#rich[i & (ACCOUNTS - 1)]!;
    const market = this.#market[order.instrumentId]!;
    const dry = this.#check.dryRun(account, order, market, this.#terms, activity, this.#nowMicros, DAY);
    return dry.checks.length;
  }

  #decide({ account, activity }: Trader, order: PlacedOrder): RefusalCode {
    this.#nowMicros += MICROS_A_DECISION;
    const market = this.#market[order.instrumentId]!;
    return this.#check.checkPlacement(account, order, market, this.#terms, activity, this.#nowMicros, DAY);
  }

  #expect(code: RefusalCode, expected: RefusalCode): void {
    // No text is made up where time is taken.
    if (code !== expected) throw new AssertionError(`code ${code} ${JSON.stringify(this.#check.failed)}`);
  }

  #draw(prng: Prng): PlacedOrder {
    const instrumentId = 1 + prng.below(INSTRUMENTS);
    const side = prng.below(2) === 0 ? OrderSide.Buy : OrderSide.Sell;
    const product = side === OrderSide.Buy && prng.below(2) === 0 ? Product.CNC : Product.MIS;
    const pricePaise = this.#market[instrumentId]!.lastPaise + prng.below(100);
    const terms = { quantity: 1 + prng.below(100), ordType: OrderType.Limit, pricePaise, triggerPricePaise: 0 };
    return { instrumentId, side, product, validity: Validity.DAY, terms };
  }

  #open(prng: Prng, userId: number): Trader {
    const account = newAccount(userId);
    applyEvent(account, accountOpened(account, FIRST_MICROS));
    applyEvent(account, deposited(account, DEPOSIT_PAISE, 'first', FIRST_MICROS));
    const trader = { account, activity: new OrderActivity() };
    for (let i = 1; i <= POSITIONS + OPEN_ORDERS; i++) {
      const order = this.#draw(prng);
      this.#nowMicros += 1_000_000;
      this.#expect(this.#decide(trader, order), RefusalCode.None);
      const { holdPaise, holdPricePaise, exposureQty } = this.#check;
      const held = { holdPaise, holdPricePaise, exposureQty };
      const orderID = userId * 100 + i;
      applyEvent(account, orderPlaced(account, { ...order, ...held, orderID, clientOrderID: '' }, this.#nowMicros));
      if (i <= OPEN_ORDERS) continue;
      const { quantity: lastQty, pricePaise: lastPxPaise } = order.terms;
      const execution = { execID: `${orderID}`, venue: 'V', tradingDay: DAY, lastQty, lastPxPaise };
      const placed = account.orders.get(orderID)!;
      applyEvent(account, orderFilled(this.#terms.money, account, placed, execution, this.#nowMicros));
    }
    return trader;
  }
}

function marketState(lastPaise: number): MarketState {
  const calm = { marketHalted: false, isHalted: false, isStale: false };
  return { ...calm, lastPaise, bandHighPaise: Math.floor(lastPaise * 1.2), freezeQuantity: 100_000 };
}
