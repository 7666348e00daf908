import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OutcryError } from '../core/errors.ts';

/** The environment variable of the secret that tokens are signed with: no setting, since settings are shown and travel between processes. */
export const TOKEN_SECRET_VARIABLE = 'OUTCRY_TOKEN_SECRET';

/** HS256 wants a key as long as its hash (RFC 7518, 3.2). */
const SECRET_MIN_BYTES = 32;
const SECRET_MAX_BYTES = 1_024;
const MADE_BYTES = 48;

/** Where the secret is: the variable goes first, then the file of the setting, then the one that was made in the data directory. */
export interface TokenSecretSource {
  readonly dataDir: string;
  /** Absolute; '' for none. */
  readonly secretFile: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Raises CONFIG_INVALID, which never tells the secret, when there is none or it is too short. */
export function readTokenSecret(source: TokenSecretSource): Uint8Array {
  const given = source.environment[TOKEN_SECRET_VARIABLE];
  if (given !== undefined && given !== '') return checked(given, TOKEN_SECRET_VARIABLE);
  const path = source.secretFile || madeSecretFile(source.dataDir);
  return checked(textOf(path), path);
}

/** The same, and makes a secret in the data directory when none is given and none was made. */
export function ensureTokenSecret(source: TokenSecretSource): void {
  if (!source.environment[TOKEN_SECRET_VARIABLE] && source.secretFile === '') {
    const path = madeSecretFile(source.dataDir);
    try {
      writeFileSync(path, `${randomBytes(MADE_BYTES).toString('base64url')}\n`, { flag: 'wx', mode: 0o600 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw new OutcryError('CONFIG_INVALID', `${path}: ${(error as Error).message}`, error);
      }
    }
  }
  readTokenSecret(source);
}

function madeSecretFile(dataDir: string): string {
  return join(dataDir, 'token-secret');
}

/** Without the line end that editors leave. */
function textOf(path: string): string {
  try {
    if (statSync(path).size > 2 * SECRET_MAX_BYTES) throw new Error('too long');
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const hint = isMissing ? 'is not there; the first `outcry start` on this data directory makes it' : String(error);
    throw new OutcryError('CONFIG_INVALID', `the secret of tokens ${path} ${hint}`, error);
  }
}

function checked(secret: string, source: string): Uint8Array {
  const bytes = new TextEncoder().encode(secret);
  if (bytes.length >= SECRET_MIN_BYTES && bytes.length <= SECRET_MAX_BYTES) return bytes;
  throw new OutcryError('CONFIG_INVALID', `${source}: ${SECRET_MIN_BYTES} to ${SECRET_MAX_BYTES} bytes expected`);
}
