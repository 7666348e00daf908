import type { ModeName } from '../src/core/fan-out/wire.ts';
import type { SymbolDraw } from './instrument-draw.ts';

/**
 * When a load process looks into the frames. `later`: after the measurement, so that it takes no time from the server's machine; exchange times,
 * which are inside, are not measured then.
 */
export type Decode = 'now' | 'later';

/** What one load process is to do. */
export interface LoadSettings {
  readonly host: string;
  readonly port: number;
  /** Over TLS, with whatever certificate. */
  readonly tls: boolean;
  readonly connections: number;
  /** Instruments a connection. */
  readonly symbolsEach: number;
  readonly mode: ModeName;
  /** Undefined: the server's default. */
  readonly filterBps: number | undefined;
  /** Every symbol of the server, most popular first. */
  readonly symbols: readonly string[];
  readonly draw: SymbolDraw;
  readonly seed: number;
  readonly connectsPerSecond: number;
  readonly decode: Decode;
  /** Never sleep while measuring: for a load process that has a core of its own. */
  readonly awake: boolean;
}

export interface LoadFigures {
  readonly seconds: number;
  readonly frames: number;
  /** Payload bytes of the frames of quotes. */
  readonly bytes: number;
  /** Arrival of the oldest change carried to receipt, and exchange time of the newest to receipt, microseconds: base64. */
  readonly latency: string;
  readonly exchangeLatency: string;
  readonly cpuSeconds: number;
}

/** What was in the frames that the figures tell of. */
export interface LoadContent {
  readonly quotes: number;
}

/** Connections that were lost in drills, as they are meant to be, and came again by themselves. */
export interface LoadReturns {
  readonly lost: number;
  /** From each loss to the first quotes on the next connection, microseconds: base64. */
  readonly away: string;
}

export interface LoadVerdict {
  /** Quotes held by all connections. */
  readonly checked: number;
  /** Of these, quotes that differ from what a fresh connection gets. */
  readonly mismatches: number;
  /** The first few of them, for people. */
  readonly examples: readonly string[];
  /** Connections that closed at any time since they were opened, but for those in drills who came again, and why the first few did. */
  readonly disconnects: number;
  readonly reasons: readonly string[];
}

/** Bench to load process. */
export type LoadOrder =
  | { readonly type: 'connect'; readonly settings: LoadSettings }
  /** Forget what was measured so far. */
  | { readonly type: 'measure' }
  /** The measured time is over. */
  | { readonly type: 'report' }
  /** A worker of the engine is about to throw: who loses its connection in the next seconds comes again. */
  | { readonly type: 'drill' }
  /** Wait until all who were lost in drills have come again. */
  | { readonly type: 'returns' }
  /** Look into the frames that were kept. */
  | { readonly type: 'decode' }
  /** The feed has stopped: wait until nothing comes any more, then compare. */
  | { readonly type: 'verify' };

/** Load process to bench. */
export type LoadReport =
  | { readonly type: 'connected'; readonly seconds: number }
  | { readonly type: 'measuring' }
  | { readonly type: 'figures'; readonly figures: LoadFigures }
  | { readonly type: 'warned' }
  | { readonly type: 'returned'; readonly returns: LoadReturns }
  | { readonly type: 'content'; readonly content: LoadContent }
  | { readonly type: 'verdict'; readonly verdict: LoadVerdict };
