import { type Command, InvalidArgumentError } from 'commander';
import { BRIEF_FLEET } from '../core/capacity/brief-fleet.ts';
import { type FleetLoad, type FleetPlan, type NodeShape, type Prices, planFleet } from '../core/capacity/fleet-plan.ts';
import { renderPlan } from '../core/capacity/plan-text.ts';
import { MEASURED_COSTS } from '../core/capacity/unit-costs.ts';
import { OutcryError } from '../core/errors.ts';
import { wholeNumber } from './exchange-command.ts';

interface CapacityOptions {
  readonly users: number;
  readonly symbols: number;
  readonly framesPerSecond: number;
  readonly updates: number;
  readonly instruments: number;
  readonly node: { readonly cores: number; readonly memoryBytes: number };
  readonly utilisation: number;
  readonly arrivalMinutes: number;
  readonly nodeHourPrice: number;
  readonly egressPrice: number;
  readonly nodeHours: number;
  readonly tradingHours: number;
  readonly tls?: boolean;
  readonly json?: boolean;
}

/** Memory of a core where the size of a node names none: that of the brief’s c5.xlarge, 8 GiB for 4. */
const MEMORY_A_CORE_BYTES = 2 ** 31;

export function addCapacityCommand(program: Command): void {
  program
    .command('capacity')
    .description('how many nodes a load takes and what they cost, from unit costs that a bench has measured')
    .option('--users <n>', 'connected at once; 10M and 100k are understood', count, 10e6)
    .option('--symbols <n>', 'instruments a user', wholeNumber(1, 1_000), 20)
    .option('--frames-per-second <n>', 'frames to a user: 1 / tick', positive, 10)
    .option('--updates <n>', 'updates a second, into every node', count, 100e3)
    .option('--instruments <n>', 'instruments of the market', count, 2_000)
    .option(
      '--node <size>',
      'cores of a node, and its memory when it is not 2 GiB a core: 4c, 4c16g',
      nodeSize,
      nodeSize('4c'),
    )
    .option('--utilisation <share>', 'of cores and memory that the busiest time may use', share, 0.6)
    .option('--arrival-minutes <n>', 'time in which all users connect', positive, 15)
    .option('--tls', 'clients over TLS that the engine speaks')
    .option(
      '--node-hour-price <dollars>',
      'of a node (default: the brief’s for a c5.xlarge, section 5.10)',
      positive,
      0.1,
    )
    .option('--egress-price <dollars>', 'of a GB sent (default: the brief’s, section 5.10)', positive, 0.09)
    .option('--node-hours <n>', 'of a month that nodes are paid for (default: the brief’s)', positive, 720)
    .option('--trading-hours <n>', 'of a month that quotes flow (default: 21 days of 09:15 to 15:30)', positive, 131.25)
    .option('--json', 'as one JSON object')
    .addHelpText(
      'after',
      '\nWhat the model counts, and what it does not: src/core/capacity/README.md.\n' +
        'Examples:\n  outcry capacity --users 10M --symbols 20 --frames-per-second 10 --updates 100k --node 4c\n' +
        '  outcry capacity --users 50k --frames-per-second 2 --node 8c32g --tls --json',
    )
    .action(plan);
}

function plan(options: CapacityOptions): void {
  const { users, symbols, instruments, framesPerSecond, updates, arrivalMinutes, node, utilisation, tls } = options;
  const load: FleetLoad = {
    ...{ users, symbols, instruments, framesPerSecond, arrivalMinutes },
    updatesPerSecond: updates,
    tls: tls === true,
  };
  const shape: NodeShape = { ...node, utilisation };
  const prices: Prices = {
    nodeHour: options.nodeHourPrice,
    egressGigabyte: options.egressPrice,
    nodeHours: options.nodeHours,
    tradingHours: options.tradingHours,
  };
  const measured = tls ? MEASURED_COSTS.tls : MEASURED_COSTS.plain;
  if (measured === null) {
    throw new OutcryError(
      'CONFIG_INVALID',
      'costs over TLS are not measured yet: npm run bench -- capacity --tls --write',
    );
  }
  const fleet: FleetPlan = planFleet(load, shape, prices, measured.costs);
  if (options.json) {
    process.stdout.write(
      `${JSON.stringify({ load, node: shape, prices, plan: fleet, brief: BRIEF_FLEET, measured })}\n`,
    );
  } else {
    process.stdout.write(renderPlan(fleet, load, shape, prices, measured));
  }
}

/** `10M`, `100k`, `2500`. */
function count(text: string): number {
  const match = /^(\d{1,12}(?:\.\d{1,6})?)([kM]?)$/.exec(text);
  const value = match === null ? Number.NaN : Math.round(Number(match[1]) * { '': 1, k: 1e3, M: 1e6 }[match[2] as '']);
  if (value >= 1 && value <= 1e10) return value;
  throw new InvalidArgumentError('It must be a number from 1, as 2500, 100k or 10M.');
}

function nodeSize(text: string): CapacityOptions['node'] {
  const match = /^(\d{1,3})c(?:(\d{1,5})g)?$/.exec(text);
  const cores = Number(match?.[1]);
  if (match === null || cores === 0) throw new InvalidArgumentError('It must be as 4c or 4c16g.');
  return { cores, memoryBytes: match[2] === undefined ? cores * MEMORY_A_CORE_BYTES : Number(match[2]) * 2 ** 30 };
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0 && value <= 1e6) return value;
  throw new InvalidArgumentError('It must be a number above 0 and at most 1000000.');
}

function share(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError('It must be a number above 0 and at most 1.');
}
