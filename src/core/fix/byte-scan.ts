// hot: per message. No allocation but a view of a buffer not seen before, no exception.
import { BYTE_SCAN } from './generated/byte-scan.gen.ts';
import { DATA_TAGS } from './generated/fix-tags.gen.ts';

/**
 * The passes over all bytes of a message, in WebAssembly (`byte-scan.wat`): sixteen bytes at a time, which JavaScript has no means for. Each
 * thread has one memory, of fixed size, with what a socket has read and the field index of the message read last.
 */

/** Of the language and yet of no library that TypeScript has for it without a browser's. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
};

interface ByteScan {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly dataTags: Address;
  readonly tags: Address;
  readonly starts: Address;
  readonly ends: Address;
  readonly read: Address;
  readonly copy: Address;
  sum(at: number, end: number): number;
  index(at: number, end: number, count: number, bias: number): number;
}

interface Address {
  readonly value: number;
}

const scan = new WebAssembly.Instance(new WebAssembly.Module(BYTE_SCAN)).exports as ByteScan;
const { sum, index } = scan;
const bytes = new Uint8Array(scan.memory.buffer);
const words = new DataView(scan.memory.buffer);
const READ_AT = scan.read.value;
const COPY_AT = scan.copy.value;
const FIELDS_MAX = (scan.starts.value - scan.tags.value) / Int32Array.BYTES_PER_ELEMENT;

let lastBuffer: Uint8Array = bytes;
let lastView: DataView = words;
let otherBuffer: Uint8Array = bytes;
let otherView: DataView = words;

/**
 * Where sockets of this thread put what they have read. One is enough for all: a read is worked off before the next one begins. Messages in
 * other buffers are understood as well, for the price of a copy.
 */
export const readBuffer: Uint8Array = new Uint8Array(scan.memory.buffer, READ_AT, COPY_AT - READ_AT);

/** The field index that `indexFields` has filled; the next message overwrites it. */
export const fieldTags: Int32Array = new Int32Array(scan.memory.buffer, scan.tags.value, FIELDS_MAX);
export const fieldStarts: Int32Array = new Int32Array(scan.memory.buffer, scan.starts.value, FIELDS_MAX);
export const fieldEnds: Int32Array = new Int32Array(scan.memory.buffer, scan.ends.value, FIELDS_MAX);

/** 1 at every tag whose field is data: as long as the field before it says, SOH or not. Higher tags have none. */
export const dataTags: Uint8Array = new Uint8Array(
  scan.memory.buffer,
  scan.dataTags.value,
  scan.tags.value - scan.dataTags.value,
);
for (const tag of DATA_TAGS) dataTags[tag] = 1;

/** Makes `buffer[start .. end)`, at most a message, readable for the other functions: what they call `bias`, address less position. */
export function place(buffer: Uint8Array, start: number, end: number): number {
  if (buffer === readBuffer) return READ_AT;
  // Eight bytes at a time: byte by byte it takes longer than all that is done with them afterwards.
  const source = viewOf(buffer);
  let at = start;
  let to = COPY_AT;
  for (; at <= end - 8; at += 8, to += 8) {
    words.setInt32(to, source.getInt32(at));
    words.setInt32(to + 4, source.getInt32(at + 4));
  }
  for (; at < end; at++, to++) bytes[to] = buffer[at]!;
  return COPY_AT - start;
}

/** A view is made when the buffer is neither of the last two: a connection's cut messages, and others that waited, are each in one. */
function viewOf(buffer: Uint8Array): DataView {
  if (buffer !== lastBuffer) {
    const view = buffer === otherBuffer ? otherView : new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    otherBuffer = lastBuffer;
    otherView = lastView;
    lastBuffer = buffer;
    lastView = view;
  }
  return lastView;
}

/** Sum of the bytes from `start` to `end` (exclusive), modulo 256. */
export function sumBytes(bias: number, start: number, end: number): number {
  return sum(bias + start, bias + end);
}

/**
 * Enters the fields from `at` on into the index behind the `count` that it has, and returns how many it has then. It stops at `end`, when the index
 * is full, and before a field that is not plain: data, empty, or with a tag that is no number of one to nine digits or begins with 0.
 */
export function indexFields(bias: number, at: number, end: number, count: number): number {
  return index(bias + at, bias + end, count, bias);
}
