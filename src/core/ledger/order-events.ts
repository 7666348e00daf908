import { assert } from '../assert.ts';
import type { Account } from './account.ts';
import { type EventDetail, EventType, LedgerAccount, type LedgerEvent } from './ledger-event.ts';
import type { MoneyRules } from './money-rules.ts';
import { closableQty, exposureOf } from './open-exposure.ts';
import { isTerminal, type Order, OrderStatus, type OrderTerms } from './order.ts';
import { claimedQty, closingQty, heldBy, type OrderHold } from './order-hold.ts';
import { postingsOf } from './postings.ts';

/** What is decided when an order is placed. */
export type NewOrder = Pick<
  Order,
  | 'orderID'
  | 'instrumentId'
  | 'side'
  | 'product'
  | 'validity'
  | 'terms'
  | 'clientOrderID'
  | 'holdPricePaise'
  | 'holdPaise'
  | 'exposureQty'
>;

/**
 * Builders: each makes the next event of an account from its state and what was decided, and changes nothing. `applyEvent` does.
 */
export function orderPlaced(account: Account, order: NewOrder, tsMicros: number): LedgerEvent {
  const { orderID, instrumentId, product, side, validity, terms, clientOrderID } = order;
  const { holdPricePaise, holdPaise, exposureQty } = order;
  assert(
    holdPaise === 0 || holdPaise <= account.availablePaise,
    `order ${orderID} holds ${holdPaise}, more than is free`,
  );
  return {
    userId: account.userId,
    seq: account.seq + 1,
    tsMicros,
    orderID,
    instrumentId,
    product,
    postings: postingsOf(LedgerAccount.Available, LedgerAccount.Held, holdPaise),
    detail: {
      type: EventType.OrderPlaced,
      side,
      validity,
      terms,
      clientOrderID,
      holdPricePaise,
      holdPaise,
      exposureQty,
    },
  };
}

/** A stop order goes to the venue as `ordType`. */
export function orderTriggered(
  account: Account,
  order: Order,
  ordType: Order['terms']['ordType'],
  tsMicros: number,
): LedgerEvent {
  return orderEvent(account, order, tsMicros, order.holdPaise, { type: EventType.OrderTriggered, ordType });
}

export function orderAccepted(account: Account, order: Order, venueOrderID: string, tsMicros: number): LedgerEvent {
  return orderEvent(account, order, tsMicros, order.holdPaise, { type: EventType.OrderAccepted, venueOrderID });
}

/** New terms, and what a unit of them is held at. */
export interface ChangedTerms {
  readonly terms: OrderTerms;
  readonly holdPricePaise: number;
}

/**
 * What an order would hold with a change: while it is unanswered the most that either terms need, and of a stop order that waits here what the new ones need.
 * Also for the decision whether it may be asked for.
 */
export function holdWithChange(rules: MoneyRules, account: Account, order: Order, change: ChangedTerms): OrderHold {
  const pending = { version: order.version + 1, ...change };
  const isHere = order.status === OrderStatus.TriggerPending;
  const changed = isHere ? { ...order, ...change } : { ...order, pendingChanges: [...order.pendingChanges, pending] };
  return heldBy(rules, changed, closableQty(exposureOf(account, order.instrumentId), order, closingQty(order)));
}

export function modifyRequested(
  rules: MoneyRules,
  account: Account,
  order: Order,
  change: ChangedTerms,
  tsMicros: number,
  clientOrderID: string = '',
): LedgerEvent {
  const { holdPaise, exposureQty } = holdWithChange(rules, account, order, change);
  const morePaise = holdPaise - order.holdPaise;
  assert(
    morePaise <= 0 || morePaise <= account.availablePaise,
    `order ${order.orderID} would hold ${morePaise} more than is free`,
  );
  return orderEvent(account, order, tsMicros, holdPaise, {
    type: EventType.ModifyRequested,
    version: order.version + 1,
    ...named(clientOrderID),
    terms: change.terms,
    holdPricePaise: change.holdPricePaise,
    holdPaise,
    exposureQty,
  });
}

export function cancelRequested(
  account: Account,
  order: Order,
  tsMicros: number,
  clientOrderID: string = '',
): LedgerEvent {
  const detail = { type: EventType.CancelRequested, version: order.version + 1, ...named(clientOrderID) } as const;
  return orderEvent(account, order, tsMicros, order.holdPaise, detail);
}

/**
 * The venue took the change of this version: its terms are in force. `confirmed` has what the venue says instead, if it took other terms than were asked
 * for, or one that nobody waits for any more.
 */
export function orderModified(
  rules: MoneyRules,
  account: Account,
  order: Order,
  version: number,
  confirmed: ChangedTerms | null,
  tsMicros: number,
): LedgerEvent {
  const asked = order.pendingChanges.find((pending) => pending.version === version);
  const terms = confirmed?.terms ?? asked?.terms;
  assert(terms !== null && terms !== undefined, `order ${order.orderID} has no change of version ${version}`);
  const holdPricePaise = confirmed?.holdPricePaise ?? asked!.holdPricePaise;
  const pendingChanges = order.pendingChanges.filter((pending) => pending.version !== version);
  const after = { ...order, terms, holdPricePaise, pendingChanges };
  // With all of it executed the order has ended, whatever else was asked for.
  const isDone = order.cumQty >= terms.quantity;
  const hold = isDone ? { holdPaise: 0, exposureQty: 0 } : heldBy(rules, after, claimedQty(order));
  return orderEvent(account, order, tsMicros, hold.holdPaise, {
    type: EventType.OrderModified,
    version,
    terms,
    holdPricePaise,
    ...hold,
  });
}

/** A stop order that waits here gets new terms at once. */
export function stopOrderModified(
  rules: MoneyRules,
  account: Account,
  order: Order,
  change: ChangedTerms,
  tsMicros: number,
  clientOrderID?: string,
): LedgerEvent {
  assert(order.status === OrderStatus.TriggerPending, `order ${order.orderID} is at the venue`);
  const hold = holdWithChange(rules, account, order, change);
  const morePaise = hold.holdPaise - order.holdPaise;
  assert(
    morePaise <= 0 || morePaise <= account.availablePaise,
    `order ${order.orderID} would hold ${morePaise} more than is free`,
  );
  return orderEvent(account, order, tsMicros, hold.holdPaise, {
    type: EventType.OrderModified,
    version: order.version,
    terms: change.terms,
    holdPricePaise: change.holdPricePaise,
    ...hold,
    ...(clientOrderID === undefined ? {} : { clientOrderID }),
  });
}

/** The venue refused a replace or a cancel. */
export function changeRejected(
  rules: MoneyRules,
  account: Account,
  order: Order,
  version: number,
  code: number,
  text: string,
  tsMicros: number,
): LedgerEvent {
  const pendingChanges = order.pendingChanges.filter((pending) => pending.version !== version);
  const hold = isTerminal(order.status)
    ? { holdPaise: 0, exposureQty: 0 }
    : heldBy(rules, { ...order, pendingChanges }, claimedQty(order));
  return orderEvent(account, order, tsMicros, hold.holdPaise, {
    type: EventType.ChangeRejected,
    version,
    code,
    text,
    ...hold,
  });
}

/** The order can count on no more than `closable` units to close any more, and is held for as that asks. */
export function holdRaised(
  rules: MoneyRules,
  account: Account,
  order: Order,
  closable: number,
  tsMicros: number,
): LedgerEvent {
  const hold = heldBy(rules, order, closable);
  return orderEvent(account, order, tsMicros, hold.holdPaise, { type: EventType.HoldRaised, ...hold });
}

function named(clientOrderID: string): { readonly clientOrderID?: string } {
  return clientOrderID === '' ? {} : { clientOrderID };
}

export type EndType = typeof EventType.OrderCanceled | typeof EventType.OrderRejected | typeof EventType.OrderExpired;

/** Nothing more is to come: all that the order holds is free. */
export function orderEnded(
  account: Account,
  order: Order,
  type: EndType,
  code: number,
  text: string,
  tsMicros: number,
  clientOrderID?: string,
): LedgerEvent {
  const asked = clientOrderID === undefined ? {} : { clientOrderID };
  return orderEvent(account, order, tsMicros, 0, { type, code, text, ...asked });
}

function orderEvent(
  account: Account,
  order: Order,
  tsMicros: number,
  holdPaise: number,
  detail: EventDetail,
): LedgerEvent {
  return {
    userId: account.userId,
    seq: account.seq + 1,
    tsMicros,
    orderID: order.orderID,
    instrumentId: order.instrumentId,
    product: order.product,
    postings: postingsOf(LedgerAccount.Held, LedgerAccount.Available, order.holdPaise - holdPaise),
    detail,
  };
}
