import { OutcryError } from '../errors.ts';
import { type NodeCosts, nodeCosts } from './node-costs.ts';
import type { QuoteLoad } from './offered-load.ts';
import type { UnitCosts } from './unit-costs.ts';
import { wireBytesPerSecond } from './wire-bytes.ts';

/** What a fleet is to carry at its busiest. */
export interface FleetLoad {
  readonly users: number;
  readonly symbols: number;
  readonly instruments: number;
  readonly framesPerSecond: number;
  /** Into every node, since each may have watchers of any instrument. */
  readonly updatesPerSecond: number;
  /** All users connect within so long, while quotes flow. */
  readonly arrivalMinutes: number;
  readonly tls: boolean;
}

export interface NodeShape {
  readonly cores: number;
  readonly memoryBytes: number;
  /** Share of cores and memory that the busiest hour may use: the rest is for bursts, and for the clients of a node that fails. */
  readonly utilisation: number;
}

export interface Prices {
  readonly nodeHour: number;
  readonly egressGigabyte: number;
  /** Of a month: nodes are paid for all of it, and send in the hours of trading. */
  readonly nodeHours: number;
  readonly tradingHours: number;
}

/** What a node has too little of for one more connection. */
export type Bound = 'cores' | 'fan-out threads' | 'memory';

export interface FleetPlan {
  readonly nodes: number;
  readonly cores: number;
  readonly connectionsPerNode: number;
  readonly boundBy: Bound;
  /** One node at the load that falls to it. */
  readonly node: NodeCosts;
  readonly quotesPerSecond: number;
  /** With all headers, at the busiest. */
  readonly egressBytesPerSecond: number;
  readonly egressBytesPerMonth: number;
  readonly serversPerMonth: number;
  readonly egressPerMonth: number;
}

/** Share of a fan-out worker's time above which it makes its tick longer. */
const WORKER_CORES_MAX = 0.8;
/** Frames a second that the product allows one fan-out worker. */
const WORKER_FRAMES_MAX = 70_000;
/** No process has more: the setting max_connections ends there. */
const CONNECTIONS_MAX = 1_000_000;

export function planFleet(fleet: FleetLoad, shape: NodeShape, prices: Prices, costs: UnitCosts): FleetPlan {
  const at = (connections: number): NodeCosts => costsAt(connections, fleet, shape, costs);
  let fits = 0;
  let tooMany = Math.min(CONNECTIONS_MAX, fleet.users) + 1;
  while (tooMany - fits > 1) {
    const middle = Math.floor((fits + tooMany) / 2);
    if (boundOf(at(middle), shape) === undefined) fits = middle;
    else tooMany = middle;
  }
  if (fits === 0) throw new OutcryError('CONFIG_INVALID', impossible(at(1), shape));
  const nodes = Math.ceil(fleet.users / fits);
  const connectionsPerNode = Math.ceil(fleet.users / nodes);
  const node = at(connectionsPerNode);
  const wire = wireBytesPerSecond(node.framesPerSecond, node.payloadBytesPerSecond, fleet.tls);
  const share = fleet.users / connectionsPerNode;
  const egressBytesPerSecond = wire * share;
  const egressBytesPerMonth = egressBytesPerSecond * prices.tradingHours * 3_600;
  return {
    nodes,
    cores: nodes * shape.cores,
    connectionsPerNode,
    boundBy: boundOf(at(fits + 1), shape) ?? 'cores',
    node,
    quotesPerSecond: node.quotesPerSecond * share,
    egressBytesPerSecond,
    egressBytesPerMonth,
    serversPerMonth: nodes * prices.nodeHours * prices.nodeHour,
    egressPerMonth: (egressBytesPerMonth / 1e9) * prices.egressGigabyte,
  };
}

/** A core is the feed's, and the fan-out has a worker on each other one, as the setting fanout_workers has it by default. */
function costsAt(connections: number, fleet: FleetLoad, shape: NodeShape, costs: UnitCosts): NodeCosts {
  const load: QuoteLoad = {
    connections,
    symbols: fleet.symbols,
    instruments: fleet.instruments,
    tickSeconds: 1 / fleet.framesPerSecond,
    updatesPerSecond: fleet.updatesPerSecond,
    workers: Math.max(1, shape.cores - 1),
  };
  return nodeCosts(load, connections / (fleet.arrivalMinutes * 60), costs);
}

function boundOf(costs: NodeCosts, shape: NodeShape): Bound | undefined {
  const workers = Math.max(1, shape.cores - 1);
  if (costs.cores > shape.cores * shape.utilisation) return 'cores';
  if (costs.workerCores > WORKER_CORES_MAX || costs.framesPerSecond > workers * WORKER_FRAMES_MAX)
    return 'fan-out threads';
  if (costs.memoryBytes > shape.memoryBytes * shape.utilisation) return 'memory';
  return undefined;
}

function impossible(costs: NodeCosts, shape: NodeShape): string {
  const cores = `${costs.cores.toFixed(2)} cores and ${Math.ceil(costs.memoryBytes / 2 ** 20)} MiB`;
  const allowed = `${(shape.cores * shape.utilisation).toFixed(2)} and ${Math.floor((shape.memoryBytes * shape.utilisation) / 2 ** 20)}`;
  return `a node of this size has no room for a single connection: the feed and one connection take ${cores}, it may use ${allowed}`;
}
