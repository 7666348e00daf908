import type { OrderSide, OrderTerms, OrderType, Product, Validity } from './order.ts';

/**
 * The ledger: everything that ever happened to an account, one event after another, append only. Accounts, orders, positions, holdings and trades are
 * projections: what `applyEvent` makes of the events from the first to the last. An event carries what it changed (amounts, holds, margins after it),
 * never a rule to compute it by, so that it means the same for ever.
 */

/** Where money stands. The first three are a user's own and are his cash together; the others are the broker's, derived from postings alone. */
export const LedgerAccount = {
  /** Free cash of the user. */
  Available: 1,
  /** Held for his open orders. */
  Held: 2,
  /** Margin of his open positions. */
  Margin: 3,
  /** His bank: what he paid in and took out, negated. */
  Bank: 10,
  /** Owed to and by the clearing house. */
  Exchange: 11,
  Brokerage: 20,
  SecuritiesTransactionTax: 21,
  ExchangeFees: 22,
  SebiFees: 23,
  StampDuty: 24,
  Gst: 25,
  DepositoryFees: 26,
} as const;
export type LedgerAccount = (typeof LedgerAccount)[keyof typeof LedgerAccount];

/** One side of a double entry. The postings of an event sum to zero. */
export interface Posting {
  readonly account: LedgerAccount;
  /** Signed; never 0. */
  readonly amountPaise: number;
}

export const EventType = {
  AccountOpened: 1,
  Deposited: 2,
  Withdrawn: 3,
  AccountFrozen: 4,
  AccountUnfrozen: 5,
  OrderPlaced: 10,
  /** A stop order's trigger price traded: it goes to the venue. */
  OrderTriggered: 11,
  OrderAccepted: 12,
  ModifyRequested: 13,
  OrderModified: 14,
  CancelRequested: 15,
  /** The venue refused a cancel or replace; the order is as it was. */
  ChangeRejected: 16,
  OrderFilled: 17,
  OrderCanceled: 18,
  OrderRejected: 19,
  OrderExpired: 20,
  TradeBusted: 21,
  TradeCorrected: 22,
  /** Units that the order counted on to close are closed: it is held for as one that opens them. */
  HoldRaised: 23,
  /** T+1: a delivery position became a holding, or left it. */
  PositionSettled: 30,
  /** Charges of a day as its contract note has them: what rounding to the rupee adds or takes. */
  ContractNoteIssued: 31,
} as const;
export type EventType = (typeof EventType)[keyof typeof EventType];

/** Charges of a trade, or of a day, by item. Integer paise, never negative but in a correction. */
export interface Charges {
  readonly brokeragePaise: number;
  readonly sttPaise: number;
  readonly exchangePaise: number;
  readonly sebiPaise: number;
  readonly stampDutyPaise: number;
  readonly gstPaise: number;
  readonly depositoryPaise: number;
}

/** What an execution did to the position that it belongs to; values are those after it. */
export interface PositionChange {
  readonly quantity: number;
  /** Signed cost of `quantity`, paise. */
  readonly openValuePaise: number;
  readonly marginPaise: number;
  /** Realised by this event. Of a margined position it is what moves as cash; of CNC, whose value moves in full, it is told alone. */
  readonly realisedPaise: number;
}

export interface ExecutionDetail {
  /** Unique with venue and trading day. */
  readonly execID: string;
  readonly venue: string;
  /** YYYY-MM-DD in Asia/Kolkata. */
  readonly tradingDay: string;
  /** Of a bust, what is taken back; of a correction, what holds now. */
  readonly lastQty: number;
  readonly lastPxPaise: number;
  /** Of a bust or a correction, what they change by. */
  readonly charges: Charges;
  readonly position: PositionChange;
  /** Of the order, after it: executed, for how much, and still to be. Nothing that is applied: who hears of the event alone knows the order's state. */
  readonly cumQty: number;
  readonly cumValuePaise: number;
  readonly leavesQty: number;
  /** Of the order, after it. */
  readonly holdPaise: number;
  readonly exposureQty: number;
  /** The order had ended before. */
  readonly isLate: boolean;
}

/** The trade that a bust takes back, or a correction replaces, as it stood. */
export interface UndoneTrade {
  readonly tradingDay: string;
  readonly lastQty: number;
  readonly lastPxPaise: number;
  readonly charges: Charges;
}

/** What only this kind of event carries. */
export type EventDetail =
  | { readonly type: typeof EventType.AccountOpened }
  | { readonly type: typeof EventType.Deposited | typeof EventType.Withdrawn; readonly reference: string }
  | { readonly type: typeof EventType.AccountFrozen | typeof EventType.AccountUnfrozen; readonly reason: string }
  | {
      readonly type: typeof EventType.OrderPlaced;
      readonly side: OrderSide;
      readonly validity: Validity;
      readonly terms: OrderTerms;
      readonly clientOrderID: string;
      readonly holdPricePaise: number;
      readonly holdPaise: number;
      readonly exposureQty: number;
    }
  /** `ordType` is what it goes to the venue as. */
  | { readonly type: typeof EventType.OrderTriggered; readonly ordType: OrderType }
  | { readonly type: typeof EventType.OrderAccepted; readonly venueOrderID: string }
  | {
      readonly type: typeof EventType.ModifyRequested;
      readonly version: number;
      /** Given by the client for the request, if it gave one. */
      readonly clientOrderID?: string;
      readonly terms: OrderTerms;
      /** Of the change; the two after it are of the order with it. */
      readonly holdPricePaise: number;
      readonly holdPaise: number;
      readonly exposureQty: number;
    }
  | { readonly type: typeof EventType.CancelRequested; readonly version: number; readonly clientOrderID?: string }
  | {
      readonly type: typeof EventType.OrderModified;
      readonly version: number;
      readonly terms: OrderTerms;
      readonly holdPricePaise: number;
      readonly holdPaise: number;
      readonly exposureQty: number;
      /** Of the request, where it was done at once; as in `ModifyRequested`. */
      readonly clientOrderID?: string;
    }
  | {
      readonly type: typeof EventType.ChangeRejected;
      readonly version: number;
      readonly code: number;
      readonly text: string;
      readonly holdPaise: number;
      readonly exposureQty: number;
    }
  | { readonly type: typeof EventType.HoldRaised; readonly holdPaise: number; readonly exposureQty: number }
  | ({ readonly type: typeof EventType.OrderFilled } & ExecutionDetail)
  | {
      readonly type: typeof EventType.OrderCanceled | typeof EventType.OrderRejected | typeof EventType.OrderExpired;
      readonly code: number;
      readonly text: string;
      /** Of the cancel, where it was done at once. */
      readonly clientOrderID?: string;
    }
  | ({
      readonly type: typeof EventType.TradeBusted | typeof EventType.TradeCorrected;
      /** The ExecID that it undoes or changes. */
      readonly execRefID: string;
      readonly undone: UndoneTrade;
    } & ExecutionDetail)
  | {
      readonly type: typeof EventType.PositionSettled;
      readonly tradingDay: string;
      /** Signed: shares that went from the position to the holding. */
      readonly holdingQuantity: number;
      /** Signed: what the cost of the holding changed by. */
      readonly holdingValuePaise: number;
      readonly position: PositionChange;
    }
  | { readonly type: typeof EventType.ContractNoteIssued; readonly tradingDay: string; readonly charges: Charges };

export interface LedgerEvent {
  readonly userId: number;
  /** 1 for the first of an account, without a gap. Also the number of the push that tells the user. */
  readonly seq: number;
  readonly tsMicros: number;
  /** 0 for none. */
  readonly orderID: number;
  /** 0 for none. */
  readonly instrumentId: number;
  /** 0 for none. */
  readonly product: Product | 0;
  readonly postings: readonly Posting[];
  readonly detail: EventDetail;
}
