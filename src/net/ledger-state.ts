import type { Account } from '../core/ledger/account.ts';
import type { LedgerEvent } from '../core/ledger/ledger-event.ts';
import type { LoadedAccount, LoadedOrder } from '../core/orders/order-books.ts';
import type { WantedOrder } from '../core/orders/order-effects.ts';
import { firstOrderIDAt } from '../core/orders/order-ids.ts';
import type { CommittedState } from '../core/orders/order-service-parts.ts';
import type { SnapshotRead } from './ledger-load.ts';
import type { ShardClaim } from './ledger-postgres.ts';
import type { LedgerReader } from './ledger-reader.ts';
import { eventBy, eventOf } from './ledger-rows.ts';

const EXECUTIONS_SINCE = `SELECT e.* FROM unnest($1::bigint[], $2::bigint[]) AS u (of_user, since_micros)
  CROSS JOIN LATERAL (
    SELECT coalesce(max(seq), 0) AS old_seq FROM outcry.trades WHERE user_id = u.of_user AND ts_micros < u.since_micros
  ) AS old
  CROSS JOIN LATERAL (SELECT DISTINCT seq AS of_seq FROM outcry.trades WHERE user_id = u.of_user AND seq > old_seq) AS t
  CROSS JOIN LATERAL (${eventBy('u.of_user', 't.of_seq')}) AS e ORDER BY u.of_user, t.of_seq`;

/** All that the order service begins with: of orders those that are open, and those since the trading day began. Nobody else may write: the shard is claimed. */
export async function loadCommittedState(
  reader: LedgerReader,
  { lastBatchId }: ShardClaim,
  dayMicros: number,
): Promise<CommittedState> {
  const accounts = await loadAccounts(reader, undefined, dayMicros);
  const sessions = await reader.sessions();
  return { accounts, sessions, lastOrderID: await lastOrderID(reader), lastBatchId };
}

/** Accounts as they are committed, with the executions of the orders in them. */
export async function loadAccounts(
  reader: LedgerReader,
  userIds: readonly number[] | undefined,
  dayMicros: number,
): Promise<LoadedAccount[]> {
  const sinceOrderID = firstOrderIDAt(dayMicros);
  const accounts = await reader.loadAccounts({ sinceOrderID, ...(userIds === undefined ? {} : { userIds }) });
  const executions = await reader.snapshot((read) => loadExecutions(read, accounts));
  return accounts.map((account) => ({ account, executions: executions.get(account.userId) ?? [] }));
}

/** An order with its executions; null when there is none. */
export async function loadOrder(reader: LedgerReader, wanted: WantedOrder): Promise<LoadedOrder | null> {
  const order = await reader.findOrder(wanted);
  if (order === undefined) return null;
  const { userId, orderID } = order;
  const of = [{ userId, orders: new Map([[orderID, order]]) }];
  const executions = await reader.snapshot((read) => loadExecutions(read, of));
  return { order, executions: executions.get(userId) ?? [] };
}

/**
 * The executions of the orders in these accounts, by user, in their order. Of each user those are read that are not older than his oldest order here, however much he traded before:
 * trades have an index by user and event, and the events of a user are in the order of their times.
 */
export async function loadExecutions(
  read: SnapshotRead,
  accounts: readonly Pick<Account, 'userId' | 'orders'>[],
): Promise<Map<number, LedgerEvent[]>> {
  const ordersOf = new Map(
    accounts.filter(({ orders }) => orders.size > 0).map(({ userId, orders }) => [userId, orders]),
  );
  const sinceMicros = [...ordersOf.values()].map((orders) => {
    let first = Number.POSITIVE_INFINITY;
    for (const { placedMicros } of orders.values()) first = Math.min(first, placedMicros);
    return first;
  });
  const byUser = new Map<number, LedgerEvent[]>();
  for await (const row of read(EXECUTIONS_SINCE, [`{${[...ordersOf.keys()]}}`, `{${sinceMicros}}`])) {
    const event = eventOf(row);
    if (!ordersOf.get(event.userId)!.has(event.orderID)) continue;
    const events = byUser.get(event.userId);
    if (events === undefined) byUser.set(event.userId, [event]);
    else events.push(event);
  }
  return byUser;
}

async function lastOrderID(reader: LedgerReader): Promise<number> {
  return reader.snapshot(async (read) => {
    for await (const [orderID] of read('SELECT coalesce(max(order_id), 0) FROM outcry.orders'))
      return orderID as number;
    return 0;
  });
}
