// hot: per published message.

/** Instruments that one X may carry; its bytes are bounded by its encoder. */
export const BODY_SEGMENTS_MAX = 256;

/**
 * One encoded market data body and where each instrument stands in it: `buffer[start .. end)` is the whole body from NoMDEntries(268), or
 * Symbol(55), to the last field, without header, trailer and MDReqID(262). Segment `i` is the entries of one instrument. It is reused: read it
 * during the callback that delivers it.
 */
export class MarketDataBody {
  /** MsgType(35): W, X or f. */
  msgType = 0;
  /** Epoch microseconds of the newest change in it. */
  tsMicros = 0;
  buffer: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  segmentCount = 0;
  readonly segmentInstruments: Int32Array = new Int32Array(BODY_SEGMENTS_MAX);
  readonly segmentStarts: Int32Array = new Int32Array(BODY_SEGMENTS_MAX);
  readonly segmentEnds: Int32Array = new Int32Array(BODY_SEGMENTS_MAX);
  readonly segmentEntryCounts: Int32Array = new Int32Array(BODY_SEGMENTS_MAX);

  addSegment(instrument: number, start: number, end: number, entryCount: number): void {
    const segment = this.segmentCount++;
    this.segmentInstruments[segment] = instrument;
    this.segmentStarts[segment] = start;
    this.segmentEnds[segment] = end;
    this.segmentEntryCounts[segment] = entryCount;
  }
}

/** Where market data goes: sessions, or a recording. `body` is reused. */
export interface MarketDataListener {
  published(body: MarketDataBody): void;
}

/** What a new subscriber is told: a running market, or a recording of one. Bodies are reused by the next call. */
export interface MarketDataSource {
  /** Instrument indices are below it. */
  readonly capacity: number;
  /** The index of a listed symbol, or a negative number. */
  indexOfSymbol(symbol: string): number;
  /** A W of the instrument as published so far; every X before it has been delivered. */
  snapshot(index: number): MarketDataBody;
  /** An f that says so when the instrument is halted, else null. */
  haltStatus(index: number): MarketDataBody | null;
}
