import { CxlRejReason, OrdRejReason } from '../fix/generated/fix-enums.gen.ts';

/**
 * Why the exchange refuses an order or a change to one; 0 is no refusal. Checks run in this order and the first that fails is the answer.
 * OrdRejReason(103) and CxlRejReason(102) are FIX 4.4's.
 */
export const RejectCode = {
  None: 0,
  UnknownSymbol: 1,
  NotTradable: 2,
  MarketClosed: 3,
  Halted: 4,
  UnknownOrder: 5,
  TooLate: 6,
  DuplicateClOrdID: 7,
  UnsupportedSide: 8,
  UnsupportedOrdType: 9,
  UnsupportedTimeInForce: 10,
  InvalidQuantity: 11,
  FreezeQuantity: 12,
  LotSize: 13,
  InvalidPrice: 14,
  TickSize: 15,
  PriceBand: 16,
  BelowExecuted: 17,
  ExchangeFull: 18,
  ReplayOnly: 19,
} as const;
export type RejectCode = (typeof RejectCode)[keyof typeof RejectCode];

export interface RejectRule {
  readonly ordRejReason: OrdRejReason;
  readonly cxlRejReason: CxlRejReason;
  /** Text(58). */
  readonly text: string;
}

export const REJECT_RULES: Readonly<Record<RejectCode, RejectRule>> = {
  [RejectCode.None]: rule(OrdRejReason.Other, CxlRejReason.Other, 'accepted'),
  [RejectCode.UnknownSymbol]: rule(OrdRejReason.UnknownSymbol, CxlRejReason.Other, 'Symbol(55) is not listed'),
  [RejectCode.NotTradable]: rule(
    OrdRejReason.UnsupportedOrderCharacteristic,
    CxlRejReason.Other,
    'an index is not traded',
  ),
  [RejectCode.MarketClosed]: rule(OrdRejReason.ExchangeClosed, CxlRejReason.Broker, 'the market is closed'),
  [RejectCode.Halted]: rule(OrdRejReason.ExchangeClosed, CxlRejReason.Broker, 'trading is halted'),
  [RejectCode.UnknownOrder]: rule(
    OrdRejReason.UnknownOrder,
    CxlRejReason.UnknownOrder,
    'no order has this OrigClOrdID(41)',
  ),
  [RejectCode.TooLate]: rule(OrdRejReason.TooLateToEnter, CxlRejReason.TooLateToCancel, 'the order is already done'),
  [RejectCode.DuplicateClOrdID]: rule(
    OrdRejReason.DuplicateOrder,
    CxlRejReason.DuplicateClOrdID,
    'ClOrdID(11) was used before',
  ),
  [RejectCode.UnsupportedSide]: rule(
    OrdRejReason.UnsupportedOrderCharacteristic,
    CxlRejReason.Other,
    'Side(54) must be 1 (buy) or 2 (sell), and stays that of the order',
  ),
  [RejectCode.UnsupportedOrdType]: rule(
    OrdRejReason.UnsupportedOrderCharacteristic,
    CxlRejReason.Broker,
    'OrdType(40) must be 1 (market) or 2 (limit); a replaced order stays a limit order',
  ),
  [RejectCode.UnsupportedTimeInForce]: rule(
    OrdRejReason.UnsupportedOrderCharacteristic,
    CxlRejReason.Broker,
    'TimeInForce(59) must be 0 (day), 3 (IOC) or 4 (FOK); a replaced order stays a day order',
  ),
  [RejectCode.InvalidQuantity]: rule(
    OrdRejReason.IncorrectQuantity,
    CxlRejReason.Broker,
    'OrderQty(38) must be above 0',
  ),
  [RejectCode.FreezeQuantity]: rule(
    OrdRejReason.OrderExceedsLimit,
    CxlRejReason.Broker,
    'OrderQty(38) is above the freeze quantity',
  ),
  [RejectCode.LotSize]: rule(
    OrdRejReason.IncorrectQuantity,
    CxlRejReason.Broker,
    'OrderQty(38) is not a multiple of the lot size',
  ),
  [RejectCode.InvalidPrice]: rule(
    OrdRejReason.Other,
    CxlRejReason.Broker,
    'Price(44) of a limit order must be above 0',
  ),
  [RejectCode.TickSize]: rule(OrdRejReason.Other, CxlRejReason.Broker, 'Price(44) is not a multiple of the tick size'),
  [RejectCode.PriceBand]: rule(
    OrdRejReason.OrderExceedsLimit,
    CxlRejReason.Broker,
    'Price(44) is outside the price band',
  ),
  [RejectCode.BelowExecuted]: rule(
    OrdRejReason.IncorrectQuantity,
    CxlRejReason.Broker,
    'OrderQty(38) is not above what is executed',
  ),
  [RejectCode.ExchangeFull]: rule(
    OrdRejReason.Broker,
    CxlRejReason.Broker,
    'the exchange holds as many orders as it can',
  ),
  [RejectCode.ReplayOnly]: rule(
    OrdRejReason.Broker,
    CxlRejReason.Broker,
    'a recording is being replayed: this venue takes no orders',
  ),
};

function rule(ordRejReason: OrdRejReason, cxlRejReason: CxlRejReason, text: string): RejectRule {
  return { ordRejReason, cxlRejReason, text };
}
