import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { OutcryError } from '../core/errors.ts';
import { clientUrl } from '../net/client-url.ts';
import type { Config } from '../net/config.ts';
import { type ControlRequest, serveControl } from '../net/control-socket.ts';
import { formatCpuList } from '../net/cpu-list.ts';
import { lockDataDir } from '../net/data-lock.ts';
import type { LedgerTarget } from '../net/ledger-target.ts';
import type { Log } from '../net/log.ts';
import { LogFile } from '../net/log-file.ts';
import { createPinoLog } from '../net/pino-log.ts';
import { allowedCpus, pinThread } from '../net/thread-placement.ts';
import { ensureTokenSecret } from '../net/token-secret.ts';
import type { LedgerKeeper } from './ledger-keeper.ts';
import { prepareInstruments } from './prepare-instruments.ts';
import type { EngineOrder, EngineReport, ExchangeOrder, ExchangeReport, Venue } from './process-messages.ts';
import { Questions } from './questions.ts';
import { SupervisedProcess } from './supervised-process.ts';

const LOOPBACK = '127.0.0.1';
/** How long the engine may take to answer. */
const ENGINE_ANSWER_MS = 8_000;

export interface SupervisorOptions {
  readonly config: Config;
  /** Told once, when quotes flow. */
  readonly onReady: (line: string) => void;
}

/**
 * What `outcry start` is: it owns the data directory, the log and the control socket, starts the exchange simulator and the engine as processes of
 * their own, and starts again what dies. It serves no client itself, so nothing a client does can end it.
 */
export class Supervisor {
  readonly #config: Config;
  readonly #onReady: (line: string) => void;
  readonly #startedMs = performance.now();
  readonly #questions = new Questions('the engine', ENGINE_ANSWER_MS);
  #logFile: LogFile | undefined;
  #log: Log = () => {};
  #engine: SupervisedProcess | undefined;
  #exchange: SupervisedProcess | undefined;
  #port = 0;
  #venue: Venue | undefined;
  #ledgerKeeper: LedgerKeeper | undefined;
  /** Null where no orders are taken. */
  #ledger: LedgerTarget | null = null;
  /** What the exchange needs is there. */
  #hasInstruments = false;
  /** What the engine needs is there. */
  #isPrepared = false;
  #ready = false;
  readonly #ended: Promise<OutcryError | undefined>;
  #end: (error?: OutcryError) => void = () => {};

  constructor(options: SupervisorOptions) {
    this.#config = options.config;
    this.#onReady = options.onReady;
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Runs until `stop` is called or something is beyond repair; raises what that was. Nothing is left running either way. */
  async run(): Promise<void> {
    const config = this.#config;
    makeDataDir(config.dataDir);
    const unlock = lockDataDir(config.dataDir);
    const cleanup: (() => unknown)[] = [unlock];
    try {
      this.#openLog();
      this.#leaveHotCpus();
      if (config.orderSessions.length > 0) {
        ensureTokenSecret({ dataDir: config.dataDir, secretFile: config.tokenSecretFile, environment: process.env });
      }
      this.#port = await claimPort(config.values.host, config.values.port);
      cleanup.push(() => this.#ledgerKeeper?.close());
      const control = await serveControl(config.dataDir, (request) => this.#answer(request));
      cleanup.push(() => control.close());
      this.#startProcesses();
      cleanup.push(() => Promise.all([this.#engine?.stop(), this.#exchange?.stop()]));
      await this.#prepare();
      const error = await this.#ended;
      if (error) throw error;
    } catch (error) {
      this.#log('error', 'Outcry ends', { reason: (error as Error).message });
      throw error;
    } finally {
      for (const step of cleanup.reverse()) await step();
      this.#log('info', 'Outcry has ended');
      this.#logFile?.close();
    }
  }

  /** Ends everything in order; `run` then resolves. */
  stop(reason: string): void {
    this.#log('info', 'Outcry is told to end', { reason });
    this.#end();
  }

  #openLog(): void {
    const { values, dataDir } = this.#config;
    const file = values.log === 'file' ? new LogFile(join(dataDir, 'outcry.log'), values.log_max_mb * 1e6) : undefined;
    this.#logFile = file;
    const write = (line: string): void => {
      if (file) file.write(line);
      else process.stderr.write(line);
    };
    this.#log = createPinoLog('supervisor', values.log_level, { write });
  }

  /** Whatever is started from here on, database and simulator and the engine's main thread, inherits what is left by the hot threads, which then take their own. */
  #leaveHotCpus(): void {
    const { corePlan, values } = this.#config;
    if (corePlan === null) {
      if (values.pin_cpus === 'auto') {
        this.#log('info', 'threads are not pinned: too few CPUs for one each', {
          allowed: formatCpuList(allowedCpus()),
        });
      }
      return;
    }
    const { feed, orders, fanOut, rest } = corePlan;
    this.#log('info', 'hot threads are pinned', { feed, orders, fanOut, rest: formatCpuList(rest) });
    const refusal = pinThread(rest);
    if (refusal !== '') {
      const fields = { cpus: formatCpuList(rest), reason: refusal };
      this.#log('warn', 'the supervisor could not be pinned and goes on without', fields);
    }
  }

  /** Sees to what the processes need, which load their code meanwhile, and tells each to begin once its part is there. */
  async #prepare(): Promise<void> {
    const { dataDir, values, orderSessions } = this.#config;
    await prepareInstruments(this.#config, this.#log);
    this.#hasInstruments = true;
    this.#exchange?.send(this.#startExchange());
    if (orderSessions.length > 0) {
      if (values.ledger_url === '') letPass(dataDir);
      // Loaded here: the processes are on their way by now, and without orders it is not wanted.
      const { LedgerKeeper } = await import('./ledger-keeper.ts');
      this.#ledgerKeeper = new LedgerKeeper(this.#config, this.#log, (target) => this.#onLedger(target));
      this.#ledger = await this.#ledgerKeeper.open();
    }
    this.#isPrepared = true;
    this.#engine?.send(this.#startEngine());
  }

  #startProcesses(): void {
    const { venue } = this.#config;
    this.#venue = venue === undefined ? undefined : { ...venue, life: '' };
    this.#engine = this.#process(
      'engine',
      'main',
      (message) => this.#onEngine(message as EngineReport),
      () => (this.#isPrepared ? this.#startEngine() : undefined),
      () => this.#questions.died(),
    );
    if (venue === undefined) {
      this.#exchange = this.#process(
        'exchange',
        'exchange-process',
        (message) => this.#onExchange(message as ExchangeReport),
        () => (this.#hasInstruments ? this.#startExchange() : undefined),
        () => {},
      );
      this.#exchange.start();
    }
    this.#engine.start();
  }

  #process(
    name: string,
    entry: string,
    onMessage: (message: unknown) => void,
    startMessage: () => object | undefined,
    onDeath: () => void,
  ): SupervisedProcess {
    return new SupervisedProcess({
      name,
      entry,
      log: this.#log,
      onLine: (line) => this.#writeChildLine(name, line),
      onMessage,
      startMessage,
      onDeath,
      onGiveUp: (code, text) => this.#end(new OutcryError(code, text)),
    });
  }

  #startExchange(): ExchangeOrder {
    return { type: 'start', config: this.#config, port: this.#venue?.port ?? 0 };
  }

  #startEngine(): EngineOrder {
    return {
      type: 'start',
      config: this.#config,
      port: this.#port,
      venue: this.#venue,
      ledger: this.#ledger,
      engineRestarts: this.#engine?.restarts ?? 0,
      exchangeRestarts: this.#exchange?.restarts ?? 0,
    };
  }

  #onExchange(report: ExchangeReport): void {
    if (report.type !== 'listening') return;
    this.#exchange?.markServing();
    const life = `${this.#exchange?.pid}-${Date.now()}`;
    this.#venue = { host: LOOPBACK, port: report.port, life };
    const order: EngineOrder = { type: 'venue', venue: this.#venue, exchangeRestarts: this.#exchange?.restarts ?? 0 };
    this.#engine?.send(order);
  }

  #onLedger(target: LedgerTarget): void {
    this.#ledger = target;
    this.#engine?.send({ type: 'ledger', target } satisfies EngineOrder);
  }

  #onEngine(report: EngineReport): void {
    if (report.type === 'answer') {
      this.#questions.answered(report);
    } else if (report.type === 'ready') {
      this.#engine?.markServing();
      const { instrumentCount } = report;
      this.#log('info', 'quotes flow', { instrumentCount, port: this.#port });
      if (this.#ready) return;
      this.#ready = true;
      const seconds = ((performance.now() - this.#startedMs) / 1_000).toFixed(1);
      const count = instrumentCount.toLocaleString('en-US');
      const sockets = this.#config.clientTls === null ? '' : `${clientUrl(this.#config, this.#port)}, `;
      this.#onReady(`Outcry is ready: ${this.#url()} (${sockets}${count} instruments, ready in ${seconds} s)`);
    }
  }

  #url(): string {
    return clientUrl(this.#config, this.#port).replace(/^ws/, 'http').replace(/\/ws$/, '');
  }

  async #answer(request: ControlRequest): Promise<unknown> {
    if (request.type !== 'status') return this.#askEngine(request);
    const engine = await this.#askEngine(request).catch((error: Error) => ({ ready: false, reason: error.message }));
    return {
      url: this.#url(),
      pid: process.pid,
      upSeconds: Math.round((performance.now() - this.#startedMs) / 1_000),
      processes: {
        engine: { pid: this.#engine?.pid ?? null, restarts: this.#engine?.restarts ?? 0 },
        exchange: this.#exchange ? { pid: this.#exchange.pid ?? null, restarts: this.#exchange.restarts } : null,
        postgres:
          this.#ledgerKeeper && this.#config.values.ledger_url === ''
            ? { pid: this.#ledgerKeeper.pid ?? null, restarts: this.#ledgerKeeper.restarts }
            : null,
      },
      venue: this.#venue ?? null,
      ...(engine as object),
    };
  }

  #askEngine(request: ControlRequest): Promise<unknown> {
    return this.#questions.ask(request, (order) => this.#engine?.send(order) ?? false);
  }

  /** A child's log line goes on as it is; anything else, the last words of a crash above all, becomes one. */
  #writeChildLine(name: string, line: string): void {
    if (!line.startsWith('{')) this.#log('warn', line, { child: name });
    else if (this.#logFile) this.#logFile.write(`${line}\n`);
    else process.stderr.write(`${line}\n`);
  }
}

function makeDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o750 });
  } catch (error) {
    throw new OutcryError('CONFIG_INVALID', `data_dir ${dataDir} cannot be made: ${(error as Error).message}`, error);
  }
}

/**
 * As root the embedded PostgreSQL runs as another user, who must be able to pass through to its own directory in there. What is private in the data directory
 * is so by its own mode.
 */
function letPass(dataDir: string): void {
  if (process.getuid?.() === 0) chmodSync(dataDir, (statSync(dataDir).mode & 0o777) | 0o011);
}

/**
 * Makes sure that the port is nobody's, and takes a free one for 0. The engine's threads listen with SO_REUSEPORT, which would share the port with
 * another Outcry of this user without an error; a plain listener is refused. Raises LISTEN_FAILED.
 */
function claimPort(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'another program listens there' : error.message;
      reject(new OutcryError('LISTEN_FAILED', `${host}:${port}: ${why} (settings host and port)`, error));
    });
    probe.listen({ host, port, exclusive: true }, () => {
      const address = probe.address();
      const claimed = typeof address === 'object' && address ? address.port : port;
      probe.close(() => resolve(claimed));
    });
  });
}
