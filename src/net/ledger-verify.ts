import { AssertionError } from '../core/assert.ts';
import { type Account, newAccount } from '../core/ledger/account.ts';
import { parseAccount, renderAccount } from '../core/ledger/account-snapshot.ts';
import { applyEvent } from '../core/ledger/apply-event.ts';
import { batchRows } from '../core/ledger/batch-rows.ts';
import type { TradeRow } from '../core/ledger/ledger-batch.ts';
import { EventType, type LedgerEvent } from '../core/ledger/ledger-event.ts';
import { accountDifferences, type LedgerDifference } from '../core/ledger/ledger-verify.ts';
import { type AuditFinding, auditLedger } from './ledger-audit.ts';
import { loadAccounts, type SnapshotRead } from './ledger-load.ts';
import type { LedgerReader } from './ledger-reader.ts';
import { EVENT_COLUMNS, eventOf, FUNDS_COLUMNS, fundsOf, TRADE_COLUMNS, tradeOf, userIdOf } from './ledger-rows.ts';

export interface LedgerReport {
  readonly accounts: number;
  readonly events: number;
  readonly orders: number;
  readonly trades: number;
  readonly snapshots: number;
  /** Of replay and tables; the first ones. */
  readonly differences: readonly LedgerDifference[];
  /** Of the sums in SQL. */
  readonly findings: readonly AuditFinding[];
  readonly isClean: boolean;
}

/** Accounts that are in memory at once. */
const ACCOUNTS_AT_ONCE = 500;
const DIFFERENCES_TOLD = 100;

/** Replays all events and holds the tables and the snapshots to them, then sums everything in SQL; all as it is at one moment, also while the engine writes. */
export function verifyLedger(reader: LedgerReader): Promise<LedgerReport> {
  return reader.snapshot(async (read) => {
    const counts = { accounts: 0, events: 0, orders: 0, trades: 0, snapshots: 0 };
    const differences: LedgerDifference[] = [];
    for (const users of await userChunks(read, 'events-and-accounts')) {
      const stored = await storedAccounts(read, users);
      const snapshots = await snapshotsOf(read, users);
      for await (const { account, trades, damage, events } of replayAccounts(read, users, snapshots)) {
        const { userId } = account;
        if (damage !== '') differences.push(difference(userId, 'events', damage, 'events that can be applied'));
        const there = stored.get(userId);
        if (there !== undefined) differences.push(...accountDifferences(account, trades, there));
        counts.accounts++;
        counts.events += events;
        counts.orders += account.orders.size;
        counts.trades += trades.length;
        stored.delete(userId);
      }
      for (const userId of stored.keys()) differences.push(difference(userId, 'account', 'there', 'no event'));
      counts.snapshots += snapshots.size;
      for (const [key, { difference: wrong }] of snapshots)
        if (wrong)
          differences.push(difference(Number(key.split(':')[0]), `snapshot ${key}`, 'otherwise', 'as replayed'));
    }
    const findings = await auditLedger(read);
    const isClean = differences.length === 0 && findings.length === 0;
    return { ...counts, differences: differences.slice(0, DIFFERENCES_TOLD), findings, isClean };
  });
}

export interface ReplayedAccount {
  readonly account: Account;
  readonly trades: readonly TradeRow[];
  readonly events: number;
  /** Why its events could not be applied to the end; '' when they could. */
  readonly damage: string;
}

interface StoredSnapshot {
  readonly state: string;
  difference: boolean;
}

/** What the events make of each of these users, in their order. */
export async function* replayAccounts(
  read: SnapshotRead,
  users: readonly number[],
  snapshots: ReadonlyMap<string, StoredSnapshot> = new Map(),
): AsyncGenerator<ReplayedAccount> {
  let replay: Replay | undefined;
  const sql = `SELECT ${EVENT_COLUMNS} FROM outcry.ledger_events WHERE user_id = ANY ($1) ORDER BY user_id, seq`;
  for await (const row of read(sql, [users])) {
    const event = eventOf(row);
    if (replay?.account.userId !== event.userId) {
      if (replay !== undefined) yield replay;
      replay = new Replay(event.userId, snapshots);
    }
    replay.add(event);
  }
  if (replay !== undefined) yield replay;
}

/** Events that make trades. */
const EXECUTIONS = { [EventType.OrderFilled]: true, [EventType.TradeBusted]: true, [EventType.TradeCorrected]: true };

class Replay implements ReplayedAccount {
  readonly account: Account;
  readonly trades: TradeRow[] = [];
  damage = '';
  events = 0;
  readonly #snapshots: ReadonlyMap<string, StoredSnapshot>;

  constructor(userId: number, snapshots: ReadonlyMap<string, StoredSnapshot>) {
    this.account = newAccount(userId);
    this.#snapshots = snapshots;
  }

  add(event: LedgerEvent): void {
    this.events++;
    if (this.damage !== '') return;
    try {
      applyEvent(this.account, event);
      if (event.detail.type in EXECUTIONS) this.trades.push(...batchRows([event], () => this.account).trades);
    } catch (error) {
      if (!(error instanceof AssertionError)) throw error;
      this.damage = error.message;
    }
    const snapshot = this.#snapshots.get(`${event.userId}:${event.seq}`);
    if (snapshot !== undefined)
      snapshot.difference = renderAccount(parseAccount(snapshot.state)) !== renderAccount(this.account);
  }
}

/** Users by their events, and by their accounts where those may be read as well. */
export async function userChunks(read: SnapshotRead, from: 'events' | 'events-and-accounts'): Promise<number[][]> {
  const users: number[] = [];
  const accounts = from === 'events' ? '' : 'UNION SELECT user_id FROM outcry.accounts';
  const sql = `SELECT user_id FROM outcry.ledger_events WHERE seq = 1 ${accounts} ORDER BY user_id`;
  for await (const [userId] of read(sql)) users.push(userId as number);
  const chunks: number[][] = [];
  for (let at = 0; at < users.length; at += ACCOUNTS_AT_ONCE) chunks.push(users.slice(at, at + ACCOUNTS_AT_ONCE));
  return chunks;
}

async function storedAccounts(read: SnapshotRead, users: readonly number[]) {
  const trades = new Map<number, TradeRow[]>(users.map((userId) => [userId, []]));
  const sql = `SELECT ${TRADE_COLUMNS} FROM outcry.trades WHERE user_id = ANY ($1)`;
  for await (const row of read(sql, [users])) trades.get(userIdOf(row))!.push(tradeOf(row));
  const totals = new Map<number, { cashPaise: number; marginUsedPaise: number; totalValuePaise: number }>();
  const sums = `SELECT ${FUNDS_COLUMNS}, available_paise + held_paise + margin_paise, held_paise + margin_paise FROM outcry.accounts
    WHERE user_id = ANY ($1)`;
  for await (const row of read(sums, [users])) {
    const { userId, totalValuePaise } = fundsOf(row);
    totals.set(userId, { cashPaise: row[2] as number, marginUsedPaise: row[3] as number, totalValuePaise });
  }
  const accounts = await loadAccounts(read, { userIds: users, sinceOrderID: 0 });
  return new Map(
    accounts.map((account) => {
      const { userId } = account;
      return [userId, { account, trades: trades.get(userId)!, ...totals.get(userId)! }];
    }),
  );
}

async function snapshotsOf(read: SnapshotRead, users: readonly number[]): Promise<Map<string, StoredSnapshot>> {
  const snapshots = new Map<string, StoredSnapshot>();
  const sql = 'SELECT user_id, seq, state FROM outcry.snapshots WHERE user_id = ANY ($1)';
  // One that no event reaches is wrong.
  for await (const [userId, seq, state] of read(sql, [users]))
    snapshots.set(`${userId}:${seq}`, { state: state as string, difference: true });
  return snapshots;
}

function difference(userId: number, what: string, stored: string, replayed: string): LedgerDifference {
  return { userId, what, field: '', stored, replayed };
}
