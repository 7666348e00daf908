import { EventType, type LedgerEvent } from '../ledger/ledger-event.ts';
import { OrderSide } from '../ledger/order.ts';
import type { OwnTrade } from './trade-matcher.ts';

/** The trades that an event of ours makes, as a venue would tell of them: one, or for a correction what it takes back and what holds now; none for other events. */
export function ownTradesOf(
  { detail, userId, orderID }: LedgerEvent,
  orderSide: OrderSide,
  symbol: string,
): OwnTrade[] {
  if (
    detail.type !== EventType.OrderFilled &&
    detail.type !== EventType.TradeBusted &&
    detail.type !== EventType.TradeCorrected
  )
    return [];
  const { tradingDay, execID } = detail;
  const side = orderSide === OrderSide.Buy ? 'BUY' : 'SELL';
  const trade = { tradingDay, execID, symbol, side, userId, orderID } as const;
  const made = { ...trade, execRefID: '', quantity: detail.lastQty, pricePaise: detail.lastPxPaise };
  if (detail.type === EventType.OrderFilled) return [made];
  const { execRefID, undone } = detail;
  const takenBack = { ...trade, execRefID, quantity: undone.lastQty, pricePaise: undone.lastPxPaise };
  return detail.type === EventType.TradeBusted ? [takenBack] : [takenBack, made];
}
