import { ExecType, OrdStatus } from '../fix/generated/fix-enums.gen.ts';
import type { NewOrderSingle } from '../fix/order-messages.ts';
import type { TradeLine } from '../reconciliation/trade-line.ts';
import { NO_ORDER } from './order-pool.ts';
import type { OrderReports } from './order-reports.ts';
import { ORDERS_KEPT_MAX } from './outside-orders.ts';
import type { TradeListener } from './outside-trades.ts';

/** An order, or a replace of one, that the exchange accepted. */
export interface OrderLine {
  readonly orderID: string;
  readonly terms: NewOrderSingle;
  /** '' for a new order. */
  readonly origClOrdID: string;
}

/** What an exchange writes down of outside orders before it tells anybody, and what it wrote down in an earlier process. */
export interface OrderRecord {
  ordered(compID: string, line: OrderLine, tsMicros: number): void;
  readonly traded: TradeListener;
  readonly past: PastOrders;
}

interface Version extends OrderLine {
  readonly trades: Omit<TradeLine, 'tradingDay'>[];
}

interface PastOrder {
  readonly compID: string;
  readonly versions: Version[];
}

/**
 * Orders of this trading day from before the exchange died and began anew: what was executed of them stands, and the rest is canceled, since the book is lost. Asked after one, it tells again
 * what it told of it, with the same ExecIDs(17), and then that it is over: reports that had not arrived are not lost.
 */
export class PastOrders {
  readonly #keptMax: number;
  /** In order of arrival, by each of its ClOrdIDs(11). */
  readonly #byClOrdID = new Map<string, PastOrder>();

  constructor(keptMax: number = ORDERS_KEPT_MAX) {
    this.#keptMax = keptMax;
  }

  ordered(compID: string, line: OrderLine): void {
    const order = this.find(compID, line.origClOrdID) ?? { compID, versions: [] };
    order.versions.push({ ...line, trades: [] });
    this.#byClOrdID.set(key(compID, line.terms.clOrdID), order);
    for (const oldest of this.#byClOrdID.keys()) {
      if (this.#byClOrdID.size <= this.#keptMax) return;
      this.#byClOrdID.delete(oldest);
    }
  }

  traded(compID: string, trade: Omit<TradeLine, 'tradingDay'>): void {
    const versions = this.find(compID, trade.clOrdID)?.versions;
    versions?.find(({ terms }) => terms.clOrdID === trade.clOrdID)?.trades.push(trade);
  }

  find(compID: string, clOrdID: string): PastOrder | undefined {
    return this.#byClOrdID.get(key(compID, clOrdID));
  }

  /** A new trading day: nobody is to be told of the one before as if it were of this one. */
  clear(): void {
    this.#byClOrdID.clear();
  }
}

/** Tells of an order again, as the answer to a question. */
export function tellAgain(
  { compID, versions }: PastOrder,
  reports: OrderReports,
  ordStatusReqID: string,
  tsMicros: number,
): void {
  let cumQty = 0;
  let turnoverPaise = 0;
  const { terms, orderID } = versions.at(-1)!;
  const order = (of: NewOrderSingle, ordStatus: OrdStatus) => ({
    ...{ compID, orderID, reference: 0, row: NO_ORDER, terms: of, ordStatus, cumQty, turnoverPaise },
  });
  versions.forEach((version, position) => {
    const { origClOrdID, trades } = version;
    const alive = (): OrdStatus => (cumQty === 0 ? OrdStatus.New : OrdStatus.PartiallyFilled);
    const leaves = (): number => Math.max(0, version.terms.orderQty - cumQty);
    if (position > 0)
      reports.execution(order(version.terms, alive()), tsMicros, {
        execType: ExecType.Replace,
        origClOrdID,
        leavesQty: leaves(),
      });
    for (const { execID, execRefID, quantity: lastQty, pricePaise: lastPxPaise } of trades) {
      if (execRefID !== '') continue;
      cumQty += lastQty;
      turnoverPaise += lastQty * lastPxPaise;
      reports.execution(order(version.terms, leaves() === 0 ? OrdStatus.Filled : alive()), tsMicros, {
        ...{ execType: ExecType.Trade, execID, lastQty, lastPxPaise, leavesQty: leaves() },
      });
    }
  });
  const ordStatus = cumQty >= terms.orderQty ? OrdStatus.Filled : OrdStatus.Canceled;
  reports.execution(order(terms, ordStatus), tsMicros, {
    execType: ExecType.OrderStatus,
    ordStatusReqID,
    text: ordStatus === OrdStatus.Filled ? '' : 'canceled when the exchange began anew',
  });
}

/** CompIDs and ClOrdIDs have no control characters. */
function key(compID: string, clOrdID: string): string {
  return `${compID}\u0001${clOrdID}`;
}

export const NO_RECORD: OrderRecord = { ordered() {}, traded() {}, past: new PastOrders(0) };
