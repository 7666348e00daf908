import { OrdType, Side, TimeInForce } from '../fix/generated/fix-enums.gen.ts';
import type { NewOrderSingle, OrderCancelReplaceRequest, OrderCancelRequest } from '../fix/order-messages.ts';
import { clOrdIDOf, type Order, OrderSide, type OrderTerms, OrderType, Validity } from '../ledger/order.ts';

/** An order of ours in the terms of FIX, and back. */

export function accountOf(userId: number): string {
  return String(userId);
}

export function sideOf(side: OrderSide): NewOrderSingle['side'] {
  return side === OrderSide.Buy ? Side.Buy : Side.Sell;
}

/** What the venue knows a type of order as: a stop order goes out when its price has traded, without the trigger. */
export function triggeredType(ordType: OrderType): OrderType {
  if (ordType === OrderType.StopLimit) return OrderType.Limit;
  return ordType === OrderType.StopMarket ? OrderType.Market : ordType;
}

export function newOrderSingle(order: Order, symbol: string, nowMicros: number): NewOrderSingle {
  return requestOf(clOrdIDOf(order.orderID, order.version), order, order.terms, symbol, nowMicros);
}

/** `version` is that of the request. */
export function cancelReplaceRequest(
  order: Order,
  version: number,
  terms: OrderTerms,
  symbol: string,
  nowMicros: number,
): OrderCancelReplaceRequest {
  const origClOrdID = clOrdIDOf(order.orderID, baseVersion(order, version));
  return { ...requestOf(clOrdIDOf(order.orderID, version), order, terms, symbol, nowMicros), origClOrdID };
}

export function cancelRequest(order: Order, version: number, symbol: string, nowMicros: number): OrderCancelRequest {
  return {
    clOrdID: clOrdIDOf(order.orderID, version),
    origClOrdID: clOrdIDOf(order.orderID, baseVersion(order, version)),
    symbol,
    side: sideOf(order.side),
    orderQty: order.terms.quantity,
    transactTimeMicros: nowMicros,
  };
}

/** A request names the one before it: the last replace that is unanswered, or what the venue knows the order by. */
function baseVersion(order: Order, version: number): number {
  let base = order.venueVersion;
  for (const pending of order.pendingChanges)
    if (pending.terms !== null && pending.version < version) base = pending.version;
  return base;
}

function requestOf(
  clOrdID: string,
  { userId, side, validity }: Order,
  { quantity, ordType, pricePaise }: OrderTerms,
  symbol: string,
  nowMicros: number,
): NewOrderSingle {
  return {
    clOrdID,
    account: accountOf(userId),
    symbol,
    side: sideOf(side),
    orderQty: quantity,
    ordType: triggeredType(ordType) === OrderType.Limit ? OrdType.Limit : OrdType.Market,
    pricePaise,
    timeInForce: validity === Validity.IOC ? TimeInForce.ImmediateOrCancel : TimeInForce.Day,
    transactTimeMicros: nowMicros,
  };
}
