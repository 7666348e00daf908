import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Histogram } from 'hdr-histogram-js';
import { assert } from '../src/core/assert.ts';
import { Prng } from '../src/core/exchange/prng.ts';
import { type Account, newAccount } from '../src/core/ledger/account.ts';
import { applyEvent } from '../src/core/ledger/apply-event.ts';
import { batchRows } from '../src/core/ledger/batch-rows.ts';
import { accountOpened, deposited } from '../src/core/ledger/cash-events.ts';
import { orderFilled } from '../src/core/ledger/execution-events.ts';
import type { LedgerBatch } from '../src/core/ledger/ledger-batch.ts';
import { EventType, type LedgerEvent } from '../src/core/ledger/ledger-event.ts';
import { moneyRulesAsOf } from '../src/core/ledger/money-rules.ts';
import { closableQty, exposureOf } from '../src/core/ledger/open-exposure.ts';
import { OrderSide, OrderType, Product, Validity } from '../src/core/ledger/order.ts';
import { orderAccepted, orderPlaced } from '../src/core/ledger/order-events.ts';
import { heldBy } from '../src/core/ledger/order-hold.ts';
import { type LedgerDatabase, openLedgerDatabase } from '../src/net/ledger-database.ts';
import { LedgerPostgres } from '../src/net/ledger-postgres.ts';
import { LedgerReader } from '../src/net/ledger-reader.ts';
import type { BenchSetup, Measurement } from './harness.ts';
import { latencyHistogram, percentileSamples, recordLatency } from './histogram.ts';
import { OneCallAnOrder } from './ledger-baseline.ts';

export interface LedgerBenchOptions {
  readonly accounts: number;
  /** Callers who wait for their order to be durable, and then place the next. */
  readonly callers: number;
  /** Connections of the baseline, a caller each. */
  readonly connections: number;
  /** Where another server's programs are. */
  readonly postgresBin?: string;
  readonly seconds: number;
  readonly seed: number;
}

const SHARD = 0;
const CASH_PAISE = 1e13;
const READERS = 64;
const TRADING_DAY = '2026-11-26';
const rules = moneyRulesAsOf(TRADING_DAY);

/** Placements made durable, and reads, on a PostgreSQL of its own. */
export async function ledgerBench(options: LedgerBenchOptions): Promise<BenchSetup> {
  const directory = mkdtempSync(join(tmpdir(), 'outcry-ledger-bench-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  chmodSync(directory, 0o755);
  const server = options.postgresBin === undefined ? {} : { binDirectory: options.postgresBin };
  const database = await openLedgerDatabase({
    dataDir: directory,
    url: '',
    passwordFile: '',
    log: () => {},
    ...server,
  });
  const bench = await LedgerBench.open(database, options);
  return {
    subjects: [
      { impl: 'outcry', case: 'placements', measure: () => bench.placeInBatches() },
      { impl: 'baseline', case: 'placements', measure: () => bench.placeOneByOne() },
      { impl: 'outcry', case: 'fills', measure: () => bench.fillInBatches() },
      { impl: 'outcry', case: 'reads', measure: () => bench.read() },
    ],
    close: () => bench.close(),
  };
}

class LedgerBench {
  readonly #options: LedgerBenchOptions;
  readonly #database: LedgerDatabase;
  readonly #ledger: LedgerPostgres;
  readonly #reader: LedgerReader;
  readonly #baseline: OneCallAnOrder;
  readonly #prng: Prng;
  /** Those of the batches; the baseline has as many of its own, since the database alone knows how they stand. */
  readonly #accounts: Account[] = [];
  readonly #baselineAccounts: Account[] = [];
  #epoch = 0;
  #batchId = 0;
  #orderID = 1;

  private constructor(database: LedgerDatabase, baseline: OneCallAnOrder, options: LedgerBenchOptions) {
    this.#options = options;
    this.#database = database;
    this.#baseline = baseline;
    this.#ledger = new LedgerPostgres(database.target, SHARD);
    this.#reader = new LedgerReader(database.target);
    this.#prng = new Prng(options.seed);
  }

  static async open(database: LedgerDatabase, options: LedgerBenchOptions): Promise<LedgerBench> {
    const baseline = await OneCallAnOrder.open(database.target, options.connections);
    const bench = new LedgerBench(database, baseline, options);
    const { epoch, lastBatchId } = await bench.#ledger.claimShard();
    bench.#epoch = epoch;
    bench.#batchId = lastBatchId;
    for (const [accounts, firstUserId] of [
      [bench.#accounts, 1],
      [bench.#baselineAccounts, 1 + options.accounts],
    ] as const)
      await bench.#openAccounts(accounts, firstUserId);
    return bench;
  }

  async placeInBatches(): Promise<Measurement> {
    return this.#inBatches('placements', () => this.#place(this.#accounts));
  }

  /** Orders are placed, confirmed by the venue and filled, each when what came before is durable: a third of a batch each. */
  async fillInBatches(): Promise<Measurement> {
    return this.#inBatches('orders', (before) => {
      if (before?.detail.type === EventType.OrderPlaced) return this.#accept(before);
      return before?.detail.type === EventType.OrderAccepted ? this.#fill(before) : this.#place(this.#accounts);
    });
  }

  /** One batch is in flight, and what is done meanwhile is the next: half of the callers wait for the one, half for the other. `next` is what a caller does then. */
  async #inBatches(unit: string, next: (before: LedgerEvent | undefined) => LedgerEvent): Promise<Measurement> {
    const latencies = latencyHistogram();
    const startMs = performance.now();
    const endMs = startMs + this.#options.seconds * 1_000;
    let durable = new Array<LedgerEvent | undefined>(Math.ceil(this.#options.callers / 2)).fill(undefined);
    let askedMs = startMs;
    let events = durable.map(next);
    let batch = this.#batch(events);
    let placed = 0;
    let accepted = 0;
    let committedEvents = 0;
    let batches = 0;
    while (events.length > 0) {
      const committed = this.#commit(batch);
      const count = batch.newOrders.length;
      placed += count;
      committedEvents += events.length;
      batches++;
      // While it is in flight those go on whose turn the one before made durable.
      const nextAskedMs = performance.now();
      const following = nextAskedMs < endMs ? durable.map(next) : [];
      batch = this.#batch(following);
      this.#ledger.prepare(batch);
      if (await committed) accepted += count;
      const latencyMs = performance.now() - askedMs;
      for (let i = 0; i < events.length; i++) recordLatency(latencies, latencyMs * 1_000);
      durable = events;
      events = following;
      askedMs = nextAskedMs;
    }
    const { samples, checksum } = rates(unit, accepted, placed, startMs, latencies);
    return { samples: [...samples, { metric: 'batch', unit: 'events', value: committedEvents / batches }], checksum };
  }

  async placeOneByOne(): Promise<Measurement> {
    const latencies = latencyHistogram();
    const startMs = performance.now();
    const endMs = startMs + this.#options.seconds * 1_000;
    let placed = 0;
    let accepted = 0;
    const caller = async (client: OneCallAnOrder['clients'][number]): Promise<void> => {
      while (performance.now() < endMs) {
        const askedMs = performance.now();
        placed++;
        await this.#baseline.place(client, this.#place(this.#baselineAccounts));
        accepted++;
        recordLatency(latencies, (performance.now() - askedMs) * 1_000);
      }
    };
    await Promise.all(this.#baseline.clients.map(caller));
    return rates('placements', accepted, placed, startMs, latencies);
  }

  /** Funds, the last orders, positions and the last events of accounts at random, a quarter each. */
  async read(): Promise<Measurement> {
    const latencies = latencyHistogram();
    const startMs = performance.now();
    const endMs = startMs + this.#options.seconds * 1_000;
    let reads = 0;
    let rows = 0;
    const caller = async (): Promise<void> => {
      while (performance.now() < endMs) {
        const { userId, seq } = this.#accounts[this.#prng.below(this.#accounts.length)]!;
        const askedMs = performance.now();
        const kind = reads++ % 4;
        if (kind === 0) rows += (await this.#reader.funds(userId)) === undefined ? 0 : 1;
        else if (kind === 1) rows += (await this.#reader.orders(userId, this.#orderID - 2_000, 10)).length;
        else if (kind === 2) rows += (await this.#reader.positions(userId)).length;
        else rows += (await this.#reader.eventsAfter(userId, seq - 3, 10)).length;
        recordLatency(latencies, (performance.now() - askedMs) * 1_000);
      }
    };
    await Promise.all(Array.from({ length: READERS }, caller));
    const seconds = (performance.now() - startMs) / 1_000;
    const rate = { metric: 'reads_per_s', unit: 'reads/s', value: reads / seconds };
    return { samples: [rate, ...percentileSamples(latencies, 'latency', 'ms', 1_000)], checksum: rows > 0 ? 1 : 0 };
  }

  async close(): Promise<void> {
    await Promise.all([this.#ledger.close(), this.#reader.close(), this.#baseline.close()]);
    await this.#database.close();
  }

  async #openAccounts(accounts: Account[], firstUserId: number): Promise<void> {
    const events: LedgerEvent[] = [];
    for (let userId = firstUserId; userId < firstUserId + this.#options.accounts; userId++) {
      const account = newAccount(userId);
      accounts.push(account);
      for (const next of [accountOpened, (of: Account, micros: number) => deposited(of, CASH_PAISE, 'first', micros)]) {
        const event = next(account, Date.now() * 1_000);
        applyEvent(account, event);
        events.push(event);
      }
    }
    assert(await this.#commit(this.#batch(events)), 'the accounts are opened');
  }

  /** As the order service does: hold and event from the account in memory, which they change at once. */
  #place(accounts: readonly Account[]): LedgerEvent {
    const account = accounts[this.#prng.below(accounts.length)]!;
    const pricePaise = 90_000 + 5 * this.#prng.below(4_000);
    const terms = { quantity: 1 + this.#prng.below(100), ordType: OrderType.Limit, pricePaise, triggerPricePaise: 0 };
    const orderID = this.#orderID++;
    const instrumentId = 1 + this.#prng.below(2_000);
    const order = { orderID, instrumentId, side: OrderSide.Buy, product: Product.CNC, validity: Validity.DAY, terms };
    const none = { cumQty: 0, cumValuePaise: 0, brokeragePaise: 0, exposureQty: 0, pendingChanges: [] };
    const closable = closableQty(exposureOf(account, instrumentId), order, 0);
    const hold = heldBy(rules, { ...order, ...none, holdPricePaise: pricePaise }, closable);
    const placed = { ...order, ...hold, holdPricePaise: pricePaise, clientOrderID: `bench-${orderID}` };
    return applied(account, orderPlaced(account, placed, Date.now() * 1_000));
  }

  #accept({ userId, orderID }: LedgerEvent): LedgerEvent {
    const account = this.#accounts[userId - 1]!;
    return applied(account, orderAccepted(account, account.orders.get(orderID)!, `NSE-${orderID}`, Date.now() * 1_000));
  }

  #fill({ userId, orderID }: LedgerEvent): LedgerEvent {
    const account = this.#accounts[userId - 1]!;
    const order = account.orders.get(orderID)!;
    const { quantity: lastQty, pricePaise: lastPxPaise } = order.terms;
    const execution = { execID: `E-${orderID}`, venue: 'NSE', tradingDay: TRADING_DAY, lastQty, lastPxPaise };
    return applied(account, orderFilled(rules, account, order, execution, Date.now() * 1_000));
  }

  #batch(events: readonly LedgerEvent[]): LedgerBatch {
    const { accounts } = this.#options;
    const rows = batchRows(events, (userId) =>
      userId <= accounts ? this.#accounts[userId - 1]! : this.#baselineAccounts[userId - 1 - accounts]!,
    );
    return { batchId: ++this.#batchId, shard: SHARD, epoch: this.#epoch, ...rows, sessions: [] };
  }

  async #commit(batch: LedgerBatch): Promise<boolean> {
    const outcome = await this.#ledger.commit(batch);
    if (outcome.kind !== 'committed') process.stderr.write(`ledger: ${JSON.stringify(outcome)}\n`);
    return outcome.kind === 'committed';
  }
}

function applied(account: Account, event: LedgerEvent): LedgerEvent {
  applyEvent(account, event);
  return event;
}

function rates(unit: string, accepted: number, placed: number, startMs: number, latencies: Histogram): Measurement {
  const seconds = (performance.now() - startMs) / 1_000;
  return {
    samples: [
      { metric: `${unit}_per_s`, unit: `${unit}/s`, value: accepted / seconds },
      { metric: 'accepted', unit: '%', value: (accepted / placed) * 100 },
      ...percentileSamples(latencies, 'latency', 'ms', 1_000),
    ],
    checksum: accepted === placed ? 1 : 0,
  };
}
