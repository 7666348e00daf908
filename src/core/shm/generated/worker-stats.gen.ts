// Generated from ../worker-stats.layout.ts by scripts/generate-layouts.ts: change it there, then `npm run generate`.
// Offsets are 32-bit words from the start of the record.

export const ENGINE_STATS_STRIDE_WORDS = 32;
/** f64: how many workers have had this role, this one counted */
export const ENGINE_STATS_GENERATION = 0;
/** f64: epoch milliseconds of the last turn of the worker’s loop; main ends a process that hangs */
export const ENGINE_STATS_BEAT_MILLIS = 2;
/** f64: how late the last turn of the worker’s 250 ms timer was: the delay of its event loop */
export const ENGINE_STATS_LOOP_LAG_MICROS = 4;
/** f64: epoch milliseconds at which this engine process started */
export const ENGINE_STATS_STARTED_MILLIS = 6;
/** f64: engine processes that the supervisor replaced before this one */
export const ENGINE_STATS_ENGINE_RESTARTS = 8;
/** f64: exchange simulators that the supervisor replaced */
export const ENGINE_STATS_EXCHANGE_RESTARTS = 10;
/** f64: instruments in the table, delisted ones included */
export const ENGINE_STATS_INSTRUMENTS = 12;
/** f64, 9 elements: unused */
export const ENGINE_STATS_RESERVED = 14;

export const FEED_STATS_STRIDE_WORDS = 64;
/** f64: how many workers have had this role, this one counted */
export const FEED_STATS_GENERATION = 0;
/** f64: epoch milliseconds of the last turn of the worker’s loop; main ends a process that hangs */
export const FEED_STATS_BEAT_MILLIS = 2;
/** f64: how late the last turn of the worker’s 250 ms timer was: the delay of its event loop */
export const FEED_STATS_LOOP_LAG_MICROS = 4;
/** f64: 0 disconnected, 1 connecting, 2 logged on */
export const FEED_STATS_SESSION_STATE = 6;
/** f64: FIX messages received, administrative ones included */
export const FEED_STATS_MESSAGES_IN = 8;
/** f64: bytes received */
export const FEED_STATS_BYTES_IN = 10;
/** f64: instrument changes taken in: the entries of one instrument in one message are one */
export const FEED_STATS_UPDATES_IN = 12;
/** f64: trades taken in */
export const FEED_STATS_TRADES_IN = 14;
/** f64: garbled messages and market data that could not be read */
export const FEED_STATS_BAD_MESSAGES = 16;
/** f64: entries for symbols that are not in the instrument master */
export const FEED_STATS_UNKNOWN_SYMBOLS = 18;
/** f64: sequence gaps met */
export const FEED_STATS_GAPS = 20;
/** f64: logons completed */
export const FEED_STATS_CONNECTS = 22;
/** f64: arrival of the last message, epoch microseconds */
export const FEED_STATS_LAST_MESSAGE_MICROS = 24;
/** f64: arrival of the last instrument change, epoch microseconds */
export const FEED_STATS_LAST_UPDATE_MICROS = 26;
/** f64: arrival less SendingTime of the last message: the feed’s lag, if both clocks agree */
export const FEED_STATS_LAG_MICROS = 28;
/** f64: instruments in the table */
export const FEED_STATS_INSTRUMENTS = 30;
/** f64: instruments that have had their snapshot on this logon */
export const FEED_STATS_SUBSCRIBED = 32;
/** f64: instruments marked stale now */
export const FEED_STATS_STALE = 34;
/** f64, 14 elements: unused */
export const FEED_STATS_RESERVED = 36;

export const FAN_OUT_STATS_STRIDE_WORDS = 128;
/** f64: how many workers have had this role, this one counted */
export const FAN_OUT_STATS_GENERATION = 0;
/** f64: epoch milliseconds of the last turn of the worker’s loop; main ends a process that hangs */
export const FAN_OUT_STATS_BEAT_MILLIS = 2;
/** f64: how late the last turn of the worker’s 250 ms timer was: the delay of its event loop */
export const FAN_OUT_STATS_LOOP_LAG_MICROS = 4;
/** f64: WebSocket connections open now */
export const FAN_OUT_STATS_CONNECTIONS = 6;
/** f64: subscriptions held now */
export const FAN_OUT_STATS_SUBSCRIPTIONS = 8;
/** f64: connections opened */
export const FAN_OUT_STATS_OPENED = 10;
/** f64: connections closed, for whatever reason */
export const FAN_OUT_STATS_CLOSED = 12;
/** f64: connections refused, at the upgrade or before it */
export const FAN_OUT_STATS_REFUSED = 14;
/** f64: quotes handed to the kernel */
export const FAN_OUT_STATS_QUOTES_OUT = 16;
/** f64: WebSocket frames of quotes sent */
export const FAN_OUT_STATS_FRAMES_OUT = 18;
/** f64: payload bytes of those frames */
export const FAN_OUT_STATS_BYTES_OUT = 20;
/** f64: quotes sent whole: at a subscription, or after a connection fell behind */
export const FAN_OUT_STATS_SNAPSHOTS_OUT = 22;
/** f64: dirty instruments taken at ticks; updates in less these were conflated */
export const FAN_OUT_STATS_CHANGES_TAKEN = 24;
/** f64: changes held back by the differential filter */
export const FAN_OUT_STATS_FILTERED = 26;
/** f64: quotes not sent because their connection had no credit */
export const FAN_OUT_STATS_SKIPPED = 28;
/** f64: connections without credit now */
export const FAN_OUT_STATS_SLOW_CONNECTIONS = 30;
/** f64: slots left for the next tick because the writer was inside */
export const FAN_OUT_STATS_SLOT_RETRIES = 32;
/** f64: error replies and closes for bad input */
export const FAN_OUT_STATS_PROTOCOL_ERRORS = 34;
/** f64: the tick in force: the configured one, or longer under load */
export const FAN_OUT_STATS_EFFECTIVE_TICK_MICROS = 36;
/** f64: frames measured, arrival of the oldest change to hand-over to the kernel */
export const FAN_OUT_STATS_LATENCY_COUNT = 38;
/** f64: sum of those latencies, microseconds */
export const FAN_OUT_STATS_LATENCY_SUM_MICROS = 40;
/** f64, 17 elements: frames by latency; bounds in LATENCY_BUCKET_MS, the last is beyond */
export const FAN_OUT_STATS_LATENCY_BUCKETS = 42;
/** f64: garbage collections of the thread */
export const FAN_OUT_STATS_COLLECTIONS = 76;
/** f64, 25 elements: unused */
export const FAN_OUT_STATS_RESERVED = 78;

export const ORDER_STATS_STRIDE_WORDS = 64;
/** f64: how many workers have had this role, this one counted */
export const ORDER_STATS_GENERATION = 0;
/** f64: epoch milliseconds of the last turn of the worker’s loop; main ends a process that hangs */
export const ORDER_STATS_BEAT_MILLIS = 2;
/** f64: how late the last turn of the worker’s 250 ms timer was: the delay of its event loop */
export const ORDER_STATS_LOOP_LAG_MICROS = 4;
/** f64: OrderState: whether orders are taken */
export const ORDER_STATS_STATE = 6;
/** f64: order sessions that are configured */
export const ORDER_STATS_SESSIONS = 8;
/** f64: order sessions that are logged on */
export const ORDER_STATS_SESSIONS_UP = 10;
/** f64: accounts in memory */
export const ORDER_STATS_ACCOUNTS = 12;
/** f64: orders that are not done */
export const ORDER_STATS_LIVE_ORDERS = 14;
/** f64: commands taken from the rings and from operators */
export const ORDER_STATS_COMMANDS_IN = 16;
/** f64: commands refused */
export const ORDER_STATS_REFUSED = 18;
/** f64: reads of an account */
export const ORDER_STATS_READS_IN = 20;
/** f64: events pushed to fan-out workers */
export const ORDER_STATS_EVENTS_OUT = 22;
/** f64: pages of events that were read from the ledger for sockets that were behind */
export const ORDER_STATS_PAGES_OUT = 24;
/** f64: users for whom an answer ring had no room, so far */
export const ORDER_STATS_BEHIND = 26;
/** f64: batches committed */
export const ORDER_STATS_COMMITS = 28;
/** f64: calls of the database that failed, whatever the reason */
export const ORDER_STATS_COMMIT_FAILURES = 30;
/** f64: events made durable */
export const ORDER_STATS_EVENTS_COMMITTED = 32;
/** f64: sum of the time that batches took, microseconds */
export const ORDER_STATS_COMMIT_MICROS = 34;
/** f64: trades taken from the trade ring */
export const ORDER_STATS_TRADES_IN = 36;
/** f64: trades that were lapped before they were taken */
export const ORDER_STATS_TRADES_LOST = 38;
/** f64: alarms raised: what must not happen, and did */
export const ORDER_STATS_ALARMS = 40;
/** f64, 11 elements: unused */
export const ORDER_STATS_RESERVED = 42;
