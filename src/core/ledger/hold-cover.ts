// hot: asked after every event of an order; nothing allocated but for the event that it makes.
import { assert } from '../assert.ts';
import type { Account } from './account.ts';
import type { LedgerEvent } from './ledger-event.ts';
import type { MoneyRules } from './money-rules.ts';
import { exposureOf, overclaimedQty } from './open-exposure.ts';
import { isTerminal, type Order, OrderSide, type Product } from './order.ts';
import { holdRaised } from './order-events.ts';
import { closingQty, isHeldFor } from './order-hold.ts';

const SIDES = [OrderSide.Buy, OrderSide.Sell];

/**
 * The next event that makes the holds of the orders in a position cover them again; null when they do. An order that counts on closing it can be overtaken by another that
 * closes it first, or what it would close is taken back: then it would open a position that nothing is held for. The oldest order keeps what it counts on, the newest
 * loses it first, and an order of the square-off last of all: it closes the position whatever its user has resting. It follows from what happened, so it is posted whatever is free. No hold is lowered: who holds more than it needs gets it back as it ends.
 */
export function nextHoldRaised(
  rules: MoneyRules,
  account: Account,
  instrumentId: number,
  product: Product,
  tsMicros: number,
): LedgerEvent | null {
  const instrument = exposureOf(account, instrumentId);
  for (const side of SIDES) {
    const excessQty = overclaimedQty(instrument, product, side);
    if (excessQty <= 0) continue;
    const order = lastClaimant(account, instrumentId, product, side);
    return holdRaised(rules, account, order, Math.max(0, closingQty(order) - excessQty), tsMicros);
  }
  return null;
}

function lastClaimant(account: Account, instrumentId: number, product: Product, side: OrderSide): Order {
  let last: Order | undefined;
  for (const order of account.orders.values()) {
    const isOther = order.instrumentId !== instrumentId || order.product !== product || order.side !== side;
    if (isOther || isTerminal(order.status) || closingQty(order) <= 0) continue;
    if (last === undefined || isBehind(order, last)) last = order;
  }
  assert(last !== undefined, `user ${account.userId} has no order that closes a position in ${instrumentId}`);
  return last;
}

function isBehind(order: Order, other: Order): boolean {
  return isHeldFor(order) === isHeldFor(other) ? order.orderID > other.orderID : isHeldFor(order);
}
