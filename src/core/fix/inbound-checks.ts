// hot: the checks and the identity, per inbound message. No allocation unless something is wrong.
import { type FieldProblem, IDENTIFIER_LENGTH_MAX } from './field-reader.ts';
import { DecodeStatus } from './fix-decoder.ts';
import type { FixFramer } from './fix-framer.ts';
import type { FixMessage } from './fix-message.ts';
import { INVALID_VALUE } from './fix-values.ts';
import { SessionRejectReason } from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';
import { NO_REF_TAG } from './message-validator.ts';
import type { SessionHeader } from './session-header.ts';

const MICROS_PER_MILLI = 1000;

/** Who may speak in a session: the bytes of BeginString(8), SenderCompID(49) and TargetCompID(56) that its messages must have. */
export class SessionIdentity {
  /** '' while an acceptor that serves several waits for the Logon. */
  counterpartyCompID: string;
  readonly #beginString: Uint8Array;
  readonly #ours: Uint8Array;
  #theirs: Uint8Array;

  constructor(beginString: string, ourCompID: string, counterpartyCompID: string) {
    this.#beginString = asciiBytes(beginString);
    this.#ours = asciiBytes(ourCompID);
    this.counterpartyCompID = counterpartyCompID;
    this.#theirs = asciiBytes(counterpartyCompID);
  }

  beginStringHolds(buffer: Uint8Array, framer: FixFramer): boolean {
    const expected = this.#beginString;
    const start = framer.messageStart + 2;
    if (framer.beginStringEnd - start !== expected.length) return false;
    for (let i = 0; i < expected.length; i++) if (buffer[start + i] !== expected[i]) return false;
    return true;
  }

  /** A name that is missing or empty is a matter for Reject, in its turn, and holds here. */
  compIDsHold(message: FixMessage, header: SessionHeader): boolean {
    const { senderCompID, targetCompID } = header;
    return (
      (isAbsent(message, senderCompID) || message.equals(senderCompID, this.#theirs)) &&
      (isAbsent(message, targetCompID) || message.equals(targetCompID, this.#ours))
    );
  }

  /** Judges a Logon; where anyone may come, takes the counterparty's name from it, if that is not longer than any identifier. */
  recognises(message: FixMessage, header: SessionHeader, anyone: boolean): boolean {
    if (anyone && header.senderCompID >= 0) {
      const length = message.ends[header.senderCompID]! - message.starts[header.senderCompID]!;
      if (length > IDENTIFIER_LENGTH_MAX) return false;
      this.counterpartyCompID = message.ascii(header.senderCompID);
      this.#theirs = asciiBytes(this.counterpartyCompID);
    }
    return header.senderCompID >= 0 && header.targetCompID >= 0 && this.compIDsHold(message, header);
  }
}

function isAbsent(message: FixMessage, position: number): boolean {
  return position < 0 || message.starts[position] === message.ends[position];
}

/** A SendingTime that is missing or unreadable is a matter for Reject, in its turn, and holds here. */
export function sendingTimeHolds(message: FixMessage, toleranceMs: number, nowMs: number): boolean {
  const sendingTimeMicros = message.sendingTimeMicros;
  if (toleranceMs === 0 || sendingTimeMicros < 0) return true;
  return Math.abs(sendingTimeMicros - nowMs * MICROS_PER_MILLI) <= toleranceMs * MICROS_PER_MILLI;
}

/** OrigSendingTime(122) of a message with PossDupFlag(43)=Y. */
export const OrigSendingTimeVerdict = { Holds: 0, Missing: 1, LaterThanSendingTime: 2 } as const;
export type OrigSendingTimeVerdict = (typeof OrigSendingTimeVerdict)[keyof typeof OrigSendingTimeVerdict];

/** One that is there and unreadable is a matter for Reject, in its turn, and holds here. */
export function checkOrigSendingTime(message: FixMessage, header: SessionHeader): OrigSendingTimeVerdict {
  if (header.origSendingTime < 0) return OrigSendingTimeVerdict.Missing;
  const originalMicros = message.utcTimestampMicros(header.origSendingTime);
  if (
    originalMicros === INVALID_VALUE ||
    message.sendingTimeMicros === INVALID_VALUE ||
    originalMicros <= message.sendingTimeMicros
  ) {
    return OrigSendingTimeVerdict.Holds;
  }
  return OrigSendingTimeVerdict.LaterThanSendingTime;
}

/** What makes a message in its turn unfit to be delivered whatever its type, or null. */
export function messageProblem(
  message: FixMessage,
  header: SessionHeader,
  status: DecodeStatus,
  errorTag: number,
): FieldProblem | null {
  switch (status) {
    case DecodeStatus.InvalidTag:
      return problem(errorTag, SessionRejectReason.InvalidTagNumber);
    case DecodeStatus.EmptyValue:
      return problem(errorTag, SessionRejectReason.TagSpecifiedWithoutAValue);
    case DecodeStatus.TooManyFields:
      return problem(NO_REF_TAG, SessionRejectReason.Other, 'Too many fields');
    case DecodeStatus.DataLength:
      return problem(errorTag, SessionRejectReason.IncorrectDataFormatForValue);
    case DecodeStatus.Unreadable:
      return problem(NO_REF_TAG, SessionRejectReason.InvalidTagNumber);
    case DecodeStatus.Ok:
      if (header.senderCompID < 0) return problem(Tag.SenderCompID, SessionRejectReason.RequiredTagMissing);
      if (header.targetCompID < 0) return problem(Tag.TargetCompID, SessionRejectReason.RequiredTagMissing);
      if (header.sendingTime < 0) return problem(Tag.SendingTime, SessionRejectReason.RequiredTagMissing);
      if (message.sendingTimeMicros !== INVALID_VALUE) return null;
      return problem(Tag.SendingTime, SessionRejectReason.IncorrectDataFormatForValue);
  }
}

/** FIX's own words for a SessionRejectReason(373). */
const REASON_TEXTS: Readonly<Record<SessionRejectReason, string>> = {
  [SessionRejectReason.InvalidTagNumber]: 'Invalid tag number',
  [SessionRejectReason.RequiredTagMissing]: 'Required tag missing',
  [SessionRejectReason.TagNotDefinedForThisMessageType]: 'Tag not defined for this message type',
  [SessionRejectReason.UndefinedTag]: 'Undefined tag',
  [SessionRejectReason.TagSpecifiedWithoutAValue]: 'Tag specified without a value',
  [SessionRejectReason.ValueIsIncorrect]: 'Value is incorrect (out of range) for this tag',
  [SessionRejectReason.IncorrectDataFormatForValue]: 'Incorrect data format for value',
  [SessionRejectReason.DecryptionProblem]: 'Decryption problem',
  [SessionRejectReason.SignatureProblem]: 'Signature problem',
  [SessionRejectReason.CompIDProblem]: 'CompID problem',
  [SessionRejectReason.SendingTimeAccuracyProblem]: 'SendingTime accuracy problem',
  [SessionRejectReason.InvalidMsgType]: 'Invalid MsgType',
  [SessionRejectReason.XmlValidationError]: 'XML validation error',
  [SessionRejectReason.TagAppearsMoreThanOnce]: 'Tag appears more than once',
  [SessionRejectReason.TagSpecifiedOutOfRequiredOrder]: 'Tag specified out of required order',
  [SessionRejectReason.RepeatingGroupFieldsOutOfOrder]: 'Repeating group fields out of order',
  [SessionRejectReason.IncorrectNumInGroupCountForRepeatingGroup]: 'Incorrect NumInGroup count for repeating group',
  [SessionRejectReason.NonDataValueIncludesFieldDelimiter]: 'Non-data value includes field delimiter',
  [SessionRejectReason.Other]: 'Other',
};

/** A problem in FIX's own words unless there are better ones; `refTagID` is NO_REF_TAG when no single field is at fault. */
export function problem(
  refTagID: number,
  sessionRejectReason: SessionRejectReason,
  text: string = REASON_TEXTS[sessionRejectReason],
): FieldProblem {
  return { refTagID, sessionRejectReason, text };
}

function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
