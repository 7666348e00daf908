import { type Command, InvalidArgumentError } from 'commander';
import type { LogonCredentials } from '../core/fix/session-contract.ts';
import { PASSWORD_VARIABLE, readVenueCredentials } from '../net/venue-credentials.ts';

/** Options of a command that is an acceptor: the credentials that it asks for. */
export interface CredentialOptions {
  readonly username?: string;
  readonly passwordFile?: string;
}

export function addCredentialOptions(command: Command): Command {
  return command
    .option('--username <name>', `ask for this Username(553), and for the password in ${PASSWORD_VARIABLE}`, username)
    .option('--password-file <file>', 'ask for the password in this file instead');
}

/** Null when nobody is asked for any. */
export function credentialsOf({ username = '', passwordFile = '' }: CredentialOptions): LogonCredentials | null {
  return readVenueCredentials(username, passwordFile, process.env);
}

function username(text: string): string {
  if (/^[\x20-\x7e]{1,64}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be 1 to 64 printable ASCII characters.');
}
