import { DayStep } from '../day-roll/day-duty.ts';
import type { BatchAnswer, CommitOutcome, LedgerBatch } from '../ledger/ledger-batch.ts';
import type { LedgerEvent } from '../ledger/ledger-event.ts';
import { clOrdIDOf, isTerminal, type Order } from '../ledger/order.ts';
import { MarketHours } from '../market/calendar.ts';
import type { CommandOrigin, CommandReply, OrderCommand } from '../orders/order-command.ts';
import type { LedgerEffects, OrderAlarm, OrderEffects, VenueEffects, WantedOrder } from '../orders/order-effects.ts';
import { OrderService } from '../orders/order-service.ts';
import { ORDER_SERVICE_DEFAULTS } from '../orders/order-service-parts.ts';
import { BrokerSessions, type SessionsWorld } from './broker-sessions.ts';
import { CrashPoint, type CrashTrap, type OrderState, orderStateOf } from './crash-points.ts';
import { DatabaseLink, type DatabaseNetwork } from './database-link.ts';
import { loadAccount } from './model-loader.ts';
import type { ModelTables } from './model-tables.ts';
import type { WireProbe } from './model-wire.ts';
import { NodeListener } from './node-listener.ts';
import { SIMULATED_DIRECTORY, SIMULATED_RISK, type SimulatedMarket } from './simulated-market.ts';

/** So few that a busy second has batches that are full. */
const BATCH_INPUTS_FULL = 3;
export const SHARD = 1;

/** What an engine's life happens in, and who watches what leaves it. */
export interface NodeWorld extends SessionsWorld {
  readonly network: DatabaseNetwork;
  readonly tables: ModelTables;
  readonly market: SimulatedMarket;
  readonly trap: CrashTrap;
  /** Orders that something was under way for when the engine before died. */
  readonly inherited: ReadonlySet<number>;
  answered(origin: CommandOrigin, reply: CommandReply): void;
  /** A message left on a session. */
  sent(name: string, bytes: Uint8Array): void;
  pushed(userId: number, events: readonly LedgerEvent[]): void;
  alarmed(alarm: OrderAlarm): void;
  ended(text: string): void;
}

/** One life of the engine: the order service with real FIX sessions, a link to the model database, and a trap at every step. */
export class BrokerNode implements OrderEffects, LedgerEffects {
  readonly ledger: LedgerEffects = this;
  readonly venue: VenueEffects;
  readonly sessions: BrokerSessions;
  readonly #world: NodeWorld;
  readonly #service: OrderService;
  readonly #link: DatabaseLink;
  /** The last that was given before this life. */
  readonly #lastOrderID: number;
  /** The batch on its way, and the one whose effects leave. */
  #batch: LedgerBatch | null = null;
  #released: LedgerBatch | null = null;
  #leftCount = 0;
  #asksDatabase = 0;
  #isDead = false;

  /** Takes the shard over and loads what is committed. */
  constructor(world: NodeWorld) {
    this.#world = world;
    const { network, tables, tampering } = world;
    const { epoch, lastBatchId } = network.database.claimShard(SHARD);
    this.#link = new DatabaseLink(network, SHARD, epoch);
    const listener = new NodeListener(() => this.#service, tampering, {
      settled: (name, isSettled) => this.sessions.settled(name, isSettled),
      after: () => this.#service.flush(this.#nowMicros),
      inherited: (name) => this.#inherited(name),
    });
    this.sessions = new BrokerSessions(world, listener, (name) => this.#probe(name));
    this.venue = this.sessions.effects(() => this.#left());
    const settings = {
      ...ORDER_SERVICE_DEFAULTS,
      shard: SHARD,
      batchInputsFull: BATCH_INPUTS_FULL,
      epoch,
      venue: { name: 'NSE', marketHours: MarketHours.Nse },
    };
    const parts = { effects: this, instruments: SIMULATED_DIRECTORY, risk: SIMULATED_RISK, market: world.market };
    const { lastOrderID } = tables;
    this.#lastOrderID = lastOrderID;
    const accounts = [...tables.accounts.keys()].map((userId) => this.#load(userId)!);
    const sessions = tampering.forgetsDeliveries === true ? [] : [...tables.sessions.values()];
    const committed = { accounts, sessions, lastOrderID, lastBatchId };
    this.#service = new OrderService(settings, parts, committed, this.#nowMicros);
  }

  get isAtRest(): boolean {
    return this.#asksDatabase === 0 && this.#service.pendingCount === 0 && this.#isDayInOrder && this.sessions.isAtRest;
  }

  get whatMoves(): string {
    const { pendingCount, dayRoll } = this.#service;
    const batch = this.#batch === null ? 'no' : 'a';
    return `${pendingCount} inputs wait, ${batch} batch is on its way, the day is in ${JSON.stringify(dayRoll.progress())}, sessions ${this.sessions.whatMoves}`;
  }

  /** Whether the engine would let the numbers of a session begin anew. */
  mayReset(sessionName: string): boolean {
    return this.#service.dayRoll.mayReset(sessionName, this.#nowMicros);
  }

  sessionNameOf(userId: number): string {
    return this.venue.sessionNameOf(String(userId));
  }

  start(): void {
    this.#world.trap.pass(CrashPoint.Loaded);
    this.sessions.connect();
  }

  command(command: OrderCommand): void {
    this.#service.command(this.#world.tampering.command?.(command) ?? command, this.#nowMicros);
    this.#service.flush(this.#nowMicros);
  }

  traded(instrumentIndex: number, pricePaise: number): void {
    this.#service.trade(instrumentIndex, pricePaise, this.#nowMicros);
    this.#service.flush(this.#nowMicros);
  }

  onTimer(): void {
    this.#service.onTimer(this.#nowMicros);
    this.sessions.onTimer(this.#world.scheduler.nowMs);
    this.#service.flush(this.#nowMicros);
  }

  die(): void {
    this.#isDead = true;
    this.sessions.die();
  }

  /** Orders that something was under way for: in the batches, or when the engine before died. */
  underWay(): Map<number, Order> {
    const orders = new Map<number, Order>();
    for (const orderID of this.#world.inherited) {
      const order = this.#world.tables.orders.get(orderID);
      if (order !== undefined) orders.set(orderID, order);
    }
    for (const batch of [this.#released, this.#batch])
      for (const order of [...(batch?.newOrders ?? []), ...(batch?.changedOrders ?? [])])
        orders.set(order.orderID, order);
    return orders;
  }

  isInState(state: OrderState): boolean {
    for (const order of this.underWay().values()) if (orderStateOf(order) === state) return true;
    return false;
  }

  /** Of every order that is alive or has something under way, its state. */
  orderStates(): OrderState[] {
    const states = new Map<number, OrderState>();
    for (const order of this.#world.tables.orders.values())
      if (!isTerminal(order.status)) states.set(order.orderID, orderStateOf(order));
    for (const [orderID, order] of this.underWay()) states.set(orderID, orderStateOf(order));
    return [...states.values()];
  }

  prepare(): void {}

  commit(batch: LedgerBatch): void {
    const { trap, tampering } = this.#world;
    this.#batch = batch;
    trap.pass(CrashPoint.Decided);
    const sent = tampering.batch?.(batch) ?? batch;
    const answer = (outcome: CommitOutcome): void => this.#outcome(batch, outcome);
    if (tampering.isToldAtOnce === true) {
      this.#link.commit(sent, () => {});
      this.#world.scheduler.after(1, () => answer({ kind: 'committed' }));
    } else {
      this.#link.commit(sent, answer);
    }
    trap.pass(CrashPoint.CommitSent);
  }

  askBatch(batchId: number): void {
    this.#asksDatabase++;
    this.#link.ask(batchId, (answer) => {
      if (this.#isDead) return;
      this.#asksDatabase--;
      this.#world.trap.pass(CrashPoint.OutcomeAsked);
      const told: BatchAnswer = this.#world.tampering.batchAnswer?.(answer) ?? answer;
      if (told === 'committed') this.#release();
      this.#service.batchAnswer(batchId, told, this.#nowMicros);
    });
  }

  reload(userIds: readonly number[]): void {
    this.#asksDatabase++;
    const { scheduler, network } = this.#world;
    scheduler.after(network.delayMicros(), () => {
      if (this.#isDead) return;
      this.#asksDatabase--;
      const accounts = network.isAway ? null : userIds.flatMap((userId) => this.#load(userId) ?? []);
      this.#service.reloaded(accounts, this.#nowMicros);
    });
  }

  recall(wanted: WantedOrder): void {
    this.#asksDatabase++;
    const { scheduler, network, tables } = this.#world;
    scheduler.after(network.delayMicros(), () => {
      if (this.#isDead) return;
      this.#asksDatabase--;
      const order = [...tables.orders.values()].find((each) =>
        'orderID' in wanted
          ? each.orderID === wanted.orderID
          : each.userId === wanted.userId && each.clientOrderID === wanted.clientOrderID,
      );
      const loaded = order === undefined ? undefined : this.#load(order.userId);
      const found = loaded?.account.orders.get(order!.orderID);
      const executions = loaded?.executions.filter(({ orderID }) => orderID === found?.orderID) ?? [];
      const answer = found === undefined ? null : { order: found, executions };
      this.#service.recalled(wanted, network.isAway ? 'unavailable' : answer, this.#nowMicros);
    });
  }

  answer(origin: CommandOrigin, reply: CommandReply): void {
    this.#left();
    const count = this.#world.tampering.answers?.() ?? 1;
    for (let i = 0; i < count; i++) this.#world.answered(origin, reply);
  }

  push(userId: number, events: readonly LedgerEvent[]): void {
    this.#left();
    const { tampering } = this.#world;
    const pushed = tampering.push === undefined ? events : tampering.push(events);
    if (pushed !== null) this.#world.pushed(userId, pushed);
  }

  alarm(alarm: OrderAlarm): void {
    this.#world.alarmed(alarm);
  }

  fatal(text: string): void {
    this.#world.ended(text);
  }

  /** A position that nobody took until the close waits for the next open. */
  get #isDayInOrder(): boolean {
    const { dayRoll } = this.#service;
    if (dayRoll.isDone) return true;
    const steps = Object.keys(dayRoll.progress());
    return !this.#world.exchange.isOpen && steps.length === 1 && steps[0] === DayStep.SquareOff;
  }

  get #nowMicros(): number {
    return this.#world.scheduler.nowMicros;
  }

  #outcome(batch: LedgerBatch, outcome: CommitOutcome): void {
    if (this.#isDead) return;
    const told = this.#world.tampering.outcome?.(outcome) ?? outcome;
    this.#world.trap.pass(CrashPoint.CommitKnown);
    if (told.kind === 'committed') this.#release();
    this.#service.committed(batch.batchId, told, this.#nowMicros);
  }

  /** The batch on its way is done with; what follows are its effects. */
  #release(): void {
    this.#released = this.#batch;
    this.#batch = null;
    this.#leftCount = 0;
  }

  #left(): void {
    if (this.#leftCount++ > 0) this.#world.trap.pass(CrashPoint.EffectsHalfway);
  }

  #load(userId: number): ReturnType<typeof loadAccount> {
    const loaded = loadAccount(this.#world.tables, userId);
    return loaded === undefined ? undefined : (this.#world.tampering.loaded?.(loaded) ?? loaded);
  }

  #inherited(name: string): string[] {
    return [...this.#world.tables.orders.values()]
      .filter(({ status, userId, orderID }) => {
        const isHere = this.venue.sessionNameOf(String(userId)) === name;
        return isHere && !isTerminal(status) && orderID <= this.#lastOrderID;
      })
      .map(({ orderID, venueVersion }) => clOrdIDOf(orderID, venueVersion));
  }

  #probe(name: string): WireProbe {
    const { trap } = this.#world;
    return {
      stored: () => trap.pass(CrashPoint.RequestStored),
      leaving: () => trap.pass(CrashPoint.RequestDurable),
      left: (bytes) => {
        this.#world.sent(name, bytes);
        trap.pass(CrashPoint.RequestLeft);
      },
      arriving: () => trap.pass(this.sessions.isSettled(name) ? CrashPoint.ReportArrived : CrashPoint.Settling),
    };
  }
}
