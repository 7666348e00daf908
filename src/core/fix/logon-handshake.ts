import { readLogon } from './admin-messages.ts';
import { IDENTIFIER_LENGTH_MAX } from './field-reader.ts';
import type { DecodeStatus } from './fix-decoder.ts';
import type { FixFramer } from './fix-framer.ts';
import { MsgType, SessionRejectReason } from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';
import { problem, sendingTimeHolds } from './inbound-checks.ts';
import { isResetUnanswered, sendReset } from './reset-request.ts';
import { type SessionContext, SessionState } from './session-context.ts';
import { DisconnectReason } from './session-contract.ts';

/** Which of the two is wrong is nobody's business. */
const WRONG_CREDENTIALS = 'Username(553) or Password(554) not accepted';

/** Logon (A), the first of a connection and the one that resets the numbers of a session that goes on (FIX volume 2, "Logon"). */
export class LogonHandshake {
  readonly #context: SessionContext;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** The first message of a connection: a Logon that holds, or the end. To a stranger nothing is said. */
  onFirst(buffer: Uint8Array, framer: FixFramer, status: DecodeStatus): void {
    const context = this.#context;
    const { message, header } = context;
    if (message.msgType !== MsgType.Logon) {
      const isLogout = message.msgType === MsgType.Logout;
      if (isLogout) context.tellLogout(context.text);
      context.disconnect(isLogout ? DisconnectReason.LogonRefused : DisconnectReason.ProtocolViolation);
      return;
    }
    if (!this.#identify(buffer, framer)) {
      context.disconnect(DisconnectReason.LogonRefused);
      return;
    }
    const { settings, identity, outbound } = context.parts;
    if (
      !identity.beginStringHolds(buffer, framer) ||
      !identity.recognises(message, header, settings.targetCompID === '')
    ) {
      context.disconnect(DisconnectReason.LogonRefused);
      return;
    }
    // A Logon of another time may be one that somebody recorded: whoever sends it learns nothing either.
    if (!sendingTimeHolds(message, settings.sendingTimeToleranceMs, context.nowMs)) {
      context.tellLogout('SendingTime accuracy problem');
      context.disconnect(DisconnectReason.LogonRefused);
      return;
    }
    outbound.setCompIDs(settings.senderCompID, identity.counterpartyCompID);
    const refusal = this.#refusal(status);
    if (refusal !== '') {
      this.#refuse(refusal);
      return;
    }
    const logon = readLogon(message);
    if (logon.ok) this.#onLogon(logon.value.heartBtIntSeconds, logon.value.resetSeqNum);
    else this.#refuse(`${logon.text}: tag ${logon.refTagID}`);
  }

  /** A Logon that lets a session which goes on begin anew at 1: ResetSeqNumFlag(141)=Y, and itself the first. False if it is none. */
  onReset(status: DecodeStatus): boolean {
    const context = this.#context;
    const { message } = context;
    if (message.possDup || message.msgSeqNum !== 1 || context.contentProblem(status) !== null) return false;
    const logon = readLogon(message);
    if (!logon.ok || !logon.value.resetSeqNum) return false;
    this.#beginAnew(logon.value.heartBtIntSeconds);
    // Both asked at once: with theirs, ours is granted.
    if (context.state === SessionState.ResetTested) context.state = SessionState.LoggedOn;
    context.tellReset();
    return true;
  }

  /** A Logon in its turn in a session that goes on: one of before that stood in a gap, or one out of place. */
  onAgain(): void {
    const { message, nowMs, parts } = this.#context;
    if (message.possDup) return;
    const found = problem(Tag.MsgType, SessionRejectReason.ValueIsIncorrect, 'Logged on already');
    parts.outbound.reject(message, found, nowMs);
  }

  /** Whether the connection is known to be somebody's; afterwards the context's parts are theirs. */
  #identify(buffer: Uint8Array, framer: FixFramer): boolean {
    const context = this.#context;
    const { message, header, application, session } = context;
    const { settings } = context.parts;
    if (settings.role === 'initiator' || application.identify === undefined) return true;
    if (header.senderCompID < 0 || header.targetCompID < 0) return false;
    for (const position of [header.senderCompID, header.targetCompID]) {
      if (message.ends[position]! - message.starts[position]! > IDENTIFIER_LENGTH_MAX) return false;
    }
    let beginString = '';
    for (let at = framer.messageStart + 2; at < framer.beginStringEnd; at++) {
      beginString += String.fromCharCode(buffer[at]!);
    }
    const profile = application.identify(session, {
      beginString,
      senderCompID: message.ascii(header.senderCompID),
      targetCompID: message.ascii(header.targetCompID),
    });
    if (profile === null) return false;
    if (profile.settings !== settings || profile.store !== session.store) context.adopt(profile);
    return true;
  }

  /** Why a Logon is not taken, or ''. */
  #refusal(status: DecodeStatus): string {
    const context = this.#context;
    const { expectedCredentials } = context.parts;
    // Before anything else: who cannot say the password learns nothing about the rules of the session.
    if (expectedCredentials !== null && !expectedCredentials.areIn(context.message)) return WRONG_CREDENTIALS;
    const found = context.contentProblem(status);
    if (found !== null) return `${found.text}: tag ${found.refTagID}`;
    if (context.message.msgSeqNum < 0) return 'MsgSeqNum(34) missing or no number';
    if (context.parts.settings.role === 'initiator') return '';
    return context.application.admit?.(context.session, context.parts.identity.counterpartyCompID) ?? '';
  }

  /** Logout and the end; without a Logout while a reset of ours is unanswered, which has none of the numbers left. */
  #refuse(text: string): void {
    const context = this.#context;
    if (isResetUnanswered(context.parts.store)) {
      context.tellLogout(text);
      context.disconnect(DisconnectReason.LogonRefused);
    } else {
      context.logoutAndDisconnect(text, DisconnectReason.LogonRefused);
    }
  }

  #onLogon(heartBtIntSeconds: number, resetSeqNum: boolean): void {
    const context = this.#context;
    const { settings, store, inbound, outbound } = context.parts;
    const { msgSeqNum } = context.message;
    const isAcceptor = settings.role === 'acceptor';
    if (isAcceptor && (resetSeqNum || settings.resetOnLogon)) {
      context.resetSeqNums();
    } else if (isAcceptor && isResetUnanswered(store)) {
      context.liveness.start(heartBtIntSeconds, context.nowMs);
      sendReset(context, heartBtIntSeconds);
      return;
    } else if (!isAcceptor && resetSeqNum && msgSeqNum === 1 && !this.#isFirstExchange()) {
      // An acceptor that asks for a reset which was broken off: it has no other way to say so.
      this.#beginAnew(heartBtIntSeconds);
      context.state = SessionState.LoggedOn;
      context.tellLogon();
      return;
    }
    if (msgSeqNum < inbound.nextSeqNum) {
      context.refuseTooLow();
      return;
    }
    if (isAcceptor) outbound.logon(context.logonOf(heartBtIntSeconds, resetSeqNum), context.nowMs);
    context.state = SessionState.LoggedOn;
    context.liveness.start(heartBtIntSeconds, context.nowMs);
    const missedFrom = inbound.nextSeqNum;
    const skips = settings.gapPolicy === 'feed';
    if (msgSeqNum === missedFrom || skips) inbound.nextSeqNum = msgSeqNum + 1;
    else context.requestResend(msgSeqNum);
    inbound.confirm();
    context.tellLogon();
    if (msgSeqNum > missedFrom && skips) {
      context.gapCount++;
      context.application.onGap(context.session, missedFrom, msgSeqNum - 1);
    }
  }

  /** Whether both sides are at their first message anyway: ours was 1 and theirs must be. */
  #isFirstExchange(): boolean {
    const { inbound, outbound } = this.#context.parts;
    return inbound.nextSeqNum === 1 && outbound.nextSeqNum === 2;
  }

  /** The counterparty's Logon was its number 1; ours, in answer, is too. */
  #beginAnew(heartBtIntSeconds: number): void {
    const context = this.#context;
    context.resetSeqNums();
    const { inbound, outbound } = context.parts;
    inbound.nextSeqNum = 2;
    context.liveness.start(heartBtIntSeconds, context.nowMs);
    outbound.logon(context.logonOf(heartBtIntSeconds, true), context.nowMs);
    inbound.confirm();
  }
}
