// hot: per outbound message. Fields are written into one preallocated buffer: no string is built, nothing allocated or thrown.
import { assert } from '../assert.ts';
import { UtcDayCache, writeDigits, writeInt, writeTimeOfDay } from './fix-values.ts';

/** Largest message this engine writes or takes, header and trailer included. */
export const MESSAGE_BYTES_MAX = 65_536;

/** Verdict on a message being written; the first thing that goes wrong stays, and such a message is never sent. */
export const EncodeStatus = {
  Ok: 0,
  /** It does not fit {@link MESSAGE_BYTES_MAX}. */
  TooLong: 1,
  /** A value is empty, or has bytes that FIX does not allow in it. */
  BadValue: 2,
} as const;
export type EncodeStatus = (typeof EncodeStatus)[keyof typeof EncodeStatus];

const SOH = 1;
const EQUALS = 61;
const DOT = 46;
const ZERO = 48;
const MICROS_PER_DAY = 86_400_000_000;
/** BeginString of up to 16 characters and BodyLength of up to 5 digits: `8=…|9=…|`. */
const PREFIX_BYTES_MAX = 27;
const BEGIN_STRING_LENGTH_MAX = 16;
/** Tag of up to 9 digits, `=`, the longest number or timestamp (27) and SOH. */
const FIXED_FIELD_BYTES_MAX = 40;
const TRAILER_BYTES = 7;
const COUNT_WIDTH = 4;

/**
 * Writes one message at a time. The body goes behind a gap wide enough for the longest `8=…|9=…|`, which is laid right against
 * it at the end, when BodyLength is known: so the length has no padding and the body is never moved.
 */
export class FixEncoder {
  readonly buffer: Uint8Array;
  /** Where the finished message starts and ends in `buffer`; set by `finish`. */
  start = 0;
  end = 0;
  status: EncodeStatus = EncodeStatus.Ok;
  /** Where the fields of `beginBody` start. */
  readonly bodyStart: number = PREFIX_BYTES_MAX;

  readonly #limit: number;
  readonly #beginField: Uint8Array;
  #compIdFields: Uint8Array;
  #position = PREFIX_BYTES_MAX;
  readonly #days: UtcDayCache = new UtcDayCache();

  constructor(beginString: string, bytesMax: number = MESSAGE_BYTES_MAX) {
    assert(
      beginString.length > 0 && beginString.length <= BEGIN_STRING_LENGTH_MAX,
      'BeginString(8) of 1 to 16 characters',
    );
    this.buffer = new Uint8Array(bytesMax);
    this.#limit = bytesMax - TRAILER_BYTES;
    this.#beginField = bytesOf(`8=${beginString}\u00019=`);
    this.#compIdFields = bytesOf('');
  }

  /** The identities in every header that follows. */
  setCompIDs(senderCompID: string, targetCompID: string): void {
    this.#compIdFields = bytesOf(`49=${senderCompID}\u000156=${targetCompID}\u000134=`);
  }

  /** Starts a message: MsgType(35), SenderCompID(49), TargetCompID(56), MsgSeqNum(34), SendingTime(52). */
  begin(msgType: number, msgSeqNum: number, sendingTimeMicros: number): void {
    const buffer = this.buffer;
    this.status = EncodeStatus.Ok;
    let at = PREFIX_BYTES_MAX;
    buffer[at++] = 51;
    buffer[at++] = 53;
    buffer[at++] = EQUALS;
    if (msgType > 0xff) buffer[at++] = msgType >> 8;
    buffer[at++] = msgType & 0xff;
    buffer[at++] = SOH;
    const compIdFields = this.#compIdFields;
    for (let i = 0; i < compIdFields.length; i++) buffer[at++] = compIdFields[i]!;
    at = writeInt(buffer, at, msgSeqNum);
    buffer[at++] = SOH;
    this.#position = at;
    this.utcTimestampMicros(52, sendingTimeMicros);
  }

  /** Starts fields without a header or trailer, a body to be copied into messages with {@link fields}: `buffer[bodyStart .. bodyEnd)`. */
  beginBody(): void {
    this.status = EncodeStatus.Ok;
    this.#position = PREFIX_BYTES_MAX;
  }

  /** Where the next field goes. */
  get bodyEnd(): number {
    return this.#position;
  }

  int(tag: number, value: number): void {
    let at = this.#open(tag);
    if (at < 0) return;
    at = writeInt(this.buffer, at, value);
    this.#close(at);
  }

  /** Integer paise as a decimal price: `245075` as `2450.75`, `245000` as `2450`. */
  pricePaise(tag: number, paise: number): void {
    let at = this.#open(tag);
    if (at < 0) return;
    const buffer = this.buffer;
    if (paise < 0) buffer[at++] = 45;
    const magnitude = Math.abs(paise);
    const rupees = Math.floor(magnitude / 100);
    const fraction = magnitude - rupees * 100;
    at = writeInt(buffer, at, rupees);
    if (fraction !== 0) {
      buffer[at++] = DOT;
      at = writeDigits(buffer, at, fraction, 2);
    }
    this.#close(at);
  }

  /** One character by its code. */
  char(tag: number, code: number): void {
    const at = this.#open(tag);
    if (at < 0) return;
    this.buffer[at] = code;
    this.#close(at + 1);
  }

  /** A string of printable ASCII. */
  ascii(tag: number, value: string): void {
    let at = this.#openBytes(tag, value.length);
    if (at < 0) return;
    const buffer = this.buffer;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code < 0x20 || code > 0x7e) this.#refuse();
      buffer[at++] = code;
    }
    this.#close(at);
  }

  /** Bytes `source[start .. end)` as they are; SOH alone is refused. */
  bytes(tag: number, source: Uint8Array, start: number, end: number): void {
    let at = this.#openBytes(tag, end - start);
    if (at < 0) return;
    const buffer = this.buffer;
    for (let i = start; i < end; i++) {
      const code = source[i]!;
      if (code === SOH) this.#refuse();
      buffer[at++] = code;
    }
    this.#close(at);
  }

  /** Whole encoded fields `source[start .. end)`, each with its SOH: one encoding of a body serves every session that gets it. */
  fields(source: Uint8Array, start: number, end: number): void {
    let at = this.#position;
    if (at + (end - start) > this.#limit) {
      if (this.status === EncodeStatus.Ok) this.status = EncodeStatus.TooLong;
      return;
    }
    const buffer = this.buffer;
    for (let i = start; i < end; i++) buffer[at++] = source[i]!;
    this.#position = at;
  }

  /** UTCTimestamp of epoch microseconds: three decimals, six when there are microseconds. */
  utcTimestampMicros(tag: number, micros: number): void {
    let at = this.#open(tag);
    if (at < 0) return;
    const buffer = this.buffer;
    const epochDay = Math.floor(micros / MICROS_PER_DAY);
    at = this.#days.writeDate(buffer, at, epochDay);
    buffer[at++] = 45;
    at = writeTimeOfDay(buffer, at, micros - epochDay * MICROS_PER_DAY);
    this.#close(at);
  }

  /** UTCTimeOnly: the time of day (UTC) of epoch microseconds, or of microseconds since midnight. */
  utcTimeOnlyMicros(tag: number, micros: number): void {
    let at = this.#open(tag);
    if (at < 0) return;
    at = writeTimeOfDay(this.buffer, at, micros - Math.floor(micros / MICROS_PER_DAY) * MICROS_PER_DAY);
    this.#close(at);
  }

  /**
   * Writes a group count whose value is not known yet, four digits wide (FIX int allows leading zeros), and returns its place
   * for {@link setCount}; -1 when the message is full.
   */
  reserveCount(tag: number): number {
    const at = this.#open(tag);
    if (at < 0) return -1;
    for (let i = 0; i < COUNT_WIDTH; i++) this.buffer[at + i] = ZERO;
    this.#close(at + COUNT_WIDTH);
    return at;
  }

  /** Fills in a reserved count, 0 to 9999. */
  setCount(place: number, count: number): void {
    if (place >= 0) writeDigits(this.buffer, place, count, COUNT_WIDTH);
  }

  /** Writes CheckSum, BodyLength and BeginString; the message is then `buffer[start .. end)`. Returns the verdict on all of it. */
  finish(): EncodeStatus {
    if (this.status !== EncodeStatus.Ok) return this.status;
    const buffer = this.buffer;
    const beginField = this.#beginField;
    const bodyLength = this.#position - PREFIX_BYTES_MAX;
    const digits = bodyLength < 100 ? 2 : bodyLength < 1000 ? 3 : bodyLength < 10_000 ? 4 : 5;
    const start = PREFIX_BYTES_MAX - beginField.length - digits - 1;
    for (let i = 0; i < beginField.length; i++) buffer[start + i] = beginField[i]!;
    writeDigits(buffer, start + beginField.length, bodyLength, digits);
    buffer[PREFIX_BYTES_MAX - 1] = SOH;
    let at = this.#position;
    let sum = 0;
    for (let i = start; i < at; i++) sum += buffer[i]!;
    buffer[at++] = 49;
    buffer[at++] = 48;
    buffer[at++] = EQUALS;
    at = writeDigits(buffer, at, sum & 0xff, 3);
    buffer[at++] = SOH;
    this.start = start;
    this.end = at;
    return EncodeStatus.Ok;
  }

  #open(tag: number): number {
    return this.#openBytes(tag, FIXED_FIELD_BYTES_MAX);
  }

  /** Writes `tag=` and returns the place of the value, or -1 when the message cannot hold `valueBytes` more. */
  #openBytes(tag: number, valueBytes: number): number {
    let at = this.#position;
    if (valueBytes === 0) {
      this.#refuse();
      return -1;
    }
    if (at + valueBytes + FIXED_FIELD_BYTES_MAX > this.#limit) {
      if (this.status === EncodeStatus.Ok) this.status = EncodeStatus.TooLong;
      return -1;
    }
    const buffer = this.buffer;
    if (tag < 100) {
      if (tag >= 10) buffer[at++] = ZERO + ((tag / 10) | 0);
      buffer[at++] = ZERO + (tag % 10);
    } else if (tag < 1000) {
      const hundreds = (tag / 100) | 0;
      const rest = tag - hundreds * 100;
      buffer[at++] = ZERO + hundreds;
      buffer[at++] = ZERO + ((rest / 10) | 0);
      buffer[at++] = ZERO + (rest % 10);
    } else {
      at = writeInt(buffer, at, tag);
    }
    buffer[at++] = EQUALS;
    return at;
  }

  #close(at: number): void {
    this.buffer[at] = SOH;
    this.#position = at + 1;
  }

  #refuse(): void {
    if (this.status === EncodeStatus.Ok) this.status = EncodeStatus.BadValue;
  }
}

function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
