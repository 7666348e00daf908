import { generateInstrumentMaster } from '../src/core/exchange/instrument-generator.ts';
import { Prng } from '../src/core/exchange/prng.ts';
import { FixEncoder } from '../src/core/fix/fix-encoder.ts';
import { MDEntryType } from '../src/core/fix/generated/fix-enums.gen.ts';
import { MARKET_DEPTH, MarketDataWriter } from '../src/core/fix/market-data-messages.ts';
import { InstrumentTable } from '../src/core/market-data/instrument-table.ts';

export const DECODE_CASES = ['inc1', 'inc3', 'inc10', 'snap'] as const;
export type DecodeCase = (typeof DECODE_CASES)[number];

const MASTER_DATE = '2026-01-01';
/** 2026-03-02 09:15 Asia/Kolkata. */
const FIRST_SENDING_TIME_MICROS = Date.UTC(2026, 2, 2, 3, 45) * 1000;
const MSG_TYPE_SNAPSHOT = 'W'.charCodeAt(0);
const MSG_TYPE_INCREMENTAL = 'X'.charCodeAt(0);
const REQUEST_ID = Buffer.from('md-1', 'latin1');
const MADE_UP_INSTRUMENTS = 1_950;

/** Entries of the instruments of an incremental message: those of one instrument are adjacent, as a publisher sends them. */
const INCREMENTAL_ENTRIES: Record<Exclude<DecodeCase, 'snap'>, readonly number[]> = {
  inc1: [1],
  inc3: [3],
  inc10: [3, 3, 3, 1],
};

/** 50 real symbols, made-up ones and the indices, as the simulator lists them. */
export function decodeInstruments(seed: number): InstrumentTable {
  const master = generateInstrumentMaster({ seed, madeUpCount: MADE_UP_INSTRUMENTS, from: MASTER_DATE });
  const table = new InstrumentTable(4_096);
  table.load(master, MASTER_DATE);
  return table;
}

/** The bytes of `count` messages of a case one after the other, as one side of a FIX connection would send them. */
export function decodeMessages(decodeCase: DecodeCase, count: number, seed: number, table: InstrumentTable): Buffer {
  const prng = new Prng(seed);
  const encoder = new FixEncoder('FIX.4.4');
  const writer = new MarketDataWriter();
  const symbols = Array.from({ length: table.count }, (_, index) => Buffer.from(table.symbol(index), 'latin1'));
  const messages: Buffer[] = [];
  encoder.setCompIDs('EXCHANGE', 'OUTCRY');
  for (let i = 0; i < count; i++) {
    const sendingTimeMicros = FIRST_SENDING_TIME_MICROS + i * 1_000;
    if (decodeCase === 'snap') {
      encoder.begin(MSG_TYPE_SNAPSHOT, i + 1, sendingTimeMicros);
      const index = prng.below(table.count);
      writer.beginSnapshot(encoder, REQUEST_ID, symbols[index]!);
      writeSnapshot(writer, prng, table.instrument(index).previousClosePaise, sendingTimeMicros);
    } else {
      encoder.begin(MSG_TYPE_INCREMENTAL, i + 1, sendingTimeMicros);
      writer.beginIncremental(encoder, REQUEST_ID);
      for (const entryCount of INCREMENTAL_ENTRIES[decodeCase]) {
        const index = prng.below(table.count);
        writer.instrument(symbols[index]!);
        writeChange(writer, prng, entryCount, table.instrument(index).previousClosePaise, sendingTimeMicros);
      }
    }
    writer.end();
    encoder.finish();
    messages.push(Buffer.from(encoder.buffer.subarray(encoder.start, encoder.end)));
  }
  return Buffer.concat(messages);
}

function writeSnapshot(writer: MarketDataWriter, prng: Prng, closePaise: number, tsMicros: number): void {
  const lastPaise = closePaise + prng.below(200);
  for (let level = 1; level <= MARKET_DEPTH; level++) {
    writer.level(MDEntryType.Bid, level, lastPaise - level * 5, 1 + prng.below(5_000), 1 + prng.below(20));
  }
  for (let level = 1; level <= MARKET_DEPTH; level++) {
    writer.level(MDEntryType.Offer, level, lastPaise + level * 5, 1 + prng.below(5_000), 1 + prng.below(20));
  }
  writer.trade(lastPaise, 1 + prng.below(500), tsMicros);
  writer.price(MDEntryType.OpeningPrice, closePaise);
  writer.price(MDEntryType.ClosingPrice, closePaise);
  writer.price(MDEntryType.TradingSessionHighPrice, lastPaise + 50);
  writer.price(MDEntryType.TradingSessionLowPrice, closePaise);
  writer.quantity(MDEntryType.TradeVolume, prng.below(10_000_000));
}

/** The first `entryCount` of: a bid, an offer, a trade. */
function writeChange(
  writer: MarketDataWriter,
  prng: Prng,
  entryCount: number,
  closePaise: number,
  tsMicros: number,
): void {
  const lastPaise = closePaise + prng.below(200);
  const level = 1 + prng.below(MARKET_DEPTH);
  writer.level(MDEntryType.Bid, level, lastPaise - level * 5, 1 + prng.below(5_000), 1 + prng.below(20));
  if (entryCount < 2) return;
  writer.level(MDEntryType.Offer, level, lastPaise + level * 5, 1 + prng.below(5_000), 1 + prng.below(20));
  if (entryCount < 3) return;
  writer.trade(lastPaise, 1 + prng.below(500), tsMicros);
}
