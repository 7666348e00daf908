import { type Account, newAccount, positionKey } from '../core/ledger/account.ts';
import { withExecution } from '../core/ledger/note-due.ts';
import {
  eventBy,
  eventOf,
  FUNDS_COLUMNS,
  fundsOf,
  HOLDING_COLUMNS,
  holdingOf,
  ORDER_COLUMNS,
  orderOf,
  POSITION_COLUMNS,
  positionOf,
  type Row,
  userIdOf,
} from './ledger-rows.ts';

/** Rows of a query in one snapshot of the database, fetched in pieces. */
export type SnapshotRead = (sql: string, values?: readonly unknown[]) => AsyncGenerator<Row>;

export interface LoadOptions {
  /** Of these users; all when not given. */
  readonly userIds?: readonly number[];
  /** Orders that have ended are loaded from this OrderID on: the first one that there can be of the day. */
  readonly sinceOrderID: number;
}

/** Orders with a smaller id have ended: commit_batch sees to it. */
export const OPEN_FROM = '(SELECT coalesce(min(open_from), 0) FROM outcry.shard_owners)';

/** Accounts as their tables have them. */
export async function loadAccounts(read: SnapshotRead, { userIds, sinceOrderID }: LoadOptions): Promise<Account[]> {
  const accounts = new Map<number, Account>();
  const of = (row: Row): Account => accounts.get(userIdOf(row))!;
  const users = userIds === undefined ? '' : 'AND user_id = ANY ($1)';
  const values = userIds === undefined ? [] : [userIds];
  const each = async (sql: string, visit: (row: Row) => void): Promise<void> => {
    for await (const row of read(sql, values)) visit(row);
  };
  await each(`SELECT ${FUNDS_COLUMNS} FROM outcry.accounts WHERE true ${users} ORDER BY user_id`, (row) => {
    const { userId, totalValuePaise: _, ...funds } = fundsOf(row);
    accounts.set(userId, { ...newAccount(userId), ...funds });
  });
  await each(`SELECT ${POSITION_COLUMNS} FROM outcry.positions WHERE true ${users}`, (row) => {
    const position = positionOf(row);
    of(row).positions.set(positionKey(position.instrumentId, position.product), position);
  });
  await each(`SELECT ${HOLDING_COLUMNS} FROM outcry.holdings WHERE true ${users}`, (row) => {
    const holding = holdingOf(row);
    of(row).holdings.set(holding.instrumentId, holding);
  });
  await each(
    `SELECT user_id, reference, seq FROM outcry.ledger_events WHERE reference IS NOT NULL ${users} ORDER BY user_id, seq`,
    ([userId, reference, seq]) =>
      void accounts.get(userId as number)!.references.set(reference as string, seq as number),
  );
  await each(executionsSinceNote(users), (row) => {
    const account = of(row);
    const { detail } = eventOf(row);
    if ('execID' in detail) account.noteDue = withExecution(account.noteDue, detail);
  });
  const since = Math.floor(sinceOrderID);
  for (const which of [`status < 5 AND order_id >= ${OPEN_FROM} AND order_id < ${since}`, `order_id >= ${since}`]) {
    await each(`SELECT ${ORDER_COLUMNS} FROM outcry.orders WHERE ${which} ${users} ORDER BY order_id`, (row) => {
      const order = orderOf(row);
      const account = of(row);
      account.orders.set(order.orderID, order);
      if (order.clientOrderID !== '') account.clientOrders.set(order.clientOrderID, order.orderID);
    });
  }
  return [...accounts.values()];
}

/** Events of executions that no contract note has. */
function executionsSinceNote(users: string): string {
  return `SELECT e.* FROM (SELECT user_id AS of_user FROM outcry.accounts WHERE true ${users}) AS a
    CROSS JOIN LATERAL (
      SELECT coalesce(max(seq), 0) AS note_seq FROM outcry.ledger_events WHERE user_id = of_user AND event_type = 31
    ) AS note
    CROSS JOIN LATERAL (SELECT DISTINCT seq AS of_seq FROM outcry.trades WHERE user_id = of_user AND seq > note_seq) AS t
    CROSS JOIN LATERAL (${eventBy('of_user', 'of_seq')}) AS e ORDER BY of_user, of_seq`;
}
