import type { Side } from './generated/fix-enums.gen.ts';

/** What a session knows of an order that went over it: enough to say whether a report is about a live one, and to ask after it. */
export interface VenueOrder {
  /** The ClOrdID(11) it goes by now: that of the order, or of its last replace. */
  clOrdID: string;
  readonly symbol: string;
  readonly side: Side;
  /** No terminal report yet. */
  live: boolean;
  /** The round of questions after a reconnect that it was answered in. */
  settledRound: number;
  /** Every ClOrdID it had, requests to cancel it included. */
  readonly names: string[];
}

/** Done orders that are kept, so that a late report is told from one that nobody knows; the oldest are forgotten first. */
export const DONE_ORDERS_KEPT = 10_000;

/** The orders of one session by every ClOrdID that names them: at most `liveMax` live ones. */
export class VenueOrders {
  readonly #liveMax: number;
  readonly #byName = new Map<string, VenueOrder>();
  readonly #live = new Set<VenueOrder>();
  /** A ring, in the order in which they were done. */
  readonly #done: VenueOrder[] = [];
  #oldestDone = 0;

  constructor(liveMax: number) {
    this.#liveMax = liveMax;
  }

  get liveCount(): number {
    return this.#live.size;
  }

  get isFull(): boolean {
    return this.#live.size >= this.#liveMax;
  }

  live(): Iterable<VenueOrder> {
    return this.#live;
  }

  find(clOrdID: string): VenueOrder | undefined {
    return this.#byName.get(clOrdID);
  }

  /** The order of the first of two names that is known. */
  findEither(clOrdID: string, origClOrdID: string): VenueOrder | undefined {
    return this.#byName.get(clOrdID) ?? this.#byName.get(origClOrdID);
  }

  add(clOrdID: string, symbol: string, side: Side): VenueOrder {
    const order = { clOrdID, symbol, side, live: true, settledRound: 0, names: [clOrdID] };
    this.#byName.set(clOrdID, order);
    this.#live.add(order);
    return order;
  }

  /** One more ClOrdID of an order: of a request to replace or cancel it. */
  name(order: VenueOrder, clOrdID: string): void {
    order.names.push(clOrdID);
    this.#byName.set(clOrdID, order);
  }

  /** The venue knows it by this ClOrdID now; an order that was adopted has not had it here. */
  rename(order: VenueOrder, clOrdID: string): void {
    if (!this.#byName.has(clOrdID)) this.name(order, clOrdID);
    order.clOrdID = clOrdID;
  }

  /** The request under this ClOrdID came to nothing before it was sent. */
  unname(order: VenueOrder, clOrdID: string): void {
    order.names.splice(order.names.lastIndexOf(clOrdID), 1);
    this.#byName.delete(clOrdID);
  }

  /** The order has ended. */
  end(order: VenueOrder): void {
    if (!order.live) return;
    order.live = false;
    this.#live.delete(order);
    if (this.#done.length < DONE_ORDERS_KEPT) {
      this.#done.push(order);
      return;
    }
    this.#forget(this.#done[this.#oldestDone]!);
    this.#done[this.#oldestDone] = order;
    this.#oldestDone = (this.#oldestDone + 1) % DONE_ORDERS_KEPT;
  }

  /** The order never left: nothing of it is kept. */
  withdraw(order: VenueOrder): void {
    this.#live.delete(order);
    order.live = false;
    this.#forget(order);
  }

  #forget(order: VenueOrder): void {
    for (const name of order.names) if (this.#byName.get(name) === order) this.#byName.delete(name);
  }
}
