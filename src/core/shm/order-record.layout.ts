import type { Layout } from './layout.ts';

/**
 * ```
 *            0       4       8      12      16      24      32      40
 *          ┌───────┬───────┬───────┬───────┬───────┬───────┬───────┬─────
 *          │ gen.  │ order │ conn. │ flags │request│ user  │ seq   │ body …
 *          │       │ gen.  │       │       │ f64   │ f64   │ f64   │
 *          └───────┴───────┴───────┴───────┴───────┴───────┴───────┴─────
 * ```
 * The head of every record between a fan-out worker and the order worker, in either direction; the type of the record says which of them count. A body
 * of MessagePack may follow.
 */
export const orderRecordLayout: Layout = {
  name: 'ORDER_RECORD',
  doc: 'Head of a record of a command ring or an answer ring.',
  strideBytes: 40,
  fields: {
    generation: { kind: 'u32', doc: 'generation of the fan-out worker: a record of or for a former one is dropped' },
    orderGeneration: { kind: 'u32', doc: 'generation of the order worker: a record for a former one is dropped' },
    connection: { kind: 'u32', doc: 'a login of that fan-out worker; the number is never used again' },
    flags: { kind: 'u32', doc: 'OrderRecordFlag bits' },
    requestID: { kind: 'f64', doc: 'the client’s number of a request, -1 for none; of a page of events, its name' },
    userId: { kind: 'f64', doc: 'whose it is' },
    seq: { kind: 'f64', doc: 'number of an event of the account' },
  },
};
