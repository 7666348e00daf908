// hot: per changed instrument and drain. No allocation, no closure, no exception.
import { DEPTH_LEVEL_WORDS, DEPTH_LEVELS, type QuoteBoardReader } from '../market-data/quote-board.ts';
import { bitmapWords, type DirtyBitmapReader } from '../shm/dirty-bitmap.ts';
import { DEPTH_SLOT_BIDS, DEPTH_SLOT_STRIDE_WORDS } from '../shm/generated/depth-slot.gen.ts';
import {
  QUOTE_SLOT_ASK_PAISE,
  QUOTE_SLOT_ASK_QTY,
  QUOTE_SLOT_BID_PAISE,
  QUOTE_SLOT_BID_QTY,
  QUOTE_SLOT_CLOSE_PAISE,
  QUOTE_SLOT_FLAGS,
  QUOTE_SLOT_HIGH_PAISE,
  QUOTE_SLOT_LAST_PAISE,
  QUOTE_SLOT_LAST_QTY,
  QUOTE_SLOT_LAST_TRADE_MICROS,
  QUOTE_SLOT_LOW_PAISE,
  QUOTE_SLOT_OPEN_INTEREST,
  QUOTE_SLOT_OPEN_PAISE,
  QUOTE_SLOT_STRIDE_WORDS,
  QUOTE_SLOT_TOTAL_ASK_QTY,
  QUOTE_SLOT_TOTAL_BID_QTY,
  QUOTE_SLOT_TS_MICROS,
  QUOTE_SLOT_TURNOVER_PAISE,
  QUOTE_SLOT_VOLUME,
} from '../shm/generated/quote-slot.gen.ts';
import { QUOTE_FIELD_COUNT, QuoteField } from './wire.ts';

/** Words of depth of an instrument: five bids, five asks, each price, quantity, orders. */
export const VIEW_DEPTH_WORDS = 2 * DEPTH_LEVELS * DEPTH_LEVEL_WORDS;

/** Tries of a read at a subscription, where one answer is wanted at once; beyond them the next drain has it. */
const PRIME_TRIES = 8;

/** Whoever is told of changes: the phase groups. */
export interface ChangeSink {
  /** Instruments of one bitmap word changed; `arrivals` is by instrument, low 32 bits of epoch microseconds. */
  mark(word: number, quoteBits: number, depthBits: number, arrivals: Int32Array): void;
}

/**
 * A fan-out worker's own copy of the quotes that anybody here subscribes to, as of its last drain. Shared memory costs ten
 * times what plain memory does, and every group reads: so a changed slot is read once a drain, and groups compare with the copy.
 */
export class MarketView {
  /** QUOTE_FIELD_COUNT numbers an instrument, in the units of the wire. The place of `Depth` is unused. */
  readonly fields: Float64Array;
  /** VIEW_DEPTH_WORDS words an instrument, as on the board. */
  readonly depth: Int32Array;
  /** Slots that were left for the next drain because the writer was inside. */
  slotRetries = 0;
  /** Changed instruments taken, subscribed to or not. Like `slotRetries` set to 0 by the reader. */
  changesTaken = 0;

  readonly #board: QuoteBoardReader;
  readonly #dirty: DirtyBitmapReader;
  readonly #wordCount: number;
  /** Streams of an instrument in all groups, and those that carry depth; and the same as bits. */
  readonly #quoteUses: Int32Array;
  readonly #depthUses: Int32Array;
  readonly #quoteBits: Int32Array;
  readonly #depthBits: Int32Array;
  /** Changes that could not be read: bits as above, and when they arrived. */
  readonly #quoteRetry: Int32Array;
  readonly #depthRetry: Int32Array;
  readonly #arrivals: Int32Array;
  readonly #quoteSlot = new Int32Array(QUOTE_SLOT_STRIDE_WORDS);
  readonly #quoteSlotF64 = new Float64Array(this.#quoteSlot.buffer);
  readonly #depthSlot = new Int32Array(DEPTH_SLOT_STRIDE_WORDS);

  constructor(board: QuoteBoardReader, dirty: DirtyBitmapReader, instrumentCapacity: number) {
    this.#board = board;
    this.#dirty = dirty;
    this.#wordCount = bitmapWords(instrumentCapacity);
    this.fields = new Float64Array(instrumentCapacity * QUOTE_FIELD_COUNT);
    this.depth = new Int32Array(instrumentCapacity * VIEW_DEPTH_WORDS);
    this.#quoteUses = new Int32Array(instrumentCapacity);
    this.#depthUses = new Int32Array(instrumentCapacity);
    this.#quoteBits = new Int32Array(this.#wordCount);
    this.#depthBits = new Int32Array(this.#wordCount);
    this.#quoteRetry = new Int32Array(this.#wordCount);
    this.#depthRetry = new Int32Array(this.#wordCount);
    this.#arrivals = new Int32Array(instrumentCapacity);
  }

  /** A stream of this instrument begins somewhere: from now on it is kept. `arrivalMicros` is now, low 32 bits. */
  use(instrumentIndex: number, withDepth: boolean, arrivalMicros: number): void {
    const word = instrumentIndex >> 5;
    const bit = 1 << (instrumentIndex & 31);
    if (this.#quoteUses[instrumentIndex]!++ === 0) {
      this.#quoteBits[word]! |= bit;
      let tries = 0;
      while (!this.#readQuote(instrumentIndex) && ++tries < PRIME_TRIES);
      if (tries === PRIME_TRIES) this.#quoteRetry[word]! |= bit;
      this.#arrivals[instrumentIndex] = arrivalMicros;
    }
    if (withDepth && this.#depthUses[instrumentIndex]!++ === 0) {
      this.#depthBits[word]! |= bit;
      let tries = 0;
      while (!this.#readDepth(instrumentIndex) && ++tries < PRIME_TRIES);
      if (tries === PRIME_TRIES) this.#depthRetry[word]! |= bit;
    }
  }

  /** A stream of this instrument ends. */
  release(instrumentIndex: number, withDepth: boolean): void {
    const word = instrumentIndex >> 5;
    const clear = ~(1 << (instrumentIndex & 31));
    if (--this.#quoteUses[instrumentIndex]! === 0) {
      this.#quoteBits[word]! &= clear;
      this.#quoteRetry[word]! &= clear;
    }
    if (withDepth && --this.#depthUses[instrumentIndex]! === 0) {
      this.#depthBits[word]! &= clear;
      this.#depthRetry[word]! &= clear;
    }
  }

  /** Takes what changed since the last drain, reads it, and tells every sink. Returns whether there was anything. */
  drain(sinks: readonly ChangeSink[]): boolean {
    const dirty = this.#dirty;
    const taken = dirty.arrivals;
    const arrivals = this.#arrivals;
    let any = false;
    for (let word = 0; word < this.#wordCount; word++) {
      const quoteRetry = this.#quoteRetry[word]!;
      const depthRetry = this.#depthRetry[word]!;
      const takenQuote = dirty.takeQuoteWord(word);
      const newQuote = takenQuote & this.#quoteBits[word]!;
      // The arrivals must be copied before the next taking overwrites them. An unread change keeps its older arrival.
      for (let rest = newQuote & ~(quoteRetry | depthRetry); rest !== 0; rest &= rest - 1) {
        const bit = 31 - Math.clz32(rest & -rest);
        arrivals[(word << 5) + bit] = taken[bit]!;
      }
      const takenDepth = dirty.takeDepthWord(word);
      const newDepth = takenDepth & this.#depthBits[word]!;
      for (let rest = newDepth & ~(newQuote | quoteRetry | depthRetry); rest !== 0; rest &= rest - 1) {
        const bit = 31 - Math.clz32(rest & -rest);
        arrivals[(word << 5) + bit] = taken[bit]!;
      }
      for (let rest = takenQuote | takenDepth; rest !== 0; rest &= rest - 1) this.changesTaken++;
      const quoteBits = newQuote | quoteRetry;
      const depthBits = newDepth | depthRetry;
      if ((quoteBits | depthBits) === 0) continue;
      any = true;
      this.#readWord(word, quoteBits, depthBits);
      const readQuote = quoteBits & ~this.#quoteRetry[word]!;
      const readDepth = depthBits & ~this.#depthRetry[word]!;
      for (let s = 0; s < sinks.length; s++) sinks[s]!.mark(word, readQuote, readDepth, arrivals);
    }
    return any;
  }

  #readWord(word: number, quoteBits: number, depthBits: number): void {
    let quoteRetry = 0;
    let depthRetry = 0;
    for (let rest = quoteBits | depthBits; rest !== 0; rest &= rest - 1) {
      const bit = rest & -rest;
      const instrumentIndex = (word << 5) + (31 - Math.clz32(bit));
      if ((quoteBits & bit) !== 0 && !this.#readQuote(instrumentIndex)) quoteRetry |= bit;
      if ((depthBits & bit) !== 0 && !this.#readDepth(instrumentIndex)) depthRetry |= bit;
      if (((quoteRetry | depthRetry) & bit) !== 0) this.slotRetries++;
    }
    this.#quoteRetry[word] = quoteRetry;
    this.#depthRetry[word] = depthRetry;
  }

  #readQuote(instrumentIndex: number): boolean {
    const slot = this.#quoteSlot;
    if (!this.#board.readQuote(instrumentIndex, slot, 0)) return false;
    const f64 = this.#quoteSlotF64;
    const fields = this.fields;
    const base = instrumentIndex * QUOTE_FIELD_COUNT;
    const volume = f64[QUOTE_SLOT_VOLUME >> 1]!;
    fields[base + QuoteField.LastPaise] = slot[QUOTE_SLOT_LAST_PAISE]!;
    fields[base + QuoteField.BidPaise] = slot[QUOTE_SLOT_BID_PAISE]!;
    fields[base + QuoteField.AskPaise] = slot[QUOTE_SLOT_ASK_PAISE]!;
    fields[base + QuoteField.BidQty] = slot[QUOTE_SLOT_BID_QTY]!;
    fields[base + QuoteField.AskQty] = slot[QUOTE_SLOT_ASK_QTY]!;
    fields[base + QuoteField.LastQty] = slot[QUOTE_SLOT_LAST_QTY]!;
    fields[base + QuoteField.Volume] = volume;
    fields[base + QuoteField.AveragePaise] = volume > 0 ? Math.round(f64[QUOTE_SLOT_TURNOVER_PAISE >> 1]! / volume) : 0;
    fields[base + QuoteField.TsMillis] = Math.floor(f64[QUOTE_SLOT_TS_MICROS >> 1]! / 1_000);
    fields[base + QuoteField.LastTradeMillis] = Math.floor(f64[QUOTE_SLOT_LAST_TRADE_MICROS >> 1]! / 1_000);
    fields[base + QuoteField.TotalBidQty] = f64[QUOTE_SLOT_TOTAL_BID_QTY >> 1]!;
    fields[base + QuoteField.TotalAskQty] = f64[QUOTE_SLOT_TOTAL_ASK_QTY >> 1]!;
    fields[base + QuoteField.Flags] = slot[QUOTE_SLOT_FLAGS]!;
    fields[base + QuoteField.HighPaise] = slot[QUOTE_SLOT_HIGH_PAISE]!;
    fields[base + QuoteField.LowPaise] = slot[QUOTE_SLOT_LOW_PAISE]!;
    fields[base + QuoteField.OpenPaise] = slot[QUOTE_SLOT_OPEN_PAISE]!;
    fields[base + QuoteField.ClosePaise] = slot[QUOTE_SLOT_CLOSE_PAISE]!;
    fields[base + QuoteField.OpenInterest] = f64[QUOTE_SLOT_OPEN_INTEREST >> 1]!;
    return true;
  }

  #readDepth(instrumentIndex: number): boolean {
    const slot = this.#depthSlot;
    if (!this.#board.readDepth(instrumentIndex, slot, 0)) return false;
    const base = instrumentIndex * VIEW_DEPTH_WORDS;
    // Bids and asks lie side by side in the slot.
    for (let i = 0; i < VIEW_DEPTH_WORDS; i++) this.depth[base + i] = slot[DEPTH_SLOT_BIDS + i]!;
    return true;
  }
}
