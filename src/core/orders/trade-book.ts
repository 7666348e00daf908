import { addCharges } from '../ledger/charges.ts';
import type { StandingTrade } from '../ledger/execution-events.ts';
import { EventType, type LedgerEvent } from '../ledger/ledger-event.ts';

/** An execution of an order as it now stands. */
interface BookedTrade extends StandingTrade {
  readonly venue: string;
  /** Busted, or replaced by a correction: it is kept so that its report is known when it comes again. */
  readonly isUndone: boolean;
}

/**
 * The executions of the orders in memory: what has been applied is known when it comes again, by (venue, trading day, ExecID(17)), and a bust or a correction finds what
 * it undoes. What is no longer here, the database's unique index still refuses.
 */
export class TradeBook {
  readonly #byOrder = new Map<number, BookedTrade[]>();

  /** Whether this report about the order has been applied. */
  has(orderID: number, venue: string, tradingDay: string, execID: string): boolean {
    const trades = this.#byOrder.get(orderID);
    return (
      trades?.some((each) => each.execID === execID && each.tradingDay === tradingDay && each.venue === venue) === true
    );
  }

  /** The trade that an ExecRefID(19) names, the latest of that id, unless it has been undone. */
  find(orderID: number, venue: string, execRefID: string): StandingTrade | undefined {
    const trades = this.#byOrder.get(orderID) ?? [];
    return trades.findLast((each) => each.execID === execRefID && each.venue === venue && !each.isUndone);
  }

  /** Takes in an event, of whatever kind. */
  apply({ orderID, detail }: LedgerEvent): void {
    if (
      detail.type !== EventType.OrderFilled &&
      detail.type !== EventType.TradeBusted &&
      detail.type !== EventType.TradeCorrected
    )
      return;
    let trades = this.#byOrder.get(orderID);
    if (trades === undefined) {
      trades = [];
      this.#byOrder.set(orderID, trades);
    }
    const { venue, tradingDay, execID, lastQty, lastPxPaise, charges } = detail;
    if (detail.type === EventType.OrderFilled) {
      trades.push({ venue, tradingDay, execID, lastQty, lastPxPaise, charges, isUndone: false });
      return;
    }
    const at = trades.findLastIndex(
      (each) => each.execID === detail.execRefID && each.venue === venue && !each.isUndone,
    );
    if (at >= 0) trades[at] = { ...trades[at]!, isUndone: true };
    const isUndone = detail.type === EventType.TradeBusted;
    const standing = addCharges(detail.undone.charges, charges);
    trades.push({ venue, tradingDay, execID, lastQty, lastPxPaise, charges: standing, isUndone });
  }

  forget(orderID: number): void {
    this.#byOrder.delete(orderID);
  }
}
