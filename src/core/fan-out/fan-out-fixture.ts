import type { InstrumentRow } from '../market-data/instrument-row.ts';
import { QuoteBoardWriter, quoteBoardByteLength } from '../market-data/quote-board.ts';
import { DirtyBitmapWriter, dirtyBitmapByteLength } from '../shm/dirty-bitmap.ts';
import { FAN_OUT_STATS_STRIDE_WORDS } from '../shm/generated/worker-stats.gen.ts';
import { BYTES_PER_WORD } from '../shm/layout.ts';
import { FanOut } from './fan-out.ts';
import { InstrumentDirectory } from './instrument-directory.ts';

/** A fan-out over a board of its own, for tests: the market is written by `board`, symbols are S0, S1, … */
export interface FanOutFixture {
  readonly fanOut: FanOut;
  readonly board: QuoteBoardWriter;
  readonly directory: InstrumentDirectory;
  readonly stats: SharedArrayBuffer;
  /** The number at one of the FAN_OUT_STATS offsets. */
  stat(offset: number): number;
}

export interface FanOutFixtureOptions {
  readonly instrumentCount?: number;
  readonly phaseCount?: number;
  /** 1 when left out, so that the few connections of a test are in different phases. */
  readonly phaseFill?: number;
  readonly filterBps?: number;
  readonly maxConnections?: number;
  readonly maxSubscriptions?: number;
}

export function createFanOutFixture(options: FanOutFixtureOptions = {}): FanOutFixture {
  const instrumentCapacity = options.instrumentCount ?? 64;
  const boardBuffer = new SharedArrayBuffer(quoteBoardByteLength(instrumentCapacity));
  const dirtySet = new SharedArrayBuffer(dirtyBitmapByteLength(instrumentCapacity));
  const stats = new SharedArrayBuffer(FAN_OUT_STATS_STRIDE_WORDS * BYTES_PER_WORD);
  const statNumbers = new Float64Array(stats);
  const directory = new InstrumentDirectory(instrumentCapacity);
  directory.load(Array.from({ length: instrumentCapacity }, (_, index) => instrumentRow(index, `S${index}`)));
  const writer = new DirtyBitmapWriter(dirtySet, instrumentCapacity);
  return {
    fanOut: new FanOut({
      board: boardBuffer,
      dirtySet,
      stats,
      instrumentCapacity,
      directory,
      phaseCount: options.phaseCount ?? 1,
      phaseFill: options.phaseFill ?? 1,
      filterBps: options.filterBps ?? 0,
      maxConnections: options.maxConnections ?? 100,
      maxSubscriptions: options.maxSubscriptions ?? 1_000,
    }),
    board: new QuoteBoardWriter(boardBuffer, instrumentCapacity, [writer]),
    directory,
    stats,
    stat: (offset) => statNumbers[offset >> 1]!,
  };
}

export function instrumentRow(instrumentIndex: number, symbol: string): InstrumentRow {
  return {
    instrumentIndex,
    instrumentId: 1_000 + instrumentIndex,
    symbol,
    name: `${symbol} Limited`,
    kind: 'equity',
    tickPaise: 5,
    lotSize: 1,
    isin: null,
    priceBandBps: 2000,
    freezeQuantity: 100_000,
    previousClosePaise: 100_000,
    listed: true,
  };
}

/** Serves every phase at `nowMs`, all the way, and then what is left to flush. */
export function serveAll(fanOut: FanOut, nowMs: number): void {
  for (let phase = 0; phase < fanOut.phaseCount; phase++) {
    fanOut.beginTick(phase, nowMs);
    while (!fanOut.sweep(10, nowMs));
  }
  while (!fanOut.flush(10, nowMs));
}
