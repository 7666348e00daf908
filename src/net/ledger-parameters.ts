// hot: every column of every row that is committed passes here. Literals are put together as text, once; pg takes text as it is.
import type { LedgerBatch, TradeRow, UserHolding, UserPosition } from '../core/ledger/ledger-batch.ts';
import { EventType, type LedgerEvent } from '../core/ledger/ledger-event.ts';
import type { Order } from '../core/ledger/order.ts';

/** As many as the function takes; the call with its placeholders. */
const PARAMETERS = 85;
export const COMMIT_CALL = {
  name: 'commit-batch',
  text: `SELECT outcry.commit_batch(${Array.from({ length: PARAMETERS }, (_, i) => `$${i + 1}`).join(', ')})`,
} as const;

/** The parameters of `outcry.commit_batch`, in the order of migrations/0002-commit-batch.sql. */
export function commitParameters(batch: LedgerBatch, session: number): (string | number)[] {
  const { events, accounts, newOrders, changedOrders, positions, holdings, trades, sessions } = batch;
  const orders = changedOrders.length === 0 ? newOrders : [...newOrders, ...changedOrders];
  return [
    batch.shard,
    batch.epoch,
    session,
    batch.batchId,
    ...eventColumns(events),
    numbers(accounts, (row) => row.userId),
    numbers(accounts, (row) => row.firstSeq),
    numbers(accounts, (row) => row.lastSeq),
    numbers(accounts, (row) => row.cashPaise),
    numbers(accounts, (row) => row.marginUsedPaise),
    numbers(accounts, (row) => row.totalValuePaise),
    texts(accounts, (row) => row.frozenReason),
    array(accounts, (row) => (row.mustBeCovered ? 't' : 'f')),
    newOrders.length,
    ...orderColumns(orders),
    ...positionColumns(positions),
    ...holdingColumns(holdings),
    ...tradeColumns(trades),
    texts(sessions, (row) => row.sessionName),
    numbers(sessions, (row) => row.epoch),
    numbers(sessions, (row) => row.lastSentSeqNum),
    numbers(sessions, (row) => row.lastReceivedSeqNum),
    texts(sessions, (row) => row.state),
  ];
}

function eventColumns(events: readonly LedgerEvent[]): string[] {
  return [
    numbers(events, (event) => event.userId),
    numbers(events, (event) => event.seq),
    numbers(events, (event) => event.tsMicros),
    numbers(events, (event) => event.orderID),
    numbers(events, (event) => event.instrumentId),
    numbers(events, (event) => event.detail.type),
    numbers(events, (event) => event.product),
    lines(events, (event) => numbers(event.postings, (posting) => posting.account)),
    lines(events, (event) => numbers(event.postings, (posting) => posting.amountPaise)),
    array(events, referenceOf),
    lines(events, (event) => JSON.stringify(event.detail)),
  ];
}

export function orderColumns(orders: readonly Order[]): string[] {
  return [
    numbers(orders, (order) => order.orderID),
    numbers(orders, (order) => order.userId),
    numbers(orders, (order) => order.instrumentId),
    numbers(orders, (order) => order.side),
    numbers(orders, (order) => order.product),
    numbers(orders, (order) => order.validity),
    numbers(orders, (order) => order.status),
    numbers(orders, (order) => order.terms.ordType),
    numbers(orders, (order) => order.terms.quantity),
    numbers(orders, (order) => order.terms.pricePaise),
    numbers(orders, (order) => order.terms.triggerPricePaise),
    numbers(orders, (order) => order.version),
    numbers(orders, (order) => order.venueVersion),
    numbers(orders, (order) => order.cumQty),
    numbers(orders, (order) => order.cumValuePaise),
    numbers(orders, (order) => order.exposureQty),
    numbers(orders, (order) => order.holdPricePaise),
    numbers(orders, (order) => order.holdPaise),
    numbers(orders, (order) => order.brokeragePaise),
    numbers(orders, (order) => order.refusalCode),
    numbers(orders, (order) => order.placedMicros),
    numbers(orders, (order) => order.updatedMicros),
    texts(orders, (order) => order.clientOrderID),
    texts(orders, (order) => order.venueOrderID),
    texts(orders, (order) => order.text),
    lines(orders, (order) => (order.pendingChanges.length === 0 ? '[]' : JSON.stringify(order.pendingChanges))),
  ];
}

export function positionColumns(positions: readonly UserPosition[]): string[] {
  return [
    numbers(positions, (row) => row.userId),
    numbers(positions, ({ position }) => position.instrumentId),
    numbers(positions, ({ position }) => position.product),
    numbers(positions, ({ position }) => position.quantity),
    numbers(positions, ({ position }) => position.openValuePaise),
    numbers(positions, ({ position }) => position.marginPaise),
    numbers(positions, ({ position }) => position.realisedPaise),
    numbers(positions, ({ position }) => position.dayBuyQty),
    numbers(positions, ({ position }) => position.dayBuyValuePaise),
    numbers(positions, ({ position }) => position.daySellQty),
    numbers(positions, ({ position }) => position.daySellValuePaise),
    numbers(positions, ({ position }) => position.markPaise),
    texts(positions, ({ position }) => position.tradingDay),
  ];
}

export function holdingColumns(holdings: readonly UserHolding[]): string[] {
  return [
    numbers(holdings, (row) => row.userId),
    numbers(holdings, ({ holding }) => holding.instrumentId),
    numbers(holdings, ({ holding }) => holding.quantity),
    numbers(holdings, ({ holding }) => holding.valuePaise),
    numbers(holdings, ({ holding }) => holding.markPaise),
  ];
}

export function tradeColumns(trades: readonly TradeRow[]): string[] {
  return [
    numbers(trades, (row) => row.userId),
    numbers(trades, (row) => row.seq),
    numbers(trades, (row) => row.orderID),
    numbers(trades, (row) => row.instrumentId),
    texts(trades, (row) => row.venue),
    texts(trades, (row) => row.tradingDay),
    texts(trades, (row) => row.execID),
    texts(trades, (row) => row.execRefID),
    numbers(trades, (row) => row.quantity),
    numbers(trades, (row) => row.pricePaise),
    numbers(trades, (row) => row.chargesPaise),
    numbers(trades, (row) => row.tsMicros),
  ];
}

/** Unquoted, NULL is none; a reference is quoted even where it is that word. */
function referenceOf({ detail }: LedgerEvent): string {
  return detail.type === EventType.Deposited || detail.type === EventType.Withdrawn ? quoted(detail.reference) : 'NULL';
}

/** The literal of an array of whole numbers. */
export function numbers<T>(rows: readonly T[], value: (row: T) => number): string {
  if (rows.length === 0) return '{}';
  let text = `{${value(rows[0]!)}`;
  for (let i = 1; i < rows.length; i++) text += `,${value(rows[i]!)}`;
  return `${text}}`;
}

export function texts<T>(rows: readonly T[], value: (row: T) => string): string {
  return array(rows, (row) => quoted(value(row)));
}

function array<T>(rows: readonly T[], element: (row: T) => string): string {
  if (rows.length === 0) return '{}';
  let text = `{${element(rows[0]!)}`;
  for (let i = 1; i < rows.length; i++) text += `,${element(rows[i]!)}`;
  return `${text}}`;
}

/** What the function splits at line feeds, which JSON and arrays of numbers have none of; no line is empty. */
export function lines<T>(rows: readonly T[], value: (row: T) => string): string {
  if (rows.length === 0) return '';
  let text = value(rows[0]!);
  for (let i = 1; i < rows.length; i++) text += `\n${value(rows[i]!)}`;
  return text;
}

const PLAIN = /^[\w:.-]+$/;

function quoted(text: string): string {
  if (text === '') return '""';
  if (PLAIN.test(text) && text !== 'NULL' && text !== 'null') return text;
  return `"${databaseText(text).replace(/["\\]/g, '\\$&')}"`;
}

/** A text as the database keeps it: a zero byte is not possible there, and what a venue writes must not make a report one that cannot be kept. */
export function databaseText(text: string): string {
  return text.replaceAll('\0', '\ufffd');
}
