import { randomUUID } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import { RefusalCode } from '../core/refusal-codes.ts';

const ALGORITHM = 'HS256';
const ISSUER = 'outcry';
/** A longer one is nobody's. */
const TOKEN_LENGTH_MAX = 1_024;
/** How far the clocks of who issues and who verifies may be apart. */
const CLOCK_TOLERANCE_SECONDS = 5;
const USER_ID_PATTERN = /^[1-9][0-9]{0,15}$/;

/** Who a token is for, and until when. */
export interface TokenClaims {
  readonly userId: number;
  readonly expiresMs: number;
}

/** Why a token gives no rights. */
export interface TokenRefusal {
  readonly code: typeof RefusalCode.TokenInvalid | typeof RefusalCode.TokenExpired;
  readonly text: string;
}

export function isUserId(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

/** A JWT (RFC 7519) that says who its bearer is. */
export function issueToken(secret: Uint8Array, { userId, expiresMs }: TokenClaims, nowMs: number): Promise<string> {
  return new SignJWT()
    .setProtectedHeader({ alg: ALGORITHM })
    .setIssuer(ISSUER)
    .setSubject(String(userId))
    .setIssuedAt(Math.floor(nowMs / 1_000))
    .setExpirationTime(Math.floor(expiresMs / 1_000))
    .setJti(randomUUID())
    .sign(secret);
}

/** What a token says, when it is ours and in force. The algorithm is pinned, and the library compares in constant time. */
export async function verifyToken(
  secret: Uint8Array,
  token: string,
  nowMs: number,
): Promise<TokenClaims | TokenRefusal> {
  if (token.length > TOKEN_LENGTH_MAX) return invalid(`a token is at most ${TOKEN_LENGTH_MAX} characters`);
  try {
    const { payload } = await jwtVerify(token, secret, {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      requiredClaims: ['sub', 'exp', 'iat', 'jti'],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(nowMs),
    });
    const userId = USER_ID_PATTERN.test(payload.sub as string) ? Number(payload.sub) : 0;
    if (!isUserId(userId)) return invalid('the token names no user');
    return { userId, expiresMs: (payload.exp as number) * 1_000 };
  } catch (error) {
    if (error instanceof errors.JWTExpired) return { code: RefusalCode.TokenExpired, text: 'the token has expired' };
    if (error instanceof errors.JOSEError) return invalid('the token is not one of ours');
    throw error;
  }
}

function invalid(text: string): TokenRefusal {
  return { code: RefusalCode.TokenInvalid, text };
}
