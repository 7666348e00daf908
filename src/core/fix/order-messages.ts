import { FieldReader, type Parsed } from './field-reader.ts';
import type { FixEncoder } from './fix-encoder.ts';
import type { FixMessage } from './fix-message.ts';
import {
  CxlRejReason,
  CxlRejResponseTo,
  ExecType,
  OrdRejReason,
  OrdStatus,
  OrdType,
  Side,
  TimeInForce,
} from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';

/**
 * Order messages as typed values, each with a writer of its body and a reader (FIX 4.4 volume 4). Prices are integer paise,
 * 0 where there is none; identifiers are '' where there is none. A writer follows `session.begin(MsgType…)`.
 */

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

/** ExecutionReport (8). */
export interface ExecutionReport {
  orderID: string;
  clOrdID: string;
  origClOrdID: string;
  execID: string;
  execType: ExecType;
  ordStatus: OrdStatus;
  /** Only on a rejection. */
  ordRejReason: OrdRejReason | null;
  account: string;
  symbol: string;
  side: Side;
  orderQty: number;
  ordType: OrdType;
  pricePaise: number;
  timeInForce: TimeInForce;
  /** Of this execution; both 0 when nothing was traded. */
  lastQty: number;
  lastPxPaise: number;
  leavesQty: number;
  cumQty: number;
  /** Rounded to the paisa, for people to read; money is the sum of LastPx × LastQty. */
  avgPxPaise: number;
  transactTimeMicros: number;
  text: string;
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

export function writeNewOrderSingle(encoder: FixEncoder, order: NewOrderSingle): void {
  encoder.ascii(Tag.ClOrdID, order.clOrdID);
  writeOrderTerms(encoder, order);
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

export function writeOrderCancelReplaceRequest(encoder: FixEncoder, request: OrderCancelReplaceRequest): void {
  encoder.ascii(Tag.OrigClOrdID, request.origClOrdID);
  encoder.ascii(Tag.ClOrdID, request.clOrdID);
  writeOrderTerms(encoder, request);
}

export function readOrderCancelReplaceRequest(message: FixMessage): Parsed<OrderCancelReplaceRequest> {
  const reader = new FieldReader(message);
  const origClOrdID = reader.identifier(reader.required(Tag.OrigClOrdID));
  return reader.parsed({ ...readOrderTerms(reader), origClOrdID });
}

export function writeExecutionReport(encoder: FixEncoder, report: ExecutionReport): void {
  encoder.ascii(Tag.OrderID, report.orderID);
  encoder.ascii(Tag.ClOrdID, report.clOrdID);
  if (report.origClOrdID !== '') encoder.ascii(Tag.OrigClOrdID, report.origClOrdID);
  encoder.ascii(Tag.ExecID, report.execID);
  encoder.char(Tag.ExecType, report.execType);
  encoder.char(Tag.OrdStatus, report.ordStatus);
  if (report.ordRejReason !== null) encoder.int(Tag.OrdRejReason, report.ordRejReason);
  if (report.account !== '') encoder.ascii(Tag.Account, report.account);
  encoder.ascii(Tag.Symbol, report.symbol);
  encoder.char(Tag.Side, report.side);
  encoder.int(Tag.OrderQty, report.orderQty);
  encoder.char(Tag.OrdType, report.ordType);
  if (report.pricePaise !== 0) encoder.pricePaise(Tag.Price, report.pricePaise);
  encoder.char(Tag.TimeInForce, report.timeInForce);
  if (report.lastQty !== 0) {
    encoder.int(Tag.LastQty, report.lastQty);
    encoder.pricePaise(Tag.LastPx, report.lastPxPaise);
  }
  encoder.int(Tag.LeavesQty, report.leavesQty);
  encoder.int(Tag.CumQty, report.cumQty);
  encoder.pricePaise(Tag.AvgPx, report.avgPxPaise);
  encoder.utcTimestampMicros(Tag.TransactTime, report.transactTimeMicros);
  if (report.text !== '') encoder.ascii(Tag.Text, report.text);
}

export function readExecutionReport(message: FixMessage): Parsed<ExecutionReport> {
  const reader = new FieldReader(message);
  const ordRejReason = reader.optional(Tag.OrdRejReason);
  return reader.parsed({
    orderID: reader.identifier(reader.required(Tag.OrderID)),
    clOrdID: reader.identifier(reader.optional(Tag.ClOrdID)),
    origClOrdID: reader.identifier(reader.optional(Tag.OrigClOrdID)),
    execID: reader.identifier(reader.required(Tag.ExecID)),
    execType: reader.char(reader.required(Tag.ExecType), ExecType, ExecType.New),
    ordStatus: reader.char(reader.required(Tag.OrdStatus), OrdStatus, OrdStatus.New),
    ordRejReason: ordRejReason < 0 ? null : reader.code(ordRejReason, OrdRejReason, OrdRejReason.Other),
    account: reader.identifier(reader.optional(Tag.Account)),
    symbol: reader.identifier(reader.required(Tag.Symbol)),
    side: reader.char(reader.required(Tag.Side), Side, Side.Buy),
    orderQty: reader.quantity(reader.optional(Tag.OrderQty)),
    ordType: reader.char(reader.optional(Tag.OrdType), OrdType, OrdType.Market),
    pricePaise: reader.pricePaise(reader.optional(Tag.Price)),
    timeInForce: reader.char(reader.optional(Tag.TimeInForce), TimeInForce, TimeInForce.Day),
    lastQty: reader.quantity(reader.optional(Tag.LastQty)),
    lastPxPaise: reader.pricePaise(reader.optional(Tag.LastPx)),
    leavesQty: reader.quantity(reader.required(Tag.LeavesQty)),
    cumQty: reader.quantity(reader.required(Tag.CumQty)),
    avgPxPaise: reader.roundedPricePaise(reader.required(Tag.AvgPx)),
    transactTimeMicros: reader.utcTimestampMicros(reader.optional(Tag.TransactTime)),
    text: reader.text(reader.optional(Tag.Text)),
  });
}

export function writeOrderCancelReject(encoder: FixEncoder, reject: OrderCancelReject): void {
  encoder.ascii(Tag.OrderID, reject.orderID);
  encoder.ascii(Tag.ClOrdID, reject.clOrdID);
  encoder.ascii(Tag.OrigClOrdID, reject.origClOrdID);
  encoder.char(Tag.OrdStatus, reject.ordStatus);
  encoder.utcTimestampMicros(Tag.TransactTime, reject.transactTimeMicros);
  encoder.char(Tag.CxlRejResponseTo, reject.cxlRejResponseTo);
  encoder.int(Tag.CxlRejReason, reject.cxlRejReason);
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
function writeOrderTerms(encoder: FixEncoder, order: NewOrderSingle): void {
  if (order.account !== '') encoder.ascii(Tag.Account, order.account);
  encoder.ascii(Tag.Symbol, order.symbol);
  encoder.char(Tag.Side, order.side);
  encoder.utcTimestampMicros(Tag.TransactTime, order.transactTimeMicros);
  encoder.int(Tag.OrderQty, order.orderQty);
  encoder.char(Tag.OrdType, order.ordType);
  if (order.pricePaise !== 0) encoder.pricePaise(Tag.Price, order.pricePaise);
  encoder.char(Tag.TimeInForce, order.timeInForce);
}

function readOrderTerms(reader: FieldReader): NewOrderSingle {
  return {
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
