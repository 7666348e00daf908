import { copyHolding, copyPosition, newAccount } from '../ledger/account.ts';
import type { LedgerEvent } from '../ledger/ledger-event.ts';
import { copyOrder } from '../ledger/order.ts';
import type { LoadedAccount } from '../orders/order-books.ts';
import { isExecution } from './event-audit.ts';
import { referenceOf } from './model-database.ts';
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
  const executions: LedgerEvent[] = [];
  for (const event of tables.events.get(userId) ?? []) {
    const order = event.orderID === 0 ? undefined : tables.orders.get(event.orderID);
    if (order !== undefined && !account.orders.has(order.orderID)) {
      account.orders.set(order.orderID, copyOrder(order));
      if (order.clientOrderID !== '') account.clientOrders.set(order.clientOrderID, order.orderID);
    }
    if (isExecution(event.detail)) executions.push(event);
    const reference = referenceOf(event);
    if (reference !== '') account.references.set(reference, event.seq);
  }
  for (const [key, position] of tables.positions.get(userId) ?? []) account.positions.set(key, copyPosition(position));
  for (const [key, holding] of tables.holdings.get(userId) ?? []) account.holdings.set(key, copyHolding(holding));
  return { account, executions };
}
