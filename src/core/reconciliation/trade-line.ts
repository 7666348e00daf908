/** One trade as a venue and a broker both know it. A trade that is taken back is a line of its own, so that the lines of a day add up to what holds. */
export interface TradeLine {
  /** YYYY-MM-DD. */
  readonly tradingDay: string;
  /** ExecID(17). */
  readonly execID: string;
  /** '' for a trade; otherwise the trade of this ExecID is taken back, at the quantity and price that it had. */
  readonly execRefID: string;
  /** ClOrdID(11) of the order, in any of its versions. */
  readonly clOrdID: string;
  readonly symbol: string;
  readonly side: 'BUY' | 'SELL';
  /** Of a line that takes back from a drop copy 0, as its price: there they are not told. */
  readonly quantity: number;
  readonly pricePaise: number;
}

const COLUMNS = ['tradingDay', 'execID', 'execRefID', 'clOrdID', 'symbol', 'side', 'quantity', 'pricePaise'] as const;
export const TRADE_FILE_HEADER = COLUMNS.join(',');
/** First value of the last line, which says how many trades there are. */
const END = 'end';

export function formatTradeLine(line: TradeLine): string {
  return COLUMNS.map((column) => line[column]).join(',');
}

export function formatTradeFileEnd(count: number): string {
  return `${END},${count}`;
}

/** What is wrong with a trade file, and where; lines are counted from 1. */
export class TradeFileError extends Error {
  readonly line: number;

  constructor(line: number, text: string) {
    super(`line ${line}: ${text}`);
    this.line = line;
  }
}

const IDENTIFIER = /^[\x21-\x2b\x2d-\x7e]{1,64}$/;
const SYMBOL = /^[\x20-\x2b\x2d-\x7e]{1,32}$/;
const DATE = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;
const NUMBER = /^[1-9]\d{0,14}$/;

/** Reads the lines of one trade file in their order, of one trading day. Anything that the format does not say raises a TradeFileError. */
export class TradeFileParser {
  readonly #tradingDay: string;
  #lineCount = 0;
  #tradeCount = 0;
  #isEnded = false;

  constructor(tradingDay: string) {
    this.#tradingDay = tradingDay;
  }

  get tradeCount(): number {
    return this.#tradeCount;
  }

  /** One line without its line end; null for one that is no trade. */
  take(text: string): TradeLine | null {
    const at = ++this.#lineCount;
    if (this.#isEnded) throw new TradeFileError(at, 'there is more after the last line');
    if (at === 1) {
      if (text !== TRADE_FILE_HEADER) throw new TradeFileError(at, `the header must be ${TRADE_FILE_HEADER}`);
      return null;
    }
    const values = text.split(',');
    if (values[0] === END) {
      if (values.length !== 2 || values[1] !== String(this.#tradeCount))
        throw new TradeFileError(at, `it ends after ${this.#tradeCount} trades, and says ${text}`);
      this.#isEnded = true;
      return null;
    }
    this.#tradeCount++;
    return this.#trade(values, at);
  }

  /** The file is at its end: it must have said so itself. */
  end(): void {
    if (!this.#isEnded) throw new TradeFileError(this.#lineCount, 'the last line is missing: the file is cut off');
  }

  #trade(values: readonly string[], at: number): TradeLine {
    if (values.length !== COLUMNS.length) throw new TradeFileError(at, `${COLUMNS.length} values expected`);
    const [tradingDay = '', execID = '', execRefID = '', clOrdID = '', symbol = '', side = '', quantity, price] =
      values;
    if (!DATE.test(tradingDay)) throw new TradeFileError(at, 'tradingDay must be YYYY-MM-DD');
    if (tradingDay !== this.#tradingDay)
      throw new TradeFileError(at, `it is of ${tradingDay}, not ${this.#tradingDay}`);
    if (!IDENTIFIER.test(execID)) throw new TradeFileError(at, 'execID must have 1 to 64 characters without comma');
    if (execRefID !== '' && !IDENTIFIER.test(execRefID))
      throw new TradeFileError(at, 'execRefID must have up to 64 characters without comma');
    if (!IDENTIFIER.test(clOrdID)) throw new TradeFileError(at, 'clOrdID must have 1 to 64 characters without comma');
    if (!SYMBOL.test(symbol)) throw new TradeFileError(at, 'symbol must have 1 to 32 characters without comma');
    if (side !== 'BUY' && side !== 'SELL') throw new TradeFileError(at, 'side must be BUY or SELL');
    const numbers = { quantity: numberOf(quantity, 'quantity', at), pricePaise: numberOf(price, 'pricePaise', at) };
    return { tradingDay, execID, execRefID, clOrdID, symbol, side, ...numbers };
  }
}

function numberOf(text: string | undefined, name: string, at: number): number {
  if (text === undefined || !NUMBER.test(text))
    throw new TradeFileError(at, `${name} must be a whole number above 0 of at most 15 digits`);
  return Number(text);
}
