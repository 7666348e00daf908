import { copyHolding, copyPosition, newAccount } from '../ledger/account.ts';
import { NO_NOTE_DUE } from '../ledger/note-due.ts';
import { copyOrder } from '../ledger/order.ts';
import type { LoadedAccount } from '../orders/order-books.ts';
import type { ModelTables } from './model-tables.ts';

/** Accounts as an engine gets them from the tables: from their rows, not from their events. A simulated day is all that there is, so nothing is left out as too old. */
export function loadAccount(tables: ModelTables, userId: number): LoadedAccount | undefined {
  const row = tables.accounts.get(userId);
  if (row === undefined) return undefined;
  const { availablePaise, heldPaise, marginPaise, frozenReason } = row;
  const account = newAccount(userId);
  account.seq = row.lastSeq;
  account.availablePaise = availablePaise;
  account.heldPaise = heldPaise;
  account.marginPaise = marginPaise;
  account.frozenReason = frozenReason;
  account.noteDue = tables.noteDueOf.get(userId) ?? NO_NOTE_DUE;
  for (const orderID of tables.ordersOf.get(userId) ?? []) {
    const order = copyOrder(tables.orders.get(orderID)!);
    account.orders.set(orderID, order);
    if (order.clientOrderID !== '') account.clientOrders.set(order.clientOrderID, orderID);
  }
  for (const [reference, seq] of tables.referencesOf.get(userId) ?? []) account.references.set(reference, seq);
  for (const [key, position] of tables.positions.get(userId) ?? []) account.positions.set(key, copyPosition(position));
  for (const [key, holding] of tables.holdings.get(userId) ?? []) account.holdings.set(key, copyHolding(holding));
  return { account, executions: tables.executionsOf.get(userId) ?? [] };
}
