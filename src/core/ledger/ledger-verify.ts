import { type Account, cashPaise, marginUsedPaise } from './account.ts';
import type { TradeRow } from './ledger-batch.ts';
import { totalValuePaise } from './total-value.ts';

/** An account with what the tables say of it beyond what memory keeps. */
export interface StoredAccount {
  readonly account: Account;
  readonly cashPaise: number;
  readonly marginUsedPaise: number;
  readonly totalValuePaise: number;
  /** In the order of their events; of one event, what takes back first. */
  readonly trades: readonly TradeRow[];
}

/** What the tables have otherwise than the events make it. */
export interface LedgerDifference {
  readonly userId: number;
  /** `account`, `order 17`, … */
  readonly what: string;
  readonly field: string;
  readonly stored: string;
  readonly replayed: string;
}

/** Holds an account's tables to what its events make of it. Every difference, none when they agree. */
export function accountDifferences(
  replayed: Account,
  replayedTrades: readonly TradeRow[],
  stored: StoredAccount,
): LedgerDifference[] {
  const found: LedgerDifference[] = [];
  const compare = (what: string, storedRow: object | undefined, replayedRow: object | undefined): void => {
    for (const field of fieldsOf(storedRow, replayedRow)) {
      const texts = [storedRow, replayedRow].map((row) => show(row, field));
      if (texts[0] !== texts[1])
        found.push({ userId: replayed.userId, what, field, stored: texts[0]!, replayed: texts[1]! });
    }
  };
  const { account } = stored;
  compare('account', { ...figures(account), ...totals(stored) }, { ...figures(replayed), ...totalsOf(replayed) });
  for (const [kind, storedMap, replayedMap] of [
    ['order', account.orders, replayed.orders],
    ['position', account.positions, replayed.positions],
    ['holding', account.holdings, replayed.holdings],
    ['reference', asRows(account.references), asRows(replayed.references)],
    ['trade', byKey(stored.trades), byKey(replayedTrades)],
  ] as const) {
    const keys = new Set<string | number>([...storedMap.keys(), ...replayedMap.keys()]);
    for (const key of keys) {
      const [storedRow, replayedRow] = [storedMap, replayedMap].map((map) =>
        (map as ReadonlyMap<string | number, object>).get(key),
      );
      compare(`${kind} ${key}`, storedRow, replayedRow);
    }
  }
  return found;
}

function figures({ seq, availablePaise, heldPaise, marginPaise, frozenReason }: Account): object {
  return { seq, availablePaise, heldPaise, marginPaise, frozenReason };
}

function totals(stored: Pick<StoredAccount, 'cashPaise' | 'marginUsedPaise' | 'totalValuePaise'>): object {
  return {
    cashPaise: stored.cashPaise,
    marginUsedPaise: stored.marginUsedPaise,
    totalValuePaise: stored.totalValuePaise,
  };
}

function totalsOf(account: Account): object {
  return totals({
    cashPaise: cashPaise(account),
    marginUsedPaise: marginUsedPaise(account),
    totalValuePaise: totalValuePaise(account),
  });
}

function asRows(references: ReadonlyMap<string, number>): ReadonlyMap<string, object> {
  return new Map([...references].map(([reference, seq]) => [reference, { seq }]));
}

function byKey(trades: readonly TradeRow[]): ReadonlyMap<string, object> {
  return new Map(trades.map((trade) => [`${trade.seq}:${trade.execID}:${trade.execRefID}`, trade]));
}

/** A row that is missing altogether is one difference, not one a field. */
function fieldsOf(a: object | undefined, b: object | undefined): string[] {
  if (a === undefined || b === undefined) return [''];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])];
}

function show(row: object | undefined, field: string): string {
  if (row === undefined) return 'missing';
  return field === '' ? 'there' : canonical((row as Readonly<Record<string, unknown>>)[field]);
}

/** The same for the same value, in whatever order its fields were put in. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
