import type {
  OrderTypeName,
  ProductName,
  SideName,
  StatusName,
  ValidityName,
} from '../core/order-entry/order-names.ts';

/** What an account is asked and told, as `ws-protocol.md` has it. Prices and amounts are integer paise, times epoch microseconds. */

export interface OrderTerms {
  readonly quantity: number;
  readonly orderType: OrderTypeName;
  /** Of LIMIT and SL. */
  readonly pricePaise?: number;
  /** Of SL and SL-M. */
  readonly triggerPricePaise?: number;
}

export interface NewOrder extends OrderTerms {
  readonly symbol: string;
  readonly side: SideName;
  readonly product: ProductName;
  /** DAY when left out. */
  readonly validity?: ValidityName;
  /** The same one again is the same order. */
  readonly clientOrderId?: string;
}

export interface Placed {
  readonly orderId: number;
  readonly status: 'PENDING';
  readonly seq: number;
  /** It had been placed before. */
  readonly repeat: boolean;
}

/** A change that was asked of the venue, or done at once. */
export interface Change {
  readonly action: 'modifyRequested' | 'modified' | 'cancelRequested' | 'canceled';
  readonly orderId: number;
  readonly seq: number;
}

/** What a cancel of all open orders comes to; what becomes of each comes as events. */
export interface CancelsRequested {
  readonly action: 'cancelAllRequested';
  /** Cancels that are asked of the venue, those of before included. */
  readonly requested: number;
  /** Stop orders that had not left, and have ended. */
  readonly canceled: number;
  /** Orders that cannot be asked for now: the session with the venue is down. */
  readonly left: number;
  readonly seq: number;
}

export interface Check {
  readonly check: string;
  readonly unit: 'paise' | 'shares' | 'orders' | 'bps';
  readonly limit: number;
  readonly used: number;
  readonly after: number;
  readonly passed: boolean;
}

export interface DryRun {
  /** Why the order would be refused; 0 for not at all. */
  readonly refusal: number;
  readonly checks: readonly Check[];
  readonly marginPaise: number;
  readonly chargesPaise: number;
  readonly charges: Readonly<Record<string, number>>;
}

export interface Page<Row> {
  /** The newest event that is in it. */
  readonly seq: number;
  readonly rows: readonly Row[];
  /** `from` of the next page; 0 when there is no more. */
  readonly next: number;
}

export interface Order {
  readonly orderId: number;
  readonly symbol: string;
  readonly side: SideName;
  readonly product: ProductName;
  readonly validity: ValidityName;
  readonly orderType: OrderTypeName;
  readonly status: StatusName;
  readonly quantity: number;
  readonly pricePaise: number;
  readonly triggerPricePaise: number;
  readonly filledQty: number;
  readonly filledValuePaise: number;
  readonly clientOrderId: string;
  readonly venueOrderId: string;
  readonly holdPaise: number;
  readonly changePending: boolean;
  readonly refusal: number;
  readonly message: string;
  readonly placedMicros: number;
  readonly updatedMicros: number;
}

export interface Trade {
  readonly seq: number;
  readonly orderId: number;
  readonly symbol: string;
  readonly venue: string;
  readonly tradingDay: string;
  readonly execId: string;
  /** Names the execution that this one takes back; '' for none. */
  readonly execRefId: string;
  /** Negative when sold. */
  readonly quantity: number;
  readonly pricePaise: number;
  readonly chargesPaise: number;
  readonly tsMicros: number;
}

export interface Position {
  readonly symbol: string;
  readonly product: ProductName;
  readonly quantity: number;
  readonly openValuePaise: number;
  readonly marginPaise: number;
  readonly realisedPaise: number;
  readonly unrealisedPaise: number;
  readonly markPaise: number;
  readonly tradingDay: string;
  readonly dayBuyQty: number;
  readonly dayBuyValuePaise: number;
  readonly daySellQty: number;
  readonly daySellValuePaise: number;
}

export interface Holding {
  readonly symbol: string;
  readonly quantity: number;
  readonly valuePaise: number;
  readonly markPaise: number;
}

export interface Funds {
  readonly seq: number;
  readonly availablePaise: number;
  readonly heldPaise: number;
  readonly marginPaise: number;
  readonly cashPaise: number;
  readonly marginUsedPaise: number;
  readonly totalValuePaise: number;
  /** Why the account is frozen; '' when it is not. */
  readonly frozen: string;
}

/** An event of the account; which other fields there are is a matter of its type. */
export interface AccountEvent {
  readonly seq: number;
  readonly type: string;
  readonly tsMicros: number;
  readonly orderId?: number;
  readonly symbol?: string;
  readonly product?: ProductName;
  /** Of the order after it, where it changed. */
  readonly status?: StatusName;
  readonly availableChangePaise: number;
  readonly heldChangePaise: number;
  readonly marginChangePaise: number;
  readonly [field: string]: unknown;
}
