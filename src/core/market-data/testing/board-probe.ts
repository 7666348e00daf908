import { assert } from '../../assert.ts';
import { DEPTH_SLOT_ASKS, DEPTH_SLOT_BIDS, DEPTH_SLOT_STRIDE_WORDS } from '../../shm/generated/depth-slot.gen.ts';
import * as Slot from '../../shm/generated/quote-slot.gen.ts';
import type { QuoteBoardReader } from '../quote-board.ts';

/** For tests: a quote of the board as an object, to be compared as a whole. */

/** Everything a reader can see of one instrument. */
export interface Quote {
  flags: number;
  bidPaise: number;
  askPaise: number;
  lastPaise: number;
  bidQty: number;
  askQty: number;
  lastQty: number;
  volume: number;
  turnoverPaise: number;
  tsMicros: number;
  tradeCount: number;
  openPaise: number;
  highPaise: number;
  lowPaise: number;
  closePaise: number;
  totalBidQty: number;
  totalAskQty: number;
  openInterest: number;
  lastTradeMicros: number;
  bids: number[];
  asks: number[];
}

/** A slot that nobody has written. */
export const EMPTY_QUOTE: Quote = {
  flags: 0,
  bidPaise: 0,
  askPaise: 0,
  lastPaise: 0,
  bidQty: 0,
  askQty: 0,
  lastQty: 0,
  volume: 0,
  turnoverPaise: 0,
  tsMicros: 0,
  tradeCount: 0,
  openPaise: 0,
  highPaise: 0,
  lowPaise: 0,
  closePaise: 0,
  totalBidQty: 0,
  totalAskQty: 0,
  openInterest: 0,
  lastTradeMicros: 0,
  bids: new Array<number>(15).fill(0),
  asks: new Array<number>(15).fill(0),
};

/** Reads one instrument; the writer must not be inside its slot. */
export function readQuote(reader: QuoteBoardReader, index: number): Quote {
  const words = new Int32Array(Slot.QUOTE_SLOT_STRIDE_WORDS);
  const f64 = new Float64Array(words.buffer);
  const depth = new Int32Array(DEPTH_SLOT_STRIDE_WORDS);
  assert(reader.readQuote(index, words, 0) && reader.readDepth(index, depth, 0), 'slot is locked');
  return {
    flags: words[Slot.QUOTE_SLOT_FLAGS]!,
    bidPaise: words[Slot.QUOTE_SLOT_BID_PAISE]!,
    askPaise: words[Slot.QUOTE_SLOT_ASK_PAISE]!,
    lastPaise: words[Slot.QUOTE_SLOT_LAST_PAISE]!,
    bidQty: words[Slot.QUOTE_SLOT_BID_QTY]!,
    askQty: words[Slot.QUOTE_SLOT_ASK_QTY]!,
    lastQty: words[Slot.QUOTE_SLOT_LAST_QTY]!,
    volume: f64[Slot.QUOTE_SLOT_VOLUME >> 1]!,
    turnoverPaise: f64[Slot.QUOTE_SLOT_TURNOVER_PAISE >> 1]!,
    tsMicros: f64[Slot.QUOTE_SLOT_TS_MICROS >> 1]!,
    tradeCount: words[Slot.QUOTE_SLOT_TRADE_COUNT]!,
    openPaise: words[Slot.QUOTE_SLOT_OPEN_PAISE]!,
    highPaise: words[Slot.QUOTE_SLOT_HIGH_PAISE]!,
    lowPaise: words[Slot.QUOTE_SLOT_LOW_PAISE]!,
    closePaise: words[Slot.QUOTE_SLOT_CLOSE_PAISE]!,
    totalBidQty: f64[Slot.QUOTE_SLOT_TOTAL_BID_QTY >> 1]!,
    totalAskQty: f64[Slot.QUOTE_SLOT_TOTAL_ASK_QTY >> 1]!,
    openInterest: f64[Slot.QUOTE_SLOT_OPEN_INTEREST >> 1]!,
    lastTradeMicros: f64[Slot.QUOTE_SLOT_LAST_TRADE_MICROS >> 1]!,
    bids: [...depth.subarray(DEPTH_SLOT_BIDS, DEPTH_SLOT_BIDS + 15)],
    asks: [...depth.subarray(DEPTH_SLOT_ASKS, DEPTH_SLOT_ASKS + 15)],
  };
}
