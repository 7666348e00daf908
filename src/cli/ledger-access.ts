import type { Command } from 'commander';
import { withLedger } from '../net/ledger-access.ts';
import { LedgerReader } from '../net/ledger-reader.ts';
import type { LedgerTarget } from '../net/ledger-target.ts';
import { loadCommandConfig } from './config-command.ts';

/** Gives `work` a reader of the ledger that a command is about. */
export async function withReader<T>(
  command: Command,
  work: (reader: LedgerReader, target: LedgerTarget) => Promise<T>,
): Promise<T> {
  const log = (level: string, text: string): void => {
    if (level !== 'info') process.stderr.write(`${text}\n`);
  };
  return withLedger(loadCommandConfig(command), log, async (target) => {
    const reader = new LedgerReader(target, 'owner');
    try {
      return await work(reader, target);
    } finally {
      await reader.close();
    }
  });
}

/** Paise as rupees, without arithmetic of fractions. */
export function rupees(paise: number): string {
  const digits = String(Math.abs(paise)).padStart(3, '0');
  return `${paise < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
