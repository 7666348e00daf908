import type { Layout } from './layout.ts';

/** Cursors stand 128 bytes apart: one cache line each, and its neighbour, which x86 prefetches in pairs. */
export const spscRingLayout: Layout = {
  name: 'SPSC_RING',
  doc: 'Header of a ring; the records follow it. `tail` is the producer’s, `head` the consumer’s; both count bytes modulo 2^32.',
  strideBytes: 384,
  fields: {
    tailBytes: { kind: 'u32', doc: 'bytes published by the producer' },
    reserved0: { kind: 'i32', count: 31, doc: 'keeps the cursors apart' },
    headBytes: { kind: 'u32', doc: 'bytes released by the consumer' },
    reserved1: { kind: 'i32', count: 31, doc: 'keeps the cursors apart' },
    fullCount: { kind: 'u32', doc: 'claims refused because the ring was full' },
    reserved2: { kind: 'i32', count: 31, doc: 'fills the line' },
  },
};

export const spscRecordLayout: Layout = {
  name: 'SPSC_RECORD',
  doc: 'Header of a record; its payload follows, padded to eight bytes.',
  strideBytes: 8,
  fields: {
    lengthBytes: { kind: 'i32', doc: 'payload length' },
    type: { kind: 'i32', doc: 'what the payload is; 0 is padding up to the end of the ring' },
  },
};
