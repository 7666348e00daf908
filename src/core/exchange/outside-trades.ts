import { OutcryError } from '../errors.ts';
import { ExecType, OrdStatus, Side } from '../fix/generated/fix-enums.gen.ts';
import type { TradeLine } from '../reconciliation/trade-line.ts';
import { NO_ORDER } from './order-pool.ts';
import type { OrderReports } from './order-reports.ts';
import type { OutsideOrder } from './outside-orders.ts';

/** Trades that may still be busted or corrected; the oldest are forgotten first. */
export const TRADES_KEPT_MAX = 100_000;

/** Told of each outside order's side of a trade, and of what undoes it. */
export type TradeListener = (compID: string, trade: Omit<TradeLine, 'tradingDay'>, tsMicros: number) => void;

interface TradeSide {
  readonly order: OutsideOrder;
  /** ExecID(17) of the report that stands: the fill's, or that of its last correction. */
  execID: string;
}

interface Trade {
  pricePaise: number;
  quantity: number;
  /** The outside orders in it, one or two. */
  readonly sides: readonly TradeSide[];
}

/**
 * Trades of outside orders, and what the exchange does to one afterwards: a bust (TradeCancel) undoes it for all its sides, a correction
 * (TradeCorrect) changes its price or lowers its quantity. Shares that come back do not return to the book: they count as canceled. Published
 * figures are not corrected.
 */
export class OutsideTrades {
  readonly #reports: OrderReports;
  readonly #onTrade: TradeListener;
  readonly #keptMax: number;
  /** In order of arrival; a trade stands under the ExecID of each of its sides. */
  readonly #byExecID = new Map<string, Trade>();

  constructor(reports: OrderReports, onTrade: TradeListener = () => {}, keptMax: number = TRADES_KEPT_MAX) {
    this.#reports = reports;
    this.#onTrade = onTrade;
    this.#keptMax = keptMax;
  }

  add(pricePaise: number, quantity: number, sides: readonly TradeSide[], tsMicros: number): void {
    const trade = { pricePaise, quantity, sides };
    for (const { order, execID } of sides) this.#tell(order, execID, '', trade, tsMicros);
    this.#keep(trade);
  }

  /** Undoes the trade that an ExecID(17) of either side names. REQUEST_REFUSED for an unknown one. */
  bust(execID: string, tsMicros: number): void {
    const trade = this.#take(execID);
    for (const side of trade.sides) {
      change(side.order, -trade.quantity, -trade.pricePaise * trade.quantity);
      const execID = this.#reports.execution(side.order, tsMicros, {
        execType: ExecType.TradeCancel,
        execRefID: side.execID,
        lastPxPaise: trade.pricePaise,
        lastQty: trade.quantity,
        text: 'the exchange canceled the trade',
      });
      this.#tell(side.order, execID, side.execID, trade, tsMicros);
    }
  }

  /** Corrects the trade to a price and a quantity not above its own. REQUEST_REFUSED for an unknown one, and for values that cannot be. */
  correct(execID: string, pricePaise: number, quantity: number, tsMicros: number): void {
    const known = this.#byExecID.get(execID)?.quantity ?? quantity;
    if (!Number.isSafeInteger(pricePaise) || pricePaise <= 0) refuse(`pricePaise ${pricePaise} must be above 0`);
    if (!Number.isSafeInteger(quantity) || quantity < 1 || quantity > known)
      refuse(`quantity ${quantity} must be from 1 to the trade's own, ${known}`);
    const trade = this.#take(execID);
    const turnoverChange = pricePaise * quantity - trade.pricePaise * trade.quantity;
    for (const side of trade.sides) {
      change(side.order, quantity - trade.quantity, turnoverChange);
      const undoneID = side.execID;
      side.execID = this.#reports.execution(side.order, tsMicros, {
        execType: ExecType.TradeCorrect,
        execRefID: side.execID,
        lastPxPaise: pricePaise,
        lastQty: quantity,
        text: 'the exchange corrected the trade',
      });
      this.#tell(side.order, side.execID, undoneID, trade, tsMicros);
      this.#tell(side.order, side.execID, '', { pricePaise, quantity }, tsMicros);
    }
    trade.pricePaise = pricePaise;
    trade.quantity = quantity;
    this.#keep(trade);
  }

  #tell(
    { compID, terms }: OutsideOrder,
    execID: string,
    execRefID: string,
    { quantity, pricePaise }: Pick<Trade, 'quantity' | 'pricePaise'>,
    tsMicros: number,
  ): void {
    const { clOrdID, symbol } = terms;
    const side = terms.side === Side.Buy ? 'BUY' : 'SELL';
    this.#onTrade(compID, { execID, execRefID, clOrdID, symbol, side, quantity, pricePaise }, tsMicros);
  }

  #keep(trade: Trade): void {
    for (const { execID } of trade.sides) this.#byExecID.set(execID, trade);
    for (const oldest of this.#byExecID.keys()) {
      if (this.#byExecID.size <= this.#keptMax) return;
      this.#byExecID.delete(oldest);
    }
  }

  #take(execID: string): Trade {
    const trade = this.#byExecID.get(execID);
    if (trade === undefined) return refuse(`no trade of an outside order has the ExecID ${execID}`);
    for (const side of trade.sides) this.#byExecID.delete(side.execID);
    return trade;
  }
}

/** OrdStatus(39) of an order that lives or was filled, from what of it is executed. */
export function executedStatus(order: OutsideOrder): OrdStatus {
  if (order.row !== NO_ORDER) return order.cumQty === 0 ? OrdStatus.New : OrdStatus.PartiallyFilled;
  return order.cumQty === order.terms.orderQty ? OrdStatus.Filled : OrdStatus.Canceled;
}

function change(order: OutsideOrder, quantity: number, turnoverPaise: number): void {
  order.cumQty += quantity;
  order.turnoverPaise += turnoverPaise;
  const ended = order.ordStatus === OrdStatus.Canceled || order.ordStatus === OrdStatus.Expired;
  if (!ended) order.ordStatus = executedStatus(order);
}

function refuse(detail: string): never {
  throw new OutcryError('REQUEST_REFUSED', detail);
}
