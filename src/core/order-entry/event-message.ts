import type { ControlMap } from '../fan-out/control-codec.ts';
import {
  type Charges,
  EventType,
  type ExecutionDetail,
  LedgerAccount,
  type LedgerEvent,
  type Posting,
} from '../ledger/ledger-event.ts';
import { type OrderTerms, OrderType } from '../ledger/order.ts';
import { orderTypeName, productName, type StatusName, sideName, validityName } from './order-names.ts';

/**
 * An event of an account as its user is told of it: a function of the event and the instrument's symbol alone, so that what is told live and what is
 * filled in later from the ledger are the same bytes.
 */

const NAMES = new Map<EventType, string>(Object.entries(EventType).map(([name, type]) => [type, name]));

export function eventMap(event: LedgerEvent, symbol: string): ControlMap {
  const { seq, tsMicros, orderID, product, detail } = event;
  return {
    action: 'event',
    seq,
    type: NAMES.get(detail.type) as string,
    tsMicros,
    ...(orderID === 0 ? {} : { orderId: orderID }),
    ...(symbol === '' ? {} : { symbol }),
    ...(product === 0 ? {} : { product: productName(product) }),
    ...detailMap(event),
    ...cashMap(event.postings),
  };
}

function detailMap({ detail }: LedgerEvent): ControlMap {
  switch (detail.type) {
    case EventType.AccountOpened:
      return {};
    case EventType.Deposited:
    case EventType.Withdrawn:
      return { reference: detail.reference };
    case EventType.AccountFrozen:
    case EventType.AccountUnfrozen:
      return { reason: detail.reason };
    case EventType.OrderPlaced: {
      const { terms } = detail;
      return {
        status: isStop(terms.ordType) ? 'TRIGGER_PENDING' : 'PENDING',
        side: sideName(detail.side),
        validity: validityName(detail.validity),
        ...termsMap(terms),
        clientOrderId: detail.clientOrderID,
        holdPaise: detail.holdPaise,
      };
    }
    case EventType.OrderTriggered:
      return { status: 'PENDING', orderType: orderTypeName(detail.ordType) };
    case EventType.OrderAccepted:
      return { status: 'OPEN', venueOrderId: detail.venueOrderID };
    case EventType.ModifyRequested:
      return { requested: termsMap(detail.terms), holdPaise: detail.holdPaise };
    case EventType.CancelRequested:
      return {};
    case EventType.OrderModified:
      return { ...termsMap(detail.terms), holdPaise: detail.holdPaise };
    case EventType.ChangeRejected:
      return { refusal: detail.code, message: detail.text, holdPaise: detail.holdPaise };
    case EventType.HoldRaised:
      return { holdPaise: detail.holdPaise };
    case EventType.OrderFilled:
      return executionMap(detail);
    case EventType.OrderCanceled:
      return { status: 'CANCELED', refusal: detail.code, message: detail.text };
    case EventType.OrderRejected:
      return { status: 'REJECTED', refusal: detail.code, message: detail.text };
    case EventType.OrderExpired:
      return { status: 'EXPIRED', refusal: detail.code, message: detail.text };
    case EventType.TradeBusted:
    case EventType.TradeCorrected:
      return { ...executionMap(detail), execRefId: detail.execRefID };
    case EventType.PositionSettled: {
      const { tradingDay, holdingQuantity, holdingValuePaise } = detail;
      return { tradingDay, quantity: holdingQuantity, valuePaise: holdingValuePaise };
    }
    case EventType.ContractNoteIssued:
      return { tradingDay: detail.tradingDay, charges: chargesMap(detail.charges) };
  }
}

function executionMap(detail: ExecutionDetail): ControlMap {
  const { position } = detail;
  return {
    execId: detail.execID,
    venue: detail.venue,
    tradingDay: detail.tradingDay,
    lastQty: detail.lastQty,
    lastPxPaise: detail.lastPxPaise,
    ...(detail.isLate ? {} : { status: executedStatusName(detail) }),
    filledQty: detail.cumQty,
    filledValuePaise: detail.cumValuePaise,
    leavesQty: detail.leavesQty,
    charges: chargesMap(detail.charges),
    positionQty: position.quantity,
    positionValuePaise: position.openValuePaise,
    positionMarginPaise: position.marginPaise,
    realisedPaise: position.realisedPaise,
    holdPaise: detail.holdPaise,
    late: detail.isLate,
  };
}

/** Of an order that had not ended before. */
function executedStatusName({ cumQty, leavesQty }: ExecutionDetail): StatusName {
  if (leavesQty === 0) return 'FILLED';
  return cumQty > 0 ? 'PARTIALLY_FILLED' : 'OPEN';
}

function termsMap({ quantity, ordType, pricePaise, triggerPricePaise }: OrderTerms): ControlMap {
  return { quantity, orderType: orderTypeName(ordType), pricePaise, triggerPricePaise };
}

/** What the event added to the user's own three accounts, and took from them. */
function cashMap(postings: readonly Posting[]): ControlMap {
  const changeOf = (own: LedgerAccount): number =>
    postings.reduce((sum, { account, amountPaise }) => (account === own ? sum + amountPaise : sum), 0);
  return {
    availableChangePaise: changeOf(LedgerAccount.Available),
    heldChangePaise: changeOf(LedgerAccount.Held),
    marginChangePaise: changeOf(LedgerAccount.Margin),
  };
}

function chargesMap(charges: Charges): ControlMap {
  return { ...charges };
}

function isStop(ordType: OrderType): boolean {
  return ordType === OrderType.StopLimit || ordType === OrderType.StopMarket;
}
