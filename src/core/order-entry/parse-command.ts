import type { ControlMap } from '../fan-out/control-codec.ts';
import { type OrderTerms, OrderType, Validity } from '../ledger/order.ts';
import type { CancelAll, CancelOrder, ModifyOrder, OrderCommand, PlaceOrder } from '../orders/order-command.ts';
import { RefusalCode } from '../refusal-codes.ts';
import { type FieldReader, type IntegerRule, type Refused, readFields, refused } from './order-fields.ts';
import { ORDER_TYPES, PRODUCTS, SIDES, VALIDITIES } from './order-names.ts';

/** Their product is an amount in paise that a double holds exactly, with charges and sums of it. */
export const QUANTITY: IntegerRule = { min: 1, max: 1_000_000 };
export const PRICE_PAISE: IntegerRule = { min: 1, max: 1_000_000_000 };
export const ORDER_ID: IntegerRule = { min: 1, max: Number.MAX_SAFE_INTEGER };
export const CLIENT_ORDER_ID_LENGTH_MAX = 36;
const SYMBOL_LENGTH_MAX = 64;

/** Actions that ask for a change of an account. */
export type CommandAction = 'place' | 'modify' | 'cancel' | 'cancel_all';
type Body<C extends OrderCommand> = Omit<C, 'userId' | 'origin'>;
/** A trader's command, but for who he is and where he waits. */
export type TraderCommand = Body<PlaceOrder> | Body<ModifyOrder> | Body<CancelOrder> | Body<CancelAll>;

const READERS: Readonly<Record<CommandAction, (fields: FieldReader) => TraderCommand>> = {
  place: readPlace,
  modify: readModify,
  cancel: readCancel,
  cancel_all: readCancelAll,
};

export function isCommandAction(action: unknown): action is CommandAction {
  return typeof action === 'string' && Object.hasOwn(READERS, action);
}

/** A request of a client as a command: shape and size alone are judged here. See `ws-protocol.md` for the fields. */
export function parseCommand(request: ControlMap): TraderCommand | Refused {
  const { action } = request;
  if (!isCommandAction(action))
    return refused(RefusalCode.BadRequest, 'action must be place, modify, cancel or cancel_all');
  return readFields(request, READERS[action]);
}

function readPlace(fields: FieldReader): Body<PlaceOrder> {
  return {
    type: 'place',
    symbol: fields.text('symbol', 1, SYMBOL_LENGTH_MAX),
    side: fields.choice('side', SIDES),
    product: fields.choice('product', PRODUCTS),
    terms: readTerms(fields),
    validity: fields.choice('validity', VALIDITIES, Validity.DAY),
    clientOrderID: fields.text('clientOrderId', 0, CLIENT_ORDER_ID_LENGTH_MAX),
    dryRun: fields.flag('dryRun'),
  };
}

function readModify(fields: FieldReader): Body<ModifyOrder> {
  return { type: 'modify', orderID: fields.integer('orderId', ORDER_ID), terms: readTerms(fields) };
}

function readCancel(fields: FieldReader): Body<CancelOrder> {
  return { type: 'cancel', orderID: fields.integer('orderId', ORDER_ID) };
}

function readCancelAll(fields: FieldReader): Body<CancelAll> {
  return { type: 'cancel-all', symbol: fields.text('symbol', 0, SYMBOL_LENGTH_MAX) };
}

function readTerms(fields: FieldReader): OrderTerms {
  const ordType = fields.choice('orderType', ORDER_TYPES);
  const isLimit = ordType === OrderType.Limit || ordType === OrderType.StopLimit;
  const isStop = ordType === OrderType.StopLimit || ordType === OrderType.StopMarket;
  return {
    ordType,
    quantity: fields.integer('quantity', QUANTITY),
    pricePaise: isLimit ? fields.integer('pricePaise', PRICE_PAISE) : fields.zero('pricePaise', 'for MARKET and SL-M'),
    triggerPricePaise: isStop
      ? fields.integer('triggerPricePaise', PRICE_PAISE)
      : fields.zero('triggerPricePaise', 'for MARKET and LIMIT'),
  };
}
