import type { Charges, Posting } from './ledger-event.ts';
import { LedgerAccount } from './ledger-event.ts';

/** An amount that goes from one ledger account to another; the other way when negative. */
export type Transfer = readonly [from: LedgerAccount, to: LedgerAccount, amountPaise: number];

/** One posting a ledger account, in the order of their numbers. They sum to zero since every transfer does. */
export function postingsOf(transfers: readonly Transfer[]): Posting[] {
  const postings: MutablePosting[] = [];
  for (const [from, to, amountPaise] of transfers) {
    if (amountPaise === 0) continue;
    add(postings, from, -amountPaise);
    add(postings, to, amountPaise);
  }
  return postings.filter(({ amountPaise }) => amountPaise !== 0);
}

type MutablePosting = { -readonly [K in keyof Posting]: Posting[K] };

/** There are a dozen at most: a map would cost more than the search. */
function add(postings: MutablePosting[], account: LedgerAccount, amountPaise: number): void {
  let at = postings.length;
  while (at > 0 && postings[at - 1]!.account > account) at--;
  const posting = postings[at - 1];
  if (posting?.account === account) posting.amountPaise += amountPaise;
  else postings.splice(at, 0, { account, amountPaise });
}

/** Each item to whom it is owed. */
export function chargeTransfers(charges: Charges): Transfer[] {
  return [
    [LedgerAccount.Available, LedgerAccount.Brokerage, charges.brokeragePaise],
    [LedgerAccount.Available, LedgerAccount.SecuritiesTransactionTax, charges.sttPaise],
    [LedgerAccount.Available, LedgerAccount.ExchangeFees, charges.exchangePaise],
    [LedgerAccount.Available, LedgerAccount.SebiFees, charges.sebiPaise],
    [LedgerAccount.Available, LedgerAccount.StampDuty, charges.stampDutyPaise],
    [LedgerAccount.Available, LedgerAccount.Gst, charges.gstPaise],
    [LedgerAccount.Available, LedgerAccount.DepositoryFees, charges.depositoryPaise],
  ];
}
