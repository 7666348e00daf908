import { assert } from '../assert.ts';
import { type Account, type Position, positionKey } from './account.ts';
import { applyOrderEvent } from './apply-order-event.ts';
import {
  type EventDetail,
  EventType,
  type ExecutionDetail,
  LedgerAccount,
  type LedgerEvent,
  type Posting,
  type UndoneTrade,
} from './ledger-event.ts';
import { NO_NOTE_DUE, withExecution } from './note-due.ts';
import { countPosition } from './open-exposure.ts';
import { type Order, OrderSide, Product } from './order.ts';

/**
 * Makes of an account what an event says: the only way that one changes, when it is decided and when it is replayed. Nothing is computed by a rule
 * that could change, only what the event carries is added and put in place.
 */
export function applyEvent(account: Account, event: LedgerEvent): void {
  const { detail } = event;
  assert(event.userId === account.userId, `an event of user ${event.userId} applied to ${account.userId}`);
  assert(event.seq === account.seq + 1, `event ${event.seq} of user ${event.userId} applied after ${account.seq}`);
  assert(
    (event.seq === 1) === (detail.type === EventType.AccountOpened),
    `event ${event.seq} of user ${event.userId} has type ${detail.type}: an account begins with AccountOpened`,
  );
  applyPostings(account, event.postings);
  const order = applyOrderEvent(account, event);
  switch (detail.type) {
    case EventType.Deposited:
    case EventType.Withdrawn:
      account.references.set(detail.reference, event.seq);
      break;
    case EventType.AccountFrozen:
      account.frozenReason = detail.reason;
      break;
    case EventType.AccountUnfrozen:
      account.frozenReason = '';
      break;
    case EventType.OrderFilled:
    case EventType.TradeBusted:
    case EventType.TradeCorrected:
      applyExecution(account, order!, detail);
      account.noteDue = withExecution(account.noteDue, detail);
      break;
    case EventType.ContractNoteIssued:
      account.noteDue = NO_NOTE_DUE;
      break;
    case EventType.PositionSettled:
      applySettlement(account, event.instrumentId, detail);
      break;
    default:
  }
  account.seq = event.seq;
}

function applyPostings(account: Account, postings: readonly Posting[]): void {
  let sumPaise = 0;
  for (const { account: ledgerAccount, amountPaise } of postings) {
    assert(Number.isSafeInteger(amountPaise) && amountPaise !== 0, `a posting of ${amountPaise} paise`);
    sumPaise += amountPaise;
    if (ledgerAccount === LedgerAccount.Available) account.availablePaise += amountPaise;
    else if (ledgerAccount === LedgerAccount.Held) account.heldPaise += amountPaise;
    else if (ledgerAccount === LedgerAccount.Margin) account.marginPaise += amountPaise;
  }
  assert(sumPaise === 0, `postings sum to ${sumPaise}`);
}

type Executed = Extract<EventDetail, ExecutionDetail>;

function applyExecution(account: Account, order: Order, detail: Executed): void {
  const position = positionOf(account, order.instrumentId, order.product);
  putChange(position, detail);
  if (position.tradingDay !== detail.tradingDay) {
    position.tradingDay = detail.tradingDay;
    position.dayBuyQty = 0;
    position.dayBuyValuePaise = 0;
    position.daySellQty = 0;
    position.daySellValuePaise = 0;
  }
  if (detail.type !== EventType.OrderFilled) addToDay(position, order.side, detail.undone, -1);
  if (detail.type !== EventType.TradeBusted) {
    addToDay(position, order.side, detail, 1);
    position.markPaise = detail.lastPxPaise;
  }
  countPosition(account, position);
}

/** A trade of a former day that is undone was never in the figures of this one. */
function addToDay(position: Position, side: OrderSide, trade: Omit<UndoneTrade, 'charges'>, sign: 1 | -1): void {
  if (trade.tradingDay !== position.tradingDay) return;
  if (side === OrderSide.Buy) {
    position.dayBuyQty += sign * trade.lastQty;
    position.dayBuyValuePaise += sign * trade.lastQty * trade.lastPxPaise;
  } else {
    position.daySellQty += sign * trade.lastQty;
    position.daySellValuePaise += sign * trade.lastQty * trade.lastPxPaise;
  }
}

function applySettlement(
  account: Account,
  instrumentId: number,
  detail: Extract<EventDetail, { type: typeof EventType.PositionSettled }>,
): void {
  const position = positionOf(account, instrumentId, Product.CNC);
  putChange(position, detail);
  let holding = account.holdings.get(instrumentId);
  if (holding === undefined) {
    holding = { instrumentId, quantity: 0, valuePaise: 0, markPaise: 0 };
    account.holdings.set(instrumentId, holding);
  }
  holding.quantity += detail.holdingQuantity;
  holding.valuePaise += detail.holdingValuePaise;
  holding.markPaise = position.markPaise;
  countPosition(account, position);
}

function putChange(position: Position, { position: after }: Pick<ExecutionDetail, 'position'>): void {
  position.quantity = after.quantity;
  position.openValuePaise = after.openValuePaise;
  position.marginPaise = after.marginPaise;
  position.realisedPaise += after.realisedPaise;
}

function positionOf(account: Account, instrumentId: number, product: Product): Position {
  const key = positionKey(instrumentId, product);
  let position = account.positions.get(key);
  if (position === undefined) {
    position = {
      instrumentId,
      product,
      quantity: 0,
      openValuePaise: 0,
      marginPaise: 0,
      realisedPaise: 0,
      dayBuyQty: 0,
      dayBuyValuePaise: 0,
      daySellQty: 0,
      daySellValuePaise: 0,
      tradingDay: '',
      markPaise: 0,
    };
    account.positions.set(key, position);
  }
  return position;
}
