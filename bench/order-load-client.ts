/** A load process: traders who place orders and see them filled. */
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import { latencyHistogram, recordLatency } from './histogram.ts';
import { OrderFleet, type OrderSocket } from './order-fleet.ts';
import { OrderGroup } from './order-group.ts';
import type {
  OrderFigures,
  OrderLoadOrder,
  OrderLoadReport,
  OrderLoadSettings,
  OrderPlan,
} from './order-load-messages.ts';

const CONNECTING_MAX = 64;
const CONNECT_TIMEOUT_MS = 60_000;
const STEP_MS = 1;
/** How long the last orders of a run may take to end. */
const DRAIN_TIMEOUT_MS = 15_000;
/** Orders of a schedule that may wait: an engine that is so far behind has failed it. */
const WAITING_MAX = 20_000;

type Scheduled = Extract<OrderPlan, { kind: 'scheduled' }>;
type InFlight = Extract<OrderPlan, { kind: 'in-flight' }>;

let fleet: OrderFleet;

async function connectAll(settings: OrderLoadSettings): Promise<void> {
  const opening = new OrderFleet(settings);
  fleet = opening;
  const deadlineMs = performance.now() + CONNECT_TIMEOUT_MS;
  let opened = 0;
  for (const trader of [...settings.traders, settings.noisy]) {
    for (let i = 0; i < trader.sockets; i++) {
      opening.open(trader);
      opened++;
      await until(() => opened - opening.loggedIn < CONNECTING_MAX, deadlineMs);
    }
  }
  await until(() => opening.loggedIn === opened, deadlineMs);
}

async function until(condition: () => boolean, deadlineMs: number): Promise<void> {
  while (!condition()) {
    if (fleet.failure !== undefined) throw new Error(fleet.failure);
    if (performance.now() > deadlineMs) throw new Error(`only ${fleet.loggedIn} sockets were logged in in time`);
    await sleep(STEP_MS);
  }
}

async function run(plan: OrderPlan): Promise<OrderFigures> {
  const startCpu = process.cpuUsage();
  const others = new OrderGroup();
  const noisy = new OrderGroup();
  const warmup = new OrderGroup();
  const lateness = latencyHistogram();
  const place = (socket: OrderSocket, group: OrderGroup, dueMs: number): void => {
    recordLatency(lateness, (performance.now() - dueMs) * 1_000);
    fleet.place(socket, group, dueMs);
  };
  const filledPerSecond =
    plan.kind === 'in-flight'
      ? await runInFlight(plan, others, place)
      : await runScheduled(plan, others, noisy, warmup, place);
  fleet.onEnd = () => {};
  const drainedMs = performance.now() + DRAIN_TIMEOUT_MS;
  while (fleet.waiting > 0 && performance.now() < drainedMs) await step();
  const { user, system } = process.cpuUsage(startCpu);
  return {
    lost: fleet.forget(),
    filledPerSecond,
    filledInAll: others.filled + noisy.filled + warmup.filled,
    others: others.outcome(),
    noisy: noisy.outcome(),
    lateness: encodeIntoCompressedBase64(lateness),
    cpuSeconds: (user + system) / 1e6,
  };
}

type Place = (socket: OrderSocket, group: OrderGroup, dueMs: number) => void;

/** Each order that ends makes room for the next, of the trader who has waited longest. */
async function runInFlight(plan: InFlight, group: OrderGroup, place: Place): Promise<number> {
  const idle = [...fleet.sockets];
  const next = (): void => {
    const socket = idle.shift();
    if (socket !== undefined) place(socket, group, performance.now());
  };
  fleet.onEnd = (socket) => {
    idle.push(socket);
    next();
  };
  for (let i = 0; i < plan.inFlight; i++) next();
  await waitUntil(performance.now() + plan.warmupSeconds * 1_000);
  const startMs = performance.now();
  const filledBefore = group.filled;
  await waitUntil(startMs + plan.seconds * 1_000);
  return ((group.filled - filledBefore) / (performance.now() - startMs)) * 1_000;
}

/** Each order is due at its time, whatever became of those before it. */
async function runScheduled(
  plan: Scheduled,
  others: OrderGroup,
  noisy: OrderGroup,
  warmup: OrderGroup,
  place: Place,
): Promise<number> {
  const beginMs = performance.now();
  const measuredMs = beginMs + plan.warmupSeconds * 1_000;
  const endMs = measuredMs + plan.seconds * 1_000;
  const streams = [
    { group: others, sockets: fleet.sockets, perSecond: plan.ordersPerSecond, count: 0 },
    { group: noisy, sockets: fleet.noisySockets, perSecond: plan.noisyPerSecond, count: 0 },
  ].filter(({ perSecond }) => perSecond > 0);
  let filledBefore = 0;
  for (let nowMs = beginMs; nowMs < endMs; nowMs = performance.now()) {
    for (const stream of streams) {
      const { group, sockets, perSecond } = stream;
      const intervalMs = 1_000 / perSecond;
      for (let dueMs = beginMs + stream.count * intervalMs; dueMs <= nowMs; dueMs += intervalMs) {
        place(sockets[stream.count++ % sockets.length]!, dueMs < measuredMs ? warmup : group, dueMs);
      }
    }
    if (nowMs < measuredMs) filledBefore = warmup.filled;
    if (fleet.waiting > WAITING_MAX) throw new Error(`${WAITING_MAX} orders wait: the engine cannot keep up`);
    await step();
  }
  return (others.filled + noisy.filled + warmup.filled - filledBefore) / plan.seconds;
}

async function waitUntil(endMs: number): Promise<void> {
  while (performance.now() < endMs) await step();
}

async function step(): Promise<void> {
  if (fleet.failure !== undefined) throw new Error(fleet.failure);
  await sleep(STEP_MS);
}

function send(report: OrderLoadReport): void {
  process.send!(report);
}

/** Tells the bench and ends this process: nothing that goes wrong here is repaired, the run is void. */
function giveUp(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  process.send!({ type: 'failed', text }, undefined, undefined, () => process.exit(1));
}

async function obey(order: OrderLoadOrder): Promise<void> {
  if (order.type === 'connect') {
    await connectAll(order.settings);
    send({ type: 'connected' });
  } else {
    send({ type: 'figures', figures: await run(order.plan) });
  }
}

process.title = 'outcry-load';
// The bench is gone: nobody would read the figures, and no load may stay behind.
process.on('disconnect', () => process.exit(1));
process.on('uncaughtException', giveUp);
process.on('message', (order: OrderLoadOrder) => {
  obey(order).catch(giveUp);
});
