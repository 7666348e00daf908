import { OrderSide, type OrderTerms, OrderType, Product, Validity } from '../ledger/order.ts';
import { type MarketHours, SessionPhase, sessionPhase } from '../market/calendar.ts';
import { RefusalCode } from '../refusal-codes.ts';

/** What must be known of an instrument to trade it; a row of the instrument table has it. */
export interface InstrumentFacts {
  readonly instrumentIndex: number;
  readonly instrumentId: number;
  readonly symbol: string;
  readonly kind: 'equity' | 'index';
  readonly listed: boolean;
  readonly tickPaise: number;
  readonly lotSize: number;
  /** Null for no band. */
  readonly priceBandBps: number | null;
  readonly freezeQuantity: number;
  readonly previousClosePaise: number;
}

/** What is wrong with a command. */
export interface Refusal {
  /** A RefusalCode, or a VenueRefusal. */
  readonly code: number;
  readonly text: string;
}

/** Quantity × price of an order at most, so that every sum of them is exact: ten thousand crore rupees. */
const VALUE_MAX_PAISE = 1e13;
const ONE_IN_BPS = 10_000;
const PRODUCTS: ReadonlySet<number> = new Set(Object.values(Product));
const VALIDITIES: ReadonlySet<number> = new Set(Object.values(Validity));
const SIDES: ReadonlySet<number> = new Set(Object.values(OrderSide));
const TYPES: ReadonlySet<number> = new Set(Object.values(OrderType));

/** Whether orders are taken now; null for yes. */
export function marketRefusal(nowMicros: number, marketHours: MarketHours): Refusal | null {
  const phase = sessionPhase(nowMicros, marketHours);
  return phase === SessionPhase.Continuous
    ? null
    : refuse(RefusalCode.MarketClosed, `the market is not open: ${phase}`);
}

/** What is wrong with an order apart from its terms; null for nothing. */
export function kindRefusal(
  order: {
    readonly side: OrderSide;
    readonly product: Product;
    readonly validity: Validity;
    readonly terms: OrderTerms;
  },
  facts: InstrumentFacts,
): Refusal | null {
  if (!facts.listed || facts.kind !== 'equity') return refuse(RefusalCode.NotTradable, `${facts.symbol} is not traded`);
  if (!SIDES.has(order.side)) return refuse(RefusalCode.BadField, 'no such side');
  if (!PRODUCTS.has(order.product)) return refuse(RefusalCode.ProductNotAllowed, 'no such product');
  if (!VALIDITIES.has(order.validity)) return refuse(RefusalCode.ValidityNotAllowed, 'no such validity');
  if (order.validity === Validity.IOC && isStop(order.terms.ordType))
    return refuse(RefusalCode.ValidityNotAllowed, 'a stop order waits: it cannot be immediate or cancel');
  return null;
}

/** What is wrong with the terms of an order, new or changed; null for nothing. `lastPaise` is the last traded price, 0 for none. */
export function termsRefusal(
  side: OrderSide,
  terms: OrderTerms,
  facts: InstrumentFacts,
  lastPaise: number,
): Refusal | null {
  const { quantity, ordType, pricePaise, triggerPricePaise } = terms;
  if (!TYPES.has(ordType)) return refuse(RefusalCode.BadField, 'no such order type');
  if (!Number.isSafeInteger(quantity) || quantity <= 0)
    return refuse(RefusalCode.BadQuantity, 'quantity must be a whole number above 0');
  if (quantity % facts.lotSize !== 0)
    return refuse(RefusalCode.LotSize, `quantity must be a multiple of the lot, ${facts.lotSize}`);
  const hasPrice = ordType === OrderType.Limit || ordType === OrderType.StopLimit;
  const price = priceRefusal(pricePaise, hasPrice, RefusalCode.BadPrice, facts);
  if (price !== null) return price;
  const trigger = priceRefusal(triggerPricePaise, isStop(ordType), RefusalCode.BadTrigger, facts);
  if (trigger !== null) return trigger;
  if (quantity * Math.max(pricePaise, triggerPricePaise, lastPaise, facts.previousClosePaise) > VALUE_MAX_PAISE)
    return refuse(RefusalCode.BadQuantity, `quantity times price is more than ${VALUE_MAX_PAISE} paise`);
  return isStop(ordType) ? triggerRefusal(side, terms, lastPaise) : null;
}

export function isStop(ordType: OrderType): boolean {
  return ordType === OrderType.StopLimit || ordType === OrderType.StopMarket;
}

/** The lowest and the highest price of the day, on the tick; null for no band. */
export function priceBand(facts: InstrumentFacts): { readonly lowPaise: number; readonly highPaise: number } | null {
  const { priceBandBps, previousClosePaise, tickPaise } = facts;
  if (priceBandBps === null) return null;
  const onTick = (round: (value: number) => number, bps: number): number =>
    round((previousClosePaise * bps) / (ONE_IN_BPS * tickPaise)) * tickPaise;
  return {
    lowPaise: onTick(Math.ceil, ONE_IN_BPS - priceBandBps),
    highPaise: onTick(Math.floor, ONE_IN_BPS + priceBandBps),
  };
}

function priceRefusal(
  pricePaise: number,
  isNeeded: boolean,
  code: RefusalCode,
  facts: InstrumentFacts,
): Refusal | null {
  if (!isNeeded) return pricePaise === 0 ? null : refuse(code, 'this type of order has no such price');
  if (!Number.isSafeInteger(pricePaise) || pricePaise <= 0)
    return refuse(code, 'a price must be a whole number of paise above 0');
  if (pricePaise % facts.tickPaise !== 0)
    return refuse(RefusalCode.TickSize, `a price must be a multiple of the tick, ${facts.tickPaise} paise`);
  const band = priceBand(facts);
  if (band === null || (pricePaise >= band.lowPaise && pricePaise <= band.highPaise)) return null;
  return refuse(RefusalCode.PriceBand, `a price must be from ${band.lowPaise} to ${band.highPaise} paise today`);
}

/** A trigger that the market has passed would fire at once; a limit beyond it could not be filled when it fires. */
function triggerRefusal(side: OrderSide, terms: OrderTerms, lastPaise: number): Refusal | null {
  const { ordType, pricePaise, triggerPricePaise } = terms;
  const isBuy = side === OrderSide.Buy;
  if (lastPaise > 0 && (isBuy ? triggerPricePaise <= lastPaise : triggerPricePaise >= lastPaise))
    return refuse(
      RefusalCode.BadTrigger,
      `the trigger must be ${isBuy ? 'above' : 'below'} the last price, ${lastPaise} paise`,
    );
  if (ordType === OrderType.StopLimit && (isBuy ? pricePaise < triggerPricePaise : pricePaise > triggerPricePaise))
    return refuse(RefusalCode.BadTrigger, `the price must be ${isBuy ? 'at or above' : 'at or below'} the trigger`);
  return null;
}

function refuse(code: RefusalCode, text: string): Refusal {
  return { code, text };
}
