import { FieldReader, type Parsed } from './field-reader.ts';
import type { FixEncoder } from './fix-encoder.ts';
import type { FixMessage } from './fix-message.ts';
import { FixVersion } from './fix-version.ts';
import { CxlRejReason, CxlRejResponseTo, OrdStatus, OrdType, Side, TimeInForce } from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';

/**
 * Orders and changes to them as typed values, each with a writer of its body and a reader (FIX 4.4 volume 4, FIX 4.2 volume 4). Prices are
 * integer paise, 0 where there is none; identifiers are '' where there is none. A writer follows `session.begin(MsgType…)`.
 */

/** HandlInst(21): automated execution, no broker intervention. 4.2 asks for it with every order, 4.4 does not. */
const AUTOMATED_EXECUTION = 49;
/** The last CxlRejReason(102) that 4.2 has; later ones go out as 2, broker's option. */
const CXL_REJ_REASON_42_MAX = CxlRejReason.OrderAlreadyInPendingCancelOrPendingReplaceStatus;

/** NewOrderSingle (D). */
export interface NewOrderSingle {
  clOrdID: string;
  account: string;
  symbol: string;
  side: Side;
  orderQty: number;
  ordType: OrdType;
  /** Of a limit order. */
  pricePaise: number;
  /** StopPx(99) of a stop order; left out for others. */
  stopPxPaise?: number;
  timeInForce: TimeInForce;
  transactTimeMicros: number;
}

/** OrderCancelRequest (F). */
export interface OrderCancelRequest {
  clOrdID: string;
  origClOrdID: string;
  symbol: string;
  side: Side;
  orderQty: number;
  transactTimeMicros: number;
}

/** OrderCancelReplaceRequest (G): the order as it shall be. */
export interface OrderCancelReplaceRequest extends NewOrderSingle {
  origClOrdID: string;
}

/** OrderCancelReject (9). */
export interface OrderCancelReject {
  orderID: string;
  clOrdID: string;
  origClOrdID: string;
  ordStatus: OrdStatus;
  cxlRejResponseTo: CxlRejResponseTo;
  cxlRejReason: CxlRejReason;
  transactTimeMicros: number;
  text: string;
}

export function writeNewOrderSingle(
  encoder: FixEncoder,
  order: NewOrderSingle,
  version: FixVersion = FixVersion.Fix44,
): void {
  encoder.ascii(Tag.ClOrdID, order.clOrdID);
  writeOrderTerms(encoder, order, version);
}

export function readNewOrderSingle(message: FixMessage): Parsed<NewOrderSingle> {
  const reader = new FieldReader(message);
  return reader.parsed(readOrderTerms(reader));
}

export function writeOrderCancelRequest(encoder: FixEncoder, request: OrderCancelRequest): void {
  encoder.ascii(Tag.OrigClOrdID, request.origClOrdID);
  encoder.ascii(Tag.ClOrdID, request.clOrdID);
  encoder.ascii(Tag.Symbol, request.symbol);
  encoder.char(Tag.Side, request.side);
  encoder.utcTimestampMicros(Tag.TransactTime, request.transactTimeMicros);
  encoder.int(Tag.OrderQty, request.orderQty);
}

export function readOrderCancelRequest(message: FixMessage): Parsed<OrderCancelRequest> {
  const reader = new FieldReader(message);
  return reader.parsed({
    clOrdID: reader.identifier(reader.required(Tag.ClOrdID)),
    origClOrdID: reader.identifier(reader.required(Tag.OrigClOrdID)),
    symbol: reader.identifier(reader.required(Tag.Symbol)),
    side: reader.char(reader.required(Tag.Side), Side, Side.Buy),
    orderQty: reader.quantity(reader.required(Tag.OrderQty)),
    transactTimeMicros: reader.utcTimestampMicros(reader.required(Tag.TransactTime)),
  });
}

export function writeOrderCancelReplaceRequest(
  encoder: FixEncoder,
  request: OrderCancelReplaceRequest,
  version: FixVersion = FixVersion.Fix44,
): void {
  encoder.ascii(Tag.OrigClOrdID, request.origClOrdID);
  encoder.ascii(Tag.ClOrdID, request.clOrdID);
  writeOrderTerms(encoder, request, version);
}

export function readOrderCancelReplaceRequest(message: FixMessage): Parsed<OrderCancelReplaceRequest> {
  const reader = new FieldReader(message);
  const origClOrdID = reader.identifier(reader.required(Tag.OrigClOrdID));
  return reader.parsed({ ...readOrderTerms(reader), origClOrdID });
}

export function writeOrderCancelReject(
  encoder: FixEncoder,
  reject: OrderCancelReject,
  version: FixVersion = FixVersion.Fix44,
): void {
  const { cxlRejReason } = reject;
  const isKnown = version === FixVersion.Fix44 || cxlRejReason <= CXL_REJ_REASON_42_MAX;
  encoder.ascii(Tag.OrderID, reject.orderID);
  encoder.ascii(Tag.ClOrdID, reject.clOrdID);
  encoder.ascii(Tag.OrigClOrdID, reject.origClOrdID);
  encoder.char(Tag.OrdStatus, reject.ordStatus);
  encoder.utcTimestampMicros(Tag.TransactTime, reject.transactTimeMicros);
  encoder.char(Tag.CxlRejResponseTo, reject.cxlRejResponseTo);
  encoder.int(Tag.CxlRejReason, isKnown ? cxlRejReason : CxlRejReason.Broker);
  if (reject.text !== '') encoder.ascii(Tag.Text, reject.text);
}

export function readOrderCancelReject(message: FixMessage): Parsed<OrderCancelReject> {
  const reader = new FieldReader(message);
  const responseTo = reader.required(Tag.CxlRejResponseTo);
  return reader.parsed({
    orderID: reader.identifier(reader.required(Tag.OrderID)),
    clOrdID: reader.identifier(reader.required(Tag.ClOrdID)),
    origClOrdID: reader.identifier(reader.required(Tag.OrigClOrdID)),
    ordStatus: reader.char(reader.required(Tag.OrdStatus), OrdStatus, OrdStatus.New),
    cxlRejResponseTo: reader.char(responseTo, CxlRejResponseTo, CxlRejResponseTo.OrderCancelRequest),
    cxlRejReason: reader.code(reader.optional(Tag.CxlRejReason), CxlRejReason, CxlRejReason.Other),
    transactTimeMicros: reader.utcTimestampMicros(reader.optional(Tag.TransactTime)),
    text: reader.text(reader.optional(Tag.Text)),
  });
}

/** What D and G have in common, after their identifiers. */
function writeOrderTerms(encoder: FixEncoder, order: NewOrderSingle, version: FixVersion): void {
  if (order.account !== '') encoder.ascii(Tag.Account, order.account);
  if (version === FixVersion.Fix42) encoder.char(Tag.HandlInst, AUTOMATED_EXECUTION);
  encoder.ascii(Tag.Symbol, order.symbol);
  encoder.char(Tag.Side, order.side);
  encoder.utcTimestampMicros(Tag.TransactTime, order.transactTimeMicros);
  encoder.int(Tag.OrderQty, order.orderQty);
  encoder.char(Tag.OrdType, order.ordType);
  if (order.pricePaise !== 0) encoder.pricePaise(Tag.Price, order.pricePaise);
  if (order.stopPxPaise !== undefined) encoder.pricePaise(Tag.StopPx, order.stopPxPaise);
  encoder.char(Tag.TimeInForce, order.timeInForce);
}

function readOrderTerms(reader: FieldReader): NewOrderSingle {
  const stopPxPaise = reader.pricePaise(reader.optional(Tag.StopPx));
  return {
    ...(stopPxPaise === 0 ? {} : { stopPxPaise }),
    clOrdID: reader.identifier(reader.required(Tag.ClOrdID)),
    account: reader.identifier(reader.optional(Tag.Account)),
    symbol: reader.identifier(reader.required(Tag.Symbol)),
    side: reader.char(reader.required(Tag.Side), Side, Side.Buy),
    orderQty: reader.quantity(reader.required(Tag.OrderQty)),
    ordType: reader.char(reader.required(Tag.OrdType), OrdType, OrdType.Market),
    pricePaise: reader.pricePaise(reader.optional(Tag.Price)),
    timeInForce: reader.char(reader.optional(Tag.TimeInForce), TimeInForce, TimeInForce.Day),
    transactTimeMicros: reader.utcTimestampMicros(reader.required(Tag.TransactTime)),
  };
}
