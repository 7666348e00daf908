import type { ExecutionReport } from '../fix/execution-report.ts';
import type { OrderCancelReject } from '../fix/order-messages.ts';
import type { Account } from '../ledger/account.ts';
import type { OrderCommand } from './order-command.ts';

/** Which message of which session an input came in with. */
export interface Delivery {
  readonly sessionName: string;
  readonly epoch: number;
  /** 0 when it did not come in with an application message. */
  readonly msgSeqNum: number;
  /** Of our last request then. */
  readonly lastSentSeqNum: number;
}

interface InputBase {
  /** When it came in; events that it makes have this time, whenever it is decided. */
  readonly nowMicros: number;
}

/** What a request to the venue came to when it did not come to a report. */
export interface RequestOutcome {
  readonly clOrdID: string;
  /** Of a NewOrderSingle: the order ends with it. */
  readonly isOrder: boolean;
  readonly code: number;
  readonly text: string;
}

/** Everything that the order service decides about, in the one order in which it is decided. */
export type OrderInput = InputBase &
  /** `isKnown`: an order to be placed, of whose client order id the database has one already. */
  (
    | { readonly type: 'command'; readonly command: OrderCommand; readonly isKnown?: true }
    /** Looks at an account; what is returned is called when all that was seen is durable. */
    | { readonly type: 'read'; readonly userId: number; readonly view: (account: Account | undefined) => () => void }
    | { readonly type: 'execution'; readonly report: ExecutionReport; readonly delivery: Delivery }
    | {
        readonly type: 'change-rejected';
        readonly reject: OrderCancelReject;
        readonly code: number;
        readonly delivery: Delivery;
      }
    | { readonly type: 'request-refused'; readonly outcome: RequestOutcome; readonly delivery: Delivery | null }
    /** A message that says nothing about an order that we could use. */
    | { readonly type: 'unexpected'; readonly text: string; readonly delivery: Delivery }
    /** A trade reached the trigger price of a stop order. */
    | { readonly type: 'trigger'; readonly orderID: number; readonly lastPaise: number }
    | { readonly type: 'session'; readonly isUp: boolean; readonly delivery: Delivery }
    /** Every order that was alive when the session came up has been answered for. */
    | { readonly type: 'settled'; readonly sessionName: string }
    /** The next step of the account's trading day. `isSettled`: the venue has said what became of every order since the last close. */
    | { readonly type: 'day-step'; readonly userId: number; readonly isSettled: boolean }
    /** What the account has can no longer be relied on. */
    | { readonly type: 'quarantine'; readonly userId: number; readonly reason: string }
  );
