import { type DayMarks, dayMarksAt } from './core/day-roll/trading-day.ts';
import { OutcryError } from './core/errors.ts';
import { ExchangeApplication, isWorthResending } from './core/exchange/exchange-application.ts';
import { generateInstrumentMaster } from './core/exchange/instrument-generator.ts';
import { RecordingWriter } from './core/exchange/recording.ts';
import { Replay } from './core/exchange/replay.ts';
import { Simulation, type SimulationSettings } from './core/exchange/simulation.ts';
import { type LogonCredentials, SESSION_DEFAULTS } from './core/fix/session-contract.ts';
import { indianDate, type MarketHours, nextOpenMicros } from './core/market/calendar.ts';
import type { InstrumentMaster } from './core/market-data/instrument-master.ts';
import { InstrumentTable } from './core/market-data/instrument-table.ts';
import { ExchangeRecord } from './net/exchange-record.ts';
import { type FixAcceptor, listenFix } from './net/fix-tcp.ts';
import type { FixTlsServer } from './net/fix-tls.ts';
import { readInstrumentFile, watchInstrumentFile } from './net/instrument-file.ts';
import { openRecording, type RecordingFile, writeRecording } from './net/recording-file.ts';

/** How often the market moves; what fell due in between is made up for. */
const STEP_MS = 5;
/** Room for instruments listed while it runs. */
const SPARE_INSTRUMENTS = 1_024;
const ORDERS_MAX = 4_000_000;
/** Snapshots of several thousand instruments are sent at once. */
const OUTBOUND_BYTES_MAX = 64 * 1024 * 1024;
/** The day of recordings of a generated master. */
const GENERATED_RECORDING_DATE = '2026-01-01';
const RECORDING_BREATH_MICROS = 1_000_000;

export const EXCHANGE_DEFAULTS = {
  host: '127.0.0.1',
  compID: 'OUTCRYX',
  seed: 1,
  updatesPerSecond: 5_000,
  openBurstFactor: 4,
  madeUpInstruments: 2_000,
  marketHours: 'always',
} as const;

/** What a simulated market is made of. */
export interface MarketSettings {
  readonly seed: number;
  /** Up to 1,000,000; with 0 the books stand after their opening until an order comes. */
  readonly updatesPerSecond: number;
  /** Times the rate that a trading day begins with; 1 for no burst. */
  readonly openBurstFactor: number;
  readonly marketHours: MarketHours;
  /** The master file; null generates one from the seed. */
  readonly instrumentFile: string | null;
  /** Shares beside the NIFTY 50 in a generated master. */
  readonly madeUpInstruments: number;
}

export interface ReplaySource {
  readonly file: string;
  /** Times as fast as recorded. */
  readonly speed: number;
  readonly loop: boolean;
}

export interface ExchangeSettings extends MarketSettings {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  /** Our CompID: SenderCompID(49) of what it sends. */
  readonly compID: string;
  /** Cancels the live orders of a CompID whose session drops; they stay unless told so. */
  readonly cancelOnDisconnect?: boolean;
  /** Serves TLS alone with this; absent or null serves plain TCP. */
  readonly tls?: FixTlsServer | null;
  /** Directory of the trade files, one a day and CompID; absent or null keeps none. */
  readonly tradesDirectory?: string | null;
  /** Asks for these in every Logon; absent or null asks for none. */
  readonly credentials?: LogonCredentials | null;
  /** Serves this recording in place of a simulated market; orders are then refused. */
  readonly replay: ReplaySource | null;
  /** Something worth a line in a log happened. */
  readonly onEvent?: (text: string) => void;
}

export interface RunningExchange {
  /** Where it listens. */
  readonly port: number;
  readonly instrumentCount: number;
  /** Updates published so far; messages, in a replay. */
  readonly updateCount: number;
  /** Halts an instrument or lets it trade again. REQUEST_REFUSED for an unknown symbol or in a replay. */
  setHalted(symbol: string, halted: boolean): void;
  /** Halts everything or lets it trade again. REQUEST_REFUSED in a replay. */
  setMarketHalted(halted: boolean): void;
  /** Undoes a trade of outside orders, named by an ExecID(17) of one of its reports. REQUEST_REFUSED for an unknown one. */
  bustTrade(execID: string): void;
  /** Changes the price of such a trade, or lowers its quantity. REQUEST_REFUSED for an unknown one, and for values that cannot be. */
  correctTrade(execID: string, pricePaise: number, quantity: number): void;
  /** Logs everybody out and stops. */
  close(): Promise<void>;
}

export interface RecordSettings extends MarketSettings {
  readonly out: string;
  /** Simulated seconds. */
  readonly seconds: number;
  /** Where the simulated clock starts, epoch microseconds; null is 09:15 of 1 January 2026, or of the newest date in the master file. */
  readonly startMicros: number | null;
  readonly onProgress?: (secondsDone: number) => void;
}

export interface RecordResult {
  readonly instrumentCount: number;
  readonly updateCount: number;
  readonly messageCount: number;
  readonly bytes: number;
}

/** Starts an exchange. LISTEN_FAILED, INSTRUMENTS_INVALID or RECORDING_INVALID when it cannot. */
export async function runExchange(settings: ExchangeSettings): Promise<RunningExchange> {
  return settings.replay === null ? runSimulation(settings) : runReplay(settings, settings.replay);
}

/** Records a simulated market on its own clock, as fast as it goes. The same settings give the same bytes. */
export async function recordExchange(settings: RecordSettings): Promise<RecordResult> {
  const startMicros = settings.startMicros ?? recordingStart(settings);
  const table = loadTable(settings, startMicros);
  let messageCount = 0;
  let bytes = 0;
  let updateCount = 0;
  await writeRecording(settings.out, async (sink) => {
    let writer: RecordingWriter | null = null;
    const simulation = new Simulation(
      simulationSettings(settings, table, startMicros),
      {
        published(body) {
          writer?.write(body);
          messageCount++;
        },
      },
      NO_OUTSIDE_ORDERS,
    );
    writer = new RecordingWriter(
      (chunk) => {
        bytes += chunk.length;
        sink(chunk);
      },
      table.count,
      simulation.clockMicros,
    );
    for (let index = 0; index < table.count; index++) writer.write(simulation.snapshot(index));
    const endMicros = startMicros + settings.seconds * 1_000_000;
    for (let breath = startMicros; breath < endMicros; breath += RECORDING_BREATH_MICROS) {
      const until = Math.min(breath + RECORDING_BREATH_MICROS, endMicros);
      while (simulation.clockMicros < until) updateCount += simulation.step(simulation.clockMicros + STEP_MS * 1_000);
      settings.onProgress?.((until - startMicros) / 1_000_000);
      await new Promise(setImmediate);
    }
    writer.flush();
  });
  return { instrumentCount: table.count, updateCount, messageCount: messageCount + table.count, bytes };
}

const NO_OUTSIDE_ORDERS = { accepted() {}, traded() {}, canceled() {}, replaced() {} };

async function runSimulation(settings: ExchangeSettings): Promise<RunningExchange> {
  const startMicros = Date.now() * 1_000;
  const table = loadTable(settings, startMicros);
  const record = settings.tradesDirectory
    ? new ExchangeRecord(settings.tradesDirectory, settings.marketHours, startMicros)
    : null;
  const application: ExchangeApplication = new ExchangeApplication(
    () => simulation,
    () => simulation,
    // ExecIDs must differ from those of the process before, which may have died within the same second.
    Math.floor(startMicros / 1_000)
      .toString(36)
      .toUpperCase(),
    settings.cancelOnDisconnect,
    record ?? undefined,
  );
  const simulation: Simulation = new Simulation(
    simulationSettings(settings, table, startMicros),
    application.marketData,
    application.orders,
  );
  const take = (master: InstrumentMaster): void => {
    application.setNow(Date.now());
    const added = table.load(master, indianDate(Date.now() * 1_000));
    simulation.reload();
    settings.onEvent?.(`instrument master read again: ${added.length} new, ${table.count} in all`);
  };
  const watch =
    settings.instrumentFile === null
      ? null
      : watchInstrumentFile(settings.instrumentFile, take, (error) =>
          settings.onEvent?.(`instrument master not taken: ${error.message}`),
        );
  const acceptor = await listen(settings, application).catch((error) => {
    watch?.close();
    throw error;
  });
  let marks: DayMarks = dayMarksAt(startMicros, settings.marketHours);
  const timer = setInterval(() => {
    const nowMs = Date.now();
    application.setNow(nowMs);
    simulation.step(nowMs * 1_000);
    application.publishStatus(nowMs);
    if (nowMs * 1_000 < marks.nextMicros) return;
    marks = dayMarksAt(nowMs * 1_000, settings.marketHours);
    record?.endDay(marks.closed.date);
  }, STEP_MS);
  return {
    port: acceptor.port,
    instrumentCount: table.count,
    get updateCount() {
      return simulation.publisher.updateCount;
    },
    setHalted(symbol, halted) {
      const index = table.indexOfSymbol(symbol);
      if (index < 0) throw new OutcryError('REQUEST_REFUSED', `${symbol} is not listed`);
      application.setNow(Date.now());
      simulation.setHalted(index, halted);
    },
    setMarketHalted(halted) {
      simulation.setMarketHalted(halted);
    },
    bustTrade(execID) {
      application.setNow(Date.now());
      application.orders.trades.bust(execID, simulation.engine.nowMicros);
    },
    correctTrade(execID, pricePaise, quantity) {
      application.setNow(Date.now());
      application.orders.trades.correct(execID, pricePaise, quantity, simulation.engine.nowMicros);
    },
    close() {
      clearInterval(timer);
      watch?.close();
      return acceptor.close('the exchange stops').then(() => record?.close());
    },
  };
}

async function runReplay(settings: ExchangeSettings, source: ReplaySource): Promise<RunningExchange> {
  const file = openRecording(source.file);
  try {
    return await serveRecording(settings, source, file);
  } catch (error) {
    file.close();
    throw error;
  }
}

async function serveRecording(
  settings: ExchangeSettings,
  source: ReplaySource,
  file: RecordingFile,
): Promise<RunningExchange> {
  const application: ExchangeApplication = new ExchangeApplication(
    () => replay,
    () => null,
    'REPLAY',
  );
  const replay: Replay = new Replay(file, source, application.marketData);
  const acceptor = await listen(settings, application);
  let messageCount = 0;
  const timer = setInterval(() => {
    const nowMs = Date.now();
    application.setNow(nowMs);
    try {
      messageCount += replay.step(nowMs * 1_000);
    } catch (error) {
      clearInterval(timer);
      settings.onEvent?.(`the replay ends: ${(error as Error).message}`);
      void acceptor.close('the recording is damaged');
    }
  }, STEP_MS);
  return {
    port: acceptor.port,
    instrumentCount: replay.capacity,
    get updateCount() {
      return messageCount;
    },
    setHalted: refuseInReplay,
    setMarketHalted: refuseInReplay,
    bustTrade: refuseInReplay,
    correctTrade: refuseInReplay,
    async close() {
      clearInterval(timer);
      await acceptor.close('the exchange stops');
      file.close();
    },
  };
}

function refuseInReplay(): never {
  throw new OutcryError('REQUEST_REFUSED', 'a recording is replayed: nothing in it can be changed');
}

function listen(settings: ExchangeSettings, application: ExchangeApplication): Promise<FixAcceptor> {
  return listenFix({
    host: settings.host,
    port: settings.port,
    application,
    outboundBytesMax: OUTBOUND_BYTES_MAX,
    tls: settings.tls ?? null,
    session: {
      ...SESSION_DEFAULTS,
      role: 'acceptor',
      senderCompID: settings.compID,
      targetCompID: '',
      gapPolicy: 'resend',
      resetOnLogon: false,
      resendable: isWorthResending,
      credentials: settings.credentials ?? null,
    },
  });
}

/** The open of a day on which the whole master is in force: the same for the same master, whatever day it is. */
function recordingStart(settings: MarketSettings): number {
  let date = GENERATED_RECORDING_DATE;
  if (settings.instrumentFile !== null) {
    for (const entry of readInstrumentFile(settings.instrumentFile).entries) {
      const newest = entry.versions.at(-1)!.from;
      if (newest > date) date = newest;
    }
  }
  return nextOpenMicros(Date.parse(`${date}T09:15:00+05:30`) * 1_000, settings.marketHours);
}

function loadTable(settings: MarketSettings, nowMicros: number): InstrumentTable {
  const date = indianDate(nowMicros);
  const master =
    settings.instrumentFile === null
      ? generateInstrumentMaster({ seed: settings.seed, madeUpCount: settings.madeUpInstruments, from: date })
      : readInstrumentFile(settings.instrumentFile);
  const table = new InstrumentTable(master.entries.length + SPARE_INSTRUMENTS);
  table.load(master, date);
  if (table.count === 0) throw new OutcryError('INSTRUMENTS_INVALID', `no instrument is listed on ${date}`);
  return table;
}

function simulationSettings(settings: MarketSettings, table: InstrumentTable, startMicros: number): SimulationSettings {
  const { seed, updatesPerSecond, openBurstFactor, marketHours } = settings;
  return { seed, updatesPerSecond, openBurstFactor, marketHours, table, startMicros, ordersMax: ORDERS_MAX };
}
