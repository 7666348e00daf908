import { OutcryError } from '../core/errors.ts';
import type { Holding, Position } from '../core/ledger/account.ts';
import type { FixSessionRow, TradeRow } from '../core/ledger/ledger-batch.ts';
import { type EventDetail, LedgerAccount, type LedgerEvent, type Posting } from '../core/ledger/ledger-event.ts';
import type {
  Order,
  OrderSide,
  OrderStatus,
  OrderType,
  PendingChange,
  Product,
  Validity,
} from '../core/ledger/order.ts';

/** A row as the queries of this module ask for it: values in the order of their columns. */
export type Row = readonly (number | string | boolean | null)[];

const INT2 = 21;
const INT4 = 23;
const INT8 = 20;
const BOOL = 16;

/** How values come: whole numbers as numbers, all else as text. */
export const ROW_TYPES = {
  getTypeParser: (oid: number) => {
    if (oid === INT8) return wholeNumber;
    if (oid === INT2 || oid === INT4) return Number;
    return oid === BOOL ? (text: string) => text === 't' : (text: string) => text;
  },
};

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new OutcryError('LEDGER_DAMAGED', `${text} is beyond every amount there is`);
  return value;
}

/** Amounts posted, in the order of `LedgerAccount`. */
const POSTING_COLUMNS =
  'available_paise, held_paise, margin_paise, bank_paise, exchange_paise, brokerage_paise, stt_paise, exchange_fees_paise, sebi_fees_paise, stamp_duty_paise, gst_paise, depository_fees_paise';
const POSTED_TO = Object.values(LedgerAccount);

/** Postings come as one text, since each column of a result costs its reader as much as a value: amounts with commas between them, nothing where nothing is posted. */
export const EVENT_COLUMNS = `user_id, seq, ts_micros, order_id, instrument_id, product, detail, array_to_string(ARRAY[${POSTING_COLUMNS}], ',', '') AS postings`;

/** One event by its key, for each row of what stands before it: as a join, the planner might read them all, since it cannot know of how few users and numbers it is. */
export function eventBy(userId: string, seq: string): string {
  return `SELECT ${EVENT_COLUMNS} FROM outcry.ledger_events WHERE user_id = ${userId} AND seq = ${seq} OFFSET 0`;
}

export function eventOf(row: Row): LedgerEvent {
  const [userId, seq, tsMicros, orderID, instrumentId, product, detail, amounts] = row;
  const postings: Posting[] = [];
  (amounts as string).split(',').forEach((amount, i) => {
    if (amount !== '') postings.push({ account: POSTED_TO[i]!, amountPaise: wholeNumber(amount) });
  });
  return {
    userId: userId as number,
    seq: seq as number,
    tsMicros: tsMicros as number,
    orderID: orderID as number,
    instrumentId: instrumentId as number,
    product: product as Product | 0,
    postings,
    detail: JSON.parse(detail as string) as EventDetail,
  };
}

export const ORDER_COLUMNS =
  'order_id, user_id, instrument_id, side, product, validity, client_order_id, placed_micros, status, quantity, ord_type, price_paise, trigger_price_paise, version, venue_version, venue_order_id, pending_changes, cum_qty, cum_value_paise, exposure_qty, hold_price_paise, hold_paise, brokerage_paise, refusal_code, text, updated_micros';

export function orderOf(row: Row): Order {
  const pendingChanges = row[16] as string;
  return {
    orderID: row[0] as number,
    userId: row[1] as number,
    instrumentId: row[2] as number,
    side: row[3] as OrderSide,
    product: row[4] as Product,
    validity: row[5] as Validity,
    clientOrderID: row[6] as string,
    placedMicros: row[7] as number,
    status: row[8] as OrderStatus,
    terms: {
      quantity: row[9] as number,
      ordType: row[10] as OrderType,
      pricePaise: row[11] as number,
      triggerPricePaise: row[12] as number,
    },
    version: row[13] as number,
    venueVersion: row[14] as number,
    venueOrderID: row[15] as string,
    pendingChanges: pendingChanges === '[]' ? [] : (JSON.parse(pendingChanges) as PendingChange[]),
    cumQty: row[17] as number,
    cumValuePaise: row[18] as number,
    exposureQty: row[19] as number,
    holdPricePaise: row[20] as number,
    holdPaise: row[21] as number,
    brokeragePaise: row[22] as number,
    refusalCode: row[23] as number,
    text: row[24] as string,
    updatedMicros: row[25] as number,
  };
}

export const POSITION_COLUMNS =
  'user_id, instrument_id, product, quantity, open_value_paise, margin_paise, realised_paise, day_buy_qty, day_buy_value_paise, day_sell_qty, day_sell_value_paise, trading_day, mark_paise';

export function positionOf(row: Row): Position {
  return {
    instrumentId: row[1] as number,
    product: row[2] as Product,
    quantity: row[3] as number,
    openValuePaise: row[4] as number,
    marginPaise: row[5] as number,
    realisedPaise: row[6] as number,
    dayBuyQty: row[7] as number,
    dayBuyValuePaise: row[8] as number,
    daySellQty: row[9] as number,
    daySellValuePaise: row[10] as number,
    tradingDay: row[11] as string,
    markPaise: row[12] as number,
  };
}

export const HOLDING_COLUMNS = 'user_id, instrument_id, quantity, value_paise, mark_paise';

export function holdingOf(row: Row): Holding {
  return {
    instrumentId: row[1] as number,
    quantity: row[2] as number,
    valuePaise: row[3] as number,
    markPaise: row[4] as number,
  };
}

export const TRADE_COLUMNS =
  'user_id, seq, order_id, instrument_id, venue, trading_day, exec_id, exec_ref_id, quantity, price_paise, charges_paise, ts_micros';

export function tradeOf(row: Row): TradeRow {
  return {
    userId: row[0] as number,
    seq: row[1] as number,
    orderID: row[2] as number,
    instrumentId: row[3] as number,
    venue: row[4] as string,
    tradingDay: row[5] as string,
    execID: row[6] as string,
    execRefID: row[7] as string,
    quantity: row[8] as number,
    pricePaise: row[9] as number,
    chargesPaise: row[10] as number,
    tsMicros: row[11] as number,
  };
}

/** What an account has, as of its last event. */
export interface Funds {
  readonly userId: number;
  readonly seq: number;
  readonly availablePaise: number;
  readonly heldPaise: number;
  readonly marginPaise: number;
  readonly totalValuePaise: number;
  readonly frozenReason: string;
}

export const FUNDS_COLUMNS =
  'user_id, last_seq, available_paise, held_paise, margin_paise, total_value_paise, frozen_reason';

export function fundsOf(row: Row): Funds {
  return {
    userId: row[0] as number,
    seq: row[1] as number,
    availablePaise: row[2] as number,
    heldPaise: row[3] as number,
    marginPaise: row[4] as number,
    totalValuePaise: row[5] as number,
    frozenReason: row[6] as string,
  };
}

export const SESSION_COLUMNS = 'session_id, epoch, last_sent_seqnum, last_received_seqnum, session_state';

export function sessionOf(row: Row): FixSessionRow {
  return {
    sessionName: row[0] as string,
    epoch: row[1] as number,
    lastSentSeqNum: row[2] as number,
    lastReceivedSeqNum: row[3] as number,
    state: row[4] as FixSessionRow['state'],
  };
}
