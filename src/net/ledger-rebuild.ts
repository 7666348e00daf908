import type { Client } from 'pg';
import { OutcryError } from '../core/errors.ts';
import type { Account } from '../core/ledger/account.ts';
import { totalValuePaise } from '../core/ledger/total-value.ts';
import { holdingRows, orderRows, positionRows, TableRows, tradeRows } from './ledger-parameters.ts';
import type { LedgerReader } from './ledger-reader.ts';
import { clientConfig, connectLedger, type LedgerTarget } from './ledger-target.ts';
import { type ReplayedAccount, replayAccounts, userChunks } from './ledger-verify.ts';

export interface RebuildReport {
  readonly accounts: number;
  readonly orders: number;
  readonly trades: number;
}

/** Tables that are made of the events alone. */
const PROJECTIONS = ['accounts', 'orders', 'trades', 'positions', 'holdings', 'snapshots'];

/**
 * Makes every projection anew from the events, in one transaction. It takes every shard first, so that an engine that still runs is refused from
 * then on and ends. LEDGER_DAMAGED when the events cannot be applied; nothing is changed then.
 */
export async function rebuildLedger(target: LedgerTarget, reader: LedgerReader): Promise<RebuildReport> {
  const { client, destroy } = await connectLedger(clientConfig(target, 'owner'));
  try {
    await client.query('SET search_path = outcry');
    await client.query('UPDATE shard_owners SET epoch = epoch + 1, open_from = 0');
    await client.query('BEGIN');
    await client.query(`TRUNCATE ${PROJECTIONS.join(', ')}`);
    // The events are read over another connection, which must not touch the tables that are locked by this one.
    const report = await reader.snapshot(async (read) => {
      const counts = { accounts: 0, orders: 0, trades: 0 };
      for (const users of await userChunks(read, 'events')) {
        const replayed: ReplayedAccount[] = [];
        for await (const account of replayAccounts(read, users)) replayed.push(account);
        for (const { damage, account } of replayed) {
          if (damage !== '') throw new OutcryError('LEDGER_DAMAGED', `user ${account.userId}: ${damage}`);
        }
        await insertAll(client, replayed);
        counts.accounts += replayed.length;
        for (const { account, trades } of replayed) {
          counts.orders += account.orders.size;
          counts.trades += trades.length;
        }
      }
      return counts;
    });
    await client.query('COMMIT');
    return report;
  } finally {
    destroy();
  }
}

async function insertAll(client: Client, replayed: readonly ReplayedAccount[]): Promise<void> {
  const accounts = replayed.map(({ account }) => account);
  await client.query(
    `INSERT INTO accounts SELECT a[r][1], a[r][2], a[r][3], a[r][4], a[r][5], a[r][6], a_text[r][1]
    FROM (VALUES ($1::bigint[], $2::text[])) AS rows (a, a_text) CROSS JOIN generate_series(1, array_length(a, 1)) AS r`,
    new TableRows<Account>(6, 1, addAccount).of(accounts),
  );
  const orders = accounts.flatMap((account) => [...account.orders.values()]);
  await client.query('SELECT insert_orders($1, $2, 0)', orderRows().of(orders));
  const positions = accounts.flatMap(({ userId, positions }) =>
    [...positions.values()].map((position) => ({ userId, position })),
  );
  await client.query('SELECT put_positions($1, $2)', positionRows().of(positions));
  const holdings = accounts.flatMap(({ userId, holdings }) =>
    [...holdings.values()].map((holding) => ({ userId, holding })),
  );
  await client.query('SELECT put_holdings($1)', holdingRows().of(holdings).slice(0, 1));
  const trades = replayed.flatMap(({ trades }) => trades);
  await client.query('SELECT insert_trades($1, $2)', tradeRows().of(trades));
}

function addAccount({ numbers, texts }: TableRows<Account>, account: Account): void {
  numbers.add(account.userId);
  numbers.add(account.seq);
  numbers.add(account.availablePaise);
  numbers.add(account.heldPaise);
  numbers.add(account.marginPaise);
  numbers.add(totalValuePaise(account));
  texts.add(account.frozenReason);
}
