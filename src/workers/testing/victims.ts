import { readdirSync, readFileSync } from 'node:fs';
import { kill, type Running } from './running.ts';

export const VICTIMS = ['engine', 'exchange', 'database', 'backend'] as const;
/** `database` is the postmaster, `backend` one of the processes that serve the engine's connections. */
export type Victim = (typeof VICTIMS)[number];

/** The supervisor gives a process up that dies five times within a minute. An engine that is just starting ends when the exchange begins anew. */
const DEATHS_A_MINUTE_MAX = 4;
const FATAL_TO_ENGINE: readonly Victim[] = ['engine', 'exchange'];
const DATABASE_ALONE: readonly Victim[] = ['database', 'backend'];

/** Kills processes of a running Outcry, and never one so often that the supervisor gives it up. */
export class Killer {
  readonly #running: Running;
  readonly #random: (below: number) => number;
  readonly #deaths: { victim: Victim; atMs: number }[] = [];

  constructor(running: Running, random: (below: number) => number) {
    this.#running = running;
    this.#random = random;
  }

  /** Draws who is to die. */
  draw(): Victim {
    const sinceMs = performance.now() - 60_000;
    const endedEngine = this.#deaths.filter(({ victim, atMs }) => atMs > sinceMs && FATAL_TO_ENGINE.includes(victim));
    // The database is started again as often as it takes.
    const candidates = endedEngine.length < DEATHS_A_MINUTE_MAX ? VICTIMS : DATABASE_ALONE;
    return candidates[this.#random(candidates.length)]!;
  }

  /** False when there is none just now. */
  async kill(victim: Victim): Promise<boolean> {
    const pid = await this.#pidOf(victim);
    if (pid === 0 || !kill(pid, 'SIGKILL')) return false;
    this.#deaths.push({ victim, atMs: performance.now() });
    return true;
  }

  /** 0 for none. */
  async #pidOf(victim: Victim): Promise<number> {
    const status = await this.#running.status().catch(() => undefined);
    const { engine, exchange, postgres } = status?.processes ?? {};
    switch (victim) {
      case 'engine':
        return engine?.pid ?? 0;
      case 'exchange':
        return exchange?.pid ?? 0;
      case 'database':
        return postgres?.pid ?? 0;
      case 'backend':
        return this.#backendOf(postgres?.pid ?? 0);
    }
  }

  #backendOf(postmaster: number): number {
    if (postmaster === 0) return 0;
    const backends = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((name) => {
        try {
          const parent = /^\d+ \(.*\) \S (\d+) /.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1];
          const isOfEngine = readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('outcry_engine');
          return Number(parent) === postmaster && isOfEngine;
        } catch {
          // It ended.
          return false;
        }
      });
    return backends.length === 0 ? 0 : Number(backends[this.#random(backends.length)]);
  }
}
