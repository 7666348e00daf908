import { OutcryError } from '../errors.ts';
import { decodeHeader, RecordReader, RecordType, SESSION_ID_BYTES_MAX, type StoreHeader } from './store-format.ts';

/** What the files of a session's store say, from their bytes: shared by the store that goes on from it and the tools that only look. */

/** Both numbers after the records read so far. */
export interface StoreNumbers {
  nextSenderMsgSeqNum: number;
  nextTargetMsgSeqNum: number;
}

/** Each whole record of a file, in order; the reader is reused. */
export type RecordVisitor = (reader: RecordReader, at: number) => void;

export interface FileContent {
  readonly header: StoreHeader;
  readonly numbers: StoreNumbers;
  /** Bytes that count: the header and whole records. */
  readonly length: number;
  /** How many of them are known to be on the disk, from what the records say. */
  readonly durableLength: number;
  /** Bytes behind `length` that were never durable. */
  readonly tornBytes: number;
  readonly recordCount: number;
  /** Of the last record; when the file was made, if it has none. */
  readonly lastMicros: number;
}

/** One name for a session everywhere: directory, log, key of its deliveries. */
export function fixSessionId(beginString: string, senderCompID: string, targetCompID: string): string {
  const id = [beginString, senderCompID, targetCompID].map(escapePart).join('-');
  if (id.length > SESSION_ID_BYTES_MAX)
    throw new OutcryError('CONFIG_INVALID', `CompIDs make a session name longer than ${SESSION_ID_BYTES_MAX}: ${id}`);
  return id;
}

/**
 * Reads a file whole. `limit`: how many of its bytes count, as the file after it says; Infinity for the newest, whose end a crash may have torn:
 * there, what is behind the last whole record is left out when no record says that it had been durable. Anything else that cannot be read is
 * STORE_DAMAGED, naming file and offset.
 */
export function readStoreFile(name: string, bytes: Uint8Array, limit: number, visit: RecordVisitor): FileContent {
  const decoded = decodeHeader(bytes);
  if (decoded === null) throw new OutcryError('STORE_DAMAGED', `${name}: no header of a store file at offset 0`);
  const { header } = decoded;
  const numbers = {
    nextSenderMsgSeqNum: header.nextSenderMsgSeqNum,
    nextTargetMsgSeqNum: header.nextTargetMsgSeqNum,
  };
  const reader = new RecordReader(bytes, header.salt);
  let at = decoded.length;
  let recordCount = 0;
  let lastMicros = header.createdMicros;
  let durableLength = at;
  while (at < limit && reader.read(at)) {
    applyRecord(name, reader, at, numbers);
    visit(reader, at);
    at = reader.end;
    recordCount++;
    lastMicros = reader.timeMicros;
    durableLength = reader.durable;
  }
  const damaged = limit === Number.POSITIVE_INFINITY ? reader.wasDurable(at) : at !== limit;
  if (damaged) throw new OutcryError('STORE_DAMAGED', `${name}: the record at offset ${at} cannot be read`);
  return { header, numbers, length: at, durableLength, tornBytes: bytes.length - at, recordCount, lastMicros };
}

function applyRecord(name: string, reader: RecordReader, at: number, numbers: StoreNumbers): void {
  const { type, number } = reader;
  if (type === RecordType.Outbound) {
    if (number !== numbers.nextSenderMsgSeqNum) throw outOfOrder(name, at, number);
    numbers.nextSenderMsgSeqNum = number + 1;
  } else if (type === RecordType.NextSender) {
    if (number < numbers.nextSenderMsgSeqNum) throw outOfOrder(name, at, number);
    numbers.nextSenderMsgSeqNum = number;
  } else if (type === RecordType.NextTarget) {
    if (number < numbers.nextTargetMsgSeqNum) throw outOfOrder(name, at, number);
    numbers.nextTargetMsgSeqNum = number;
  }
}

function outOfOrder(name: string, at: number, number: number): OutcryError {
  return new OutcryError('STORE_DAMAGED', `${name}: the record at offset ${at} goes back to number ${number}`);
}

/** Letters, digits, `.` and `_` as they are; other bytes as %XX, so that a part has no `-`, no `/`, and is never `..` alone. */
function escapePart(part: string): string {
  return part.replace(
    /[^A-Za-z0-9._]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
