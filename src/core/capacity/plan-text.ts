import { BRIEF_FLEET, BRIEF_REST_PER_MONTH } from './brief-fleet.ts';
import type { FleetLoad, FleetPlan, NodeShape, Prices } from './fleet-plan.ts';
import type { CostMeasurement } from './unit-costs.ts';

/** A plan for people: a table beside the brief's, and what it rests on. */
export function renderPlan(
  plan: FleetPlan,
  load: FleetLoad,
  shape: NodeShape,
  prices: Prices,
  measured: CostMeasurement,
): string {
  const { node } = plan;
  const total = plan.serversPerMonth + plan.egressPerMonth + BRIEF_REST_PER_MONTH;
  const rows: [string, string, string][] = [
    ['', 'this plan', 'the brief'],
    ['nodes', whole(plan.nodes), whole(BRIEF_FLEET.nodes)],
    ['cores', whole(plan.cores), whole(BRIEF_FLEET.nodes * BRIEF_FLEET.coresPerNode)],
    ['connections a node', whole(plan.connectionsPerNode), whole(BRIEF_FLEET.connectionsPerNode)],
    ['cores busy a node', `${node.cores.toFixed(2)} of ${shape.cores}`, ''],
    ['memory of the process', mebibytes(node.memoryBytes), mebibytes(BRIEF_FLEET.processBytes)],
    ['frames/s a node', whole(node.framesPerSecond), ''],
    ['quotes/s, all nodes', whole(plan.quotesPerSecond), ''],
    ['egress at the busiest', `${(plan.egressBytesPerSecond / 1e9).toFixed(2)} GB/s`, ''],
    ['egress a month', terabytes(plan.egressBytesPerMonth), terabytes(BRIEF_FLEET.egressBytesPerMonth)],
    ['servers a month', dollars(plan.serversPerMonth), dollars(BRIEF_FLEET.serversPerMonth)],
    ['egress a month', dollars(plan.egressPerMonth), dollars(BRIEF_FLEET.egressPerMonth)],
    ['the rest, as in the brief', dollars(BRIEF_REST_PER_MONTH), dollars(BRIEF_REST_PER_MONTH)],
    ['total a month', dollars(total), dollars(BRIEF_FLEET.totalPerMonth)],
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  const table = rows.map(([name, ours, theirs]) =>
    `${name.padEnd(widths[0]!)}  ${ours.padStart(widths[1]!)}  ${theirs.padStart(widths[2]!)}`.trimEnd(),
  );
  return `${[...table, '', ...assumptions(plan, load, shape, prices, measured)].join('\n')}\n`;
}

function assumptions(
  plan: FleetPlan,
  load: FleetLoad,
  shape: NodeShape,
  prices: Prices,
  measured: CostMeasurement,
): string[] {
  const briefBytes = BRIEF_FLEET.egressBytesPerMonth / BRIEF_FLEET.users / (prices.tradingHours * 3_600);
  const ourBytes = plan.egressBytesPerSecond / load.users;
  return [
    `A node is full when its ${plan.boundBy} are: the busiest time may use ${Math.round(shape.utilisation * 100)} % of cores and memory.`,
    `All users connect within ${load.arrivalMinutes} min${load.tls ? ', over TLS' : ''}; every node takes in ${whole(load.updatesPerSecond)} updates/s of ${whole(load.instruments)} instruments.`,
    `$${prices.nodeHour} a node and hour for ${prices.nodeHours} h, $${prices.egressGigabyte} a GB for ${prices.tradingHours} h of trading.`,
    `Egress is ${whole(ourBytes)} bytes/s a user with all headers; the brief's 100 TB are ${whole(briefBytes)} over the same hours.`,
    `Unit costs: ${measured.machine}, ${measured.date}; loads that they were not fitted to: ${checks(measured)}.`,
    'Not in it: load balancers, storage, orders; what the kernel keeps of a socket; a core that is not the one measured.',
  ];
}

function checks({ checks: loads }: CostMeasurement): string {
  return loads
    .map(({ predictedCores, measuredCores }) => {
      const percent = (predictedCores / measuredCores - 1) * 100;
      return `${percent < 0 ? '' : '+'}${percent.toFixed(1)} %`;
    })
    .join(', ');
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function dollars(value: number): string {
  return `$${whole(value)}`;
}

function terabytes(bytes: number): string {
  return `${whole(bytes / 1e12)} TB`;
}

function mebibytes(bytes: number): string {
  return `${whole(bytes / 2 ** 20)} MiB`;
}
