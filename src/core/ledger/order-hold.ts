import { boundCharges, type ChargeTable, chargesPaise, NO_CHARGES, orderBrokeragePaise } from './charges.ts';
import { rateCeil } from './exact-arithmetic.ts';
import type { MoneyRules } from './money-rules.ts';
import { isPriced, type Order, OrderSide, type OrderTerms, Product } from './order.ts';

/** What decides how much an order holds. */
export type HeldOrder = Pick<
  Order,
  | 'side'
  | 'product'
  | 'terms'
  | 'holdPricePaise'
  | 'pendingChanges'
  | 'cumQty'
  | 'cumValuePaise'
  | 'brokeragePaise'
  | 'exposureQty'
>;

/** An order with other terms in force and other changes unanswered. */
export function withTerms(
  order: HeldOrder,
  terms: OrderTerms,
  holdPricePaise: number,
  pendingChanges: HeldOrder['pendingChanges'],
): HeldOrder {
  const { side, product, cumQty, cumValuePaise, brokeragePaise, exposureQty } = order;
  return {
    side,
    product,
    terms,
    holdPricePaise,
    pendingChanges,
    cumQty,
    cumValuePaise,
    brokeragePaise,
    exposureQty,
  };
}

/** The price that a unit of an order is held at: the worst that it should trade at. `upperPaise` is the top of the price band. */
export function holdPricePaise(
  side: OrderSide,
  product: Product,
  terms: OrderTerms,
  lastPaise: number,
  upperPaise: number,
): number {
  if (!isPriced(terms.ordType)) return upperPaise;
  // A short is margined by what it sells at, and that is the market's price when the limit is below it.
  const isShortable = side === OrderSide.Sell && product !== Product.CNC;
  return isShortable ? Math.max(terms.pricePaise, lastPaise) : terms.pricePaise;
}

/** Units still to come by the terms in force or by those of an unanswered change, whichever are more. */
export function maxLeavesQty(order: Pick<Order, 'terms' | 'pendingChanges' | 'cumQty'>): number {
  let quantity = order.terms.quantity;
  for (let i = 0; i < order.pendingChanges.length; i++) {
    const terms = order.pendingChanges[i]!.terms;
    if (terms !== null && terms.quantity > quantity) quantity = terms.quantity;
  }
  return Math.max(0, quantity - order.cumQty);
}

/** An order of the square-off is held at no price: what it may cost is less than what the open position may. */
export function isHeldFor(order: Pick<Order, 'holdPricePaise'>): boolean {
  return order.holdPricePaise > 0;
}

/** Units of what is still to come that close a position. */
export function closingQty(order: HeldOrder): number {
  return maxLeavesQty(order) - order.exposureQty;
}

/** What an order counts on to close; a CNC sale never opens anything. */
export function claimedQty(order: HeldOrder): number {
  return order.product === Product.CNC && order.side === OrderSide.Sell ? Number.POSITIVE_INFINITY : closingQty(order);
}

/** The hold of an order, and how many of its units may open or enlarge a position. */
export type OrderHold = Pick<Order, 'holdPaise' | 'exposureQty'>;

/** The hold of an order that may count on `closable` units to close. */
export function heldBy(rules: MoneyRules, order: HeldOrder, closable: number): OrderHold {
  const exposureQty = Math.max(0, maxLeavesQty(order) - closable);
  return { holdPaise: closingHoldPaise(rules, order, maxLeavesQty(order) - exposureQty), exposureQty };
}

/** What an order must hold: the most that its terms in force or those of an unanswered change need for what is left. */
export function orderHoldPaise(rules: MoneyRules, order: HeldOrder): number {
  return closingHoldPaise(rules, order, closingQty(order));
}

function closingHoldPaise(rules: MoneyRules, order: HeldOrder, closing: number): number {
  let holdPaise = termsHoldPaise(rules, order, closing, order.terms.quantity, order.holdPricePaise);
  for (const change of order.pendingChanges) {
    if (change.terms === null) continue;
    const changePaise = termsHoldPaise(rules, order, closing, change.terms.quantity, change.holdPricePaise);
    if (changePaise > holdPaise) holdPaise = changePaise;
  }
  return holdPaise;
}

function termsHoldPaise(
  rules: MoneyRules,
  order: HeldOrder,
  closing: number,
  quantity: number,
  pricePaise: number,
): number {
  const leavesQty = Math.max(0, quantity - order.cumQty);
  const exposingQty = Math.max(0, leavesQty - closing);
  const { side, product, cumValuePaise, brokeragePaise } = order;
  return unitsHoldPaise(rules, side, product, leavesQty, exposingQty, pricePaise, cumValuePaise, brokeragePaise);
}

/**
 * What must be held for `leavesQty` units at `pricePaise`, of which `exposingQty` open or enlarge a position. Whatever parts they are filled in at no worse
 * than that price, the hold shrinks by at least what each part takes. Margin is rounded up by the unit for that.
 */
export function unitsHoldPaise(
  rules: MoneyRules,
  side: OrderSide,
  product: Product,
  leavesQty: number,
  exposingQty: number,
  pricePaise: number,
  cumValuePaise: number,
  brokeragePaise: number,
): number {
  // Shares that are there are sold: their charges come out of what they fetch.
  if (leavesQty === 0 || (product === Product.CNC && side === OrderSide.Sell)) return 0;
  const valuePaise = leavesQty * pricePaise;
  const leftPaise = brokerageLeftPaise(rules.charges, product, cumValuePaise, valuePaise, brokeragePaise);
  boundCharges(bound, rules.charges, product, side, valuePaise, leavesQty, leftPaise);
  const unitPaise = product === Product.CNC ? pricePaise : rateCeil(pricePaise, rules.marginRates[product]);
  return exposingQty * unitPaise + chargesPaise(bound);
}

const bound = { ...NO_CHARGES };

/** Brokerage that an order can still be charged when what is left of it is worth `valuePaise`. */
export function brokerageLeftPaise(
  table: ChargeTable,
  product: Product,
  cumValuePaise: number,
  valuePaise: number,
  chargedPaise: number,
): number {
  return Math.max(0, orderBrokeragePaise(table, product, cumValuePaise + valuePaise) - chargedPaise);
}
