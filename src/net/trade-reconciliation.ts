import { createReadStream } from 'node:fs';
import { OutcryError } from '../core/errors.ts';
import { TradeFileError, TradeFileParser, type TradeLine } from '../core/reconciliation/trade-line.ts';
import { type OwnTrade, type TradeBreak, TradeMatcher } from '../core/reconciliation/trade-matcher.ts';
import type { SnapshotRead } from './ledger-load.ts';
import type { LedgerReader } from './ledger-reader.ts';

const LINE_CHARACTERS_MAX = 1_024;
/** Trades of one side that are in memory at once, about 100 MB at most. */
const TRADES_AT_ONCE = 250_000;

export interface ReconciliationOptions {
  readonly reader: LedgerReader;
  /** The venue's trade files of the day, one a CompID of ours. */
  readonly files: readonly string[];
  readonly tradingDay: string;
  /** As our trades name it. */
  readonly venue: string;
  readonly symbolOf: (instrumentId: number) => string;
  /** Called for each break as it is found. */
  readonly onBreak: (found: TradeBreak) => void;
  /** For tests. */
  readonly tradesAtOnce?: number;
}

export interface ReconciliationReport {
  readonly tradingDay: string;
  readonly ours: number;
  readonly theirs: number;
  readonly matched: number;
  readonly breaks: number;
}

/**
 * Holds our trades of a day against the venue's files of it. The files are read through before anything is compared, so that a damaged one breaks nothing; then as many times as needed to have
 * no more than a bounded part of the trades in memory. REQUEST_REFUSED for a file that is not what it must be.
 */
export function reconcileTradeFiles(options: ReconciliationOptions): Promise<ReconciliationReport> {
  const { reader, files, tradingDay, tradesAtOnce = TRADES_AT_ONCE } = options;
  return reader.snapshot(async (read) => {
    let theirs = 0;
    for (const file of files) for await (const _ of tradesOfFile(file, tradingDay)) theirs++;
    let ours = 0;
    for await (const _ of ownTrades(read, options)) ours++;
    const parts = Math.ceil(Math.max(1, ours, theirs) / tradesAtOnce);
    let matched = 0;
    let breaks = 0;
    const tell = (found: TradeBreak): void => {
      breaks++;
      options.onBreak(found);
    };
    for (let part = 0; part < parts; part++) {
      const matcher = new TradeMatcher();
      for (const file of files) {
        for await (const trade of tradesOfFile(file, tradingDay))
          if (partOf(trade, parts) === part) matcher.theirs(trade).forEach(tell);
      }
      for await (const trade of ownTrades(read, options))
        if (partOf(trade, parts) === part) matcher.ours(trade).forEach(tell);
      for (const found of matcher.end()) tell(await named(read, found));
      matched += matcher.matchedCount;
    }
    return { tradingDay, ours, theirs, matched, breaks };
  });
}

/** Whose order it is that the venue has a trade of and we do not. */
async function named(read: SnapshotRead, found: TradeBreak): Promise<TradeBreak> {
  if (found.userId !== 0 || found.orderID === 0) return found;
  for await (const [userId] of read('SELECT user_id FROM outcry.orders WHERE order_id = $1', [found.orderID]))
    return { ...found, userId: userId as number };
  return found;
}

async function* ownTrades(
  read: SnapshotRead,
  { tradingDay, venue, symbolOf }: Pick<ReconciliationOptions, 'tradingDay' | 'venue' | 'symbolOf'>,
): AsyncGenerator<OwnTrade> {
  const sql = `SELECT user_id, order_id, instrument_id, exec_id, exec_ref_id, quantity, price_paise FROM outcry.trades
    WHERE venue = $1 AND trading_day = $2`;
  for await (const row of read(sql, [venue, tradingDay])) {
    const [userId, orderID, instrumentId, execID, execRefID, signed, pricePaise] = row as [
      number,
      number,
      number,
      string,
      string,
      number,
      number,
    ];
    // What is taken back has the other sign; the side is that of the order.
    const isBuy = execRefID === '' ? signed > 0 : signed < 0;
    const side = isBuy ? 'BUY' : 'SELL';
    const trade = { tradingDay, execID, execRefID, symbol: symbolOf(instrumentId), side, pricePaise } as const;
    yield { ...trade, quantity: Math.abs(signed), userId, orderID };
  }
}

async function* tradesOfFile(path: string, tradingDay: string): AsyncGenerator<TradeLine> {
  const parser = new TradeFileParser(tradingDay);
  try {
    for await (const text of linesOf(path)) {
      const trade = parser.take(text);
      if (trade !== null) yield trade;
    }
    parser.end();
  } catch (error) {
    throw new OutcryError('REQUEST_REFUSED', `${path}: ${(error as Error).message}`, error);
  }
}

async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = '';
  let count = 0;
  for await (const chunk of createReadStream(path, 'latin1')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      count++;
      yield line;
    }
    if (rest.length > LINE_CHARACTERS_MAX)
      throw new TradeFileError(count + 1, `a line has at most ${LINE_CHARACTERS_MAX} characters`);
  }
  if (rest !== '') yield rest;
}

/** By the execution that a line is about, so that both sides of it come into the same part. */
function partOf({ execID }: Pick<TradeLine, 'execID'>, parts: number): number {
  let hash = 0;
  for (let i = 0; i < execID.length; i++) hash = (Math.imul(hash, 31) + execID.charCodeAt(i)) | 0;
  return (hash >>> 0) % parts;
}
