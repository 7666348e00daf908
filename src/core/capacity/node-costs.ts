import { offeredRates, type QuoteLoad } from './offered-load.ts';
import type { UnitCosts } from './unit-costs.ts';

/** What a node has to spend for a load. */
export interface NodeCosts {
  /** All threads together. */
  readonly cores: number;
  /** The one thread that the feed can be on. */
  readonly feedCores: number;
  /** Each fan-out worker. */
  readonly workerCores: number;
  readonly memoryBytes: number;
  readonly framesPerSecond: number;
  readonly quotesPerSecond: number;
  /** Payload of frames. */
  readonly payloadBytesPerSecond: number;
}

const MICROS = 1e-6;

export function nodeCosts(load: QuoteLoad, handshakesPerSecond: number, costs: UnitCosts): NodeCosts {
  const { connections, updatesPerSecond, workers } = load;
  const { cpu } = costs;
  const { frames, quotes, encodings } = offeredRates(load, costs.change);
  const feedCores = updatesPerSecond * cpu.feedUpdateMicros * MICROS;
  const serving =
    (connections > 0 ? workers * updatesPerSecond * cpu.workerUpdateMicros : 0) +
    encodings * cpu.encodingMicros +
    frames * cpu.frameMicros +
    quotes * cpu.quoteMicros +
    connections * cpu.connectionMicros +
    handshakesPerSecond * cpu.handshakeMicros;
  return {
    cores: cpu.idleCores + feedCores + serving * MICROS,
    feedCores,
    workerCores: (serving * MICROS) / workers,
    memoryBytes: costs.processBytes + connections * costs.connectionBytes,
    framesPerSecond: frames,
    quotesPerSecond: quotes,
    payloadBytesPerSecond: frames * costs.frameBytes + quotes * costs.quoteBytes,
  };
}
