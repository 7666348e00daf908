import type { Prng } from '../exchange/prng.ts';
import type { LedgerEvent } from '../ledger/ledger-event.ts';
import { EventType } from '../ledger/ledger-event.ts';
import { OrderSide, type OrderTerms, OrderType, Product, Validity } from '../ledger/order.ts';
import type { Instrument } from '../market-data/instrument-master.ts';
import type { CommandReply, OrderCommand, PlaceOrder } from '../orders/order-command.ts';
import { RefusalCode } from '../refusal-codes.ts';
import type { AskedCommand } from './asked-command.ts';
import { badCommand } from './bad-commands.ts';

/** What a trader remembers of an order of his. */
interface OwnOrder {
  readonly orderID: number;
  readonly instrument: Instrument;
  readonly side: OrderSide;
  terms: OrderTerms;
}

interface Trader {
  readonly userId: number;
  readonly orders: OwnOrder[];
  /** Placings with a client order id, to be sent again. */
  readonly placings: PlaceOrder[];
  readonly deposits: OrderCommand[];
}

export const CHANNEL = 'traders';
/** Orders of his that a trader still thinks of. */
const ORDERS_KEPT = 12;
const DEPOSIT_PAISE_MIN = 20_000_000;
const DEPOSIT_PAISE_RANGE = 1_500_000_000;
const QUANTITY_MAX = 40;
const TICKS_AWAY = 14;
/** Of a hundred commands, those up to this are changes, and so on; the rest are orders. */
const MODIFIES = 12;
const CANCELS = 28;
const REPEATS = 32;
const BAD = 36;
const MONEY = 39;

const MAY_BE_DONE: ReadonlySet<EventType> = new Set<EventType>([
  EventType.OrderFilled,
  EventType.OrderCanceled,
  EventType.OrderRejected,
  EventType.OrderExpired,
]);

/** Users who place, change and cancel orders, move money, repeat themselves and ask for what cannot be. */
export class Traders {
  readonly #traders: readonly Trader[];
  readonly #instruments: readonly Instrument[];
  readonly #middlePaise: (index: number) => number;
  readonly #random: Prng;
  readonly #byUser = new Map<number, Trader>();
  /** Of commands that were asked, by request: what the answer is about. */
  #requestCount = 0;
  #nameCount = 0;

  constructor(
    userIds: readonly number[],
    instruments: readonly Instrument[],
    middlePaise: (index: number) => number,
    random: Prng,
  ) {
    this.#traders = userIds.map((userId) => ({ userId, orders: [], placings: [], deposits: [] }));
    for (const trader of this.#traders) this.#byUser.set(trader.userId, trader);
    this.#instruments = instruments;
    this.#middlePaise = middlePaise;
    this.#random = random;
  }

  /** What every user does first. */
  openings(): AskedCommand[] {
    return this.#traders.flatMap(({ userId }) => [
      { command: { ...this.#base(userId), type: 'open-account' as const }, refusal: RefusalCode.None },
      this.#money(this.#byUser.get(userId)!, 'deposit', DEPOSIT_PAISE_MIN + this.#random.below(DEPOSIT_PAISE_RANGE)),
    ]);
  }

  next(): AskedCommand {
    const trader = this.#traders[this.#random.below(this.#traders.length)]!;
    const choice = this.#random.below(100);
    if (choice < MODIFIES) return this.#modify(trader) ?? this.#place(trader);
    if (choice < CANCELS) return this.#cancel(trader) ?? this.#place(trader);
    if (choice < REPEATS) return this.#repeat(trader) ?? this.#place(trader);
    if (choice < BAD) return this.#bad(trader);
    if (choice < MONEY) return this.#moveMoney(trader);
    return this.#place(trader);
  }

  /** The same request once more, as who got no answer does it. */
  again(command: OrderCommand): AskedCommand {
    return { command: { ...command, origin: this.#origin() }, refusal: RefusalCode.None };
  }

  /** An answer came. */
  answered(command: OrderCommand, reply: CommandReply): void {
    const trader = this.#byUser.get(command.userId);
    if (trader === undefined || command.type !== 'place' || reply.kind !== 'placed') return;
    const instrument = this.#instruments.find(({ symbol }) => symbol === command.symbol)!;
    const { side, terms } = command;
    if (reply.isRepeat) return;
    trader.orders.push({ orderID: reply.orderID, instrument, side, terms });
    if (trader.orders.length > ORDERS_KEPT) trader.orders.shift();
  }

  /** Orders that are done are thought of no more. */
  pushed(userId: number, events: readonly LedgerEvent[]): void {
    const trader = this.#byUser.get(userId);
    if (trader === undefined) return;
    for (const { detail, orderID } of events) {
      const { type } = detail;
      if (!MAY_BE_DONE.has(type)) continue;
      const position = trader.orders.findIndex((order) => order.orderID === orderID);
      // Some are thought of still: who cancels what is done is told so.
      if (position >= 0 && this.#random.below(4) > 0) trader.orders.splice(position, 1);
    }
  }

  #place(trader: Trader): AskedCommand {
    const random = this.#random;
    const index = random.below(this.#instruments.length);
    const instrument = this.#instruments[index]!;
    const side = random.below(2) === 0 ? OrderSide.Buy : OrderSide.Sell;
    const draw = random.below(10);
    // A sale for delivery needs shares, and mostly there are none.
    const cnc = side === OrderSide.Buy ? 4 : 1;
    const product = draw < cnc ? Product.CNC : draw < 7 ? Product.MIS : Product.NRML;
    const terms = this.#terms(index, side);
    const isStop = terms.ordType === OrderType.StopLimit || terms.ordType === OrderType.StopMarket;
    const command: PlaceOrder = {
      type: 'place',
      origin: this.#origin(),
      userId: trader.userId,
      symbol: instrument.symbol,
      side,
      product,
      validity: !isStop && random.below(8) === 0 ? Validity.IOC : Validity.DAY,
      terms,
      clientOrderID: random.below(3) === 0 ? '' : `c${++this.#nameCount}`,
      dryRun: random.below(60) === 0,
    };
    if (command.clientOrderID !== '' && !command.dryRun) {
      trader.placings.push(command);
      if (trader.placings.length > ORDERS_KEPT) trader.placings.shift();
    }
    return { command, refusal: RefusalCode.None };
  }

  #terms(index: number, side: OrderSide): OrderTerms {
    const random = this.#random;
    const { tickPaise, lotSize } = this.#instruments[index]!;
    const middle = this.#middlePaise(index);
    const quantity = (1 + random.below(QUANTITY_MAX)) * lotSize;
    const sign = side === OrderSide.Buy ? 1 : -1;
    const near = (ticks: number): number => Math.max(tickPaise, middle + ticks * tickPaise);
    // Two thirds rest, and may be changed.
    const limit = near(-sign * (random.below(TICKS_AWAY * 3) - TICKS_AWAY));
    const trigger = near(sign * (1 + random.below(TICKS_AWAY)));
    const draw = random.below(10);
    if (draw < 6) return { quantity, ordType: OrderType.Limit, pricePaise: limit, triggerPricePaise: 0 };
    if (draw < 8) return { quantity, ordType: OrderType.Market, pricePaise: 0, triggerPricePaise: 0 };
    if (draw < 9) return { quantity, ordType: OrderType.StopMarket, pricePaise: 0, triggerPricePaise: trigger };
    const pricePaise = trigger + sign * random.below(5) * tickPaise;
    return { quantity, ordType: OrderType.StopLimit, pricePaise, triggerPricePaise: trigger };
  }

  #modify(trader: Trader): AskedCommand | undefined {
    const order = this.#ownOrder(trader);
    if (order === undefined) return undefined;
    const random = this.#random;
    const { instrument, side, terms } = order;
    const { lotSize, tickPaise } = instrument;
    const quantity = Math.max(lotSize, terms.quantity + (random.below(11) - 5) * lotSize);
    const moved = (random.below(9) - 4) * tickPaise;
    const sign = side === OrderSide.Buy ? 1 : -1;
    const triggerPricePaise = terms.triggerPricePaise === 0 ? 0 : terms.triggerPricePaise + moved;
    const pricePaise =
      terms.ordType === OrderType.StopLimit
        ? triggerPricePaise + sign * random.below(5) * tickPaise
        : terms.pricePaise === 0
          ? 0
          : Math.max(tickPaise, terms.pricePaise + moved);
    order.terms = { quantity, ordType: terms.ordType, pricePaise, triggerPricePaise };
    const command = {
      type: 'modify' as const,
      origin: this.#origin(),
      userId: trader.userId,
      orderID: order.orderID,
      terms: order.terms,
    };
    return { command, refusal: RefusalCode.None };
  }

  #cancel(trader: Trader): AskedCommand | undefined {
    const order = this.#ownOrder(trader);
    if (order === undefined) return undefined;
    const command = { type: 'cancel' as const, origin: this.#origin(), userId: trader.userId, orderID: order.orderID };
    return { command, refusal: RefusalCode.None };
  }

  #repeat(trader: Trader): AskedCommand | undefined {
    const known = this.#random.below(4) === 0 ? trader.deposits : trader.placings;
    const command = known[this.#random.below(known.length)];
    return command === undefined ? undefined : this.again(command);
  }

  #bad(trader: Trader): AskedCommand {
    const other = this.#traders[this.#random.below(this.#traders.length)]!;
    const othersOrder = other === trader ? undefined : this.#ownOrder(other);
    return badCommand(this.#base(trader.userId), this.#instruments, othersOrder?.orderID ?? 1, this.#random);
  }

  #moveMoney(trader: Trader): AskedCommand {
    const amountPaise = 1 + this.#random.below(DEPOSIT_PAISE_MIN);
    return this.#money(trader, this.#random.below(2) === 0 ? 'deposit' : 'withdraw', amountPaise);
  }

  #money(trader: Trader, type: 'deposit' | 'withdraw', amountPaise: number): AskedCommand {
    const reference = `m${++this.#nameCount}`;
    const command = { type, origin: this.#origin(), userId: trader.userId, amountPaise, reference };
    trader.deposits.push(command);
    if (trader.deposits.length > ORDERS_KEPT) trader.deposits.shift();
    return { command, refusal: RefusalCode.None };
  }

  #ownOrder(trader: Trader): OwnOrder | undefined {
    return trader.orders[this.#random.below(trader.orders.length)];
  }

  #base(userId: number): Pick<OrderCommand, 'origin' | 'userId'> {
    return { origin: this.#origin(), userId };
  }

  #origin(): OrderCommand['origin'] {
    return { channel: CHANNEL, generation: 1, connection: 1, requestID: ++this.#requestCount };
  }
}
