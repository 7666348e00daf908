import { readExecutionReport } from '../core/fix/execution-report.ts';
import { fixDictionary } from '../core/fix/fix-dictionaries.ts';
import type { FixMessage } from '../core/fix/fix-message.ts';
import type { FixSession } from '../core/fix/fix-session.ts';
import { MsgType } from '../core/fix/generated/fix-enums.gen.ts';
import { type FixApplication, type LogonCredentials, SESSION_DEFAULTS } from '../core/fix/session-contract.ts';
import { fixSessionId } from '../core/fix/store-state.ts';
import type { LedgerEvent } from '../core/ledger/ledger-event.ts';
import type { OrderSide } from '../core/ledger/order.ts';
import type { MarketHours } from '../core/market/calendar.ts';
import { DropCopy } from '../core/reconciliation/drop-copy.ts';
import { ownTradesOf } from '../core/reconciliation/own-trades.ts';
import { describeBreak, type TradeBreak } from '../core/reconciliation/trade-matcher.ts';
import { type FileFixStore, openFixStore } from './fix-store-file.ts';
import { connectFix, type FixInitiator } from './fix-tcp.ts';
import type { LedgerReader } from './ledger-reader.ts';
import type { Log } from './log.ts';
import { findOwnTrade } from './trade-reconciliation.ts';

export interface DropCopyOptions {
  readonly host: string;
  readonly port: number;
  readonly senderCompID: string;
  readonly targetCompID: string;
  readonly credentials: LogonCredentials | null;
  readonly storesDirectory: string;
  readonly marketHours: MarketHours;
  readonly reader: LedgerReader;
  readonly symbolOf: (instrumentId: number) => string;
  readonly sideOf: (userId: number, orderID: number) => OrderSide | undefined;
  /** A break about an order of this user, 0 for nobody's. */
  readonly onBreak: (userId: number, orderID: number, text: string) => void;
  readonly log: Log;
}

/** The session over which a venue sends a copy of every ExecutionReport, held against our trades as they become durable. */
export class DropCopyClient implements FixApplication {
  readonly #options: DropCopyOptions;
  readonly #copy: DropCopy;
  readonly #store: FileFixStore;
  readonly #initiator: FixInitiator;

  /** Connects. STORE_DAMAGED, STORE_FAILED. */
  constructor(options: DropCopyOptions) {
    const { host, port, senderCompID, targetCompID, credentials, storesDirectory, marketHours } = options;
    const { beginString } = SESSION_DEFAULTS;
    this.#options = options;
    this.#copy = new DropCopy(marketHours, {
      onBreak: (found) => this.#tell(found),
      onStrange: (found) => void this.#strange(found),
      onBehind: (count) => options.onBreak(0, 0, `${count} trades wait for the drop copy: reconcile by the day’s file`),
    });
    this.#store = openFixStore({
      directory: storesDirectory,
      sessionId: fixSessionId(beginString, senderCompID, targetCompID),
    });
    this.#initiator = connectFix({
      ...{ host, port, application: this, store: this.#store },
      session: {
        ...SESSION_DEFAULTS,
        role: 'initiator',
        senderCompID,
        targetCompID,
        resetOnLogon: false,
        gapPolicy: 'resend',
        credentials,
        dictionary: fixDictionary(beginString),
      },
    });
  }

  get matchedCount(): number {
    return this.#copy.matchedCount;
  }

  /** Durable events of an account. */
  push(userId: number, events: readonly LedgerEvent[], nowMicros: number): void {
    const { sideOf, symbolOf } = this.#options;
    for (const event of events) {
      const side = event.orderID === 0 ? undefined : sideOf(userId, event.orderID);
      if (side === undefined) continue;
      for (const trade of ownTradesOf(event, side, symbolOf(event.instrumentId))) this.#copy.ours(trade, nowMicros);
    }
  }

  onTimer(nowMicros: number): void {
    this.#copy.onTimer(nowMicros);
  }

  onLogon(session: FixSession): void {
    this.#options.log('info', 'the drop copy is up', { session: this.#options.senderCompID });
    this.#copy.state(true, session.nowMs * 1_000);
  }

  onMessage(session: FixSession, message: FixMessage): void {
    if (message.msgType !== MsgType.ExecutionReport) return;
    const parsed = readExecutionReport(message);
    if (parsed.ok) this.#copy.theirs(parsed.value, session.nowMs * 1_000);
    else session.reject(message, parsed, session.nowMs);
  }

  /** The session has the policy `resend`. */
  onGap(): void {}

  onLogout(session: FixSession, text: string): void {
    this.#options.log('warn', 'the drop copy is down', { session: this.#options.senderCompID, text });
    this.#copy.state(false, session.nowMs * 1_000);
  }

  async close(): Promise<void> {
    await this.#initiator.close('shutting down');
    await this.#store.close();
  }

  /** Not seen by this process: the ledger says whether an earlier one has posted it. */
  async #strange(found: TradeBreak): Promise<void> {
    const { reader, targetCompID, symbolOf, log } = this.#options;
    try {
      const known = await findOwnTrade(reader, found, { venue: targetCompID, symbolOf });
      for (const each of known) this.#tell(each);
    } catch (error) {
      log('error', 'a trade of the drop copy could not be looked up', {
        reason: (error as Error).message,
        trade: describeBreak(found),
      });
    }
  }

  #tell(found: TradeBreak): void {
    this.#options.onBreak(found.userId, found.orderID, describeBreak(found));
  }
}
