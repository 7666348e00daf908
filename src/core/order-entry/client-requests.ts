import { OrdType, Side, TimeInForce } from '../fix/generated/fix-enums.gen.ts';
import type { NewOrderSingle } from '../fix/order-messages.ts';
import { isPriced, isStop, OrderSide, type OrderTerms, OrderType, type Product, Validity } from '../ledger/order.ts';
import type { PlaceOrder } from '../orders/order-command.ts';
import { accountOf } from '../orders/venue-terms.ts';
import { RefusalCode } from '../refusal-codes.ts';
import { type Refused, refused } from './order-fields.ts';
import { CLIENT_ORDER_ID_LENGTH_MAX, PRICE_PAISE, QUANTITY } from './parse-command.ts';

/** NewOrderSingle (D) of a client as a command; what FIX has and we have not is refused. */
export function placeOrderOf(
  order: NewOrderSingle,
  userId: number,
  product: Product,
): Omit<PlaceOrder, 'origin'> | Refused {
  const { clOrdID, symbol, account } = order;
  if (clOrdID.length > CLIENT_ORDER_ID_LENGTH_MAX)
    return refused(RefusalCode.BadField, `ClOrdID(11) has at most ${CLIENT_ORDER_ID_LENGTH_MAX} characters`);
  if (account !== '' && account !== accountOf(userId))
    return refused(RefusalCode.UnknownAccount, 'Account(1) is not that of the session');
  const side = order.side === Side.Buy ? OrderSide.Buy : order.side === Side.Sell ? OrderSide.Sell : undefined;
  if (side === undefined) return refused(RefusalCode.BadField, 'Side(54) must be 1 or 2');
  const validity = validityOf(order.timeInForce);
  if (validity === undefined) return refused(RefusalCode.ValidityNotAllowed, 'TimeInForce(59) must be 0 or 3');
  const terms = termsOf(order);
  if ('code' in terms) return terms;
  return { type: 'place', userId, symbol, side, product, validity, terms, clientOrderID: clOrdID, dryRun: false };
}

/** Stop is a trader's SL-M, StopLimit SL. */
const TYPES: Readonly<Partial<Record<OrdType, OrderType>>> = {
  [OrdType.Market]: OrderType.Market,
  [OrdType.Limit]: OrderType.Limit,
  [OrdType.Stop]: OrderType.StopMarket,
  [OrdType.StopLimit]: OrderType.StopLimit,
};

/** What an order shall be, of D and G. */
export function termsOf({
  ordType: fixType,
  orderQty,
  pricePaise,
  stopPxPaise = 0,
}: NewOrderSingle): OrderTerms | Refused {
  const ordType = TYPES[fixType];
  if (ordType === undefined) return refused(RefusalCode.BadField, 'OrdType(40) must be 1, 2, 3 or 4');
  if (orderQty < QUANTITY.min || orderQty > QUANTITY.max)
    return refused(RefusalCode.BadQuantity, `OrderQty(38) must be from ${QUANTITY.min} to ${QUANTITY.max}`);
  if (pricePaise > PRICE_PAISE.max) return refused(RefusalCode.BadPrice, 'Price(44) is too high');
  if (stopPxPaise > PRICE_PAISE.max) return refused(RefusalCode.BadTrigger, 'StopPx(99) is too high');
  if (isStop(ordType) !== stopPxPaise > 0)
    return refused(RefusalCode.BadTrigger, 'StopPx(99) belongs to OrdType(40) 3 and 4, and to no other');
  return {
    quantity: orderQty,
    ordType,
    pricePaise: isPriced(ordType) ? pricePaise : 0,
    triggerPricePaise: stopPxPaise,
  };
}

function validityOf(timeInForce: TimeInForce): Validity | undefined {
  if (timeInForce === TimeInForce.Day) return Validity.DAY;
  return timeInForce === TimeInForce.ImmediateOrCancel ? Validity.IOC : undefined;
}
