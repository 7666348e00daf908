import { DecodeStatus, QuoteDecoder } from '../src/client/quote-decoder.ts';
import { assert } from '../src/core/assert.ts';
import { TURN_MICROS } from '../src/core/exchange/simulation.ts';
import type { ModeName } from '../src/core/fan-out/wire.ts';
import type { BenchSetup, Measurement, Sample } from './harness.ts';
import { MarketOnBoard } from './market-on-board.ts';
import { WIRE_FORMATS, WireClients, type WireFormat } from './wire-clients.ts';

export interface WireOptions {
  readonly rates: readonly number[];
  readonly connections: number;
  readonly symbols: number;
  readonly madeUpInstruments: number;
  /** Market time, after the warm-up. */
  readonly seconds: number;
  readonly roundMs: number;
  readonly seed: number;
}

const TICK_MS = 100;
/** Market time before the first frame that counts: books have traded then, and everybody has had keyframes. */
const WARMUP_SECONDS = 2;

/**
 * Bytes that a change costs a client, and how fast the engine's own client reads them: a simulated market, the fan-out and its frames in one
 * thread without a socket. The same seed gives the same bytes. The baseline is the JSON protocol, which carries what ltp mode does.
 */
export async function wireBench(options: WireOptions): Promise<BenchSetup> {
  const played = new Map<number, ReadonlyMap<WireFormat, WireClients>>();
  const clientsOf = (rate: number, format: WireFormat): WireClients => {
    let ofRate = played.get(rate);
    if (ofRate === undefined) {
      ofRate = play(rate, options);
      played.set(rate, ofRate);
    }
    return ofRate.get(format)!;
  };
  const subjects = options.rates.flatMap((rate) =>
    WIRE_FORMATS.map((format) => ({
      impl: format === 'json' ? 'baseline' : 'outcry',
      case: `${format === 'json' ? 'ltp' : format}-${rate}`,
      measure: () => measure(clientsOf(rate, format), format, options),
    })),
  );
  return { subjects, close: async () => {} };
}

/** One market at a rate, and a fan-out with its clients for each format. */
function play(rate: number, options: WireOptions): ReadonlyMap<WireFormat, WireClients> {
  const market = new MarketOnBoard({
    seed: options.seed,
    updatesPerSecond: rate,
    madeUpInstruments: options.madeUpInstruments,
    readers: WIRE_FORMATS.length,
  });
  const all = WIRE_FORMATS.map((format, reader) => new WireClients(market, reader, format, options));
  const turnsATick = (TICK_MS * 1_000) / TURN_MICROS;
  const ticks = ((WARMUP_SECONDS + options.seconds) * 1_000) / TICK_MS;
  for (let tick = 0; tick < ticks; tick++) {
    if (tick === (WARMUP_SECONDS * 1_000) / TICK_MS) for (const clients of all) clients.begin();
    for (let turn = 0; turn < turnsATick; turn++) {
      market.turn();
      for (const clients of all) clients.serve((turn + 1) / turnsATick, market.clockMicros / 1_000);
    }
  }
  return new Map(WIRE_FORMATS.map((format, i) => [format, all[i]!]));
}

function measure(clients: WireClients, format: WireFormat, options: WireOptions): Measurement {
  const { frames, bytes, changes, medianBytes } = clients.cost();
  const samples: Sample[] = [
    { metric: 'bytes_per_change', unit: 'bytes', value: medianBytes },
    { metric: 'bytes_per_change_mean', unit: 'bytes', value: bytes / changes },
    { metric: 'changes_per_frame', unit: 'changes', value: changes / frames },
  ];
  if (format === 'json') return { samples, checksum: bytes };
  const { quotesPerSecond, checksum } = decodeFor(clients, format, options.roundMs);
  samples.push({ metric: 'decoded_per_s', unit: 'quotes/s', value: quotesPerSecond });
  return { samples, checksum };
}

/**
 * Reads all frames of one client after the other, a second of CPU being a second. Each begins with keyframes of everything it has, which is why one
 * decoder can play all of them.
 */
function decodeFor(
  clients: WireClients,
  mode: ModeName,
  roundMs: number,
): { quotesPerSecond: number; checksum: number } {
  const decoder = new QuoteDecoder();
  const before = process.cpuUsage();
  let micros = 0;
  let quotes = 0;
  let checksum = 0;
  while (micros < roundMs * 1_000) {
    checksum = 0;
    for (const frames of clients.received) {
      for (const frame of frames) {
        assert(decoder.decode(frame) === DecodeStatus.Ok, `every frame of ${mode} can be read`);
        quotes += decoder.changedCount;
      }
      checksum = (checksum + decoder.tick) | 0;
    }
    const { user, system } = process.cpuUsage(before);
    micros = user + system;
  }
  for (const value of decoder.fields) checksum = (checksum + value) | 0;
  return { quotesPerSecond: (quotes / micros) * 1e6, checksum };
}
