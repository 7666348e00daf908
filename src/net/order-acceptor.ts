import { join } from 'node:path';
import { fixDictionary } from '../core/fix/fix-dictionaries.ts';
import type { FixMessage } from '../core/fix/fix-message.ts';
import type { FixSession } from '../core/fix/fix-session.ts';
import { HeldTargetStore } from '../core/fix/held-target-store.ts';
import {
  type FixApplication,
  type FixSessionProfile,
  type FixSessionSettings,
  type LogonIdentity,
  SESSION_DEFAULTS,
} from '../core/fix/session-contract.ts';
import { fixSessionId } from '../core/fix/store-state.ts';
import type { LedgerEvent } from '../core/ledger/ledger-event.ts';
import { type EventSource, FeedOfReports } from '../core/order-entry/client-feed.ts';
import { ClientReports } from '../core/order-entry/client-reports.ts';
import { ClientSession } from '../core/order-entry/client-session.ts';
import type { CommandOrigin, CommandReply, OrderCommand } from '../core/orders/order-command.ts';
import { ClientCursor } from './client-cursor.ts';
import type { FixClient } from './fix-clients.ts';
import { type FileFixStore, openFixStore } from './fix-store-file.ts';
import { type FixAcceptor, listenFix } from './fix-tcp.ts';
import type { FixTlsServer } from './fix-tls.ts';
import type { Log } from './log.ts';

/** What the acceptor reads of the ledger. */
export interface ClientLedger {
  /** Events of an account after `seq`, oldest first. */
  eventsAfter(userId: number, seq: number, limit: number): Promise<readonly LedgerEvent[]>;
  /** Of the account's last event; 0 for no account. */
  newestSeq(userId: number): Promise<number>;
  /** Visits events up to `seq`, oldest first, from the first one on that is about an order which was alive then. */
  eventsOfOpenOrders(userId: number, seq: number, visit: (event: LedgerEvent) => void): Promise<void>;
}

export interface OrderAcceptorOptions {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  /** Ours. */
  readonly compID: string;
  /** Serves TLS alone; null serves plain TCP. */
  readonly tls: FixTlsServer | null;
  readonly clients: readonly FixClient[];
  readonly storesDirectory: string;
  readonly ledger: ClientLedger;
  readonly symbolOf: (instrumentId: number) => string;
  readonly command: (command: OrderCommand) => void;
  readonly log: Log;
}

const PAGE_EVENTS = 200;
const TIMER_MS = 1_000;
const KEPT_MICROS = 2 * 86_400_000_000;
/** Turns of the timer between two looks for orders that are no longer asked after. */
const FORGET_TURNS = 3_600;

interface Client {
  readonly session: ClientSession;
  readonly store: FileFixStore;
  readonly cursor: ClientCursor;
  readonly profile: FixSessionProfile;
}

/** FIX 4.4 order entry and drop copies for institutional clients: one port, a session and a durable store each. */
export class OrderAcceptor implements FixApplication, EventSource {
  readonly #options: OrderAcceptorOptions;
  readonly #settings: FixSessionSettings;
  readonly #clients = new Map<string, Client>();
  readonly #channels = new Map<string, ClientSession>();
  readonly #timer: NodeJS.Timeout;
  #acceptor: FixAcceptor | undefined;
  #turns = 0;
  readonly #feeds: FeedOfReports[] = [];

  constructor(options: OrderAcceptorOptions) {
    this.#options = options;
    this.#settings = {
      ...SESSION_DEFAULTS,
      role: 'acceptor',
      senderCompID: options.compID,
      targetCompID: '',
      gapPolicy: 'resend',
      resetOnLogon: false,
      dictionary: fixDictionary(SESSION_DEFAULTS.beginString),
    };
    this.#timer = setInterval(() => this.#onTimer(), TIMER_MS);
  }

  get port(): number {
    return this.#acceptor?.port ?? 0;
  }

  /** Opens the stores, finds out how far each client has been told, and listens. STORE_DAMAGED, STORE_FAILED, LISTEN_FAILED, LEDGER_UNREACHABLE. */
  async open(): Promise<this> {
    for (const client of this.#options.clients) await this.#openClient(client);
    const { host, port, tls } = this.#options;
    this.#acceptor = await listenFix({ host, port, tls, session: this.#settings, application: this });
    return this;
  }

  /** Durable events of one account. */
  push(userId: number, events: readonly LedgerEvent[]): void {
    for (const { session } of this.#clients.values()) session.push(userId, events);
  }

  /** The answer to a command; false when no client asked. */
  answer(origin: CommandOrigin, reply: CommandReply): boolean {
    const session = this.#channels.get(origin.channel);
    session?.answer(origin, reply);
    return session !== undefined;
  }

  askEvents(feed: FeedOfReports, seq: number): void {
    this.#options.ledger.eventsAfter(feed.userId, seq, PAGE_EVENTS).then(
      (events) => feed.page(events),
      () => feed.page(null),
    );
  }

  identify(_session: FixSession, logon: LogonIdentity): FixSessionProfile | null {
    const { beginString, senderCompID } = this.#settings;
    if (logon.beginString !== beginString || logon.targetCompID !== senderCompID) return null;
    return this.#clients.get(logon.senderCompID)?.profile ?? null;
  }

  onLogon(session: FixSession): void {
    const { counterpartyCompID } = session;
    this.#options.log('info', 'a FIX client logged on', { client: counterpartyCompID });
    this.#sessionOf(session)?.onLogon(session);
  }

  onMessage(session: FixSession, message: FixMessage): void {
    this.#sessionOf(session)?.onMessage(session, message);
  }

  /** Sessions here have the policy `resend`. */
  onGap(): void {}

  onLogout(session: FixSession, text: string): void {
    const { counterpartyCompID } = session;
    if (counterpartyCompID === '') return;
    this.#options.log('info', 'a FIX client is gone', { client: counterpartyCompID, text });
    this.#sessionOf(session)?.onLogout(session);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#acceptor?.close('the engine stops');
    for (const { store, cursor, session } of this.#clients.values()) {
      await store.close();
      cursor.close(session.seqs);
    }
  }

  async #openClient({ settings, credentials }: FixClient): Promise<void> {
    const { compID, storesDirectory, command } = this.#options;
    const sessionId = fixSessionId(this.#settings.beginString, compID, settings.compID);
    const store = openFixStore({ directory: storesDirectory, sessionId });
    const held = new HeldTargetStore(store);
    const session = new ClientSession(settings, held, command);
    const cursor = new ClientCursor(join(storesDirectory, `${sessionId}.reported`), store);
    const seqs = cursor.load();
    const feeds: FeedOfReports[] = [];
    for (const userId of settings.userIds) feeds.push(await this.#openFeed(session, userId, seqs.get(userId)));
    session.attach(feeds);
    this.#feeds.push(...feeds);
    const profile = { settings: { ...this.#settings, targetCompID: settings.compID, credentials }, store: held };
    this.#clients.set(settings.compID, { session, store, cursor, profile });
    this.#channels.set(session.channel, session);
  }

  async #openFeed(session: ClientSession, userId: number, reportedSeq: number | undefined): Promise<FeedOfReports> {
    const { ledger, symbolOf } = this.#options;
    // Who was never told of an account begins with what happens from now on.
    const seq = reportedSeq ?? (await ledger.newestSeq(userId));
    const reports = new ClientReports(userId, symbolOf);
    await ledger.eventsOfOpenOrders(userId, seq, (event) => reports.take(event));
    const isUp = (): boolean => session.isUp;
    return new FeedOfReports(userId, seq, reports, this, { isUp, send: (report) => session.send(report) });
  }

  #sessionOf({ counterpartyCompID }: FixSession): ClientSession | undefined {
    return this.#clients.get(counterpartyCompID)?.session;
  }

  #onTimer(): void {
    for (const { session, cursor } of this.#clients.values()) {
      session.onTimer();
      cursor.onTimer(session.seqs);
    }
    if (++this.#turns % FORGET_TURNS !== 0) return;
    for (const { reports } of this.#feeds) reports.forgetDoneBefore(Date.now() * 1_000 - KEPT_MICROS);
  }
}
