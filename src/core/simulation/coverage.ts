import { CRASH_POINTS, type CrashPoint, ORDER_STATES, type OrderState } from './crash-points.ts';

/** Crashes by (crash point, order state) as `point state` keys: how often an order was in that state when the engine died there. */
export type CoverageCounts = Readonly<Record<string, number>>;

/** The matrix of (crash point × order state). */
export class Coverage {
  readonly #counts = new Map<string, number>();

  get cellCount(): number {
    return CRASH_POINTS.length * ORDER_STATES.length;
  }

  get coveredCount(): number {
    return this.#counts.size;
  }

  add(point: CrashPoint, state: OrderState, count: number = 1): void {
    const key = keyOf(point, state);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + count);
  }

  addAll(counts: CoverageCounts): void {
    for (const [key, count] of Object.entries(counts)) this.#counts.set(key, (this.#counts.get(key) ?? 0) + count);
  }

  counts(): CoverageCounts {
    return Object.fromEntries([...this.#counts].sort(([left], [right]) => (left < right ? -1 : 1)));
  }

  missing(): string[] {
    const all = CRASH_POINTS.flatMap((point) => ORDER_STATES.map((state) => keyOf(point, state)));
    return all.filter((key) => !this.#counts.has(key));
  }

  /** For people: a row a point, a column a state. */
  toText(): string {
    const names = ['', ...ORDER_STATES];
    const rows = CRASH_POINTS.map((point) => [
      point,
      ...ORDER_STATES.map((state) => String(this.#counts.get(keyOf(point, state)) ?? '-')),
    ]);
    const widths = names.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]!.length)));
    return [names, ...rows]
      .map((row) => row.map((cell, column) => pad(cell, widths[column]!, column === 0)).join('  '))
      .join('\n');
  }
}

function keyOf(point: CrashPoint, state: OrderState): string {
  return `${point} ${state}`;
}

function pad(text: string, width: number, isLeft: boolean): string {
  return isLeft ? text.padEnd(width) : text.padStart(width);
}
