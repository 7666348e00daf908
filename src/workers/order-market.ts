import type { InstrumentRow } from '../core/market-data/instrument-row.ts';
import { QuoteBoardReader, QuoteFlag, STALE_MASK } from '../core/market-data/quote-board.ts';
import type { MarketView } from '../core/orders/market-view.ts';
import type { InstrumentDirectory } from '../core/orders/order-books.ts';
import {
  QUOTE_SLOT_FLAGS,
  QUOTE_SLOT_LAST_PAISE,
  QUOTE_SLOT_STRIDE_WORDS,
} from '../core/shm/generated/quote-slot.gen.ts';

/** Looks at a slot whose writer is inside it; a writer is there for less than a microsecond, unless it was preempted. */
const LOOKS = 16;

/** The quote board, as orders see it. A halt of the whole market stands in the flags of every instrument. */
export class BoardMarket implements MarketView {
  readonly isMarketHalted = false;
  readonly #board: QuoteBoardReader;
  readonly #slot = new Int32Array(QUOTE_SLOT_STRIDE_WORDS);

  constructor(board: SharedArrayBuffer, instrumentCapacity: number) {
    this.#board = new QuoteBoardReader(board, instrumentCapacity);
  }

  lastPaise(instrumentIndex: number): number {
    return this.#look(instrumentIndex) ? (this.#slot[QUOTE_SLOT_LAST_PAISE] as number) : 0;
  }

  isStale(instrumentIndex: number): boolean {
    return !this.#look(instrumentIndex) || ((this.#slot[QUOTE_SLOT_FLAGS] as number) & STALE_MASK) !== 0;
  }

  isHalted(instrumentIndex: number): boolean {
    return this.#look(instrumentIndex) && ((this.#slot[QUOTE_SLOT_FLAGS] as number) & QuoteFlag.Halted) !== 0;
  }

  #look(instrumentIndex: number): boolean {
    for (let looks = 0; looks < LOOKS; looks++) {
      if (this.#board.readQuote(instrumentIndex, this.#slot, 0)) return true;
    }
    return false;
  }
}

/** The instrument table, by symbol and by id. */
export class InstrumentRows implements InstrumentDirectory {
  #bySymbol = new Map<string, InstrumentRow>();
  #byId = new Map<number, InstrumentRow>();

  load(rows: readonly InstrumentRow[]): void {
    this.#bySymbol = new Map(rows.filter(({ listed }) => listed).map((row) => [row.symbol, row]));
    this.#byId = new Map(rows.map((row) => [row.instrumentId, row]));
  }

  bySymbol(symbol: string): InstrumentRow | undefined {
    return this.#bySymbol.get(symbol);
  }

  byId(instrumentId: number): InstrumentRow | undefined {
    return this.#byId.get(instrumentId);
  }

  /** '' for none, and for one that nobody knows any more its number. */
  readonly symbolOf = (instrumentId: number): string => {
    if (instrumentId === 0) return '';
    return this.#byId.get(instrumentId)?.symbol ?? String(instrumentId);
  };
}
