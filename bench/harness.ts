import { describeMachine, type Machine, MachineWatch } from './machine.ts';

/** One figure of one run. */
export interface Sample {
  readonly metric: string;
  readonly unit: string;
  readonly value: number;
}

/** What one round of one row gave. The checksum covers the results of the work, so that none of it can be optimised away. */
export interface Measurement {
  readonly samples: readonly Sample[];
  readonly checksum: number;
}

/** A row of a case: one implementation doing the case's work. `impl` is `outcry`, `baseline` or a peer's name. */
export interface Subject {
  readonly impl: string;
  readonly case: string;
  measure(round: number): Measurement | Promise<Measurement>;
}

/** A bench that is ready to run; `close` gives back its threads and processes. */
export interface BenchSetup {
  readonly subjects: readonly Subject[];
  close(): Promise<void>;
}

export interface Row {
  readonly impl: string;
  readonly case: string;
  readonly metric: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** What `--json` writes. */
export interface Report {
  readonly name: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly rows: readonly Row[];
}

export interface RunSettings {
  readonly name: string;
  readonly rounds: number;
  /** Rounds before the first that counts: they compile the code and fill the caches. */
  readonly warmupRounds: number;
  /** Progress lines, for people. */
  readonly log: (line: string) => void;
}

export interface RunResult {
  readonly report: Report;
  /** The last round's checksum by `case impl`. */
  readonly checksums: ReadonlyMap<string, number>;
}

/**
 * Runs every subject once a round, so that a disturbance of the machine falls on all rows of a case alike, and reduces
 * each figure to its median, least and greatest value over the rounds.
 */
export async function runRounds(settings: RunSettings, subjects: readonly Subject[]): Promise<RunResult> {
  const values = new Map<string, { subject: Subject; sample: Sample; values: number[] }>();
  const checksums = new Map<string, number>();
  const watch = new MachineWatch();
  for (let round = -settings.warmupRounds; round < settings.rounds; round++) {
    for (const subject of subjects) {
      const { samples, checksum } = await subject.measure(round);
      checksums.set(`${subject.case} ${subject.impl}`, checksum);
      if (round < 0) continue;
      for (const sample of samples) {
        const key = `${subject.case}\n${subject.impl}\n${sample.metric}`;
        const kept = values.get(key);
        if (kept === undefined) values.set(key, { subject, sample, values: [sample.value] });
        else kept.values.push(sample.value);
      }
    }
    settings.log(
      round < 0 ? `${settings.name}: warm-up` : `${settings.name}: round ${round + 1} of ${settings.rounds}`,
    );
  }
  const rows: Row[] = [];
  for (const { subject, sample, values: all } of values.values()) {
    all.sort((a, b) => a - b);
    rows.push({
      impl: subject.impl,
      case: subject.case,
      metric: sample.metric,
      unit: sample.unit,
      median: median(all),
      min: all[0]!,
      max: all[all.length - 1]!,
    });
  }
  const machine = describeMachine(watch);
  return { report: { name: settings.name, machine, rounds: settings.rounds, rows }, checksums };
}

/** Half the spread of the rounds as a percentage of the median: a difference smaller than this means nothing. */
export function noisePercent(row: Row): number {
  return row.median === 0 ? 0 : ((row.max - row.min) / 2 / Math.abs(row.median)) * 100;
}

function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
