import { readFileSync, statSync } from 'node:fs';
import { OutcryError } from '../core/errors.ts';
import { CREDENTIAL_LENGTH_MAX } from '../core/fix/expected-credentials.ts';
import type { LogonCredentials } from '../core/fix/session-contract.ts';

/** The environment variable of the password, which is no setting: settings are shown and travel between processes. A file named by the setting `venue_password_file` is the other way to give it, and goes first. */
export const PASSWORD_VARIABLE = 'OUTCRY_VENUE_PASSWORD';

/** Null without a username. CONFIG_INVALID, which never tells the password, when there is none or it is no FIX string. */
export function readVenueCredentials(
  username: string,
  passwordFile: string,
  environment: Readonly<Record<string, string | undefined>>,
): LogonCredentials | null {
  if (username === '') return null;
  const fromFile = passwordFile !== '';
  const source = fromFile ? passwordFile : PASSWORD_VARIABLE;
  const password = fromFile ? passwordOf(passwordFile) : (environment[PASSWORD_VARIABLE] ?? '');
  if (!/^[\x20-\x7e]+$/.test(password) || password.length > CREDENTIAL_LENGTH_MAX)
    throw new OutcryError(
      'CONFIG_INVALID',
      `${source}: 1 to ${CREDENTIAL_LENGTH_MAX} printable ASCII characters expected`,
    );
  return { username, password };
}

/** Without the line end that editors leave. */
function passwordOf(path: string): string {
  try {
    if (statSync(path).size > 4 * CREDENTIAL_LENGTH_MAX) throw new Error('too long');
    return readFileSync(path, 'latin1').replace(/\r?\n$/, '');
  } catch (error) {
    throw new OutcryError('CONFIG_INVALID', `${path}: ${(error as Error).message}`, error);
  }
}
