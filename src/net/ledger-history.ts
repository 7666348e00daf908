import { type Account, newAccount } from '../core/ledger/account.ts';
import { parseAccount, renderAccount } from '../core/ledger/account-snapshot.ts';
import { applyEvent } from '../core/ledger/apply-event.ts';
import type { SnapshotRead } from './ledger-load.ts';
import { TableRows } from './ledger-parameters.ts';
import type { LedgerReader } from './ledger-reader.ts';
import { EVENT_COLUMNS, eventOf } from './ledger-rows.ts';
import { clientConfig, connectLedger, type LedgerTarget } from './ledger-target.ts';

/** Snapshots that go in one call. */
const SNAPSHOTS_AT_ONCE = 500;

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
 * Writes down every account that has had `events` more since its last snapshot; how many. A day's roll calls it, and so may anybody: a snapshot is what the
 * events say, and `outcry ledger verify` checks it.
 */
export async function takeSnapshots(target: LedgerTarget, reader: LedgerReader, events: number): Promise<number> {
  const { client, destroy } = await connectLedger(clientConfig(target, 'engine'));
  try {
    return await reader.snapshot(async (read) => {
      const due: number[] = [];
      const sql = `SELECT a.user_id FROM outcry.accounts a
        WHERE a.last_seq >= $1 + coalesce((SELECT max(s.seq) FROM outcry.snapshots s WHERE s.user_id = a.user_id), 0) ORDER BY 1`;
      for await (const [userId] of read(sql, [events])) due.push(userId as number);
      const rows = new TableRows<PastAccount>(3, 1, addSnapshot);
      for (let at = 0; at < due.length; at += SNAPSHOTS_AT_ONCE) {
        const past: PastAccount[] = [];
        for (const userId of due.slice(at, at + SNAPSHOTS_AT_ONCE))
          past.push((await pastAccount(read, userId, Number.MAX_SAFE_INTEGER))!);
        await client.query('SELECT outcry.save_snapshots($1, $2)', rows.of(past));
      }
      return due.length;
    });
  } finally {
    destroy();
  }
}

function addSnapshot({ numbers, texts }: TableRows<PastAccount>, { account, tsMicros }: PastAccount): void {
  numbers.add(account.userId);
  numbers.add(account.seq);
  numbers.add(tsMicros);
  texts.add(renderAccount(account));
}
