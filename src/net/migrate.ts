import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { Client, DatabaseError } from 'pg';
import { OutcryError } from '../core/errors.ts';
import { installed } from './installation.ts';
import { ENGINE_ROLE } from './ledger-target.ts';
import type { Log } from './log.ts';

/** One at a time on a database, whoever starts: the key of the advisory lock. */
const LOCK_KEY = 7_405_518_331;
const FILE_NAME = /^(\d{4})-[a-z0-9-]+\.sql$/;

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/** The files of a directory, by their numbers: 1, 2, … */
export function readMigrations(directory: string = installed('build/src/net/migrations')): Migration[] {
  const names = readdirSync(directory).filter((name) => name.endsWith('.sql'));
  return names.sort().map((name, i) => {
    const number = Number(FILE_NAME.exec(name)?.[1] ?? 0);
    if (number !== i + 1) throw new OutcryError('LEDGER_MIGRATION', `${name} is not number ${i + 1}`);
    const sql = readFileSync(`${directory}/${name}`, 'utf8');
    return { number, name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
  });
}

/**
 * Brings the schema up to `migrations`, each in a transaction of its own. Needs no right beyond reading where nothing is to be done; otherwise that to
 * create in the database, and to create the engine's role when nobody has. LEDGER_MIGRATION when what was applied is not what we have.
 */
export async function migrate(client: Client, migrations: readonly Migration[], log: Log): Promise<void> {
  if ((await pendingMigrations(client, migrations)).length === 0) return;
  await client.query('SELECT pg_advisory_lock($1)', [LOCK_KEY]);
  try {
    // Another start may have done it while this one waited.
    for (const migration of await pendingMigrations(client, migrations)) {
      await apply(client, migration);
      log('info', 'the ledger’s schema was changed', { migration: migration.name });
    }
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [LOCK_KEY]);
  }
}

/** Those that were not applied yet. LEDGER_MIGRATION when what was applied is not what we have. */
export async function pendingMigrations(
  client: Client,
  migrations: readonly Migration[],
): Promise<readonly Migration[]> {
  const exists = await client.query(`SELECT to_regclass('outcry.migrations') IS NOT NULL AS "exists"`);
  if (!exists.rows[0].exists) return migrations;
  const { rows } = await client.query('SELECT number, name, checksum FROM outcry.migrations ORDER BY number');
  for (const { number, name, checksum } of rows) {
    const ours = migrations[number - 1];
    if (ours === undefined)
      throw new OutcryError('LEDGER_MIGRATION', `the database has ${name}, this version ends at ${migrations.length}`);
    if (ours.checksum !== checksum)
      throw new OutcryError('LEDGER_MIGRATION', `${ours.name} is not the ${name} that was applied to the database`);
  }
  return migrations.slice(rows.length);
}

async function apply(client: Client, { number, name, sql, checksum }: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    if (number === 1) await prepare(client);
    await client.query(`SET LOCAL search_path = outcry`);
    await client.query(sql);
    await client.query('INSERT INTO migrations (number, name, checksum) VALUES ($1, $2, $3)', [number, name, checksum]);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    const { message, position } = error as DatabaseError;
    const line = position === undefined ? '' : `, line ${sql.slice(0, Number(position)).split('\n').length}`;
    throw new OutcryError('LEDGER_MIGRATION', `${name}${line}: ${message}`, error);
  }
}

async function prepare(client: Client): Promise<void> {
  const role = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [ENGINE_ROLE]);
  if (role.rowCount === 0) await client.query(`CREATE ROLE ${ENGINE_ROLE} NOLOGIN`);
  const member = await client.query(`SELECT pg_has_role($1, 'MEMBER') AS "member"`, [ENGINE_ROLE]);
  if (!member.rows[0].member) await client.query(`GRANT ${ENGINE_ROLE} TO current_user`);
  await client.query('CREATE SCHEMA outcry');
  await client.query(
    `CREATE TABLE outcry.migrations (
      number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
    )`,
  );
}
