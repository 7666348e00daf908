import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';

/** The machine and what else it did during the run: a figure means little without it. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMiB: number;
  readonly node: string;
  readonly kernel: string;
  /** One-minute load average when the run began and ended. */
  readonly loadBefore: number;
  readonly loadAfter: number;
  /** Share of all cores' time that was used during the run, and that the hypervisor gave to others. */
  readonly busyPercent: number;
  readonly stealPercent: number;
}

interface CpuTicks {
  readonly total: number;
  readonly idle: number;
  readonly steal: number;
}

/** The machine's own counters from the time it was made. */
export class MachineWatch {
  readonly loadBefore = loadavg()[0]!;
  readonly #ticks = readCpuTicks();

  /** Busy and stolen share of all cores' time since construction, per cent. */
  shares(): { busyPercent: number; stealPercent: number } {
    const now = readCpuTicks();
    const total = Math.max(1, now.total - this.#ticks.total);
    const steal = now.steal - this.#ticks.steal;
    const busy = total - (now.idle - this.#ticks.idle) - steal;
    return { busyPercent: round1((busy / total) * 100), stealPercent: round1((steal / total) * 100) };
  }
}

export function describeMachine(watch: MachineWatch): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    node: process.version,
    kernel: release(),
    loadBefore: watch.loadBefore,
    loadAfter: loadavg()[0]!,
    ...watch.shares(),
  };
}

/** The first line of /proc/stat (proc(5)), in clock ticks summed over the cores; all zero where there is no such file. */
function readCpuTicks(): CpuTicks {
  let line: string;
  try {
    line = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0]!;
  } catch {
    return { total: 0, idle: 0, steal: 0 };
  }
  // user nice system idle iowait irq softirq steal; guest time is part of user.
  const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number);
  const total = ticks.reduce((sum, value) => sum + value, 0);
  return { total, idle: ticks[3]! + ticks[4]!, steal: ticks[7]! };
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
