import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixDictionary } from '../core/fix/fix-dictionaries.ts';
import { SESSION_DEFAULTS } from '../core/fix/session-contract.ts';
import { SessionDays, type SessionScheduleSettings } from '../core/fix/session-schedule.ts';
import { fixSessionId } from '../core/fix/store-state.ts';
import type { VenueListener } from '../core/fix/venue-session.ts';
import { MarketHours } from '../core/market/calendar.ts';
import market from '../core/market/sessions.json' with { type: 'json' };
import { type FileFixStore, openFixStore } from '../net/fix-store-file.ts';
import type { Log } from '../net/log.ts';
import { readVenueCredentials } from '../net/venue-credentials.ts';
import { VenueGateway } from '../net/venue-gateway.ts';
import type { Venue } from './process-messages.ts';
import type { OrderSettings } from './topology.ts';

/** From before the pre-open until a day has been closed. */
const EXCHANGE_SESSION_HOURS = '08:45-17:00';
/** Requests that wait for the venue's limit, a session. */
const THROTTLE_QUEUE_MAX = 10_000;

/** The order sessions with their stores on the disk. */
export class OrderVenue {
  readonly gateway: VenueGateway;
  readonly #names: readonly string[];
  readonly #stores: readonly FileFixStore[];

  /** Connects. `mayReset` says whether the numbers of a session may begin anew: nothing of a day before is open on it. Raises STORE_DAMAGED, STORE_FAILED. */
  constructor(
    settings: OrderSettings,
    venue: Venue,
    listener: VenueListener,
    mayReset: (name: string, nowMs: number) => boolean,
    log: Log,
  ) {
    const { sessions, storesDirectory, targetCompID, messagesPerSecond } = settings;
    const { beginString } = SESSION_DEFAULTS;
    mkdirSync(storesDirectory, { recursive: true, mode: 0o700 });
    const stores = sessions.map((senderCompID) =>
      openFixStore({
        directory: storesDirectory,
        sessionId: fixSessionId(beginString, senderCompID, targetCompID),
      }),
    );
    this.#names = sessions;
    this.#stores = stores;
    if (venue.life !== '') beginAnew(venue.life, storesDirectory, stores, log);
    const credentials = readVenueCredentials(settings.username, settings.passwordFile, process.env);
    this.gateway = new VenueGateway({
      listener,
      commitsLater: true,
      schedule: sessionScheduleOf(settings),
      mayReset,
      // The time at which the numbers of a store began.
      lastActiveMs: (name) => stores[sessions.indexOf(name)]!.epoch,
      throttle: { messagesPerSecond, burst: Math.max(1, messagesPerSecond), queueMax: THROTTLE_QUEUE_MAX },
      sessions: sessions.map((senderCompID, position) => ({
        name: senderCompID,
        host: venue.host,
        port: venue.port,
        store: stores[position]!,
        tls: settings.tls,
        reconnectMinMs: settings.reconnectMinMs,
        reconnectMaxMs: settings.reconnectMaxMs,
        onConnection: (event, detail) => log('debug', `order session ${senderCompID} ${event}`, { detail }),
        session: {
          ...SESSION_DEFAULTS,
          role: 'initiator',
          senderCompID,
          targetCompID,
          heartBtIntSeconds: settings.heartBtIntSeconds,
          resetOnLogon: false,
          gapPolicy: 'resend',
          credentials,
          dictionary: fixDictionary(beginString),
        },
      })),
    });
  }

  get sessionsUp(): number {
    return this.#names.filter((name) => this.gateway.isUp(name)).length;
  }

  async close(): Promise<void> {
    await this.gateway.close('shutting down');
    await Promise.all(this.#stores.map((store) => store.close()));
  }
}

/** Around the clock a new day begins when the market's does. */
export function sessionScheduleOf({
  sessionHours,
  marketHours,
}: Pick<OrderSettings, 'sessionHours' | 'marketHours'>): SessionScheduleSettings {
  const isAlways = marketHours === MarketHours.Always;
  const hours = sessionHours || (isAlways ? `${market.open}-${market.open}` : EXCHANGE_SESSION_HOURS);
  const [start, end] = hours.split('-') as [string, string];
  return { days: isAlways ? SessionDays.All : SessionDays.Trading, start, end };
}

/** A simulator that began anew knows nothing of the numbers that we have with the one before. A real venue keeps its own. */
function beginAnew(life: string, storesDirectory: string, stores: readonly FileFixStore[], log: Log): void {
  const path = join(storesDirectory, 'simulator');
  if (existsSync(path) && readFileSync(path, 'utf8') === life) return;
  for (const store of stores) store.reset(Date.now());
  writeFileSync(path, life);
  log('info', 'the simulator began anew: order sessions begin at 1');
}
