import type { OrderSide, OrderTerms, Product, Validity } from '../ledger/order.ts';
import type { CheckResult } from '../risk/check-result.ts';

/**
 * What is asked of the order path, whoever asks. The way in has checked shape and size (a field that is missing, fractional, huge or of another type
 * is refused there with a 1xx code); everything else is decided by the order service. All commands of one account go through its one writer.
 */

/** Who waits for the answer. Opaque to the service: it comes back with each answer. */
export interface CommandOrigin {
  /** Which way in: a fan-out worker by its number, a FIX session, an operator. */
  readonly channel: string;
  /** Of that channel's process or worker: an answer to a former one is dropped. */
  readonly generation: number;
  readonly connection: number;
  /** Of the client, comes back in the answer; −1 for none. */
  readonly requestID: number;
}

interface CommandBase {
  readonly origin: CommandOrigin;
  readonly userId: number;
}

export interface PlaceOrder extends CommandBase {
  readonly type: 'place';
  readonly symbol: string;
  readonly side: OrderSide;
  readonly product: Product;
  readonly validity: Validity;
  readonly terms: OrderTerms;
  /** '' for none. At most 36 characters of printable ASCII. */
  readonly clientOrderID: string;
  /** Decide and tell, and change nothing. */
  readonly dryRun: boolean;
}

export interface ModifyOrder extends CommandBase {
  readonly type: 'modify';
  readonly orderID: number;
  readonly terms: OrderTerms;
  /** By which a FIX client knows this request: kept with its event, so that the reports about it can name it. */
  readonly clientOrderID?: string;
}

export interface CancelOrder extends CommandBase {
  readonly type: 'cancel';
  readonly orderID: number;
  /** As in `ModifyOrder`. */
  readonly clientOrderID?: string;
}

/** All open orders, or those of one instrument. */
export interface CancelAll extends CommandBase {
  readonly type: 'cancel-all';
  /** '' for all. */
  readonly symbol: string;
  /** As in `ModifyOrder`, of each order. */
  readonly clientOrderID?: string;
}

/** Money in or out, by an operator. `reference` makes it idempotent and is required. */
export interface MoveCash extends CommandBase {
  readonly type: 'deposit' | 'withdraw';
  readonly amountPaise: number;
  readonly reference: string;
}

export interface OpenAccount extends CommandBase {
  readonly type: 'open-account';
}

export interface FreezeAccount extends CommandBase {
  readonly type: 'freeze' | 'unfreeze';
  readonly reason: string;
}

export type OrderCommand = PlaceOrder | ModifyOrder | CancelOrder | CancelAll | MoveCash | OpenAccount | FreezeAccount;

/** The answer to a command. A refusal changed nothing. */
export type CommandReply =
  | { readonly kind: 'placed'; readonly orderID: number; readonly seq: number; readonly isRepeat: boolean }
  | { readonly kind: 'change-requested'; readonly orderID: number; readonly seq: number }
  /** Of all orders that were open: how many are asked for, how many waited here and have ended, and how many cannot be asked for now, since the session with the venue is down. */
  | {
      readonly kind: 'cancels-requested';
      readonly requested: number;
      readonly canceled: number;
      readonly left: number;
      readonly seq: number;
    }
  /** Of commands that take effect at once: money, accounts, a stop order that was not at the venue yet. `seq` is that of the event. */
  | { readonly kind: 'done'; readonly orderID: number; readonly seq: number; readonly isRepeat: boolean }
  | {
      readonly kind: 'dry-run';
      readonly code: number;
      readonly checks: readonly CheckResult[];
      readonly marginPaise: number;
      readonly chargesPaise: number;
      /** Itemised upper bound, by the names of `ChargeItem`. */
      readonly charges: Readonly<Record<string, number>>;
    }
  | { readonly kind: 'refused'; readonly code: number; readonly text: string; readonly check: CheckResult | null };
