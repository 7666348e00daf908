import type { LedgerBatch } from '../ledger/ledger-batch.ts';
import { LedgerAccount, type LedgerEvent, type Posting } from '../ledger/ledger-event.ts';
import type { Tampering } from './tampering.ts';

/** What alters an event; the event itself where it has nothing to say. */
export type EventChange = (event: LedgerEvent, batch: LedgerBatch) => LedgerEvent;

/**
 * For planted bugs: alters events on their way to the database, and carries what that does to the balances on through every later row, as a ledger with that rule would have
 * it. What an engine loads anew already has it.
 */
export class LedgerSkew {
  readonly #change: EventChange;
  readonly #skews = new Map<number, { cashPaise: number; marginUsedPaise: number }>();
  /** A batch is sent more than once at times, and altered once. */
  readonly #altered = new WeakMap<LedgerBatch, LedgerBatch>();

  constructor(change: EventChange) {
    this.#change = change;
  }

  readonly batch = (batch: LedgerBatch): LedgerBatch => {
    let altered = this.#altered.get(batch);
    if (altered === undefined) {
      altered = this.#alter(batch);
      this.#altered.set(batch, altered);
    }
    return altered;
  };

  loaded(userId: number): void {
    this.#skews.delete(userId);
  }

  #alter(batch: LedgerBatch): LedgerBatch {
    const events = batch.events.map((event) => {
      const changed = this.#change(event, batch);
      if (changed !== event) this.#add(event, changed);
      return changed;
    });
    const accounts = batch.accounts.map((row) => {
      const skew = this.#skews.get(row.userId);
      if (skew === undefined) return row;
      return {
        ...row,
        cashPaise: row.cashPaise + skew.cashPaise,
        marginUsedPaise: row.marginUsedPaise + skew.marginUsedPaise,
      };
    });
    return { ...batch, events, accounts };
  }

  #add(event: LedgerEvent, changed: LedgerEvent): void {
    const { userId } = event;
    const skew = this.#skews.get(userId) ?? { cashPaise: 0, marginUsedPaise: 0 };
    const { Available, Held, Margin } = LedgerAccount;
    const moved = (ledgerAccount: LedgerAccount): number =>
      postedTo(changed, ledgerAccount) - postedTo(event, ledgerAccount);
    const marginUsed = moved(Held) + moved(Margin);
    skew.marginUsedPaise += marginUsed;
    skew.cashPaise += moved(Available) + marginUsed;
    this.#skews.set(userId, skew);
  }
}

/** What an event posts to one account. */
export function postedTo({ postings }: LedgerEvent, ledgerAccount: LedgerAccount): number {
  let sum = 0;
  for (const { account, amountPaise } of postings) if (account === ledgerAccount) sum += amountPaise;
  return sum;
}

/** A ledger with a wrong rule, until an engine loads what it made. */
export function skewed(change: EventChange): Tampering {
  const skew = new LedgerSkew(change);
  return {
    batch: skew.batch,
    loaded: (loaded) => {
      skew.loaded(loaded.account.userId);
      return loaded;
    },
  };
}

/** Moves money more than the event does. */
export function moveBetween(
  event: LedgerEvent,
  from: LedgerAccount,
  to: LedgerAccount,
  amountPaise: number,
): LedgerEvent {
  const more = [
    { account: from, amountPaise: -amountPaise },
    { account: to, amountPaise },
  ];
  return { ...event, postings: inOrder([...event.postings, ...more]) };
}

/** One posting a ledger account, in the order of their numbers. */
export function inOrder(postings: readonly Posting[]): Posting[] {
  const amounts = new Map<LedgerAccount, number>();
  for (const { account, amountPaise } of postings) amounts.set(account, (amounts.get(account) ?? 0) + amountPaise);
  return [...amounts]
    .map(([account, amountPaise]) => ({ account, amountPaise }))
    .filter(({ amountPaise }) => amountPaise !== 0)
    .sort((a, b) => a.account - b.account);
}
