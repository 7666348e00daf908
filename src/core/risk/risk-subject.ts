// hot: per decision. One object is filled anew each time; nothing is allocated.
import type { Account } from '../ledger/account.ts';
import type { MoneyRules } from '../ledger/money-rules.ts';
import { closableQty, exposureOf, type InstrumentExposure } from '../ledger/open-exposure.ts';
import { type Order, OrderSide, type OrderTerms, Product } from '../ledger/order.ts';
import { holdPricePaise, maxLeavesQty, unitsHoldPaise } from '../ledger/order-hold.ts';
import type { OrderActivity, PlacedOrder } from './order-activity.ts';
import type { RiskLimits } from './risk-limits.ts';

/** What a decision needs to know of the market; 0 for what is not known, or not limited. */
export interface MarketState {
  readonly marketHalted: boolean;
  readonly isHalted: boolean;
  /** Nobody vouches for `lastPaise`. */
  readonly isStale: boolean;
  readonly lastPaise: number;
  readonly bandHighPaise: number;
  /** The exchange takes orders up to this quantity. */
  readonly freezeQuantity: number;
}

/** What is decided about: an order that is to be placed, or one that is to be changed. Filled by `place` or `change`, read by the rules. */
export class RiskSubject {
  account!: Account;
  market!: MarketState;
  limits!: RiskLimits;
  activity!: OrderActivity;
  order!: PlacedOrder;
  terms!: OrderTerms;
  isPlacement = true;
  nowMicros = 0;
  tradingDay = '';
  isBuy = true;
  /** Units that may still be traded by the order as it would be. */
  leavesQty = 0;
  /** Net of all products and the holding; negative is short. */
  netQty = 0;
  /** Of other orders, in the direction of this one: `netQty` after them. */
  netWithOpenQty = 0;
  /** What CNC can still sell besides this order. */
  sellableQty = 0;
  exposureQty = 0;
  holdPricePaise = 0;
  /** Of the order as it would be; `moreHoldPaise` is what it takes besides what the order holds now. */
  holdPaise = 0;
  moreHoldPaise = 0;

  place(
    account: Account,
    order: PlacedOrder,
    market: MarketState,
    limits: RiskLimits,
    money: MoneyRules,
    activity: OrderActivity,
    nowMicros: number,
    tradingDay: string,
  ): void {
    this.isPlacement = true;
    this.activity = activity;
    this.nowMicros = nowMicros;
    this.tradingDay = tradingDay;
    this.#begin(account, order, order.terms, market, limits);
    this.leavesQty = order.terms.quantity;
    const exposure = exposureOf(account, order.instrumentId);
    this.#expose(exposure, 0);
    const { side, product } = order;
    this.exposureQty = Math.max(0, this.leavesQty - closableQty(exposure, order, 0));
    const price = this.holdPricePaise;
    this.holdPaise = unitsHoldPaise(money, side, product, this.leavesQty, this.exposureQty, price, 0, 0);
    this.moreHoldPaise = this.holdPaise;
  }

  /** `hold`: of the order with the change. */
  change(
    account: Account,
    order: Order,
    terms: OrderTerms,
    market: MarketState,
    limits: RiskLimits,
    hold: { readonly holdPaise: number; readonly exposureQty: number },
  ): void {
    this.isPlacement = false;
    this.#begin(account, order, terms, market, limits);
    const ownQty = maxLeavesQty(order);
    this.leavesQty = Math.max(ownQty, terms.quantity - order.cumQty);
    this.#expose(exposureOf(account, order.instrumentId), ownQty);
    this.exposureQty = hold.exposureQty;
    this.holdPaise = hold.holdPaise;
    this.moreHoldPaise = hold.holdPaise - order.holdPaise;
  }

  #begin(account: Account, order: PlacedOrder, terms: OrderTerms, market: MarketState, limits: RiskLimits): void {
    this.account = account;
    this.order = order;
    this.terms = terms;
    this.market = market;
    this.limits = limits;
    this.isBuy = order.side === OrderSide.Buy;
    this.holdPricePaise = heldAtPaise(order, terms, market, limits);
  }

  #expose(exposure: InstrumentExposure | null, ownQty: number): void {
    const { account, order, isBuy } = this;
    const holdingQty = account.holdings.get(order.instrumentId)?.quantity ?? 0;
    let netQty = holdingQty;
    let openQty = -ownQty;
    let sellableQty = holdingQty;
    if (exposure !== null) {
      for (let i = 0; i < exposure.length; i++) {
        const product = exposure[i]!;
        netQty += product.position === null ? 0 : product.position.quantity;
        openQty += isBuy ? product.openBuyQty : product.openSellQty;
      }
      const delivery = exposure[Product.CNC - 1]!;
      sellableQty += (delivery.position === null ? 0 : delivery.position.quantity) - delivery.openSellQty;
    }
    if (!isBuy && order.product === Product.CNC) sellableQty += ownQty;
    this.netQty = netQty;
    this.netWithOpenQty = netQty + (isBuy ? openQty : -openQty);
    this.sellableQty = sellableQty;
  }
}

/** What a unit of `terms` would be held at; 0 when there is no price to go by. */
export function heldAtPaise(
  order: Pick<Order, 'side' | 'product'>,
  terms: OrderTerms,
  market: MarketState,
  limits: RiskLimits,
): number {
  return holdPricePaise(order.side, order.product, terms, market.lastPaise, upperPaise(market, limits));
}

/** The most that anything can trade at: the top of the band, or where the collar would be. */
function upperPaise({ bandHighPaise, lastPaise }: MarketState, { priceCollarBps }: RiskLimits): number {
  if (bandHighPaise > 0) return bandHighPaise;
  const collarBps = Number.isFinite(priceCollarBps) ? priceCollarBps : NO_COLLAR_BPS;
  return Math.ceil((lastPaise * (10_000 + collarBps)) / 10_000);
}

/** Without band and collar, a market order is held as if it could go up so far. */
const NO_COLLAR_BPS = 2_000;
