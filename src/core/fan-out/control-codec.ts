import { asciiText } from '../ascii-text.ts';

/**
 * The MessagePack subset of control messages: nil, booleans, numbers of 53 bits, UTF-8 strings, arrays, maps with string
 * keys. Our own, since both ends must read bytes of strangers without being led to allocate (a five-byte header may announce
 * four billion elements), to recurse, or to make objects with a changed prototype, and since a browser's worker loads it as
 * it is.
 */
export type ControlValue = null | boolean | number | string | ControlValue[] | ControlMap;
export interface ControlMap {
  [key: string]: ControlValue;
}

/** Arrays and maps inside each other. */
export const CONTROL_MAX_DEPTH = 4;

const encoder = new TextEncoder();
// Of this kind a malformed string throws a TypeError. It keeps nothing between two calls.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Shorter strings, which keys and most values are, are written and read here while they are ASCII: a call of the platform's coders costs more than they do. */
const SHORT_STRING = 32;
/** What a message has grown the writer to is kept for the next one, up to so many bytes. */
const KEPT_BYTES_MAX = 65_536;

/** The client's number of a request; −1 for none. */
export const NO_REQUEST_ID = -1;

/** Encodes a map behind `prefix`, the bytes that tell the frame's type, with the `id` of the request that it answers in front. */
export function encodeControl(
  prefix: readonly number[],
  map: ControlMap,
  requestID: number = NO_REQUEST_ID,
): Uint8Array<ArrayBuffer> {
  writer.begin();
  for (const byte of prefix) writer.byte(byte);
  writer.map(map, requestID);
  return writer.finish();
}

class ControlWriter {
  #bytes = new Uint8Array(256);
  #numbers = new DataView(this.#bytes.buffer);
  #at = 0;

  begin(): void {
    this.#at = 0;
  }

  /** A copy of what was written. */
  finish(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes.slice(0, this.#at);
    if (this.#bytes.length > KEPT_BYTES_MAX) this.#replace(new Uint8Array(KEPT_BYTES_MAX));
    return bytes;
  }

  byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = byte;
  }

  value(value: ControlValue): void {
    if (value === null) this.byte(0xc0);
    else if (value === false) this.byte(0xc2);
    else if (value === true) this.byte(0xc3);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'string') this.#string(value);
    else if (Array.isArray(value)) {
      this.#header(value.length, 0x90, 16, 0xdc);
      for (const element of value) this.value(element);
    } else {
      this.map(value, NO_REQUEST_ID);
    }
  }

  map(map: ControlMap, requestID: number): void {
    const keys = Object.keys(map);
    const isAnswer = requestID !== NO_REQUEST_ID;
    this.#header(isAnswer ? keys.length + 1 : keys.length, 0x80, 16, 0xde);
    if (isAnswer) {
      this.#string('id');
      this.#number(requestID);
    }
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      this.#string(key);
      this.value(map[key]!);
    }
  }

  #number(value: number): void {
    if (Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff) {
      if (value <= 0x7f) this.byte(value);
      else if (value <= 0xff) this.#sized(0xcc, 1, value);
      else if (value <= 0xffff) this.#sized(0xcd, 2, value);
      else this.#sized(0xce, 4, value);
    } else if (Number.isInteger(value) && value < 0 && value >= -0x8000_0000) {
      if (value >= -32) this.byte(value & 0xff);
      else this.#sized(0xd2, 4, value >>> 0);
    } else {
      this.#reserve(9);
      this.#bytes[this.#at] = 0xcb;
      this.#numbers.setFloat64(this.#at + 1, value);
      this.#at += 9;
    }
  }

  #string(text: string): void {
    if (text.length < SHORT_STRING && this.#shortAscii(text)) return;
    const bytes = encoder.encode(text);
    if (bytes.length < 32) this.byte(0xa0 | bytes.length);
    else if (bytes.length <= 0xff) this.#sized(0xd9, 1, bytes.length);
    else if (bytes.length <= 0xffff) this.#sized(0xda, 2, bytes.length);
    else this.#sized(0xdb, 4, bytes.length);
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** False, and nothing is written, when it is not ASCII. */
  #shortAscii(text: string): boolean {
    const { length } = text;
    this.#reserve(1 + length);
    const bytes = this.#bytes;
    const at = this.#at;
    bytes[at] = 0xa0 | length;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) return false;
      bytes[at + 1 + i] = unit;
    }
    this.#at = at + 1 + length;
    return true;
  }

  #header(length: number, fix: number, fixLimit: number, type16: number): void {
    if (length < fixLimit) this.byte(fix | length);
    else if (length <= 0xffff) this.#sized(type16, 2, length);
    else this.#sized(type16 + 1, 4, length);
  }

  #sized(type: number, size: 1 | 2 | 4, value: number): void {
    this.#reserve(1 + size);
    this.#bytes[this.#at] = type;
    if (size === 1) this.#bytes[this.#at + 1] = value;
    else if (size === 2) this.#numbers.setUint16(this.#at + 1, value);
    else this.#numbers.setUint32(this.#at + 1, value);
    this.#at += 1 + size;
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + count));
    bytes.set(this.#bytes);
    this.#replace(bytes);
  }

  #replace(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#numbers = new DataView(bytes.buffer);
  }
}

/** One for all messages: none is begun before the one before is finished. */
const writer = new ControlWriter();

/** Decodes the map that is the bytes from `start` to the end; undefined when they are anything else. */
export function decodeControl(bytes: Uint8Array, start: number): ControlMap | undefined {
  try {
    const reader = new ControlReader(bytes, start);
    const value = reader.value(0);
    return reader.isAtEnd && isMap(value) ? value : undefined;
  } catch (error) {
    if (error instanceof Malformed || error instanceof TypeError) return undefined;
    throw error;
  }
}

function isMap(value: ControlValue): value is ControlMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Never leaves this module. */
class Malformed extends Error {}

class ControlReader {
  readonly #bytes: Uint8Array;
  readonly #numbers: DataView;
  #at: number;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#numbers = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  value(depth: number): ControlValue {
    const type = this.#uint(1);
    if (type < 0x80) return type;
    if (type < 0x90) return this.#map(type & 0x0f, depth);
    if (type < 0xa0) return this.#array(type & 0x0f, depth);
    if (type < 0xc0) return this.#string(type & 0x1f);
    if (type >= 0xe0) return type - 0x100;
    switch (type) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xca:
        return this.#numbers.getFloat32(this.#take(4));
      case 0xcb:
        return this.#numbers.getFloat64(this.#take(8));
      case 0xcc:
        return this.#uint(1);
      case 0xcd:
        return this.#uint(2);
      case 0xce:
        return this.#uint(4);
      case 0xcf:
        return safe(Number(this.#numbers.getBigUint64(this.#take(8))));
      case 0xd0:
        return this.#numbers.getInt8(this.#take(1));
      case 0xd1:
        return this.#numbers.getInt16(this.#take(2));
      case 0xd2:
        return this.#numbers.getInt32(this.#take(4));
      case 0xd3:
        return safe(Number(this.#numbers.getBigInt64(this.#take(8))));
      case 0xd9:
        return this.#string(this.#uint(1));
      case 0xda:
        return this.#string(this.#uint(2));
      case 0xdb:
        return this.#string(this.#uint(4));
      case 0xdc:
        return this.#array(this.#uint(2), depth);
      case 0xdd:
        return this.#array(this.#uint(4), depth);
      case 0xde:
        return this.#map(this.#uint(2), depth);
      case 0xdf:
        return this.#map(this.#uint(4), depth);
      default:
        throw new Malformed();
    }
  }

  #map(count: number, depth: number): ControlMap {
    if (depth >= CONTROL_MAX_DEPTH || count * 2 > this.#left) throw new Malformed();
    // No prototype: a key is a key, whatever it is called.
    const map = Object.create(null) as ControlMap;
    for (let i = 0; i < count; i++) {
      const key = this.value(CONTROL_MAX_DEPTH);
      if (typeof key !== 'string') throw new Malformed();
      map[key] = this.value(depth + 1);
    }
    return map;
  }

  #array(count: number, depth: number): ControlValue[] {
    if (depth >= CONTROL_MAX_DEPTH || count > this.#left) throw new Malformed();
    const array: ControlValue[] = [];
    for (let i = 0; i < count; i++) array.push(this.value(depth + 1));
    return array;
  }

  #string(length: number): string {
    const at = this.#take(length);
    if (length < SHORT_STRING) {
      const text = shortAscii(this.#bytes, at, length);
      if (text !== undefined) return text;
    }
    return decoder.decode(this.#bytes.subarray(at, at + length));
  }

  #uint(size: 1 | 2 | 4): number {
    const at = this.#take(size);
    if (size === 1) return this.#bytes[at]!;
    return size === 2 ? this.#numbers.getUint16(at) : this.#numbers.getUint32(at);
  }

  get #left(): number {
    return this.#bytes.length - this.#at;
  }

  #take(count: number): number {
    if (count > this.#left) throw new Malformed();
    const at = this.#at;
    this.#at += count;
    return at;
  }
}

/** Undefined when it is not ASCII. */
function shortAscii(bytes: Uint8Array, start: number, length: number): string | undefined {
  for (let i = start; i < start + length; i++) if (bytes[i]! > 0x7f) return undefined;
  return asciiText(bytes, start, start + length);
}

function safe(value: number): number {
  if (!Number.isSafeInteger(value)) throw new Malformed();
  return value;
}
