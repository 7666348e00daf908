// hot: looked up per decision, kept up per event. No key of text, nothing allocated but for an instrument that is new to the account.
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

/**
 * Derived from an account's orders and positions when first asked for, and kept up by `applyEvent` from then on. Beside the account, not in it: it is
 * stored nowhere and compared with nothing.
 */
const exposures = new WeakMap<Account, Map<number, InstrumentExposure>>();

/** Null when the account has neither position nor order in the instrument. */
export function exposureOf(account: Account, instrumentId: number): InstrumentExposure | null {
  return (exposures.get(account) ?? derive(account)).get(instrumentId) ?? null;
}

/**
 * Units that an order of this side can count on to close a position: the open ones of the other side that no other order counts on; `ownQty` are those that it counts
 * on already. A CNC purchase is paid in full whatever it does, and a CNC sale never opens anything.
 */
export function closableQty(
  account: Account,
  { instrumentId, product, side }: Pick<Order, 'instrumentId' | 'product' | 'side'>,
  ownQty: number,
): number {
  const isBuy = side === OrderSide.Buy;
  if (product === Product.CNC) return isBuy ? 0 : Number.POSITIVE_INFINITY;
  const exposure = exposureOf(account, instrumentId)?.[product - 1];
  if (exposure === undefined) return 0;
  const quantity = exposure.position?.quantity ?? 0;
  const claimedQty = (isBuy ? exposure.closingBuyQty : exposure.closingSellQty) - ownQty;
  return Math.max(0, (isBuy ? -quantity : quantity) - claimedQty);
}

/** Takes an order's share out before it changes, and puts it in again after. */
export function countOrder(account: Account, order: Order, sign: 1 | -1): void {
  const byInstrument = exposures.get(account);
  if (byInstrument !== undefined) addOrder(byInstrument, order, sign);
}

export function countPosition(account: Account, position: Position): void {
  const byInstrument = exposures.get(account);
  if (byInstrument !== undefined) entry(byInstrument, position.instrumentId, position.product).position = position;
}

function derive(account: Account): Map<number, InstrumentExposure> {
  const byInstrument = new Map<number, InstrumentExposure>();
  for (const position of account.positions.values())
    entry(byInstrument, position.instrumentId, position.product).position = position;
  for (const order of account.orders.values()) addOrder(byInstrument, order, 1);
  exposures.set(account, byInstrument);
  return byInstrument;
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
