import { OrderSide } from '../ledger/order.ts';

/** A stop order that waits for its price. */
export interface StopOrder {
  readonly orderID: number;
  readonly instrumentIndex: number;
  readonly side: OrderSide;
  readonly triggerPricePaise: number;
}

/** Stop orders of one instrument, each side in the order in which it fires: the nearest to the market last, so that it comes off by `pop`. */
interface InstrumentStops {
  readonly buys: StopOrder[];
  readonly sells: StopOrder[];
}

/**
 * Stop orders (SL, SL-M) by instrument, held here until their price trades: a buy fires at a last price at or above its trigger, a sell at or below. What fires
 * together fires in the order in which the price reached it, the earlier order first at the same price.
 */
export class TriggerBook {
  readonly #ordersMax: number;
  readonly #stops = new Map<number, InstrumentStops>();
  readonly #byOrder = new Map<number, StopOrder>();

  constructor(ordersMax: number) {
    this.#ordersMax = ordersMax;
  }

  get count(): number {
    return this.#byOrder.size;
  }

  get isFull(): boolean {
    return this.#byOrder.size >= this.#ordersMax;
  }

  /** Instruments with stop orders; their orders may fire meanwhile. */
  get instrumentIndexes(): Iterable<number> {
    return this.#stops.keys();
  }

  /** Adds an order, or puts it where it now belongs. */
  add(stop: StopOrder): void {
    this.remove(stop.orderID);
    let stops = this.#stops.get(stop.instrumentIndex);
    if (stops === undefined) {
      stops = { buys: [], sells: [] };
      this.#stops.set(stop.instrumentIndex, stops);
    }
    const side = sideOf(stops, stop);
    side.splice(positionOf(side, stop), 0, stop);
    this.#byOrder.set(stop.orderID, stop);
  }

  /** False when it is not there. */
  remove(orderID: number): boolean {
    const stop = this.#byOrder.get(orderID);
    if (stop === undefined) return false;
    this.#byOrder.delete(orderID);
    const stops = this.#stops.get(stop.instrumentIndex)!;
    const side = sideOf(stops, stop);
    side.splice(positionOf(side, stop), 1);
    if (stops.buys.length + stops.sells.length === 0) this.#stops.delete(stop.instrumentIndex);
    return true;
  }

  /** Takes out the next order that a trade at this price fires; undefined when there is none (more). */
  next(instrumentIndex: number, lastPaise: number): StopOrder | undefined {
    const stops = this.#stops.get(instrumentIndex);
    if (stops === undefined) return undefined;
    const buy = stops.buys.at(-1);
    if (buy !== undefined && isReached(OrderSide.Buy, buy.triggerPricePaise, lastPaise)) {
      this.remove(buy.orderID);
      return buy;
    }
    const sell = stops.sells.at(-1);
    if (sell === undefined || !isReached(OrderSide.Sell, sell.triggerPricePaise, lastPaise)) return undefined;
    this.remove(sell.orderID);
    return sell;
  }
}

/** Whether a trade at this price fires a stop order. */
export function isReached(side: OrderSide, triggerPricePaise: number, lastPaise: number): boolean {
  return side === OrderSide.Buy ? lastPaise >= triggerPricePaise : lastPaise <= triggerPricePaise;
}

function sideOf(stops: InstrumentStops, stop: StopOrder): StopOrder[] {
  return stop.side === OrderSide.Buy ? stops.buys : stops.sells;
}

/** Where `stop` stands or belongs: binary search, since ids differ and make the order total. */
function positionOf(side: readonly StopOrder[], stop: StopOrder): number {
  let from = 0;
  let to = side.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (firesAfter(side[middle]!, stop)) from = middle + 1;
    else to = middle;
  }
  return from;
}

function firesAfter(stop: StopOrder, other: StopOrder): boolean {
  if (stop.triggerPricePaise === other.triggerPricePaise) return stop.orderID > other.orderID;
  const isHigher = stop.triggerPricePaise > other.triggerPricePaise;
  return stop.side === OrderSide.Buy ? isHigher : !isHigher;
}
