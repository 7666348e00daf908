import type { NewOrderSingle, OrderCancelReplaceRequest, OrderCancelRequest } from '../fix/order-messages.ts';
import type { OrderStatusRequest } from '../fix/order-status-messages.ts';
import type { LedgerEvent } from '../ledger/ledger-event.ts';
import type { CommandReply } from './order-command.ts';
import type { AlarmKind, OrderAlarm } from './order-effects.ts';
import type { Delivery } from './order-input.ts';

/** A request that goes to the venue once the decision is durable. */
export type OutgoingRequest =
  /** `expires`: it must not leave when it is older than an order may be. A stop order that was triggered protects its user late, too. */
  | { readonly type: 'place'; readonly body: NewOrderSingle; readonly expires: boolean }
  | { readonly type: 'replace'; readonly body: OrderCancelReplaceRequest; readonly expires: boolean }
  | { readonly type: 'cancel'; readonly body: OrderCancelRequest; readonly account: string }
  | { readonly type: 'status'; readonly body: OrderStatusRequest; readonly account: string };

/** A delivery that is dealt with, or a change of the session's state. */
export interface SessionNote {
  readonly delivery: Delivery;
  readonly state: 'up' | 'down';
}

/** What was decided about one input: the events that memory has applied, and what may leave when they are durable. */
export class Decision {
  readonly events: LedgerEvent[] = [];
  readonly requests: OutgoingRequest[] = [];
  readonly alarms: OrderAlarm[] = [];
  reply: CommandReply | null = null;
  /** What it says of a session with the venue, to be committed with the events. */
  session: SessionNote | null = null;
  /** Of a read: hands over what was seen. */
  tell: (() => void) | null = null;

  alarm(kind: AlarmKind, userId: number, orderID: number, text: string): void {
    this.alarms.push({ kind, userId, orderID, text });
  }
}
