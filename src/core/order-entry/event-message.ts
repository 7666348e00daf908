// hot: per event of a user who listens. Maps are filled field by field: spreading one into another takes longer than the rest.
import type { ControlMap } from '../fan-out/control-codec.ts';
import {
  type Charges,
  EventType,
  type ExecutionDetail,
  LedgerAccount,
  type LedgerEvent,
  type Posting,
} from '../ledger/ledger-event.ts';
import { isStop, type OrderTerms } from '../ledger/order.ts';
import { orderTypeName, productName, type StatusName, sideName, validityName } from './order-names.ts';

/**
 * An event of an account as its user is told of it: a function of the event and the instrument's symbol alone, so that what is told live and what is
 * filled in later from the ledger are the same bytes.
 */

const NAMES = new Map<EventType, string>(Object.entries(EventType).map(([name, type]) => [type, name]));

export function eventMap(event: LedgerEvent, symbol: string): ControlMap {
  const { seq, tsMicros, orderID, product, detail } = event;
  const map: ControlMap = { action: 'event', seq, type: NAMES.get(detail.type) as string, tsMicros };
  if (orderID !== 0) map.orderId = orderID;
  if (symbol !== '') map.symbol = symbol;
  if (product !== 0) map.product = productName(product);
  addDetail(map, event);
  addCash(map, event.postings);
  return map;
}

function addDetail(map: ControlMap, { detail }: LedgerEvent): void {
  switch (detail.type) {
    case EventType.Deposited:
    case EventType.Withdrawn:
      map.reference = detail.reference;
      break;
    case EventType.AccountFrozen:
    case EventType.AccountUnfrozen:
      map.reason = detail.reason;
      break;
    case EventType.OrderPlaced:
      map.status = isStop(detail.terms.ordType) ? 'TRIGGER_PENDING' : 'PENDING';
      map.side = sideName(detail.side);
      map.validity = validityName(detail.validity);
      addTerms(map, detail.terms);
      map.clientOrderId = detail.clientOrderID;
      map.holdPaise = detail.holdPaise;
      break;
    case EventType.OrderTriggered:
      map.status = 'PENDING';
      map.orderType = orderTypeName(detail.ordType);
      break;
    case EventType.OrderAccepted:
      map.status = 'OPEN';
      map.venueOrderId = detail.venueOrderID;
      break;
    case EventType.ModifyRequested: {
      const requested: ControlMap = {};
      addTerms(requested, detail.terms);
      map.requested = requested;
      map.holdPaise = detail.holdPaise;
      break;
    }
    case EventType.OrderModified:
      addTerms(map, detail.terms);
      map.holdPaise = detail.holdPaise;
      break;
    case EventType.ChangeRejected:
      addRefusal(map, detail);
      map.holdPaise = detail.holdPaise;
      break;
    case EventType.HoldRaised:
      map.holdPaise = detail.holdPaise;
      break;
    case EventType.OrderFilled:
      addExecution(map, detail);
      break;
    case EventType.OrderCanceled:
      map.status = 'CANCELED';
      addRefusal(map, detail);
      break;
    case EventType.OrderRejected:
      map.status = 'REJECTED';
      addRefusal(map, detail);
      break;
    case EventType.OrderExpired:
      map.status = 'EXPIRED';
      addRefusal(map, detail);
      break;
    case EventType.TradeBusted:
    case EventType.TradeCorrected:
      addExecution(map, detail);
      map.execRefId = detail.execRefID;
      break;
    case EventType.PositionSettled:
      map.tradingDay = detail.tradingDay;
      map.quantity = detail.holdingQuantity;
      map.valuePaise = detail.holdingValuePaise;
      break;
    case EventType.ContractNoteIssued:
      map.tradingDay = detail.tradingDay;
      map.charges = chargesMap(detail.charges);
      break;
    case EventType.AccountOpened:
    case EventType.CancelRequested:
      break;
    default:
      detail satisfies never;
  }
}

function addExecution(map: ControlMap, detail: ExecutionDetail): void {
  const { position } = detail;
  map.execId = detail.execID;
  map.venue = detail.venue;
  map.tradingDay = detail.tradingDay;
  map.lastQty = detail.lastQty;
  map.lastPxPaise = detail.lastPxPaise;
  if (!detail.isLate) map.status = executedStatusName(detail);
  map.filledQty = detail.cumQty;
  map.filledValuePaise = detail.cumValuePaise;
  map.leavesQty = detail.leavesQty;
  map.charges = chargesMap(detail.charges);
  map.positionQty = position.quantity;
  map.positionValuePaise = position.openValuePaise;
  map.positionMarginPaise = position.marginPaise;
  map.realisedPaise = position.realisedPaise;
  map.holdPaise = detail.holdPaise;
  map.late = detail.isLate;
}

/** Of an order that had not ended before. */
function executedStatusName({ cumQty, leavesQty }: ExecutionDetail): StatusName {
  if (leavesQty === 0) return 'FILLED';
  return cumQty > 0 ? 'PARTIALLY_FILLED' : 'OPEN';
}

function addTerms(map: ControlMap, { quantity, ordType, pricePaise, triggerPricePaise }: OrderTerms): void {
  map.quantity = quantity;
  map.orderType = orderTypeName(ordType);
  map.pricePaise = pricePaise;
  map.triggerPricePaise = triggerPricePaise;
}

function addRefusal(map: ControlMap, { code, text }: { readonly code: number; readonly text: string }): void {
  map.refusal = code;
  map.message = text;
}

/** What the event added to the user's own three accounts, and took from them. */
function addCash(map: ControlMap, postings: readonly Posting[]): void {
  map.availableChangePaise = changeOf(postings, LedgerAccount.Available);
  map.heldChangePaise = changeOf(postings, LedgerAccount.Held);
  map.marginChangePaise = changeOf(postings, LedgerAccount.Margin);
}

/** An event has one posting a ledger account at most. */
function changeOf(postings: readonly Posting[], own: LedgerAccount): number {
  for (let i = 0; i < postings.length; i++) if (postings[i]!.account === own) return postings[i]!.amountPaise;
  return 0;
}

function chargesMap(charges: Charges): ControlMap {
  return { ...charges };
}
