import { OrderSide, OrderStatus, OrderType, Product, Validity } from '../ledger/order.ts';

/** What clients call the values of an order. `SL` is a stop-limit order and `SL-M` a stop-market one, as Indian brokers have it. */

export const SIDES = { BUY: OrderSide.Buy, SELL: OrderSide.Sell } as const;
export const PRODUCTS = { CNC: Product.CNC, MIS: Product.MIS, NRML: Product.NRML } as const;
export const VALIDITIES = { DAY: Validity.DAY, IOC: Validity.IOC } as const;
export const ORDER_TYPES = {
  MARKET: OrderType.Market,
  LIMIT: OrderType.Limit,
  SL: OrderType.StopLimit,
  'SL-M': OrderType.StopMarket,
} as const;
export const STATUSES = {
  PENDING: OrderStatus.Pending,
  TRIGGER_PENDING: OrderStatus.TriggerPending,
  OPEN: OrderStatus.Open,
  PARTIALLY_FILLED: OrderStatus.PartiallyFilled,
  FILLED: OrderStatus.Filled,
  CANCELED: OrderStatus.Canceled,
  REJECTED: OrderStatus.Rejected,
  EXPIRED: OrderStatus.Expired,
} as const;

export type SideName = keyof typeof SIDES;
export type ProductName = keyof typeof PRODUCTS;
export type ValidityName = keyof typeof VALIDITIES;
export type OrderTypeName = keyof typeof ORDER_TYPES;
export type StatusName = keyof typeof STATUSES;

export const sideName = nameIn(SIDES);
export const productName = nameIn(PRODUCTS);
export const validityName = nameIn(VALIDITIES);
export const orderTypeName = nameIn(ORDER_TYPES);
export const statusName = nameIn(STATUSES);

/** The way back. */
function nameIn<N extends string, V extends number>(values: Readonly<Record<N, V>>): (value: V) => N {
  const names: N[] = [];
  for (const [name, value] of Object.entries(values) as [N, V][]) names[value] = name;
  return (value) => names[value] as N;
}
