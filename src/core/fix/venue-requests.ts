import type { FixEncoder } from './fix-encoder.ts';
import type { FixVersion } from './fix-version.ts';
import { MsgType } from './generated/fix-enums.gen.ts';
import {
  type NewOrderSingle,
  type OrderCancelReplaceRequest,
  type OrderCancelRequest,
  writeNewOrderSingle,
  writeOrderCancelReplaceRequest,
  writeOrderCancelRequest,
} from './order-messages.ts';
import {
  type OrderMassCancelRequest,
  type OrderMassStatusRequest,
  type OrderStatusRequest,
  writeOrderMassCancelRequest,
  writeOrderMassStatusRequest,
  writeOrderStatusRequest,
} from './order-status-messages.ts';

/** A counterparty that rejects answers within seconds; this is more than a session sends in them. */
const REQUESTS_REMEMBERED = 8_192;

/** Everything that is sent to a venue about orders, by its MsgType(35). */
export type VenueRequest =
  | { readonly msgType: typeof MsgType.NewOrderSingle; readonly body: NewOrderSingle }
  | { readonly msgType: typeof MsgType.OrderCancelRequest; readonly body: OrderCancelRequest }
  | { readonly msgType: typeof MsgType.OrderCancelReplaceRequest; readonly body: OrderCancelReplaceRequest }
  | { readonly msgType: typeof MsgType.OrderStatusRequest; readonly body: OrderStatusRequest }
  | { readonly msgType: typeof MsgType.OrderMassCancelRequest; readonly body: OrderMassCancelRequest }
  | { readonly msgType: typeof MsgType.OrderMassStatusRequest; readonly body: OrderMassStatusRequest };

/** Writes the body of a request behind `session.begin(request.msgType)`. */
export function writeVenueRequest(encoder: FixEncoder, request: VenueRequest, version: FixVersion): void {
  switch (request.msgType) {
    case MsgType.NewOrderSingle:
      writeNewOrderSingle(encoder, request.body, version);
      break;
    case MsgType.OrderCancelRequest:
      writeOrderCancelRequest(encoder, request.body);
      break;
    case MsgType.OrderCancelReplaceRequest:
      writeOrderCancelReplaceRequest(encoder, request.body, version);
      break;
    case MsgType.OrderStatusRequest:
      writeOrderStatusRequest(encoder, request.body, version);
      break;
    case MsgType.OrderMassCancelRequest:
      writeOrderMassCancelRequest(encoder, request.body);
      break;
    case MsgType.OrderMassStatusRequest:
      writeOrderMassStatusRequest(encoder, request.body);
      break;
    default:
      request satisfies never;
  }
}

/** What a request is known by: its ClOrdID(11), or the MassStatusReqID(584) of an AF. */
export function requestID(request: VenueRequest): string {
  return request.msgType === MsgType.OrderMassStatusRequest ? request.body.massStatusReqID : request.body.clOrdID;
}

/** Requests by the MsgSeqNum(34) they left under, for a Reject that names it: the last `REQUESTS_REMEMBERED`. */
export class SentRequests {
  readonly #requests: (VenueRequest | undefined)[] = new Array(REQUESTS_REMEMBERED).fill(undefined);
  readonly #msgSeqNums = new Float64Array(REQUESTS_REMEMBERED);

  add(msgSeqNum: number, request: VenueRequest): void {
    const slot = msgSeqNum % REQUESTS_REMEMBERED;
    this.#requests[slot] = request;
    this.#msgSeqNums[slot] = msgSeqNum;
  }

  find(msgSeqNum: number): VenueRequest | undefined {
    const slot = msgSeqNum % REQUESTS_REMEMBERED;
    return this.#msgSeqNums[slot] === msgSeqNum ? this.#requests[slot] : undefined;
  }

  /** Numbers begin anew: none of before means anything. */
  clear(): void {
    this.#requests.fill(undefined);
    this.#msgSeqNums.fill(0);
  }
}
