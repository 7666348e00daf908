import { statSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { OutcryError } from '../core/errors.ts';
import { readTokenSecret } from '../net/token-secret.ts';
import { loadCommandConfig } from './config-command.ts';
import { parseUserId } from './user-command.ts';

interface TokenOptions {
  readonly userId: number;
  readonly ttl: number;
  readonly json?: boolean;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };
const TTL_SECONDS_MAX = 30 * 86_400;

export function addTokenCommand(program: Command): void {
  program
    .command('token')
    .description('issue a token that logs in as a user, signed with the secret of the data directory; needs no engine')
    .requiredOption('--user-id <id>', 'a whole number from 1 to 2^53 - 1', parseUserId)
    .option('--ttl <time>', 'how long it is good for: 90s, 15m, 12h, 30d at most', parseTtl, 12 * 3_600)
    .option('--json', 'as one JSON object: userId, token, expiresAt')
    .addHelpText(
      'after',
      '\nExamples:\n  outcry token --user-id 42\n  outcry token --user-id 42 --ttl 15m --json | jq -r .token',
    )
    .action(printToken);
}

async function printToken({ userId, ttl, json }: TokenOptions, command: Command): Promise<void> {
  const { dataDir, tokenSecretFile } = loadCommandConfig(command);
  if (!statSync(dataDir, { throwIfNoEntry: false })?.isDirectory()) {
    throw new OutcryError('CONFIG_INVALID', `there is no data directory ${dataDir} (setting data_dir)`);
  }
  const secret = readTokenSecret({ dataDir, secretFile: tokenSecretFile, environment: process.env });
  // Loaded here: no other command needs the library.
  const { issueToken } = await import('../net/token.ts');
  const nowMs = Date.now();
  const expiresMs = nowMs + ttl * 1_000;
  const token = await issueToken(secret, { userId, expiresMs }, nowMs);
  const expiresAt = new Date(Math.floor(expiresMs / 1_000) * 1_000).toISOString();
  process.stdout.write(json ? `${JSON.stringify({ userId, token, expiresAt })}\n` : `${token}\n`);
}

function parseTtl(text: string): number {
  const match = /^([0-9]{1,7})([smhd])$/.exec(text);
  const seconds = match === null ? 0 : Number(match[1]) * (UNIT_SECONDS[match[2]!] as number);
  if (seconds >= 1 && seconds <= TTL_SECONDS_MAX) return seconds;
  throw new InvalidArgumentError('It must be a time from 1s to 30d, such as 90s, 15m, 12h or 7d.');
}
