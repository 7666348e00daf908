import t from 'tap';
import { fitNonNegative } from '../../../bench/non-negative-fit.ts';
import { fitUnitCosts, type MeasuredLoad } from '../../../bench/unit-cost-fit.ts';
import { type FleetLoad, type NodeShape, type Prices, planFleet } from './fleet-plan.ts';
import { nodeCosts } from './node-costs.ts';
import { changedShare, distinctInstruments, offeredRates, type QuoteLoad } from './offered-load.ts';
import { renderPlan } from './plan-text.ts';
import { MEASURED_COSTS, type UnitCosts } from './unit-costs.ts';
import { wireBytesPerSecond } from './wire-bytes.ts';

/** Round numbers, so that a plan can be followed by hand. */
const COSTS: UnitCosts = {
  cpu: {
    idleCores: 0.1,
    feedUpdateMicros: 2,
    workerUpdateMicros: 0.5,
    encodingMicros: 1,
    frameMicros: 10,
    quoteMicros: 0.1,
    connectionMicros: 8,
    handshakeMicros: 300,
  },
  change: { scale: 0.5, shape: 1 },
  frameBytes: 6,
  quoteBytes: 12,
  processBytes: 150e6,
  connectionBytes: 3_000,
};
const LOAD: QuoteLoad = {
  connections: 1_000,
  symbols: 20,
  instruments: 2_000,
  tickSeconds: 0.1,
  updatesPerSecond: 100_000,
  workers: 1,
};
const FLEET: FleetLoad = {
  users: 10_000_000,
  symbols: 20,
  instruments: 2_000,
  framesPerSecond: 10,
  updatesPerSecond: 100_000,
  arrivalMinutes: 15,
  tls: false,
};
const NODE: NodeShape = { cores: 4, memoryBytes: 8 * 2 ** 30, utilisation: 0.6 };
const PRICES: Prices = { nodeHour: 0.1, egressGigabyte: 0.09, nodeHours: 720, tradingHours: 131.25 };

t.test('a busy market has something for every watcher at each tick, a quiet one seldom', (t) => {
  t.equal(Math.round(offeredRates(LOAD, COSTS.change).frames), 10_000);
  t.equal(Math.round(offeredRates(LOAD, COSTS.change).quotes), 199_991);
  const quiet = { ...LOAD, updatesPerSecond: 100 };
  const share = changedShare(quiet, COSTS.change);
  t.equal(share.toFixed(5), (1 - Math.exp(-0.005 / 0.5)).toFixed(5));
  t.equal(offeredRates(quiet, COSTS.change).frames.toFixed(3), (10_000 * (1 - (1 - share) ** 20)).toFixed(3));
  t.same(offeredRates({ ...LOAD, connections: 0 }, COSTS.change), { frames: 0, quotes: 0, encodings: 0 });
  t.end();
});

t.test('draws have fewer different instruments the more there are, and never more than all', (t) => {
  t.equal(distinctInstruments(1, 2_000).toFixed(6), '1.000000');
  const [some, many, most] = [100, 10_000, 1e7].map((draws) => distinctInstruments(draws, 2_000));
  t.ok(some! < 100 && some! < many! && many! < most! && most! <= 2_000);
  t.end();
});

t.test('costs add up', (t) => {
  const { frames, quotes, encodings } = offeredRates(LOAD, COSTS.change);
  const costs = nodeCosts(LOAD, 100, COSTS);
  const worker = (100_000 * 0.5 + encodings + frames * 10 + quotes * 0.1 + 1_000 * 8 + 100 * 300) / 1e6;
  t.equal(costs.feedCores.toFixed(9), '0.200000000');
  t.equal(costs.workerCores.toFixed(9), worker.toFixed(9));
  t.equal(costs.cores.toFixed(9), (0.3 + worker).toFixed(9));
  t.equal(costs.memoryBytes, 153e6);
  t.end();
});

t.test('a plan fills nodes as far as they may be, and no further', (t) => {
  const plan = planFleet(FLEET, NODE, PRICES, COSTS);
  t.equal(plan.boundBy, 'cores');
  t.ok(plan.node.cores <= 2.4, 'within what may be used');
  t.ok(plan.nodes * plan.connectionsPerNode >= FLEET.users, 'everybody has a place');
  t.equal(plan.cores, plan.nodes * 4);
  t.equal(plan.serversPerMonth, plan.nodes * 72);
  t.equal(plan.egressPerMonth.toFixed(2), ((plan.egressBytesPerMonth / 1e9) * 0.09).toFixed(2));
  const little = planFleet(FLEET, { ...NODE, memoryBytes: 300e6 }, PRICES, COSTS);
  t.equal(little.boundBy, 'memory');
  t.equal(little.connectionsPerNode, (300e6 * 0.6 - 150e6) / 3_000);
  const half = planFleet({ ...FLEET, framesPerSecond: 5 }, NODE, PRICES, COSTS);
  t.ok(half.nodes < plan.nodes, 'half of the frames take fewer nodes');
  const few = planFleet({ ...FLEET, users: 10 }, NODE, PRICES, COSTS);
  t.same([few.nodes, few.connectionsPerNode], [1, 10]);
  t.throws(() => planFleet(FLEET, { ...NODE, cores: 1, utilisation: 0.2 }, PRICES, COSTS), { code: 'CONFIG_INVALID' });
  t.end();
});

t.test('what leaves a node has heads of WebSocket, TLS, TCP and IP', (t) => {
  t.equal(wireBytesPerSecond(10, 1_000, false), 10 * (100 + 2 + 52));
  t.equal(wireBytesPerSecond(10, 2_000, false), 10 * (200 + 4 + 52));
  t.equal(wireBytesPerSecond(10, 2_000, true), 10 * (200 + 4 + 22 + 52));
  t.equal(wireBytesPerSecond(1, 2_000, false), 2_000 + 4 + 2 * 52, 'two segments');
  t.equal(wireBytesPerSecond(0, 0, false), 0);
  t.end();
});

t.test('a fit finds the costs that made the loads, and none below nothing', (t) => {
  const loads = [
    { ...LOAD, updatesPerSecond: 40_000 },
    { ...LOAD, symbols: 50, updatesPerSecond: 20_000 },
    { ...LOAD, connections: 4_000, tickSeconds: 1, updatesPerSecond: 3_000 },
    { ...LOAD, connections: 2_500, symbols: 5, updatesPerSecond: 50_000 },
    { ...LOAD, connections: 2_000, symbols: 10, updatesPerSecond: 5_000 },
  ];
  const measured = loads.flatMap((load) => {
    const arriving = { ...load, connections: load.connections / 2 };
    return [measure({ ...load, connections: 0 }, 0), measure(arriving, 500), measure(load, 0)];
  });
  const { cpu, ...costs } = fitUnitCosts(measured);
  for (const [name, value] of Object.entries(COSTS.cpu)) near(cpu[name as keyof typeof cpu], value, name);
  near(costs.change.scale, 0.5, 'scale');
  near(costs.change.shape, 1, 'shape');
  near(costs.frameBytes, 6, 'frameBytes');
  near(costs.quoteBytes, 12, 'quoteBytes');
  near(costs.connectionBytes, 3_000, 'connectionBytes');
  t.same(
    fitNonNegative(
      [
        [1, 1],
        [1, 2],
      ],
      [2, 1],
    ).map((value) => value >= 0),
    [true, true],
  );
  t.end();

  function near(actual: number, expected: number, name: string): void {
    t.ok(Math.abs(actual / expected - 1) < 0.02, `${name}: ${actual}, ${expected}`);
  }
});

function measure(load: QuoteLoad, handshakesPerSecond: number): MeasuredLoad {
  const { frames, quotes } = offeredRates(load, COSTS.change);
  const { cores, feedCores, payloadBytesPerSecond, memoryBytes } = nodeCosts(load, handshakesPerSecond, COSTS);
  return {
    load,
    handshakesPerSecond,
    cores,
    feedCores,
    framesPerSecond: frames,
    quotesPerSecond: quotes,
    payloadBytesPerSecond,
    rssBytes: memoryBytes,
  };
}

t.test('the measured costs are whole, and their plan reads beside the brief', (t) => {
  for (const measured of Object.values(MEASURED_COSTS)) {
    if (measured === null) continue;
    t.match(measured.date, /^\d{4}-\d{2}-\d{2}$/);
    t.equal(measured.checks.length, 3);
    t.ok(measured.costs.cpu.frameMicros > 0 && measured.costs.cpu.handshakeMicros > 0);
    const plan = planFleet(FLEET, NODE, PRICES, measured.costs);
    const text = renderPlan(plan, FLEET, NODE, PRICES, measured);
    t.match(text, /total a month .*\$177,456/);
    t.match(text, measured.date);
  }
  t.end();
});
