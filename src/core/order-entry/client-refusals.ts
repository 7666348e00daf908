import { CxlRejReason, OrdRejReason } from '../fix/generated/fix-enums.gen.ts';
import { RefusalCode } from '../refusal-codes.ts';
import { refusalName } from './refusal-names.ts';

/** Our refusals in the terms of FIX; Text(58) has the code and its name, which say more. */

const ORD_REJ_REASONS: ReadonlyMap<number, OrdRejReason> = new Map<number, OrdRejReason>([
  [RefusalCode.UnknownSymbol, OrdRejReason.UnknownSymbol],
  [RefusalCode.NotTradable, OrdRejReason.UnknownSymbol],
  [RefusalCode.MarketClosed, OrdRejReason.ExchangeClosed],
  [RefusalCode.MarketHalted, OrdRejReason.ExchangeClosed],
  [RefusalCode.InstrumentHalted, OrdRejReason.ExchangeClosed],
  [RefusalCode.LedgerTooLate, OrdRejReason.StaleOrder],
  [RefusalCode.IdempotencyConflict, OrdRejReason.DuplicateOrder],
  [RefusalCode.DuplicateOrder, OrdRejReason.DuplicateOrder],
  [RefusalCode.BadField, OrdRejReason.UnsupportedOrderCharacteristic],
  [RefusalCode.ProductNotAllowed, OrdRejReason.UnsupportedOrderCharacteristic],
  [RefusalCode.ValidityNotAllowed, OrdRejReason.UnsupportedOrderCharacteristic],
  [RefusalCode.BadQuantity, OrdRejReason.IncorrectQuantity],
  [RefusalCode.LotSize, OrdRejReason.IncorrectQuantity],
  [RefusalCode.UnknownAccount, OrdRejReason.UnknownAccount],
  [RefusalCode.UnknownOrder, OrdRejReason.UnknownOrder],
]);
/** Pre-trade risk. */
const LIMITS = { from: 200, to: 239 } as const;
/** An ExecutionReport Rejected of the venue: 420 + its reason. */
const VENUE = { from: 420, to: 439 } as const;
const KNOWN: ReadonlySet<number> = new Set(Object.values(OrdRejReason));

export function ordRejReasonOf(code: number): OrdRejReason {
  const known = ORD_REJ_REASONS.get(code);
  if (known !== undefined) return known;
  if (code >= LIMITS.from && code <= LIMITS.to) return OrdRejReason.OrderExceedsLimit;
  const venues = code - VENUE.from;
  if (venues >= 0 && code < VENUE.to && KNOWN.has(venues)) return venues as OrdRejReason;
  return OrdRejReason.Other;
}

export function cxlRejReasonOf(code: number): CxlRejReason {
  if (code === RefusalCode.UnknownOrder) return CxlRejReason.UnknownOrder;
  if (code === RefusalCode.OrderDone || code === RefusalCode.BelowExecuted) return CxlRejReason.TooLateToCancel;
  if (code === RefusalCode.ChangePending) return CxlRejReason.OrderAlreadyInPendingCancelOrPendingReplaceStatus;
  return CxlRejReason.Broker;
}

/** '' for no refusal and no words. */
export function refusalText(code: number, text: string): string {
  if (code === RefusalCode.None) return text;
  return text === '' ? `${refusalName(code)} (${code})` : `${refusalName(code)} (${code}): ${text}`;
}
