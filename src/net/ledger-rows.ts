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

/**
 * A row as the queries of this module ask for it: its whole numbers in one array, then its texts. Each column of a result costs its reader as much as a value, since
 * every answer describes them anew.
 */
export type Row = readonly (readonly (number | null)[] | number | string | boolean | null)[];

const INT2 = 21;
const INT4 = 23;
const INT8 = 20;
const INT8_ARRAY = 1016;
const BOOL = 16;

/** How values come: whole numbers as numbers, all else as text. */
export const ROW_TYPES = {
  getTypeParser: (oid: number) => {
    if (oid === INT8_ARRAY) return wholeNumbers;
    if (oid === INT8) return wholeNumber;
    if (oid === INT2 || oid === INT4) return Number;
    return oid === BOOL ? (text: string) => text === 't' : (text: string) => text;
  },
};

function wholeNumber(text: string): number {
  return safe(Number(text), text);
}

function safe(value: number, text: string): number {
  if (!Number.isSafeInteger(value)) throw new OutcryError('LEDGER_DAMAGED', `${text} is beyond every amount there is`);
  return value;
}

/** Of one dimension, as the server writes it: `{1,NULL,-3}`. Read in place, in half the time that splitting takes: most of what is read passes here. */
function wholeNumbers(text: string): (number | null)[] {
  const numbers: (number | null)[] = [];
  let value = 0;
  let isNegative = false;
  let isNull = false;
  for (let i = 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= DIGIT_0 && code <= DIGIT_9) {
      value = value * 10 + (code - DIGIT_0);
    } else if (code === MINUS) {
      isNegative = true;
    } else if (code === COMMA || code === BRACE) {
      numbers.push(isNull ? null : safe(isNegative ? -value : value, text));
      value = 0;
      isNegative = false;
      isNull = false;
    } else {
      isNull = true;
    }
  }
  return numbers;
}

const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const MINUS = 0x2d;
const COMMA = 0x2c;
const BRACE = 0x7d;

/** The columns of whole numbers, the first the user's where the table has one. */
function numbers(columns: string): string {
  return `ARRAY[${columns}]::bigint[] AS numbers`;
}

function numbersOf(row: Row): readonly number[] {
  return row[0] as readonly number[];
}

/** Whose a row is. */
export function userIdOf(row: Row): number {
  return numbersOf(row)[0]!;
}

/** Amounts posted, in the order of `LedgerAccount`. */
const POSTING_COLUMNS =
  'available_paise, held_paise, margin_paise, bank_paise, exchange_paise, brokerage_paise, stt_paise, exchange_fees_paise, sebi_fees_paise, stamp_duty_paise, gst_paise, depository_fees_paise';
const POSTED_TO = Object.values(LedgerAccount);
/** Of an event's numbers the first that is a posting. */
const POSTINGS_AT = 6;

export const EVENT_COLUMNS = `${numbers(`user_id, seq, ts_micros, order_id, instrument_id, product, ${POSTING_COLUMNS}`)}, detail`;

/** One event by its key, for each row of what stands before it: as a join, the planner might read them all, since it cannot know of how few users and numbers it is. */
export function eventBy(userId: string, seq: string): string {
  return `SELECT ${EVENT_COLUMNS} FROM outcry.ledger_events WHERE user_id = ${userId} AND seq = ${seq} OFFSET 0`;
}

export function eventOf(row: Row): LedgerEvent {
  const values = numbersOf(row);
  const postings: Posting[] = [];
  for (let i = 0; i < POSTED_TO.length; i++) {
    const amountPaise = values[POSTINGS_AT + i] as number | null;
    if (amountPaise !== null) postings.push({ account: POSTED_TO[i]!, amountPaise });
  }
  return {
    userId: values[0]!,
    seq: values[1]!,
    tsMicros: values[2]!,
    orderID: values[3]!,
    instrumentId: values[4]!,
    product: values[5] as Product | 0,
    postings,
    detail: JSON.parse(row[1] as string) as EventDetail,
  };
}

export const ORDER_COLUMNS = `${numbers(
  'user_id, order_id, instrument_id, side, product, validity, placed_micros, status, quantity, ord_type, price_paise, trigger_price_paise, version, venue_version, cum_qty, cum_value_paise, exposure_qty, hold_price_paise, hold_paise, brokerage_paise, refusal_code, updated_micros',
)}, client_order_id, venue_order_id, pending_changes, text`;

export function orderOf(row: Row): Order {
  const values = numbersOf(row);
  const pendingChanges = row[3] as string;
  return {
    orderID: values[1]!,
    userId: values[0]!,
    instrumentId: values[2]!,
    side: values[3] as OrderSide,
    product: values[4] as Product,
    validity: values[5] as Validity,
    clientOrderID: row[1] as string,
    placedMicros: values[6]!,
    status: values[7] as OrderStatus,
    terms: {
      quantity: values[8]!,
      ordType: values[9] as OrderType,
      pricePaise: values[10]!,
      triggerPricePaise: values[11]!,
    },
    version: values[12]!,
    venueVersion: values[13]!,
    venueOrderID: row[2] as string,
    pendingChanges: pendingChanges === '[]' ? [] : (JSON.parse(pendingChanges) as PendingChange[]),
    cumQty: values[14]!,
    cumValuePaise: values[15]!,
    exposureQty: values[16]!,
    holdPricePaise: values[17]!,
    holdPaise: values[18]!,
    brokeragePaise: values[19]!,
    refusalCode: values[20]!,
    text: row[4] as string,
    updatedMicros: values[21]!,
  };
}

export const POSITION_COLUMNS = `${numbers(
  'user_id, instrument_id, product, quantity, open_value_paise, margin_paise, realised_paise, day_buy_qty, day_buy_value_paise, day_sell_qty, day_sell_value_paise, mark_paise',
)}, trading_day`;

export function positionOf(row: Row): Position {
  const values = numbersOf(row);
  return {
    instrumentId: values[1]!,
    product: values[2] as Product,
    quantity: values[3]!,
    openValuePaise: values[4]!,
    marginPaise: values[5]!,
    realisedPaise: values[6]!,
    dayBuyQty: values[7]!,
    dayBuyValuePaise: values[8]!,
    daySellQty: values[9]!,
    daySellValuePaise: values[10]!,
    tradingDay: row[1] as string,
    markPaise: values[11]!,
  };
}

export const HOLDING_COLUMNS = numbers('user_id, instrument_id, quantity, value_paise, mark_paise');

export function holdingOf(row: Row): Holding {
  const values = numbersOf(row);
  return {
    instrumentId: values[1]!,
    quantity: values[2]!,
    valuePaise: values[3]!,
    markPaise: values[4]!,
  };
}

export const TRADE_COLUMNS = `${numbers(
  'user_id, seq, order_id, instrument_id, quantity, price_paise, charges_paise, ts_micros',
)}, venue, trading_day, exec_id, exec_ref_id`;

export function tradeOf(row: Row): TradeRow {
  const values = numbersOf(row);
  return {
    userId: values[0]!,
    seq: values[1]!,
    orderID: values[2]!,
    instrumentId: values[3]!,
    venue: row[1] as string,
    tradingDay: row[2] as string,
    execID: row[3] as string,
    execRefID: row[4] as string,
    quantity: values[4]!,
    pricePaise: values[5]!,
    chargesPaise: values[6]!,
    tsMicros: values[7]!,
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

export const FUNDS_COLUMNS = `${numbers(
  'user_id, last_seq, available_paise, held_paise, margin_paise, total_value_paise',
)}, frozen_reason`;

export function fundsOf(row: Row): Funds {
  const values = numbersOf(row);
  return {
    userId: values[0]!,
    seq: values[1]!,
    availablePaise: values[2]!,
    heldPaise: values[3]!,
    marginPaise: values[4]!,
    totalValuePaise: values[5]!,
    frozenReason: row[1] as string,
  };
}

export const SESSION_COLUMNS = `${numbers('epoch, last_sent_seqnum, last_received_seqnum')}, session_id, session_state`;

export function sessionOf(row: Row): FixSessionRow {
  const values = numbersOf(row);
  return {
    sessionName: row[1] as string,
    epoch: values[0]!,
    lastSentSeqNum: values[1]!,
    lastReceivedSeqNum: values[2]!,
    state: row[2] as FixSessionRow['state'],
  };
}
