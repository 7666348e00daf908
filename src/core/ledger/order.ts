/**
 * An order of ours, from the way in to its last report. Numbers of enumerations are those of the database columns and never change their meaning.
 * Prices are integer paise, quantities integers, times epoch microseconds.
 */

export const OrderSide = { Buy: 1, Sell: 2 } as const;
export type OrderSide = (typeof OrderSide)[keyof typeof OrderSide];

/** `StopLimit` is a trader's SL, `StopMarket` SL-M: both wait here until the trigger price trades, and go to the venue as Limit or Market. */
export const OrderType = { Market: 1, Limit: 2, StopLimit: 3, StopMarket: 4 } as const;
export type OrderType = (typeof OrderType)[keyof typeof OrderType];

/** It waits here for its trigger price. */
export function isStop(ordType: OrderType): boolean {
  return ordType === OrderType.StopLimit || ordType === OrderType.StopMarket;
}

/** It has a limit price. */
export function isPriced(ordType: OrderType): boolean {
  return ordType === OrderType.Limit || ordType === OrderType.StopLimit;
}

/** `CNC`: delivery, paid in full. `MIS`: intraday, on margin, squared off before the close. `NRML`: carried over, margined in full. */
export const Product = { CNC: 1, MIS: 2, NRML: 3 } as const;
export type Product = (typeof Product)[keyof typeof Product];

export const Validity = { DAY: 1, IOC: 2 } as const;
export type Validity = (typeof Validity)[keyof typeof Validity];

export const OrderStatus = {
  /** Durable here; the venue has not confirmed it yet. */
  Pending: 1,
  /** A stop order whose trigger price has not traded. */
  TriggerPending: 2,
  /** At the venue, unfilled. */
  Open: 3,
  PartiallyFilled: 4,
  Filled: 5,
  Canceled: 6,
  /** Refused by the venue, or provably never arrived there. */
  Rejected: 7,
  Expired: 8,
} as const;
export type OrderStatus = (typeof OrderStatus)[keyof typeof OrderStatus];

/** Nothing more is to come but busts, corrections and a late fill. */
export function isTerminal(status: OrderStatus): boolean {
  return status >= OrderStatus.Filled;
}

/** What an order asks for; a change replaces all of it. */
export interface OrderTerms {
  readonly quantity: number;
  readonly ordType: OrderType;
  /** Limit price; 0 for Market and StopMarket. */
  readonly pricePaise: number;
  /** Of stop orders; 0 for others. */
  readonly triggerPricePaise: number;
}

/** A request to the venue that has no answer yet: a replace, or a cancel when `terms` is null. */
export interface PendingChange {
  /** ClOrdID(11) is `clOrdIDOf(orderID, version)`. */
  readonly version: number;
  readonly terms: OrderTerms | null;
  /** What a unit of `terms` is held at; 0 for a cancel. The order's hold is the maximum over the terms in force and all of these. */
  readonly holdPricePaise: number;
}

/** An order as memory keeps it. Only `applyEvent` changes one. */
export interface Order {
  readonly orderID: number;
  readonly userId: number;
  readonly instrumentId: number;
  readonly side: OrderSide;
  readonly product: Product;
  readonly validity: Validity;
  /** Given by the client: placing with the same one again is the same order. '' for none. */
  readonly clientOrderID: string;
  readonly placedMicros: number;
  status: OrderStatus;
  terms: OrderTerms;
  /** Of the last request to the venue that was made for it; the order itself goes out as version 0. */
  version: number;
  /** By which the venue knows it: the version of the order, or of its last accepted replace. */
  venueVersion: number;
  /** OrderID(37), '' before the venue confirmed. */
  venueOrderID: string;
  pendingChanges: readonly PendingChange[];
  cumQty: number;
  /** Sum of LastPx × LastQty, paise. */
  cumValuePaise: number;
  /** Units that may open or enlarge a margined position and are held for; the units that close one fill first. CNC: 0 for sales, all for purchases. */
  exposureQty: number;
  /** What a unit of `terms` is held at: decided once, so that what is left of the order is held at the same price after each fill. */
  holdPricePaise: number;
  /** What is held for it now, charges included. */
  holdPaise: number;
  /** Brokerage charged so far: some tables cap it for the whole order. */
  brokeragePaise: number;
  /** Why it was refused; 0 for not at all. See ../refusal-codes.ts. */
  refusalCode: number;
  text: string;
  updatedMicros: number;
}

/** Field by field: copies of copies made by spreading each have a shape of their own, and everything that looks at orders becomes slow by it. */
export function copyOrder(order: Order): Order {
  return {
    orderID: order.orderID,
    userId: order.userId,
    instrumentId: order.instrumentId,
    side: order.side,
    product: order.product,
    validity: order.validity,
    clientOrderID: order.clientOrderID,
    placedMicros: order.placedMicros,
    status: order.status,
    terms: order.terms,
    version: order.version,
    venueVersion: order.venueVersion,
    venueOrderID: order.venueOrderID,
    pendingChanges: order.pendingChanges,
    cumQty: order.cumQty,
    cumValuePaise: order.cumValuePaise,
    exposureQty: order.exposureQty,
    holdPricePaise: order.holdPricePaise,
    holdPaise: order.holdPaise,
    brokeragePaise: order.brokeragePaise,
    refusalCode: order.refusalCode,
    text: order.text,
    updatedMicros: order.updatedMicros,
  };
}

/** ClOrdID(11) of a request: unique for ever, and it names its order without a table. */
export function clOrdIDOf(orderID: number, version: number): string {
  return `${orderID.toString(36).toUpperCase()}-${version}`;
}

const ORDER_ID_DIGITS_MAX = 11;
const VERSION_DIGITS_MAX = 6;
const DASH = 45;

/** The order that a ClOrdID of ours names, or undefined for a stranger's. */
export function parseClOrdID(clOrdID: string): { readonly orderID: number; readonly version: number } | undefined {
  let at = 0;
  let orderID = 0;
  for (; at < clOrdID.length && clOrdID.charCodeAt(at) !== DASH; at++) {
    const digit = digitOf(clOrdID.charCodeAt(at));
    if (digit < 0 || at === ORDER_ID_DIGITS_MAX) return undefined;
    orderID = orderID * 36 + digit;
  }
  const versionAt = at + 1;
  const versionDigits = clOrdID.length - versionAt;
  if (at === 0 || versionDigits < 1 || versionDigits > VERSION_DIGITS_MAX) return undefined;
  let version = 0;
  for (at = versionAt; at < clOrdID.length; at++) {
    const digit = digitOf(clOrdID.charCodeAt(at));
    if (digit < 0 || digit > 9) return undefined;
    version = version * 10 + digit;
  }
  return Number.isSafeInteger(orderID) ? { orderID, version } : undefined;
}

/** Of a digit to the base of 36; −1 for anything else. */
function digitOf(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  return code >= 65 && code <= 90 ? code - 55 : -1;
}
