import { lastOpenMicros, MarketHours } from '../market/calendar.ts';
import type { CoverageCounts } from './coverage.ts';
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
const ORDERS_MIN = 2_000;
/** A day is a row of episodes of a few busy seconds, so that what happens happens at once; in between everything comes to rest. */
const EPISODES_MAX = 50;
const EPISODE_EVERY_MICROS = 7 * 60_000_000;
const EPISODE_MICROS = 3_000_000;
const EPISODE_COMMANDS = 200;
const EPISODE_FAULTS = 7;
const ACT_MICROS = 15_000;
const UNDO_ONE_IN = 70;
const TIMER_MICROS = 25_000;
/** In which everything must be at rest after the last command of an episode. */
const REST_MICROS_MAX = 90_000_000;
const REST_CHECK_MICROS = 50_000;
/** Orders only expire then: the engine dies a few times more. */
const CLOSE_CRASHES = 4;
const CLOSE_CRASH_MICROS = 700_000;
const OPENING_MICROS = 2_000_000;
/** The last seconds before the close, and what comes after. */
const CLOSE_AFTER_OPEN_MICROS = (6 * 60 + 15) * 60_000_000;

/** Runs one day of a seed and looks at everything. It ends early where nothing more can be learnt. */
export function runSimulatedDay(seed: number, tampering?: Tampering): DayResult {
  return new SimulatedDay(seed, tampering).run();
}

class SimulatedDay {
  readonly #seed: number;
  readonly #world: SimulatedWorld;
  readonly #plan: FaultPlan;
  readonly #injector: FaultInjector;
  readonly #openMicros = lastOpenMicros(DAY_MICROS, MarketHours.Nse);
  /** Until when people act; the timers go on until rest. */
  #busyUntilMicros = 0;
  /** Counts them; 0 between two. */
  #episode = 0;
  #episodeCount = 0;

  constructor(seed: number, tampering: Tampering | undefined) {
    this.#seed = seed;
    this.#world = new SimulatedWorld(seed, this.#openMicros, tampering);
    this.#plan = new FaultPlan(this.#world.random);
    this.#injector = new FaultInjector(this.#world, this.#plan);
    this.#world.onCrash = () => this.#injector.crashed();
  }

  run(): DayResult {
    const world = this.#world;
    world.exchange.open();
    world.start();
    this.#runEpisode(this.#openMicros, () => this.#askOpenings());
    for (let episode = 1; episode <= EPISODES_MAX && !world.findings.isBroken; episode++) {
      if (this.#plan.isDone && world.tables.orders.size >= ORDERS_MIN) break;
      this.#runEpisode(this.#openMicros + episode * EPISODE_EVERY_MICROS, () => this.#beBusy());
    }
    if (!world.findings.isBroken) {
      const closeMicros = this.#openMicros + CLOSE_AFTER_OPEN_MICROS - EPISODE_MICROS;
      this.#runEpisode(closeMicros, () => {
        this.#beBusy();
        world.scheduler.after(EPISODE_MICROS, () => world.exchange.close());
        for (let i = 0; i < CLOSE_CRASHES; i++)
          world.scheduler.after(EPISODE_MICROS + i * CLOSE_CRASH_MICROS, () =>
            this.#injector.inject(FaultKind.EngineCrash),
          );
      });
    }
    if (!world.findings.isBroken) world.ledgerAudit.auditTables(world.tables);
    return this.#result();
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
  #runEpisode(atMicros: number, begin: () => void): void {
    const world = this.#world;
    const { scheduler } = world;
    this.#episode = ++this.#episodeCount;
    scheduler.at(atMicros, () => {
      this.#tick(this.#episode);
      begin();
    });
    this.#busyUntilMicros = Math.max(scheduler.nowMicros, atMicros) + EPISODE_MICROS;
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
    for (let micros = 0; micros < EPISODE_MICROS; micros += ACT_MICROS)
      scheduler.after(micros, () => {
        world.exchange.act();
        if (random.below(UNDO_ONE_IN) === 0) world.exchange.undoOne();
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
