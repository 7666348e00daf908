import { NO_NOTE_DUE, type NoteDue } from './note-due.ts';
import type { Order, Product } from './order.ts';

/** A position of an account: (instrument, product). Values are signed integer paise. */
export interface Position {
  readonly instrumentId: number;
  readonly product: Product;
  /** Net shares: negative is short. CNC: what was traded and is not settled yet. */
  quantity: number;
  /** Signed cost of `quantity`: what is open was bought for, or negated, sold for. */
  openValuePaise: number;
  marginPaise: number;
  realisedPaise: number;
  /** Of the trading day `tradingDay`. */
  dayBuyQty: number;
  dayBuyValuePaise: number;
  daySellQty: number;
  daySellValuePaise: number;
  tradingDay: string;
  /** Price of the account's last execution in it: what total value is reckoned at. */
  markPaise: number;
}

/** Settled shares. */
export interface Holding {
  readonly instrumentId: number;
  quantity: number;
  /** What they cost. */
  valuePaise: number;
  markPaise: number;
}

/** An account in memory: what its events made of it. Only `applyEvent` changes it. */
export interface Account {
  readonly userId: number;
  /** Of the last event applied. */
  seq: number;
  availablePaise: number;
  heldPaise: number;
  marginPaise: number;
  frozenReason: string;
  noteDue: NoteDue;
  /** Orders that are not terminal, and terminal ones of the day, by OrderID. */
  readonly orders: Map<number, Order>;
  /** OrderID by client order id, of the orders in `orders`. */
  readonly clientOrders: Map<string, number>;
  /** References of deposits and withdrawals, to their seq. */
  readonly references: Map<string, number>;
  readonly positions: Map<string, Position>;
  readonly holdings: Map<number, Holding>;
}

/** Field by field, as `copyOrder`. */
export function copyPosition(position: Position): Position {
  return {
    instrumentId: position.instrumentId,
    product: position.product,
    quantity: position.quantity,
    openValuePaise: position.openValuePaise,
    marginPaise: position.marginPaise,
    realisedPaise: position.realisedPaise,
    dayBuyQty: position.dayBuyQty,
    dayBuyValuePaise: position.dayBuyValuePaise,
    daySellQty: position.daySellQty,
    daySellValuePaise: position.daySellValuePaise,
    tradingDay: position.tradingDay,
    markPaise: position.markPaise,
  };
}

export function copyHolding({ instrumentId, quantity, valuePaise, markPaise }: Holding): Holding {
  return { instrumentId, quantity, valuePaise, markPaise };
}

export function positionKey(instrumentId: number, product: Product): string {
  return `${instrumentId}:${product}`;
}

/** Cash of an account: free, held and margin. */
export function cashPaise(account: Account): number {
  return account.availablePaise + account.heldPaise + account.marginPaise;
}

/** What is blocked. */
export function marginUsedPaise(account: Account): number {
  return account.heldPaise + account.marginPaise;
}

export function newAccount(userId: number): Account {
  return {
    userId,
    seq: 0,
    availablePaise: 0,
    heldPaise: 0,
    marginPaise: 0,
    frozenReason: '',
    noteDue: NO_NOTE_DUE,
    orders: new Map(),
    clientOrders: new Map(),
    references: new Map(),
    positions: new Map(),
    holdings: new Map(),
  };
}
