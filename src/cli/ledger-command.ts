import { type Command, InvalidArgumentError } from 'commander';
import { OutcryError } from '../core/errors.ts';
import { type Account, cashPaise, marginUsedPaise } from '../core/ledger/account.ts';
import { isTerminal } from '../core/ledger/order.ts';
import { totalValuePaise } from '../core/ledger/total-value.ts';
import { accountAt, type PastAccount, takeSnapshots } from '../net/ledger-history.ts';
import { type RebuildReport, rebuildLedger } from '../net/ledger-rebuild.ts';
import { type LedgerReport, verifyLedger } from '../net/ledger-verify.ts';
import { addContractNoteCommand } from './contract-note-command.ts';
import { ExitCode } from './exit-codes.ts';
import { rupees, withReader } from './ledger-access.ts';
import { addReconcileCommand } from './reconcile-command.ts';

interface LedgerOptions {
  readonly json?: boolean;
}

/** `outcry ledger`: the events, and what they make. */
export function addLedgerCommand(program: Command): void {
  const ledger = program
    .command('ledger')
    .description('verify the ledger, rebuild what is made of it, look into its past');
  ledger
    .command('verify')
    .description(
      'replay every event and compare with the tables, and sum everything in SQL; also while the engine runs',
    )
    .option('--json', 'as a JSON object')
    .addHelpText(
      'after',
      '\nExit code 4: the ledger does not agree with itself.\n\nExamples:\n  outcry ledger verify\n  outcry ledger verify --json | jq .differences',
    )
    .action(async (options: LedgerOptions, command: Command) => {
      const report = await withReader(command, (reader) => verifyLedger(reader));
      print(options, report, renderReport);
      if (!report.isClean) process.exitCode = ExitCode.Refused;
    });
  ledger
    .command('rebuild')
    .description(
      'make accounts, orders, trades, positions and holdings anew from the events; an engine that runs is ended by it',
    )
    .option('--json', 'as a JSON object')
    .addHelpText('after', '\nExamples:\n  outcry ledger rebuild && outcry ledger verify')
    .action(async (options: LedgerOptions, command: Command) => {
      print(options, await withReader(command, (reader, target) => rebuildLedger(target, reader)), renderRebuild);
    });
  ledger
    .command('at')
    .description('an account as it was at an instant')
    .requiredOption('--user <id>', 'whose', whole)
    .requiredOption('--time <time>', 'when: ISO 8601, UTC unless it says otherwise', micros)
    .option('--json', 'as a JSON object, with orders, positions and holdings')
    .addHelpText(
      'after',
      '\nExamples:\n  outcry ledger at --user 7 --time 2026-11-26T10:00:00+05:30\n  outcry ledger at --user 7 --time 2026-11-26 --json | jq .orders',
    )
    .action(async (options: LedgerOptions & { user: number; time: number }, command: Command) => {
      const past = await withReader(command, (reader) => accountAt(reader, options.user, options.time));
      if (past === undefined) throw new OutcryError('REQUEST_REFUSED', `there was no account ${options.user} then`);
      print(options, past, renderPast, pastJson);
    });
  ledger
    .command('snapshot')
    .description('write down accounts whole, so that `at` is quick')
    .option('--events <n>', 'those with so many events since the last time', whole, 1_000)
    .option('--json', 'as a JSON object')
    .action(async (options: LedgerOptions & { events: number }, command: Command) => {
      const taken = await withReader(command, (reader, target) => takeSnapshots(target, reader, options.events));
      print(options, { snapshots: taken }, ({ snapshots }) => `${snapshots} snapshots`);
    });
  addContractNoteCommand(ledger);
  addReconcileCommand(ledger);
}

function print<T>(
  options: LedgerOptions,
  value: T,
  text: (value: T) => string,
  json: (value: T) => unknown = (it) => it,
): void {
  process.stdout.write(`${options.json ? JSON.stringify(json(value), null, 2) : text(value)}\n`);
}

function renderReport(report: LedgerReport): string {
  const { accounts, events, orders, trades, snapshots, differences, findings } = report;
  const lines = [
    `${accounts} accounts, ${events} events, ${orders} orders, ${trades} trades, ${snapshots} snapshots`,
    ...differences.map(
      ({ userId, what, field, stored, replayed }) =>
        `user ${userId}, ${what} ${field}: ${stored}, by the events ${replayed}`,
    ),
    ...findings.map(({ check, row }) => `not so: ${check}: ${row}`),
    report.isClean ? 'the ledger agrees with itself' : 'THE LEDGER DOES NOT AGREE WITH ITSELF',
  ];
  return lines.join('\n');
}

function renderRebuild({ accounts, orders, trades }: RebuildReport): string {
  return `made anew: ${accounts} accounts, ${orders} orders, ${trades} trades`;
}

function renderPast({ account, tsMicros }: PastAccount): string {
  const open = [...account.orders.values()].filter(({ status }) => !isTerminal(status)).length;
  return [
    `user ${account.userId} at event ${account.seq} of ${new Date(tsMicros / 1_000).toISOString()}`,
    ...Object.entries(figures(account)).map(([name, paise]) => `  ${name.padEnd(12)} ${rupees(paise).padStart(18)}`),
    `  open orders ${open}, positions ${account.positions.size}, holdings ${account.holdings.size}`,
    ...(account.frozenReason === '' ? [] : [`  FROZEN: ${account.frozenReason}`]),
  ].join('\n');
}

function figures(account: Account) {
  return {
    available: account.availablePaise,
    held: account.heldPaise,
    margin: account.marginPaise,
    cash: cashPaise(account),
    'margin used': marginUsedPaise(account),
    'total value': totalValuePaise(account),
  };
}

function pastJson({ account, tsMicros, eventsApplied }: PastAccount): unknown {
  const { orders, positions, holdings, references, clientOrders: _, ...figuresOf } = account;
  return {
    ...figuresOf,
    cashPaise: cashPaise(account),
    marginUsedPaise: marginUsedPaise(account),
    totalValuePaise: totalValuePaise(account),
    tsMicros,
    eventsApplied,
    orders: [...orders.values()],
    positions: [...positions.values()],
    holdings: [...holdings.values()],
    references: Object.fromEntries(references),
  };
}

function whole(text: string): number {
  const value = Number(text);
  if (/^[1-9]\d{0,15}$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('It must be a positive whole number.');
}

/** A time without a zone is UTC; alone, JavaScript would take the machine's. */
function micros(text: string): number {
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/i.test(text) || !text.includes('T');
  const millis = Date.parse(hasZone ? text : `${text}Z`);
  if (Number.isNaN(millis)) throw new InvalidArgumentError('It must be an ISO 8601 time.');
  return millis * 1_000;
}
