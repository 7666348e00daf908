import type { FixMessage } from './fix-message.ts';
import { MsgType } from './generated/fix-enums.gen.ts';
import { Tag } from './generated/fix-tags.gen.ts';

/** An order or a change of one that is older than this is not sent again: its price was meant for another market. */
export const RESEND_ORDER_MAX_AGE_MS = 3_000;
/** Orders remembered as never having arrived; an F of an older one is sent again and refused by the venue as unknown. */
const LOST_ORDERS_MAX = 10_000;
const MICROS_PER_MILLI = 1000;

/**
 * What an order session sends again when it is asked: no NewOrderSingle (D) and no OrderCancelReplaceRequest (G) older than `maxAgeMs`, and no
 * OrderCancelRequest (F) of an order or a change that was passed over so; everything else always. For `resendable` of a session's settings.
 */
export class OrderResendRule {
  readonly #maxAgeMs: number;
  /** ClOrdID(11) of what was passed over, oldest first. */
  readonly #lost: Set<string> = new Set();

  constructor(maxAgeMs: number = RESEND_ORDER_MAX_AGE_MS) {
    this.#maxAgeMs = maxAgeMs;
  }

  readonly resendable = (message: FixMessage, nowMs: number): boolean => {
    switch (message.msgType) {
      case MsgType.NewOrderSingle:
      case MsgType.OrderCancelReplaceRequest: {
        const lostBase = this.#lost.has(textOf(message, Tag.OrigClOrdID));
        if (!lostBase && message.sendingTimeMicros >= (nowMs - this.#maxAgeMs) * MICROS_PER_MILLI) return true;
        this.#remember(textOf(message, Tag.ClOrdID));
        return false;
      }
      case MsgType.OrderCancelRequest:
        return !this.#lost.has(textOf(message, Tag.OrigClOrdID));
      default:
        return true;
    }
  };

  #remember(clOrdID: string): void {
    if (this.#lost.size >= LOST_ORDERS_MAX) {
      for (const oldest of this.#lost) {
        this.#lost.delete(oldest);
        break;
      }
    }
    this.#lost.add(clOrdID);
  }
}

function textOf(message: FixMessage, tag: number): string {
  const position = message.find(tag, message.bodyPosition);
  return position < 0 ? '' : message.ascii(position);
}
