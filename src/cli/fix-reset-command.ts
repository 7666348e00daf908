import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { OutcryError } from '../core/errors.ts';
import { resetFixStore } from '../net/fix-store-file.ts';
import { listSessions, STORES_DIRECTORY, storeStatus } from '../net/store-view.ts';
import { loadCommandConfig } from './config-command.ts';
import { renderSession } from './fix-status-command.ts';

/** `outcry fix reset-sequence`: both numbers of a session to 1, in a new epoch. */
export function addFixResetCommand(fix: Command): void {
  fix
    .command('reset-sequence')
    .description('set both numbers of a stored session to 1; the counterparty must do the same')
    .argument('<session>', 'its name as `outcry fix status` has it')
    .option('--yes', 'do it; without, only what would be lost is told')
    .addHelpText(
      'after',
      '\nExamples:\n  outcry fix reset-sequence FIX.4.4-BROKER-VENUE         what would be lost; nothing is done\n  outcry fix reset-sequence FIX.4.4-BROKER-VENUE --yes   do it',
    )
    .action(async (session: string, options: { yes?: boolean }, command: Command) => {
      const stores = join(loadCommandConfig(command).dataDir, STORES_DIRECTORY);
      const sessions = listSessions(stores);
      if (!sessions.includes(session) || !existsSync(join(stores, session))) {
        throw new OutcryError(
          'CONFIG_INVALID',
          `no session ${session} in ${stores}; has ${sessions.join(', ') || 'none'}`,
        );
      }
      const status = storeStatus(join(stores, session));
      process.stdout.write(renderSession(status));
      if (status.pid !== null)
        throw new OutcryError('REQUEST_REFUSED', `process ${status.pid} has ${session}: stop it first`);
      process.stdout.write(
        `\nBoth numbers become 1. ${status.messagesOut} messages can then not be sent again, and what the counterparty sent from number ${status.nextTargetMsgSeqNum} on is not asked for.\n`,
      );
      if (!options.yes) throw new OutcryError('REQUEST_REFUSED', 'nothing was done: add --yes to reset');
      const epoch = await resetFixStore({ directory: stores, sessionId: session });
      process.stdout.write(`${session}: both numbers are 1, epoch ${epoch}\n`);
    });
}
