import type { FixMessage } from '../fix/fix-message.ts';
import { SecurityTradingStatus, TradSesStatus } from '../fix/generated/fix-enums.gen.ts';
import { Tag } from '../fix/generated/fix-tags.gen.ts';
import { type QuoteBoardWriter, QuoteFlag } from './quote-board.ts';
import type { InstrumentCount } from './quote-freshness.ts';

/**
 * Which instruments are halted: each by itself (SecurityStatus), or all with the market (TradingSessionStatus). The flag on the board is either; the end of a halt of
 * the market leaves those halted that are so by themselves.
 */
export class TradingHalts {
  /** Null before this connection has said. */
  #marketHalted: boolean | null = null;
  readonly #board: QuoteBoardWriter;
  readonly #instruments: InstrumentCount;
  readonly #halted = new Set<number>();

  constructor(board: QuoteBoardWriter, instruments: InstrumentCount) {
    this.#board = board;
    this.#instruments = instruments;
  }

  /** A new connection: it tells of what is halted now, and what it does not name is not. */
  begin(): void {
    this.#marketHalted = null;
    this.#halted.clear();
  }

  /** SecurityStatus (f) of the instrument that is open on the board; false when it cannot be read. */
  onSecurityStatus(message: FixMessage, instrumentIndex: number): boolean {
    const position = message.find(Tag.SecurityTradingStatus, message.bodyPosition);
    const status = position < 0 ? -1 : message.int(position);
    if (status === SecurityTradingStatus.TradingHalt) this.#halted.add(instrumentIndex);
    else if (status === SecurityTradingStatus.ReadyToTrade || status === SecurityTradingStatus.Resume)
      this.#halted.delete(instrumentIndex);
    this.#flag(this.#marketHalted === true || this.#halted.has(instrumentIndex));
    return status >= 0;
  }

  /** TradingSessionStatus (h); what says neither halted nor open changes nothing. False when it cannot be read. */
  onTradingSessionStatus(message: FixMessage, nowMicros: number): boolean {
    const position = message.find(Tag.TradSesStatus, message.bodyPosition);
    const status = position < 0 ? -1 : message.int(position);
    const halted = status === TradSesStatus.Halted;
    if ((halted || status === TradSesStatus.Open) && halted !== this.#marketHalted) {
      this.#marketHalted = halted;
      this.#markAll(nowMicros);
    }
    return status >= 0;
  }

  /** Instruments that were listed in a halt of the market are halted too. */
  instrumentsLoaded(nowMicros: number): void {
    if (this.#marketHalted === true) this.#markAll(nowMicros);
  }

  #markAll(nowMicros: number): void {
    for (let index = 0; index < this.#instruments.count; index++) {
      this.#board.open(index);
      this.#flag(this.#marketHalted === true || this.#halted.has(index));
      this.#board.close(nowMicros | 0);
    }
  }

  #flag(halted: boolean): void {
    if (halted) this.#board.setFlags(QuoteFlag.Halted, 0);
    else this.#board.setFlags(0, QuoteFlag.Halted);
  }
}
