import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OutcryError } from '../core/errors.ts';
import type { Config } from './config.ts';
import { lockDataDir, lockOwner } from './data-lock.ts';
import { checkServer, openLedgerDatabase } from './ledger-database.ts';
import { clientConfig, connectLedger, type LedgerTarget } from './ledger-target.ts';
import type { Log } from './log.ts';
import { pendingMigrations, readMigrations } from './migrate.ts';
import { runningSocketDirectory } from './postgres-embedded.ts';

type LedgerConfig = Pick<Config, 'dataDir' | 'ledgerPasswordFile'> & {
  readonly values: { readonly ledger_url: string };
};

/**
 * Gives `work` the ledger of a configuration: over its URL, of the engine that runs on the data directory, or with a server that runs for so long.
 * Nothing is migrated in what others may be using: LEDGER_MIGRATION when it is of another version.
 */
export async function withLedger<T>(
  config: LedgerConfig,
  log: Log,
  work: (target: LedgerTarget) => Promise<T>,
): Promise<T> {
  const { dataDir, ledgerPasswordFile: passwordFile } = config;
  const url = config.values.ledger_url;
  if (url !== '') return withRunning({ kind: 'url', url, passwordFile }, work);
  if (!existsSync(join(dataDir, 'postgres')))
    throw new OutcryError('LEDGER_UNREACHABLE', `${dataDir} has no ledger yet: outcry start makes one`);
  if (lockOwner(dataDir) !== undefined) {
    return withRunning({ kind: 'embedded', socketDirectory: runningSocketDirectory(dataDir) }, work);
  }
  const unlock = lockDataDir(dataDir);
  try {
    const database = await openLedgerDatabase({ dataDir, url, passwordFile, log });
    try {
      return await work(database.target);
    } finally {
      await database.close();
    }
  } finally {
    unlock();
  }
}

async function withRunning<T>(target: LedgerTarget, work: (target: LedgerTarget) => Promise<T>): Promise<T> {
  const { client, destroy } = await connectLedger(clientConfig(target, 'owner'));
  try {
    await checkServer(client);
    const pending = await pendingMigrations(client, readMigrations());
    if (pending.length > 0)
      throw new OutcryError('LEDGER_MIGRATION', `it lacks ${pending[0]!.name}: outcry start brings it up to date`);
  } finally {
    destroy();
  }
  return work(target);
}
