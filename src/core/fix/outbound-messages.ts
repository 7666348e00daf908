// hot: `begin` and `send`, per message. No allocation there, no closure, no exception.
import { type Logon, writeBusinessReject, writeGapFill, writeLogon, writeReject } from './admin-messages.ts';
import type { FieldProblem } from './field-reader.ts';
import { EncodeStatus, FixEncoder } from './fix-encoder.ts';
import type { FixMessage } from './fix-message.ts';
import { type BusinessRejectReason, MsgType } from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';
import { type FixTransport, SendRefusal } from './session-contract.ts';

const MICROS_PER_MILLI = 1000;

/** The messages of one side: gives them their numbers, writes those of the session, hands all of them to the transport. */
export class OutboundMessages {
  /** MsgSeqNum(34) of the next message. */
  nextSeqNum = 1;
  messageCount = 0;
  rejectCount = 0;
  /** When the last message left. */
  lastSentMs = 0;
  readonly #encoder: FixEncoder;
  readonly #transport: FixTransport;

  constructor(beginString: string, transport: FixTransport) {
    this.#encoder = new FixEncoder(beginString);
    this.#transport = transport;
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
    const refusal = this.#hand(nowMs);
    return refusal < 0 ? refusal : this.nextSeqNum++;
  }

  logon(logon: Logon, nowMs: number): void {
    writeLogon(this.begin(MsgType.Logon, nowMs), logon);
    this.send(nowMs);
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

  /** Its own number serves as TestReqID(112): that never comes twice. */
  testRequest(nowMs: number): void {
    this.begin(MsgType.TestRequest, nowMs).int(Tag.TestReqID, this.nextSeqNum);
    this.send(nowMs);
  }

  resendRequest(beginSeqNo: number, endSeqNo: number, nowMs: number): void {
    const encoder = this.begin(MsgType.ResendRequest, nowMs);
    encoder.int(Tag.BeginSeqNo, beginSeqNo);
    encoder.int(Tag.EndSeqNo, endSeqNo);
    this.send(nowMs);
  }

  /** Passes over the numbers from `beginSeqNo` to `endSeqNo` (0: all that were used); uses up none itself. */
  gapFill(beginSeqNo: number, endSeqNo: number, nowMs: number): void {
    const next = this.nextSeqNum;
    if (beginSeqNo >= next) return;
    const newSeqNo = endSeqNo === 0 || endSeqNo >= next ? next : endSeqNo + 1;
    this.#encoder.begin(MsgType.SequenceReset, beginSeqNo, nowMs * MICROS_PER_MILLI);
    writeGapFill(this.#encoder, newSeqNo, nowMs * MICROS_PER_MILLI);
    this.#hand(nowMs);
  }

  reject(message: FixMessage, problem: FieldProblem, nowMs: number): void {
    this.rejectCount++;
    writeReject(this.begin(MsgType.Reject, nowMs), message, problem);
    this.send(nowMs);
  }

  businessReject(message: FixMessage, refID: string, reason: BusinessRejectReason, text: string, nowMs: number): void {
    this.rejectCount++;
    writeBusinessReject(this.begin(MsgType.BusinessMessageReject, nowMs), message, refID, reason, text);
    this.send(nowMs);
  }

  /** Hands the finished message to the transport; 0, or a SendRefusal. */
  #hand(nowMs: number): number {
    const encoder = this.#encoder;
    const status = encoder.finish();
    if (status !== EncodeStatus.Ok) return status === EncodeStatus.TooLong ? SendRefusal.TooLong : SendRefusal.BadValue;
    this.messageCount++;
    this.lastSentMs = nowMs;
    this.#transport.send(encoder.buffer, encoder.start, encoder.end);
    return 0;
  }
}
