import type { ExecutionReport } from '../fix/execution-report.ts';
import type { MarketHours } from '../market/calendar.ts';
import { tradeLinesOf } from './drop-copy-lines.ts';
import { BreakKind, type OwnTrade, type TradeBreak, TradeMatcher } from './trade-matcher.ts';

/** The venue and we have so long to come to the same. */
const PATIENCE_MICROS = 30_000_000;
/** Trades that wait for their other side. */
const UNMATCHED_MAX = 100_000;

export interface DropCopyHost {
  /** A break that is one. */
  onBreak(found: TradeBreak): void;
  /** The venue has told of a trade that was not seen here since this process began: it may have been before. `onBreak` is for the host to call. */
  onStrange(found: TradeBreak): void;
  /** As many trades wait as may: they are let go, and the day's file has to tell. */
  onBehind(count: number): void;
}

/** Holds our trades against a venue's drop copy as both come in. What is only here counts as missing there when the copy has been up for as long as it is waited for. Sans-I/O. */
export class DropCopy {
  readonly #hours: MarketHours;
  readonly #host: DropCopyHost;
  #matcher = new TradeMatcher();
  #upMicros = Number.POSITIVE_INFINITY;

  constructor(hours: MarketHours, host: DropCopyHost) {
    this.#hours = hours;
    this.#host = host;
  }

  get matchedCount(): number {
    return this.#matcher.matchedCount;
  }

  /** The session came up or went down. */
  state(isUp: boolean, nowMicros: number): void {
    this.#upMicros = isUp ? nowMicros : Number.POSITIVE_INFINITY;
  }

  ours(trade: OwnTrade, nowMicros: number): void {
    for (const found of this.#matcher.ours(trade, nowMicros)) this.#host.onBreak(found);
    this.#bound();
  }

  theirs(report: ExecutionReport, nowMicros: number): void {
    for (const line of tradeLinesOf(report, this.#hours)) {
      for (const found of this.#matcher.theirs(line, nowMicros)) {
        // What is told twice was sent twice: it is one trade.
        if (found.kind !== BreakKind.Repeated) this.#host.onBreak(found);
      }
    }
    this.#bound();
  }

  onTimer(nowMicros: number): void {
    if (nowMicros < this.#upMicros + PATIENCE_MICROS) return;
    for (const found of this.#matcher.overdue(nowMicros - PATIENCE_MICROS)) {
      if (found.kind === BreakKind.MissingHere) this.#host.onStrange(found);
      else this.#host.onBreak(found);
    }
  }

  #bound(): void {
    const { unmatchedCount } = this.#matcher;
    if (unmatchedCount <= UNMATCHED_MAX) return;
    this.#matcher = new TradeMatcher();
    this.#host.onBehind(unmatchedCount);
  }
}
