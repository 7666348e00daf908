import { join } from 'node:path';
import type { MarketHours } from '../core/market/calendar.ts';
import type { InstrumentRow } from '../core/market-data/instrument-row.ts';
import { quoteBoardByteLength } from '../core/market-data/quote-board.ts';
import type { RiskProfile } from '../core/risk/risk-limits.ts';
import { broadcastRingByteLength } from '../core/shm/broadcast-ring.ts';
import { dirtyBitmapByteLength } from '../core/shm/dirty-bitmap.ts';
import { TRADE_RECORD_STRIDE_WORDS } from '../core/shm/generated/broadcast-ring.gen.ts';
import {
  ENGINE_STATS_STRIDE_WORDS,
  FAN_OUT_STATS_STRIDE_WORDS,
  FEED_STATS_STRIDE_WORDS,
  ORDER_STATS_STRIDE_WORDS,
} from '../core/shm/generated/worker-stats.gen.ts';
import { BYTES_PER_WORD } from '../core/shm/layout.ts';
import { spscRingByteLength } from '../core/shm/spsc-ring.ts';
import { WAKE_BELL_BYTES } from '../core/shm/wake-bell.ts';
import type { ClientTls } from '../net/client-tls.ts';
import type { Config } from '../net/config.ts';
import type { FixTlsClient, FixTlsServer } from '../net/fix-tls.ts';
import { parseHostPort } from '../net/host-port.ts';
import type { LedgerTarget } from '../net/ledger-target.ts';
import { STORES_DIRECTORY } from '../net/store-view.ts';
import type { Venue } from './process-messages.ts';

/**
 * Every buffer that threads of the engine share, and who touches it. The main thread allocates all of them before any
 * worker starts; a replaced worker gets the same ones, so nothing is lost with the thread that died.
 *
 * | buffer           | writer                     | readers                              |
 * | ---------------- | -------------------------- | ------------------------------------ |
 * | board            | feed                       | every fan-out worker                 |
 * | dirtySets[w]     | feed sets, worker w takes  | fan-out worker w                     |
 * | trades           | feed                       | order worker; candles and alerts to come |
 * | commandRings[w]  | fan-out worker w           | order worker                         |
 * | answerRings[w]   | order worker               | fan-out worker w                     |
 * | orderBell        | rung by fan-out workers    | order worker sleeps on it            |
 * | fanOutBells[w]   | rung by the order worker   | fan-out worker w sleeps on it        |
 * | engineStats      | main                       | every fan-out worker (metrics)       |
 * | feedStats        | feed                       | main, every fan-out worker           |
 * | fanOutStats[w]   | fan-out worker w           | main, every fan-out worker           |
 * | orderStats       | order worker               | main, every fan-out worker           |
 */
export interface SharedBuffers {
  readonly board: SharedArrayBuffer;
  /** One dirty set for each fan-out worker, which deals what it takes out to its phase groups. */
  readonly dirtySets: readonly SharedArrayBuffer[];
  readonly trades: SharedArrayBuffer;
  readonly commandRings: readonly SharedArrayBuffer[];
  readonly answerRings: readonly SharedArrayBuffer[];
  readonly orderBell: SharedArrayBuffer;
  readonly fanOutBells: readonly SharedArrayBuffer[];
  readonly engineStats: SharedArrayBuffer;
  readonly feedStats: SharedArrayBuffer;
  readonly fanOutStats: readonly SharedArrayBuffer[];
  readonly orderStats: SharedArrayBuffer;
}

export interface FeedSettings {
  /** Undefined until the simulator has told its port; a `venue` control message brings it. */
  readonly venue: { readonly host: string; readonly port: number } | undefined;
  readonly senderCompID: string;
  readonly targetCompID: string;
  readonly heartBtIntSeconds: number;
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
  readonly tls: FixTlsClient | null;
  /** Username(553); the feed worker reads the password itself, so that it is in no message between threads. */
  readonly username: string;
  readonly passwordFile: string;
  /** An instrument that was quoted and then silent for so long is stale; 0 is never. */
  readonly staleAfterMs: number;
  /** Silence counts only while this calendar has continuous trading. */
  readonly marketHours: MarketHours;
}

export interface FanOutSettings {
  readonly host: string;
  /** Never 0: several workers share it. */
  readonly port: number;
  /** Null for plain TCP. */
  readonly tls: ClientTls | null;
  readonly tickMs: number;
  readonly phaseGroups: number;
  /** Default of the differential filter, 1/100 of a per cent of the price last sent. */
  readonly filterBps: number;
  /** Origins of web pages that may connect besides our own host's. */
  readonly allowedOrigins: readonly string[];
  /** Connections that this worker takes. */
  readonly maxConnections: number;
  readonly maxSubscriptionsPerConnection: number;
  readonly marketHours: MarketHours;
  /** Built page and its files; served from memory. */
  readonly publicDir: string;
  /** Null where no orders are taken. The worker reads the secret itself, so that it is in no message between threads. */
  readonly tokens: { readonly dataDir: string; readonly secretFile: string } | null;
}

/** What every worker gets. All wirings are plain objects: they cross as `workerData`. */
export interface WorkerWiring {
  /** `feed`, `fan-out-0`, … */
  readonly roleName: string;
  /** 1 for the first worker of the role in this process; a replacement has one more. */
  readonly generation: number;
  /** The role's own block in `buffers`; the runner writes generation, beat and lateness into its head. */
  readonly stats: SharedArrayBuffer;
  /** CPUs that the thread keeps to; none leaves it to the kernel. */
  readonly cpus: readonly number[];
  /** Whether `drill` is obeyed. */
  readonly drills: boolean;
  readonly buffers: SharedBuffers;
  readonly instrumentCapacity: number;
  readonly rows: readonly InstrumentRow[];
}

export interface FeedWiring extends WorkerWiring {
  readonly settings: FeedSettings;
}

export interface FanOutWiring extends WorkerWiring {
  /** Which fan-out worker: indexes `buffers.dirtySets` and `buffers.fanOutStats`. */
  readonly workerIndex: number;
  readonly settings: FanOutSettings;
}

export interface OrderSettings {
  /** Undefined until the simulator has told its port; a `venue` control message brings it. */
  readonly venue: Venue | undefined;
  readonly ledger: LedgerTarget;
  /** For threads that it makes for work at leisure. */
  readonly restCpus: readonly number[];
  readonly riskProfile: RiskProfile;
  /** Absolute; '' for none. */
  readonly riskLimitsFile: string;
  /** SenderCompID(49) of each order session. */
  readonly sessions: readonly string[];
  readonly targetCompID: string;
  readonly heartBtIntSeconds: number;
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
  readonly tls: FixTlsClient | null;
  readonly username: string;
  readonly passwordFile: string;
  /** HH:MM-HH:MM in India; '' as the market's hours have it. */
  readonly sessionHours: string;
  /** The venue's limit, for each session; 0 for none. */
  readonly messagesPerSecond: number;
  /** Of the sessions' stores. */
  readonly storesDirectory: string;
  readonly marketHours: MarketHours;
  /** Where the venue's drop copy of our trades comes from; null for none. */
  readonly dropCopy: { readonly host: string; readonly port: number; readonly senderCompID: string } | null;
  /** Where FIX clients are served, by the file that lists them; null serves none. The worker reads passwords itself. */
  readonly fixClients: {
    readonly file: string;
    readonly host: string;
    readonly port: number;
    readonly compID: string;
    readonly tls: FixTlsServer | null;
  } | null;
}

export interface OrderWiring extends WorkerWiring {
  readonly settings: OrderSettings;
}

export function orderSettings(
  { values, ...config }: Config,
  venue: OrderSettings['venue'],
  ledger: LedgerTarget,
): OrderSettings {
  return {
    venue,
    ledger,
    restCpus: config.corePlan?.rest ?? [],
    riskProfile: values.risk_profile,
    riskLimitsFile: config.riskLimitsFile,
    sessions: config.orderSessions,
    targetCompID: values.target_comp_id,
    heartBtIntSeconds: values.heartbeat_seconds,
    reconnectMinMs: config.reconnectMinMs,
    reconnectMaxMs: config.reconnectMaxMs,
    tls: config.venueTls,
    username: values.venue_username,
    passwordFile: config.venuePasswordFile,
    sessionHours: values.order_session_hours,
    messagesPerSecond: values.order_messages_per_second,
    storesDirectory: join(config.dataDir, STORES_DIRECTORY),
    marketHours: values.market_hours,
    dropCopy:
      values.drop_copy_venue === ''
        ? null
        : { ...parseHostPort(values.drop_copy_venue)!, senderCompID: values.drop_copy_comp_id },
    fixClients:
      config.fixClientsFile === '' || values.fix_clients_port === 0
        ? null
        : {
            file: config.fixClientsFile,
            host: values.fix_clients_host,
            port: values.fix_clients_port,
            compID: values.sender_comp_id,
            tls: config.fixClientsTls,
          },
  };
}

export function feedSettings({ values, ...config }: Config, venue: FeedSettings['venue']): FeedSettings {
  return {
    venue,
    senderCompID: values.sender_comp_id,
    targetCompID: values.target_comp_id,
    heartBtIntSeconds: values.heartbeat_seconds,
    reconnectMinMs: config.reconnectMinMs,
    reconnectMaxMs: config.reconnectMaxMs,
    tls: config.venueTls,
    username: values.venue_username,
    passwordFile: config.venuePasswordFile,
    staleAfterMs: values.stale_after_ms,
    marketHours: values.market_hours,
  };
}

export function fanOutSettings(config: Config, port: number, publicDir: string): FanOutSettings {
  const { values, fanOutWorkers } = config;
  return {
    host: values.host,
    port,
    tls: config.clientTls,
    tickMs: values.tick_ms,
    phaseGroups: values.phases,
    filterBps: values.filter_bps,
    allowedOrigins: values.origins === '' ? [] : values.origins.split(','),
    // The kernel deals connections evenly, not exactly: a tenth more keeps one worker from refusing while another has room.
    maxConnections: Math.ceil((values.max_connections / fanOutWorkers) * (fanOutWorkers === 1 ? 1 : 1.1)),
    maxSubscriptionsPerConnection: values.max_subscriptions,
    marketHours: values.market_hours,
    publicDir,
    tokens: config.orderSessions.length === 0 ? null : { dataDir: config.dataDir, secretFile: config.tokenSecretFile },
  };
}

/** Trades that a reader may fall behind before it is lapped: over half a second of trades at 100,000 updates/s. */
const TRADE_RING_RECORDS = 1 << 16;
/** A command is some 250 bytes, so that 4,000 wait before one is refused. */
export const COMMAND_RING_BYTES = 1 << 20;
/** An event is some 500 bytes, a page of a read up to 60,000; what finds no room is read from the ledger later. */
export const ANSWER_RING_BYTES = 1 << 22;

export interface TopologySize {
  readonly instrumentCapacity: number;
  readonly fanOutWorkers: number;
}

export function allocateBuffers(size: TopologySize): SharedBuffers {
  const { instrumentCapacity, fanOutWorkers } = size;
  return {
    board: new SharedArrayBuffer(quoteBoardByteLength(instrumentCapacity)),
    dirtySets: times(fanOutWorkers, () => new SharedArrayBuffer(dirtyBitmapByteLength(instrumentCapacity))),
    trades: new SharedArrayBuffer(broadcastRingByteLength(TRADE_RECORD_STRIDE_WORDS, TRADE_RING_RECORDS)),
    commandRings: times(fanOutWorkers, () => new SharedArrayBuffer(spscRingByteLength(COMMAND_RING_BYTES))),
    answerRings: times(fanOutWorkers, () => new SharedArrayBuffer(spscRingByteLength(ANSWER_RING_BYTES))),
    orderBell: new SharedArrayBuffer(WAKE_BELL_BYTES),
    fanOutBells: times(fanOutWorkers, () => new SharedArrayBuffer(WAKE_BELL_BYTES)),
    engineStats: new SharedArrayBuffer(ENGINE_STATS_STRIDE_WORDS * BYTES_PER_WORD),
    feedStats: new SharedArrayBuffer(FEED_STATS_STRIDE_WORDS * BYTES_PER_WORD),
    fanOutStats: times(fanOutWorkers, () => new SharedArrayBuffer(FAN_OUT_STATS_STRIDE_WORDS * BYTES_PER_WORD)),
    orderStats: new SharedArrayBuffer(ORDER_STATS_STRIDE_WORDS * BYTES_PER_WORD),
  };
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}
