import { type TradingDay, tradingDayAt } from '../core/day-roll/trading-day.ts';
import { OutcryError } from '../core/errors.ts';
import { moneyRulesAsOf } from '../core/ledger/money-rules.ts';
import { OrderPeers } from '../core/order-entry/order-peers.ts';
import type { CommandOrigin, CommandReply } from '../core/orders/order-command.ts';
import { AlarmKind, type OrderAlarm, type OrderEffects } from '../core/orders/order-effects.ts';
import { OrderService } from '../core/orders/order-service.ts';
import { type CommittedState, ORDER_SERVICE_DEFAULTS } from '../core/orders/order-service-parts.ts';
import { OrderWorkerState } from '../core/orders/order-worker-state.ts';
import { type LimitSettings, NO_RISK_LAYERS, type RiskLayers, RiskSettings } from '../core/risk/risk-settings.ts';
import * as stats from '../core/shm/generated/worker-stats.gen.ts';
import { WakeBell } from '../core/shm/wake-bell.ts';
import { PostgresClientLedger } from '../net/client-ledger.ts';
import { DropCopyClient } from '../net/drop-copy-client.ts';
import { LedgerPostgres } from '../net/ledger-postgres.ts';
import { LedgerReader } from '../net/ledger-reader.ts';
import { loadCommittedState } from '../net/ledger-state.ts';
import type { Log } from '../net/log.ts';
import { OrderAcceptor } from '../net/order-acceptor.ts';
import { readVenueCredentials } from '../net/venue-credentials.ts';
import { AccountServer } from './account-server.ts';
import type { Agent, ControlMessage } from './agent.ts';
import { DaySnapshots, snapshotThread } from './day-snapshots.ts';
import { FlushingListener } from './flushing-listener.ts';
import { Operators } from './operators.ts';
import { OrderLedger } from './order-ledger.ts';
import { BoardMarket, InstrumentRows } from './order-market.ts';
import { OrderVenue } from './order-venue.ts';
import type { Answer, Venue } from './process-messages.ts';
import { RingWatch } from './ring-watch.ts';
import { ANSWER_RING_BYTES, type OrderWiring } from './topology.ts';
import { TradeWatch } from './trade-watch.ts';

const MICROS_A_MILLI = 1_000;
/** How often trades are looked at for triggers. */
const TRADES_MS = 10;
/** Pause between two attempts to reach the database at the start. */
const LEDGER_RETRY_MS = 500;
/** Of the reason that an account is frozen for. */
const REASON_LENGTH_MAX = 200;
const SHARD = ORDER_SERVICE_DEFAULTS.shard;

/** The order role: the one writer of all accounts, between the fan-out workers, the venue and the ledger. */
export class OrderAgent implements Agent {
  readonly roleName: string;
  readonly #wiring: OrderWiring;
  readonly #log: Log;
  readonly #stats: Float64Array;
  readonly #instruments = new InstrumentRows();
  readonly #operators: Operators;
  #riskLayers: RiskLayers = NO_RISK_LAYERS;
  readonly #ledger: LedgerPostgres;
  readonly #reader: LedgerReader;
  readonly #trades: TradeWatch;
  readonly #peers: OrderPeers;
  readonly #watch: RingWatch;
  readonly #market: BoardMarket;
  #service: OrderService | undefined;
  #server: AccountServer | undefined;
  #venue: OrderVenue | undefined;
  #fixClients: OrderAcceptor | undefined;
  #dropCopy: DropCopyClient | undefined;
  #venueAddress: Venue | undefined;
  #onVenueAddress: (venue: Venue) => void = () => {};
  #tradeTimer: NodeJS.Timeout | undefined;
  readonly #snapshots: DaySnapshots;
  /** The trading day whose orders are in memory, and whose rules are in force. */
  #day: TradingDay;
  /** Limits have to be resolved anew, at the next quiet moment. */
  #isRiskDue = false;
  #isTurnOpen = false;
  #isClosing = false;

  constructor(wiring: OrderWiring, log: Log, report: (answer: Answer) => void) {
    const { buffers, settings, instrumentCapacity, generation } = wiring;
    this.roleName = wiring.roleName;
    this.#wiring = wiring;
    this.#log = log;
    this.#stats = new Float64Array(wiring.stats);
    this.#venueAddress = settings.venue;
    this.#instruments.load(wiring.rows);
    this.#market = new BoardMarket(buffers.board, instrumentCapacity);
    this.#ledger = new LedgerPostgres(settings.ledger, SHARD);
    this.#reader = new LedgerReader(settings.ledger);
    this.#trades = new TradeWatch(buffers.trades, this.#stats, log);
    this.#operators = new Operators(report);
    this.#day = tradingDayAt(nowMicros(), settings.marketHours);
    this.#snapshots = new DaySnapshots(() => snapshotThread({ target: settings.ledger, cpus: settings.restCpus }), log);
    const rings = buffers.commandRings.map((commands, i) => ({
      commands,
      answers: buffers.answerRings[i]!,
      bell: new WakeBell(buffers.fanOutBells[i]!),
    }));
    const host = {
      onCommand: (...asked: Parameters<AccountServer['onCommand']>) => this.#server?.onCommand(...asked),
      onRead: (...asked: Parameters<AccountServer['onRead']>) => this.#server?.onRead(...asked),
      onLogin: (...asked: Parameters<AccountServer['onLogin']>) => this.#server?.onLogin(...asked),
      onFill: (...asked: Parameters<AccountServer['onFill']>) => this.#server?.onFill(...asked),
    };
    const newestSeq = (userId: number): number => this.#server?.newestSeq(userId) ?? 0;
    this.#peers = new OrderPeers(rings, ANSWER_RING_BYTES, generation, host, newestSeq);
    this.#watch = new RingWatch(buffers.orderBell, () => {
      const hasMore = this.#peers.poll();
      this.#endTurn();
      return hasMore;
    });
  }

  async onStart(): Promise<void> {
    const block = this.#stats;
    block[stats.ORDER_STATS_STATE >> 1] = OrderWorkerState.Starting;
    block[stats.ORDER_STATS_SESSIONS >> 1] = this.#wiring.settings.sessions.length;
    block[stats.ORDER_STATS_SESSIONS_UP >> 1] = 0;
    await this.#readRiskLayers();
    const venue = this.#venueAddress ?? (await new Promise<Venue>((resolve) => (this.#onVenueAddress = resolve)));
    const opened = await this.#openLedger();
    if (opened === undefined) return;
    this.#open(opened.epoch, opened.committed, venue);
    await this.#openFixClients();
    this.#openDropCopy();
    this.#log('info', 'orders are looked after', {
      epoch: opened.epoch,
      accounts: block[stats.ORDER_STATS_ACCOUNTS >> 1],
    });
  }

  onTimer(nowMs: number): void {
    if (this.#service === undefined) return;
    this.#newDay(nowMs);
    this.#service.onTimer(nowMs * MICROS_A_MILLI);
    this.#server?.onTimer();
    this.#snapshots.onTimer(this.#service.dayRoll.doneDate, nowMs);
    this.#dropCopy?.onTimer(nowMs * MICROS_A_MILLI);
    this.#endTurn();
    this.#writeStats();
  }

  onControl(message: ControlMessage): void {
    switch (message.type) {
      case 'instruments':
        this.#instruments.load(message.rows);
        // Limits name instruments by symbol.
        this.#isRiskDue = true;
        break;
      case 'venue':
        this.#onVenue(message);
        break;
      case 'ledger':
        // Connections are made anew by themselves; another place is for another worker.
        if (JSON.stringify(message.target) !== JSON.stringify(this.#wiring.settings.ledger))
          throw new OutcryError('LEDGER_UNREACHABLE', 'the database has moved');
        break;
      case 'ask':
        this.#operators.ask(message, this.#service, nowMicros());
        this.#endTurn();
    }
  }

  /** What is not durable is given up: nobody was told of it, and the venue sends again what it told us. */
  async onClose(): Promise<void> {
    this.#isClosing = true;
    this.#stats[stats.ORDER_STATS_STATE >> 1] = OrderWorkerState.Closing;
    this.#watch.stop();
    clearInterval(this.#tradeTimer);
    await Promise.all([this.#fixClients?.close(), this.#dropCopy?.close(), this.#snapshots.close()]);
    await this.#venue?.close();
    await Promise.all([this.#ledger.close(), this.#reader.close()]);
  }

  /** Code for files of an operator is loaded where there is one: what checks them is half as large as all the rest. */
  async #readRiskLayers(): Promise<void> {
    const { riskLimitsFile } = this.#wiring.settings;
    if (riskLimitsFile === '') return;
    const { readRiskLayers } = await import('../net/risk-limits-file.ts');
    this.#riskLayers = readRiskLayers(riskLimitsFile);
  }

  /** Waits for a database that is away. Undefined: the worker is closing. */
  async #openLedger(): Promise<{ epoch: number; committed: CommittedState } | undefined> {
    while (!this.#isClosing) {
      try {
        const claim = await this.#ledger.claimShard();
        const committed = await loadCommittedState(this.#reader, claim, this.#day.openMicros);
        return { epoch: claim.epoch, committed };
      } catch (error) {
        if (!(error instanceof OutcryError) || !error.retryable) throw error;
        this.#log('error', 'the ledger cannot be loaded yet', { reason: error.message });
        await new Promise((resolve) => setTimeout(resolve, LEDGER_RETRY_MS));
      }
    }
    return undefined;
  }

  #open(epoch: number, committed: CommittedState, address: Venue): void {
    const { settings } = this.#wiring;
    this.#venueAddress = address;
    // The service takes its live orders over into the gateway, and the gateway tells the service: neither calls before both are there.
    const listener = new FlushingListener(
      () => this.#service!,
      () => this.#turnLater(),
      () => this.#writeStats(),
    );
    const mayReset = (name: string, nowMs: number): boolean =>
      this.#service?.dayRoll.mayReset(name, nowMs * MICROS_A_MILLI) === true;
    const venue = new OrderVenue(settings, address, listener, mayReset, this.#log);
    this.#venue = venue;
    const service = new OrderService(
      {
        ...ORDER_SERVICE_DEFAULTS,
        epoch,
        venue: { name: settings.targetCompID, marketHours: settings.marketHours },
      },
      { effects: this.#effects(venue), instruments: this.#instruments, risk: this.#risk(), market: this.#market },
      committed,
      nowMicros(),
    );
    this.#service = service;
    this.#server = new AccountServer({
      service,
      peers: this.#peers,
      reader: this.#reader,
      symbolOf: this.#instruments.symbolOf,
      stats: this.#stats,
      nowMicros,
      onAnswers: () => this.#turnLater(),
    });
    this.#writeStats();
    this.#tradeTimer = setInterval(() => this.#takeTrades(), TRADES_MS);
    this.#watch.start();
  }

  #openDropCopy(): void {
    const { dropCopy, storesDirectory, targetCompID, marketHours, username, passwordFile } = this.#wiring.settings;
    if (dropCopy === null) return;
    this.#dropCopy = new DropCopyClient({
      ...{ ...dropCopy, targetCompID, storesDirectory, marketHours, reader: this.#reader, log: this.#log },
      credentials: readVenueCredentials(username, passwordFile, process.env),
      symbolOf: this.#instruments.symbolOf,
      sideOf: (userId, orderID) => this.#service!.findAccount(userId)?.orders.get(orderID)?.side,
      onBreak: (userId, orderID, text) => this.#onBreak(userId, orderID, text),
    });
  }

  /** Our trades and the venue's are not the same: nothing more is built on the account before somebody has looked. */
  #onBreak(userId: number, orderID: number, text: string): void {
    if (userId === 0) {
      this.#alarm({ kind: AlarmKind.UnknownTrade, userId, orderID, text });
      return;
    }
    const origin = { channel: 'drop-copy', generation: 0, connection: 0, requestID: -1 };
    const reason = `drop copy: ${text}`.slice(0, REASON_LENGTH_MAX);
    this.#service!.command({ type: 'freeze', origin, userId, reason }, nowMicros());
    this.#turnLater();
  }

  async #openFixClients(): Promise<void> {
    const { fixClients, storesDirectory } = this.#wiring.settings;
    if (fixClients === null) return;
    const { file, ...rest } = fixClients;
    const { readFixClients } = await import('../net/fix-clients.ts');
    const acceptor = new OrderAcceptor({
      ...{ ...rest, storesDirectory, log: this.#log },
      clients: readFixClients(file),
      ledger: new PostgresClientLedger(this.#reader),
      symbolOf: this.#instruments.symbolOf,
      command: (command) => {
        this.#service!.command(command, nowMicros());
        this.#turnLater();
      },
    });
    this.#fixClients = acceptor;
    await acceptor.open();
    this.#log('info', 'FIX clients are served', { host: rest.host, port: acceptor.port });
  }

  #effects(venue: OrderVenue): OrderEffects {
    const turn = <A extends unknown[]>(tell: (...args: A) => void) => {
      return (...args: A): void => {
        // What the last call came to is for the next owner to find out: nothing more is asked of the database.
        if (this.#isClosing) return;
        tell(...args);
        this.#endTurn();
      };
    };
    const ledger = new OrderLedger(
      this.#ledger,
      this.#reader,
      {
        committed: turn((batchId, outcome) => this.#service!.committed(batchId, outcome, nowMicros())),
        batchAnswer: turn((batchId, answer) => this.#service!.batchAnswer(batchId, answer, nowMicros())),
        recalled: turn((wanted, found) => this.#service!.recalled(wanted, found, nowMicros())),
        reloaded: turn((accounts) => this.#service!.reloaded(accounts, nowMicros())),
      },
      this.#stats,
      () => this.#day.openMicros,
    );
    return {
      ledger,
      venue: venue.gateway,
      answer: (origin, reply) => this.#answer(origin, reply),
      push: (userId, events) => {
        this.#server!.push(userId, events);
        this.#fixClients?.push(userId, events);
        this.#dropCopy?.push(userId, events, nowMicros());
      },
      alarm: (alarm) => this.#alarm(alarm),
      fatal: (text) => {
        throw new OutcryError('LEDGER_TAKEN', text);
      },
    };
  }

  #answer(origin: CommandOrigin, reply: CommandReply): void {
    if (this.#operators.answer(origin, reply) || this.#fixClients?.answer(origin, reply)) return;
    this.#server!.answer(origin, reply);
  }

  #alarm({ kind, userId, orderID, text }: OrderAlarm): void {
    this.#stats[stats.ORDER_STATS_ALARMS >> 1]! += 1;
    this.#log('error', 'alarm', { kind, userId, orderID, reason: text });
  }

  #onVenue(venue: Venue): void {
    const before = this.#venueAddress;
    this.#venueAddress = venue;
    this.#onVenueAddress(venue);
    const { host, port, life } = venue;
    if (before === undefined || (before.host === host && before.port === port && before.life === life)) return;
    // Everything about its sessions begins anew, by the way that a start takes.
    throw new OutcryError('CONNECT_FAILED', 'the exchange began anew, and the order worker with it');
  }

  /** Money rules are dated; what ended on another trading day is no longer kept. Waits for a moment at which everything is durable. */
  #newDay(nowMs: number): void {
    const service = this.#service!;
    const day = tradingDayAt(nowMs * MICROS_A_MILLI, this.#wiring.settings.marketHours);
    const isNew = day.date !== this.#day.date;
    if (!(isNew || this.#isRiskDue) || service.pendingCount > 0) return;
    this.#day = day;
    this.#isRiskDue = false;
    service.setRisk(this.#risk());
    if (isNew) service.forgetDoneBefore(day.openMicros);
  }

  #risk(): RiskSettings {
    const { limits, instruments, users } = this.#riskLayers;
    const byId = new Map<number, LimitSettings>();
    for (const [symbol, layer] of instruments) {
      const row = this.#instruments.bySymbol(symbol);
      if (row !== undefined) byId.set(row.instrumentId, layer);
    }
    return new RiskSettings(moneyRulesAsOf(this.#day.date), this.#wiring.settings.riskProfile, limits, byId, users);
  }

  #takeTrades(): void {
    const service = this.#service!;
    const micros = nowMicros();
    this.#trades.take(service, micros);
    if (micros >= service.dueMicros) service.onTimer(micros);
    this.#endTurn();
  }

  /** Ends the turn once the rest of a read, or of a batch that was released, has been told. */
  #turnLater(): void {
    if (this.#isTurnOpen) return;
    this.#isTurnOpen = true;
    queueMicrotask(() => {
      this.#isTurnOpen = false;
      this.#endTurn();
    });
  }

  #endTurn(): void {
    if (this.#isClosing) return;
    this.#service?.flush(nowMicros());
    this.#peers.flush();
  }

  #writeStats(): void {
    const block = this.#stats;
    const service = this.#service!;
    block[stats.ORDER_STATS_ACCOUNTS >> 1] = service.accountCount;
    block[stats.ORDER_STATS_LIVE_ORDERS >> 1] = service.liveOrderCount;
    block[stats.ORDER_STATS_SESSIONS_UP >> 1] = this.#venue!.sessionsUp;
    block[stats.ORDER_STATS_BEHIND >> 1] = this.#peers.behindCount;
    if (this.#isClosing) return;
    block[stats.ORDER_STATS_STATE >> 1] = service.isLedgerAvailable
      ? OrderWorkerState.Serving
      : OrderWorkerState.LedgerAway;
  }
}

function nowMicros(): number {
  return Math.floor((performance.timeOrigin + performance.now()) * MICROS_A_MILLI);
}
