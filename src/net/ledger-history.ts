import { type Account, newAccount } from '../core/ledger/account.ts';
import { parseAccount, renderAccount } from '../core/ledger/account-snapshot.ts';
import { applyEvent } from '../core/ledger/apply-event.ts';
import type { SnapshotRead } from './ledger-load.ts';
import { TableRows } from './ledger-parameters.ts';
import type { LedgerReader } from './ledger-reader.ts';
import { EVENT_COLUMNS, eventOf } from './ledger-rows.ts';
import { clientConfig, connectLedger, type LedgerTarget } from './ledger-target.ts';

/** So many events since the last snapshot are read quickly. */
export const SNAPSHOT_EVENTS = 1_000;
const ACCOUNTS_A_PORTION = 500;
/** Characters of snapshots after which they are written down. */
const CALL_LENGTH = 4_000_000;

interface Snapshot {
  readonly userId: number;
  readonly seq: number;
  readonly tsMicros: number;
  readonly state: string;
}

export interface PastAccount {
  readonly account: Account;
  /** Of its last event until then. */
  readonly tsMicros: number;
  /** Events that were applied to the snapshot, or to nothing where there was none. */
  readonly eventsApplied: number;
}

/** An account as it was at an instant: the last snapshot before it, and the events since. Undefined when it did not exist yet. */
export function accountAt(reader: LedgerReader, userId: number, tsMicros: number): Promise<PastAccount | undefined> {
  return reader.snapshot((read) => pastAccount(read, userId, tsMicros));
}

async function pastAccount(read: SnapshotRead, userId: number, tsMicros: number): Promise<PastAccount | undefined> {
  let account = newAccount(userId);
  let lastMicros = 0;
  const latest =
    'SELECT state, ts_micros FROM outcry.snapshots WHERE user_id = $1 AND ts_micros <= $2 ORDER BY seq DESC LIMIT 1';
  for await (const [state, micros] of read(latest, [userId, tsMicros])) {
    account = parseAccount(state as string);
    lastMicros = micros as number;
  }
  let eventsApplied = 0;
  const since = `SELECT ${EVENT_COLUMNS} FROM outcry.ledger_events WHERE user_id = $1 AND seq > $2 ORDER BY seq`;
  for await (const row of read(since, [userId, account.seq])) {
    const event = eventOf(row);
    if (event.tsMicros > tsMicros) break;
    applyEvent(account, event);
    lastMicros = event.tsMicros;
    eventsApplied++;
  }
  return account.seq === 0 ? undefined : { account, tsMicros: lastMicros, eventsApplied };
}

/**
 * Writes down every account that has had `events` more since its last snapshot, and a tenth more than then: an account has all its orders in it, so that the snapshots of one that is traded in daily
 * would otherwise come to the square of its events. How many. The end of a day calls it (`workers/day-snapshots.ts`), and so may anybody: a snapshot is what the events say, and `outcry ledger verify` checks it.
 * Accounts are taken in portions, each as it is at one moment, and one that was written down is not due again: whoever dies in between goes on.
 */
export async function takeSnapshots(target: LedgerTarget, reader: LedgerReader, events: number): Promise<number> {
  const { client, destroy } = await connectLedger(clientConfig(target, 'engine'));
  const rows = new TableRows<Snapshot>(3, 1, addSnapshot);
  let count = 0;
  const save = async (call: readonly Snapshot[]): Promise<void> => {
    await client.query('SELECT outcry.save_snapshots($1, $2)', rows.of(call));
    count += call.length;
  };
  try {
    let lastUserId = 0;
    for (;;) {
      const due = await reader.snapshot(async (read) => {
        const userIds: number[] = [];
        for await (const [userId] of read(DUE, [events, lastUserId, ACCOUNTS_A_PORTION]))
          userIds.push(userId as number);
        let call: Snapshot[] = [];
        let length = 0;
        for (const userId of userIds) {
          const { account, tsMicros } = (await pastAccount(read, userId, Number.MAX_SAFE_INTEGER))!;
          const state = renderAccount(account);
          call.push({ userId, seq: account.seq, tsMicros, state });
          length += state.length;
          if (length < CALL_LENGTH) continue;
          await save(call);
          call = [];
          length = 0;
        }
        if (call.length > 0) await save(call);
        return userIds;
      });
      if (due.length < ACCOUNTS_A_PORTION) return count;
      lastUserId = due.at(-1)!;
    }
  } finally {
    destroy();
  }
}

function addSnapshot({ numbers, texts }: TableRows<Snapshot>, { userId, seq, tsMicros, state }: Snapshot): void {
  numbers.add(userId);
  numbers.add(seq);
  numbers.add(tsMicros);
  texts.add(state);
}

const DUE = `SELECT a.user_id FROM outcry.accounts a CROSS JOIN LATERAL (
    SELECT coalesce(max(s.seq), 0) AS seq FROM outcry.snapshots s WHERE s.user_id = a.user_id
  ) AS last WHERE a.user_id > $2 AND a.last_seq >= last.seq + greatest($1, last.seq / 10) ORDER BY a.user_id LIMIT $3`;
