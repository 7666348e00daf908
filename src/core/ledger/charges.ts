import tables from '../market/charges.json' with { type: 'json' };
import { rateBound, rateHalfUp } from './exact-arithmetic.ts';
import type { Charges } from './ledger-event.ts';
import { OrderSide, Product } from './order.ts';

/** What one product pays. Rates are parts of ten million. */
export interface ProductCharges {
  readonly brokerageRate: number;
  /** Of an executed order; null for no cap. */
  readonly brokerageCapPaise: number | null;
  readonly sttBuyRate: number;
  readonly sttSellRate: number;
  readonly stampDutyBuyRate: number;
  /** A scrip and day with a sale out of the holdings, GST in it. */
  readonly depositoryPaise: number;
}

/** The charges in force on a day. */
export interface ChargeTable {
  readonly exchangeRate: number;
  readonly sebiRate: number;
  /** On brokerage, exchange and SEBI together. */
  readonly gstRate: number;
  readonly products: Readonly<Record<Product, ProductCharges>>;
}

/** The table of `date` (YYYY-MM-DD). Before the first table the first table holds. */
export function chargeTableAsOf(date: string): ChargeTable {
  let version = tables.versions[0]!;
  for (const candidate of tables.versions) if (candidate.from <= date) version = candidate;
  const { exchangeRate, sebiRate, gstRate, products } = version;
  const byProduct = { [Product.CNC]: products.CNC, [Product.MIS]: products.MIS, [Product.NRML]: products.NRML };
  return { exchangeRate, sebiRate, gstRate, products: byProduct };
}

/** Brokerage of an executed order, by all of its turnover: a further execution pays what this grows by. */
export function orderBrokeragePaise(table: ChargeTable, product: Product, turnoverPaise: number): number {
  const { brokerageRate, brokerageCapPaise } = table.products[product];
  const uncappedPaise = rateHalfUp(turnoverPaise, brokerageRate);
  return brokerageCapPaise === null ? uncappedPaise : Math.min(uncappedPaise, brokerageCapPaise);
}

/** Charges of one execution: each item by itself to the paisa, half up. Brokerage and depository charge depend on more than it and are given. */
export function tradeCharges(
  table: ChargeTable,
  product: Product,
  side: OrderSide,
  valuePaise: number,
  brokeragePaise: number,
  depositoryPaise: number,
): Charges {
  const exchangePaise = rateHalfUp(valuePaise, table.exchangeRate);
  const sebiPaise = rateHalfUp(valuePaise, table.sebiRate);
  return {
    brokeragePaise,
    sttPaise: rateHalfUp(valuePaise, sttRate(table, product, side)),
    exchangePaise,
    sebiPaise,
    stampDutyPaise: rateHalfUp(valuePaise, stampDutyRate(table, product, side)),
    gstPaise: rateHalfUp(brokeragePaise + exchangePaise + sebiPaise, table.gstRate),
    depositoryPaise,
  };
}

/**
 * What executions of `quantity` units worth `valuePaise` in all can be charged at most, in however many parts they come, besides the brokerage that
 * is given. Written to `bound`: a decision allocates nothing.
 */
export function boundCharges(
  bound: Writable<Charges>,
  table: ChargeTable,
  product: Product,
  side: OrderSide,
  valuePaise: number,
  quantity: number,
  brokeragePaise: number,
): void {
  bound.brokeragePaise = brokeragePaise;
  bound.sttPaise = rateBound(valuePaise, sttRate(table, product, side), quantity);
  bound.exchangePaise = rateBound(valuePaise, table.exchangeRate, quantity);
  bound.sebiPaise = rateBound(valuePaise, table.sebiRate, quantity);
  bound.stampDutyPaise = rateBound(valuePaise, stampDutyRate(table, product, side), quantity);
  const taxedPaise = brokeragePaise + bound.exchangePaise + bound.sebiPaise;
  bound.gstPaise = rateBound(taxedPaise, table.gstRate, quantity);
  bound.depositoryPaise = side === OrderSide.Sell ? table.products[product].depositoryPaise : 0;
}

export type Writable<T> = { -readonly [K in keyof T]: T[K] };

export const NO_CHARGES: Charges = {
  brokeragePaise: 0,
  sttPaise: 0,
  exchangePaise: 0,
  sebiPaise: 0,
  stampDutyPaise: 0,
  gstPaise: 0,
  depositoryPaise: 0,
};

/** Their sum. */
export function chargesPaise(charges: Charges): number {
  return (
    charges.brokeragePaise +
    charges.sttPaise +
    charges.exchangePaise +
    charges.sebiPaise +
    charges.stampDutyPaise +
    charges.gstPaise +
    charges.depositoryPaise
  );
}

/** `a` + `sign` × `b`, item by item. */
export function addCharges(a: Charges, b: Charges, sign: 1 | -1 = 1): Charges {
  return {
    brokeragePaise: a.brokeragePaise + sign * b.brokeragePaise,
    sttPaise: a.sttPaise + sign * b.sttPaise,
    exchangePaise: a.exchangePaise + sign * b.exchangePaise,
    sebiPaise: a.sebiPaise + sign * b.sebiPaise,
    stampDutyPaise: a.stampDutyPaise + sign * b.stampDutyPaise,
    gstPaise: a.gstPaise + sign * b.gstPaise,
    depositoryPaise: a.depositoryPaise + sign * b.depositoryPaise,
  };
}

/** What the contract note of a day changes of its charges: securities transaction tax and stamp duty are paid in whole rupees, half up. */
export function contractNoteRounding(dayCharges: Charges): Charges {
  return {
    ...NO_CHARGES,
    sttPaise: toRupee(dayCharges.sttPaise) - dayCharges.sttPaise,
    stampDutyPaise: toRupee(dayCharges.stampDutyPaise) - dayCharges.stampDutyPaise,
  };
}

function toRupee(paise: number): number {
  return paise < 0 ? -toRupee(-paise) : Math.floor((paise + 50) / 100) * 100;
}

function sttRate(table: ChargeTable, product: Product, side: OrderSide): number {
  const { sttBuyRate, sttSellRate } = table.products[product];
  return side === OrderSide.Buy ? sttBuyRate : sttSellRate;
}

function stampDutyRate(table: ChargeTable, product: Product, side: OrderSide): number {
  return side === OrderSide.Buy ? table.products[product].stampDutyBuyRate : 0;
}
