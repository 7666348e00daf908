import type { Layout } from './layout.ts';

/** The header of one reader's dirty set. Two bitmaps and the arrival times follow; see `dirty-bitmap.ts`. */
export const dirtyBitmapLayout: Layout = {
  name: 'DIRTY_BITMAP',
  doc: 'Header of a reader’s dirty set.',
  strideBytes: 128,
  fields: {
    wakeSeq: { kind: 'i32', doc: 'moved by the writer after it set bits, for a reader that sleeps on it' },
    sleeping: { kind: 'i32', doc: '1 while the reader sleeps, or is about to, until something changes' },
    reserved0: { kind: 'i32', count: 30, doc: 'fills the lines' },
  },
};
