import type { ThrottleSettings } from '../../fix/throttle.ts';
import type { Account } from '../../ledger/account.ts';
import type { LedgerEvent } from '../../ledger/ledger-event.ts';
import { moneyRulesAsOf } from '../../ledger/money-rules.ts';
import { type Order, OrderSide, OrderType, Product, Validity } from '../../ledger/order.ts';
import { type LimitSettings, RiskSettings } from '../../risk/risk-settings.ts';
import type { MarketView } from '../market-view.ts';
import type { CommandReply, OrderCommand, PlaceOrder } from '../order-command.ts';
import type { OrderAlarm, OrderEffects } from '../order-effects.ts';
import { OrderService } from '../order-service.ts';
import { ORDER_SERVICE_DEFAULTS, type OrderServiceSettings } from '../order-service-parts.ts';
import type { InstrumentFacts } from '../order-validation.ts';
import { TestLedger } from './test-ledger.ts';
import { TestVenue } from './test-venue.ts';

/** Thursday, 26 November 2026, 10:00 in India. */
export const START_MICROS = Date.UTC(2026, 10, 26, 4, 30) * 1000;
export const USER = 7;
export const OTHER_USER = 8;

export const ACME: InstrumentFacts = {
  instrumentIndex: 0,
  instrumentId: 1_001,
  symbol: 'ACME',
  kind: 'equity',
  listed: true,
  tickPaise: 5,
  lotSize: 1,
  priceBandBps: 2_000,
  freezeQuantity: 10_000,
  previousClosePaise: 10_000,
};
export const LOTS: InstrumentFacts = { ...ACME, instrumentIndex: 1, instrumentId: 1_002, symbol: 'LOTS', lotSize: 10 };
export const INDEX: InstrumentFacts = {
  ...ACME,
  instrumentIndex: 2,
  instrumentId: 1_003,
  symbol: 'INDEX',
  kind: 'index',
};
const INSTRUMENTS = [ACME, LOTS, INDEX];

/** Rates that a test does not mean must not refuse its orders. */
const FREE_RATES: LimitSettings = { ordersPerSecond: null, ordersPerMinute: null, duplicateOrders: null };

/** What a market is for a test: prices that it sets. */
class TestMarket implements MarketView {
  isMarketHalted = false;
  readonly prices = new Map<number, number>();
  readonly stale = new Set<number>();
  readonly halted = new Set<number>();

  lastPaise(instrumentIndex: number): number {
    return this.prices.get(instrumentIndex) ?? 10_000;
  }

  isStale(instrumentIndex: number): boolean {
    return this.stale.has(instrumentIndex);
  }

  isHalted(instrumentIndex: number): boolean {
    return this.halted.has(instrumentIndex);
  }
}

export interface DeskOptions {
  readonly settings?: Partial<OrderServiceSettings>;
  readonly limits?: LimitSettings;
  /** The venue's, on messages; none. */
  readonly throttle?: ThrottleSettings;
}

/** For tests: the order service between a ledger and a venue, all in one thread and on a clock that the test moves. */
export class TestDesk {
  readonly ledger = new TestLedger();
  readonly venue = new TestVenue(START_MICROS / 1000);
  readonly market = new TestMarket();
  readonly replies: CommandReply[] = [];
  readonly pushed: LedgerEvent[] = [];
  readonly alarms: OrderAlarm[] = [];
  fatal = '';
  nowMicros = START_MICROS;
  service: OrderService;
  readonly #options: DeskOptions;
  #requestID = 0;

  constructor(options: DeskOptions = {}) {
    this.#options = options;
    this.service = this.#start();
  }

  /** A desk on which both users have an account with money, and the venue is there. */
  static open(options: DeskOptions = {}): TestDesk {
    const desk = new TestDesk(options);
    desk.venue.connect();
    for (const userId of [USER, OTHER_USER]) {
      desk.send({ type: 'open-account', userId });
      desk.send({ type: 'deposit', userId, amountPaise: 100_000_000, reference: 'first' });
    }
    desk.settle();
    desk.replies.length = 0;
    desk.pushed.length = 0;
    return desk;
  }

  /** Sends a command; `settle` or more must follow for its reply. */
  send(command: Sendable): void {
    const origin = { channel: 'test', generation: 1, connection: 1, requestID: this.#requestID++ };
    this.service.command({ ...command, origin } as OrderCommand, this.nowMicros);
  }

  /** Sends a command and lets everything come to rest; its reply. */
  ask(command: Sendable): CommandReply {
    this.send(command);
    this.settle();
    return this.replies.at(-1)!;
  }

  /** Places an order and lets everything come to rest; its OrderID, or the refusal's code negated. */
  place(fields: Partial<PlaceOrder> = {}): number {
    const reply = this.ask(limitOrder(fields));
    if (reply.kind === 'placed') return reply.orderID;
    return reply.kind === 'refused' ? -reply.code : 0;
  }

  /** Carries messages, commits and answers until nothing happens any more. */
  settle(): void {
    for (;;) {
      this.venue.carry();
      this.service.flush(this.nowMicros);
      if (this.ledger.isIdle) return;
      this.ledger.answer();
    }
  }

  /** Lets time go by, with the timers in it. */
  wait(micros: number): void {
    this.nowMicros += micros;
    this.venue.setNow(this.nowMicros / 1000);
    this.venue.onTimer();
    this.service.onTimer(this.nowMicros);
    this.settle();
  }

  trade(instrument: InstrumentFacts, pricePaise: number): void {
    this.market.prices.set(instrument.instrumentIndex, pricePaise);
    this.service.trade(instrument.instrumentIndex, pricePaise, this.nowMicros);
    this.settle();
  }

  /** The process dies, and another one begins with what is committed. */
  restart(): void {
    this.ledger.forgetQuestions();
    this.venue.kill();
    this.service = this.#start();
    this.reconnect();
  }

  /** The session comes up, and settles what was alive. */
  reconnect(): void {
    this.venue.connect();
    this.settle();
    this.venue.onTimer();
    this.settle();
  }

  order(orderID: number, userId = USER): Order {
    return this.account(userId).orders.get(orderID)!;
  }

  account(userId = USER): Account {
    for (const account of this.service.accounts) if (account.userId === userId) return account;
    throw new Error(`user ${userId} has no account`);
  }

  takeReplies(): CommandReply[] {
    return this.replies.splice(0);
  }

  #start(): OrderService {
    const { ledger, venue } = this;
    const effects: OrderEffects = {
      ledger,
      venue,
      answer: (_origin, reply) => void this.replies.push(reply),
      push: (_userId, events) => void this.pushed.push(...events),
      alarm: (alarm) => void this.alarms.push(alarm),
      fatal: (text) => {
        this.fatal = text;
      },
    };
    const instruments = {
      bySymbol: (symbol: string) => INSTRUMENTS.find((facts) => facts.symbol === symbol),
      byId: (instrumentId: number) => INSTRUMENTS.find((facts) => facts.instrumentId === instrumentId),
    };
    const limits = { ...FREE_RATES, ...this.#options.limits };
    const risk = new RiskSettings(moneyRulesAsOf('2026-11-26'), 'standard', limits);
    const settings: OrderServiceSettings = {
      ...ORDER_SERVICE_DEFAULTS,
      epoch: 1,
      venue: { name: 'NSE', marketHours: 'nse' },
      ...this.#options.settings,
    };
    venue.attach(() => running, this.#options.throttle);
    const parts = { effects, instruments, risk, market: this.market };
    const running: OrderService = new OrderService(settings, parts, ledger.state(), this.nowMicros);
    ledger.answers = {
      committed: (batchId, outcome) => running.committed(batchId, outcome, this.nowMicros),
      batchAnswer: (batchId, answer) => running.batchAnswer(batchId, answer, this.nowMicros),
      recalled: (wanted, found) => running.recalled(wanted, found, this.nowMicros),
      reloaded: (accounts) => running.reloaded(accounts, this.nowMicros),
    };
    return running;
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
export type Sendable = DistributiveOmit<OrderCommand, 'origin'>;

/** A purchase of ten at 100 rupees, for delivery, `fields` apart. */
export function limitOrder(fields: Partial<PlaceOrder> = {}): Omit<PlaceOrder, 'origin'> {
  return {
    type: 'place',
    userId: USER,
    symbol: 'ACME',
    side: OrderSide.Buy,
    product: Product.CNC,
    validity: Validity.DAY,
    terms: limit(10, 10_000),
    clientOrderID: '',
    dryRun: false,
    ...fields,
  };
}

export function limit(quantity: number, pricePaise: number): PlaceOrder['terms'] {
  return { quantity, ordType: OrderType.Limit, pricePaise, triggerPricePaise: 0 };
}

export function market(quantity: number): PlaceOrder['terms'] {
  return { quantity, ordType: OrderType.Market, pricePaise: 0, triggerPricePaise: 0 };
}

export function stopLimit(quantity: number, triggerPricePaise: number, pricePaise: number): PlaceOrder['terms'] {
  return { quantity, ordType: OrderType.StopLimit, pricePaise, triggerPricePaise };
}

export function stopMarket(quantity: number, triggerPricePaise: number): PlaceOrder['terms'] {
  return { quantity, ordType: OrderType.StopMarket, pricePaise: 0, triggerPricePaise };
}
