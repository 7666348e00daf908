import { type Metric, Registry } from 'prom-client';
import * as stats from '../core/shm/generated/worker-stats.gen.ts';
import { LATENCY_BUCKET_MS } from '../core/shm/worker-stats.layout.ts';
import { type EngineView, notReadyReason, workerBlocks } from './engine-view.ts';

type Labels = Record<string, string | number>;
interface Sample {
  readonly value: number;
  readonly labels: Labels;
  readonly metricName?: string;
}
type MetricKind = 'counter' | 'gauge' | 'histogram';

/** A metric of one f64 of a stats block: word offset, name, kind, help, and what to multiply by to reach the unit of the name. */
type Row = readonly [offset: number, name: string, kind: MetricKind, help: string, factor?: number];

const FEED_ROWS: readonly Row[] = [
  [stats.FEED_STATS_SESSION_STATE, 'outcry_feed_session_state', 'gauge', '0 disconnected, 1 connecting, 2 logged on'],
  [stats.FEED_STATS_MESSAGES_IN, 'outcry_feed_messages_total', 'counter', 'FIX messages received'],
  [stats.FEED_STATS_BYTES_IN, 'outcry_feed_bytes_total', 'counter', 'Bytes received from the exchange'],
  [stats.FEED_STATS_UPDATES_IN, 'outcry_updates_in_total', 'counter', 'Instrument changes taken in'],
  [stats.FEED_STATS_TRADES_IN, 'outcry_trades_in_total', 'counter', 'Trades taken in'],
  [stats.FEED_STATS_BAD_MESSAGES, 'outcry_feed_bad_messages_total', 'counter', 'Garbled or unreadable messages'],
  [stats.FEED_STATS_UNKNOWN_SYMBOLS, 'outcry_feed_unknown_symbols_total', 'counter', 'Entries for unknown symbols'],
  [stats.FEED_STATS_GAPS, 'outcry_feed_gaps_total', 'counter', 'Sequence gaps met'],
  [stats.FEED_STATS_CONNECTS, 'outcry_feed_logons_total', 'counter', 'Logons completed'],
  [
    stats.FEED_STATS_LAG_MICROS,
    'outcry_feed_lag_seconds',
    'gauge',
    'Arrival less SendingTime of the last message',
    1e-6,
  ],
  [stats.FEED_STATS_INSTRUMENTS, 'outcry_instruments', 'gauge', 'Instruments in the table'],
  [stats.FEED_STATS_SUBSCRIBED, 'outcry_feed_subscribed', 'gauge', 'Instruments with a snapshot on this logon'],
  [stats.FEED_STATS_STALE, 'outcry_instruments_stale', 'gauge', 'Instruments marked stale now'],
];

const FAN_OUT_ROWS: readonly Row[] = [
  [stats.FAN_OUT_STATS_CONNECTIONS, 'outcry_connections', 'gauge', 'WebSocket connections open now'],
  [stats.FAN_OUT_STATS_SUBSCRIPTIONS, 'outcry_subscriptions', 'gauge', 'Subscriptions held now'],
  [stats.FAN_OUT_STATS_OPENED, 'outcry_connections_opened_total', 'counter', 'Connections opened'],
  [stats.FAN_OUT_STATS_CLOSED, 'outcry_connections_closed_total', 'counter', 'Connections closed'],
  [
    stats.FAN_OUT_STATS_REFUSED,
    'outcry_connections_refused_total',
    'counter',
    'Connections refused, at the upgrade or before it',
  ],
  [stats.FAN_OUT_STATS_QUOTES_OUT, 'outcry_updates_out_total', 'counter', 'Quotes handed to the kernel'],
  [stats.FAN_OUT_STATS_FRAMES_OUT, 'outcry_frames_out_total', 'counter', 'WebSocket frames of quotes sent'],
  [stats.FAN_OUT_STATS_BYTES_OUT, 'outcry_bytes_out_total', 'counter', 'Payload bytes of those frames'],
  [stats.FAN_OUT_STATS_SNAPSHOTS_OUT, 'outcry_snapshots_out_total', 'counter', 'Quotes sent whole'],
  [stats.FAN_OUT_STATS_CHANGES_TAKEN, 'outcry_changes_taken_total', 'counter', 'Changed instruments taken at ticks'],
  [stats.FAN_OUT_STATS_FILTERED, 'outcry_filtered_total', 'counter', 'Changes held back by the differential filter'],
  [stats.FAN_OUT_STATS_SKIPPED, 'outcry_skipped_total', 'counter', 'Quotes not sent to connections without credit'],
  [stats.FAN_OUT_STATS_SLOW_CONNECTIONS, 'outcry_slow_connections', 'gauge', 'Connections without credit now'],
  [stats.FAN_OUT_STATS_SLOT_RETRIES, 'outcry_slot_retries_total', 'counter', 'Slots left for the next tick'],
  [stats.FAN_OUT_STATS_PROTOCOL_ERRORS, 'outcry_protocol_errors_total', 'counter', 'Answers and closes for bad input'],
  [stats.FAN_OUT_STATS_EFFECTIVE_TICK_MICROS, 'outcry_effective_tick_seconds', 'gauge', 'The tick in force', 1e-6],
  [stats.FAN_OUT_STATS_COLLECTIONS, 'outcry_garbage_collections_total', 'counter', 'Garbage collections of the thread'],
];

const ORDER_ROWS: readonly Row[] = [
  [stats.ORDER_STATS_STATE, 'outcry_orders_state', 'gauge', '0 starting, 1 serving, 2 the database is away, 3 closing'],
  [stats.ORDER_STATS_SESSIONS_UP, 'outcry_order_sessions_up', 'gauge', 'Order sessions logged on'],
  [stats.ORDER_STATS_ACCOUNTS, 'outcry_accounts', 'gauge', 'Accounts in memory'],
  [stats.ORDER_STATS_LIVE_ORDERS, 'outcry_live_orders', 'gauge', 'Orders that are not done'],
  [stats.ORDER_STATS_COMMANDS_IN, 'outcry_order_commands_total', 'counter', 'Commands of traders and operators'],
  [stats.ORDER_STATS_REFUSED, 'outcry_order_refusals_total', 'counter', 'Commands refused'],
  [stats.ORDER_STATS_READS_IN, 'outcry_account_reads_total', 'counter', 'Reads of an account'],
  [stats.ORDER_STATS_EVENTS_OUT, 'outcry_order_events_total', 'counter', 'Events pushed to fan-out workers'],
  [stats.ORDER_STATS_PAGES_OUT, 'outcry_event_pages_total', 'counter', 'Pages of events read for sockets behind'],
  [stats.ORDER_STATS_BEHIND, 'outcry_answer_ring_full_total', 'counter', 'Users marked behind for want of room'],
  [stats.ORDER_STATS_COMMITS, 'outcry_ledger_commits_total', 'counter', 'Batches committed'],
  [stats.ORDER_STATS_COMMIT_FAILURES, 'outcry_ledger_failures_total', 'counter', 'Calls of the database that failed'],
  [stats.ORDER_STATS_EVENTS_COMMITTED, 'outcry_ledger_events_total', 'counter', 'Events made durable'],
  [stats.ORDER_STATS_COMMIT_MICROS, 'outcry_ledger_commit_seconds_total', 'counter', 'Time that batches took', 1e-6],
  [stats.ORDER_STATS_TRADES_IN, 'outcry_order_trades_total', 'counter', 'Trades looked at for triggers'],
  [stats.ORDER_STATS_TRADES_LOST, 'outcry_order_trades_lost_total', 'counter', 'Trades that were lapped'],
  [stats.ORDER_STATS_ALARMS, 'outcry_order_alarms_total', 'counter', 'What must not happen, and did'],
];

/** `/metrics`: every thread's block read when asked for. Whichever worker answers, the answer is that of the whole process. */
export function createMetrics(view: EngineView): Registry {
  const registry = new Registry();
  const add = (name: string, type: MetricKind, help: string, samples: () => Sample[]): void => {
    // prom-client's own classes count by themselves; here the counting is done elsewhere and this is what its registry asks a metric for.
    const get = async () => ({ name, help, type, values: samples(), aggregator: 'sum' });
    registry.registerMetric({ name, help, type, aggregator: 'sum', get, reset() {} } as unknown as Metric);
  };
  for (const [offset, name, kind, help, factor = 1] of FEED_ROWS) {
    add(name, kind, help, () => [{ value: (view.feed[offset >> 1] as number) * factor, labels: {} }]);
  }
  const { orders } = view;
  if (orders !== undefined) {
    for (const [offset, name, kind, help, factor = 1] of ORDER_ROWS) {
      add(name, kind, help, () => [{ value: (orders[offset >> 1] as number) * factor, labels: {} }]);
    }
  }
  for (const [offset, name, kind, help, factor = 1] of FAN_OUT_ROWS) {
    add(name, kind, help, () =>
      view.fanOut.map((block, worker) => ({ value: (block[offset >> 1] as number) * factor, labels: { worker } })),
    );
  }
  add('outcry_conflated_total', 'counter', 'Changes merged into a later one before the worker took them', () =>
    view.fanOut.map((block, worker) => ({ value: conflated(view, block), labels: { worker } })),
  );
  add(
    'outcry_latency_seconds',
    'histogram',
    'Arrival of the oldest change in a frame to its hand-over to the kernel',
    () => view.fanOut.flatMap(latencySamples),
  );
  addThreads(view, add);
  addProcess(view, add);
  return registry;
}

type Add = (name: string, type: MetricKind, help: string, samples: () => Sample[]) => void;

function addThreads(view: EngineView, add: Add): void {
  const threads = (offset: number, value: (block: number) => number) => () =>
    workerBlocks(view).map(([worker, block]) => ({ value: value(block[offset >> 1] as number), labels: { worker } }));
  add(
    'outcry_worker_restarts_total',
    'counter',
    'Workers replaced in this process',
    threads(stats.FEED_STATS_GENERATION, (generation) => Math.max(0, generation - 1)),
  );
  add(
    'outcry_event_loop_lag_seconds',
    'gauge',
    'How late the last turn of the thread’s timer was',
    threads(stats.FEED_STATS_LOOP_LAG_MICROS, (micros) => micros * 1e-6),
  );
  add(
    'outcry_worker_beat_age_seconds',
    'gauge',
    'Time since the thread’s last beat',
    threads(stats.FEED_STATS_BEAT_MILLIS, (beatMs) => Math.max(0, Date.now() - beatMs) / 1_000),
  );
}

function addProcess(view: EngineView, add: Add): void {
  const one = (value: () => number) => () => [{ value: value(), labels: {} }];
  const engine = (offset: number) => one(() => view.engine[offset >> 1] as number);
  add(
    'outcry_engine_restarts_total',
    'counter',
    'Engine processes replaced',
    engine(stats.ENGINE_STATS_ENGINE_RESTARTS),
  );
  add(
    'outcry_exchange_restarts_total',
    'counter',
    'Exchange simulators replaced',
    engine(stats.ENGINE_STATS_EXCHANGE_RESTARTS),
  );
  add(
    'outcry_ready',
    'gauge',
    '1 while quotes flow',
    one(() => (notReadyReason(view, Date.now()) === undefined ? 1 : 0)),
  );
  add('process_start_time_seconds', 'gauge', 'Epoch time at which the engine process started', () => [
    { value: (view.engine[stats.ENGINE_STATS_STARTED_MILLIS >> 1] as number) / 1_000, labels: {} },
  ]);
  add(
    'process_resident_memory_bytes',
    'gauge',
    'Memory of the engine process in RAM',
    one(() => process.memoryUsage.rss()),
  );
  add('process_cpu_seconds_total', 'counter', 'User and system time of the engine process', () => {
    const { user, system } = process.cpuUsage();
    return [{ value: (user + system) / 1e6, labels: {} }];
  });
}

/** The feed marks every change for every worker: what a worker did not take as one of its own went into a later one. */
function conflated(view: EngineView, block: Float64Array): number {
  const updatesIn = view.feed[stats.FEED_STATS_UPDATES_IN >> 1] as number;
  return Math.max(0, updatesIn - (block[stats.FAN_OUT_STATS_CHANGES_TAKEN >> 1] as number));
}

function latencySamples(block: Float64Array, worker: number): Sample[] {
  const name = 'outcry_latency_seconds';
  const base = stats.FAN_OUT_STATS_LATENCY_BUCKETS >> 1;
  let below = 0;
  const buckets = LATENCY_BUCKET_MS.map((boundMs, i) => {
    below += block[base + i] as number;
    return { metricName: `${name}_bucket`, labels: { worker, le: boundMs / 1_000 }, value: below };
  });
  // The buckets' own total, not latencyCount: a scrape between two counters must not give a bucket above +Inf.
  const count = below + (block[base + LATENCY_BUCKET_MS.length] as number);
  const sum = (block[stats.FAN_OUT_STATS_LATENCY_SUM_MICROS >> 1] as number) / 1e6;
  return [
    ...buckets,
    { metricName: `${name}_bucket`, labels: { worker, le: '+Inf' }, value: count },
    { metricName: `${name}_sum`, labels: { worker }, value: sum },
    { metricName: `${name}_count`, labels: { worker }, value: count },
  ];
}
