import type { Field, Layout } from './layout.ts';

/**
 * What a worker tells about itself: plain f64 counters, written by that worker alone and read by whoever renders metrics
 * or judges health. Plain accesses are enough: an aligned f64 is not torn on the 64-bit machines that Outcry runs on, a
 * reader may be a moment behind, and nothing is decided by two counters agreeing.
 */
const doc = 'Written by one worker; read by the main thread and by the worker that serves /metrics.';

const header = {
  generation: { kind: 'f64', doc: 'how many workers have had this role, this one counted' },
  beatMillis: {
    kind: 'f64',
    doc: 'epoch milliseconds of the last turn of the worker’s loop; main ends a process that hangs',
  },
  loopLagMicros: {
    kind: 'f64',
    doc: 'how late the last turn of the worker’s 250 ms timer was: the delay of its event loop',
  },
} as const satisfies Record<string, Field>;

export const engineStatsLayout: Layout = {
  name: 'ENGINE_STATS',
  doc: 'Written by the main thread; read by the worker that serves /metrics.',
  strideBytes: 128,
  fields: {
    ...header,
    startedMillis: { kind: 'f64', doc: 'epoch milliseconds at which this engine process started' },
    engineRestarts: { kind: 'f64', doc: 'engine processes that the supervisor replaced before this one' },
    exchangeRestarts: { kind: 'f64', doc: 'exchange simulators that the supervisor replaced' },
    instruments: { kind: 'f64', doc: 'instruments in the table, delisted ones included' },
    reserved: { kind: 'f64', count: 9, doc: 'unused' },
  },
};

export const feedStatsLayout: Layout = {
  name: 'FEED_STATS',
  doc,
  strideBytes: 256,
  fields: {
    ...header,
    sessionState: { kind: 'f64', doc: '0 disconnected, 1 connecting, 2 logged on' },
    messagesIn: { kind: 'f64', doc: 'FIX messages received, administrative ones included' },
    bytesIn: { kind: 'f64', doc: 'bytes received' },
    updatesIn: {
      kind: 'f64',
      doc: 'instrument changes taken in: the entries of one instrument in one message are one',
    },
    tradesIn: { kind: 'f64', doc: 'trades taken in' },
    badMessages: { kind: 'f64', doc: 'garbled messages and market data that could not be read' },
    unknownSymbols: { kind: 'f64', doc: 'entries for symbols that are not in the instrument master' },
    gaps: { kind: 'f64', doc: 'sequence gaps met' },
    connects: { kind: 'f64', doc: 'logons completed' },
    lastMessageMicros: { kind: 'f64', doc: 'arrival of the last message, epoch microseconds' },
    lastUpdateMicros: { kind: 'f64', doc: 'arrival of the last instrument change, epoch microseconds' },
    lagMicros: {
      kind: 'f64',
      doc: 'arrival less SendingTime of the last message: the feed’s lag, if both clocks agree',
    },
    instruments: { kind: 'f64', doc: 'instruments in the table' },
    subscribed: { kind: 'f64', doc: 'instruments that have had their snapshot on this logon' },
    stale: { kind: 'f64', doc: 'instruments marked stale now' },
    reserved: { kind: 'f64', count: 14, doc: 'unused' },
  },
};

/** Upper bounds of the latency buckets, milliseconds; one more bucket takes what is above the last. */
export const LATENCY_BUCKET_MS = [1, 2, 5, 10, 20, 35, 50, 75, 100, 125, 150, 200, 300, 500, 1000, 5000] as const;

export const fanOutStatsLayout: Layout = {
  name: 'FAN_OUT_STATS',
  doc,
  strideBytes: 512,
  fields: {
    ...header,
    connections: { kind: 'f64', doc: 'WebSocket connections open now' },
    subscriptions: { kind: 'f64', doc: 'subscriptions held now' },
    opened: { kind: 'f64', doc: 'connections opened' },
    closed: { kind: 'f64', doc: 'connections closed, for whatever reason' },
    refused: { kind: 'f64', doc: 'connections refused, at the upgrade or before it' },
    quotesOut: { kind: 'f64', doc: 'quotes handed to the kernel' },
    framesOut: { kind: 'f64', doc: 'WebSocket frames of quotes sent' },
    bytesOut: { kind: 'f64', doc: 'payload bytes of those frames' },
    snapshotsOut: { kind: 'f64', doc: 'quotes sent whole: at a subscription, or after a connection fell behind' },
    changesTaken: { kind: 'f64', doc: 'dirty instruments taken at ticks; updates in less these were conflated' },
    filtered: { kind: 'f64', doc: 'changes held back by the differential filter' },
    skipped: { kind: 'f64', doc: 'quotes not sent because their connection had no credit' },
    slowConnections: { kind: 'f64', doc: 'connections without credit now' },
    slotRetries: { kind: 'f64', doc: 'slots left for the next tick because the writer was inside' },
    protocolErrors: { kind: 'f64', doc: 'error replies and closes for bad input' },
    effectiveTickMicros: { kind: 'f64', doc: 'the tick in force: the configured one, or longer under load' },
    latencyCount: { kind: 'f64', doc: 'frames measured, arrival of the oldest change to hand-over to the kernel' },
    latencySumMicros: { kind: 'f64', doc: 'sum of those latencies, microseconds' },
    latencyBuckets: {
      kind: 'f64',
      count: 17,
      doc: 'frames by latency; bounds in LATENCY_BUCKET_MS, the last is beyond',
    },
    collections: { kind: 'f64', doc: 'garbage collections of the thread' },
    reserved: { kind: 'f64', count: 25, doc: 'unused' },
  },
};

export const orderStatsLayout: Layout = {
  name: 'ORDER_STATS',
  doc: 'Written by the order worker; read by the main thread, by every fan-out worker, and by the one that serves /metrics.',
  strideBytes: 256,
  fields: {
    ...header,
    state: { kind: 'f64', doc: 'OrderState: whether orders are taken' },
    sessions: { kind: 'f64', doc: 'order sessions that are configured' },
    sessionsUp: { kind: 'f64', doc: 'order sessions that are logged on' },
    accounts: { kind: 'f64', doc: 'accounts in memory' },
    liveOrders: { kind: 'f64', doc: 'orders that are not done' },
    commandsIn: { kind: 'f64', doc: 'commands taken from the rings and from operators' },
    refused: { kind: 'f64', doc: 'commands refused' },
    readsIn: { kind: 'f64', doc: 'reads of an account' },
    eventsOut: { kind: 'f64', doc: 'events pushed to fan-out workers' },
    pagesOut: { kind: 'f64', doc: 'pages of events that were read from the ledger for sockets that were behind' },
    behind: { kind: 'f64', doc: 'users for whom an answer ring had no room, so far' },
    commits: { kind: 'f64', doc: 'batches committed' },
    commitFailures: { kind: 'f64', doc: 'calls of the database that failed, whatever the reason' },
    eventsCommitted: { kind: 'f64', doc: 'events made durable' },
    commitMicros: { kind: 'f64', doc: 'sum of the time that batches took, microseconds' },
    tradesIn: { kind: 'f64', doc: 'trades taken from the trade ring' },
    tradesLost: { kind: 'f64', doc: 'trades that were lapped before they were taken' },
    alarms: { kind: 'f64', doc: 'alarms raised: what must not happen, and did' },
    reserved: { kind: 'f64', count: 11, doc: 'unused' },
  },
};
