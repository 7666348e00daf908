import type { ControlMap } from '../fan-out/control-codec.ts';
import { type Account, cashPaise, marginUsedPaise, type Position } from '../ledger/account.ts';
import type { TradeRow } from '../ledger/ledger-batch.ts';
import type { Order } from '../ledger/order.ts';
import { totalValuePaise } from '../ledger/total-value.ts';
import { orderTypeName, productName, sideName, statusName, validityName } from './order-names.ts';
import type { AccountRead, ReadKind } from './parse-read.ts';

/** What reads answer with, from an account as its events made it. Trades are not kept in memory: they come from the ledger. */

type SymbolOf = (instrumentId: number) => string;

export type MemoryRead = AccountRead & { readonly kind: Exclude<ReadKind, 'trades'> };

/** Rows of one answer, and where the next begins: 0 when there is no more. */
interface Page {
  readonly rows: ControlMap[];
  readonly next: number;
}

export function readAccount(account: Account, read: MemoryRead, symbolOf: SymbolOf): ControlMap {
  const { kind } = read;
  const head = { action: kind, seq: account.seq };
  switch (kind) {
    case 'funds':
      return { ...head, ...fundsMap(account) };
    case 'orders':
      return { ...head, ...ordersPage(account, read, symbolOf) };
    case 'positions':
      return { ...head, ...positionsPage(account, read, symbolOf) };
    case 'holdings':
      return { ...head, ...holdingsPage(account, read, symbolOf) };
  }
}

export function fundsMap(account: Account): ControlMap {
  return {
    availablePaise: account.availablePaise,
    heldPaise: account.heldPaise,
    marginPaise: account.marginPaise,
    cashPaise: cashPaise(account),
    marginUsedPaise: marginUsedPaise(account),
    totalValuePaise: totalValuePaise(account),
    frozen: account.frozenReason,
  };
}

/** Newest first: ids grow with time. `from` is the id of the first that was not told yet. */
function ordersPage(account: Account, { from, limit }: AccountRead, symbolOf: SymbolOf): ControlMap & Page {
  const ids = [...account.orders.keys()].filter((orderID) => from === 0 || orderID <= from).sort((a, b) => b - a);
  const rows = ids.slice(0, limit).map((orderID) => orderMap(account.orders.get(orderID) as Order, symbolOf));
  return { rows, next: ids[limit] ?? 0 };
}

export function orderMap(order: Order, symbolOf: SymbolOf): ControlMap {
  const { terms, cumQty, cumValuePaise } = order;
  return {
    orderId: order.orderID,
    symbol: symbolOf(order.instrumentId),
    side: sideName(order.side),
    product: productName(order.product),
    validity: validityName(order.validity),
    orderType: orderTypeName(terms.ordType),
    status: statusName(order.status),
    quantity: terms.quantity,
    pricePaise: terms.pricePaise,
    triggerPricePaise: terms.triggerPricePaise,
    filledQty: cumQty,
    filledValuePaise: cumValuePaise,
    clientOrderId: order.clientOrderID,
    venueOrderId: order.venueOrderID,
    holdPaise: order.holdPaise,
    changePending: order.pendingChanges.length > 0,
    refusal: order.refusalCode,
    message: order.text,
    placedMicros: order.placedMicros,
    updatedMicros: order.updatedMicros,
  };
}

/** By instrument and product, those that are closed and were not traded last included. `from` counts them. */
function positionsPage(account: Account, read: AccountRead, symbolOf: SymbolOf): ControlMap & Page {
  const positions = [...account.positions.values()].sort(
    (a, b) => a.instrumentId - b.instrumentId || a.product - b.product,
  );
  return countedPage(positions, read, (position) => positionMap(position, symbolOf));
}

function positionMap(position: Position, symbolOf: SymbolOf): ControlMap {
  const { instrumentId, product, quantity, openValuePaise, markPaise } = position;
  return {
    symbol: symbolOf(instrumentId),
    product: productName(product),
    quantity,
    openValuePaise,
    marginPaise: position.marginPaise,
    realisedPaise: position.realisedPaise,
    markPaise,
    unrealisedPaise: quantity * markPaise - openValuePaise,
    tradingDay: position.tradingDay,
    dayBuyQty: position.dayBuyQty,
    dayBuyValuePaise: position.dayBuyValuePaise,
    daySellQty: position.daySellQty,
    daySellValuePaise: position.daySellValuePaise,
  };
}

function holdingsPage(account: Account, read: AccountRead, symbolOf: SymbolOf): ControlMap & Page {
  const held = [...account.holdings.values()].filter(({ quantity }) => quantity !== 0);
  held.sort((a, b) => a.instrumentId - b.instrumentId);
  return countedPage(held, read, ({ instrumentId, quantity, valuePaise, markPaise }) => ({
    symbol: symbolOf(instrumentId),
    quantity,
    valuePaise,
    markPaise,
  }));
}

/** From trades that are one more than the page may have, oldest first. `from` is the number of the last event that was told. */
export function tradesMap(
  trades: readonly TradeRow[],
  { from, limit }: Pick<AccountRead, 'from' | 'limit'>,
  symbolOf: SymbolOf,
): ControlMap {
  const more = trades.length > limit ? (trades[limit] as TradeRow) : undefined;
  // A correction is two rows of one event, which are told together.
  const whole = more === undefined ? trades : trades.filter(({ seq }) => seq !== more.seq);
  const told = whole.length > 0 ? whole : trades;
  const last = told.at(-1)?.seq ?? from;
  const rows = told.map((trade) => ({
    seq: trade.seq,
    orderId: trade.orderID,
    symbol: symbolOf(trade.instrumentId),
    venue: trade.venue,
    tradingDay: trade.tradingDay,
    execId: trade.execID,
    execRefId: trade.execRefID,
    quantity: trade.quantity,
    pricePaise: trade.pricePaise,
    chargesPaise: trade.chargesPaise,
    tsMicros: trade.tsMicros,
  }));
  return { action: 'trades', seq: last, rows, next: more === undefined ? 0 : last };
}

function countedPage<T>(all: readonly T[], { from, limit }: AccountRead, row: (each: T) => ControlMap) {
  const end = from + limit;
  return { rows: all.slice(from, end).map(row), next: end < all.length ? end : 0 };
}
