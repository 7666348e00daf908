import { NO_REQUEST_ID } from '../core/fan-out/control-codec.ts';
import type { Account } from '../core/ledger/account.ts';
import type { LedgerEvent } from '../core/ledger/ledger-event.ts';
import { type MemoryRead, readAccount, tradesMap } from '../core/order-entry/account-reads.ts';
import { eventMap } from '../core/order-entry/event-message.ts';
import { type Refused, refused } from '../core/order-entry/order-fields.ts';
import { encodeAnswer, refusalMap, replyMap } from '../core/order-entry/order-messages.ts';
import type { OrderPeers, PeerHost } from '../core/order-entry/order-peers.ts';
import type { AccountRead } from '../core/order-entry/parse-read.ts';
import { decodeCommand, decodeRead } from '../core/order-entry/ring-bodies.ts';
import type { CommandOrigin, CommandReply, OrderCommand } from '../core/orders/order-command.ts';
import type { OrderService } from '../core/orders/order-service.ts';
import { RefusalCode } from '../core/refusal-codes.ts';
import {
  ORDER_STATS_COMMANDS_IN,
  ORDER_STATS_EVENTS_OUT,
  ORDER_STATS_PAGES_OUT,
  ORDER_STATS_READS_IN,
  ORDER_STATS_REFUSED,
} from '../core/shm/generated/worker-stats.gen.ts';
import type { LedgerReader } from '../net/ledger-reader.ts';

/** Events of a page that is read from the ledger for a socket that is behind. */
const PAGE_EVENTS = 100;
/** Pages that are read at once; more wait their turn, one a socket. */
const PAGES_AT_ONCE = 8;

interface Fill {
  readonly origin: CommandOrigin;
  readonly userId: number;
  readonly seq: number;
}

export interface AccountServerParts {
  readonly service: OrderService;
  readonly peers: OrderPeers;
  readonly reader: LedgerReader;
  readonly symbolOf: (instrumentId: number) => string;
  readonly stats: Float64Array;
  /** Epoch microseconds. */
  readonly nowMicros: () => number;
  /** Answers are written: they are to be handed over. */
  readonly onAnswers: () => void;
}

/** Serves what fan-out workers ask: commands to the order service, reads of accounts, and pages of events. */
export class AccountServer implements PeerHost {
  readonly #parts: AccountServerParts;
  /** Pages that wait, by channel and connection: a socket asks for one at a time. */
  readonly #fills = new Map<string, Fill>();
  /** By origin, of commands that were not answered yet: a reply does not say what was asked. */
  readonly #asked = new Map<CommandOrigin, Pick<OrderCommand, 'type' | 'userId'>>();
  /** The newest event of each user that was pushed. */
  readonly #pushedSeq = new Map<number, number>();
  #pagesBeingRead = 0;

  constructor(parts: AccountServerParts) {
    this.#parts = parts;
  }

  onCommand(origin: CommandOrigin, userId: number, body: Uint8Array): void {
    const { service, nowMicros, stats } = this.#parts;
    const command = decodeCommand(body, origin, userId);
    stats[ORDER_STATS_COMMANDS_IN >> 1]! += 1;
    this.#asked.set(origin, command);
    service.command(command, nowMicros());
  }

  onRead(origin: CommandOrigin, userId: number, body: Uint8Array): void {
    const read = decodeRead(body);
    this.#parts.stats[ORDER_STATS_READS_IN >> 1]! += 1;
    if (read.kind === 'trades') {
      this.#readTrades(origin, userId, read);
      return;
    }
    const { peers, symbolOf } = this.#parts;
    const refusal = this.#look(userId, (account) => {
      const map = account === undefined ? refusalMap(NO_ACCOUNT) : readAccount(account, read as MemoryRead, symbolOf);
      return () => peers.answer(origin, userId, encodeAnswer(origin.requestID, map));
    });
    if (refusal !== undefined) this.#refuse(origin, userId, refusal);
  }

  onLogin(origin: CommandOrigin, userId: number): void {
    const { peers } = this.#parts;
    const refuse = (refusal: Refused): void => {
      peers.loginRefused(origin, userId, encodeAnswer(origin.requestID, refusalMap(refusal)));
    };
    const refusal = this.#look(userId, (account) => {
      if (account === undefined)
        return () => refuse(refused(RefusalCode.UnknownAccount, `user ${userId} has no account`));
      const { seq } = account;
      return () => {
        this.#pushedSeq.set(userId, seq);
        peers.loggedIn(origin, userId, seq, encodeAnswer(origin.requestID, { action: 'loggedIn', userId, seq }));
      };
    });
    if (refusal !== undefined) refuse(refusal);
  }

  onFill(origin: CommandOrigin, userId: number, seq: number): void {
    this.#fills.set(`${origin.channel} ${origin.connection}`, { origin, userId, seq });
    this.#readPages();
  }

  /** The service's answer to a command of a fan-out worker. */
  answer(origin: CommandOrigin, reply: CommandReply): void {
    const { stats, peers } = this.#parts;
    const asked = this.#asked.get(origin);
    this.#asked.delete(origin);
    if (asked === undefined) return;
    if (reply.kind === 'refused') stats[ORDER_STATS_REFUSED >> 1]! += 1;
    peers.answer(origin, asked.userId, encodeAnswer(origin.requestID, replyMap(asked, reply)));
    this.#parts.onAnswers();
  }

  /** Durable events of one account. */
  push(userId: number, events: readonly LedgerEvent[]): void {
    const { peers, stats } = this.#parts;
    if (!peers.isFollowed(userId)) {
      this.#pushedSeq.delete(userId);
      return;
    }
    for (const event of events) peers.push(userId, event.seq, this.#message(event));
    this.#pushedSeq.set(userId, events.at(-1)!.seq);
    stats[ORDER_STATS_EVENTS_OUT >> 1]! += events.length;
    this.#parts.onAnswers();
  }

  onTimer(): void {
    this.#readPages();
  }

  newestSeq(userId: number): number {
    return this.#pushedSeq.get(userId) ?? 0;
  }

  /** Lets `view` look at an account; what it returns is called when all that it saw is durable. Or says why that cannot be. */
  #look(userId: number, view: (account: Account | undefined) => () => void): Refused | undefined {
    const { service, nowMicros, onAnswers } = this.#parts;
    // What memory has beyond the database must not be told, and nobody knows when it is there again.
    if (!service.isLedgerAvailable && service.pendingCount > 0) return NO_LEDGER;
    const seen = (account: Account | undefined) => {
      const tell = view(account);
      return () => {
        tell();
        onAnswers();
      };
    };
    return service.read(userId, seen, nowMicros()) ? undefined : BUSY;
  }

  #readTrades(origin: CommandOrigin, userId: number, { from, limit }: AccountRead): void {
    const { reader, peers, symbolOf, onAnswers } = this.#parts;
    reader.trades(userId, from, limit + 1).then(
      (trades) => {
        const map = tradesMap(trades, { from, limit }, symbolOf);
        peers.answer(origin, userId, encodeAnswer(origin.requestID, map));
        onAnswers();
      },
      () => this.#refuse(origin, userId, NO_LEDGER),
    );
  }

  #readPages(): void {
    for (const [key, fill] of this.#fills) {
      if (this.#pagesBeingRead >= PAGES_AT_ONCE) return;
      this.#fills.delete(key);
      this.#pagesBeingRead++;
      this.#readPage(fill).then(
        () => {
          this.#pagesBeingRead--;
          this.#readPages();
        },
        () => {
          // The ledger is away: the timer tries again.
          this.#pagesBeingRead--;
          if (!this.#fills.has(key)) this.#fills.set(key, fill);
        },
      );
    }
  }

  async #readPage({ origin, userId, seq }: Fill): Promise<void> {
    const { reader, peers, stats } = this.#parts;
    // One more than a page: whether there is more is then known.
    const events = await reader.eventsAfter(userId, seq, PAGE_EVENTS + 1);
    stats[ORDER_STATS_PAGES_OUT >> 1]! += 1;
    const newest = Math.max(this.newestSeq(userId), events.at(-1)?.seq ?? seq);
    this.#pushedSeq.set(userId, newest);
    for (const event of events.slice(0, PAGE_EVENTS)) {
      if (!peers.filled(origin, userId, event.seq, this.#message(event))) break;
    }
    peers.fillEnd(origin, userId, newest);
    this.#parts.onAnswers();
  }

  #message(event: LedgerEvent): Uint8Array {
    return encodeAnswer(NO_REQUEST_ID, eventMap(event, this.#parts.symbolOf(event.instrumentId)));
  }

  #refuse(origin: CommandOrigin, userId: number, refusal: Refused): void {
    this.#parts.peers.answer(origin, userId, encodeAnswer(origin.requestID, refusalMap(refusal)));
    this.#parts.onAnswers();
  }
}

const BUSY = refused(RefusalCode.LedgerBusy, 'as much waits for the database as may');
const NO_ACCOUNT = refused(RefusalCode.UnknownAccount, 'there is no such account');
const NO_LEDGER = refused(RefusalCode.LedgerUnavailable, 'the database cannot be reached');
