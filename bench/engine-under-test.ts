import type { InstrumentKind } from '../src/core/market-data/instrument-master.ts';
import type { ClientTls } from '../src/net/client-tls.ts';
import { askControl } from '../src/net/control-socket.ts';
import { BenchChild } from './child-process.ts';
import { httpText } from './http-text.ts';
import type { Cores } from './placement.ts';
import { processCpuSeconds, processTree, residentBytes, threadUsage } from './process-usage.ts';

/** A first start with orders makes a database. */
const READY_TIMEOUT_MS = 120_000;
/** Their garbage is meant to be more than the young generation of the engine holds. */
const SETTLING_SCRAPES = 4_000;

export interface EngineSettings {
  readonly dataDir: string;
  readonly instrumentsFile: string;
  readonly venue: string;
  readonly venueCompID: string;
  readonly tickMs: number;
  readonly fanOutWorkers: number;
  readonly maxConnections: number;
  /** Null: without TLS. */
  readonly tls: ClientTls | null;
  /** Of one connection: the one that checks the states subscribes to everything. */
  readonly maxSubscriptions: number;
  /** Whether `drill` is obeyed. */
  readonly drills: boolean;
  readonly cores: Cores;
}

/** Counters and gauges of /metrics by name, summed over their labels. */
export type Metrics = ReadonlyMap<string, number>;

/** What the engine has used since it started. */
export interface EngineUsage {
  readonly atMs: number;
  /** All processes of the engine; the exchange is none of them. */
  readonly cpuSeconds: number;
  /** CPU seconds of the threads of the process that serves, by thread name. */
  readonly threads: ReadonlyMap<string, number>;
  /** Resident memory of the process that serves. */
  readonly rssBytes: number;
}

/** The engine as `outcry start` runs it, in processes of its own, with the exchange elsewhere. */
export class EngineUnderTest {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly #supervisor: BenchChild;
  readonly #url: string;
  readonly #enginePid: number;
  readonly #dataDir: string;

  private constructor(supervisor: BenchChild, dataDir: string, url: string, port: number, enginePid: number) {
    this.#supervisor = supervisor;
    this.#dataDir = dataDir;
    this.#url = url;
    this.port = port;
    this.#enginePid = enginePid;
  }

  /** Quotes alone, from a feed of the bench. Resolves when they flow. */
  static start(settings: EngineSettings): Promise<EngineUnderTest> {
    const environment = {
      OUTCRY_INSTRUMENTS: settings.instrumentsFile,
      OUTCRY_VENUE: settings.venue,
      OUTCRY_TARGET_COMP_ID: settings.venueCompID,
      OUTCRY_TICK_MS: String(settings.tickMs),
      OUTCRY_FANOUT_WORKERS: String(settings.fanOutWorkers),
      ...(settings.tls === null
        ? {}
        : { OUTCRY_TLS: 'true', OUTCRY_TLS_CERT: settings.tls.certFile, OUTCRY_TLS_KEY: settings.tls.keyFile }),
      OUTCRY_MAX_CONNECTIONS: String(settings.maxConnections),
      OUTCRY_MAX_SUBSCRIPTIONS: String(settings.maxSubscriptions),
      OUTCRY_DRILLS: String(settings.drills),
    };
    return EngineUnderTest.#launch(settings.dataDir, environment, settings.cores);
  }

  /** With its own simulator and database, and these settings besides. Resolves when orders are taken. */
  static startWhole(dataDir: string, settings: Record<string, string>, cores: Cores): Promise<EngineUnderTest> {
    return EngineUnderTest.#launch(dataDir, settings, cores);
  }

  static async #launch(dataDir: string, settings: Record<string, string>, cores: Cores): Promise<EngineUnderTest> {
    const environment = { ...cleanEnvironment(), OUTCRY_PORT: '0', OUTCRY_DATA_DIR: dataDir, ...settings };
    const supervisor = BenchChild.ours('the engine', '../src/cli', ['start'], environment, cores);
    try {
      const match = await supervisor.printed(/(https?:\/\/127\.0\.0\.1:(\d+))/, READY_TIMEOUT_MS);
      const { pid } = JSON.parse(await httpText(`${match[1]}/healthz`)) as { pid: number };
      return new EngineUnderTest(supervisor, dataDir, match[1]!, Number(match[2]), pid);
    } catch (error) {
      await supervisor.stop();
      throw error;
    }
  }

  /** Every listed symbol in the master's order, which is that of popularity; `kind` leaves the others out. */
  async symbols(kind?: InstrumentKind): Promise<string[]> {
    const rows = JSON.parse(await httpText(`${this.#url}/instruments.json`)) as {
      symbol: string;
      kind: InstrumentKind;
    }[];
    return rows.filter((row) => kind === undefined || row.kind === kind).map((row) => row.symbol);
  }

  async metrics(): Promise<Metrics> {
    const text = await httpText(`${this.#url}/metrics`);
    const metrics = new Map<string, number>();
    for (const line of text.split('\n')) {
      const match = /^([a-z_]+)(?:\{[^}]*\})? (\S+)$/.exec(line);
      if (match !== null) metrics.set(match[1]!, (metrics.get(match[1]!) ?? 0) + Number(match[2]));
    }
    return metrics;
  }

  /** All processes of the engine. */
  get pids(): number[] {
    return processTree(this.#supervisor.pid);
  }

  usage(): EngineUsage {
    const threads = new Map<string, number>();
    for (const { name, cpuSeconds } of threadUsage(this.#enginePid).values()) {
      threads.set(name, (threads.get(name) ?? 0) + cpuSeconds);
    }
    let cpuSeconds = 0;
    for (const pid of this.pids) cpuSeconds += processCpuSeconds(pid);
    return { atMs: performance.now(), cpuSeconds, threads, rssBytes: residentBytes(this.#enginePid) };
  }

  /**
   * Answers requests until every serving thread has written once to all the memory that new objects have there: it belongs to no connection, and would be
   * taken for theirs.
   */
  async settle(): Promise<void> {
    for (let scrape = 0; scrape < SETTLING_SCRAPES; scrape++) await this.metrics();
  }

  /** Makes a worker throw: it closes its connections and is replaced. */
  async drill(worker: string): Promise<void> {
    await askControl(this.#dataDir, { type: 'drill', kind: 'throw', worker });
  }

  async stop(): Promise<void> {
    await this.#supervisor.stop();
  }
}

/** Ours without the settings of Outcry that may be in it: the bench decides all of them. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('OUTCRY_')));
}
