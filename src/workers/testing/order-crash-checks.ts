import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tradingDayAt } from '../../core/day-roll/trading-day.ts';
import { type Order, OrderStatus } from '../../core/ledger/order.ts';
import { statusName } from '../../core/order-entry/order-names.ts';
import { formatTradeFileEnd, TRADE_FILE_HEADER } from '../../core/reconciliation/trade-line.ts';
import { describeBreak } from '../../core/reconciliation/trade-matcher.ts';
import { readInstrumentFile } from '../../net/instrument-file.ts';
import { LedgerReader } from '../../net/ledger-reader.ts';
import { ORDER_COLUMNS, orderOf } from '../../net/ledger-rows.ts';
import { verifyLedger } from '../../net/ledger-verify.ts';
import { runningSocketDirectory } from '../../net/postgres-embedded.ts';
import { readTradeFile, TRADES_DIRECTORY } from '../../net/trade-files.ts';
import { reconcileTradeFiles } from '../../net/trade-reconciliation.ts';
import type { CrashTrader } from './crash-trader.ts';

/** What must hold between the ledger, the exchange's own record and what clients were told, once nothing is under way. Each gives what is not so. */

export const VENUE_COMP_ID = 'EXCHANGE';
export const ORDER_COMP_ID = 'OUTCRY-ORD';
const TOLD_MAX = 5;

export async function withOwnReader<T>(dataDir: string, work: (reader: LedgerReader) => Promise<T>): Promise<T> {
  const reader = new LedgerReader({ kind: 'embedded', socketDirectory: runningSocketDirectory(dataDir) }, 'owner');
  try {
    return await work(reader);
  } finally {
    await reader.close();
  }
}

/** Whether the ledger agrees with itself. */
export async function ledgerFaults(reader: LedgerReader): Promise<string[]> {
  const { isClean, differences, findings } = await verifyLedger(reader);
  if (isClean) return [];
  return [...differences, ...findings].slice(0, TOLD_MAX).map((found) => `ledger verify: ${JSON.stringify(found)}`);
}

/** Our trades of the day against the exchange's trade file. */
export async function tradeFaults(dataDir: string, reader: LedgerReader): Promise<string[]> {
  const tradingDay = tradingDayAt(Date.now() * 1_000, 'always').date;
  const file = join(dataDir, 'trades-told.csv');
  const directory = join(dataDir, TRADES_DIRECTORY);
  // There is none before the first trade.
  const hasFile = readdirSync(directory).some((name) => name.startsWith(tradingDay) && name.endsWith('.part'));
  const none = `${TRADE_FILE_HEADER}\n${formatTradeFileEnd(0)}\n`;
  writeFileSync(file, hasFile ? readTradeFile(directory, tradingDay, ORDER_COMP_ID) : none);
  const symbols = readInstrumentFile(join(dataDir, 'instruments.json')).symbolsOn(tradingDay);
  const faults: string[] = [];
  await reconcileTradeFiles({
    ...{ reader, files: [file], tradingDay, venue: VENUE_COMP_ID },
    symbolOf: (instrumentId) => symbols.get(instrumentId) ?? '',
    onBreak: (found) => {
      if (faults.length < TOLD_MAX) faults.push(`trades, user ${found.userId}: ${describeBreak(found)}`);
    },
  });
  return faults;
}

export interface LedgerAccounts {
  readonly orders: readonly Order[];
  /** By user. */
  readonly lastSeqs: ReadonlyMap<number, number>;
  readonly frozen: readonly string[];
}

export function readAccounts(reader: LedgerReader): Promise<LedgerAccounts> {
  return reader.snapshot(async (read) => {
    const orders: Order[] = [];
    for await (const row of read(`SELECT ${ORDER_COLUMNS} FROM outcry.orders`)) orders.push(orderOf(row));
    const lastSeqs = new Map<number, number>();
    const frozen: string[] = [];
    for await (const [userId, seq, reason] of read('SELECT user_id, last_seq, frozen_reason FROM outcry.accounts')) {
      lastSeqs.set(userId as number, seq as number);
      if (reason !== '') frozen.push(`user ${userId} is frozen: ${reason}`);
    }
    return { orders, lastSeqs, frozen };
  });
}

/** Nothing waits for an answer of the exchange, nothing was executed beyond its quantity, and no account was frozen. */
export function orderFaults({ orders, frozen }: LedgerAccounts): string[] {
  const faults = [...frozen];
  for (const { orderID, status, pendingChanges, cumQty, terms } of orders) {
    if (status === OrderStatus.Pending) faults.push(`order ${orderID} is pending`);
    if (pendingChanges.length > 0) faults.push(`order ${orderID} has ${pendingChanges.length} unanswered changes`);
    if (cumQty > terms.quantity) faults.push(`order ${orderID}: ${cumQty} executed of ${terms.quantity}`);
  }
  return faults;
}

/** What a client was told against what the ledger has. */
export function clientFaults(traders: readonly CrashTrader[], { orders, lastSeqs }: LedgerAccounts): string[] {
  const faults: string[] = [];
  const byId = new Map(orders.map((order) => [order.orderID, order]));
  const ofClient = new Map(orders.map((order) => [order.clientOrderID, order]));
  if (ofClient.size !== orders.length) faults.push(`${orders.length} orders of ${ofClient.size} client order ids`);
  for (const { userId, seq, orders: views, acknowledged, refused } of traders) {
    if (seq !== lastSeqs.get(userId)) faults.push(`user ${userId} was told ${seq} events of ${lastSeqs.get(userId)}`);
    for (const [clientOrderId, orderId] of acknowledged) {
      const order = byId.get(orderId);
      if (order?.clientOrderID !== clientOrderId || order.userId !== userId)
        faults.push(`order ${orderId} (${clientOrderId}) was acknowledged and is missing`);
    }
    for (const [clientOrderId, code] of refused) {
      if (ofClient.has(clientOrderId)) faults.push(`${clientOrderId} was refused with ${code} and is there`);
    }
    for (const [orderId, view] of views) {
      const order = byId.get(orderId);
      const has = order && `${statusName(order.status)}, ${order.cumQty} of ${order.terms.quantity}`;
      const told = `${view.status}, ${view.filledQty} of ${view.quantity}`;
      if (has !== told) faults.push(`order ${orderId}: the ledger has ${has}, told was ${told}`);
    }
  }
  const told = traders.reduce((sum, trader) => sum + trader.orders.size, 0);
  if (told !== orders.length) faults.push(`${orders.length} orders in the ledger, ${told} told`);
  return faults;
}
