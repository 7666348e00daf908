import { OutcryError } from '../errors.ts';
import { MESSAGE_BYTES_MAX } from '../fix/fix-encoder.ts';
import { MsgType } from '../fix/generated/fix-enums.gen.ts';
import { INSTRUMENT_MASTER_MAX_COUNT } from '../market-data/instrument-master.ts';
import type { MarketDataBody } from './market-data-body.ts';

/**
 * A recording of published market data: a header and then records to the end of the file. Numbers are little-endian.
 * ```
 * header   0  magic "OUTCRYMD"          record   0  u32 length of the body
 *          8  u32 version, 1                     4  u32 MsgType(35): W, X or f
 *         12  u32 instrument count               8  f64 time, epoch microseconds
 *         16  f64 first time, epoch µs          16  the body: FIX fields from NoMDEntries(268) or Symbol(55)
 * ```
 * to the last before CheckSum(10), MDReqID(262) left out. The first `instrument count` records are a W of each instrument; times never go back.
 */
export const RECORDING_HEADER_BYTES = 24;
export const RECORD_HEAD_BYTES = 16;
const MAGIC = 'OUTCRYMD';
const VERSION = 1;
const CHUNK_BYTES = 1_048_576;

/** Where recorded bytes go; they are only valid during the call. */
export type RecordingSink = (bytes: Uint8Array) => void;

/** Writes a recording, in chunks of about 1 MiB. */
export class RecordingWriter {
  readonly #sink: RecordingSink;
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  readonly #view = new DataView(this.#chunk.buffer);
  #end = 0;

  constructor(sink: RecordingSink, instrumentCount: number, firstMicros: number) {
    this.#sink = sink;
    for (let i = 0; i < MAGIC.length; i++) this.#chunk[i] = MAGIC.charCodeAt(i);
    this.#view.setUint32(8, VERSION, true);
    this.#view.setUint32(12, instrumentCount, true);
    this.#view.setFloat64(16, firstMicros, true);
    this.#end = RECORDING_HEADER_BYTES;
  }

  write(body: MarketDataBody): void {
    const length = body.end - body.start;
    if (this.#end + RECORD_HEAD_BYTES + length > CHUNK_BYTES) this.flush();
    this.#view.setUint32(this.#end, length, true);
    this.#view.setUint32(this.#end + 4, body.msgType, true);
    this.#view.setFloat64(this.#end + 8, body.tsMicros, true);
    this.#chunk.set(body.buffer.subarray(body.start, body.end), this.#end + RECORD_HEAD_BYTES);
    this.#end += RECORD_HEAD_BYTES + length;
  }

  /** Hands on what is buffered; to be called at the end. */
  flush(): void {
    if (this.#end > 0) this.#sink(this.#chunk.subarray(0, this.#end));
    this.#end = 0;
  }
}

/** Where a recording is read from: fills `into` as far as it can and returns the bytes, 0 at the end. */
export interface RecordingSource {
  read(into: Uint8Array): number;
  /** Goes back to the first byte. */
  rewind(): void;
}

/** Reads a recording record by record. Damage is a RECORDING_INVALID that names the byte it was met at. */
export class RecordingReader {
  readonly instrumentCount: number;
  readonly firstMicros: number;
  /** The record read last: its MsgType(35), time and body, `buffer[start .. end)`, valid until the next. */
  msgType = 0;
  tsMicros = 0;
  start = 0;
  end = 0;
  readonly buffer: Uint8Array = new Uint8Array(CHUNK_BYTES);
  readonly #view = new DataView(this.buffer.buffer);
  readonly #source: RecordingSource;
  #at = 0;
  #filled = 0;
  #offset = 0;

  constructor(source: RecordingSource) {
    this.#source = source;
    if (!this.#need(RECORDING_HEADER_BYTES)) throw damaged(this.#filled, 'shorter than a header');
    for (let i = 0; i < MAGIC.length; i++)
      if (this.buffer[i] !== MAGIC.charCodeAt(i)) throw damaged(i, `does not begin with ${MAGIC}`);
    const version = this.#view.getUint32(8, true);
    if (version !== VERSION) throw damaged(8, `version ${version}, this program reads ${VERSION}`);
    this.instrumentCount = this.#view.getUint32(12, true);
    if (this.instrumentCount > INSTRUMENT_MASTER_MAX_COUNT) throw damaged(12, `${this.instrumentCount} instruments`);
    this.firstMicros = this.#view.getFloat64(16, true);
    this.#at = RECORDING_HEADER_BYTES;
  }

  /** Reads the next record; false at the end. */
  next(): boolean {
    if (!this.#need(RECORD_HEAD_BYTES)) {
      if (this.#filled === this.#at) return false;
      throw damaged(this.#offset + this.#at, 'cut off inside the head of a record');
    }
    const length = this.#view.getUint32(this.#at, true);
    const msgType = this.#view.getUint32(this.#at + 4, true);
    const tsMicros = this.#view.getFloat64(this.#at + 8, true);
    if (length === 0 || length > MESSAGE_BYTES_MAX) throw damaged(this.#offset + this.#at, `a body of ${length} bytes`);
    if (!isMarketData(msgType)) throw damaged(this.#offset + this.#at + 4, `MsgType ${msgType} is not W, X or f`);
    if (!(tsMicros >= this.tsMicros)) throw damaged(this.#offset + this.#at + 8, 'the time goes back');
    if (!this.#need(RECORD_HEAD_BYTES + length)) throw damaged(this.#offset + this.#at, 'cut off inside a body');
    this.msgType = msgType;
    this.tsMicros = tsMicros;
    this.start = this.#at + RECORD_HEAD_BYTES;
    this.end = this.start + length;
    this.#at = this.end;
    return true;
  }

  /** Goes back to the first record. */
  rewind(): void {
    this.#source.rewind();
    this.#at = 0;
    this.#filled = 0;
    this.#offset = 0;
    this.tsMicros = 0;
    this.#need(RECORDING_HEADER_BYTES);
    this.#at = RECORDING_HEADER_BYTES;
  }

  /** Brings `bytes` from the read position into the buffer; false when the source ends before. */
  #need(bytes: number): boolean {
    if (this.#filled - this.#at >= bytes) return true;
    this.buffer.copyWithin(0, this.#at, this.#filled);
    this.#offset += this.#at;
    this.#filled -= this.#at;
    this.#at = 0;
    while (this.#filled < bytes) {
      const read = this.#source.read(this.buffer.subarray(this.#filled));
      if (read === 0) return false;
      this.#filled += read;
    }
    return true;
  }
}

function isMarketData(msgType: number): boolean {
  return (
    msgType === MsgType.MarketDataSnapshotFullRefresh ||
    msgType === MsgType.MarketDataIncrementalRefresh ||
    msgType === MsgType.SecurityStatus
  );
}

function damaged(offset: number, fault: string): OutcryError {
  return new OutcryError('RECORDING_INVALID', `${fault}, at byte ${offset}`);
}
