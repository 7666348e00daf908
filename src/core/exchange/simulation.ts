// hot: `step` per simulated event. Listing and the change of a day are not.
import { SecurityTradingStatus, TradSesStatus } from '../fix/generated/fix-enums.gen.ts';
import { lastOpenMicros, type MarketHours, SessionPhase, sessionPhase } from '../market/calendar.ts';
import type { InstrumentTable } from '../market-data/instrument-table.ts';
import { Activity } from './activity.ts';
import { IndexCalculator } from './index-calculator.ts';
import type { MarketDataBody, MarketDataListener, MarketDataSource } from './market-data-body.ts';
import { MarketDataPublisher } from './market-data-publisher.ts';
import { MarketMaker, Owner } from './market-maker.ts';
import type { MarketStatusSource } from './market-status-sessions.ts';
import {
  CancelReason,
  type ExecutionListener,
  MatchingEngine,
  type OrderType,
  type TimeInForce,
} from './matching-engine.ts';
import type { Side } from './order-pool.ts';
import type { RejectCode } from './reject-codes.ts';

/** The market moves in turns of 5 ms of its clock; a turn's changes leave together. */
export const TURN_MICROS = 5_000;
/** Turns that one `step` makes up for; what is older than that is skipped. */
const TURNS_MAX = 50;
const INDEX_INTERVAL_MICROS = 250_000;
/** A few events change nothing that is published: a turn may have twice as many as updates, and some more. */
const ACTS_AN_UPDATE = 2;
const ACTS_SPARE = 100;

export interface SimulationSettings {
  /** The same seed, settings, master and clock give the same messages, byte for byte, as long as no outside order comes in. */
  readonly seed: number;
  /** Loaded; the simulation follows its reloads by {@link Simulation.reload}. */
  readonly table: InstrumentTable;
  /** Where the clock starts, epoch microseconds. */
  readonly startMicros: number;
  /** Updates a second, an update being one instrument's published change; outside the burst, and without indices. */
  readonly updatesPerSecond: number;
  /** How many times that rate the open begins with; 1 is no burst. */
  readonly openBurstFactor: number;
  readonly marketHours: MarketHours;
  /** Live orders that the exchange holds at most, its own participants' included. */
  readonly ordersMax: number;
}

/** The whole simulated exchange without sockets and clock: participants, books, indices and what is published of them. */
export class Simulation implements ExecutionListener, MarketDataSource, MarketStatusSource {
  readonly engine: MatchingEngine;
  readonly publisher: MarketDataPublisher;
  /** Simulated time that was skipped because `step` came too late, microseconds. */
  skippedMicros = 0;
  readonly #settings: SimulationSettings;
  readonly table: InstrumentTable;
  readonly #makers: MarketMaker;
  readonly #activity: Activity;
  readonly #indices: IndexCalculator;
  readonly #outside: ExecutionListener;
  readonly #listed: Uint8Array;
  #clockMicros: number;
  #dayOpenMicros = 0;
  #indexDueMicros = 0;
  /** Part of an update that is due. */
  #due = 0;
  /** True while books fill for the first time of a day: a W follows, and says it all. */
  #opening = false;
  /** False while the market is built: nobody listens yet, whoever comes gets snapshots. */
  #started = false;

  /** `outside` hears of orders submitted here by {@link submit}; `listener` gets everything published. */
  constructor(settings: SimulationSettings, listener: MarketDataListener, outside: ExecutionListener) {
    const { table } = settings;
    this.#settings = settings;
    this.table = table;
    this.#outside = outside;
    this.#clockMicros = Math.floor(settings.startMicros / TURN_MICROS) * TURN_MICROS;
    this.engine = new MatchingEngine(table.capacity, settings.ordersMax, this);
    this.engine.nowMicros = this.#clockMicros;
    this.publisher = new MarketDataPublisher(table.capacity, this.engine, listener);
    this.#makers = new MarketMaker(table.capacity, this.engine, settings.seed);
    this.#activity = new Activity(
      table.capacity,
      settings.seed + 1,
      settings.updatesPerSecond,
      settings.openBurstFactor,
    );
    this.#indices = new IndexCalculator(this.engine.figures);
    this.#listed = new Uint8Array(table.capacity);
    this.reload();
    this.#followSession(this.#clockMicros);
    this.#started = true;
  }

  get clockMicros(): number {
    return this.#clockMicros;
  }

  /** Runs the market up to `nowMicros` and returns the updates published. */
  step(nowMicros: number): number {
    const before = this.publisher.updateCount;
    const latest = nowMicros - TURNS_MAX * TURN_MICROS;
    if (this.#clockMicros < latest) {
      const skipped = Math.floor((latest - this.#clockMicros) / TURN_MICROS) * TURN_MICROS;
      this.skippedMicros += skipped;
      this.#clockMicros += skipped;
    }
    while (this.#clockMicros + TURN_MICROS <= nowMicros) this.#turn();
    return this.publisher.updateCount - before;
  }

  /** Takes in the table after it loaded: lists what is new, closes what is gone, follows changed facts and symbols. */
  reload(): void {
    const table = this.table;
    const tradable: number[] = [];
    const fresh: number[] = [];
    for (let index = 0; index < table.count; index++) {
      const instrument = table.instrument(index);
      if (!table.isListed(index)) {
        if (this.#listed[index] === 1) this.#delist(index);
        continue;
      }
      const isNew = this.#listed[index] === 0;
      this.publisher.snapshots.setSymbol(index, instrument.symbol);
      const isChanged = this.engine.list(index, instrument);
      if (isNew) fresh.push(index);
      this.#listed[index] = 1;
      if (!this.engine.hasBook(index)) continue;
      if (isNew) this.#makers.list(index, instrument);
      else if (isChanged) this.#makers.reshape(index, instrument);
      tradable.push(index);
    }
    this.#indices.reload(table);
    this.#activity.reload(tradable, this.#indices.leaders());
    for (const index of fresh) {
      if (this.engine.marketOpen && this.engine.hasBook(index)) this.#openBook(index);
      this.#publishWhole(index);
    }
    if (this.#started) this.#publishChanged();
    else this.engine.clearChanged();
  }

  /** An order from outside; see {@link MatchingEngine.submit}. The books' changes leave with the next turn. */
  submit(
    index: number,
    side: Side,
    type: OrderType,
    timeInForce: TimeInForce,
    pricePaise: number,
    quantity: number,
    reference: number,
  ): RejectCode {
    const code = this.engine.submit(index, side, type, timeInForce, pricePaise, quantity, Owner.Outside, reference);
    this.#publishChanged();
    return code;
  }

  cancel(order: number): RejectCode {
    const code = this.engine.cancel(order);
    this.#publishChanged();
    return code;
  }

  replace(order: number, pricePaise: number, quantity: number): RejectCode {
    const code = this.engine.replace(order, pricePaise, quantity);
    this.#publishChanged();
    return code;
  }

  /** Halts an instrument or lets it trade again, and says so in a SecurityStatus; nothing happens if it is so already. */
  setHalted(index: number, halted: boolean): void {
    if (!this.engine.setHalted(index, halted)) return;
    this.publisher.publishSecurityStatus(
      index,
      halted ? SecurityTradingStatus.TradingHalt : SecurityTradingStatus.ReadyToTrade,
    );
  }

  /** Stops or resumes trading in everything; nothing expires and orders may be canceled. */
  setMarketHalted(halted: boolean): void {
    this.engine.marketHalted = halted;
  }

  get tradSesStatus(): TradSesStatus {
    if (!this.engine.marketOpen) return TradSesStatus.Closed;
    return this.engine.marketHalted ? TradSesStatus.Halted : TradSesStatus.Open;
  }

  isHalted(index: number): boolean {
    return this.engine.isHalted(index);
  }

  get capacity(): number {
    return this.table.capacity;
  }

  indexOfSymbol(symbol: string): number {
    return this.table.indexOfSymbol(symbol);
  }

  snapshot(index: number): MarketDataBody {
    this.publisher.flush();
    return this.publisher.snapshots.snapshot(index, this.engine.nowMicros);
  }

  haltStatus(index: number): MarketDataBody | null {
    if (!this.engine.isHalted(index)) return null;
    return this.publisher.snapshots.securityStatus(index, SecurityTradingStatus.TradingHalt, this.engine.nowMicros);
  }

  accepted(order: number): void {
    if (this.engine.pool.owner[order] === Owner.Outside) this.#outside.accepted(order);
  }

  traded(maker: number, taker: number, pricePaise: number, quantity: number): void {
    const pool = this.engine.pool;
    if (!this.#opening) this.publisher.trade(pool.instrument[taker]!, pricePaise, quantity);
    const owner = pool.owner[maker]!;
    if (owner === Owner.Outside || pool.owner[taker] === Owner.Outside)
      this.#outside.traded(maker, taker, pricePaise, quantity);
    if (owner !== Owner.Outside && pool.leavesQty[maker] === 0) this.#makers.done(owner, pool.reference[maker]!);
  }

  canceled(order: number, reason: CancelReason): void {
    const pool = this.engine.pool;
    const owner = pool.owner[order]!;
    if (owner === Owner.Outside) this.#outside.canceled(order, reason);
    else this.#makers.done(owner, pool.reference[order]!);
  }

  replaced(order: number): void {
    if (this.engine.pool.owner[order] === Owner.Outside) this.#outside.replaced(order);
  }

  #turn(): void {
    const engine = this.engine;
    this.#clockMicros += TURN_MICROS;
    const now = this.#clockMicros;
    if (now > engine.nowMicros) engine.nowMicros = now;
    this.#followSession(now);
    if (engine.marketOpen) {
      this.#runParticipants(now);
      if (now >= this.#indexDueMicros) this.#updateIndices(now);
    }
    this.publisher.flush();
  }

  /** Closes a day that is over and opens one that has begun. */
  #followSession(now: number): void {
    const hours = this.#settings.marketHours;
    const open = sessionPhase(now, hours) === SessionPhase.Continuous;
    const dayOpen = open ? lastOpenMicros(now, hours) : this.#dayOpenMicros;
    if (this.engine.marketOpen && (!open || dayOpen !== this.#dayOpenMicros)) this.#closeDay();
    if (open && !this.engine.marketOpen) this.#openDay(dayOpen);
  }

  #runParticipants(now: number): void {
    if (this.#activity.isEmpty) return;
    this.#due += (this.#activity.rateAt(now - this.#dayOpenMicros) * TURN_MICROS) / 1e6;
    const { publisher } = this;
    let acts = ACTS_SPARE + this.#due * ACTS_AN_UPDATE;
    for (; this.#due >= 1 && acts > 0; acts--) {
      const index = this.#activity.choose(now, publisher);
      if (!this.engine.isTradable(index)) {
        this.#activity.acted(index, now);
        continue;
      }
      const updates = publisher.updateCount;
      this.#makers.act(index);
      this.#publishChanged();
      if (publisher.updateCount === updates) continue;
      this.#activity.acted(index, now);
      this.#due -= publisher.updateCount - updates;
    }
    // With everything halted nothing is owed for later.
    if (acts <= 0) this.#due = 0;
  }

  #updateIndices(now: number): void {
    this.#indexDueMicros = now + INDEX_INTERVAL_MICROS;
    const { figures } = this.engine;
    for (let position = 0; position < this.#indices.count; position++) {
      const value = this.#indices.valuePaise(position);
      const instrument = this.#indices.instrumentAt(position);
      if (value === figures.lastPaise[instrument]) continue;
      figures.indexValue(instrument, value, now);
      this.publisher.publish(instrument);
    }
  }

  #publishChanged(): void {
    const engine = this.engine;
    for (let i = 0; i < engine.changedCount; i++) this.publisher.publish(engine.changed[i]!);
    engine.clearChanged();
  }

  /** The close of a day: what rests expires, the figures stand. */
  #closeDay(): void {
    for (let index = 0; index < this.table.count; index++) {
      if (this.#listed[index] === 1) this.engine.cancelAll(index, CancelReason.Expired);
    }
    this.engine.marketOpen = false;
    this.#publishChanged();
  }

  /** The open of a day: figures start again from yesterday's close, the books fill, every instrument is published whole. */
  #openDay(dayOpenMicros: number): void {
    const { engine } = this;
    const isFirstDay = this.#dayOpenMicros === 0;
    this.#dayOpenMicros = dayOpenMicros;
    engine.marketOpen = true;
    for (let index = 0; index < this.table.count; index++) {
      if (this.#listed[index] === 0) continue;
      if (!isFirstDay)
        engine.beginDay(index, engine.figures.closePaise(index), this.table.instrument(index).priceBandBps);
      if (engine.isTradable(index)) this.#openBook(index);
    }
    this.#updateIndexFigures();
    for (let index = 0; index < this.table.count; index++) {
      if (this.#listed[index] === 1) this.#publishWhole(index);
    }
    engine.clearChanged();
  }

  #openBook(index: number): void {
    this.#opening = true;
    this.#makers.open(index);
    this.#opening = false;
  }

  #publishWhole(index: number): void {
    if (this.#started) this.publisher.publishSnapshot(index);
    else this.publisher.capture(index);
  }

  #updateIndexFigures(): void {
    for (let position = 0; position < this.#indices.count; position++) {
      this.engine.figures.indexValue(
        this.#indices.instrumentAt(position),
        this.#indices.valuePaise(position),
        this.engine.nowMicros,
      );
    }
  }

  #delist(index: number): void {
    this.engine.delist(index);
    this.#listed[index] = 0;
    this.#publishChanged();
    this.publisher.publishSecurityStatus(index, SecurityTradingStatus.TradingHalt);
  }
}
