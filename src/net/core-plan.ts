import { OutcryError } from '../core/errors.ts';
import { parseCpuList } from './cpu-list.ts';

/** Which CPU each hot thread has to itself, and which are left to everything else: main thread, database, simulator, snapshots. */
export interface CorePlan {
  readonly feed: number;
  /** Null where no orders are taken. */
  readonly orders: number | null;
  readonly fanOut: readonly number[];
  /** May be empty: then everything else runs where the kernel puts it. */
  readonly rest: readonly number[];
}

export interface CoreWishes {
  /** The setting pin_cpus: `off`, `auto` or a list. */
  readonly pinCpus: string;
  /** The setting fanout_workers; 0 takes what the CPUs give. */
  readonly fanOutWorkers: number;
  readonly hasOrders: boolean;
  /** CPUs that this process may run on. */
  readonly allowedCpus: readonly number[];
}

export interface CoreResult {
  readonly fanOutWorkers: number;
  /** Null: nothing is pinned. */
  readonly plan: CorePlan | null;
}

const FAN_OUT_WORKERS_AUTO_MAX = 16;
/** What `auto` leaves free: one for main thread, database and simulator, one for the kernel's network work, which is as much again as sending. */
const REST_CPUS_AUTO = 2;

/** Raises CONFIG_INVALID when the list does not have a CPU for each hot thread. */
export function planCores(wishes: CoreWishes): CoreResult {
  const { pinCpus, allowedCpus } = wishes;
  const others = wishes.hasOrders ? 2 : 1;
  const unpinned: CoreResult = {
    fanOutWorkers: wishes.fanOutWorkers || autoWorkers(allowedCpus.length - 1),
    plan: null,
  };
  if (pinCpus === 'off') return unpinned;
  if (pinCpus === 'auto') {
    const hot = allowedCpus.slice(REST_CPUS_AUTO);
    const fanOutWorkers = wishes.fanOutWorkers || autoWorkers(hot.length - others);
    return hot.length < others + fanOutWorkers ? unpinned : planned(wishes, hot, fanOutWorkers);
  }
  const cpus = parseCpuList(pinCpus)!;
  const fanOutWorkers = wishes.fanOutWorkers || Math.max(1, cpus.length - others);
  if (cpus.length !== others + fanOutWorkers) {
    const who = wishes.hasOrders ? 'the feed worker, the order worker' : 'the feed worker';
    throw new OutcryError(
      'CONFIG_INVALID',
      `pin_cpus names ${cpus.length} CPUs; ${who} and ${fanOutWorkers} fan-out workers take ${others + fanOutWorkers}`,
    );
  }
  return planned(wishes, cpus, fanOutWorkers);
}

function autoWorkers(cpus: number): number {
  return Math.min(FAN_OUT_WORKERS_AUTO_MAX, Math.max(1, cpus));
}

/** The feed first, then orders, then fan-out: as the documentation of the setting says. */
function planned({ hasOrders, allowedCpus }: CoreWishes, hot: readonly number[], fanOutWorkers: number): CoreResult {
  const [feed, ...more] = hot;
  const orders = hasOrders ? (more.shift() as number) : null;
  const fanOut = more.slice(0, fanOutWorkers);
  const taken = new Set([feed, orders, ...fanOut]);
  return {
    fanOutWorkers,
    plan: { feed: feed as number, orders, fanOut, rest: allowedCpus.filter((cpu) => !taken.has(cpu)) },
  };
}
