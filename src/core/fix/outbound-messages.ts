// hot: `begin` and `send`, per message. No allocation there, no closure, no exception.
import {
  type Logon,
  writeBusinessReject,
  writeGapFill,
  writeLogon,
  writeReject,
  writeReverseRoute,
} from './admin-messages.ts';
import type { FieldProblem } from './field-reader.ts';
import { EncodeStatus, FixEncoder } from './fix-encoder.ts';
import type { FixMessage } from './fix-message.ts';
import type { FixStore } from './fix-store.ts';
import { FixVersion } from './fix-version.ts';
import { type BusinessRejectReason, MsgType, SessionRejectReason } from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';
import { type FixTransport, SendRefusal } from './session-contract.ts';

const MICROS_PER_MILLI = 1000;

/**
 * The messages of one side: gives them their numbers, writes those of the session, has all of them stored and then handed to the transport.
 */
export class OutboundMessages {
  messageCount = 0;
  rejectCount = 0;
  /** When the last message left. */
  lastSentMs = 0;
  readonly #encoder: FixEncoder;
  readonly #transport: FixTransport;
  readonly #store: FixStore;
  /** FIX 4.2 ends at Invalid MsgType (11). */
  readonly #rejectReasonMax: number;

  constructor(beginString: string, transport: FixTransport, store: FixStore) {
    this.#encoder = new FixEncoder(beginString);
    this.#transport = transport;
    this.#store = store;
    this.#rejectReasonMax =
      beginString === FixVersion.Fix42 ? SessionRejectReason.InvalidMsgType : SessionRejectReason.Other;
  }

  /** MsgSeqNum(34) of the next message. */
  get nextSeqNum(): number {
    return this.#store.nextSenderMsgSeqNum;
  }

  setCompIDs(senderCompID: string, targetCompID: string): void {
    this.#encoder.setCompIDs(senderCompID, targetCompID);
  }

  /** Starts a message; `send` must follow. */
  begin(msgType: number, nowMs: number): FixEncoder {
    this.#encoder.begin(msgType, this.nextSeqNum, nowMs * MICROS_PER_MILLI);
    return this.#encoder;
  }

  /** Sends what was begun and returns its number, or a SendRefusal. */
  send(nowMs: number): number {
    const refusal = this.#finish();
    if (refusal < 0) return refusal;
    const encoder = this.#encoder;
    const msgSeqNum = this.#store.nextSenderMsgSeqNum;
    this.#store.append(msgSeqNum, encoder.buffer, encoder.start, encoder.end);
    this.#hand(nowMs);
    return msgSeqNum;
  }

  /** Starts a message that goes out again under the number it had; `sendAgain` must follow. */
  beginAgain(msgType: number, msgSeqNum: number, nowMs: number): FixEncoder {
    this.#encoder.begin(msgType, msgSeqNum, nowMs * MICROS_PER_MILLI);
    return this.#encoder;
  }

  /** Sends what was begun again: it is stored already. False if it has become too long by the fields of a resent message. */
  sendAgain(nowMs: number): boolean {
    if (this.#finish() < 0) return false;
    this.#hand(nowMs);
    return true;
  }

  logon(logon: Logon, nowMs: number): void {
    writeLogon(this.begin(MsgType.Logon, nowMs), logon);
    this.send(nowMs);
  }

  /** A Logon that asks for a reset: it goes out as number 1, and is kept as the last message of the epoch that ends with its answer. */
  resetLogon(logon: Logon, nowMs: number): void {
    writeLogon(this.beginAgain(MsgType.Logon, 1, nowMs), logon);
    if (this.#finish() < 0) return;
    const encoder = this.#encoder;
    this.#store.append(this.nextSeqNum, encoder.buffer, encoder.start, encoder.end);
    this.#hand(nowMs);
  }

  logout(text: string, nowMs: number): void {
    const encoder = this.begin(MsgType.Logout, nowMs);
    if (text !== '') encoder.ascii(Tag.Text, text);
    this.send(nowMs);
  }

  heartbeat(nowMs: number): void {
    this.begin(MsgType.Heartbeat, nowMs);
    this.send(nowMs);
  }

  /** Heartbeat that repeats the TestReqID(112) at `position`. */
  testAnswer(message: FixMessage, position: number, nowMs: number): void {
    const encoder = this.begin(MsgType.Heartbeat, nowMs);
    encoder.bytes(Tag.TestReqID, message.buffer, message.starts[position]!, message.ends[position]!);
    this.send(nowMs);
  }

  testRequest(testReqID: string, nowMs: number): void {
    this.begin(MsgType.TestRequest, nowMs).ascii(Tag.TestReqID, testReqID);
    this.send(nowMs);
  }

  resendRequest(beginSeqNo: number, endSeqNo: number, nowMs: number): void {
    const encoder = this.begin(MsgType.ResendRequest, nowMs);
    encoder.int(Tag.BeginSeqNo, beginSeqNo);
    encoder.int(Tag.EndSeqNo, endSeqNo);
    this.send(nowMs);
  }

  /** Passes over the numbers from `fromSeqNum` up to but not `newSeqNo`; uses up none itself. */
  gapFill(fromSeqNum: number, newSeqNo: number, nowMs: number): void {
    writeGapFill(this.beginAgain(MsgType.SequenceReset, fromSeqNum, nowMs), newSeqNo, nowMs * MICROS_PER_MILLI);
    this.sendAgain(nowMs);
  }

  reject(message: FixMessage, problem: FieldProblem, nowMs: number): void {
    this.rejectCount++;
    const encoder = this.begin(MsgType.Reject, nowMs);
    writeReverseRoute(encoder, message);
    writeReject(encoder, message, problem, this.#rejectReasonMax);
    this.send(nowMs);
  }

  businessReject(message: FixMessage, refID: string, reason: BusinessRejectReason, text: string, nowMs: number): void {
    this.rejectCount++;
    const encoder = this.begin(MsgType.BusinessMessageReject, nowMs);
    writeReverseRoute(encoder, message);
    writeBusinessReject(encoder, message, refID, reason, text);
    this.send(nowMs);
  }

  /** 0, or a SendRefusal. */
  #finish(): number {
    const status = this.#encoder.finish();
    if (status === EncodeStatus.Ok) return 0;
    return status === EncodeStatus.TooLong ? SendRefusal.TooLong : SendRefusal.BadValue;
  }

  #hand(nowMs: number): void {
    const encoder = this.#encoder;
    this.messageCount++;
    this.lastSentMs = nowMs;
    this.#transport.send(encoder.buffer, encoder.start, encoder.end);
  }
}
