import type { OrdStatus } from '../fix/generated/fix-enums.gen.ts';
import type { NewOrderSingle } from '../fix/order-messages.ts';
import { NO_ORDER } from './order-pool.ts';

/** ClOrdIDs kept, of live orders and done ones, about 100 MB; the oldest done ones are forgotten first, and may then be used again. */
export const ORDERS_KEPT_MAX = 250_000;
const LIVE_LOOKED_AT_MAX = 1_000;

/** An order from outside, as its owner knows it. */
export interface OutsideOrder {
  readonly compID: string;
  readonly orderID: string;
  /** By which the engine names it. */
  readonly reference: number;
  /** Row in the engine's pool while the order lives, else NO_ORDER. */
  row: number;
  /** The terms in force, under the ClOrdID(11) they came with. */
  terms: NewOrderSingle;
  ordStatus: OrdStatus;
  cumQty: number;
  turnoverPaise: number;
}

/** Orders from outside by CompID and every ClOrdID they ever had, and live ones by reference. At most `keptMax` ClOrdIDs. */
export class OutsideOrders {
  readonly #keptMax: number;
  /** In order of arrival. */
  readonly #byClOrdID = new Map<string, OutsideOrder>();
  readonly #byReference: (OutsideOrder | undefined)[] = [];
  readonly #freeReferences: number[] = [];

  constructor(keptMax: number) {
    this.#keptMax = keptMax;
  }

  find(compID: string, clOrdID: string): OutsideOrder | undefined {
    return this.#byClOrdID.get(key(compID, clOrdID));
  }

  /** The live orders of a CompID. */
  liveOf(compID: string): OutsideOrder[] {
    return this.#byReference.filter((order): order is OutsideOrder => order?.compID === compID);
  }

  byReference(reference: number): OutsideOrder {
    return this.#byReference[reference]!;
  }

  /** A new order with a reference of its own, not yet in the engine. */
  create(compID: string, orderID: string, terms: NewOrderSingle, ordStatus: OrdStatus): OutsideOrder {
    const reference = this.#freeReferences.pop() ?? this.#byReference.length;
    const order = { compID, orderID, reference, row: NO_ORDER, terms, ordStatus, cumQty: 0, turnoverPaise: 0 };
    this.#byReference[reference] = order;
    this.name(order, terms.clOrdID);
    return order;
  }

  /** One more ClOrdID of the order. */
  name(order: OutsideOrder, clOrdID: string): void {
    this.#byClOrdID.set(key(order.compID, clOrdID), order);
  }

  forget(compID: string, clOrdID: string): void {
    this.#byClOrdID.delete(key(compID, clOrdID));
  }

  /** The order is done: its reference goes to others, its ClOrdIDs are kept. */
  retire(order: OutsideOrder): void {
    order.row = NO_ORDER;
    this.#byReference[order.reference] = undefined;
    this.#freeReferences.push(order.reference);
  }

  /** Forgets the oldest done order when as many ClOrdIDs are kept as may be; false when there is none among the oldest. */
  makeRoom(): boolean {
    if (this.#byClOrdID.size < this.#keptMax) return true;
    let looked = 0;
    for (const [id, order] of this.#byClOrdID) {
      this.#byClOrdID.delete(id);
      if (order.row === NO_ORDER) return true;
      // A live one goes to the back, so that it is not met at every order.
      this.#byClOrdID.set(id, order);
      if (++looked === LIVE_LOOKED_AT_MAX) return false;
    }
    return false;
  }
}

/** CompIDs and ClOrdIDs have no control characters. */
function key(compID: string, clOrdID: string): string {
  return `${compID}\u0001${clOrdID}`;
}
