import type { Layout } from './layout.ts';

export const wakeBellLayout: Layout = {
  name: 'WAKE_BELL',
  doc: 'What a thread sleeps on until others have put something into one of its rings.',
  strideBytes: 128,
  fields: {
    wakeSeq: { kind: 'i32', doc: 'moved by whoever rings' },
    sleeping: { kind: 'i32', doc: '1 while the sleeper waits to be woken, or is about to' },
    reserved0: { kind: 'i32', count: 30, doc: 'fills the lines' },
  },
};
