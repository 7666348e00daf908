import type { FixDictionary } from './dictionary.ts';
import type { FixMessage } from './fix-message.ts';
import type { FixSession } from './fix-session.ts';
import type { FixStore } from './fix-store.ts';

/** What a session asks of its owner and tells its application, and the settings it runs by. */

/** Why a session asks its owner to close the connection. */
export const DisconnectReason = {
  LogonTimeout: 'no Logon in time',
  LogonRefused: 'Logon refused',
  LogoutComplete: 'Logout exchanged',
  LogoutTimeout: 'no answer to Logout in time',
  PeerSilent: 'no message within 2.4 x HeartBtInt',
  SequenceTooLow: 'MsgSeqNum(34) too low without PossDupFlag(43)',
  GapNotFilled: 'a ResendRequest was not answered in time',
  ProtocolViolation: 'the counterparty broke the session protocol',
  GarbageLimit: 'too many bytes that are no FIX message',
  SlowConsumer: 'the counterparty does not read what is sent to it',
  StoreFailed: 'the session store failed: what it cannot keep is not sent',
  ApplicationBehind: 'the application cannot take more messages now',
  ConnectionLost: 'the connection was lost',
} as const;
export type DisconnectReason = (typeof DisconnectReason)[keyof typeof DisconnectReason];

/** The connection, as the session sees it. */
export interface FixTransport {
  /** Takes a whole message. The bytes are only valid during the call. */
  send(buffer: Uint8Array, start: number, end: number): void;
  /** Closes the connection after what was sent; the session wants nothing more of it. */
  disconnect(reason: DisconnectReason): void;
}

/** Whose Logon came in: its BeginString(8), SenderCompID(49) and TargetCompID(56). */
export interface LogonIdentity {
  readonly beginString: string;
  readonly senderCompID: string;
  readonly targetCompID: string;
}

/** What an acceptor's connection becomes once it is known who calls. */
export interface FixSessionProfile {
  readonly settings: FixSessionSettings;
  readonly store: FixStore;
}

/** Deliveries. A message is reused by the session: copy what outlives the call. Callbacks may send. */
export interface FixApplication {
  /**
   * Acceptor of several sessions at one port: the session that a Logon is for. Null refuses without a word, and without touching any
   * session's numbers: a stranger, or a second logon to a live session. Without it the settings the session was made with count.
   */
  identify?(session: FixSession, logon: LogonIdentity): FixSessionProfile | null;
  /** Acceptor: whether the counterparty of a Logon may come in: '' for yes, otherwise the text of the refusal. */
  admit?(session: FixSession, counterpartyCompID: string): string;
  onLogon(session: FixSession): void;
  /** An application message, in sequence. */
  onMessage(session: FixSession, message: FixMessage): void;
  /** Reject(3): the counterparty could not take the message that RefSeqNum(45) names. */
  onReject?(session: FixSession, message: FixMessage): void;
  /** Sessions of gap policy `feed`: these numbers were missed and are not asked for again. */
  onGap(session: FixSession, fromSeqNum: number, toSeqNum: number): void;
  /** The connection serves no more: Logout's text or a DisconnectReason. Exactly once a connection. */
  onLogout(session: FixSession, text: string): void;
}

/** Username(553) and Password(554) of an initiator's Logon; 4.2 has them by agreement of the two sides only. */
export interface LogonCredentials {
  readonly username: string;
  readonly password: string;
}

export interface FixSessionSettings {
  role: 'initiator' | 'acceptor';
  /** BeginString(8): `FIX.4.4`. */
  beginString: string;
  /** Ours. */
  senderCompID: string;
  /** The counterparty's; an acceptor with '' takes it from the Logon and asks `admit`. */
  targetCompID: string;
  /** HeartBtInt(108) that an initiator asks for; an acceptor takes the initiator's. 0 for no heartbeats. */
  heartBtIntSeconds: number;
  /**
   * Begin at 1 with every Logon. An initiator asks for it with ResetSeqNumFlag(141)=Y; an acceptor does it unasked. Without it an acceptor
   * does as it is asked.
   */
  resetOnLogon: boolean;
  /**
   * What a number that is too high means. `resend`: later messages are held and the missing ones asked for (order sessions).
   * `feed`: `onGap`, and on: old market data is worth nothing, the application subscribes again.
   */
  gapPolicy: 'resend' | 'feed';
  /**
   * Initiator: sent with each Logon. Acceptor: the first Logon of a connection that has not exactly these is refused. Never logged and never
   * stored; absent or null sends none and asks for none.
   */
  credentials?: LogonCredentials | null;
  logonTimeoutMs: number;
  logoutTimeoutMs: number;
  /** How long a counterparty whose Logout is answered has to hang up before we do (FIX volume 2); 0 hangs up at once. */
  hangUpTimeoutMs: number;
  /** How long a ResendRequest may stay unanswered. */
  resendTimeoutMs: number;
  /** Messages are held against it; null checks no more than the header that the session itself needs. */
  dictionary: FixDictionary | null;
  /** With a dictionary: tags from 5000 on that it does not know are let pass. */
  allowUserDefinedFields: boolean;
  /**
   * Whether an application message that a ResendRequest asks for is sent again; what is not is gap-filled. It is given the message as it was
   * sent, with `sendingTimeMicros`. Null sends all of them.
   */
  resendable: ((message: FixMessage, nowMs: number) => boolean) | null;
  /** How far SendingTime(52) may be off our clock; 0 leaves it unchecked. */
  sendingTimeToleranceMs: number;
}

/** What a session runs by unless told otherwise; FIX volume 2 suggests the tolerance of two minutes. */
export const SESSION_DEFAULTS = {
  beginString: 'FIX.4.4',
  heartBtIntSeconds: 30,
  resetOnLogon: true,
  logonTimeoutMs: 10_000,
  logoutTimeoutMs: 2_000,
  hangUpTimeoutMs: 2_000,
  resendTimeoutMs: 30_000,
  sendingTimeToleranceMs: 120_000,
  dictionary: null,
  allowUserDefinedFields: true,
  resendable: null,
} as const;

/** What `FixSession.send` returns in place of a MsgSeqNum(34) when nothing was sent and no number was used. */
export const SendRefusal = {
  NotLoggedOn: -1,
  /** Longer than MESSAGE_BYTES_MAX. */
  TooLong: -2,
  /** An empty value, or one with bytes that FIX does not allow. */
  BadValue: -3,
} as const;
