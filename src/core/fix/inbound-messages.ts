// hot: per inbound message. No allocation, no exception; admin messages and faults are rare.
import { isAdminType } from './admin-messages.ts';
import { DecodeStatus } from './fix-decoder.ts';
import type { FixFramer } from './fix-framer.ts';
import { MsgType, SessionRejectReason } from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';
import { checkOrigSendingTime, OrigSendingTimeVerdict, problem, sendingTimeHolds } from './inbound-checks.ts';
import { LogonHandshake } from './logon-handshake.ts';
import { NO_REF_TAG } from './message-validator.ts';
import { onHeartbeat, takesBeforeReset } from './reset-request.ts';
import { type SessionContext, SessionState } from './session-context.ts';
import { DisconnectReason } from './session-contract.ts';

const WRONG_VERSION = 'Incorrect BeginString';

function takesMessages({ state }: SessionContext): boolean {
  return state === SessionState.LoggedOn || state === SessionState.LogoutSent || state === SessionState.ResetTested;
}

/** Takes each framed message through the session's rules: who, when, which number, what; then hands it on or answers it. */
export class InboundMessages {
  readonly #context: SessionContext;
  readonly #logons: LogonHandshake;

  constructor(context: SessionContext) {
    this.#context = context;
    this.#logons = new LogonHandshake(context);
  }

  /** A message off the wire, and then those that waited for it. False ends the receiving. */
  onFrame(buffer: Uint8Array, framer: FixFramer): boolean {
    const context = this.#context;
    context.liveness.received(context.nowMs);
    this.#take(buffer, framer, false);
    const { inbound } = context.parts;
    while (takesMessages(context) && inbound.takeHeld()) {
      this.#take(inbound.heldBuffer, inbound.heldFramer, true);
    }
    return context.state !== SessionState.Disconnected;
  }

  #take(buffer: Uint8Array, framer: FixFramer, wasHeld: boolean): void {
    const context = this.#context;
    const { message, header, state } = context;
    const { identity, inbound } = context.parts;
    const status = context.decoder.decode(message, buffer, framer.bodyStart, framer.trailerStart);
    header.read(message);
    if (state === SessionState.LogonAwaited || state === SessionState.LogonSent) {
      this.#logons.onFirst(buffer, framer, status);
    } else if (state > SessionState.ResetTested) {
      this.#takeNearEnd(buffer, framer, status);
    } else if (status === DecodeStatus.Unreadable && !message.possDup) {
      // It counts as garbled on its way, and is asked for again. Should it come back the same, Reject takes it out of the way.
      context.garbledBytes += framer.messageEnd - framer.messageStart;
    } else if (!identity.beginStringHolds(buffer, framer)) {
      context.logoutAndAwait(WRONG_VERSION, WRONG_VERSION, DisconnectReason.ProtocolViolation);
    } else if (message.msgSeqNum < 0) {
      context.logoutAndDisconnect('MsgSeqNum(34) missing or no number', DisconnectReason.ProtocolViolation);
    } else if (this.#headerHolds() && this.#isInTurn(buffer, framer, status, wasHeld)) {
      inbound.nextSeqNum++;
      const found = context.contentProblem(status);
      if (found !== null) context.parts.outbound.reject(message, found, context.nowMs);
      else if (isAdminType(message.msgType)) this.#onAdmin(wasHeld);
      else this.#deliver(buffer, framer);
      inbound.confirm();
    }
  }

  /** In the states in which hardly anything is taken any more, or not yet again. */
  #takeNearEnd(buffer: Uint8Array, framer: FixFramer, status: DecodeStatus): void {
    const context = this.#context;
    const { message, state } = context;
    const { identity, inbound } = context.parts;
    if (state === SessionState.Ending) {
      if (message.msgType === MsgType.Logout) context.endAwaited();
    } else if (state === SessionState.ResetSent) {
      if (!identity.beginStringHolds(buffer, framer)) {
        context.disconnect(DisconnectReason.ProtocolViolation);
      } else if (takesBeforeReset(context, status)) {
        inbound.nextSeqNum++;
        if (!isAdminType(message.msgType)) this.#deliver(buffer, framer);
        else if (message.msgType === MsgType.Reject) context.application.onReject?.(context.session, message);
        inbound.confirm();
      }
    }
  }

  #deliver(buffer: Uint8Array, framer: FixFramer): void {
    const context = this.#context;
    const { message } = context;
    context.parts.store.received(message.msgSeqNum, buffer, framer.messageStart, framer.messageEnd);
    context.application.onMessage(context.session, message);
  }

  /** CompIDs and SendingTime: what is wrong there ends the session, after a Reject that uses up the number. */
  #headerHolds(): boolean {
    const context = this.#context;
    const { message } = context;
    const { identity, settings } = context.parts;
    if (!identity.compIDsHold(message, context.header)) {
      this.#rejectAndEnd(SessionRejectReason.CompIDProblem, 'CompID problem');
      return false;
    }
    if (sendingTimeHolds(message, settings.sendingTimeToleranceMs, context.nowMs)) return true;
    this.#rejectAndEnd(SessionRejectReason.SendingTimeAccuracyProblem, 'SendingTime accuracy problem');
    return false;
  }

  #rejectAndEnd(reason: SessionRejectReason, text: string): void {
    const context = this.#context;
    this.#reject(NO_REF_TAG, reason);
    context.logoutAndAwait('', text, DisconnectReason.ProtocolViolation);
  }

  /** Rejects the message on hand whatever its number; if that is the next, it is used up. */
  #reject(refTagID: number, reason: SessionRejectReason): void {
    const context = this.#context;
    const { inbound, outbound } = context.parts;
    outbound.reject(context.message, problem(refTagID, reason), context.nowMs);
    if (context.message.msgSeqNum !== inbound.nextSeqNum) return;
    inbound.nextSeqNum++;
    inbound.confirm();
  }

  /** Whether the message on hand is the next; deals with one that is not, and with those for which numbers do not count. */
  #isInTurn(buffer: Uint8Array, framer: FixFramer, status: DecodeStatus, wasHeld: boolean): boolean {
    const context = this.#context;
    const { message } = context;
    const { inbound, sequenceMessages } = context.parts;
    const { msgType, msgSeqNum } = message;
    if (msgType === MsgType.Logon && this.#logons.onReset(status)) return false;
    if (
      msgType === MsgType.SequenceReset &&
      status === DecodeStatus.Ok &&
      sequenceMessages.onReset(message, context.nowMs)
    ) {
      inbound.confirm();
      return false;
    }
    if (msgSeqNum > inbound.nextSeqNum) {
      this.#onTooHigh(buffer, framer, wasHeld);
      return msgSeqNum === inbound.nextSeqNum && takesMessages(context);
    }
    if (message.possDup && msgType !== MsgType.SequenceReset && !this.#origSendingTimeHolds()) return false;
    if (msgSeqNum === inbound.nextSeqNum) return true;
    if (!message.possDup) this.#onTooLow();
    return false;
  }

  /** Ahead of a gap: held while what is missing is asked for, or the gap is passed over. */
  #onTooHigh(buffer: Uint8Array, framer: FixFramer, wasHeld: boolean): void {
    const context = this.#context;
    const { message } = context;
    const { inbound, settings, sequenceMessages } = context.parts;
    const { msgType, msgSeqNum } = message;
    if (msgType === MsgType.Logout) {
      this.#onLogout();
    } else if (settings.gapPolicy === 'feed') {
      context.gapCount++;
      const fromSeqNum = inbound.nextSeqNum;
      inbound.nextSeqNum = msgSeqNum;
      context.application.onGap(context.session, fromSeqNum, msgSeqNum - 1);
    } else {
      // Answered at once and held all the same: two sides that each wait for the other's answer first would wait for ever.
      if (msgType === MsgType.ResendRequest && !wasHeld) sequenceMessages.onResendRequest(message, context.nowMs);
      inbound.hold(msgSeqNum, framer, buffer);
      context.requestResend(msgSeqNum - 1);
    }
  }

  /** A used number without PossDupFlag ends the session, except on what is about our numbers, not theirs, or ends it anyway. */
  #onTooLow(): void {
    const context = this.#context;
    const { message } = context;
    if (message.msgType === MsgType.Logout) this.#onLogout();
    else if (message.msgType === MsgType.ResendRequest)
      context.parts.sequenceMessages.onResendRequest(message, context.nowMs);
    else context.refuseTooLow();
  }

  #origSendingTimeHolds(): boolean {
    const context = this.#context;
    const verdict = checkOrigSendingTime(context.message, context.header);
    if (verdict === OrigSendingTimeVerdict.Holds) return true;
    if (verdict === OrigSendingTimeVerdict.Missing) {
      this.#reject(Tag.OrigSendingTime, SessionRejectReason.RequiredTagMissing);
    } else {
      this.#rejectAndEnd(SessionRejectReason.SendingTimeAccuracyProblem, 'SendingTime accuracy problem');
    }
    return false;
  }

  #onAdmin(wasHeld: boolean): void {
    const context = this.#context;
    const { message, nowMs } = context;
    const { sequenceMessages, outbound } = context.parts;
    switch (message.msgType) {
      case MsgType.TestRequest:
        sequenceMessages.onTestRequest(message, nowMs);
        break;
      case MsgType.ResendRequest:
        if (!wasHeld) sequenceMessages.onResendRequest(message, nowMs);
        break;
      case MsgType.SequenceReset:
        sequenceMessages.onGapFill(message, nowMs);
        break;
      case MsgType.Reject:
        context.application.onReject?.(context.session, message);
        break;
      case MsgType.Logout:
        this.#onLogout();
        break;
      case MsgType.Logon:
        this.#logons.onAgain();
        break;
      case MsgType.Heartbeat:
        onHeartbeat(context);
        break;
      default:
        outbound.reject(message, problem(NO_REF_TAG, SessionRejectReason.InvalidMsgType), nowMs);
    }
  }

  #onLogout(): void {
    const context = this.#context;
    if (context.state === SessionState.LogoutSent) {
      context.disconnect(DisconnectReason.LogoutComplete);
      return;
    }
    const { outbound, settings } = context.parts;
    const { text } = context;
    outbound.logout('', context.nowMs);
    context.tellLogout(text);
    context.await(SessionState.LogoutAnswered, settings.hangUpTimeoutMs, DisconnectReason.LogoutComplete);
  }
}
