import { type MarketHours, SessionPhase, sessionPhase } from '../core/market/calendar.ts';
import {
  FEED_STATS_BEAT_MILLIS,
  FEED_STATS_GENERATION,
  FEED_STATS_INSTRUMENTS,
  FEED_STATS_LAST_UPDATE_MICROS,
  FEED_STATS_SESSION_STATE,
  FEED_STATS_STALE,
  FEED_STATS_SUBSCRIBED,
  ORDER_STATS_ACCOUNTS,
  ORDER_STATS_ALARMS,
  ORDER_STATS_COMMANDS_IN,
  ORDER_STATS_EVENTS_COMMITTED,
  ORDER_STATS_LIVE_ORDERS,
  ORDER_STATS_REFUSED,
  ORDER_STATS_SESSIONS,
  ORDER_STATS_SESSIONS_UP,
  ORDER_STATS_STATE,
} from '../core/shm/generated/worker-stats.gen.ts';

/** FEED_STATS_SESSION_STATE of a session that is logged on. */
export const LOGGED_ON = 2;
/** Quotes that stopped for longer do not flow. */
const QUIET_MAX_MS = 5_000;
/** A worker whose beat is older hangs; the process that holds it is ended. */
export const BEAT_MAX_MS = 5_000;

/** The stats blocks of the whole engine, as any thread of it may read them. */
export interface EngineView {
  readonly engine: Float64Array;
  readonly feed: Float64Array;
  readonly fanOut: readonly Float64Array[];
  /** Undefined where no orders are taken. */
  readonly orders: Float64Array | undefined;
  readonly marketHours: MarketHours;
}

/**
 * Why quotes do not flow, or why nobody looks after orders; undefined when neither is so. Outside market hours a logged-on feed is enough: nothing moves
 * then. While the ledger's database is away orders are refused with a code, and quotes flow.
 */
export function notReadyReason(view: EngineView, nowMs: number): string | undefined {
  const { feed } = view;
  if (feed[FEED_STATS_SESSION_STATE >> 1] !== LOGGED_ON) return 'the feed is not logged on';
  if (feed[FEED_STATS_SUBSCRIBED >> 1] === 0) return 'no instrument has had its snapshot yet';
  const quietMs = nowMs - (feed[FEED_STATS_LAST_UPDATE_MICROS >> 1] as number) / 1_000;
  const open = sessionPhase(nowMs * 1_000, view.marketHours) === SessionPhase.Continuous;
  if (open && quietMs > QUIET_MAX_MS) return `no quote for ${Math.round(quietMs / 1_000)} s`;
  const state = ordersSummary(view)?.state;
  return state === 'starting' || state === 'closing' ? `the order worker is ${state}` : undefined;
}

export interface OrdersSummary {
  readonly state: (typeof ORDER_STATES)[number];
  readonly sessions: number;
  readonly sessionsUp: number;
  readonly accounts: number;
  readonly liveOrders: number;
  readonly commands: number;
  readonly refused: number;
  readonly eventsCommitted: number;
  readonly alarms: number;
}

/** By OrderWorkerState. */
const ORDER_STATES = ['starting', 'serving', 'ledger away', 'closing'] as const;

/** Undefined where no orders are taken. */
export function ordersSummary({ orders }: EngineView): OrdersSummary | undefined {
  if (orders === undefined) return undefined;
  const at = (offset: number): number => orders[offset >> 1] as number;
  return {
    state: ORDER_STATES[at(ORDER_STATS_STATE)] ?? 'starting',
    sessions: at(ORDER_STATS_SESSIONS),
    sessionsUp: at(ORDER_STATS_SESSIONS_UP),
    accounts: at(ORDER_STATS_ACCOUNTS),
    liveOrders: at(ORDER_STATS_LIVE_ORDERS),
    commands: at(ORDER_STATS_COMMANDS_IN),
    refused: at(ORDER_STATS_REFUSED),
    eventsCommitted: at(ORDER_STATS_EVENTS_COMMITTED),
    alarms: at(ORDER_STATS_ALARMS),
  };
}

export interface WorkerHealth {
  readonly worker: string;
  /** 1 for the first worker of the role, one more for each replacement. */
  readonly generation: number;
  readonly beatAgeMs: number;
  readonly alive: boolean;
}

export interface Health {
  readonly status: 'ok' | 'degraded';
  readonly pid: number;
  readonly workers: readonly WorkerHealth[];
}

/** Whether every thread of the process still turns. */
export function health(view: EngineView, nowMs: number): Health {
  const workers = workerBlocks(view).map(([worker, stats]) => {
    const beatAgeMs = Math.max(0, nowMs - (stats[FEED_STATS_BEAT_MILLIS >> 1] as number));
    const generation = stats[FEED_STATS_GENERATION >> 1] as number;
    return { worker, generation, beatAgeMs, alive: generation > 0 && beatAgeMs <= BEAT_MAX_MS };
  });
  const status = workers.every((worker) => worker.alive) ? 'ok' : 'degraded';
  return { status, pid: process.pid, workers };
}

/** Every thread's name and block; their heads are alike. */
export function workerBlocks(view: EngineView): (readonly [string, Float64Array])[] {
  return [
    ['main', view.engine] as const,
    ['feed', view.feed] as const,
    ...view.fanOut.map((stats, index) => [`fan-out-${index}`, stats] as const),
    ...(view.orders === undefined ? [] : [['orders', view.orders] as const]),
  ];
}

export interface FeedSummary {
  readonly loggedOn: boolean;
  readonly instruments: number;
  readonly subscribed: number;
  readonly stale: number;
}

export function feedSummary({ feed }: EngineView): FeedSummary {
  return {
    loggedOn: feed[FEED_STATS_SESSION_STATE >> 1] === LOGGED_ON,
    instruments: feed[FEED_STATS_INSTRUMENTS >> 1] as number,
    subscribed: feed[FEED_STATS_SUBSCRIBED >> 1] as number,
    stale: feed[FEED_STATS_STALE >> 1] as number,
  };
}
