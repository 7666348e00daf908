import { type FieldProblem, FieldReader, type Parsed } from './field-reader.ts';
import type { FixEncoder } from './fix-encoder.ts';
import type { FixMessage } from './fix-message.ts';
import { type BusinessRejectReason, MsgType, SessionRejectReason } from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';
import { NO_REF_TAG } from './message-validator.ts';
import type { LogonCredentials } from './session-contract.ts';

/** Bodies of the session's own messages (FIX 4.4 volume 2). */

const YES = 89;
/** EncryptMethod(98): none. */
const NO_ENCRYPTION = 0;
/** An hour; a longer HeartBtInt(108) could as well be none. */
const HEART_BT_INT_MAX = 3600;

export interface Logon {
  heartBtIntSeconds: number;
  resetSeqNum: boolean;
  /** Ours; what a counterparty sends is not read here. */
  credentials?: LogonCredentials | null;
}

export interface ResendRequest {
  beginSeqNo: number;
  /** 0 means up to the last. */
  endSeqNo: number;
}

export interface SequenceReset {
  /** False in reset mode, which disregards its own MsgSeqNum. */
  gapFill: boolean;
  newSeqNo: number;
}

/** Whether a type is the session's own; ExecutionReport (8) and the like are the application's. */
export function isAdminType(msgType: number): boolean {
  return msgType <= MsgType.Logout || msgType === MsgType.Logon;
}

export function writeLogon(encoder: FixEncoder, logon: Logon): void {
  encoder.int(Tag.EncryptMethod, NO_ENCRYPTION);
  encoder.int(Tag.HeartBtInt, logon.heartBtIntSeconds);
  if (logon.resetSeqNum) encoder.char(Tag.ResetSeqNumFlag, YES);
  if (logon.credentials) {
    encoder.ascii(Tag.Username, logon.credentials.username);
    encoder.ascii(Tag.Password, logon.credentials.password);
  }
}

export function readLogon(message: FixMessage): Parsed<Logon> {
  const reader = new FieldReader(message);
  if (reader.quantity(reader.required(Tag.EncryptMethod)) !== NO_ENCRYPTION) {
    reader.refuse(Tag.EncryptMethod, SessionRejectReason.ValueIsIncorrect, 'only 0 (none) is supported');
  }
  const heartBtIntSeconds = reader.quantity(reader.required(Tag.HeartBtInt));
  if (heartBtIntSeconds > HEART_BT_INT_MAX) {
    reader.refuse(Tag.HeartBtInt, SessionRejectReason.ValueIsIncorrect, `more than ${HEART_BT_INT_MAX} s`);
  }
  return reader.parsed({ heartBtIntSeconds, resetSeqNum: flag(message, reader.optional(Tag.ResetSeqNumFlag)) });
}

export function readResendRequest(message: FixMessage): Parsed<ResendRequest> {
  const reader = new FieldReader(message);
  const beginSeqNo = reader.quantity(reader.required(Tag.BeginSeqNo));
  const endSeqNo = reader.quantity(reader.required(Tag.EndSeqNo));
  if (beginSeqNo < 1) reader.refuse(Tag.BeginSeqNo, SessionRejectReason.ValueIsIncorrect, 'numbers begin at 1');
  if (endSeqNo !== 0 && endSeqNo < beginSeqNo) {
    reader.refuse(Tag.EndSeqNo, SessionRejectReason.ValueIsIncorrect, 'ends before it begins');
  }
  return reader.parsed({ beginSeqNo, endSeqNo });
}

export function readSequenceReset(message: FixMessage): Parsed<SequenceReset> {
  const reader = new FieldReader(message);
  const newSeqNo = reader.quantity(reader.required(Tag.NewSeqNo));
  return reader.parsed({ gapFill: flag(message, reader.optional(Tag.GapFillFlag)), newSeqNo });
}

/** SequenceReset-GapFill in place of messages that are not sent again; its header says PossDup. */
export function writeGapFill(encoder: FixEncoder, newSeqNo: number, origSendingTimeMicros: number): void {
  encoder.char(Tag.PossDupFlag, YES);
  encoder.utcTimestampMicros(Tag.OrigSendingTime, origSendingTimeMicros);
  encoder.char(Tag.GapFillFlag, YES);
  encoder.int(Tag.NewSeqNo, newSeqNo);
}

/** Header fields that name others between the two sides, each with the one that a reply has in its place (FIX volume 1, "Message routing"). */
const REVERSE_ROUTE: ReadonlyMap<number, number> = new Map([
  [Tag.OnBehalfOfCompID, Tag.DeliverToCompID],
  [Tag.OnBehalfOfSubID, Tag.DeliverToSubID],
  [Tag.OnBehalfOfLocationID, Tag.DeliverToLocationID],
  [Tag.DeliverToCompID, Tag.OnBehalfOfCompID],
  [Tag.DeliverToSubID, Tag.OnBehalfOfSubID],
  [Tag.DeliverToLocationID, Tag.OnBehalfOfLocationID],
]);

/** The way back to whom `message` came from; the first fields of a reply. */
export function writeReverseRoute(encoder: FixEncoder, message: FixMessage): void {
  for (let position = 1; position < message.bodyPosition; position++) {
    const tag = REVERSE_ROUTE.get(message.tags[position]!);
    const start = message.starts[position]!;
    const end = message.ends[position]!;
    if (tag !== undefined && start < end) encoder.bytes(tag, message.buffer, start, end);
  }
}

/** Reject (3) of `message`. A reason above `reasonMax`, which the session's version does not know, is told by Text(58) alone. */
export function writeReject(encoder: FixEncoder, message: FixMessage, problem: FieldProblem, reasonMax: number): void {
  encoder.int(Tag.RefSeqNum, message.msgSeqNum);
  if (problem.refTagID !== NO_REF_TAG) encoder.int(Tag.RefTagID, problem.refTagID);
  if (message.starts[0]! < message.ends[0]!) {
    encoder.bytes(Tag.RefMsgType, message.buffer, message.starts[0]!, message.ends[0]!);
  }
  if (problem.sessionRejectReason <= reasonMax) encoder.int(Tag.SessionRejectReason, problem.sessionRejectReason);
  encoder.ascii(Tag.Text, problem.text);
}

/** BusinessMessageReject (j) of `message`; `refID` is its identifier, '' for none. */
export function writeBusinessReject(
  encoder: FixEncoder,
  message: FixMessage,
  refID: string,
  reason: BusinessRejectReason,
  text: string,
): void {
  encoder.int(Tag.RefSeqNum, message.msgSeqNum);
  encoder.bytes(Tag.RefMsgType, message.buffer, message.starts[0]!, message.ends[0]!);
  if (refID !== '') encoder.ascii(Tag.BusinessRejectRefID, refID);
  encoder.int(Tag.BusinessRejectReason, reason);
  encoder.ascii(Tag.Text, text);
}

function flag(message: FixMessage, position: number): boolean {
  return position >= 0 && message.char(position) === YES;
}
