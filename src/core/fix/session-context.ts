// hot: read per message. What ends a connection is rare.
import { ExpectedCredentials } from './expected-credentials.ts';
import { FixDecoder } from './fix-decoder.ts';
import { FixMessage } from './fix-message.ts';
import type { FixSession } from './fix-session.ts';
import type { FixStore } from './fix-store.ts';
import { SessionIdentity } from './inbound-checks.ts';
import { InboundSequence } from './inbound-sequence.ts';
import { MessageValidator } from './message-validator.ts';
import { OutboundMessages } from './outbound-messages.ts';
import { ResendAnswer } from './resend-answer.ts';
import { SequenceMessages } from './sequence-messages.ts';
import {
  DisconnectReason,
  type FixApplication,
  type FixSessionProfile,
  type FixSessionSettings,
  type FixTransport,
} from './session-contract.ts';
import { SessionHeader } from './session-header.ts';
import { SessionLiveness } from './session-liveness.ts';

/** EndSeqNo(16): from BeginSeqNo(7) to the last. What comes twice so is known by its number. */
const ALL_THAT_FOLLOW = 0;

export const SessionState = {
  Disconnected: 0,
  /** Acceptor: the first message must be a Logon. */
  LogonAwaited: 1,
  /** Initiator: ours is out. */
  LogonSent: 2,
  LoggedOn: 3,
  /** Our Logout is out; messages that were under way are still taken. */
  LogoutSent: 4,
  /** Theirs is answered, and they should hang up. */
  LogoutAnswered: 5,
  /** They broke the protocol and our Logout says so: nothing is taken any more but theirs. */
  Ending: 6,
} as const;
export type SessionState = (typeof SessionState)[keyof typeof SessionState];

/** What depends on whose session it is: an acceptor of several sessions learns that with the Logon. */
export class SessionParts {
  readonly settings: FixSessionSettings;
  readonly store: FixStore;
  readonly outbound: OutboundMessages;
  readonly identity: SessionIdentity;
  readonly inbound: InboundSequence;
  readonly resendAnswer: ResendAnswer;
  readonly sequenceMessages: SequenceMessages;
  /** Null without a dictionary. */
  readonly validator: MessageValidator | null;
  /** Of an acceptor that asks for them. */
  readonly expectedCredentials: ExpectedCredentials | null;

  constructor({ settings, store }: FixSessionProfile, transport: FixTransport) {
    const { role, beginString, senderCompID, targetCompID, dictionary, credentials = null } = settings;
    this.settings = settings;
    this.store = store;
    this.outbound = new OutboundMessages(beginString, transport, store);
    this.outbound.setCompIDs(senderCompID, targetCompID);
    this.identity = new SessionIdentity(beginString, senderCompID, targetCompID);
    this.inbound = new InboundSequence(store);
    this.resendAnswer = new ResendAnswer(this.outbound, store, settings.resendable);
    this.sequenceMessages = new SequenceMessages(this.inbound, this.outbound, this.resendAnswer);
    this.expectedCredentials =
      role === 'acceptor' && credentials !== null ? new ExpectedCredentials(credentials) : null;
    this.validator =
      dictionary === null
        ? null
        : new MessageValidator(dictionary, settings.allowUserDefinedFields, this.expectedCredentials !== null);
  }
}

/** What the modules of one session share: its state, the message on hand, the time, and the ways in which a connection ends. */
export class SessionContext {
  readonly session: FixSession;
  readonly application: FixApplication;
  parts: SessionParts;
  readonly message: FixMessage = new FixMessage();
  readonly decoder: FixDecoder = new FixDecoder();
  readonly header: SessionHeader = new SessionHeader();
  readonly liveness: SessionLiveness = new SessionLiveness();
  state: SessionState = SessionState.Disconnected;
  /** The time last told. */
  nowMs = 0;
  /** When the handshake under way, Logon or Logout, has taken too long. */
  deadlineMs = 0;
  gapCount = 0;
  garbledBytes = 0;

  readonly #transport: FixTransport;
  #endReason: DisconnectReason = DisconnectReason.ConnectionLost;
  #logoutTold = true;

  constructor(session: FixSession, profile: FixSessionProfile, transport: FixTransport, application: FixApplication) {
    this.session = session;
    this.application = application;
    this.#transport = transport;
    this.parts = new SessionParts(profile, transport);
  }

  /** The session is another's than it was made for. */
  adopt(profile: FixSessionProfile): void {
    this.parts = new SessionParts(profile, this.#transport);
  }

  /** A connection stands. */
  open(state: SessionState): void {
    this.state = state;
    this.deadlineMs = this.nowMs + this.parts.settings.logonTimeoutMs;
    this.#logoutTold = false;
    this.liveness.start(0, this.nowMs);
    this.parts.inbound.restart();
    this.parts.resendAnswer.cancel();
  }

  /** Both sides begin at 1. */
  resetSeqNums(): void {
    this.parts.store.reset(this.nowMs);
    this.parts.inbound.restart();
    this.parts.resendAnswer.cancel();
  }

  /** Waits in `state`, for `timeoutMs` at most, before the connection ends with `reason`. */
  await(state: SessionState, timeoutMs: number, reason: DisconnectReason): void {
    if (timeoutMs === 0) {
      this.disconnect(reason);
      return;
    }
    this.state = state;
    this.#endReason = reason;
    this.deadlineMs = this.nowMs + timeoutMs;
  }

  /** What was waited for has come, or the time is over. */
  endAwaited(): void {
    this.disconnect(this.#endReason);
  }

  /**
   * Logout, then nothing but theirs is waited for: what a counterparty that breaks the protocol gets. `text` is '' where a Reject before it has
   * said all.
   */
  logoutAndAwait(text: string, cause: string, reason: DisconnectReason): void {
    const { outbound, settings } = this.parts;
    outbound.logout(text, this.nowMs);
    this.await(SessionState.Ending, settings.logoutTimeoutMs, reason);
    this.tellLogout(cause);
  }

  /** Logout with a text, and the end: there is nothing more to be said. */
  logoutAndDisconnect(text: string, reason: DisconnectReason): void {
    this.parts.outbound.logout(text, this.nowMs);
    this.tellLogout(text);
    this.disconnect(reason);
  }

  disconnect(reason: DisconnectReason): void {
    if (this.state === SessionState.Disconnected) return;
    this.state = SessionState.Disconnected;
    this.#transport.disconnect(reason);
    this.tellLogout(reason);
  }

  /** `onLogout`, once a connection. */
  tellLogout(text: string): void {
    if (this.#logoutTold) return;
    this.#logoutTold = true;
    this.application.onLogout(this.session, text);
  }

  /** The message on hand has a number that was used before. */
  refuseTooLow(): void {
    const text = `MsgSeqNum too low, expecting ${this.parts.inbound.nextSeqNum} but received ${this.message.msgSeqNum}`;
    this.logoutAndDisconnect(text, DisconnectReason.SequenceTooLow);
  }

  /** Asks for the messages up to `lastMissing`, unless they have been asked for and may still come. */
  requestResend(lastMissing: number): void {
    const { inbound, outbound } = this.parts;
    if (!inbound.mustRequest(lastMissing, this.nowMs)) return;
    this.gapCount++;
    outbound.resendRequest(inbound.nextSeqNum, ALL_THAT_FOLLOW, this.nowMs);
  }
}
