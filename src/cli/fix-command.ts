import type { Command } from 'commander';
import { addFixEchoCommand } from './fix-echo-command.ts';
import { addFixLogCommand } from './fix-log-command.ts';
import { addFixResetCommand } from './fix-reset-command.ts';
import { addFixStatusCommand } from './fix-status-command.ts';

/** `outcry fix`: everything about FIX sessions and their stores. */
export function addFixCommand(program: Command): void {
  const fix = program
    .command('fix')
    .description('look into FIX sessions and their stores, and test FIX counterparties');
  addFixEchoCommand(fix);
  addFixLogCommand(fix);
  addFixStatusCommand(fix);
  addFixResetCommand(fix);
}
