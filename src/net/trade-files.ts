import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { OutcryError } from '../core/errors.ts';
import {
  formatTradeFileEnd,
  formatTradeLine,
  TRADE_FILE_HEADER,
  TradeFileParser,
  type TradeLine,
} from '../core/reconciliation/trade-line.ts';

/** Of the bundled exchange's files, in the data directory. */
export const TRADES_DIRECTORY = 'exchange-trades';
const GROWING = '.part';
const WHOLE = '.csv';

/**
 * A venue's trade files: one a trading day and CompID, appended to as trades happen and written whole at the end of the day. What a process that died had half written is cut
 * away by the next. See core/reconciliation/trade-file.md.
 */
export class TradeFiles {
  readonly #directory: string;
  readonly #files = new Map<string, number>();

  constructor(directory: string) {
    mkdirSync(directory, { recursive: true });
    this.#directory = directory;
  }

  append(compID: string, trade: TradeLine): void {
    const name = nameOf(trade.tradingDay, compID);
    let file = this.#files.get(name);
    if (file === undefined) {
      file = openGrowing(join(this.#directory, `${name}${GROWING}`));
      this.#files.set(name, file);
    }
    writeSync(file, `${formatTradeLine(trade)}\n`);
  }

  /** Writes the whole files of a day that is over. */
  endDay(tradingDay: string): void {
    for (const [name, file] of this.#files) {
      if (!name.startsWith(tradingDay)) continue;
      closeSync(file);
      this.#files.delete(name);
    }
    for (const name of readdirSync(this.#directory)) {
      if (name.startsWith(tradingDay) && name.endsWith(GROWING))
        writeWhole(this.#directory, name.slice(0, -GROWING.length));
    }
  }

  close(): void {
    for (const file of this.#files.values()) closeSync(file);
    this.#files.clear();
  }
}

/** The trade file of a day and CompID as it is now, whole, also while the day goes on. REQUEST_REFUSED when there is none. */
export function readTradeFile(directory: string, tradingDay: string, compID: string): string {
  const path = join(directory, `${nameOf(tradingDay, compID)}${GROWING}`);
  try {
    return whole(path);
  } catch (error) {
    throw new OutcryError(
      'REQUEST_REFUSED',
      `no trades of ${compID} on ${tradingDay}: ${(error as Error).message}`,
      error,
    );
  }
}

/** The trades of a day and CompID so far; none where there is no file. */
export function readGrowing(directory: string, tradingDay: string, compID: string): TradeLine[] {
  const path = join(directory, `${nameOf(tradingDay, compID)}${GROWING}`);
  if (!existsSync(path)) return [];
  const parser = new TradeFileParser(tradingDay);
  const trades = whole(path)
    .split('\n')
    .slice(0, -1)
    .map((line) => parser.take(line));
  return trades.filter((trade) => trade !== null);
}

function writeWhole(directory: string, name: string): void {
  const path = join(directory, name);
  const file = openSync(`${path}.tmp`, 'w');
  writeSync(file, whole(`${path}${GROWING}`));
  fsyncSync(file);
  closeSync(file);
  renameSync(`${path}.tmp`, `${path}${WHOLE}`);
}

/** All whole lines, and the one that says how many they are. */
function whole(path: string): string {
  const text = readFileSync(path, 'utf8');
  const lines = text.slice(0, text.lastIndexOf('\n') + 1);
  return `${lines}${formatTradeFileEnd(lines.split('\n').length - 2)}\n`;
}

/** Goes on after the last whole line. */
function openGrowing(path: string): number {
  let lines = `${TRADE_FILE_HEADER}\n`;
  try {
    const text = readFileSync(path, 'utf8');
    if (text.startsWith(lines)) lines = text.slice(0, text.lastIndexOf('\n') + 1);
    if (lines === text) return openSync(path, 'a');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const file = openSync(path, 'w');
  writeSync(file, lines);
  return file;
}

/** CompIDs may have characters that file names may not. */
function nameOf(tradingDay: string, compID: string): string {
  return `${tradingDay}-${encodeURIComponent(compID)}`;
}
