import { MassCancelRejectReason, MassCancelRequestType, MassCancelResponse } from '../fix/generated/fix-enums.gen.ts';
import type { OrderMassCancelReport, OrderMassCancelRequest } from '../fix/order-status-messages.ts';
import type { CancelAll, CommandReply } from '../orders/order-command.ts';
import { RefusalCode } from '../refusal-codes.ts';
import { refusalText } from './client-refusals.ts';
import { type Refused, refused } from './order-fields.ts';
import { CLIENT_ORDER_ID_LENGTH_MAX } from './parse-command.ts';

const TYPES: Readonly<Partial<Record<MassCancelRequestType, MassCancelResponse>>> = {
  [MassCancelRequestType.CancelAllOrders]: MassCancelResponse.CancelAllOrders,
  [MassCancelRequestType.CancelOrdersForASecurity]: MassCancelResponse.CancelOrdersForASecurity,
};
const NO_ORDER_ID = 'NONE';

/** OrderMassCancelRequest (q) of a client as a command: of all his orders, or of one security's; what else FIX can name is refused. */
export function cancelAllOf(request: OrderMassCancelRequest, userId: number): Omit<CancelAll, 'origin'> | Refused {
  const { clOrdID, massCancelRequestType, symbol, side } = request;
  if (clOrdID.length > CLIENT_ORDER_ID_LENGTH_MAX)
    return refused(RefusalCode.BadField, `ClOrdID(11) has at most ${CLIENT_ORDER_ID_LENGTH_MAX} characters`);
  if (TYPES[massCancelRequestType] === undefined)
    return refused(RefusalCode.BadField, 'MassCancelRequestType(530) must be 1 or 7');
  if (side !== null) return refused(RefusalCode.BadField, 'Side(54) is not taken: both are canceled');
  const isOfSecurity = massCancelRequestType === MassCancelRequestType.CancelOrdersForASecurity;
  if (isOfSecurity !== (symbol !== ''))
    return refused(RefusalCode.BadField, 'Symbol(55) belongs to MassCancelRequestType(530) 1, and to no other');
  return { type: 'cancel-all', userId, symbol, clientOrderID: clOrdID };
}

/** The answer to it; an ExecutionReport for each order follows. */
export function massCancelReport(
  { clOrdID, massCancelRequestType, symbol }: OrderMassCancelRequest,
  reply: Extract<CommandReply, { kind: 'refused' | 'cancels-requested' }>,
  tsMicros: number,
): OrderMassCancelReport {
  const isRefused = reply.kind === 'refused';
  return {
    clOrdID,
    orderID: NO_ORDER_ID,
    massCancelRequestType,
    massCancelResponse: isRefused ? MassCancelResponse.CancelRequestRejected : TYPES[massCancelRequestType]!,
    massCancelRejectReason: isRefused ? rejectReasonOf(reply.code, massCancelRequestType) : null,
    totalAffectedOrders: isRefused ? 0 : reply.requested + reply.canceled,
    symbol,
    transactTimeMicros: tsMicros,
    text: isRefused
      ? refusalText(reply.code, reply.text)
      : reply.left === 0
        ? ''
        : `${reply.left} cannot be asked for now`,
  };
}

function rejectReasonOf(code: number, type: MassCancelRequestType): MassCancelRejectReason {
  if (code === RefusalCode.UnknownSymbol) return MassCancelRejectReason.InvalidOrUnknownSecurity;
  return TYPES[type] === undefined ? MassCancelRejectReason.MassCancelNotSupported : MassCancelRejectReason.Other;
}
