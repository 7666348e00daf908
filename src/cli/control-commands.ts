import { Argument, type Command } from 'commander';
import { askControl } from '../net/control-socket.ts';
import { loadCommandConfig } from './config-command.ts';

interface Status {
  readonly url: string;
  readonly pid: number;
  readonly upSeconds: number;
  readonly ready: boolean;
  readonly reason: string | null;
  readonly processes: Record<string, { readonly pid: number | null; readonly restarts: number } | null>;
  readonly health?: {
    readonly workers: readonly { readonly worker: string; readonly generation: number; readonly alive: boolean }[];
  };
  readonly feed?: { readonly instruments: number; readonly subscribed: number; readonly stale: number };
  readonly orders?: {
    readonly state: string;
    readonly sessions: number;
    readonly sessionsUp: number;
    readonly accounts: number;
    readonly liveOrders: number;
    readonly alarms: number;
  } | null;
  readonly connections?: number;
  readonly subscriptions?: number;
}

export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description('tell what runs on the data directory; exit code 1 while quotes do not flow, 3 when nothing runs')
    .option('--json', 'as one JSON object')
    .addHelpText('after', '\nExamples:\n  outcry status\n  outcry status --json | jq .feed')
    .action(async (options: { json?: boolean }, command: Command) => {
      const status = (await askControl(loadCommandConfig(command).dataDir, { type: 'status' })) as Status;
      process.stdout.write(options.json ? `${JSON.stringify(status, null, 2)}\n` : renderStatus(status));
      if (!status.ready) process.exitCode = 1;
    });
}

export function addDrillCommand(program: Command): void {
  program
    .command('drill')
    .description('make a worker of the running engine throw or hang, to see what follows (setting drills = true)')
    .addArgument(new Argument('<kind>', 'what it does').choices(['throw', 'hang']))
    .argument('<worker>', 'its name as `outcry status` has it: feed, fan-out-0')
    .addHelpText(
      'after',
      '\nExamples:\n  outcry drill throw fan-out-0    closed and replaced within a second\n  outcry drill hang feed          the process is ended and started again',
    )
    .action(async (kind: 'throw' | 'hang', worker: string, _options: object, command: Command) => {
      await askControl(loadCommandConfig(command).dataDir, { type: 'drill', kind, worker });
      process.stdout.write(`${worker} was told to ${kind}\n`);
    });
}

function renderStatus(status: Status): string {
  const lines = [
    `${status.ready ? 'ready' : `not ready: ${status.reason}`}`,
    `url          ${status.url}`,
    `supervisor   pid ${status.pid}, up ${status.upSeconds} s`,
  ];
  for (const [name, child] of Object.entries(status.processes)) {
    if (child) lines.push(`${name.padEnd(12)} pid ${child.pid ?? '-'}, ${child.restarts} restarts`);
  }
  for (const { worker, generation, alive } of status.health?.workers ?? []) {
    lines.push(`${worker.padEnd(12)} ${alive ? 'alive' : 'silent'}, ${generation - 1} replaced`);
  }
  if (status.feed) {
    const { instruments, subscribed, stale } = status.feed;
    lines.push(`instruments  ${instruments}, ${subscribed} subscribed, ${stale} stale`);
  }
  if (status.orders) {
    const { state, sessions, sessionsUp, accounts, liveOrders, alarms } = status.orders;
    const counts = `${accounts} accounts, ${liveOrders} live orders, ${alarms} alarms`;
    lines.push(`orders       ${state}, ${sessionsUp} of ${sessions} sessions up, ${counts}`);
  }
  lines.push(`clients      ${status.connections ?? 0} connections, ${status.subscriptions ?? 0} subscriptions`);
  return `${lines.join('\n')}\n`;
}
