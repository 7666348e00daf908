import type { Layout } from './layout.ts';

export const broadcastRingLayout: Layout = {
  name: 'BROADCAST_RING',
  doc: 'Header of a broadcast ring; fixed-size records follow. Both counters are the producer’s and count records modulo 2^32.',
  strideBytes: 256,
  fields: {
    tailIntent: { kind: 'u32', doc: 'records the producer has begun to write' },
    reserved0: { kind: 'i32', count: 31, doc: 'keeps the counters apart' },
    tail: { kind: 'u32', doc: 'records that are whole' },
    reserved1: { kind: 'i32', count: 31, doc: 'fills the line' },
  },
};

export const tradeRecordLayout: Layout = {
  name: 'TRADE_RECORD',
  doc: 'One trade, as the feed worker saw it on the wire.',
  strideBytes: 32,
  fields: {
    instrumentIndex: { kind: 'i32', doc: 'dense index of the instrument' },
    pricePaise: { kind: 'i32', doc: 'price, paise' },
    qty: { kind: 'i32', doc: 'shares' },
    tradeCount: {
      kind: 'i32',
      doc: 'the instrument’s trades today, this one counted: a lapped reader compares it with the board',
    },
    tsMicros: { kind: 'f64', doc: 'exchange time, epoch microseconds' },
    volume: { kind: 'f64', doc: 'the instrument’s shares traded today, this trade counted' },
  },
};
