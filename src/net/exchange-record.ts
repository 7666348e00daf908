import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { tradingDayAt } from '../core/day-roll/trading-day.ts';
import { type OrderLine, type OrderRecord, PastOrders } from '../core/exchange/past-orders.ts';
import type { MarketHours } from '../core/market/calendar.ts';
import type { TradeLine } from '../core/reconciliation/trade-line.ts';
import { readGrowing, TradeFiles } from './trade-files.ts';

/** Orders of a day that were accepted, one JSON line each. */
const ORDERS = '.orders';

/**
 * What the bundled exchange writes down of outside orders before it tells anybody: the trade files, and the orders that it accepted. Read again at the start, so that the exchange that
 * begins anew after a death on the same trading day knows what it owes. What was written survives the process, not the machine.
 */
export class ExchangeRecord implements OrderRecord {
  readonly past = new PastOrders();
  readonly #directory: string;
  readonly #hours: MarketHours;
  readonly #trades: TradeFiles;
  readonly #orderFiles = new Map<string, number>();

  constructor(directory: string, hours: MarketHours, nowMicros: number) {
    mkdirSync(directory, { recursive: true });
    this.#directory = directory;
    this.#hours = hours;
    this.#trades = new TradeFiles(directory);
    this.#readDay(tradingDayAt(nowMicros, hours).date);
  }

  readonly traded = (compID: string, trade: Omit<TradeLine, 'tradingDay'>, tsMicros: number): void => {
    this.#trades.append(compID, { tradingDay: this.#dayOf(tsMicros), ...trade });
  };

  ordered(compID: string, line: OrderLine, tsMicros: number): void {
    const name = `${this.#dayOf(tsMicros)}-${encodeURIComponent(compID)}${ORDERS}`;
    let file = this.#orderFiles.get(name);
    if (file === undefined) {
      file = openSync(join(this.#directory, name), 'a');
      this.#orderFiles.set(name, file);
    }
    writeSync(file, `${JSON.stringify(line)}\n`);
  }

  /** A day is over: its trade files are written whole, and its orders are nobody's any more. */
  endDay(tradingDay: string): void {
    this.past.clear();
    this.#trades.endDay(tradingDay);
    for (const name of readdirSync(this.#directory)) {
      if (!name.startsWith(tradingDay) || !name.endsWith(ORDERS)) continue;
      const file = this.#orderFiles.get(name);
      if (file !== undefined) closeSync(file);
      this.#orderFiles.delete(name);
      unlinkSync(join(this.#directory, name));
    }
  }

  close(): void {
    this.#trades.close();
    for (const file of this.#orderFiles.values()) closeSync(file);
    this.#orderFiles.clear();
  }

  #readDay(tradingDay: string): void {
    for (const name of readdirSync(this.#directory)) {
      if (!name.startsWith(tradingDay) || !name.endsWith(ORDERS)) continue;
      const compID = decodeURIComponent(name.slice(tradingDay.length + 1, -ORDERS.length));
      const lines = readFileSync(join(this.#directory, name), 'utf8').split('\n');
      // Behind the last line end is nothing, or what a machine that died left of a line.
      for (const line of lines.slice(0, -1)) this.past.ordered(compID, JSON.parse(line) as OrderLine);
      for (const trade of readGrowing(this.#directory, tradingDay, compID)) this.past.traded(compID, trade);
    }
  }

  #dayOf(tsMicros: number): string {
    return tradingDayAt(tsMicros, this.#hours).date;
  }
}
