import type { Command } from 'commander';
import { OutcryError } from '../core/errors.ts';
import { describeBreak, type TradeBreak } from '../core/reconciliation/trade-matcher.ts';
import type { Config } from '../net/config.ts';
import { askControl } from '../net/control-socket.ts';
import { readInstrumentFile } from '../net/instrument-file.ts';
import type { ReconciliationReport } from '../net/trade-reconciliation.ts';
import { loadCommandConfig } from './config-command.ts';
import { parseDay } from './day-option.ts';
import { ExitCode } from './exit-codes.ts';
import { withReader } from './ledger-access.ts';

interface ReconcileOptions {
  readonly day: string;
  readonly file: readonly string[];
  readonly freeze: boolean;
  readonly json?: boolean;
}

const REASON_LENGTH_MAX = 200;

/** `outcry ledger reconcile`: our trades of a day against the venue's files. */
export function addReconcileCommand(ledger: Command): void {
  ledger
    .command('reconcile')
    .description('hold our trades of a day against the venue’s trade files; accounts with a break are frozen')
    .requiredOption('--day <date>', 'trading day, YYYY-MM-DD', parseDay)
    .requiredOption('--file <files...>', 'the venue’s files of the day, one a session of ours')
    .option('--no-freeze', 'only tell')
    .option('--json', 'one JSON object a line: each break, then the sums')
    .addHelpText(
      'after',
      '\nExit code 4: there are breaks, or a file is not what it must be.\n\nExamples:\n  outcry ledger reconcile --day 2026-11-26 --file trades.csv\n  outcry ledger reconcile --day 2026-11-26 --file a.csv b.csv --json | jq -s length',
    )
    .action(reconcile);
}

async function reconcile(options: ReconcileOptions, command: Command): Promise<void> {
  const config = loadCommandConfig(command);
  const { day: tradingDay, file: files } = options;
  const symbols = readInstrumentFile(config.instrumentsFile).symbolsOn(tradingDay);
  const toFreeze = new Map<number, string>();
  const { reconcileTradeFiles } = await import('../net/trade-reconciliation.ts');
  const report = await withReader(command, (reader) =>
    reconcileTradeFiles({
      reader,
      files,
      tradingDay,
      venue: config.values.target_comp_id,
      symbolOf: (instrumentId) => symbols.get(instrumentId) ?? `instrument ${instrumentId}`,
      onBreak: (found) => {
        process.stdout.write(`${options.json ? JSON.stringify(found) : renderBreak(found)}\n`);
        if (found.userId !== 0 && !toFreeze.has(found.userId)) toFreeze.set(found.userId, describeBreak(found));
      },
    }),
  );
  process.stdout.write(`${options.json ? JSON.stringify(report) : renderReport(report)}\n`);
  if (report.breaks === 0) return;
  process.exitCode = ExitCode.Refused;
  if (options.freeze) await freezeAll(config, toFreeze);
}

/** Through the running engine, which is the one writer of accounts and raises the alarm. */
async function freezeAll({ dataDir }: Config, toFreeze: ReadonlyMap<number, string>): Promise<void> {
  for (const [userId, text] of toFreeze) {
    const reason = `reconciliation: ${text}`.slice(0, REASON_LENGTH_MAX);
    try {
      await askControl(dataDir, { type: 'account', command: { type: 'freeze', userId, reason } });
      process.stderr.write(`user ${userId} is frozen\n`);
    } catch (error) {
      if (!(error instanceof OutcryError)) throw error;
      throw new OutcryError(error.code, `user ${userId} is NOT frozen: ${error.detail}`, error);
    }
  }
}

function renderBreak(found: TradeBreak): string {
  return `${found.userId === 0 ? 'nobody here' : `user ${found.userId}`}, ${describeBreak(found)}`;
}

function renderReport({ tradingDay, ours, theirs, matched, breaks }: ReconciliationReport): string {
  const verdict = breaks === 0 ? 'no break' : `${breaks} BREAKS`;
  return `${tradingDay}: ${ours} trades here, ${theirs} at the venue, ${matched} agree: ${verdict}`;
}
