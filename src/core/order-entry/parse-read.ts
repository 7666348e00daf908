import type { ControlMap } from '../fan-out/control-codec.ts';
import { type Refused, readFields } from './order-fields.ts';

/** Rows of one answer. */
export const PAGE_ROWS = { min: 1, max: 100 } as const;
const PAGE_ROWS_DEFAULT = 50;
/** Where a page begins: `next` of the one before; 0 for the first. */
const FROM = { min: 0, max: Number.MAX_SAFE_INTEGER } as const;

export const READ_KINDS = ['orders', 'trades', 'positions', 'holdings', 'funds'] as const;
export type ReadKind = (typeof READ_KINDS)[number];

/** What an account is asked for; changes nothing. */
export interface AccountRead {
  readonly kind: ReadKind;
  readonly from: number;
  readonly limit: number;
}

export function isReadKind(action: unknown): action is ReadKind {
  return (READ_KINDS as readonly unknown[]).includes(action);
}

export function parseRead(request: ControlMap, kind: ReadKind): AccountRead | Refused {
  const read = readFields(request, (fields) => ({
    // Funds are one row.
    from: kind === 'funds' ? 0 : fields.integer('from', FROM, 0),
    limit: kind === 'funds' ? 1 : fields.integer('limit', PAGE_ROWS, PAGE_ROWS_DEFAULT),
  }));
  return 'kind' in read ? read : { kind, ...read };
}
