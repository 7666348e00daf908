import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { readTradeFile, TRADES_DIRECTORY } from '../net/trade-files.ts';
import { loadCommandConfig } from './config-command.ts';
import { parseDay } from './day-option.ts';

interface TradesOptions {
  readonly day: string;
  readonly compId?: string;
  readonly trades?: string;
}

/** `outcry exchange trades`: what an exchange would send its member at the end of the day. */
export function addExchangeTradesCommand(exchange: Command): void {
  exchange
    .command('trades')
    .description('print the trade file of a day, also while the day goes on')
    .requiredOption('--day <date>', 'trading day, YYYY-MM-DD', parseDay)
    .option('--comp-id <id>', 'whose trades: SenderCompID(49) of an order session (default: that of the engine)')
    .option('--trades <directory>', 'of an exchange that was run with this option (default: that of outcry start)')
    .addHelpText(
      'after',
      '\nExamples:\n  outcry exchange trades --day 2026-11-26 > trades.csv && outcry ledger reconcile --day 2026-11-26 --file trades.csv',
    )
    .action(({ day, compId, trades }: TradesOptions, command: Command) => {
      const { dataDir, orderSessions } = loadCommandConfig(command);
      const directory = trades === undefined ? join(dataDir, TRADES_DIRECTORY) : resolve(trades);
      process.stdout.write(readTradeFile(directory, day, compId ?? orderSessions[0] ?? ''));
    });
}
