import type { LedgerEvent } from '../core/ledger/ledger-event.ts';
import { EventType } from '../core/ledger/ledger-event.ts';
import type { LoadedAccount } from '../core/orders/order-books.ts';
import { firstOrderIDAt } from '../core/orders/order-ids.ts';
import type { CommittedState } from '../core/orders/order-service-parts.ts';
import { OPEN_FROM } from './ledger-load.ts';
import type { ShardClaim } from './ledger-postgres.ts';
import type { LedgerReader } from './ledger-reader.ts';
import { EVENT_COLUMNS, eventOf } from './ledger-rows.ts';

const MICROS_A_DAY = 86_400_000_000;
/** Asia/Kolkata, all year. */
const INDIA_OFFSET_MICROS = 19_800_000_000;
const EXECUTIONS = [EventType.OrderFilled, EventType.TradeBusted, EventType.TradeCorrected].join(',');

/** The midnight in India before `nowMicros`: orders that ended before it are not kept in memory. */
export function midnightMicros(nowMicros: number): number {
  return nowMicros - ((nowMicros + INDIA_OFFSET_MICROS) % MICROS_A_DAY);
}

/** All that the order service begins with. Nobody else may write: the shard is claimed. */
export async function loadCommittedState(
  reader: LedgerReader,
  { lastBatchId }: ShardClaim,
  nowMicros: number,
): Promise<CommittedState> {
  const accounts = await loadAccounts(reader, undefined, nowMicros);
  const sessions = await reader.sessions();
  return { accounts, sessions, lastOrderID: await lastOrderID(reader), lastBatchId };
}

/** Accounts as they are committed, with the executions of the orders in them. */
export async function loadAccounts(
  reader: LedgerReader,
  userIds: readonly number[] | undefined,
  nowMicros: number,
): Promise<LoadedAccount[]> {
  const sinceOrderID = firstOrderIDAt(midnightMicros(nowMicros));
  const accounts = await reader.loadAccounts({ sinceOrderID, ...(userIds === undefined ? {} : { userIds }) });
  const executions = await loadExecutions(reader, userIds, sinceOrderID);
  return accounts.map((account) => ({ account, executions: executions.get(account.userId) ?? [] }));
}

/** The executions of orders that are open or of the day, by user, in their order. A trade names the event that made it, and has an index for it. */
async function loadExecutions(
  reader: LedgerReader,
  userIds: readonly number[] | undefined,
  sinceOrderID: number,
): Promise<Map<number, LedgerEvent[]>> {
  const users = userIds === undefined ? '' : 'AND o.user_id = ANY ($1)';
  const columns = EVENT_COLUMNS.split(', ')
    .map((column) => `e.${column}`)
    .join(', ');
  const since = Math.floor(sinceOrderID);
  const sql = `SELECT ${columns} FROM outcry.ledger_events e WHERE e.event_type IN (${EXECUTIONS}) AND (e.user_id, e.seq) IN (
    SELECT t.user_id, t.seq FROM outcry.trades t JOIN outcry.orders o ON o.order_id = t.order_id AND o.user_id = t.user_id
    WHERE o.order_id >= least(${since}, ${OPEN_FROM}) AND (o.status < 5 OR o.order_id >= ${since}) ${users}) ORDER BY e.user_id, e.seq`;
  const byUser = new Map<number, LedgerEvent[]>();
  await reader.snapshot(async (read) => {
    for await (const row of read(sql, userIds === undefined ? [] : [`{${userIds.join(',')}}`])) {
      const event = eventOf(row);
      const events = byUser.get(event.userId);
      if (events === undefined) byUser.set(event.userId, [event]);
      else events.push(event);
    }
  });
  return byUser;
}

async function lastOrderID(reader: LedgerReader): Promise<number> {
  return reader.snapshot(async (read) => {
    for await (const [orderID] of read('SELECT coalesce(max(order_id), 0) FROM outcry.orders'))
      return orderID as number;
    return 0;
  });
}
