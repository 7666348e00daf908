import type {
  BusinessRejectReason,
  CxlRejReason,
  MassCancelRejectReason,
  OrdRejReason,
  SessionRejectReason,
} from './generated/fix-enums.gen.ts';

/**
 * Why a request to a venue came to nothing: one number, in bands, that never changes its meaning. 400 to 499 are the venue's band of the refusal codes
 * of an order's way (1xx command, 2xx risk, 3xx ledger).
 *
 * | band       | said by    | it is                                                                                      |
 * | ---------- | ---------- | ------------------------------------------------------------------------------------------ |
 * | 401 to 419 | the gateway | below; nothing was sent, unless it says so                                                |
 * | 420 to 439 | the venue  | ExecutionReport Rejected: 420 + OrdRejReason(103), 439 for 99 and for none                 |
 * | 440 to 449 | the venue  | OrderCancelReject: 440 + CxlRejReason(102), 449 for 99 and for none                        |
 * | 450 to 459 | the venue  | OrderMassCancelReport: 450 + MassCancelRejectReason(532), 459 for 99 and for none          |
 * | 460 to 469 | the venue  | BusinessMessageReject: 460 + BusinessRejectReason(380)                                     |
 * | 470 to 499 | the venue  | Reject (3): 470 + SessionRejectReason(373), 499 for 99 and for none                        |
 */
export const VenueRefusal = {
  /** Taken: it was sent, or waits for its turn. */
  None: 0,
  /** The account's session is not logged on. Its orders are unknown until it is; no other session takes them. */
  SessionDown: 401,
  /** The venue's limit of messages is reached, and as many wait as may. */
  ThrottleFull: 402,
  /** The session's version of FIX has no such message. */
  NotInThisVersion: 403,
  /** A value is empty or has bytes that FIX does not allow. */
  BadValue: 404,
  /** The message would be longer than a message may be. */
  TooLong: 405,
  /** ClOrdID(11) was used before on this gateway and is still known. */
  DuplicateClOrdID: 406,
  /** No live order has this OrigClOrdID(41). */
  UnknownOrder: 407,
  /** As many orders are alive as the gateway keeps. */
  TooManyOrders: 408,
  /** It waited for its turn and was canceled there: it never left. */
  Withdrawn: 409,
  /** The gateway is closing. */
  Closing: 410,
  /** The venue, asked for it, does not know the order: it never arrived, or is long done. */
  NotAtVenue: 411,
} as const;
export type VenueRefusal = (typeof VenueRefusal)[keyof typeof VenueRefusal];

/** A request that came to nothing, as a whole. */
export interface RequestRefused {
  readonly msgType: number;
  /** ClOrdID(11), or MassStatusReqID(584). */
  readonly requestID: string;
  /** A VenueRefusal, or one of the bands 460 and 470. */
  readonly code: number;
  /** The venue's own words, '' when it is not the venue that refuses. */
  readonly text: string;
}

const ORDER_REJECTED = 420;
const CHANGE_REJECTED = 440;
const MASS_CANCEL_REJECTED = 450;
const BUSINESS_REJECTED = 460;
const SESSION_REJECTED = 470;

/** Of an ExecutionReport Rejected. */
export function orderRejectedCode(reason: OrdRejReason | null): number {
  return banded(ORDER_REJECTED, 20, reason);
}

/** Of an OrderCancelReject. */
export function changeRejectedCode(reason: CxlRejReason | null): number {
  return banded(CHANGE_REJECTED, 10, reason);
}

/** Of an OrderMassCancelReport that rejects. */
export function massCancelRejectedCode(reason: MassCancelRejectReason | null): number {
  return banded(MASS_CANCEL_REJECTED, 10, reason);
}

/** Of a BusinessMessageReject. */
export function businessRejectedCode(reason: BusinessRejectReason): number {
  return banded(BUSINESS_REJECTED, 10, reason);
}

/** Of a Reject. */
export function sessionRejectedCode(reason: SessionRejectReason | null): number {
  return banded(SESSION_REJECTED, 30, reason);
}

/** The last code of a band stands for 99, none, and what is beyond. */
function banded(first: number, size: number, reason: number | null): number {
  return first + (reason === null || reason >= size - 1 ? size - 1 : reason);
}
