import type { FixMessage } from './fix-message.ts';
import { INVALID_VALUE, readRoundedPricePaise } from './fix-values.ts';
import { SessionRejectReason } from './generated/fix-enums.gen.ts';

/** Why a message cannot be taken, in the terms of Reject(3). */
export interface FieldProblem {
  /** NO_REF_TAG when no single field is at fault. */
  refTagID: number;
  sessionRejectReason: SessionRejectReason;
  text: string;
}

/** A typed message, or the first thing that is wrong with it. */
export type Parsed<T> = { ok: true; value: T } | ({ ok: false } & FieldProblem);

/** Longest identifier, symbol or account that is taken; Text(58) is cut instead. */
export const IDENTIFIER_LENGTH_MAX = 64;
export const TEXT_LENGTH_MAX = 512;

/**
 * Reads the body of one message into a typed one. The first problem is kept, and the values read after it mean nothing:
 * ask `parsed` for the verdict.
 */
export class FieldReader {
  readonly #message: FixMessage;
  #problem: FieldProblem | null = null;

  constructor(message: FixMessage) {
    this.#message = message;
  }

  parsed<T>(value: T): Parsed<T> {
    return this.#problem === null ? { ok: true, value } : { ok: false, ...this.#problem };
  }

  /** Position of a field that must be there, or -1. */
  required(tag: number): number {
    const position = this.#message.find(tag, this.#message.bodyPosition);
    if (position < 0) this.refuse(tag, SessionRejectReason.RequiredTagMissing, 'required tag missing');
    return position;
  }

  /** Position of a field, or -1. */
  optional(tag: number): number {
    return this.#message.find(tag, this.#message.bodyPosition);
  }

  /** Identifier at a position; '' for no position. */
  identifier(position: number): string {
    if (position < 0) return '';
    const message = this.#message;
    if (message.ends[position]! - message.starts[position]! <= IDENTIFIER_LENGTH_MAX) return message.ascii(position);
    this.#refuseAt(position, SessionRejectReason.ValueIsIncorrect, `longer than ${IDENTIFIER_LENGTH_MAX} characters`);
    return '';
  }

  /** Free text at a position, its first 512 characters; '' for no position. */
  text(position: number): string {
    return position < 0 ? '' : this.#message.ascii(position).slice(0, TEXT_LENGTH_MAX);
  }

  /** One of the values of a closed set of characters; `absent` for no position. */
  char<T extends number>(position: number, values: Readonly<Record<string, T>>, absent: T): T {
    if (position < 0) return absent;
    const code = this.#message.char(position);
    for (const name in values) if (values[name] === code) return values[name];
    this.#refuseAt(position, SessionRejectReason.ValueIsIncorrect, 'value is out of range');
    return absent;
  }

  /** One of the values of a closed set of integers; `absent` for no position. */
  code<T extends number>(position: number, values: Readonly<Record<string, T>>, absent: T): T {
    if (position < 0) return absent;
    const code = this.#message.int(position);
    for (const name in values) if (values[name] === code) return values[name];
    this.#refuseAt(position, SessionRejectReason.ValueIsIncorrect, 'value is out of range');
    return absent;
  }

  /** Whole quantity or count, not negative; 0 for no position. */
  quantity(position: number): number {
    return this.#number(position, position < 0 ? 0 : this.#message.int(position), 'no whole number');
  }

  /** Price in paise, not negative; 0 for no position. */
  pricePaise(position: number): number {
    return this.#number(
      position,
      position < 0 ? 0 : this.#message.pricePaise(position),
      'no price of at most two decimals',
    );
  }

  /** Price of any number of decimals, rounded half up to the paisa; 0 for no position. */
  roundedPricePaise(position: number): number {
    if (position < 0) return 0;
    const { buffer, starts, ends } = this.#message;
    return this.#number(position, readRoundedPricePaise(buffer, starts[position]!, ends[position]!), 'no price');
  }

  /** Epoch microseconds; 0 for no position. */
  utcTimestampMicros(position: number): number {
    return this.#number(position, position < 0 ? 0 : this.#message.utcTimestampMicros(position), 'no UTCTimestamp');
  }

  /** Keeps the first problem. */
  refuse(refTagID: number, sessionRejectReason: SessionRejectReason, text: string): void {
    this.#problem ??= { refTagID, sessionRejectReason, text };
  }

  #number(position: number, value: number, text: string): number {
    if (value >= 0) return value;
    const reason =
      value === INVALID_VALUE ? SessionRejectReason.IncorrectDataFormatForValue : SessionRejectReason.ValueIsIncorrect;
    this.#refuseAt(position, reason, value === INVALID_VALUE ? text : 'must not be negative');
    return 0;
  }

  #refuseAt(position: number, reason: SessionRejectReason, text: string): void {
    this.refuse(this.#message.tags[position]!, reason, text);
  }
}
