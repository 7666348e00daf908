import pg from 'pg';
import { OutcryError } from '../core/errors.ts';
import type { Account, Holding, Position } from '../core/ledger/account.ts';
import type { FixSessionRow, TradeRow } from '../core/ledger/ledger-batch.ts';
import type { LedgerEvent } from '../core/ledger/ledger-event.ts';
import type { Order } from '../core/ledger/order.ts';
import type { WantedOrder } from '../core/orders/order-effects.ts';
import { type LoadOptions, loadAccounts, type SnapshotRead } from './ledger-load.ts';
import {
  EVENT_COLUMNS,
  eventBy,
  eventOf,
  FUNDS_COLUMNS,
  type Funds,
  fundsOf,
  HOLDING_COLUMNS,
  holdingOf,
  ORDER_COLUMNS,
  orderOf,
  POSITION_COLUMNS,
  positionOf,
  ROW_TYPES,
  type Row,
  SESSION_COLUMNS,
  sessionOf,
  TRADE_COLUMNS,
  tradeOf,
} from './ledger-rows.ts';
import {
  clientConfig,
  connectLedger,
  type LedgerConnection,
  type LedgerTarget,
  type LedgerUser,
} from './ledger-target.ts';

/** Rows that are fetched at once of what may be longer than memory. */
const FETCH_ROWS = 2_000;

/** Each of these queries is by the key of a user or an order: the server would plan most of them anew each time, for half as much again as they cost. */
const PLAN_ONCE = '-c plan_cache_mode=force_generic_plan';

/** Reads the ledger over one connection, made anew when it is lost. Queries of many callers share it: they are sent one after another without waiting. */
export class LedgerReader {
  readonly #config: pg.ClientConfig;
  #connection: Promise<LedgerConnection> | undefined;

  constructor(target: LedgerTarget, user: LedgerUser = 'engine') {
    this.#config = { ...clientConfig(target, user), types: ROW_TYPES };
  }

  /** Events of an account after `seq`, oldest first. */
  eventsAfter(userId: number, seq: number, limit: number): Promise<LedgerEvent[]> {
    const sql = `SELECT ${EVENT_COLUMNS} FROM outcry.ledger_events WHERE user_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`;
    return this.#rows('events-after', sql, [userId, seq, limit], eventOf);
  }

  /** The order book: orders from an OrderID on, oldest first. */
  orders(userId: number, sinceOrderID: number, limit: number): Promise<Order[]> {
    const sql = `SELECT ${ORDER_COLUMNS} FROM outcry.orders WHERE user_id = $1 AND order_id >= $2 ORDER BY order_id LIMIT $3`;
    return this.#rows('orders', sql, [userId, sinceOrderID, limit], orderOf);
  }

  /** One order, however old; undefined when this user has none of that id. */
  async order(userId: number, orderID: number): Promise<Order | undefined> {
    const sql = `SELECT ${ORDER_COLUMNS} FROM outcry.orders WHERE order_id = $1 AND user_id = $2`;
    return (await this.#rows('order', sql, [orderID, userId], orderOf))[0];
  }

  /** An order by its id alone, or by the client order id that its user gave it. */
  async findOrder(wanted: WantedOrder): Promise<Order | undefined> {
    if ('orderID' in wanted) {
      const sql = `SELECT ${ORDER_COLUMNS} FROM outcry.orders WHERE order_id = $1`;
      return (await this.#rows('order-of-id', sql, [wanted.orderID], orderOf))[0];
    }
    // As the unique index has it.
    const sql = `SELECT ${ORDER_COLUMNS} FROM outcry.orders WHERE user_id = $1 AND client_order_id = $2 AND client_order_id <> ''`;
    return (await this.#rows('order-of-client', sql, [wanted.userId, wanted.clientOrderID], orderOf))[0];
  }

  /** The greatest OrderID that was ever committed; 0 for none. */
  async lastOrderID(): Promise<number> {
    const sql = 'SELECT coalesce(max(order_id), 0) FROM outcry.orders';
    return (await this.#rows('last-order', sql, [], (row) => row[0] as number))[0]!;
  }

  /** The event of an execution, whoever's it is. */
  async execution(venue: string, tradingDay: string, execID: string): Promise<LedgerEvent | undefined> {
    const sql = `SELECT e.* FROM outcry.trades t, LATERAL (${eventBy('t.user_id', 't.seq')}) e
      WHERE t.venue = $1 AND t.trading_day = $2 AND t.exec_id = $3 LIMIT 1`;
    return (await this.#rows('execution', sql, [venue, tradingDay, execID], eventOf))[0];
  }

  /** Trades of events after `seq`, oldest first. */
  trades(userId: number, afterSeq: number, limit: number): Promise<TradeRow[]> {
    const sql = `SELECT ${TRADE_COLUMNS} FROM outcry.trades WHERE user_id = $1 AND seq > $2 ORDER BY seq, exec_ref_id DESC LIMIT $3`;
    return this.#rows('trades', sql, [userId, afterSeq, limit], tradeOf);
  }

  positions(userId: number): Promise<Position[]> {
    const sql = `SELECT ${POSITION_COLUMNS} FROM outcry.positions WHERE user_id = $1 ORDER BY instrument_id, product`;
    return this.#rows('positions', sql, [userId], positionOf);
  }

  holdings(userId: number): Promise<Holding[]> {
    const sql = `SELECT ${HOLDING_COLUMNS} FROM outcry.holdings WHERE user_id = $1 ORDER BY instrument_id`;
    return this.#rows('holdings', sql, [userId], holdingOf);
  }

  /** Undefined for an account that does not exist. */
  async funds(userId: number): Promise<Funds | undefined> {
    const sql = `SELECT ${FUNDS_COLUMNS} FROM outcry.accounts WHERE user_id = $1`;
    return (await this.#rows('funds', sql, [userId], fundsOf))[0];
  }

  /** Order sessions with the venue, as far as they are committed. */
  sessions(): Promise<FixSessionRow[]> {
    return this.#rows(
      'sessions',
      `SELECT ${SESSION_COLUMNS} FROM outcry.fix_sessions ORDER BY session_id`,
      [],
      sessionOf,
    );
  }

  /** Accounts as the tables have them at one moment, with the orders that are open and those of the day. */
  loadAccounts(options: LoadOptions): Promise<Account[]> {
    return this.snapshot((read) => loadAccounts(read, options));
  }

  /** Gives `work` a reader of any number of rows, all as they are at one moment, one query at a time, over a connection of its own. */
  async snapshot<T>(work: (read: SnapshotRead) => Promise<T>): Promise<T> {
    const connection = await connectLedger(this.#config);
    try {
      await connection.client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      return await work((sql, values) => fetchAll(connection.client, sql, values));
    } catch (error) {
      throw typed(error);
    } finally {
      connection.destroy();
    }
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await (await connection?.catch(() => undefined))?.client.end().catch(() => {});
  }

  async #rows<T>(name: string, text: string, values: unknown[], make: (row: Row) => T): Promise<T[]> {
    try {
      const { client } = await this.#connected();
      const { rows } = await client.query<(string | number)[]>({ name, text, values, rowMode: 'array' });
      return rows.map(make);
    } catch (error) {
      throw typed(error);
    }
  }

  #connected(): Promise<LedgerConnection> {
    if (this.#connection === undefined) {
      const options = `${this.#config.options ?? ''} ${PLAN_ONCE}`;
      const config = { ...this.#config, options, pipeline: true };
      const connection = connectLedger(config, () => this.#forget(connection));
      connection.catch(() => this.#forget(connection));
      this.#connection = connection;
    }
    return this.#connection;
  }

  #forget(connection: Promise<LedgerConnection>): void {
    if (this.#connection === connection) this.#connection = undefined;
  }
}

async function* fetchAll(client: pg.Client, sql: string, values: readonly unknown[] = []): AsyncGenerator<Row> {
  await client.query(`DECLARE rows NO SCROLL CURSOR FOR ${sql}`, [...values]);
  try {
    for (;;) {
      const text = `FETCH ${FETCH_ROWS} FROM rows`;
      const { rows } = await client.query<(string | number)[]>({ text, rowMode: 'array' });
      yield* rows;
      if (rows.length < FETCH_ROWS) return;
    }
  } finally {
    // A failed query has closed it; the reader who has seen enough has not.
    await client.query('CLOSE rows').catch(() => {});
  }
}

function typed(error: unknown): unknown {
  if (error instanceof OutcryError || (error instanceof pg.DatabaseError && error.severity === 'ERROR')) return error;
  return new OutcryError('LEDGER_UNREACHABLE', (error as Error).message, error);
}
