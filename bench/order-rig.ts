import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Prng } from '../src/core/exchange/prng.ts';
import type { LimitSettings } from '../src/core/risk/risk-settings.ts';
import { type AccountRequest, askControl } from '../src/net/control-socket.ts';
import { issueToken } from '../src/net/token.ts';
import { readTokenSecret } from '../src/net/token-secret.ts';
import { EngineUnderTest, type Metrics } from './engine-under-test.ts';
import type { OrderTrader } from './order-load-messages.ts';
import { processCpuSeconds, processTree } from './process-usage.ts';

export interface OrderRigOptions {
  readonly accounts: number;
  readonly marketRate: number;
  readonly madeUpInstruments: number;
  readonly fanOutWorkers: number;
  readonly seed: number;
}

/** CPU seconds so far, by process and, of the engine's, by thread as `thread_…`. */
export type OrderUsage = ReadonlyMap<string, number>;

/** What an operator does for traders who are programs. No rule is left out of the decision: they are asked, and let pass. */
const LIMITS: LimitSettings = {
  ordersPerSecond: 4_096,
  ordersPerMinute: null,
  ordersPerDay: null,
  dailyNotionalPaise: null,
  duplicateOrders: null,
};
const DEPOSIT_PAISE = 1_000_000_000;
/** The server takes 16 at once. */
const CONTROL_AT_ONCE = 12;
const TOKEN_MS = 6 * 3_600_000;
/** A connection may send 50 messages a second. */
const NOISY_SOCKETS = 12;

interface Pids {
  readonly engine: number;
  readonly exchange: number;
  readonly postgres: number;
}

/** The whole product with accounts that have money, all on 127.0.0.1. */
export class OrderRig {
  readonly engine: EngineUnderTest;
  readonly traders: OrderTrader[] = [];
  noisy!: OrderTrader;
  symbols: readonly string[] = [];
  readonly #dataDir: string;
  #pids!: Pids;

  private constructor(engine: EngineUnderTest, dataDir: string) {
    this.engine = engine;
    this.#dataDir = dataDir;
  }

  static async start(options: OrderRigOptions): Promise<OrderRig> {
    const dataDir = mkdtempSync(join(tmpdir(), 'outcry-bench-'));
    process.once('exit', () => rmSync(dataDir, { recursive: true, force: true }));
    const limitsFile = join(dataDir, 'limits.json');
    writeFileSync(limitsFile, JSON.stringify({ limits: LIMITS }));
    const settings = {
      OUTCRY_RISK_LIMITS_FILE: limitsFile,
      // A rare share may be silent for longer than a minute, and orders in it refused then.
      OUTCRY_STALE_AFTER_MS: '0',
      OUTCRY_EXCHANGE_SEED: String(options.seed),
      OUTCRY_EXCHANGE_RATE: String(options.marketRate),
      OUTCRY_EXCHANGE_INSTRUMENTS: String(options.madeUpInstruments),
      OUTCRY_FANOUT_WORKERS: String(options.fanOutWorkers),
      OUTCRY_MAX_CONNECTIONS: String(options.accounts + 100),
    };
    const rig = new OrderRig(await EngineUnderTest.startWhole(dataDir, settings, ''), dataDir);
    try {
      await rig.#prepare(options);
      return rig;
    } catch (error) {
      await rig.close();
      throw error;
    }
  }

  async metrics(): Promise<Metrics> {
    return this.engine.metrics();
  }

  usage(): OrderUsage {
    const { engine, exchange, postgres } = this.#pids;
    const usage = new Map([
      ['engine', processCpuSeconds(engine)],
      ['exchange', processCpuSeconds(exchange)],
      ['postgres', processTree(postgres).reduce((sum, pid) => sum + processCpuSeconds(pid), 0)],
    ]);
    for (const [name, cpuSeconds] of this.engine.usage().threads) usage.set(`thread_${name}`, cpuSeconds);
    return usage;
  }

  async close(): Promise<void> {
    await this.engine.stop();
    rmSync(this.#dataDir, { recursive: true, force: true });
  }

  async #prepare({ accounts, seed }: OrderRigOptions): Promise<void> {
    const { processes } = (await askControl(this.#dataDir, { type: 'status' })) as {
      processes: Record<keyof Pids, { pid: number }>;
    };
    const { engine, exchange, postgres } = processes;
    this.#pids = { engine: engine.pid, exchange: exchange.pid, postgres: postgres.pid };
    this.symbols = await this.engine.symbols('equity');
    const secret = readTokenSecret({ dataDir: this.#dataDir, secretFile: '', environment: {} });
    const prng = new Prng(seed);
    const nowMs = Date.now();
    for (let userId = 1; userId <= accounts + 1; userId++) {
      const token = await issueToken(secret, { userId, expiresMs: nowMs + TOKEN_MS }, nowMs);
      this.traders.push({ userId, token, firstSymbol: prng.below(this.symbols.length), sockets: 1 });
    }
    this.noisy = { ...this.traders.pop()!, sockets: NOISY_SOCKETS };
    const userIds = Array.from({ length: accounts + 1 }, (_, i) => i + 1);
    await Promise.all(
      Array.from({ length: CONTROL_AT_ONCE }, async () => {
        for (let userId = userIds.pop(); userId !== undefined; userId = userIds.pop()) await this.#fund(userId);
      }),
    );
  }

  async #fund(userId: number): Promise<void> {
    const ask = (command: AccountRequest) => askControl(this.#dataDir, { type: 'account', command });
    await ask({ type: 'open-account', userId });
    await ask({ type: 'deposit', userId, amountPaise: DEPOSIT_PAISE, reference: 'bench' });
  }
}
