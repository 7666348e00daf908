import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeFromCompressedBase64, type Histogram } from 'hdr-histogram-js';
import type { ModeName } from '../src/core/fan-out/wire.ts';
import { benchCertificate } from './bench-certificate.ts';
import { EngineUnderTest } from './engine-under-test.ts';
import { Feed, type FeedKind } from './feed.ts';
import { latencyHistogram } from './histogram.ts';
import type { SymbolDraw } from './instrument-draw.ts';
import type { Decode, LoadFigures, LoadReturns, LoadVerdict } from './load-messages.ts';
import { LoadProcess } from './load-process.ts';
import { NginxFront } from './nginx-front.ts';
import { type Placement, placement } from './placement.ts';
import type { TroubleKindName } from './trouble-kinds.ts';
import { TroubleProcess } from './trouble-process.ts';

/** What clients come over: TCP, TLS that the engine speaks, or TLS that an nginx in front of it speaks. */
export type Transport = 'plain' | 'tls' | 'nginx';

export interface RigOptions {
  readonly feed: FeedKind;
  readonly rate: number;
  readonly madeUpInstruments: number;
  readonly tickMs: number;
  readonly fanOutWorkers: number;
  readonly seed: number;
  /** Whether server and load have cores of their own. */
  readonly apart: boolean;
  readonly transport: Transport;
  /** Whether workers are made to throw: any one of them has room for all connections then. */
  readonly drills?: boolean;
}

export interface LoadOptions {
  readonly connections: number;
  readonly symbols: number;
  readonly draw: SymbolDraw;
  readonly mode: ModeName;
  readonly filterBps: number | undefined;
  /** Load processes that the connections are dealt to. */
  readonly clients: number;
  readonly connectsPerSecond: number;
  readonly seed: number;
  readonly decode: Decode;
  /** False when several load processes share a core, where one that never sleeps keeps the others waiting. */
  readonly awake?: boolean;
}

/** What most benches ask for: popular instruments more often, mode quote, the server's filter, one load process that looks into the frames afterwards. */
export const QUOTES_BY_ZIPF = {
  draw: 'zipf',
  mode: 'quote',
  filterBps: undefined,
  clients: 1,
  decode: 'later',
} as const satisfies Partial<LoadOptions>;

/** Figures of all load processes together. */
export interface LoadTotals extends Omit<LoadFigures, 'latency' | 'exchangeLatency'> {
  readonly latency: Histogram;
  readonly exchangeLatency: Histogram;
}

/** What became of the connections that were lost in drills. */
export interface ReturnTotals extends Omit<LoadReturns, 'away'> {
  readonly away: Histogram;
}

/** Descriptors that a process needs beside its connections. */
const SPARE_DESCRIPTORS = 100;

/** More than the shares and indices that every generated master has. */
const LISTED_BESIDES = 100;

/** A feed, the engine on it, and load processes, all on 127.0.0.1 and each in processes of its own. */
export class Rig {
  readonly feed: Feed;
  readonly engine: EngineUnderTest;
  /** What stands before the engine, if anything does. */
  readonly front: NginxFront | undefined;
  readonly loads: LoadProcess[] = [];
  #trouble: TroubleProcess | undefined;
  readonly #fanOutWorkers: number;
  readonly #seed: number;
  readonly #placement: Placement;
  readonly #removeData: () => void;
  readonly #tls: boolean;

  private constructor(
    options: RigOptions,
    feed: Feed,
    engine: EngineUnderTest,
    placed: Placement,
    removeData: () => void,
    front: NginxFront | undefined,
  ) {
    this.feed = feed;
    this.engine = engine;
    this.#placement = placed;
    this.#removeData = removeData;
    this.#tls = options.transport !== 'plain';
    this.#fanOutWorkers = options.fanOutWorkers;
    this.#seed = options.seed;
    this.front = front;
  }

  static async start(options: RigOptions, maxConnections: number): Promise<Rig> {
    requireDescriptors(maxConnections);
    const placed = placement(options.apart);
    const drills = options.drills === true;
    const dataDir = mkdtempSync(join(tmpdir(), 'outcry-bench-'));
    // Also when the bench is interrupted: a recording is large.
    const removeData = (): void => rmSync(dataDir, { recursive: true, force: true });
    process.once('exit', removeData);
    let feed: Feed | undefined;
    try {
      feed = await Feed.start({
        kind: options.feed,
        seed: options.seed,
        updatesPerSecond: options.rate,
        madeUpInstruments: options.madeUpInstruments,
        dataDir,
        cores: placed.load,
      });
      const engine = await EngineUnderTest.start({
        dataDir,
        instrumentsFile: feed.instrumentFile,
        venue: feed.venue,
        venueCompID: feed.compID,
        tickMs: options.tickMs,
        fanOutWorkers: options.fanOutWorkers,
        tls: options.transport === 'tls' ? benchCertificate(dataDir) : null,
        maxConnections: (maxConnections + SPARE_DESCRIPTORS) * (drills ? options.fanOutWorkers : 1),
        maxSubscriptions: options.madeUpInstruments + LISTED_BESIDES,
        drills,
        cores: placed.server,
      });
      const isBehind = options.transport === 'nginx';
      const front = isBehind ? await NginxFront.start(engine.port, maxConnections, dataDir, placed.server) : undefined;
      return new Rig(options, feed, engine, placed, removeData, front);
    } catch (error) {
      feed?.close();
      throw error;
    }
  }

  /** Opens all connections and resolves when every one has been served, with the seconds that it took; more of them each time. */
  async connect(options: LoadOptions): Promise<number> {
    const symbols = await this.engine.symbols();
    if (options.symbols * 2 > symbols.length) {
      throw new Error(`${options.symbols} symbols a connection are more than half of the ${symbols.length} there are`);
    }
    const { clients, mode, filterBps, draw, connectsPerSecond, decode } = options;
    const { host, port } = this.engine;
    const seconds = await Promise.all(
      Array.from({ length: clients }, (_, client) => {
        const load = new LoadProcess(this.#placement.load);
        this.loads.push(load);
        return load.connect({
          host,
          port: this.front?.port ?? port,
          tls: this.#tls,
          connections: Math.floor((options.connections + client) / clients),
          symbolsEach: options.symbols,
          mode,
          filterBps,
          symbols,
          draw,
          seed: options.seed + client,
          connectsPerSecond: connectsPerSecond / clients,
          decode,
          awake: options.awake !== false && this.#placement.load !== '',
        });
      }),
    );
    return Math.max(...seconds);
  }

  /** Begins trouble, in a process of its own; it has to end before `verify`. */
  async beginTrouble(clients: number, kinds: readonly TroubleKindName[]): Promise<TroubleProcess> {
    const trouble = new TroubleProcess(this.#placement.load);
    this.#trouble = trouble;
    const { host, port } = this.engine;
    await trouble.begin({ host, port, clients, kinds, symbols: await this.engine.symbols(), seed: this.#seed });
    return trouble;
  }

  /** Makes a fan-out worker throw, each in turn; whoever loses the connection comes again. */
  async drill(turn: number): Promise<void> {
    for (const load of this.loads) await load.drill();
    await this.engine.drill(`fan-out-${turn % this.#fanOutWorkers}`);
  }

  /** Waits until all who lost their connections in drills have come again. */
  async returns(): Promise<ReturnTotals> {
    const all = await Promise.all(this.loads.map((load) => load.returns()));
    return {
      lost: all.reduce((total, returns) => total + returns.lost, 0),
      away: merged(all.map((returns) => returns.away)),
    };
  }

  async measure(loads: readonly LoadProcess[] = this.loads): Promise<void> {
    await Promise.all(loads.map((load) => load.measure()));
  }

  /** Of these load processes: all of them, unless told. */
  async figures(loads: readonly LoadProcess[] = this.loads): Promise<LoadTotals> {
    const all = await Promise.all(loads.map((load) => load.figures()));
    const sum = (value: (figures: LoadFigures) => number) => all.reduce((total, figures) => total + value(figures), 0);
    return {
      seconds: sum((figures) => figures.seconds) / all.length,
      frames: sum((figures) => figures.frames),
      bytes: sum((figures) => figures.bytes),
      cpuSeconds: sum((figures) => figures.cpuSeconds),
      latency: merged(all.map((figures) => figures.latency)),
      exchangeLatency: merged(all.map((figures) => figures.exchangeLatency)),
    };
  }

  /** Stops the prices and tells how many quotes were in the frames that the figures tell of. */
  async quotes(): Promise<number> {
    this.feed.freeze();
    const all = await Promise.all(this.loads.map((load) => load.content()));
    return all.reduce((total, content) => total + content.quotes, 0);
  }

  /** Stops the prices and compares every quote that any connection holds with what a fresh client gets. */
  async verify(): Promise<LoadVerdict> {
    this.feed.freeze();
    const all: LoadVerdict[] = [];
    // One after the other: they would disturb each other's silence.
    for (const load of this.loads) all.push(await load.verify());
    return {
      checked: all.reduce((total, verdict) => total + verdict.checked, 0),
      mismatches: all.reduce((total, verdict) => total + verdict.mismatches, 0),
      examples: all.flatMap((verdict) => verdict.examples),
      disconnects: all.reduce((total, verdict) => total + verdict.disconnects, 0),
      reasons: all.flatMap((verdict) => verdict.reasons),
    };
  }

  async close(): Promise<void> {
    this.#trouble?.close();
    for (const load of this.loads) load.close();
    this.front?.close();
    await this.engine.stop();
    this.feed.close();
    this.#removeData();
    process.off('exit', this.#removeData);
  }
}

function merged(encoded: readonly string[]): Histogram {
  const histogram = latencyHistogram();
  for (const text of encoded) histogram.add(decodeFromCompressedBase64(text));
  return histogram;
}

/** RLIMIT_NOFILE holds for the server and each load process alike, since they inherit it. */
export function requireDescriptors(connections: number): void {
  const match = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
  const limit = match?.[1] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(match?.[1]);
  const needed = connections + SPARE_DESCRIPTORS;
  if (limit < needed) {
    throw new Error(
      `${connections} connections need ${needed} descriptors a process, the limit is ${limit}: raise \`ulimit -n\``,
    );
  }
}
