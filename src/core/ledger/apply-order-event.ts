import { assert } from '../assert.ts';
import type { Account } from './account.ts';
import { type EventDetail, EventType, type LedgerEvent } from './ledger-event.ts';
import { countOrder } from './open-exposure.ts';
import { isStop, isTerminal, type Order, OrderStatus, type PendingChange } from './order.ts';
import { canApply, executedStatus } from './order-transitions.ts';

/** The part of `applyEvent` that changes an order; the order that the event is about, if it is about one. */
export function applyOrderEvent(account: Account, event: LedgerEvent): Order | undefined {
  const { detail } = event;
  if (event.orderID === 0) return undefined;
  if (detail.type === EventType.OrderPlaced) return place(account, event, detail);
  const order = account.orders.get(event.orderID);
  assert(order !== undefined, `an event of order ${event.orderID}, which user ${event.userId} does not have`);
  assert(canApply(order.status, detail.type), `event type ${detail.type} for order status ${order.status}`);
  countOrder(account, order, -1);
  change(order, detail);
  countOrder(account, order, 1);
  order.updatedMicros = event.tsMicros;
  return order;
}

function place(
  account: Account,
  event: LedgerEvent,
  detail: Extract<EventDetail, { type: typeof EventType.OrderPlaced }>,
): Order {
  const { orderID, instrumentId, product, tsMicros } = event;
  const { clientOrderID, terms } = detail;
  assert(product !== 0 && instrumentId !== 0, `order ${orderID} has an instrument and a product`);
  assert(!account.orders.has(orderID), `order ${orderID} was placed before`);
  assert(
    clientOrderID === '' || !account.clientOrders.has(clientOrderID),
    `client order id ${clientOrderID} was used before`,
  );
  const order: Order = {
    orderID,
    userId: account.userId,
    instrumentId,
    side: detail.side,
    product,
    validity: detail.validity,
    clientOrderID,
    placedMicros: tsMicros,
    status: isStop(terms.ordType) ? OrderStatus.TriggerPending : OrderStatus.Pending,
    terms,
    version: 0,
    venueVersion: 0,
    venueOrderID: '',
    pendingChanges: [],
    cumQty: 0,
    cumValuePaise: 0,
    exposureQty: detail.exposureQty,
    holdPricePaise: detail.holdPricePaise,
    holdPaise: detail.holdPaise,
    brokeragePaise: 0,
    refusalCode: 0,
    text: '',
    updatedMicros: tsMicros,
  };
  account.orders.set(orderID, order);
  countOrder(account, order, 1);
  if (clientOrderID !== '') account.clientOrders.set(clientOrderID, orderID);
  return order;
}

function change(order: Order, detail: EventDetail): void {
  switch (detail.type) {
    case EventType.OrderTriggered:
      order.terms = { ...order.terms, ordType: detail.ordType };
      order.status = OrderStatus.Pending;
      break;
    case EventType.OrderAccepted:
      order.venueOrderID = detail.venueOrderID;
      if (order.status === OrderStatus.Pending) order.status = OrderStatus.Open;
      break;
    case EventType.ModifyRequested:
      ask(order, detail);
      putHold(order, detail);
      break;
    case EventType.CancelRequested:
      ask(order, { version: detail.version, terms: null, holdPricePaise: 0 });
      break;
    case EventType.OrderModified:
      order.terms = detail.terms;
      order.holdPricePaise = detail.holdPricePaise;
      if (order.status !== OrderStatus.TriggerPending) {
        order.venueVersion = detail.version;
        order.status = executedStatus(order);
      }
      answered(order, detail.version);
      putHold(order, detail);
      break;
    case EventType.ChangeRejected:
      answered(order, detail.version);
      putHold(order, detail);
      break;
    case EventType.HoldRaised:
      putHold(order, detail);
      break;
    case EventType.OrderFilled:
      addExecution(order, detail.lastQty, detail.lastPxPaise, detail.charges.brokeragePaise);
      if (!isTerminal(order.status)) order.status = executedStatus(order);
      putHold(order, detail);
      break;
    case EventType.TradeBusted:
    case EventType.TradeCorrected:
      addExecution(order, -detail.undone.lastQty, detail.undone.lastPxPaise, detail.charges.brokeragePaise);
      if (detail.type === EventType.TradeCorrected) addExecution(order, detail.lastQty, detail.lastPxPaise, 0);
      if (!isTerminal(order.status)) order.status = executedStatus(order);
      // What was taken back of an order that is done does not return to the market.
      else if (order.status === OrderStatus.Filled && order.cumQty < order.terms.quantity)
        order.status = OrderStatus.Canceled;
      putHold(order, detail);
      break;
    case EventType.OrderCanceled:
    case EventType.OrderRejected:
    case EventType.OrderExpired:
      order.status = ENDED_STATUS[detail.type];
      order.refusalCode = detail.code;
      order.text = detail.text;
      putHold(order, { holdPaise: 0, exposureQty: 0 });
      break;
    default:
      assert(false, `event type ${detail.type} is not about an order`);
  }
}

const ENDED_STATUS = {
  [EventType.OrderCanceled]: OrderStatus.Canceled,
  [EventType.OrderRejected]: OrderStatus.Rejected,
  [EventType.OrderExpired]: OrderStatus.Expired,
};

function ask(order: Order, { version, terms, holdPricePaise }: PendingChange): void {
  assert(version === order.version + 1, `order ${order.orderID} has version ${order.version}, asked as ${version}`);
  order.version = version;
  order.pendingChanges = [...order.pendingChanges, { version, terms, holdPricePaise }];
}

function answered(order: Order, version: number): void {
  order.pendingChanges = order.pendingChanges.filter((pending) => pending.version !== version);
}

function addExecution(order: Order, quantity: number, pricePaise: number, brokeragePaise: number): void {
  order.cumQty += quantity;
  order.cumValuePaise += quantity * pricePaise;
  order.brokeragePaise += brokeragePaise;
  assert(order.cumQty >= 0, `order ${order.orderID} has ${order.cumQty} executed`);
}

/** An order that has ended holds nothing and waits for nothing. */
function putHold(order: Order, { holdPaise, exposureQty }: { holdPaise: number; exposureQty: number }): void {
  const ended = isTerminal(order.status);
  assert(holdPaise >= 0 && (!ended || holdPaise === 0), `order ${order.orderID} would hold ${holdPaise} paise`);
  order.holdPaise = holdPaise;
  order.exposureQty = exposureQty;
  if (ended) order.pendingChanges = [];
}
