import { readLogon } from './admin-messages.ts';
import { IDENTIFIER_LENGTH_MAX } from './field-reader.ts';
import type { DecodeStatus } from './fix-decoder.ts';
import type { FixFramer } from './fix-framer.ts';
import { MsgType, SessionRejectReason } from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';
import { messageProblem, problem, sendingTimeHolds } from './inbound-checks.ts';
import { MESSAGE_VALID } from './message-validator.ts';
import { type SessionContext, SessionState } from './session-context.ts';
import { DisconnectReason } from './session-contract.ts';

/** What is wrong with the message on hand apart from its number and its sender, or null. */
export function contentProblem(context: SessionContext, status: DecodeStatus): ReturnType<typeof messageProblem> {
  const { message, header, decoder } = context;
  const found = messageProblem(message, header, status, decoder.errorTag);
  const { validator } = context.parts;
  if (found !== null || validator === null) return found;
  const reason = validator.check(message);
  return reason === MESSAGE_VALID ? null : problem(validator.refTagID, reason as SessionRejectReason);
}

/** Text(58) of the message on hand, '' without one. */
export function textOf({ message }: SessionContext): string {
  const position = message.find(Tag.Text, message.bodyPosition);
  return position < 0 ? '' : message.ascii(position);
}

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
      if (isLogout) context.tellLogout(textOf(context));
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
      context.logoutAndDisconnect(refusal, DisconnectReason.LogonRefused);
      return;
    }
    const logon = readLogon(message);
    if (logon.ok) this.#onLogon(logon.value.heartBtIntSeconds, logon.value.resetSeqNum);
    else context.logoutAndDisconnect(`${logon.text}: tag ${logon.refTagID}`, DisconnectReason.LogonRefused);
  }

  /** A Logon that lets a session which goes on begin anew at 1: ResetSeqNumFlag(141)=Y, and itself the first. False if it is none. */
  onReset(status: DecodeStatus): boolean {
    const context = this.#context;
    const { message, nowMs } = context;
    if (message.possDup || message.msgSeqNum !== 1 || contentProblem(context, status) !== null) return false;
    const logon = readLogon(message);
    if (!logon.ok || !logon.value.resetSeqNum) return false;
    context.resetSeqNums();
    const { inbound, outbound } = context.parts;
    inbound.nextSeqNum = 2;
    context.liveness.start(logon.value.heartBtIntSeconds, nowMs);
    outbound.logon(logon.value, nowMs);
    inbound.confirm();
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
    const found = contentProblem(context, status);
    if (found !== null) return `${found.text}: tag ${found.refTagID}`;
    if (context.message.msgSeqNum < 0) return 'MsgSeqNum(34) missing or no number';
    if (context.parts.settings.role === 'initiator') return '';
    return context.application.admit?.(context.session, context.parts.identity.counterpartyCompID) ?? '';
  }

  #onLogon(heartBtIntSeconds: number, resetSeqNum: boolean): void {
    const context = this.#context;
    const { settings, inbound, outbound } = context.parts;
    const { msgSeqNum } = context.message;
    const isAcceptor = settings.role === 'acceptor';
    if (isAcceptor && (resetSeqNum || settings.resetOnLogon)) context.resetSeqNums();
    if (msgSeqNum < inbound.nextSeqNum) {
      context.refuseTooLow();
      return;
    }
    if (isAcceptor) outbound.logon({ heartBtIntSeconds, resetSeqNum }, context.nowMs);
    context.state = SessionState.LoggedOn;
    context.liveness.start(heartBtIntSeconds, context.nowMs);
    const missedFrom = inbound.nextSeqNum;
    const skips = settings.gapPolicy === 'feed';
    if (msgSeqNum === missedFrom || skips) inbound.nextSeqNum = msgSeqNum + 1;
    else context.requestResend(msgSeqNum);
    inbound.confirm();
    context.application.onLogon(context.session);
    if (msgSeqNum > missedFrom && skips) {
      context.gapCount++;
      context.application.onGap(context.session, missedFrom, msgSeqNum - 1);
    }
  }
}
