// hot: `receive`, `begin` and `send`, per message. No allocation there, no closure, no exception; admin messages are rare.
import { assert } from '../assert.ts';
import { readLogon } from './admin-messages.ts';
import type { FieldProblem } from './field-reader.ts';
import { type DecodeStatus, FixDecoder } from './fix-decoder.ts';
import type { FixEncoder } from './fix-encoder.ts';
import type { FixFramer } from './fix-framer.ts';
import { FixMessage } from './fix-message.ts';
import { FixReceiver } from './fix-receiver.ts';
import { type BusinessRejectReason, MsgType, SessionRejectReason } from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';
import { messageProblem, problem, SessionIdentity, sendingTimeHolds } from './inbound-checks.ts';
import { InboundSequence } from './inbound-sequence.ts';
import { OutboundMessages } from './outbound-messages.ts';
import { SequenceMessages } from './sequence-messages.ts';
import {
  DisconnectReason,
  type FixApplication,
  type FixSessionSettings,
  type FixTransport,
  SendRefusal,
} from './session-contract.ts';
import { SessionHeader } from './session-header.ts';
import { LivenessAction, SessionLiveness } from './session-liveness.ts';

/** Bytes without a message between them after which a connection is given up. */
export const GARBAGE_BYTES_MAX = 65_536;

const State = {
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
} as const;
type State = (typeof State)[keyof typeof State];

/**
 * One FIX session, either side, without I/O: bytes and the time come in, bytes and deliveries go out (FIX 4.4 volume 2). It
 * outlives its connections: `connected` begins one, `disconnected` or the transport's `disconnect` ends it.
 */
export class FixSession {
  readonly settings: FixSessionSettings;
  /** Messages with right BodyLength and CheckSum, bytes that belonged to none, and gaps in the counterparty's numbers. */
  messagesIn = 0;
  garbledBytes = 0;
  gapCount = 0;

  readonly #transport: FixTransport;
  readonly #application: FixApplication;
  readonly #outbound: OutboundMessages;
  readonly #identity: SessionIdentity;
  readonly #receiver: FixReceiver;
  readonly #message: FixMessage = new FixMessage();
  readonly #decoder: FixDecoder = new FixDecoder();
  readonly #header: SessionHeader = new SessionHeader();
  readonly #inbound: InboundSequence = new InboundSequence();
  readonly #sequenceMessages: SequenceMessages;
  readonly #liveness: SessionLiveness = new SessionLiveness();
  #state: State = State.Disconnected;
  #nowMs = 0;
  /** When the handshake under way, Logon or Logout, has taken too long. */
  #deadlineMs = 0;
  #garbageBytes = 0;
  #logoutTold = true;

  constructor(settings: FixSessionSettings, transport: FixTransport, application: FixApplication) {
    assert(settings.role === 'acceptor' || settings.targetCompID !== '', 'an initiator knows its counterparty');
    this.settings = settings;
    this.#transport = transport;
    this.#application = application;
    this.#outbound = new OutboundMessages(settings.beginString, transport);
    this.#outbound.setCompIDs(settings.senderCompID, settings.targetCompID);
    this.#sequenceMessages = new SequenceMessages(this.#inbound, this.#outbound);
    this.#identity = new SessionIdentity(settings.beginString, settings.senderCompID, settings.targetCompID);
    this.#receiver = new FixReceiver({
      onFrame: (buffer, framer) => this.#onFrame(buffer, framer),
      onGarbled: (byteCount) => this.#onGarbled(byteCount),
    });
  }

  /** Whether application messages may be sent. */
  get loggedOn(): boolean {
    return this.#state === State.LoggedOn;
  }

  /** The counterparty's CompID; '' before the Logon of an acceptor that serves several. */
  get counterpartyCompID(): string {
    return this.#identity.counterpartyCompID;
  }

  /** The time last told. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** MsgSeqNum(34) of the next message out. */
  get nextOutSeqNum(): number {
    return this.#outbound.nextSeqNum;
  }

  /** MsgSeqNum(34) that the next message in must have. */
  get nextInSeqNum(): number {
    return this.#inbound.nextSeqNum;
  }

  get messagesOut(): number {
    return this.#outbound.messageCount;
  }

  /** Reject (3) and BusinessMessageReject (j). */
  get rejectsSent(): number {
    return this.#outbound.rejectCount;
  }

  /** A connection stands: an initiator sends its Logon, an acceptor waits for one. */
  connected(nowMs: number): void {
    assert(this.#state === State.Disconnected, 'one connection at a time');
    const settings = this.settings;
    this.#nowMs = nowMs;
    this.#receiver.reset();
    this.#inbound.forgetGap();
    this.#garbageBytes = 0;
    this.#logoutTold = false;
    this.#deadlineMs = nowMs + settings.logonTimeoutMs;
    this.#liveness.start(0, nowMs);
    if (settings.role === 'acceptor') {
      this.#state = State.LogonAwaited;
      return;
    }
    this.#state = State.LogonSent;
    if (settings.resetOnLogon) this.#resetSeqNums();
    this.#outbound.logon({ heartBtIntSeconds: settings.heartBtIntSeconds, resetSeqNum: settings.resetOnLogon }, nowMs);
  }

  /** Bytes of the connection, cut anywhere. */
  receive(buffer: Uint8Array, start: number, end: number, nowMs: number): void {
    this.#nowMs = nowMs;
    if (this.#state !== State.Disconnected) this.#receiver.receive(buffer, start, end);
  }

  /** The connection is gone. */
  disconnected(nowMs: number): void {
    this.#nowMs = nowMs;
    if (this.#state === State.Disconnected) return;
    this.#state = State.Disconnected;
    this.#tellLogout(DisconnectReason.ConnectionLost);
  }

  /** Heartbeats and time-outs; to be called several times a HeartBtInt, about every 250 ms. */
  onTimer(nowMs: number): void {
    this.#nowMs = nowMs;
    const state = this.#state;
    if (state === State.Disconnected) return;
    if (state !== State.LoggedOn && nowMs >= this.#deadlineMs) {
      if (state === State.LogoutSent) this.#disconnect(DisconnectReason.LogoutTimeout);
      else if (state === State.LogoutAnswered) this.#disconnect(DisconnectReason.LogoutComplete);
      else this.#disconnect(DisconnectReason.LogonTimeout);
      return;
    }
    if (this.#inbound.gapIsOlderThan(this.settings.resendTimeoutMs, nowMs)) {
      this.#terminate('ResendRequest not answered', DisconnectReason.GapNotFilled);
      return;
    }
    const action = this.#liveness.due(this.#outbound.lastSentMs, nowMs);
    if (action === LivenessAction.Disconnect) {
      this.#disconnect(DisconnectReason.PeerSilent);
    } else if (action === LivenessAction.TestRequest) {
      this.#outbound.testRequest(nowMs);
    } else if (action === LivenessAction.Heartbeat) {
      this.#outbound.heartbeat(nowMs);
    }
  }

  /** Ends the session in order: Logout, theirs in answer, disconnect. Nothing happens if it is not logged on. */
  logout(text: string, nowMs: number): void {
    this.#nowMs = nowMs;
    if (this.#state !== State.LoggedOn) return;
    this.#outbound.logout(text, nowMs);
    this.#state = State.LogoutSent;
    this.#deadlineMs = nowMs + this.settings.logoutTimeoutMs;
  }

  /**
   * Starts an application message: the returned encoder stands behind the header. It is the session's own; `send` must follow
   * before anything else is done with the session.
   */
  begin(msgType: number, nowMs: number): FixEncoder {
    this.#nowMs = nowMs;
    return this.#outbound.begin(msgType, nowMs);
  }

  /** Sends what was begun and returns its MsgSeqNum(34), or a {@link SendRefusal}. */
  send(nowMs: number): number {
    this.#nowMs = nowMs;
    return this.#state === State.LoggedOn ? this.#outbound.send(nowMs) : SendRefusal.NotLoggedOn;
  }

  /** Answers an application message with Reject (3). */
  reject(message: FixMessage, found: FieldProblem, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#outbound.reject(message, found, nowMs);
  }

  /** Answers an application message with BusinessMessageReject (j); `refID` is its identifier, '' for none. */
  businessReject(message: FixMessage, refID: string, reason: BusinessRejectReason, text: string, nowMs: number): void {
    this.#nowMs = nowMs;
    this.#outbound.businessReject(message, refID, reason, text, nowMs);
  }

  /** For the owner of the connection, which alone sees that the counterparty does not read. */
  slowConsumer(nowMs: number): void {
    this.#nowMs = nowMs;
    this.#disconnect(DisconnectReason.SlowConsumer);
  }

  #onGarbled(byteCount: number): boolean {
    this.garbledBytes += byteCount;
    this.#garbageBytes += byteCount;
    if (this.#garbageBytes > GARBAGE_BYTES_MAX) this.#disconnect(DisconnectReason.GarbageLimit);
    return this.#state !== State.Disconnected;
  }

  #onFrame(buffer: Uint8Array, framer: FixFramer): boolean {
    this.messagesIn++;
    this.#garbageBytes = 0;
    this.#liveness.received(this.#nowMs);
    this.#take(buffer, framer, false);
    const inbound = this.#inbound;
    while (this.#state !== State.Disconnected && inbound.takeHeld()) {
      this.#take(inbound.heldBuffer, inbound.heldFramer, true);
    }
    return this.#state !== State.Disconnected;
  }

  #take(buffer: Uint8Array, framer: FixFramer, wasHeld: boolean): void {
    const message = this.#message;
    const header = this.#header;
    const status = this.#decoder.decode(message, buffer, framer.bodyStart, framer.trailerStart);
    header.read(message);
    if (!this.#identity.beginStringHolds(buffer, framer)) {
      this.#terminate(`BeginString(8) must be ${this.settings.beginString}`, DisconnectReason.ProtocolViolation);
    } else if (this.#state === State.LogonAwaited || this.#state === State.LogonSent) {
      this.#takeFirst(status);
    } else if (header.msgSeqNum < 0 || message.msgSeqNum < 0) {
      this.#terminate('MsgSeqNum(34) missing or no number', DisconnectReason.ProtocolViolation);
    } else if (this.#headerHolds() && this.#inSequence(buffer, framer, wasHeld)) {
      this.#inbound.nextSeqNum++;
      const found = messageProblem(message, header, status, this.#decoder.errorTag);
      if (found !== null) this.#outbound.reject(message, found, this.#nowMs);
      else if (message.msgType > MsgType.Logout && message.msgType !== MsgType.Logon)
        this.#application.onMessage(this, message);
      else this.#onAdmin(wasHeld);
    }
  }

  /** CompIDs and SendingTime: what is wrong there ends the session. */
  #headerHolds(): boolean {
    const message = this.#message;
    if (!this.#identity.compIDsHold(message, this.#header)) {
      const text = 'SenderCompID(49) or TargetCompID(56) is wrong';
      this.#outbound.reject(message, problem(0, SessionRejectReason.CompIDProblem, text), this.#nowMs);
      this.#terminate(text, DisconnectReason.ProtocolViolation);
      return false;
    }
    if (sendingTimeHolds(this.#message, this.settings.sendingTimeToleranceMs, this.#nowMs)) return true;
    const text = 'SendingTime(52) is too far from ours';
    this.#outbound.reject(
      message,
      problem(Tag.SendingTime, SessionRejectReason.SendingTimeAccuracyProblem, text),
      this.#nowMs,
    );
    this.#terminate(text, DisconnectReason.ProtocolViolation);
    return false;
  }

  /** Whether the message on hand is the next; deals with one that is not. */
  #inSequence(buffer: Uint8Array, framer: FixFramer, wasHeld: boolean): boolean {
    const message = this.#message;
    const inbound = this.#inbound;
    const msgSeqNum = message.msgSeqNum;
    if (message.msgType === MsgType.SequenceReset && this.#sequenceMessages.onReset(message, this.#nowMs)) return false;
    if (msgSeqNum === inbound.nextSeqNum) return true;
    if (msgSeqNum < inbound.nextSeqNum) {
      if (!message.possDup) this.#onTooLow();
      return false;
    }
    if (message.msgType === MsgType.Logout) return true;
    if (this.settings.gapPolicy === 'feed') {
      this.gapCount++;
      const fromSeqNum = inbound.nextSeqNum;
      inbound.nextSeqNum = msgSeqNum;
      this.#application.onGap(this, fromSeqNum, msgSeqNum - 1);
      return this.#state !== State.Disconnected;
    }
    // Answered at once and held all the same: two sides that each wait for the other's answer first would wait for ever.
    if (message.msgType === MsgType.ResendRequest && !wasHeld) {
      this.#sequenceMessages.onResendRequest(message, this.#nowMs);
    }
    inbound.hold(msgSeqNum, framer, buffer);
    this.#requestResend(msgSeqNum - 1);
    return false;
  }

  #onTooLow(): void {
    const text = `MsgSeqNum(34) too low, expecting ${this.#inbound.nextSeqNum} but received ${this.#message.msgSeqNum}`;
    this.#terminate(text, DisconnectReason.SequenceTooLow);
  }

  #requestResend(endSeqNo: number): void {
    if (!this.#inbound.mustRequest(endSeqNo, this.#nowMs)) return;
    this.gapCount++;
    this.#outbound.resendRequest(this.#inbound.nextSeqNum, endSeqNo, this.#nowMs);
  }

  /** The first message of a connection: a Logon that holds, or the end. */
  #takeFirst(status: DecodeStatus): void {
    const message = this.#message;
    if (message.msgType !== MsgType.Logon) {
      if (message.msgType === MsgType.Logout) this.#tellLogout(this.#textOf());
      this.#disconnect(
        message.msgType === MsgType.Logout ? DisconnectReason.LogonRefused : DisconnectReason.ProtocolViolation,
      );
      return;
    }
    // To a stranger nothing is said.
    if (!this.#identity.recognises(message, this.#header, this.settings.targetCompID === '')) {
      this.#disconnect(DisconnectReason.LogonRefused);
      return;
    }
    this.#outbound.setCompIDs(this.settings.senderCompID, this.counterpartyCompID);
    const refusal = this.#logonRefusal(status);
    if (refusal !== '') {
      this.#terminate(refusal, DisconnectReason.LogonRefused);
      return;
    }
    const logon = readLogon(message);
    if (!logon.ok) {
      this.#terminate(`${logon.text}: tag ${logon.refTagID}`, DisconnectReason.LogonRefused);
      return;
    }
    this.#onLogon(logon.value.heartBtIntSeconds, logon.value.resetSeqNum);
  }

  /** Why a Logon is not taken, or ''. */
  #logonRefusal(status: DecodeStatus): string {
    const found = messageProblem(this.#message, this.#header, status, this.#decoder.errorTag);
    if (found !== null) return `${found.text}: tag ${found.refTagID}`;
    if (this.#message.msgSeqNum < 0) return 'MsgSeqNum(34) missing or no number';
    if (!sendingTimeHolds(this.#message, this.settings.sendingTimeToleranceMs, this.#nowMs))
      return 'SendingTime(52) is too far from ours';
    if (this.settings.role === 'initiator') return '';
    return this.#application.admit?.(this, this.counterpartyCompID) ?? '';
  }

  #onLogon(heartBtIntSeconds: number, resetSeqNum: boolean): void {
    const inbound = this.#inbound;
    const msgSeqNum = this.#message.msgSeqNum;
    if (this.settings.role === 'acceptor') {
      if (resetSeqNum) this.#resetSeqNums();
    } else if (resetSeqNum) {
      inbound.reset();
    }
    if (msgSeqNum < inbound.nextSeqNum) {
      this.#onTooLow();
      return;
    }
    if (this.settings.role === 'acceptor') {
      this.#outbound.logon({ heartBtIntSeconds, resetSeqNum }, this.#nowMs);
    }
    this.#state = State.LoggedOn;
    this.#liveness.start(heartBtIntSeconds, this.#nowMs);
    const missedFrom = inbound.nextSeqNum;
    const feed = this.settings.gapPolicy === 'feed';
    if (msgSeqNum === missedFrom || feed) inbound.nextSeqNum = msgSeqNum + 1;
    else this.#requestResend(msgSeqNum);
    this.#application.onLogon(this);
    if (msgSeqNum > missedFrom && feed) {
      this.gapCount++;
      this.#application.onGap(this, missedFrom, msgSeqNum - 1);
    }
  }

  #onAdmin(wasHeld: boolean): void {
    const message = this.#message;
    switch (message.msgType) {
      case MsgType.TestRequest:
        this.#sequenceMessages.onTestRequest(message, this.#nowMs);
        break;
      case MsgType.ResendRequest:
        if (!wasHeld) this.#sequenceMessages.onResendRequest(message, this.#nowMs);
        break;
      case MsgType.SequenceReset:
        this.#sequenceMessages.onGapFill(message, this.#nowMs);
        break;
      case MsgType.Reject:
        this.#application.onReject?.(this, message);
        break;
      case MsgType.Logout:
        this.#onLogout();
        break;
      case MsgType.Logon:
        this.#terminate('logged on already', DisconnectReason.ProtocolViolation);
        break;
      case MsgType.Heartbeat:
        break;
      default:
        this.#outbound.reject(
          message,
          problem(0, SessionRejectReason.InvalidMsgType, 'MsgType(35) is unknown'),
          this.#nowMs,
        );
    }
  }

  #onLogout(): void {
    if (this.#state === State.LogoutSent) {
      this.#disconnect(DisconnectReason.LogoutComplete);
      return;
    }
    const text = this.#textOf();
    this.#outbound.logout('', this.#nowMs);
    this.#state = State.LogoutAnswered;
    this.#deadlineMs = this.#nowMs + this.settings.logoutTimeoutMs;
    this.#tellLogout(text);
  }

  #textOf(): string {
    const message = this.#message;
    const position = message.find(Tag.Text, message.bodyPosition);
    return position < 0 ? '' : message.ascii(position);
  }

  #terminate(text: string, reason: DisconnectReason): void {
    if (this.counterpartyCompID !== '') this.#outbound.logout(text, this.#nowMs);
    this.#tellLogout(text);
    this.#disconnect(reason);
  }

  #disconnect(reason: DisconnectReason): void {
    if (this.#state === State.Disconnected) return;
    this.#state = State.Disconnected;
    this.#transport.disconnect(reason);
    this.#tellLogout(reason);
  }

  #tellLogout(text: string): void {
    if (this.#logoutTold) return;
    this.#logoutTold = true;
    this.#application.onLogout(this, text);
  }

  #resetSeqNums(): void {
    this.#outbound.nextSeqNum = 1;
    this.#inbound.reset();
  }
}
