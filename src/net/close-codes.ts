import { CLOSE_CLIENT_FAULT_MAX, CLOSE_CLIENT_FAULT_MIN } from '../core/fan-out/wire.ts';

/**
 * Why the server closes a WebSocket. CLOSE_CLIENT_FAULT_MIN to CLOSE_CLIENT_FAULT_MAX: the client is at fault and the same
 * again gives the same; from 4500: the server's side, come back later. `ws-protocol.md` lists them for people.
 */
export const CloseCode = {
  MessageTooLarge: CLOSE_CLIENT_FAULT_MIN,
  TooManyErrors: CLOSE_CLIENT_FAULT_MIN + 1,
  TooManyMessages: CLOSE_CLIENT_FAULT_MIN + 2,
  GoingAway: CLOSE_CLIENT_FAULT_MAX + 1,
  TooSlow: CLOSE_CLIENT_FAULT_MAX + 2,
} as const;
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** Sent with the code; at most 123 bytes (RFC 6455, 5.5.1). */
export const CLOSE_REASONS: Record<CloseCode, string> = {
  [CloseCode.MessageTooLarge]: 'message too large',
  [CloseCode.TooManyErrors]: 'too many wrong messages',
  [CloseCode.TooManyMessages]: 'too many messages',
  [CloseCode.GoingAway]: 'the server is going away',
  [CloseCode.TooSlow]: 'too slow to take its answers',
};
