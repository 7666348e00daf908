import { EventType } from './ledger-event.ts';
import { type Order, OrderStatus } from './order.ts';

const { Pending, TriggerPending, Open, PartiallyFilled, Filled, Canceled, Rejected, Expired } = OrderStatus;
const AT_VENUE = [Pending, Open, PartiallyFilled];
const LIVE = [...AT_VENUE, TriggerPending];
const ENDED = [Filled, Canceled, Rejected, Expired];

/**
 * In which states of its order an event is legal. What the venue says may come in any order that its own events can: a fill before the
 * confirmation, a fill or a bust after the end, a replace that crossed the last fill and makes the order live again.
 */
const LEGAL_STATUSES: ReadonlyMap<EventType, ReadonlySet<OrderStatus>> = new Map<EventType, ReadonlySet<OrderStatus>>([
  [EventType.OrderTriggered, new Set([TriggerPending])],
  [EventType.OrderAccepted, new Set(AT_VENUE)],
  [EventType.ModifyRequested, new Set(AT_VENUE)],
  [EventType.CancelRequested, new Set(AT_VENUE)],
  // A stop order that waits here is changed without a request.
  [EventType.OrderModified, new Set([...LIVE, Filled])],
  [EventType.ChangeRejected, new Set([...AT_VENUE, ...ENDED])],
  [EventType.OrderFilled, new Set([...AT_VENUE, ...ENDED])],
  [EventType.OrderCanceled, new Set(LIVE)],
  // With an execution it is too late to be refused: what the venue lost of such an order was canceled.
  [EventType.OrderRejected, new Set([Pending, TriggerPending, Open])],
  [EventType.OrderExpired, new Set(LIVE)],
  [EventType.TradeBusted, new Set([PartiallyFilled, ...ENDED])],
  [EventType.TradeCorrected, new Set([PartiallyFilled, ...ENDED])],
  [EventType.HoldRaised, new Set(LIVE)],
]);

/** Whether an order in this state may have this event. OrderPlaced makes an order and is not asked about. */
export function canApply(status: OrderStatus, type: EventType): boolean {
  return LEGAL_STATUSES.get(type)?.has(status) === true;
}

/** The state of an order that has not ended, by what of it is executed. */
export function executedStatus(order: Pick<Order, 'cumQty' | 'terms'>): OrderStatus {
  if (order.cumQty >= order.terms.quantity) return Filled;
  return order.cumQty > 0 ? PartiallyFilled : Open;
}
