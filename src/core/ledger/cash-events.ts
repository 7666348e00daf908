import { assert } from '../assert.ts';
import type { Account } from './account.ts';
import { type EventDetail, EventType, LedgerAccount, type LedgerEvent } from './ledger-event.ts';
import { type PostingList, postingsOf } from './postings.ts';

export function accountOpened(account: Account, tsMicros: number): LedgerEvent {
  return accountEvent(account, tsMicros, [], { type: EventType.AccountOpened });
}

/** Money from the user's bank. */
export function deposited(account: Account, amountPaise: number, reference: string, tsMicros: number): LedgerEvent {
  assertMovable(account, amountPaise, reference);
  return accountEvent(account, tsMicros, postingsOf(LedgerAccount.Bank, LedgerAccount.Available, amountPaise), {
    type: EventType.Deposited,
    reference,
  });
}

/** Money to the user's bank: only what is free. */
export function withdrawn(account: Account, amountPaise: number, reference: string, tsMicros: number): LedgerEvent {
  assertMovable(account, amountPaise, reference);
  assert(amountPaise <= account.availablePaise, `a withdrawal of ${amountPaise}, more than is free`);
  return accountEvent(account, tsMicros, postingsOf(LedgerAccount.Available, LedgerAccount.Bank, amountPaise), {
    type: EventType.Withdrawn,
    reference,
  });
}

export function accountFrozen(account: Account, reason: string, tsMicros: number): LedgerEvent {
  assert(reason !== '', 'an account is frozen for a reason');
  return accountEvent(account, tsMicros, [], { type: EventType.AccountFrozen, reason });
}

export function accountUnfrozen(account: Account, reason: string, tsMicros: number): LedgerEvent {
  return accountEvent(account, tsMicros, [], { type: EventType.AccountUnfrozen, reason });
}

function assertMovable(account: Account, amountPaise: number, reference: string): void {
  assert(Number.isSafeInteger(amountPaise) && amountPaise > 0, `a movement of ${amountPaise} paise`);
  assert(reference !== '' && !account.references.has(reference), `reference ${reference} is new`);
}

function accountEvent(account: Account, tsMicros: number, postings: PostingList, detail: EventDetail): LedgerEvent {
  return {
    userId: account.userId,
    seq: account.seq + 1,
    tsMicros,
    orderID: 0,
    instrumentId: 0,
    product: 0,
    postings,
    detail,
  };
}
