import type { Charges, Posting } from './ledger-event.ts';
import { LedgerAccount } from './ledger-event.ts';

/** An amount that goes from one ledger account to another; the other way when negative. */
export type Transfer = readonly [from: LedgerAccount, to: LedgerAccount, amountPaise: number];

/** One posting a ledger account, in the order of their numbers. They sum to zero since every transfer does. */
export function postingsOf(transfers: readonly Transfer[]): Posting[] {
  const sums = new Map<LedgerAccount, number>();
  for (const [from, to, amountPaise] of transfers) {
    sums.set(from, (sums.get(from) ?? 0) - amountPaise);
    sums.set(to, (sums.get(to) ?? 0) + amountPaise);
  }
  return [...sums]
    .filter(([, amountPaise]) => amountPaise !== 0)
    .sort(([a], [b]) => a - b)
    .map(([account, amountPaise]) => ({ account, amountPaise }));
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
