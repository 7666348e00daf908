import { lastOpenMicros, MarketHours, nextOpenMicros } from '../market/calendar.ts';
import type { CoverageCounts } from './coverage.ts';
import type { DayMoments } from './day-end-audit.ts';
import { FaultInjector } from './fault-injector.ts';
import { FAULT_KINDS, FaultKind, FaultPlan } from './fault-plan.ts';
import { type Finding, Invariant } from './findings.ts';
import { SimulatedWorld } from './simulated-world.ts';
import type { Tampering } from './tampering.ts';

export interface DayResult {
  readonly seed: number;
  /** Placed, each once. */
  readonly orders: number;
  readonly events: number;
  readonly faults: Readonly<Record<FaultKind, number>>;
  readonly findings: readonly Finding[];
  readonly coverage: CoverageCounts;
  /** Two runs of a seed have the same. */
  readonly digest: string;
}

/** A Wednesday without a holiday. */
const DAY_MICROS = Date.UTC(2026, 10, 25, 6, 0, 0) * 1000;
/** Before the day's end, which has some 400 more. */
const ORDERS_MIN = 1_750;
/** A day is a row of episodes of a few busy seconds, so that what happens happens at once; in between everything comes to rest. */
const EPISODES_MAX = 50;
const EPISODE_EVERY_MICROS = 7 * 60_000_000;
const EPISODE_MICROS = 3_000_000;
const EPISODE_COMMANDS = 200;
const EPISODE_FAULTS = 8;
const ACT_MICROS = 15_000;
const UNDO_ONE_IN = 70;
const TIMER_MICROS = 25_000;
/** In which everything must be at rest after the last command of an episode. */
const REST_MICROS_MAX = 90_000_000;
const REST_CHECK_MICROS = 50_000;
/** Orders only expire then: the engine dies a few times more. */
const CLOSE_CRASHES = 4;
const CLOSE_CRASH_MICROS = 700_000;
/** Somebody must take the other side of all that is closed: so often more of the public comes. */
const MORE_PUBLIC_TIMES = 60;
const MORE_PUBLIC_MICROS = 500_000;
/** At the square-off and at T+1 there is only what the end of the day does. */
const DAY_END_CRASHES = 3;
const DAY_END_CRASH_MICROS = 150_000;
const DAY_END_MICROS = 1_000_000;
const OPENING_MICROS = 2_000_000;
const MINUTE_MICROS = 60_000_000;

/** Runs one day of a seed and looks at everything. It ends early where nothing more can be learnt. */
export function runSimulatedDay(seed: number, tampering?: Tampering): DayResult {
  return new SimulatedDay(seed, tampering).run();
}

class SimulatedDay {
  readonly #seed: number;
  readonly #world: SimulatedWorld;
  readonly #plan: FaultPlan;
  readonly #injector: FaultInjector;
  readonly #moments = dayMoments();
  /** Until when people act; the timers go on until rest. */
  #busyUntilMicros = 0;
  /** Counts them; 0 between two. */
  #episode = 0;
  #episodeCount = 0;

  constructor(seed: number, tampering: Tampering | undefined) {
    this.#seed = seed;
    this.#world = new SimulatedWorld(seed, this.#moments, tampering);
    this.#plan = new FaultPlan(this.#world.random);
    this.#injector = new FaultInjector(this.#world, this.#plan);
    this.#world.onCrash = () => this.#injector.crashed();
  }

  run(): DayResult {
    const world = this.#world;
    const { openMicros } = this.#moments;
    world.exchange.open();
    world.start();
    this.#runEpisode(openMicros, () => this.#askOpenings());
    for (let episode = 1; episode <= EPISODES_MAX && !world.findings.isBroken; episode++) {
      if (this.#plan.isDone && world.tables.orders.size >= ORDERS_MIN) break;
      this.#runEpisode(openMicros + episode * EPISODE_EVERY_MICROS, () => this.#beBusy());
    }
    for (const end of [this.#squareOff, this.#close, this.#settle, this.#openAgain])
      if (!world.findings.isBroken) end.call(this);
    if (!world.findings.isBroken) world.ledgerAudit.auditTables(world.tables);
    return this.#result();
  }

  /** The last seconds of intraday trading, and its positions are closed while the market goes on. */
  #squareOff(): void {
    const { scheduler, exchange } = this.#world;
    const begin = (): void => {
      this.#beBusy();
      scheduler.after(EPISODE_MICROS, () => this.#trade());
      for (let i = 0; i < MORE_PUBLIC_TIMES; i++)
        scheduler.after(EPISODE_MICROS + i * MORE_PUBLIC_MICROS, () => exchange.fillBooks());
      this.#crashAfter(EPISODE_MICROS);
    };
    this.#runEpisode(this.#moments.squareOffMicros - EPISODE_MICROS, begin, 2 * EPISODE_MICROS);
  }

  /** The last seconds before the close, and what comes after. */
  #close(): void {
    const { scheduler, exchange } = this.#world;
    this.#runEpisode(this.#moments.closeMicros - EPISODE_MICROS, () => {
      this.#beBusy();
      scheduler.after(EPISODE_MICROS, () => exchange.close());
      for (let i = 0; i < CLOSE_CRASHES; i++)
        scheduler.after(EPISODE_MICROS + i * CLOSE_CRASH_MICROS, () => this.#injector.inject(FaultKind.EngineCrash));
    });
  }

  /** T+1: deliveries become holdings. */
  #settle(): void {
    this.#runEpisode(this.#moments.settleMicros, () => this.#crashAfter(0), DAY_END_MICROS);
  }

  /** The next day goes on with what this one has left. */
  #openAgain(): void {
    this.#runEpisode(this.#moments.nextOpenMicros, () => {
      this.#world.exchange.open();
      this.#beBusy();
    });
  }

  #crashAfter(delayMicros: number): void {
    for (let i = 0; i < DAY_END_CRASHES; i++)
      this.#world.scheduler.after(delayMicros + i * DAY_END_CRASH_MICROS, () => this.#injector.crashSoon());
  }

  #result(): DayResult {
    const { findings, tables, coverage, digest } = this.#world;
    let events = 0;
    for (const list of tables.events.values()) events += list.length;
    const faults = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, this.#plan.hits.get(kind)!]));
    return {
      seed: this.#seed,
      orders: tables.orders.size,
      events,
      faults: faults as Record<FaultKind, number>,
      findings: findings.list,
      coverage: coverage.counts(),
      digest: digest.toString(),
    };
  }

  /** Runs from `atMicros` on until everything has been at rest, and audits that. */
  #runEpisode(atMicros: number, begin: () => void, busyMicros: number = EPISODE_MICROS): void {
    const world = this.#world;
    const { scheduler } = world;
    this.#episode = ++this.#episodeCount;
    scheduler.at(atMicros, () => {
      this.#tick(this.#episode);
      begin();
    });
    this.#busyUntilMicros = Math.max(scheduler.nowMicros, atMicros) + busyMicros;
    let checkMicros = this.#busyUntilMicros;
    while (!world.findings.isBroken) {
      world.step();
      if (scheduler.nowMicros < checkMicros) continue;
      checkMicros = scheduler.nowMicros + REST_CHECK_MICROS;
      if (this.#injector.openCount === 0 && world.isAtRest) break;
      if (scheduler.nowMicros - this.#busyUntilMicros > REST_MICROS_MAX) {
        world.findings.add(Invariant.ComesToRest, `${world.whatMoves}`);
        break;
      }
    }
    world.trap.disarm();
    this.#episode = 0;
    if (!world.findings.isBroken) world.auditAtRest();
  }

  #askOpenings(): void {
    const world = this.#world;
    for (const asked of world.traders.openings())
      world.scheduler.after(world.random.below(OPENING_MICROS), () => world.ask(asked));
  }

  #beBusy(): void {
    const world = this.#world;
    const { scheduler, random } = world;
    for (let i = 0; i < EPISODE_COMMANDS; i++)
      scheduler.after(random.below(EPISODE_MICROS), () => world.ask(world.traders.next()));
    for (const kind of this.#plan.take(EPISODE_FAULTS))
      scheduler.after(random.below(EPISODE_MICROS), () => this.#injector.inject(kind));
    this.#trade();
  }

  /** The public trades, and trades are undone. */
  #trade(): void {
    const { scheduler, random, exchange } = this.#world;
    for (let micros = 0; micros < EPISODE_MICROS; micros += ACT_MICROS)
      scheduler.after(micros, () => {
        exchange.act();
        if (random.below(UNDO_ONE_IN) === 0) exchange.undoOne();
      });
  }

  /** The timers, for as long as an episode lasts. */
  #tick(episode: number): void {
    this.#world.scheduler.after(TIMER_MICROS, () => {
      if (episode !== this.#episode) return;
      // First, since the engine may die of what it does.
      this.#tick(episode);
      this.#world.onTimer();
    });
  }
}

function dayMoments(): DayMoments {
  const openMicros = lastOpenMicros(DAY_MICROS, MarketHours.Nse);
  const closeMicros = openMicros + 375 * MINUTE_MICROS;
  const nextMicros = nextOpenMicros(closeMicros, MarketHours.Nse);
  return {
    openMicros,
    squareOffMicros: closeMicros - 10 * MINUTE_MICROS,
    closeMicros,
    settleMicros: nextMicros - 15 * MINUTE_MICROS,
    nextOpenMicros: nextMicros,
  };
}
