import { Prng } from '../exchange/prng.ts';
import type { LedgerBatch } from '../ledger/ledger-batch.ts';
import type { LedgerEvent } from '../ledger/ledger-event.ts';
import { OrderStatus } from '../ledger/order.ts';
import type { CommandOrigin, CommandReply } from '../orders/order-command.ts';
import { AlarmKind, type OrderAlarm } from '../orders/order-effects.ts';
import { isReached } from '../orders/trigger-book.ts';
import type { AskedCommand } from './asked-command.ts';
import { BrokerNode, type NodeWorld, SHARD } from './broker-node.ts';
import { type BrokerSessions, SESSION_NAMES } from './broker-sessions.ts';
import { Coverage } from './coverage.ts';
import { CrashPoint, CrashTrap, SimulatedCrash } from './crash-points.ts';
import { DatabaseNetwork } from './database-link.ts';
import { auditAgreement } from './day-audit.ts';
import { DayEndAudit, type DayMoments } from './day-end-audit.ts';
import { Digest } from './digest.ts';
import { Findings, Invariant } from './findings.ts';
import { LedgerAudit } from './ledger-audit.ts';
import { ModelDatabase } from './model-database.ts';
import { ModelExchange } from './model-exchange.ts';
import { ModelStoreDisk } from './model-fix-store.ts';
import type { ModelTables } from './model-tables.ts';
import { OutwardAudit } from './outward-audit.ts';
import { Scheduler } from './scheduler.ts';
import { SIMULATED_INSTRUMENTS, SimulatedMarket } from './simulated-market.ts';
import { NO_TAMPERING, type Tampering } from './tampering.ts';
import { Traders } from './traders.ts';

const USERS = 60;
const FIRST_USER = 101;
const RESTART_MICROS_MIN = 20_000;
const RESTART_MICROS_RANGE = 400_000;
const TRADE_MICROS_MIN = 100;
const TRADE_MICROS_RANGE = 2_000;
const AGAIN_MICROS_RANGE = 600_000;

/**
 * One simulated day's world: users, engine, exchange, database and the wires between them, in one thread and on one clock. Everything that happens is an event of the
 * scheduler; every audit looks on.
 */
export class SimulatedWorld implements NodeWorld {
  readonly scheduler: Scheduler;
  readonly random: Prng;
  readonly exchange: ModelExchange;
  readonly disks: ReadonlyMap<string, ModelStoreDisk>;
  readonly network: DatabaseNetwork;
  readonly market = new SimulatedMarket();
  readonly trap = new CrashTrap();
  readonly tampering: Tampering;
  readonly findings: Findings;
  readonly coverage = new Coverage();
  readonly digest = new Digest();
  readonly traders: Traders;
  readonly outward: OutwardAudit;
  readonly ledgerAudit: LedgerAudit;
  readonly dayEnd: DayEndAudit;
  /** Null while the engine is down. */
  node: BrokerNode | null = null;
  inherited: ReadonlySet<number> = new Set();
  onCrash: () => void = () => {};
  readonly #database: ModelDatabase;
  readonly #moments: DayMoments;
  /** When the last trade reaches the engine. */
  #tradeSeenMicros = 0;

  constructor(seed: number, moments: DayMoments, tampering: Tampering = NO_TAMPERING) {
    this.#moments = moments;
    this.scheduler = new Scheduler(moments.openMicros);
    this.random = new Prng(seed);
    this.tampering = tampering;
    this.#database = new ModelDatabase(new Set(tampering.without));
    this.findings = new Findings(() => this.scheduler.nowMicros);
    this.network = new DatabaseNetwork(this.#database, this.scheduler, this.random, this);
    this.disks = new Map(SESSION_NAMES.map((name) => [name, new ModelStoreDisk()]));
    this.exchange = new ModelExchange(SIMULATED_INSTRUMENTS, SESSION_NAMES, 'X', this.scheduler, this.random);
    const users = Array.from({ length: USERS }, (_, position) => FIRST_USER + position);
    this.traders = new Traders(users, SIMULATED_INSTRUMENTS, (index) => this.exchange.middlePaise(index), this.random);
    this.outward = new OutwardAudit(this.findings, this.#database.tables);
    this.dayEnd = new DayEndAudit(this.findings, moments);
    this.ledgerAudit = new LedgerAudit(this.findings, this.exchange, this.dayEnd);
    this.exchange.onTrade = (index, pricePaise) => this.#tradeSeen(index, pricePaise);
    this.exchange.onRequest = (message) => this.outward.reachedExchange(message, this.scheduler.nowMicros);
  }

  get tables(): ModelTables {
    return this.#database.tables;
  }

  get sessions(): BrokerSessions | null {
    return this.node?.sessions ?? null;
  }

  get isAtRest(): boolean {
    const { node } = this;
    if (node === null || !node.isAtRest || this.outward.unansweredCount > 0 || this.#reachedStops.length > 0)
      return false;
    return SESSION_NAMES.every((name) => this.exchange.ends.get(name)!.underWayCount === 0);
  }

  /** For a finding: what keeps the world from coming to rest. */
  get whatMoves(): string {
    const { node, outward } = this;
    const wires = SESSION_NAMES.map((name) => this.exchange.ends.get(name)!.underWayCount);
    return `${node === null ? 'no engine' : node.whatMoves}; ${outward.unansweredCount} unanswered; to the exchange ${wires}; stop orders that should have fired: ${this.#reachedStops}`;
  }

  onTimer(): void {
    this.node?.onTimer();
    if (this.scheduler.nowMicros >= this.#moments.closeMicros) this.#auditResets();
    for (const end of this.exchange.ends.values()) end.session!.onTimer(this.scheduler.nowMs);
  }

  /** Lets the next event happen. What the engine dies of ends with it. */
  step(): void {
    try {
      this.scheduler.step();
    } catch (error) {
      if (error instanceof SimulatedCrash) {
        for (const state of this.node?.orderStates() ?? []) this.coverage.add(error.point, state);
      } else {
        this.findings.add(
          Invariant.EngineLives,
          error instanceof Error ? (error.stack ?? error.message) : String(error),
        );
      }
      this.#engineDied();
    }
  }

  start(): void {
    const node = new BrokerNode(this);
    this.node = node;
    this.trap.isInState = (state) => node.isInState(state);
    this.outward.lifeBegan();
    node.start();
  }

  ask(asked: AskedCommand): void {
    if (this.node === null) return;
    this.outward.asked(asked);
    this.node.command(asked.command);
  }

  auditAtRest(): void {
    this.outward.auditAtRest();
    auditAgreement(this.exchange.record, this.tables, this.ledgerAudit, this.findings);
    this.dayEnd.atRest(this.ledgerAudit.accounts.values(), this.scheduler.nowMicros);
  }

  committed(batch: LedgerBatch): void {
    const { digest, findings } = this;
    digest.add(this.scheduler.nowMicros);
    digest.add(batch.batchId);
    const owner = this.tables.owners.get(SHARD)!;
    findings.check(
      batch.epoch === owner.epoch,
      Invariant.OneOwner,
      () => `a batch of epoch ${batch.epoch} is committed, the owner has ${owner.epoch}`,
    );
    for (const event of batch.events) {
      digest.add(event.userId);
      digest.add(event.seq);
      digest.add(event.detail.type);
      for (const { amountPaise } of event.postings) digest.add(amountPaise);
    }
    this.ledgerAudit.batchCommitted(batch);
    if (this.node !== null && batch.epoch === owner.epoch) this.trap.pass(CrashPoint.CommitDone);
  }

  answered(origin: CommandOrigin, reply: CommandReply): void {
    this.digest.addText(reply.kind);
    const command = this.outward.answered(origin, reply);
    if (command !== undefined) this.traders.answered(command, reply);
  }

  sent(name: string, bytes: Uint8Array): void {
    this.outward.sent(name, bytes);
  }

  pushed(userId: number, events: readonly LedgerEvent[]): void {
    this.outward.pushed(userId, events);
    this.traders.pushed(userId, events);
  }

  /** Some alarms are what faults cause; these are not. */
  alarmed({ kind, text, userId, orderID }: OrderAlarm): void {
    if (kind === AlarmKind.LedgerRefused)
      this.findings.add(Invariant.DatabaseAgrees, `user ${userId}, order ${orderID}: ${text}`);
    else if (UNEXPECTED_ALARMS.has(kind))
      this.findings.add(Invariant.BrokerAndExchangeAgree, `${kind}, user ${userId}, order ${orderID}: ${text}`);
  }

  ended(text: string): void {
    this.findings.add(Invariant.OneOwner, `the engine ended: ${text}`);
  }

  /** Stop orders whose trigger the market has passed: they must not rest. */
  get #reachedStops(): number[] {
    if (!this.exchange.isOpen) return [];
    const reached: number[] = [];
    for (const { orderID, status, side, instrumentId, terms } of this.tables.orders.values()) {
      if (status !== OrderStatus.TriggerPending) continue;
      const lastPaise = this.exchange.lastTradedPaise(instrumentId);
      if (lastPaise > 0 && isReached(side, terms.triggerPricePaise, lastPaise)) reached.push(orderID);
    }
    return reached;
  }

  #engineDied(): void {
    const { node } = this;
    if (node === null) return;
    this.inherited = new Set(node.underWay().keys());
    node.die();
    this.node = null;
    this.onCrash();
    for (const { command } of this.outward.takeUnanswered()) {
      // Who gets no answer asks again, where that is safe.
      const isSafe = command.type === 'place' ? command.clientOrderID !== '' : 'reference' in command;
      if (!isSafe && command.type !== 'open-account') continue;
      const again = this.traders.again(command);
      this.scheduler.after(RESTART_MICROS_RANGE + this.random.below(AGAIN_MICROS_RANGE), () => this.ask(again));
    }
    this.#restartSoon();
  }

  #restartSoon(): void {
    const micros = RESTART_MICROS_MIN + this.random.below(RESTART_MICROS_RANGE);
    this.scheduler.after(micros, () => {
      if (this.network.isAway) this.#restartSoon();
      else this.start();
    });
  }

  #auditResets(): void {
    const { node, ledgerAudit } = this;
    if (node === null) return;
    for (const name of SESSION_NAMES) {
      if (!node.mayReset(name)) continue;
      for (const userId of ledgerAudit.accounts.keys())
        if (node.sessionNameOf(userId) === name) this.dayEnd.mayReset(name, ledgerAudit.liveOrders(userId));
    }
  }

  /** A feed has an order: a trade is seen after those before it. */
  #tradeSeen(index: number, pricePaise: number): void {
    const { scheduler, random } = this;
    const seenMicros = scheduler.nowMicros + TRADE_MICROS_MIN + random.below(TRADE_MICROS_RANGE);
    this.#tradeSeenMicros = Math.max(this.#tradeSeenMicros, seenMicros);
    scheduler.at(this.#tradeSeenMicros, () => {
      const seen = this.tampering.trade?.(pricePaise, index) ?? pricePaise;
      this.market.traded(index, seen);
      this.node?.traded(index, seen);
    });
  }
}

const UNEXPECTED_ALARMS: ReadonlySet<AlarmKind> = new Set([
  AlarmKind.UnknownOrder,
  AlarmKind.Overfill,
  AlarmKind.VenueDiffers,
  AlarmKind.UnknownTrade,
  AlarmKind.UnexpectedMessage,
  AlarmKind.Expired,
]);
