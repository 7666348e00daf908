import { offeredRates, type QuoteLoad, updatesAnInstrumentAndTick } from '../src/core/capacity/offered-load.ts';
import type { ChangeCurve, UnitCosts } from '../src/core/capacity/unit-costs.ts';
import { fitNonNegative } from './non-negative-fit.ts';

/** One load as it was offered, and what the server and its clients had of it. */
export interface MeasuredLoad {
  readonly load: QuoteLoad;
  readonly handshakesPerSecond: number;
  /** CPU of all processes of the engine, and of the feed thread alone. */
  readonly cores: number;
  readonly feedCores: number;
  readonly framesPerSecond: number;
  readonly quotesPerSecond: number;
  readonly payloadBytesPerSecond: number;
  readonly rssBytes: number;
}

const MICROS = 1e-6;
/** A share of 1 has no logarithm; from here on nearly every subscription has something at every tick. */
const SHARE_MAX = 0.999;

/** Unit costs that come nearest to what was measured. */
export function fitUnitCosts(measured: readonly MeasuredLoad[]): UnitCosts {
  const steady = measured.filter(({ handshakesPerSecond }) => handshakesPerSecond === 0);
  const served = steady.filter(({ load }) => load.connections > 0);
  const change = fitChange(served);
  const [feedIdle, feedUpdate] = fitNonNegative(
    steady.map(({ load }) => [1, load.updatesPerSecond * MICROS]),
    steady.map(({ feedCores }) => feedCores),
  );
  const [restIdle, workerUpdate, encoding, frame, quote, connection, handshake] = fitNonNegative(
    measured.map((point) => servingColumns(point, change)),
    measured.map(({ cores, feedCores }) => cores - feedCores),
  );
  const [frameBytes, quoteBytes] = fitNonNegative(
    served.map(({ framesPerSecond, quotesPerSecond }) => [framesPerSecond, quotesPerSecond]),
    served.map(({ payloadBytesPerSecond }) => payloadBytesPerSecond),
  );
  return {
    cpu: {
      idleCores: feedIdle! + restIdle!,
      feedUpdateMicros: feedUpdate!,
      workerUpdateMicros: workerUpdate!,
      encodingMicros: encoding!,
      frameMicros: frame!,
      quoteMicros: quote!,
      connectionMicros: connection!,
      handshakeMicros: handshake!,
    },
    change,
    frameBytes: frameBytes!,
    quoteBytes: quoteBytes!,
    ...fitMemory(measured, served),
  };
}

/** Frames and quotes are those that came, so that a cost is not mixed with a guess of how many there are. */
function servingColumns(point: MeasuredLoad, change: ChangeCurve): number[] {
  const { load, handshakesPerSecond, framesPerSecond, quotesPerSecond } = point;
  const columns = [
    load.connections > 0 ? load.workers * load.updatesPerSecond : 0,
    offeredRates(load, change).encodings,
    framesPerSecond,
    quotesPerSecond,
    load.connections,
    handshakesPerSecond,
  ];
  return [1, ...columns.map((count) => count * MICROS)];
}

/** What connections add to the same process without them: processes differ by more than that. */
function fitMemory(
  measured: readonly MeasuredLoad[],
  served: readonly MeasuredLoad[],
): { processBytes: number; connectionBytes: number } {
  const idle = measured.filter(({ load }) => load.connections === 0);
  const added = served.map((point, i) => (point.rssBytes - idle[i]!.rssBytes) * point.load.connections);
  const squares = served.map(({ load }) => load.connections ** 2);
  return {
    processBytes: sum(idle.map(({ rssBytes }) => rssBytes)) / idle.length,
    connectionBytes: Math.max(0, sum(added) / sum(squares)),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** A straight line: the logarithm of -ln(1 - share) over that of the updates an instrument and tick. */
function fitChange(served: readonly MeasuredLoad[]): ChangeCurve {
  const points = served.map(({ load, quotesPerSecond }) => {
    const share = (quotesPerSecond * load.tickSeconds) / (load.connections * load.symbols);
    return { x: Math.log(updatesAnInstrumentAndTick(load)), y: Math.log(-Math.log(1 - Math.min(share, SHARE_MAX))) };
  });
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / points.length;
  const covariance = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  const variance = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  const shape = covariance / variance;
  return { shape, scale: Math.exp(meanX - meanY / shape) };
}
