import type { Config } from '../net/config.ts';
import { type LedgerDatabase, openLedgerDatabase } from '../net/ledger-database.ts';
import type { LedgerTarget } from '../net/ledger-target.ts';
import type { Log } from '../net/log.ts';

const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5_000;

/** The ledger's database for as long as the supervisor runs: a server of our own that ends is started again, as often as it takes. */
export class LedgerKeeper {
  readonly #config: Config;
  readonly #log: Log;
  readonly #onMoved: (target: LedgerTarget) => void;
  #database: LedgerDatabase | undefined;
  #opening: Promise<void> | undefined;
  #closing = false;
  restarts = 0;

  /** `onMoved` is told where it is after each start but the first. */
  constructor(config: Config, log: Log, onMoved: (target: LedgerTarget) => void) {
    this.#config = config;
    this.#log = log;
    this.#onMoved = onMoved;
  }

  /** Of a server of our own. */
  get pid(): number | undefined {
    return this.#database?.server?.pid;
  }

  /** LEDGER_UNREACHABLE, LEDGER_UNSAFE, LEDGER_MIGRATION. */
  async open(): Promise<LedgerTarget> {
    const { dataDir, values, ledgerPasswordFile } = this.#config;
    const database = await openLedgerDatabase({
      dataDir,
      url: values.ledger_url,
      passwordFile: ledgerPasswordFile,
      log: this.#log,
    });
    this.#database = database;
    void database.server?.ended.then((how) => this.#onEnd(how));
    return database.target;
  }

  /** Ends a server of our own, in order. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#opening;
    await this.#database?.close();
  }

  #onEnd(how: string): void {
    this.#database = undefined;
    if (this.#closing) return;
    this.#log('error', 'the ledger’s database ended and is started again', { how });
    this.#opening = this.#reopen();
  }

  async #reopen(): Promise<void> {
    for (let delayMs = RETRY_MIN_MS; !this.#closing; delayMs = Math.min(RETRY_MAX_MS, delayMs * 2)) {
      try {
        const target = await this.open();
        this.restarts++;
        this.#onMoved(target);
        return;
      } catch (error) {
        this.#log('error', 'the ledger’s database cannot be started', { reason: (error as Error).message });
        await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    }
  }
}
