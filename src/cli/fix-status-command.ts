import { join } from 'node:path';
import type { Command } from 'commander';
import { listSessions, STORES_DIRECTORY, type StoreStatus, storeStatus } from '../net/store-view.ts';
import { loadCommandConfig } from './config-command.ts';

/** `outcry fix status`: what the stores of the data directory say, read-only. */
export function addFixStatusCommand(fix: Command): void {
  fix
    .command('status')
    .description('tell numbers, epoch, last activity and size of every stored session, also while they are in use')
    .option('--json', 'as a JSON array')
    .addHelpText('after', '\nExamples:\n  outcry fix status\n  outcry fix status --json | jq ".[].nextSenderMsgSeqNum"')
    .action((options: { json?: boolean }, command: Command) => {
      const stores = join(loadCommandConfig(command).dataDir, STORES_DIRECTORY);
      const found = listSessions(stores).map((name) => storeStatus(join(stores, name)));
      process.stdout.write(options.json ? `${JSON.stringify(found, null, 2)}\n` : renderStatus(stores, found));
      if (found.some(({ damage }) => damage !== null)) process.exitCode = 1;
    });
}

function renderStatus(stores: string, found: readonly StoreStatus[]): string {
  if (found.length === 0) return `no session is stored in ${stores}\n`;
  return found.map(renderSession).join('\n');
}

export function renderSession(status: StoreStatus): string {
  const lines = [
    status.session,
    `  epoch          ${status.epoch} (begun ${new Date(status.epoch).toISOString()})`,
    `  next out       ${status.nextSenderMsgSeqNum}, ${status.messagesOut} messages kept to be sent again`,
    `  next in        ${status.nextTargetMsgSeqNum}, ${status.messagesIn} messages kept for the log`,
    `  last activity  ${status.lastActivity}`,
    `  files          ${status.files}, ${status.bytes} bytes`,
    `  in use         ${status.pid === null ? 'no' : `by process ${status.pid}`}`,
  ];
  if (status.damage !== null) lines.splice(2, 3, `  DAMAGED        ${status.damage}`);
  return `${lines.join('\n')}\n`;
}
