import { assert } from '../assert.ts';
import { type Account, positionKey } from './account.ts';
import { contractNoteRounding } from './charges.ts';
import { EventType, type LedgerEvent } from './ledger-event.ts';
import { Product } from './order.ts';
import { tradeInto } from './position-value.ts';
import { type PostingList, transferCharges } from './postings.ts';

/**
 * T+1: what was bought and sold for delivery until `tradingDay` goes into the holding, or leaves it, and a sale's gain over what the shares cost is told. Null when
 * the account has nothing in the instrument to be settled.
 */
export function positionSettled(
  account: Account,
  instrumentId: number,
  tradingDay: string,
  tsMicros: number,
): LedgerEvent | null {
  const position = account.positions.get(positionKey(instrumentId, Product.CNC));
  if (position === undefined || position.quantity === 0) return null;
  const holding = account.holdings.get(instrumentId);
  const quantity = holding?.quantity ?? 0;
  const valuePaise = holding?.valuePaise ?? 0;
  const after = tradeInto({ quantity, openValuePaise: valuePaise }, position.quantity, position.openValuePaise);
  return {
    userId: account.userId,
    seq: account.seq + 1,
    tsMicros,
    orderID: 0,
    instrumentId,
    product: Product.CNC,
    postings: [],
    detail: {
      type: EventType.PositionSettled,
      tradingDay,
      holdingQuantity: position.quantity,
      holdingValuePaise: after.openValuePaise - valuePaise,
      position: { quantity: 0, openValuePaise: 0, marginPaise: 0, realisedPaise: after.realisedPaise },
    },
  };
}

/** The contract note of all executions since the last one; it posts what rounding makes of their charges. */
export function contractNoteIssued(account: Account, tsMicros: number): LedgerEvent {
  const { tradingDay, executionCount, charges: dayCharges } = account.noteDue;
  assert(executionCount > 0, 'a contract note is of executions');
  const charges = contractNoteRounding(dayCharges);
  const postings: PostingList = [];
  transferCharges(postings, charges);
  return {
    userId: account.userId,
    seq: account.seq + 1,
    tsMicros,
    orderID: 0,
    instrumentId: 0,
    product: 0,
    postings,
    detail: { type: EventType.ContractNoteIssued, tradingDay, charges },
  };
}
