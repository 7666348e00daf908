import { isAdminType, readLogon } from './admin-messages.ts';
import { type DecodeStatus, FixDecoder } from './fix-decoder.ts';
import { FixFramer } from './fix-framer.ts';
import { FixMessage } from './fix-message.ts';
import type { FixStore } from './fix-store.ts';
import { MsgType } from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';
import { sendingTimeHolds } from './inbound-checks.ts';
import { isLogon } from './logon-secrets.ts';
import { type SessionContext, SessionState } from './session-context.ts';
import { DisconnectReason } from './session-contract.ts';
import { SessionHeader } from './session-header.ts';

/**
 * A reset of both numbers that this side asks for in a session that goes on (FIX volume 2, "Logon", 24 hour connectivity). First a TestRequest: its
 * answer says that the counterparty has all that we sent. Then a Logon with ResetSeqNumFlag(141)=Y and the number 1, and theirs in answer.
 *
 * What they sent before they saw our Logon has the old numbers, and comes before their answer. So the epoch turns with the answer: until then
 * those messages are taken under the keys that they always had. Our Logon is kept as the last message of the old epoch, under the number that was
 * next there, and is durable before it leaves. If the connection or the process ends before the answer, the store says by that last message that
 * nobody knows whether the counterparty has begun anew: the next connection asks again, and goes on with neither numbering before it is answered.
 */

/** TestReqID(112) of the TestRequest, which tells its answer from others. */
const TEST_REQ_ID = 'RESET';
const TEST_REQ_ID_BYTES = Uint8Array.from(TEST_REQ_ID, (character) => character.charCodeAt(0));
/** Number 1 is our Logon's, which the old epoch keeps. */
const FIRST_AFTER_LOGON = 2;

/** Begins; false when the session is not logged on, or one side still waits for messages that it missed. */
export function askForReset(context: SessionContext): boolean {
  const { inbound, outbound, resendAnswer, settings } = context.parts;
  if (context.state !== SessionState.LoggedOn || inbound.hasGap || resendAnswer.isUnderWay) return false;
  outbound.testRequest(TEST_REQ_ID, context.nowMs);
  context.await(SessionState.ResetTested, settings.logonTimeoutMs, DisconnectReason.ResetNotAnswered);
  return true;
}

/** A Heartbeat in its turn: it may be the answer to our TestRequest. */
export function onHeartbeat(context: SessionContext): void {
  if (context.state !== SessionState.ResetTested) return;
  const { message, liveness } = context;
  const position = message.find(Tag.TestReqID, message.bodyPosition);
  if (position >= 0 && message.equals(position, TEST_REQ_ID_BYTES)) sendReset(context, liveness.heartBtIntSeconds);
}

/** Our Logon, in a session or, after one that ended before the answer, in place of the first of a connection. */
export function sendReset(context: SessionContext, heartBtIntSeconds: number): void {
  const { outbound, settings } = context.parts;
  outbound.resetLogon(context.logonOf(heartBtIntSeconds, true), context.nowMs);
  context.await(SessionState.ResetSent, settings.logonTimeoutMs, DisconnectReason.ResetNotAnswered);
}

/** Whether the last thing that was sent in this epoch is a Logon that asked for the next. A store that keeps no messages does not know. */
export function isResetUnanswered(store: FixStore): boolean {
  const last = store.nextSenderMsgSeqNum - 1;
  const stored = last > 0 ? store.read(last) : null;
  if (stored === null || !isLogon(stored.buffer, stored.start, stored.end)) return false;
  const framer = new FixFramer();
  framer.frame(stored.buffer, stored.start, stored.end);
  const message = new FixMessage();
  new FixDecoder().decode(message, stored.buffer, framer.bodyStart, framer.trailerStart);
  new SessionHeader().read(message);
  return message.msgSeqNum !== last;
}

/**
 * The message on hand while our Logon is unanswered: the answer, or one of before. True for one of before in its turn, which is to be taken; nothing
 * may be said about it, for want of a number. Anything else ends the connection.
 */
export function takesBeforeReset(context: SessionContext, status: DecodeStatus): boolean {
  const { message, header, nowMs, parts } = context;
  const { identity, inbound, settings } = parts;
  const { msgType, msgSeqNum } = message;
  const holds =
    identity.compIDsHold(message, header) &&
    sendingTimeHolds(message, settings.sendingTimeToleranceMs, nowMs) &&
    context.contentProblem(status) === null;
  if (holds && msgType === MsgType.Logout) {
    context.tellLogout(context.text);
    context.disconnect(DisconnectReason.LogoutComplete);
    return false;
  }
  if (holds && msgType === MsgType.Logon && msgSeqNum === 1 && !message.possDup) {
    const logon = readLogon(message);
    if (logon.ok && logon.value.resetSeqNum) {
      begin(context, logon.value.heartBtIntSeconds);
      return false;
    }
  }
  const isRepeat = message.possDup && msgSeqNum < inbound.nextSeqNum;
  const mayBeTaken = !isAdminType(msgType) || isWithoutEffect(msgType);
  if (holds && mayBeTaken && msgSeqNum === inbound.nextSeqNum) return true;
  if (!isRepeat) context.disconnect(DisconnectReason.ProtocolViolation);
  return false;
}

/** Administrative messages that the counterparty may have sent before it saw our Logon, and that mean nothing once it has. */
function isWithoutEffect(msgType: number): boolean {
  return (
    msgType === MsgType.Heartbeat ||
    msgType === MsgType.TestRequest ||
    msgType === MsgType.ResendRequest ||
    msgType === MsgType.Reject
  );
}

/** Theirs is here: both sides go on at 2. */
function begin(context: SessionContext, heartBtIntSeconds: number): void {
  context.resetSeqNums(FIRST_AFTER_LOGON);
  const { inbound } = context.parts;
  inbound.nextSeqNum = 2;
  context.state = SessionState.LoggedOn;
  context.liveness.start(heartBtIntSeconds, context.nowMs);
  inbound.confirm();
  context.tellReset();
}
