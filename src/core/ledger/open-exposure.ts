// hot: looked up per decision, kept up per event. No key of text; nothing allocated but for an instrument that is new to the account.
import type { Account, Position } from './account.ts';
import { isTerminal, type Order, OrderSide, Product } from './order.ts';
import { closingQty, maxLeavesQty } from './order-hold.ts';

/** An account's position in an instrument and product, and what its open orders may still do to it. */
export interface ProductExposure {
  position: Position | null;
  /** Units that open purchases may still buy, and open sales sell. */
  openBuyQty: number;
  openSellQty: number;
  /** Of them, units that close a position: no other order may count on it. */
  closingBuyQty: number;
  closingSellQty: number;
}

/** By product, at its number − 1. */
export type InstrumentExposure = readonly [ProductExposure, ProductExposure, ProductExposure];

interface Derived {
  readonly byInstrument: Map<number, InstrumentExposure>;
  /** NaN when a position or holding changed since it was reckoned. */
  sharesPaise: number;
}

/**
 * Derived from an account's orders and positions when first asked for, and kept up by `applyEvent` from then on. Beside the account, not in it: it is
 * stored nowhere and compared with nothing.
 */
const derivedOf = new WeakMap<Account, Derived>();

/** Null when the account has neither position nor order in the instrument. */
export function exposureOf(account: Account, instrumentId: number): InstrumentExposure | null {
  return (derivedOf.get(account) ?? derive(account)).byInstrument.get(instrumentId) ?? null;
}

/** What holdings and positions are worth at their marks. A margined position was not paid for: only its gain or loss is its holder's. */
export function sharesPaise(account: Account): number {
  const derived = derivedOf.get(account) ?? derive(account);
  if (Number.isNaN(derived.sharesPaise)) {
    let paise = 0;
    for (const { quantity, markPaise } of account.holdings.values()) paise += quantity * markPaise;
    for (const { product, quantity, markPaise, openValuePaise } of account.positions.values())
      paise += quantity * markPaise - (product === Product.CNC ? 0 : openValuePaise);
    derived.sharesPaise = paise;
  }
  return derived.sharesPaise;
}

/**
 * Units that an order of this side can count on to close a position: the open ones of the other side that no other order counts on; `ownQty` are those that it counts
 * on already. A CNC purchase is paid in full whatever it does, and a CNC sale never opens anything.
 */
export function closableQty(
  instrument: InstrumentExposure | null,
  { product, side }: Pick<Order, 'product' | 'side'>,
  ownQty: number,
): number {
  const isBuy = side === OrderSide.Buy;
  if (product === Product.CNC) return isBuy ? 0 : Number.POSITIVE_INFINITY;
  if (instrument === null) return 0;
  const exposure = instrument[product - 1]!;
  const quantity = exposure.position?.quantity ?? 0;
  const claimedQty = (isBuy ? exposure.closingBuyQty : exposure.closingSellQty) - ownQty;
  return Math.max(0, (isBuy ? -quantity : quantity) - claimedQty);
}

/** Units that the open orders of a side count on to close beyond those that are open. CNC orders count on none. */
export function overclaimedQty(instrument: InstrumentExposure | null, product: Product, side: OrderSide): number {
  if (instrument === null || product === Product.CNC) return 0;
  const { position, closingBuyQty, closingSellQty } = instrument[product - 1]!;
  const quantity = position?.quantity ?? 0;
  return side === OrderSide.Buy ? closingBuyQty - Math.max(0, -quantity) : closingSellQty - Math.max(0, quantity);
}

/** Takes an order's share out before it changes, and puts it in again after. */
export function countOrder(account: Account, order: Order, sign: 1 | -1): void {
  const derived = derivedOf.get(account);
  if (derived !== undefined) addOrder(derived.byInstrument, order, sign);
}

/** A position was made, or it or its holding changed. */
export function countPosition(account: Account, position: Position): void {
  const derived = derivedOf.get(account);
  if (derived === undefined) return;
  entry(derived.byInstrument, position.instrumentId, position.product).position = position;
  derived.sharesPaise = Number.NaN;
}

function derive(account: Account): Derived {
  const derived = { byInstrument: new Map<number, InstrumentExposure>(), sharesPaise: Number.NaN };
  for (const position of account.positions.values())
    entry(derived.byInstrument, position.instrumentId, position.product).position = position;
  for (const order of account.orders.values()) addOrder(derived.byInstrument, order, 1);
  derivedOf.set(account, derived);
  return derived;
}

function addOrder(byInstrument: Map<number, InstrumentExposure>, order: Order, sign: 1 | -1): void {
  if (isTerminal(order.status)) return;
  const exposure = entry(byInstrument, order.instrumentId, order.product);
  if (order.side === OrderSide.Buy) {
    exposure.openBuyQty += sign * maxLeavesQty(order);
    exposure.closingBuyQty += sign * closingQty(order);
  } else {
    exposure.openSellQty += sign * maxLeavesQty(order);
    exposure.closingSellQty += sign * closingQty(order);
  }
}

function entry(byInstrument: Map<number, InstrumentExposure>, instrumentId: number, product: Product): ProductExposure {
  let exposure = byInstrument.get(instrumentId);
  if (exposure === undefined) {
    exposure = [none(), none(), none()];
    byInstrument.set(instrumentId, exposure);
  }
  return exposure[product - 1]!;
}

function none(): ProductExposure {
  return { position: null, openBuyQty: 0, openSellQty: 0, closingBuyQty: 0, closingSellQty: 0 };
}
