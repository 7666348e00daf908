// hot: `receive`, `begin` and `send`, per message. No allocation there, no closure, no exception.
import { assert } from '../assert.ts';
import type { FieldProblem } from './field-reader.ts';
import type { FixEncoder } from './fix-encoder.ts';
import type { FixMessage } from './fix-message.ts';
import { FixReceiver } from './fix-receiver.ts';
import { type FixStore, MemoryFixStore } from './fix-store.ts';
import type { BusinessRejectReason } from './generated/fix-enums.gen.ts';
import { InboundMessages } from './inbound-messages.ts';
import { askForReset, isResetUnanswered, sendReset } from './reset-request.ts';
import { SessionContext, SessionState } from './session-context.ts';
import {
  DisconnectReason,
  type FixApplication,
  type FixSessionSettings,
  type FixTransport,
  SendRefusal,
} from './session-contract.ts';
import { LivenessAction } from './session-liveness.ts';

/** Bytes without a message between them after which a connection is given up. */
export const GARBAGE_BYTES_MAX = 65_536;
/** TestReqID(112) of ours into a silence. One for all: whatever comes in ends the silence, so that nobody compares it. */
const TEST_REQ_ID = 'TEST';
/** How long a connection that began with something else may still take to send a Logon. */
const LOGON_AFTER_GARBAGE_MS = 1_000;

/**
 * One FIX session, either side, without I/O: bytes and the time come in, bytes and deliveries go out (FIX 4.4 volume 2). It
 * outlives its connections: `connected` begins one, `disconnected` or the transport's `disconnect` ends it. What must outlive the
 * process is in its store.
 */
export class FixSession {
  /** Messages with right BodyLength and CheckSum. */
  messagesIn = 0;

  readonly #context: SessionContext;
  readonly #receiver: FixReceiver;
  /** Asked for by the owner, and not sent yet. */
  #beginsAnew = false;
  #garbageBytes = 0;

  constructor(
    settings: FixSessionSettings,
    transport: FixTransport,
    application: FixApplication,
    store: FixStore = new MemoryFixStore(),
  ) {
    assert(settings.role === 'acceptor' || settings.targetCompID !== '', 'an initiator knows its counterparty');
    const context = new SessionContext(this, { settings, store }, transport, application);
    const inboundMessages = new InboundMessages(context);
    this.#context = context;
    this.#receiver = new FixReceiver({
      onFrame: (buffer, framer) => {
        this.messagesIn++;
        this.#garbageBytes = 0;
        return inboundMessages.onFrame(buffer, framer);
      },
      onGarbled: (byteCount) => this.#onGarbled(byteCount),
    });
  }

  /** Those of the identified counterparty once there is one. */
  get settings(): FixSessionSettings {
    return this.#context.parts.settings;
  }

  /** A delivery is identified by the session, the store's epoch and MsgSeqNum(34). */
  get store(): FixStore {
    return this.#context.parts.store;
  }

  /** Whether application messages may be sent. */
  get loggedOn(): boolean {
    return this.#context.state === SessionState.LoggedOn;
  }

  /** Whether a connection stands on which a Logon was taken: until it ends the session is nobody else's. */
  get isLive(): boolean {
    return this.#context.state >= SessionState.LoggedOn;
  }

  /** The counterparty's CompID; '' before the Logon of an acceptor that serves several. */
  get counterpartyCompID(): string {
    return this.#context.parts.identity.counterpartyCompID;
  }

  /** The time last told. */
  get nowMs(): number {
    return this.#context.nowMs;
  }

  /** MsgSeqNum(34) of the next message out. */
  get nextOutSeqNum(): number {
    return this.#context.parts.outbound.nextSeqNum;
  }

  /** MsgSeqNum(34) that the next message in must have. */
  get nextInSeqNum(): number {
    return this.#context.parts.inbound.nextSeqNum;
  }

  get messagesOut(): number {
    return this.#context.parts.outbound.messageCount;
  }

  /** Reject (3) and BusinessMessageReject (j). */
  get rejectsSent(): number {
    return this.#context.parts.outbound.rejectCount;
  }

  /** Bytes that belonged to no message, or to one whose fields cannot be told apart. */
  get garbledBytes(): number {
    return this.#context.garbledBytes;
  }

  /** Gaps in the counterparty's numbers. */
  get gapCount(): number {
    return this.#context.gapCount;
  }

  /** A connection stands: an initiator sends its Logon, an acceptor waits for one. */
  connected(nowMs: number): void {
    const context = this.#context;
    assert(context.state === SessionState.Disconnected, 'one connection at a time');
    context.nowMs = nowMs;
    this.#receiver.reset();
    this.#garbageBytes = 0;
    const { role, resetOnLogon, heartBtIntSeconds } = this.settings;
    context.open(role === 'acceptor' ? SessionState.LogonAwaited : SessionState.LogonSent);
    if (role === 'acceptor') return;
    if (!resetOnLogon && (this.#beginsAnew || isResetUnanswered(this.store))) {
      this.#beginsAnew = false;
      sendReset(context, heartBtIntSeconds);
      return;
    }
    if (resetOnLogon) context.resetSeqNums();
    context.parts.outbound.logon(context.logonOf(heartBtIntSeconds, resetOnLogon), nowMs);
  }

  /** Bytes of the connection, cut anywhere. */
  receive(buffer: Uint8Array, start: number, end: number, nowMs: number): void {
    const context = this.#context;
    context.nowMs = nowMs;
    if (context.state !== SessionState.Disconnected) this.#receiver.receive(buffer, start, end);
  }

  /** The connection is gone. */
  disconnected(nowMs: number): void {
    const context = this.#context;
    context.nowMs = nowMs;
    if (context.state === SessionState.Disconnected) return;
    context.state = SessionState.Disconnected;
    context.tellLogout(DisconnectReason.ConnectionLost);
  }

  /** Heartbeats, time-outs and the next piece of a long resend; to be called several times a HeartBtInt, about every 250 ms. */
  onTimer(nowMs: number): void {
    const context = this.#context;
    context.nowMs = nowMs;
    const { state } = context;
    if (state === SessionState.Disconnected) return;
    if (state !== SessionState.LoggedOn && nowMs >= context.deadlineMs) {
      if (state >= SessionState.LoggedOn) context.endAwaited();
      else context.disconnect(DisconnectReason.LogonTimeout);
      return;
    }
    if (state === SessionState.ResetSent) return;
    const { inbound, outbound, resendAnswer, settings } = context.parts;
    if (inbound.gapIsOlderThan(settings.resendTimeoutMs, nowMs)) {
      context.logoutAndDisconnect('ResendRequest not answered', DisconnectReason.GapNotFilled);
      return;
    }
    const goesOn = state === SessionState.LoggedOn || state === SessionState.ResetTested;
    if (goesOn) resendAnswer.proceed(nowMs);
    const action = context.liveness.due(outbound.lastSentMs, nowMs);
    if (action === LivenessAction.Disconnect) context.disconnect(DisconnectReason.PeerSilent);
    else if (action === LivenessAction.TestRequest) outbound.testRequest(TEST_REQ_ID, nowMs);
    else if (action === LivenessAction.Heartbeat) outbound.heartbeat(nowMs);
  }

  /** Ends the session in order: Logout, theirs in answer, disconnect. Nothing happens if it is not logged on. */
  logout(text: string, nowMs: number): void {
    const context = this.#context;
    context.nowMs = nowMs;
    if (context.state !== SessionState.LoggedOn && context.state !== SessionState.ResetTested) return;
    context.parts.outbound.logout(text, nowMs);
    context.await(SessionState.LogoutSent, this.settings.logoutTimeoutMs, DisconnectReason.LogoutTimeout);
  }

  /**
   * Asks the counterparty to begin both numbers at 1 again, in the session that goes on. Until `onReset` tells that it is done, after two round
   * trips, `loggedOn` is false and nothing can be sent; what still comes in is delivered under the old epoch, and cannot be rejected. Not answered
   * within `logonTimeoutMs`, it ends the connection, and the next one asks again. To be called when little is under way. False when it cannot
   * be begun: not logged on, or one side still waits for what it missed.
   */
  resetSeqNums(nowMs: number): boolean {
    this.#context.nowMs = nowMs;
    return askForReset(this.#context);
  }

  /** Of an initiator: the first Logon of its next connection asks for a reset as `resetSeqNums` does. The store has to keep what is sent, so that a process which dies asks again. */
  beginAnew(): void {
    this.#beginsAnew = true;
  }

  /**
   * Starts an application message: the returned encoder stands behind the header. It is the session's own; `send` must follow
   * before anything else is done with the session.
   */
  begin(msgType: number, nowMs: number): FixEncoder {
    const context = this.#context;
    context.nowMs = nowMs;
    return context.parts.outbound.begin(msgType, nowMs);
  }

  /** Sends what was begun and returns its MsgSeqNum(34), or a {@link SendRefusal}. */
  send(nowMs: number): number {
    const context = this.#context;
    context.nowMs = nowMs;
    return context.state === SessionState.LoggedOn ? context.parts.outbound.send(nowMs) : SendRefusal.NotLoggedOn;
  }

  /** Answers an application message with Reject (3). */
  reject(message: FixMessage, found: FieldProblem, nowMs: number): void {
    this.#context.nowMs = nowMs;
    if (this.#context.state === SessionState.ResetSent) return;
    this.#context.parts.outbound.reject(message, found, nowMs);
  }

  /** Answers an application message with BusinessMessageReject (j); `refID` is its identifier, '' for none. */
  businessReject(message: FixMessage, refID: string, reason: BusinessRejectReason, text: string, nowMs: number): void {
    this.#context.nowMs = nowMs;
    if (this.#context.state === SessionState.ResetSent) return;
    this.#context.parts.outbound.businessReject(message, refID, reason, text, nowMs);
  }

  /** For the owner of the connection, which alone sees that the counterparty does not read. */
  slowConsumer(nowMs: number): void {
    this.#context.nowMs = nowMs;
    this.#context.disconnect(DisconnectReason.SlowConsumer);
  }

  /** For the application, which cannot take the message on hand: over a `HeldTargetStore` that is `notTaken`, it comes again on the next connection. */
  applicationBehind(nowMs: number): void {
    this.#context.nowMs = nowMs;
    this.#context.disconnect(DisconnectReason.ApplicationBehind);
  }

  /** For the owner of the connection, which learns that the store can keep nothing more: not even a Logout may go out. */
  storeFailed(nowMs: number): void {
    this.#context.nowMs = nowMs;
    this.#context.disconnect(DisconnectReason.StoreFailed);
  }

  #onGarbled(byteCount: number): boolean {
    const context = this.#context;
    context.garbledBytes += byteCount;
    this.#garbageBytes += byteCount;
    if (this.#garbageBytes > GARBAGE_BYTES_MAX) context.disconnect(DisconnectReason.GarbageLimit);
    if (context.state === SessionState.LogonAwaited) {
      context.deadlineMs = Math.min(context.deadlineMs, context.nowMs + LOGON_AFTER_GARBAGE_MS);
    }
    return context.state !== SessionState.Disconnected;
  }
}
