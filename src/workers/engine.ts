import { setFlagsFromString } from 'node:v8';
import { OutcryError } from '../core/errors.ts';
import * as stats from '../core/shm/generated/worker-stats.gen.ts';
import type { Config } from '../net/config.ts';
import type { ControlRequest } from '../net/control-socket.ts';
import type { CorePlan } from '../net/core-plan.ts';
import { type EngineView, feedSummary, health, notReadyReason, ordersSummary } from '../net/engine-view.ts';
import type { LedgerTarget } from '../net/ledger-target.ts';
import type { Log } from '../net/log.ts';
import { InstrumentSource } from './instrument-source.ts';
import type { Venue } from './process-messages.ts';
import {
  allocateBuffers,
  fanOutSettings,
  feedSettings,
  orderSettings,
  type SharedBuffers,
  type WorkerWiring,
} from './topology.ts';
import { WorkerRole } from './worker-role.ts';
import { workerUrl } from './worker-url.ts';

const WATCH_MS = 250;
/** How often it is looked at whether quotes flow, until they do. */
const READY_WATCH_MS = 10;
/** Acknowledgements and orders make garbage, quotes make next to none. */
const SEMI_SPACE_MB = { 'feed.worker': 4, 'fan-out.worker': 32, 'order.worker': 32 } as const;

export interface EngineOptions {
  readonly config: Config;
  readonly port: number;
  readonly venue: Venue | undefined;
  /** Null where no orders are taken. */
  readonly ledger: LedgerTarget | null;
  readonly engineRestarts: number;
  readonly exchangeRestarts: number;
  /** Built page. */
  readonly publicDir: string;
  readonly log: Log;
  /** Quotes flow for the first time. */
  readonly onReady: (instrumentCount: number) => void;
  /** The process must end: a restart of a worker is no cure. */
  readonly onFatal: (error: OutcryError) => void;
}

/** The engine of one process: shared memory, the workers and what watches them. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #buffers: SharedBuffers;
  readonly #instruments: InstrumentSource;
  readonly #view: EngineView;
  readonly #feed: WorkerRole;
  readonly #fanOut: readonly WorkerRole[];
  readonly #orders: WorkerRole | undefined;
  readonly #roles: readonly WorkerRole[];
  #venue: Venue | undefined;
  #ledger: LedgerTarget | null;
  #servingFanOut = 0;
  #ended = false;
  #watch: NodeJS.Timeout | undefined;
  #readyWatch: NodeJS.Timeout | undefined;
  #unwatchInstruments: (() => void) | undefined;
  #watchDueMs = 0;

  /** Raises INSTRUMENTS_INVALID or INSTRUMENTS_FULL. */
  constructor(options: EngineOptions) {
    const { config, venue } = options;
    const { values, fanOutWorkers } = config;
    this.#options = options;
    this.#venue = venue;
    this.#instruments = new InstrumentSource(config.instrumentsFile, values.instrument_capacity);
    this.#buffers = allocateBuffers({ instrumentCapacity: values.instrument_capacity, fanOutWorkers });
    this.#view = {
      engine: new Float64Array(this.#buffers.engineStats),
      feed: new Float64Array(this.#buffers.feedStats),
      fanOut: this.#buffers.fanOutStats.map((block) => new Float64Array(block)),
      orders: options.ledger === null ? undefined : new Float64Array(this.#buffers.orderStats),
      marketHours: values.market_hours,
    };
    const cpus = cpusOf(config.corePlan);
    this.#feed = this.#role('feed', 'feed.worker', this.#buffers.feedStats, cpus.feed, () => ({
      settings: feedSettings(config, this.#venue),
    }));
    const settings = fanOutSettings(config, options.port, options.publicDir);
    this.#fanOut = this.#buffers.fanOutStats.map((block, workerIndex) =>
      this.#role(`fan-out-${workerIndex}`, 'fan-out.worker', block, cpus.fanOut(workerIndex), () => ({
        workerIndex,
        settings,
      })),
    );
    this.#ledger = options.ledger;
    if (options.ledger !== null) {
      this.#orders = this.#role('orders', 'order.worker', this.#buffers.orderStats, cpus.orders, () => ({
        settings: orderSettings(config, this.#venue, this.#ledger!),
      }));
    }
    this.#roles = [this.#feed, ...this.#fanOut, ...(this.#orders === undefined ? [] : [this.#orders])];
  }

  start(): void {
    const { engine } = this.#view;
    engine[stats.ENGINE_STATS_GENERATION >> 1] = 1;
    engine[stats.ENGINE_STATS_STARTED_MILLIS >> 1] = Date.now();
    engine[stats.ENGINE_STATS_BEAT_MILLIS >> 1] = Date.now();
    engine[stats.ENGINE_STATS_ENGINE_RESTARTS >> 1] = this.#options.engineRestarts;
    engine[stats.ENGINE_STATS_EXCHANGE_RESTARTS >> 1] = this.#options.exchangeRestarts;
    // Workers begin with all the room that they may have, so that few objects outlive a collection. This thread has started: it makes little, and keeps V8's small beginning.
    setFlagsFromString(`--min-semi-space-size=${Math.max(...Object.values(SEMI_SPACE_MB))}`);
    for (const role of this.#roles) role.start();
    this.#watchDueMs = performance.now() + WATCH_MS;
    this.#watch = setInterval(() => this.#onWatch(), WATCH_MS);
    this.#readyWatch = setInterval(() => this.#watchReady(), READY_WATCH_MS);
    this.#unwatchInstruments = this.#instruments.watch(
      () => this.#reloadQuietly(),
      (error) => this.#refusedInstruments(error),
    );
  }

  setVenue(venue: Venue, exchangeRestarts: number): void {
    this.#venue = venue;
    this.#view.engine[stats.ENGINE_STATS_EXCHANGE_RESTARTS >> 1] = exchangeRestarts;
    this.#feed.post({ type: 'venue', ...venue });
    this.#orders?.post({ type: 'venue', ...venue });
  }

  setLedger(target: LedgerTarget): void {
    this.#ledger = target;
    this.#orders?.post({ type: 'ledger', target });
  }

  /** Answers a request of the control socket, or lets the order worker; raises REQUEST_REFUSED. */
  answer(request: ControlRequest): unknown {
    switch (request.type) {
      case 'status':
        return this.#status();
      case 'reload':
        return this.#reload();
      case 'account':
        if (this.#orders === undefined) throw new OutcryError('REQUEST_REFUSED', 'orders are off (order_sessions)');
        return this.#orders.ask(request);
      case 'drill':
        return this.#drill(request.worker, request.kind);
    }
  }

  /** Closes every worker; resolves when their threads are gone. */
  async close(): Promise<void> {
    this.#ended = true;
    clearInterval(this.#watch);
    clearInterval(this.#readyWatch);
    this.#unwatchInstruments?.();
    await Promise.all(this.#roles.map((role) => role.close()));
  }

  #role(
    roleName: string,
    entry: keyof typeof SEMI_SPACE_MB,
    block: SharedArrayBuffer,
    cpus: readonly number[],
    own: () => object,
  ): WorkerRole {
    const { log, config } = this.#options;
    return new WorkerRole(roleName, block, {
      entry: workerUrl(entry),
      semiSpaceMb: SEMI_SPACE_MB[entry],
      log,
      wiring: (generation): WorkerWiring => ({
        roleName,
        generation,
        stats: block,
        cpus,
        drills: config.values.drills,
        buffers: this.#buffers,
        instrumentCapacity: config.values.instrument_capacity,
        rows: this.#instruments.rows,
        ...own(),
      }),
      onServing: () => {
        if (roleName.startsWith('fan-out')) this.#servingFanOut++;
      },
      onFatal: (code, text) => this.#fatal(code, text),
    });
  }

  #fatal(code: OutcryError['code'], text: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.onFatal(new OutcryError(code, text));
  }

  #onWatch(): void {
    const { engine } = this.#view;
    const nowMs = Date.now();
    const turnMs = performance.now();
    const lateMs = Math.max(0, turnMs - this.#watchDueMs);
    this.#watchDueMs = turnMs + WATCH_MS;
    engine[stats.ENGINE_STATS_BEAT_MILLIS >> 1] = nowMs;
    engine[stats.ENGINE_STATS_LOOP_LAG_MICROS >> 1] = lateMs * 1_000;
    engine[stats.ENGINE_STATS_INSTRUMENTS >> 1] = this.#instruments.rows.length;
    // When this thread itself was held up, all were: the machine slept, or is starved. They get the time to beat.
    if (lateMs < WATCH_MS * 4) {
      for (const role of this.#roles) {
        if (nowMs - role.beatMs > role.silenceMaxMs)
          this.#fatal('WORKER_FAILED', `${role.roleName} hangs: no beat for ${role.silenceMaxMs} ms`);
      }
    }
  }

  #watchReady(): void {
    if (this.#notReadyReason(Date.now()) !== undefined || ordersSummary(this.#view)?.sessionsUp === 0) return;
    clearInterval(this.#readyWatch);
    this.#options.onReady(this.#instruments.listedCount);
  }

  #notReadyReason(nowMs: number): string | undefined {
    if (this.#servingFanOut < this.#fanOut.length) return 'the fan-out workers are starting';
    return notReadyReason(this.#view, nowMs);
  }

  #status(): object {
    const nowMs = Date.now();
    const reason = this.#notReadyReason(nowMs);
    return {
      ready: reason === undefined,
      reason: reason ?? null,
      health: health(this.#view, nowMs),
      feed: feedSummary(this.#view),
      orders: ordersSummary(this.#view) ?? null,
      connections: sumOf(this.#view.fanOut, stats.FAN_OUT_STATS_CONNECTIONS),
      subscriptions: sumOf(this.#view.fanOut, stats.FAN_OUT_STATS_SUBSCRIPTIONS),
      updatesIn: this.#view.feed[stats.FEED_STATS_UPDATES_IN >> 1],
      quotesOut: sumOf(this.#view.fanOut, stats.FAN_OUT_STATS_QUOTES_OUT),
    };
  }

  #drill(worker: string, kind: 'throw' | 'hang'): object {
    if (!this.#options.config.values.drills) {
      throw new OutcryError('REQUEST_REFUSED', 'drills are off; the setting is drills = true');
    }
    const role = this.#roles.find((each) => each.roleName === worker);
    if (role === undefined) {
      const names = this.#roles.map((each) => each.roleName).join(', ');
      throw new OutcryError('REQUEST_REFUSED', `there is no worker ${worker}; there are ${names}`);
    }
    this.#options.log('warn', 'a drill begins', { worker, kind });
    role.post({ type: 'drill', kind });
    return { worker, kind, generation: role.generation };
  }

  /** Takes in a changed master and tells every worker. Raises, and changes nothing, when the master is wrong. */
  #reload(): object {
    const added = this.#instruments.reload();
    this.#options.log('info', 'the instrument master was taken in', { added });
    for (const role of this.#roles) role.post({ type: 'instruments', rows: this.#instruments.rows });
    return { added, instruments: this.#instruments.listedCount };
  }

  #reloadQuietly(): void {
    try {
      this.#reload();
    } catch (error) {
      this.#refusedInstruments(error as Error);
    }
  }

  #refusedInstruments(error: Error): void {
    this.#options.log('error', 'the instrument master was not taken in', { error: error.message });
  }
}

function cpusOf(plan: CorePlan | null) {
  if (plan === null) return { feed: [], orders: [], fanOut: () => [] };
  return {
    feed: [plan.feed],
    orders: plan.orders === null ? [] : [plan.orders],
    fanOut: (workerIndex: number) => [plan.fanOut[workerIndex] as number],
  };
}

function sumOf(blocks: readonly Float64Array[], offset: number): number {
  return blocks.reduce((sum, block) => sum + (block[offset >> 1] as number), 0);
}
