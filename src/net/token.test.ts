import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import t from 'tap';
import { RefusalCode } from '../core/refusal-codes.ts';
import { issueToken, verifyToken } from './token.ts';
import { ensureTokenSecret, readTokenSecret } from './token-secret.ts';

const SECRET = new TextEncoder().encode('a secret of the tests, long enough');
const NOW_MS = 1_790_000_000_000;
const HOUR_MS = 3_600_000;

t.test('a token says who its bearer is until it expires', async (t) => {
  for (const userId of [1, 42, 2 ** 53 - 1]) {
    const claims = { userId, expiresMs: NOW_MS + HOUR_MS };
    const token = await issueToken(SECRET, claims, NOW_MS);
    t.strictSame(await verifyToken(SECRET, token, NOW_MS), claims);
    t.match(await verifyToken(SECRET, token, NOW_MS + HOUR_MS + 6_000), { code: RefusalCode.TokenExpired });
  }
  const twice = await Promise.all([1, 1].map((userId) => issueToken(SECRET, { userId, expiresMs: NOW_MS }, NOW_MS)));
  t.not(twice[0], twice[1], 'each has a name of its own');
});

t.test('everything else is refused', async (t) => {
  const secret = SECRET;
  const good = await issueToken(secret, { userId: 7, expiresMs: NOW_MS + HOUR_MS }, NOW_MS);
  const [head, body, signature] = good.split('.') as [string, string, string];
  const none = Buffer.from('{"alg":"none"}').toString('base64url');
  const forged = Buffer.from(JSON.stringify({ ...JSON.parse(atob(body)), sub: '8' })).toString('base64url');
  const jwt = () =>
    new SignJWT()
      .setIssuer('outcry')
      .setSubject('7')
      .setIssuedAt(NOW_MS / 1_000)
      .setExpirationTime(NOW_MS / 1_000 + 60);
  const hs256 = { alg: 'HS256' };
  const cases: Record<string, string> = {
    nothing: '',
    garbage: 'a.b.c',
    'no signature': `${head}.${body}.`,
    'algorithm none': `${none}.${body}.`,
    'another body': `${head}.${forged}.${signature}`,
    'another secret': await issueToken(new TextEncoder().encode('x'.repeat(40)), { userId: 7, expiresMs: NOW_MS }, 1),
    'another algorithm': await jwt().setJti('x').setProtectedHeader({ alg: 'HS512' }).sign(new Uint8Array(64)),
    'no name': await jwt().setProtectedHeader(hs256).sign(secret),
    'another issuer': await jwt().setIssuer('x').setJti('x').setProtectedHeader(hs256).sign(secret),
    'a user that is none': await jwt().setSubject('7.5').setJti('x').setProtectedHeader(hs256).sign(secret),
    'a user beyond 2^53': await jwt().setSubject('9007199254740992').setJti('x').setProtectedHeader(hs256).sign(secret),
    'too long': `${good}${'x'.repeat(2_000)}`,
  };
  for (const [name, token] of Object.entries(cases)) {
    t.match(await verifyToken(secret, token, NOW_MS), { code: RefusalCode.TokenInvalid }, name);
  }
});

t.test('the secret is made once, for its owner alone, or given', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'outcry-test-'));
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  const source = { dataDir, secretFile: '', environment: {} };
  t.throws(() => readTokenSecret(source), {
    code: 'CONFIG_INVALID',
    message: /is not there; the first `outcry start`/,
  });
  ensureTokenSecret(source);
  const made = readTokenSecret(source);
  ensureTokenSecret(source);
  t.strictSame(readTokenSecret(source), made, 'not made again');
  t.ok(made.length >= 32);
  const path = join(dataDir, 'token-secret');
  t.equal(statSync(path).mode & 0o777, 0o600);
  chmodSync(path, 0o600);
  t.equal(readFileSync(path, 'utf8').trim(), new TextDecoder().decode(made));

  const environment = { OUTCRY_TOKEN_SECRET: 'e'.repeat(32) };
  t.equal(new TextDecoder().decode(readTokenSecret({ ...source, environment })), 'e'.repeat(32));
  const secretFile = join(dataDir, 'given');
  writeFileSync(secretFile, `${'f'.repeat(32)}\n`);
  t.equal(new TextDecoder().decode(readTokenSecret({ ...source, secretFile })), 'f'.repeat(32));
  const short = { ...source, environment: { OUTCRY_TOKEN_SECRET: 'short' } };
  t.throws(() => ensureTokenSecret(short), { code: 'CONFIG_INVALID', message: /32 to 1024 bytes expected/ });
});
