import type { Client } from 'pg';
import { OutcryError } from '../core/errors.ts';
import { totalValuePaise } from '../core/ledger/total-value.ts';
import { holdingColumns, numbers, orderColumns, positionColumns, texts, tradeColumns } from './ledger-parameters.ts';
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
    await client.query('UPDATE shard_owners SET epoch = epoch + 1');
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
  await insert(
    client,
    'accounts (user_id, last_seq, available_paise, held_paise, margin_paise, total_value_paise, frozen_reason)',
    'bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], text[]',
    [
      numbers(accounts, (account) => account.userId),
      numbers(accounts, (account) => account.seq),
      numbers(accounts, (account) => account.availablePaise),
      numbers(accounts, (account) => account.heldPaise),
      numbers(accounts, (account) => account.marginPaise),
      numbers(accounts, totalValuePaise),
      texts(accounts, (account) => account.frozenReason),
    ],
  );
  await insert(
    client,
    `orders (order_id, user_id, instrument_id, side, product, validity, status, ord_type, quantity, price_paise, trigger_price_paise,
      version, venue_version, cum_qty, cum_value_paise, exposure_qty, hold_price_paise, hold_paise, brokerage_paise, refusal_code,
      placed_micros, updated_micros, client_order_id, venue_order_id, text, pending_changes)`,
    `bigint[], bigint[], bigint[], smallint[], smallint[], smallint[], smallint[], smallint[], bigint[], bigint[], bigint[],
      integer[], integer[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], integer[],
      bigint[], bigint[], text[], text[], text[], lines`,
    orderColumns(accounts.flatMap((account) => [...account.orders.values()])),
  );
  await insert(
    client,
    'positions',
    'bigint[], bigint[], smallint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], text[]',
    positionColumns(
      accounts.flatMap(({ userId, positions }) => [...positions.values()].map((position) => ({ userId, position }))),
    ),
  );
  await insert(
    client,
    'holdings',
    'bigint[], bigint[], bigint[], bigint[], bigint[]',
    holdingColumns(
      accounts.flatMap(({ userId, holdings }) => [...holdings.values()].map((holding) => ({ userId, holding }))),
    ),
  );
  await insert(
    client,
    'trades',
    'bigint[], bigint[], bigint[], bigint[], text[], date[], text[], text[], bigint[], bigint[], bigint[], bigint[]',
    tradeColumns(replayed.flatMap(({ trades }) => trades)),
  );
}

/** `types` of the columns' parameters; `lines` are texts with line feeds between them. */
async function insert(client: Client, into: string, types: string, columns: readonly string[]): Promise<void> {
  const parameters = types
    .split(',')
    .map((type, i) => (type.trim() === 'lines' ? `string_to_array($${i + 1}, E'\\n')` : `$${i + 1}::${type.trim()}`));
  await client.query(`INSERT INTO ${into} SELECT * FROM unnest(${parameters.join(', ')})`, [...columns]);
}
