// hot: `writeRecord`, per stored message. No allocation there, no closure, no exception. The format byte by byte: src/net/fix-store.md.
import { asciiText } from '../ascii-text.ts';
import { crc32c } from './crc32c.ts';
import { MESSAGE_BYTES_MAX } from './fix-encoder.ts';

export const STORE_VERSION = 1;
/** `OUTCRYFS` */
const MAGIC: readonly number[] = [79, 85, 84, 67, 82, 89, 70, 83];
const HEADER_FIXED_BYTES = 66;
export const SESSION_ID_BYTES_MAX = 200;
export const CHECKSUM_BYTES = 4;
export const RECORD_HEADER_BYTES = 32;
/** What a record takes beside its payload. */
export const RECORD_OVERHEAD_BYTES = RECORD_HEADER_BYTES + CHECKSUM_BYTES;
const TWO_32 = 4_294_967_296;

export const RecordType = {
  /** A message as it was handed to the transport; its number is `number`. The next sender's number is one more. */
  Outbound: 1,
  /** An application message as it arrived. No number follows from it. */
  Inbound: 2,
  /** The number that the counterparty's next message must have. */
  NextTarget: 3,
  /** The number that our next message will have, raised by a SequenceReset. */
  NextSender: 4,
} as const;
export type RecordType = (typeof RecordType)[keyof typeof RecordType];

/** The first bytes of a file: whose it is, and the state that it continues from. */
export interface StoreHeader {
  /** Printable ASCII. */
  readonly sessionId: string;
  readonly epoch: number;
  /** 1 for the first file of an epoch; each file that follows has one more. */
  readonly segment: number;
  /** Begins the checksum of every record, so that bytes of another file, or a message's own, never look like a record. */
  readonly salt: number;
  readonly nextSenderMsgSeqNum: number;
  readonly nextTargetMsgSeqNum: number;
  /** Bytes of the file before it that count; what stands behind them was never durable. 0 in the first file of an epoch. */
  readonly previousLength: number;
  readonly createdMicros: number;
}

/** The header as the bytes that a file begins with. */
export function encodeHeader(header: StoreHeader): Uint8Array {
  const { sessionId } = header;
  const length = HEADER_FIXED_BYTES + sessionId.length + CHECKSUM_BYTES;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint16(8, STORE_VERSION, true);
  view.setUint16(10, length, true);
  view.setUint32(12, header.salt, true);
  writeUint53(view, 16, header.epoch);
  writeUint53(view, 24, header.segment);
  writeUint53(view, 32, header.nextSenderMsgSeqNum);
  writeUint53(view, 40, header.nextTargetMsgSeqNum);
  writeUint53(view, 48, header.previousLength);
  view.setFloat64(56, header.createdMicros, true);
  view.setUint16(64, sessionId.length, true);
  for (let i = 0; i < sessionId.length; i++) bytes[HEADER_FIXED_BYTES + i] = sessionId.charCodeAt(i);
  view.setUint32(length - CHECKSUM_BYTES, crc32c(bytes, 0, length - CHECKSUM_BYTES, 0), true);
  return bytes;
}

/** The header at the start of a file, and its length; null when it is none of this version. */
export function decodeHeader(bytes: Uint8Array): { header: StoreHeader; length: number } | null {
  if (bytes.length < HEADER_FIXED_BYTES + CHECKSUM_BYTES || MAGIC.some((byte, i) => bytes[i] !== byte)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint16(10, true);
  const idLength = view.getUint16(64, true);
  if (view.getUint16(8, true) !== STORE_VERSION || length > bytes.length) return null;
  if (length !== HEADER_FIXED_BYTES + idLength + CHECKSUM_BYTES) return null;
  const checksumAt = length - CHECKSUM_BYTES;
  if (view.getUint32(checksumAt, true) !== crc32c(bytes, 0, checksumAt, 0)) return null;
  const header = {
    sessionId: asciiText(bytes, HEADER_FIXED_BYTES, checksumAt),
    salt: view.getUint32(12, true),
    epoch: readUint53(view, 16),
    segment: readUint53(view, 24),
    nextSenderMsgSeqNum: readUint53(view, 32),
    nextTargetMsgSeqNum: readUint53(view, 40),
    previousLength: readUint53(view, 48),
    createdMicros: view.getFloat64(56, true),
  };
  return { header, length };
}

/**
 * Writes a record at `at` of `view` (which is over `target`; there must be room) and returns where it ends. `durable`: bytes of the
 * file that are known to be on the disk at this time; that is how recovery tells a torn tail from a damaged middle.
 */
export function writeRecord(
  target: Uint8Array,
  view: DataView,
  at: number,
  type: RecordType,
  number: number,
  durable: number,
  timeMicros: number,
  salt: number,
  payload: Uint8Array,
  start: number,
  end: number,
): number {
  const length = end - start;
  view.setUint32(at, length, true);
  view.setUint32(at + 4, type, true);
  writeUint53(view, at + 8, number);
  writeUint53(view, at + 16, durable);
  view.setFloat64(at + 24, timeMicros, true);
  const payloadAt = at + RECORD_HEADER_BYTES;
  for (let i = 0; i < length; i++) target[payloadAt + i] = payload[start + i]!;
  const checksumAt = payloadAt + length;
  view.setUint32(checksumAt, crc32c(target, at, checksumAt, salt), true);
  return checksumAt + CHECKSUM_BYTES;
}

/** Reads records out of bytes in memory; the fields are of the record last found. */
export class RecordReader {
  type: RecordType = RecordType.Outbound;
  number = 0;
  durable = 0;
  timeMicros = 0;
  payloadStart = 0;
  payloadEnd = 0;
  /** Where the next record begins. */
  end = 0;
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #salt: number;

  constructor(bytes: Uint8Array, salt: number) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#salt = salt;
  }

  /** Whether a whole record, checksum right, begins at `at`. */
  read(at: number): boolean {
    const view = this.#view;
    if (at + RECORD_OVERHEAD_BYTES > this.bytes.length) return false;
    const length = view.getUint32(at, true);
    const type = view.getUint32(at + 4, true);
    if (type < RecordType.Outbound || type > RecordType.NextSender || length > MESSAGE_BYTES_MAX) return false;
    const checksumAt = at + RECORD_HEADER_BYTES + length;
    if (checksumAt + CHECKSUM_BYTES > this.bytes.length) return false;
    if (view.getUint32(checksumAt, true) !== crc32c(this.bytes, at, checksumAt, this.#salt)) return false;
    this.type = type as RecordType;
    this.number = readUint53(view, at + 8);
    this.durable = readUint53(view, at + 16);
    this.timeMicros = view.getFloat64(at + 24, true);
    this.payloadStart = at + RECORD_HEADER_BYTES;
    this.payloadEnd = checksumAt;
    this.end = checksumAt + CHECKSUM_BYTES;
    return true;
  }

  /**
   * Whether any record behind `from` says that the bytes at `from` had been on the disk. If so, what cannot be read there is damage; if not, it is
   * what a crash left of writes that nobody had been told are durable.
   */
  wasDurable(from: number): boolean {
    for (let at = from + 1; at + RECORD_OVERHEAD_BYTES <= this.bytes.length; at++) {
      if (this.read(at) && this.durable > from) return true;
    }
    return false;
  }
}

function writeUint53(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, value / TWO_32, true);
}

function readUint53(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * TWO_32;
}
