// hot: per order. Nothing is allocated but as a ring grows.
import type { Order } from '../ledger/order.ts';
import { WINDOW_ORDERS_MAX } from './risk-limits.ts';
import { WindowRing } from './window-ring.ts';

/** What makes two orders the same. */
export type PlacedOrder = Pick<Order, 'instrumentId' | 'side' | 'product' | 'validity' | 'terms'>;

const MICROS_A_SECOND = 1_000_000;
const MICROS_A_MINUTE = 60 * MICROS_A_SECOND;
/** Of the ring of orders: time, then these. */
const INSTRUMENT = 1;
const KIND = 2;
const QUANTITY = 3;
const PRICE = 4;
const TRIGGER = 5;
const STRIDE = 6;

/**
 * What a user has placed lately: the times of a minute's orders, the orders of the duplicate window, and the day's counts. Memory is bounded: what does not fit
 * is the oldest, and no limit can be so high that it would matter (see WINDOW_ORDERS_MAX). Orders that were refused are not in it.
 */
export class OrderActivity {
  #tradingDay = '';
  #ordersToday = 0;
  #notionalTodayPaise = 0;
  readonly #times = new WindowRing(1, WINDOW_ORDERS_MAX);
  readonly #orders = new WindowRing(STRIDE, WINDOW_ORDERS_MAX);

  ordersToday(tradingDay: string): number {
    return tradingDay === this.#tradingDay ? this.#ordersToday : 0;
  }

  notionalTodayPaise(tradingDay: string): number {
    return tradingDay === this.#tradingDay ? this.#notionalTodayPaise : 0;
  }

  ordersLastSecond(nowMicros: number): number {
    return this.#times.countAfter(nowMicros - MICROS_A_SECOND);
  }

  ordersLastMinute(nowMicros: number): number {
    return this.#times.countAfter(nowMicros - MICROS_A_MINUTE);
  }

  /** Orders since `windowMicros` ago that are the same as this one. */
  duplicates(order: PlacedOrder, nowMicros: number, windowMicros: number): number {
    const ring = this.#orders;
    const { instrumentId, terms } = order;
    const kind = kindOf(order);
    let duplicates = 0;
    for (let back = 0; back < ring.count; back++) {
      const at = ring.at(back);
      if (ring.value(at) <= nowMicros - windowMicros) break;
      if (
        ring.value(at + INSTRUMENT) === instrumentId &&
        ring.value(at + KIND) === kind &&
        ring.value(at + QUANTITY) === terms.quantity &&
        ring.value(at + PRICE) === terms.pricePaise &&
        ring.value(at + TRIGGER) === terms.triggerPricePaise
      )
        duplicates++;
    }
    return duplicates;
  }

  /** An order was placed. `windowMicros`: for how long the same one again is a duplicate. */
  placed(order: PlacedOrder, notionalPaise: number, nowMicros: number, tradingDay: string, windowMicros: number): void {
    if (tradingDay !== this.#tradingDay) {
      this.#tradingDay = tradingDay;
      this.#ordersToday = 0;
      this.#notionalTodayPaise = 0;
    }
    this.#ordersToday++;
    this.#notionalTodayPaise += notionalPaise;
    this.#times.push(nowMicros, nowMicros - MICROS_A_MINUTE);
    const ring = this.#orders;
    const at = ring.push(nowMicros, nowMicros - windowMicros);
    ring.set(at + INSTRUMENT, order.instrumentId);
    ring.set(at + KIND, kindOf(order));
    ring.set(at + QUANTITY, order.terms.quantity);
    ring.set(at + PRICE, order.terms.pricePaise);
    ring.set(at + TRIGGER, order.terms.triggerPricePaise);
  }
}

function kindOf({ side, product, validity, terms }: PlacedOrder): number {
  return side | (product << 2) | (validity << 4) | (terms.ordType << 6);
}
