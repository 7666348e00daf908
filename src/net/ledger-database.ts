import type { Client } from 'pg';
import { OutcryError } from '../core/errors.ts';
import { clientConfig, connectLedger, LEDGER_DATABASE, type LedgerTarget } from './ledger-target.ts';
import type { Log } from './log.ts';
import { type Migration, migrate, readMigrations } from './migrate.ts';
import { EMBEDDED_PORT, EMBEDDED_USERS, type EmbeddedPostgres, startEmbeddedPostgres } from './postgres-embedded.ts';

export interface LedgerDatabaseOptions {
  /** The caller holds its lock, when the database is embedded. */
  readonly dataDir: string;
  /** The setting: '' for embedded. */
  readonly url: string;
  readonly passwordFile: string;
  readonly log: Log;
  /** Of another server to embed. */
  readonly binDirectory?: string;
}

/** The ledger's database, checked and migrated. */
export interface LedgerDatabase {
  readonly target: LedgerTarget;
  /** The server, where it is ours. It may end by itself: whoever opened the database starts it again by `openLedgerDatabase`. */
  readonly server: EmbeddedPostgres | undefined;
  close(): Promise<void>;
}

const VERSION_MIN = 150_000;
const MUST_BE_ON = ['fsync', 'full_page_writes', 'synchronous_commit'];

/** Starts the embedded server or reaches the one of the URL, checks it, and brings the schema up to date. LEDGER_UNREACHABLE, LEDGER_UNSAFE, LEDGER_MIGRATION. */
export async function openLedgerDatabase(options: LedgerDatabaseOptions): Promise<LedgerDatabase> {
  const { url, passwordFile, log } = options;
  const migrations = readMigrations();
  if (url !== '') {
    const target: LedgerTarget = { kind: 'url', url, passwordFile };
    await checkAndMigrate(target, migrations, log);
    return { target, server: undefined, close: async () => {} };
  }
  const server = await startEmbeddedPostgres(options);
  try {
    await createDatabase(server);
    const target: LedgerTarget = { kind: 'embedded', socketDirectory: server.socketDirectory };
    await checkAndMigrate(target, migrations, log);
    return { target, server, close: () => server.stop() };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Raises LEDGER_UNSAFE on a server that may lose what it acknowledged, or is too old for the schema. */
export async function checkServer(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string; setting: string }>(
    'SELECT name, setting FROM pg_settings WHERE name = ANY ($1)',
    [[...MUST_BE_ON, 'server_version_num']],
  );
  const settings = new Map(rows.map(({ name, setting }) => [name, setting]));
  const version = Number(settings.get('server_version_num'));
  if (version < VERSION_MIN)
    throw new OutcryError('LEDGER_UNSAFE', `it is PostgreSQL ${Math.floor(version / 10_000)}, 15 or later is needed`);
  for (const name of MUST_BE_ON) {
    const setting = settings.get(name);
    if (setting === 'off' || setting === undefined)
      throw new OutcryError('LEDGER_UNSAFE', `${name} is ${setting}: what it acknowledges could be lost`);
  }
}

/** Roles and database of a new cluster. */
async function createDatabase({ socketDirectory: host }: EmbeddedPostgres): Promise<void> {
  const user = EMBEDDED_USERS.superuser;
  const config = { host, port: EMBEDDED_PORT, database: 'postgres', user, password: '' };
  const { client } = await connectLedger(config);
  try {
    for (const role of [EMBEDDED_USERS.owner, EMBEDDED_USERS.engine]) {
      const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role]);
      if (rowCount === 0) await client.query(`CREATE ROLE ${role} LOGIN`);
    }
    await client.query(`GRANT ${EMBEDDED_USERS.engine} TO ${EMBEDDED_USERS.owner}`);
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [LEDGER_DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${LEDGER_DATABASE} OWNER ${EMBEDDED_USERS.owner}`);
  } finally {
    await client.end();
  }
}

async function checkAndMigrate(target: LedgerTarget, migrations: readonly Migration[], log: Log): Promise<void> {
  const { client } = await connectLedger(clientConfig(target, 'owner'));
  try {
    await checkServer(client);
    await migrate(client, migrations, log);
  } finally {
    await client.end();
  }
}
