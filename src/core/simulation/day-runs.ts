import { Prng } from '../exchange/prng.ts';
import { Coverage } from './coverage.ts';
import { FAULT_KINDS, type FaultKind } from './fault-plan.ts';
import type { Finding } from './findings.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';
import { type DayResult, runSimulatedDay } from './simulated-day.ts';

/** A day that broke an invariant, and how to see it again. */
export interface BrokenDay {
  /** `outcry simulate --day-seed` runs it alone. */
  readonly daySeed: number;
  readonly findings: readonly Finding[];
}

/** Days are independent of each other: each begins with new accounts, from a seed of its own. */
export function daySeedOf(seed: number, day: number): number {
  return new Prng(seed * 1_000_003 + day).next();
}

/** Runs one day of a seed, with a planted bug where one is named. */
export function runDay(daySeed: number, bug: string): DayResult {
  return runSimulatedDay(daySeed, bug === '' ? undefined : PLANTED_BUGS[bug]!(new Prng(daySeed)));
}

/** What many days came to. */
export class DayRuns {
  days = 0;
  orders = 0;
  readonly faults: Record<FaultKind, number>;
  readonly coverage = new Coverage();
  readonly broken: BrokenDay[] = [];

  constructor() {
    this.faults = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Record<FaultKind, number>;
  }

  add(result: DayResult): void {
    this.days++;
    this.orders += result.orders;
    for (const kind of FAULT_KINDS) this.faults[kind] += result.faults[kind];
    this.coverage.addAll(result.coverage);
    if (result.findings.length > 0) this.broken.push({ daySeed: result.seed, findings: result.findings });
  }

  /** As `outcry simulate` tells it in its last line. */
  summary(seed: number): object {
    const { days, orders, faults, broken, coverage } = this;
    const { coveredCount: covered, cellCount: cells } = coverage;
    return { seed, days, orders, faults, broken, coverage: { covered, cells, missing: coverage.missing() } };
  }
}
