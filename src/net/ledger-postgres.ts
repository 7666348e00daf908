import pg from 'pg';
import { assert } from '../core/assert.ts';
import { OutcryError } from '../core/errors.ts';
import type { BatchAnswer, CommitOutcome, LedgerBatch } from '../core/ledger/ledger-batch.ts';
import { UnfitValue } from './binary-array.ts';
import { checkServer } from './ledger-database.ts';
import { COMMIT_CALL, CommitParameters } from './ledger-parameters.ts';
import { ROW_TYPES } from './ledger-rows.ts';
import { clientConfig, connectLedger, type LedgerConnection, type LedgerTarget } from './ledger-target.ts';

export interface ShardClaim {
  /** Of this owner; grows with each. */
  readonly epoch: number;
  /** Of the last batch that was committed; the next has a greater one. */
  readonly lastBatchId: number;
}

interface OpenSession {
  readonly connection: LedgerConnection;
  readonly session: number;
}

/** A call that takes longer is given up, and its outcome is unknown: a dead peer behind a network says nothing. */
const CALL_TIMEOUT_MS = 10_000;
/** Of our own connection before, whose last call may still run. */
const LOCK_TIMEOUT_MS = 5_000;
const STALE_EPOCH = 'OC001';

/**
 * Writes the ledger for one shard, over one connection that is made anew when it is lost. Each connection opens a session in the database, which waits
 * for what the one before has under way and refuses what it sends later: so an answer about a batch holds for ever.
 */
export class LedgerPostgres {
  readonly #config: pg.ClientConfig;
  readonly #shard: number;
  /** Of the batch that is in flight or was last, and of the one after it. */
  #parameters = new CommitParameters();
  #nextParameters = new CommitParameters();
  #epoch = 0;
  #open: OpenSession | undefined;
  #isBusy = false;

  constructor(target: LedgerTarget, shard: number) {
    this.#config = { ...clientConfig(target, 'engine'), types: ROW_TYPES, lock_timeout: LOCK_TIMEOUT_MS };
    this.#shard = shard;
  }

  /** Makes us the owner: whoever was it before is refused from now on. LEDGER_UNREACHABLE, LEDGER_UNSAFE. */
  async claimShard(): Promise<ShardClaim> {
    if (this.#open !== undefined) this.#lose(this.#open.connection);
    const connection = await connectLedger(this.#config);
    try {
      const { rows } = await connection.client.query<ShardClaim>(
        'SELECT epoch, last_batch_id AS "lastBatchId" FROM outcry.claim_shard($1)',
        [this.#shard],
      );
      this.#epoch = rows[0]!.epoch;
      return rows[0]!;
    } catch (error) {
      throw new OutcryError('LEDGER_UNREACHABLE', (error as Error).message, error);
    } finally {
      connection.destroy();
    }
  }

  /** Renders the batch that is committed next, as while one is in flight: it must not change any more. */
  prepare(batch: LedgerBatch): void {
    try {
      this.#nextParameters.render(batch);
    } catch (error) {
      // It is refused when it is committed.
      if (!(error instanceof UnfitValue)) throw error;
    }
  }

  /** One at a time. */
  async commit(batch: LedgerBatch): Promise<CommitOutcome> {
    return this.#alone(async () => {
      let opened: OpenSession;
      try {
        // Nothing is waited for where there is a connection: the database is to begin before the caller goes on.
        opened = this.#open ?? (await this.#connect());
      } catch (error) {
        return sqlState(error) === STALE_EPOCH
          ? { kind: 'stale-epoch' }
          : { kind: 'unavailable', text: (error as Error).message };
      }
      const { connection, session } = opened;
      try {
        this.#render(batch);
        const values = this.#parameters.of(session);
        await bounded(connection, connection.client.query({ ...COMMIT_CALL, values }));
        return { kind: 'committed' };
      } catch (error) {
        if (error instanceof UnfitValue) return { kind: 'refused', text: error.message };
        const outcome = outcomeOf(error);
        if (outcome.kind === 'unknown') this.#lose(connection);
        return outcome;
      }
    });
  }

  /** Whether the last batch sent was committed, for ever. */
  async answer(batchId: number): Promise<BatchAnswer> {
    return this.#alone(async () => {
      // Also when it seems well: only a new session is sure that the old one's call has ended.
      if (this.#open !== undefined) this.#lose(this.#open.connection);
      try {
        const { connection } = await this.#connect();
        const call = connection.client.query('SELECT outcry.batch_answer($1, $2) AS committed', [this.#shard, batchId]);
        const { rows } = await bounded(connection, call);
        return rows[0].committed ? 'committed' : 'not-committed';
      } catch {
        return 'unavailable';
      }
    });
  }

  async close(): Promise<void> {
    const { connection } = this.#open ?? {};
    this.#open = undefined;
    await connection?.client.end().catch(() => {});
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    assert(!this.#isBusy, 'one batch is in flight at a time');
    this.#isBusy = true;
    try {
      return await work();
    } finally {
      this.#isBusy = false;
    }
  }

  #render(batch: LedgerBatch): void {
    if (this.#nextParameters.has(batch))
      [this.#parameters, this.#nextParameters] = [this.#nextParameters, this.#parameters];
    else if (!this.#parameters.has(batch)) this.#parameters.render(batch);
  }

  async #connect(): Promise<OpenSession> {
    const connection = await connectLedger(this.#config, () => this.#lose(connection));
    try {
      await checkServer(connection.client);
      const call = connection.client.query('SELECT outcry.open_session($1, $2) AS session', [this.#shard, this.#epoch]);
      const { rows } = await bounded(connection, call);
      this.#open = { connection, session: rows[0].session };
      return this.#open;
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  #lose(connection: LedgerConnection): void {
    connection.destroy();
    if (this.#open?.connection === connection) this.#open = undefined;
  }
}

async function bounded<T>(connection: LedgerConnection, call: Promise<T>): Promise<T> {
  const timer = setTimeout(() => connection.destroy(), CALL_TIMEOUT_MS);
  try {
    return await call;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * What an error says of the transaction. An ERROR of the server has rolled it back: of our own class, of a constraint or of the data it is a refusal,
 * all else (no room, a lock, a shutdown) may pass. FATAL, and errors without a word of the server, say nothing.
 */
function outcomeOf(error: unknown): CommitOutcome {
  const { message } = error as Error;
  const state = sqlState(error);
  if (!(error instanceof pg.DatabaseError) || state === undefined || error.severity !== 'ERROR')
    return { kind: 'unknown', text: message };
  if (state === STALE_EPOCH) return { kind: 'stale-epoch' };
  const { constraint, detail } = error;
  const text = [constraint, message, detail].filter((part) => part !== undefined).join(': ');
  return { kind: /^(OC|2[123])/.test(state) ? 'refused' : 'unavailable', text: `${text} (${state})` };
}

function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}
