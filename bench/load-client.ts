/** A load process: thousands of connections that read everything, measure it, and know at the end whether it was right. */
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import { Prng } from '../src/core/exchange/prng.ts';
import { FreshClient } from './fresh-client.ts';
import { InstrumentDraw } from './instrument-draw.ts';
import { LoadFleet } from './load-fleet.ts';
import type {
  LoadContent,
  LoadFigures,
  LoadOrder,
  LoadReport,
  LoadReturns,
  LoadSettings,
  LoadVerdict,
} from './load-messages.ts';

const CONNECT_STEP_MS = 10;
const CONNECT_TIMEOUT_MS = 120_000;
const QUIET_MS = 2_000;
const QUIET_TIMEOUT_MS = 20_000;
const EXAMPLES_MAX = 5;
const RETURNS_TIMEOUT_MS = 30_000;

let settings: LoadSettings | undefined;
let fleet: LoadFleet | undefined;
let startMs = 0;
let startCpu = process.cpuUsage();

/** Opens everything; returns the seconds until the last connection had its quotes. */
async function connectAll(given: LoadSettings): Promise<number> {
  settings = given;
  const draw = new InstrumentDraw(given.draw, given.symbols.length, new Prng(given.seed));
  const chosen = Array.from({ length: given.connections }, () => draw.distinct(given.symbolsEach));
  const opening = new LoadFleet(given, (connection) => chosen[connection]!.map((rank) => given.symbols[rank]!));
  fleet = opening;
  const { connections, connectsPerSecond } = given;
  const began = performance.now();
  while (opening.served < connections) {
    const due = Math.min(connections, Math.ceil(((performance.now() - began) / 1_000) * connectsPerSecond));
    while (opening.connections.length < due) opening.open();
    if (opening.disconnects > 0) throw new Error(`lost while the load was built up: ${opening.reasons[0]}`);
    if (performance.now() - began > CONNECT_TIMEOUT_MS) {
      throw new Error(`${opening.served} of ${connections} connections were served in ${CONNECT_TIMEOUT_MS} ms`);
    }
    await sleep(CONNECT_STEP_MS);
  }
  return (performance.now() - began) / 1_000;
}

function measure(): void {
  fleet!.begin();
  if (settings!.awake) stayAwake();
  startMs = performance.now();
  startCpu = process.cpuUsage();
}

/**
 * Keeps the loop turning while it measures. A client that sleeps is woken by the server's own send, and that is no work of a server whose clients are
 * elsewhere.
 */
function stayAwake(): void {
  setImmediate(() => {
    if (fleet!.isMeasuring) stayAwake();
  });
}

function figures(): LoadFigures {
  const { user, system } = process.cpuUsage(startCpu);
  fleet!.end();
  const { frames, bytes, latency, exchangeLatency } = fleet!;
  return {
    seconds: (performance.now() - startMs) / 1_000,
    frames,
    bytes,
    latency: encodeIntoCompressedBase64(latency),
    exchangeLatency: encodeIntoCompressedBase64(exchangeLatency),
    cpuSeconds: (user + system) / 1e6,
  };
}

/** Whoever does not come again in time is counted by `verify` as lost. */
async function returns(): Promise<LoadReturns> {
  const endMs = performance.now() + RETURNS_TIMEOUT_MS;
  while (fleet!.returns.awaited > 0 && performance.now() < endMs) await sleep(CONNECT_STEP_MS);
  const { lost, away } = fleet!.returns;
  return { lost, away: encodeIntoCompressedBase64(away) };
}

function content(): LoadContent {
  fleet!.decode();
  return { quotes: fleet!.quotes };
}

/** Compares every quote of every connection with what a fresh client is told about all instruments. */
async function verify(): Promise<LoadVerdict> {
  const { state, reasons, connections } = fleet!;
  const disconnects = fleet!.disconnects + fleet!.returns.awaited;
  await silence(() => fleet!.lastFrameMs);
  fleet!.decode();
  const fresh = new FreshClient(settings!);
  await silence(() => fresh.lastFrameMs);
  if (!fresh.complete) throw new Error('a fresh client was not told of every instrument');
  const examples: string[] = [];
  let checked = 0;
  let mismatches = 0;
  for (const { index } of connections) {
    for (let slot = 0; slot < state.slotCount(index); slot++) {
      checked++;
      if (state.equals(index, slot, fresh.decoder)) continue;
      mismatches++;
      if (examples.length === EXAMPLES_MAX) continue;
      const instrumentIndex = state.instrument(index, slot);
      const [holds, expected] = [state.describe(index, slot), fresh.describe(instrumentIndex)];
      examples.push(`connection ${index}, instrument ${instrumentIndex}: ${holds}, a fresh client: ${expected}`);
    }
  }
  fresh.close();
  return { checked, mismatches, examples, disconnects, reasons };
}

/** Returns when no frame has come for QUIET_MS. */
async function silence(lastFrameMs: () => number): Promise<void> {
  const began = performance.now();
  while (performance.now() - Math.max(began, lastFrameMs()) < QUIET_MS) {
    if (performance.now() - began > QUIET_TIMEOUT_MS) throw new Error('frames keep coming though the feed has stopped');
    await sleep(QUIET_MS / 20);
  }
}

function send(report: LoadReport): void {
  process.send!(report);
}

/** Tells the bench and ends this process: nothing that goes wrong here is repaired, the run is void. */
function giveUp(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  process.send!({ type: 'failed', text }, undefined, undefined, () => process.exit(1));
}

async function obey(order: LoadOrder): Promise<void> {
  switch (order.type) {
    case 'connect':
      return send({ type: 'connected', seconds: await connectAll(order.settings) });
    case 'measure':
      measure();
      return send({ type: 'measuring' });
    case 'report':
      return send({ type: 'figures', figures: figures() });
    case 'drill':
      fleet!.returns.expect(performance.now());
      return send({ type: 'warned' });
    case 'returns':
      return send({ type: 'returned', returns: await returns() });
    case 'decode':
      return send({ type: 'content', content: content() });
    case 'verify':
      return send({ type: 'verdict', verdict: await verify() });
  }
}

process.title = 'outcry-load';
// The bench is gone: nobody would read the figures, and no load may stay behind.
process.on('disconnect', () => process.exit(1));
process.on('uncaughtException', giveUp);
process.on('message', (order: LoadOrder) => {
  obey(order).catch(giveUp);
});
