import { PHASE_FILL } from '../fan-out/fan-out.ts';
import type { ChangeCurve } from './unit-costs.ts';

/** Quotes that are to be sent by one node, as somebody who plans it would say it. */
export interface QuoteLoad {
  readonly connections: number;
  /** Instruments a connection, drawn by Zipf's law from all. */
  readonly symbols: number;
  readonly instruments: number;
  readonly tickSeconds: number;
  readonly updatesPerSecond: number;
  /** Fan-out workers that the connections are dealt to. */
  readonly workers: number;
}

/** What such a load makes of itself in a second. */
export interface OfferedRates {
  readonly frames: number;
  readonly quotes: number;
  /** Changes compared and encoded, once a phase group each. */
  readonly encodings: number;
}

/** Phase groups of a worker at most, as the setting `phases` has them by default; all connections with the default filter. */
const PHASES_MAX = 8;

export function offeredRates(load: QuoteLoad, curve: ChangeCurve): OfferedRates {
  const { connections, symbols, tickSeconds, workers, instruments } = load;
  const changed = changedShare(load, curve);
  const groups = workers * phasesInUse(connections / workers);
  const watched = distinctInstruments((connections * symbols) / groups, instruments);
  return {
    frames: (connections / tickSeconds) * (1 - (1 - changed) ** symbols),
    quotes: (connections * symbols * changed) / tickSeconds,
    encodings: (groups * watched * changed) / tickSeconds,
  };
}

/** A worker begins with a phase when the connections fill those before. */
function phasesInUse(connections: number): number {
  return Math.min(PHASES_MAX, Math.max(1, Math.ceil(connections / PHASE_FILL)));
}

/** Share of subscriptions that have something to send at a tick. */
export function changedShare(load: QuoteLoad, { scale, shape }: ChangeCurve): number {
  return 1 - Math.exp(-((updatesAnInstrumentAndTick(load) / scale) ** shape));
}

export function updatesAnInstrumentAndTick({ updatesPerSecond, tickSeconds, instruments }: QuoteLoad): number {
  return (updatesPerSecond * tickSeconds) / instruments;
}

/** How many different instruments so many draws by Zipf's law (exponent 1) are expected to have. */
export function distinctInstruments(draws: number, instruments: number): number {
  let weights = 0;
  for (let rank = 1; rank <= instruments; rank++) weights += 1 / rank;
  let distinct = 0;
  for (let rank = 1; rank <= instruments; rank++) distinct += 1 - (1 - 1 / rank / weights) ** draws;
  return distinct;
}
