import { Socket } from 'node:net';
import pg from 'pg';
import { OutcryError } from '../core/errors.ts';
import { readLedgerPassword } from './ledger-url.ts';
import { EMBEDDED_PORT, EMBEDDED_USERS } from './postgres-embedded.ts';

const CONNECT_TIMEOUT_MS = 5_000;
export const LEDGER_DATABASE = 'outcry';
/** May execute the commit function and read; see migrations/0001-ledger.sql. */
export const ENGINE_ROLE = 'outcry_engine';

/** Where the ledger's database is. Plain data without a secret: it may cross to another process. */
export type LedgerTarget =
  | { readonly kind: 'embedded'; readonly socketDirectory: string }
  | { readonly kind: 'url'; readonly url: string; readonly passwordFile: string };

/** `owner` migrates and reads; `engine` can do what the engine may, and no more. */
export type LedgerUser = 'owner' | 'engine';

/** What pg connects with. The password is only read here. */
export function clientConfig(target: LedgerTarget, user: LedgerUser): pg.ClientConfig {
  const common = {
    application_name: `outcry-${user}`,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    // An idle connection costs a server process and nothing else; one that waits in a transaction holds locks.
    idle_in_transaction_session_timeout: 60_000,
  };
  if (target.kind === 'embedded') {
    const { socketDirectory: host } = target;
    return {
      ...common,
      host,
      port: EMBEDDED_PORT,
      database: LEDGER_DATABASE,
      user: EMBEDDED_USERS[user],
      password: '',
    };
  }
  const url = new URL(target.url);
  return {
    ...common,
    host: url.searchParams.get('host') ?? decodeURIComponent(url.hostname).replace(/^\[|\]$/g, ''),
    port: Number(url.port || 5432),
    database: decodeURIComponent(url.pathname.slice(1)),
    user: decodeURIComponent(url.username),
    password: readLedgerPassword(target.passwordFile),
    // One login may be both: what the engine does it does as the role that owns nothing.
    ...(user === 'engine' ? { options: `-c role=${ENGINE_ROLE}` } : {}),
    ssl: tlsOf(url),
  };
}

/** A connection, with a way to end it that waits for nobody. */
export interface LedgerConnection {
  readonly client: pg.Client;
  /** At once: what was under way fails. */
  destroy(): void;
}

/** Connects, or raises LEDGER_UNREACHABLE. Nothing comes from PG variables of the environment. `onLost` is told when the connection ends, by whichever side. */
export async function connectLedger(config: pg.ClientConfig, onLost = (): void => {}): Promise<LedgerConnection> {
  const socket = new Socket();
  dropPgVariables();
  const client = new pg.Client({ ...config, stream: () => socket });
  // What pg tells here fails the queries under way as well, or ends the connection.
  client.on('error', () => {});
  try {
    await client.connect();
    client.on('end', onLost);
    return { client, destroy: () => void socket.destroy() };
  } catch (error) {
    socket.destroy();
    throw new OutcryError('LEDGER_UNREACHABLE', `${config.host}:${config.port}: ${(error as Error).message}`, error);
  }
}

/** pg takes from them whatever its configuration leaves out or has as nothing: options of the session, TLS, how values come. */
function dropPgVariables(): void {
  for (const name of Object.keys(process.env)) if (name.startsWith('PG')) delete process.env[name];
}

/** `sslmode` of the URL, as libpq means it: without one no TLS is asked for. */
function tlsOf(url: URL): pg.ClientConfig['ssl'] {
  switch (url.searchParams.get('sslmode') ?? 'disable') {
    case 'disable':
      return false;
    case 'require':
      return { rejectUnauthorized: false };
    default:
      return { rejectUnauthorized: true };
  }
}
