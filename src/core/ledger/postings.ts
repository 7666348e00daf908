import type { Charges, Posting } from './ledger-event.ts';
import { LedgerAccount } from './ledger-event.ts';

/**
 * The postings of an event in the making: one a ledger account, in the order of their numbers, none of 0. They sum to zero since every transfer does.
 */
export type PostingList = { -readonly [K in keyof Posting]: Posting[K] }[];

/** The postings of an amount that goes from one ledger account to another; the other way when negative. */
export function postingsOf(from: LedgerAccount, to: LedgerAccount, amountPaise: number): PostingList {
  const postings: PostingList = [];
  transfer(postings, from, to, amountPaise);
  return postings;
}

/** One more transfer of the same event. */
export function transfer(postings: PostingList, from: LedgerAccount, to: LedgerAccount, amountPaise: number): void {
  if (amountPaise === 0) return;
  add(postings, from, -amountPaise);
  add(postings, to, amountPaise);
}

/** Each item to whom it is owed. */
export function transferCharges(postings: PostingList, charges: Charges): void {
  const { Available } = LedgerAccount;
  transfer(postings, Available, LedgerAccount.Brokerage, charges.brokeragePaise);
  transfer(postings, Available, LedgerAccount.SecuritiesTransactionTax, charges.sttPaise);
  transfer(postings, Available, LedgerAccount.ExchangeFees, charges.exchangePaise);
  transfer(postings, Available, LedgerAccount.SebiFees, charges.sebiPaise);
  transfer(postings, Available, LedgerAccount.StampDuty, charges.stampDutyPaise);
  transfer(postings, Available, LedgerAccount.Gst, charges.gstPaise);
  transfer(postings, Available, LedgerAccount.DepositoryFees, charges.depositoryPaise);
}

/** There are a dozen at most: a map would cost more than the search. */
function add(postings: PostingList, account: LedgerAccount, amountPaise: number): void {
  let at = postings.length;
  while (at > 0 && postings[at - 1]!.account > account) at--;
  const posting = at > 0 ? postings[at - 1]! : undefined;
  if (posting === undefined || posting.account !== account) {
    if (at === postings.length) postings.push({ account, amountPaise });
    else postings.splice(at, 0, { account, amountPaise });
    return;
  }
  posting.amountPaise += amountPaise;
  if (posting.amountPaise === 0) postings.splice(at - 1, 1);
}
