import { readFileSync, statSync } from 'node:fs';
import { OutcryError } from '../core/errors.ts';

/** The environment variable of the password, which is no setting: settings are shown and travel between processes. A file named by the setting `ledger_password_file` is the other way to give it, and goes first. */
export const LEDGER_PASSWORD_VARIABLE = 'OUTCRY_LEDGER_PASSWORD';
const PASSWORD_BYTES_MAX = 1_024;

/** Of the setting `ledger_url`. */
export function isLedgerUrl(value: string): boolean {
  if (value === '') return true;
  let url: URL;
  try {
    url = new URL(value);
  } catch {
    return false;
  }
  const known = [...url.searchParams].every(
    ([name, text]) => name === 'host' || (name === 'sslmode' && /^(disable|require|verify-full)$/.test(text)),
  );
  const named = url.hostname !== '' && url.username !== '' && url.pathname.length > 1;
  return /^postgres(ql)?:$/.test(url.protocol) && known && named && url.password === '' && url.hash === '';
}

/** '' for none: not every server wants one. */
export function readLedgerPassword(file: string): string {
  if (file === '') return process.env[LEDGER_PASSWORD_VARIABLE] ?? '';
  try {
    if (statSync(file).size > PASSWORD_BYTES_MAX) throw new Error('too long');
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new OutcryError('CONFIG_INVALID', `${file}: ${(error as Error).message}`, error);
  }
}
