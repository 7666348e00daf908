// hot: `messageProblem` and the identity, per inbound message. No allocation unless something is wrong.
import { type FieldProblem, IDENTIFIER_LENGTH_MAX } from './field-reader.ts';
import { DecodeStatus } from './fix-decoder.ts';
import type { FixFramer } from './fix-framer.ts';
import type { FixMessage } from './fix-message.ts';
import { INVALID_VALUE } from './fix-values.ts';
import { SessionRejectReason } from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';
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

  compIDsHold(message: FixMessage, header: SessionHeader): boolean {
    return (
      header.senderCompID >= 0 &&
      header.targetCompID >= 0 &&
      message.equals(header.senderCompID, this.#theirs) &&
      message.equals(header.targetCompID, this.#ours)
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
    return this.compIDsHold(message, header);
  }
}

/** A SendingTime that is missing or unreadable is a matter for Reject, in its turn, and holds here. */
export function sendingTimeHolds(message: FixMessage, toleranceMs: number, nowMs: number): boolean {
  const sendingTimeMicros = message.sendingTimeMicros;
  if (toleranceMs === 0 || sendingTimeMicros < 0) return true;
  return Math.abs(sendingTimeMicros - nowMs * MICROS_PER_MILLI) <= toleranceMs * MICROS_PER_MILLI;
}

/** What makes a message in its turn unfit to be delivered, or null. */
export function messageProblem(
  message: FixMessage,
  header: SessionHeader,
  status: DecodeStatus,
  errorTag: number,
): FieldProblem | null {
  switch (status) {
    case DecodeStatus.InvalidTag:
      return problem(0, SessionRejectReason.InvalidTagNumber, 'a tag is no number');
    case DecodeStatus.EmptyValue:
      return problem(errorTag, SessionRejectReason.TagSpecifiedWithoutAValue, 'tag specified without a value');
    case DecodeStatus.TooManyFields:
      return problem(0, SessionRejectReason.Other, 'too many fields');
    case DecodeStatus.DataLength:
      return problem(errorTag, SessionRejectReason.IncorrectDataFormatForValue, 'data is not of its length');
    case DecodeStatus.Ok:
      if (header.sendingTime < 0) {
        return problem(Tag.SendingTime, SessionRejectReason.RequiredTagMissing, 'required tag missing');
      }
      if (message.sendingTimeMicros !== INVALID_VALUE) return null;
      return problem(Tag.SendingTime, SessionRejectReason.IncorrectDataFormatForValue, 'no UTCTimestamp');
  }
}

export function problem(refTagID: number, sessionRejectReason: SessionRejectReason, text: string): FieldProblem {
  return { refTagID, sessionRejectReason, text };
}

function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
