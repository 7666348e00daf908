import { assert } from '../assert.ts';
import type { Account } from './account.ts';
import { isTerminal, type Order } from './order.ts';

/**
 * Which ended orders memory keeps is no event and changes no amount: the database has them all.
 */

/** Lets go of orders that ended and have not changed since `beforeMicros`. */
export function forgetEndedOrders(account: Account, beforeMicros: number): void {
  for (const order of account.orders.values()) {
    if (!isTerminal(order.status) || order.updatedMicros >= beforeMicros) continue;
    account.orders.delete(order.orderID);
    if (order.clientOrderID !== '') account.clientOrders.delete(order.clientOrderID);
  }
}

/** Takes an ended order in again, since a bust, a correction or a late fill of it has come. */
export function recallOrder(account: Account, order: Order): void {
  assert(
    isTerminal(order.status) && order.userId === account.userId,
    `order ${order.orderID} is not an ended one of his`,
  );
  assert(!account.orders.has(order.orderID), `order ${order.orderID} was not forgotten`);
  account.orders.set(order.orderID, order);
  if (order.clientOrderID !== '') account.clientOrders.set(order.clientOrderID, order.orderID);
}
