import { FieldReader, type Parsed } from './field-reader.ts';
import type { FixEncoder } from './fix-encoder.ts';
import type { FixMessage } from './fix-message.ts';
import { FixVersion } from './fix-version.ts';
import {
  BusinessRejectReason,
  MassCancelRejectReason,
  MassCancelRequestType,
  MassCancelResponse,
  MassStatusReqType,
  SessionRejectReason,
  Side,
} from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';

/**
 * Questions about orders, cancels of many at once, and refusals of whole messages, as typed values (FIX 4.4 volume 4; of these 4.2 has
 * OrderStatusRequest and BusinessMessageReject alone). Identifiers are '' where there is none.
 */

/** OrderStatusRequest (H): answered by one ExecutionReport of type OrderStatus. */
export interface OrderStatusRequest {
  /** Comes back in the answer; 4.2 has none. */
  ordStatusReqID: string;
  clOrdID: string;
  symbol: string;
  side: Side;
}

/** OrderMassStatusRequest (AF): answered by an ExecutionReport for each live order it covers, or by one that refuses it. */
export interface OrderMassStatusRequest {
  massStatusReqID: string;
  massStatusReqType: MassStatusReqType;
  /** '' unless the type asks for a security. */
  symbol: string;
}

/** OrderMassCancelRequest (q): answered by an OrderMassCancelReport, and an ExecutionReport for each order that it cancels. */
export interface OrderMassCancelRequest {
  clOrdID: string;
  massCancelRequestType: MassCancelRequestType;
  /** '' unless the type asks for a security. */
  symbol: string;
  /** Null cancels both sides. */
  side: Side | null;
  transactTimeMicros: number;
}

/** OrderMassCancelReport (r). */
export interface OrderMassCancelReport {
  clOrdID: string;
  orderID: string;
  massCancelRequestType: MassCancelRequestType;
  massCancelResponse: MassCancelResponse;
  /** Null unless it was rejected. */
  massCancelRejectReason: MassCancelRejectReason | null;
  totalAffectedOrders: number;
  symbol: string;
  transactTimeMicros: number;
  text: string;
}

/** BusinessMessageReject (j): a message that is right in form and not taken. `admin-messages.ts` writes it. */
export interface BusinessMessageReject {
  /** MsgSeqNum(34) of the message that is refused. */
  refSeqNum: number;
  refMsgType: string;
  /** Its identifier, where the counterparty gives one. */
  businessRejectRefID: string;
  businessRejectReason: BusinessRejectReason;
  text: string;
}

/** Reject (3), as its receiver reads it; `problem` of the sender is `FieldProblem`. */
export interface SessionReject {
  refSeqNum: number;
  refTagID: number;
  sessionRejectReason: SessionRejectReason;
  text: string;
}

export function writeOrderStatusRequest(
  encoder: FixEncoder,
  request: OrderStatusRequest,
  version: FixVersion = FixVersion.Fix44,
): void {
  encoder.ascii(Tag.ClOrdID, request.clOrdID);
  if (request.ordStatusReqID !== '' && version !== FixVersion.Fix42)
    encoder.ascii(Tag.OrdStatusReqID, request.ordStatusReqID);
  encoder.ascii(Tag.Symbol, request.symbol);
  encoder.char(Tag.Side, request.side);
}

export function readOrderStatusRequest(message: FixMessage): Parsed<OrderStatusRequest> {
  const reader = new FieldReader(message);
  return reader.parsed({
    ordStatusReqID: reader.identifier(reader.optional(Tag.OrdStatusReqID)),
    clOrdID: reader.identifier(reader.required(Tag.ClOrdID)),
    symbol: reader.identifier(reader.required(Tag.Symbol)),
    side: reader.char(reader.required(Tag.Side), Side, Side.Buy),
  });
}

export function writeOrderMassStatusRequest(encoder: FixEncoder, request: OrderMassStatusRequest): void {
  encoder.ascii(Tag.MassStatusReqID, request.massStatusReqID);
  encoder.int(Tag.MassStatusReqType, request.massStatusReqType);
  if (request.symbol !== '') encoder.ascii(Tag.Symbol, request.symbol);
}

export function readOrderMassStatusRequest(message: FixMessage): Parsed<OrderMassStatusRequest> {
  const reader = new FieldReader(message);
  const type = reader.required(Tag.MassStatusReqType);
  return reader.parsed({
    massStatusReqID: reader.identifier(reader.required(Tag.MassStatusReqID)),
    massStatusReqType: reader.code(type, MassStatusReqType, MassStatusReqType.StatusForAllOrders),
    symbol: reader.identifier(reader.optional(Tag.Symbol)),
  });
}

export function writeOrderMassCancelRequest(encoder: FixEncoder, request: OrderMassCancelRequest): void {
  encoder.ascii(Tag.ClOrdID, request.clOrdID);
  encoder.char(Tag.MassCancelRequestType, request.massCancelRequestType);
  if (request.symbol !== '') encoder.ascii(Tag.Symbol, request.symbol);
  if (request.side !== null) encoder.char(Tag.Side, request.side);
  encoder.utcTimestampMicros(Tag.TransactTime, request.transactTimeMicros);
}

export function readOrderMassCancelRequest(message: FixMessage): Parsed<OrderMassCancelRequest> {
  const reader = new FieldReader(message);
  const type = reader.required(Tag.MassCancelRequestType);
  const side = reader.optional(Tag.Side);
  return reader.parsed({
    clOrdID: reader.identifier(reader.required(Tag.ClOrdID)),
    massCancelRequestType: reader.char(type, MassCancelRequestType, MassCancelRequestType.CancelAllOrders),
    symbol: reader.identifier(reader.optional(Tag.Symbol)),
    side: side < 0 ? null : reader.char(side, Side, Side.Buy),
    transactTimeMicros: reader.utcTimestampMicros(reader.required(Tag.TransactTime)),
  });
}

export function writeOrderMassCancelReport(encoder: FixEncoder, report: OrderMassCancelReport): void {
  encoder.ascii(Tag.ClOrdID, report.clOrdID);
  encoder.ascii(Tag.OrderID, report.orderID);
  encoder.char(Tag.MassCancelRequestType, report.massCancelRequestType);
  encoder.char(Tag.MassCancelResponse, report.massCancelResponse);
  if (report.massCancelRejectReason !== null) encoder.int(Tag.MassCancelRejectReason, report.massCancelRejectReason);
  encoder.int(Tag.TotalAffectedOrders, report.totalAffectedOrders);
  if (report.symbol !== '') encoder.ascii(Tag.Symbol, report.symbol);
  encoder.utcTimestampMicros(Tag.TransactTime, report.transactTimeMicros);
  if (report.text !== '') encoder.ascii(Tag.Text, report.text);
}

export function readOrderMassCancelReport(message: FixMessage): Parsed<OrderMassCancelReport> {
  const reader = new FieldReader(message);
  const type = reader.required(Tag.MassCancelRequestType);
  const response = reader.required(Tag.MassCancelResponse);
  const reason = reader.optional(Tag.MassCancelRejectReason);
  return reader.parsed({
    clOrdID: reader.identifier(reader.optional(Tag.ClOrdID)),
    orderID: reader.identifier(reader.required(Tag.OrderID)),
    massCancelRequestType: reader.char(type, MassCancelRequestType, MassCancelRequestType.CancelAllOrders),
    massCancelResponse: reader.char(response, MassCancelResponse, MassCancelResponse.CancelRequestRejected),
    massCancelRejectReason:
      reason < 0 ? null : reader.code(reason, MassCancelRejectReason, MassCancelRejectReason.Other),
    totalAffectedOrders: reader.quantity(reader.optional(Tag.TotalAffectedOrders)),
    symbol: reader.identifier(reader.optional(Tag.Symbol)),
    transactTimeMicros: reader.utcTimestampMicros(reader.optional(Tag.TransactTime)),
    text: reader.text(reader.optional(Tag.Text)),
  });
}

export function readBusinessMessageReject(message: FixMessage): Parsed<BusinessMessageReject> {
  const reader = new FieldReader(message);
  const reason = reader.required(Tag.BusinessRejectReason);
  return reader.parsed({
    refSeqNum: reader.quantity(reader.optional(Tag.RefSeqNum)),
    refMsgType: reader.identifier(reader.required(Tag.RefMsgType)),
    businessRejectRefID: reader.identifier(reader.optional(Tag.BusinessRejectRefID)),
    businessRejectReason: reader.code(reason, BusinessRejectReason, BusinessRejectReason.Other),
    text: reader.text(reader.optional(Tag.Text)),
  });
}

export function readSessionReject(message: FixMessage): Parsed<SessionReject> {
  const reader = new FieldReader(message);
  const reason = reader.optional(Tag.SessionRejectReason);
  return reader.parsed({
    refSeqNum: reader.quantity(reader.required(Tag.RefSeqNum)),
    refTagID: reader.quantity(reader.optional(Tag.RefTagID)),
    sessionRejectReason: reader.code(reason, SessionRejectReason, SessionRejectReason.Other),
    text: reader.text(reader.optional(Tag.Text)),
  });
}
