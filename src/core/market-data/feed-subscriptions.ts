import { SubscriptionRequestType } from '../fix/generated/fix-enums.gen.ts';
import { type MarketDataRequest, REQUEST_SYMBOLS_MAX } from '../fix/market-data-messages.ts';

/** A lone symbol that was refused is asked for again after so long: the exchange may list it later than we do. */
export const REFUSED_RETRY_MS = 1_000;
/** Between two renewals: doubling from the least to the most while they follow one another, so that a bad feed is not asked ever more. */
const RENEWAL_MIN_MS = 1_000;
const RENEWAL_MAX_MS = 30_000;

interface Request {
  readonly symbols: readonly string[];
  readonly dueMs: number;
}

/**
 * Which instruments the feed has asked for, is to ask for, and was refused; no I/O. Its owner takes one request after the other from `next` and
 * sends it. A refused request is cut in halves until the symbol that the exchange does not know stands alone: the others of its request are served.
 */
export class FeedSubscriptions {
  #waiting: Request[] = [];
  /** Requests that are out, by MDReqID(262). */
  #open = new Map<string, readonly string[]>();
  #cancel: string[] = [];
  #wanted = new Set<string>();
  #requestCount = 0;
  #renewedMs = Number.NEGATIVE_INFINITY;
  #renewalDelayMs = 0;
  #renewalDueMs = Number.POSITIVE_INFINITY;

  /** Requests that were refused and not yet asked for again. */
  get refusedCount(): number {
    return this.#waiting.reduce((count, request) => count + (request.dueMs > 0 ? 1 : 0), 0);
  }

  /** Symbols listed now. New ones are asked for; what is gone is no longer asked for. */
  list(symbols: Iterable<string>): void {
    const wanted = new Set(symbols);
    const added = [...wanted].filter((symbol) => !this.#wanted.has(symbol));
    this.#wanted = wanted;
    this.#ask(added);
  }

  /** A new session: nothing is subscribed. */
  begin(): void {
    this.#open.clear();
    this.#cancel = [];
    this.#waiting = [];
    this.#renewalDueMs = Number.POSITIVE_INFINITY;
    this.#ask([...this.#wanted]);
  }

  /** Something was missed or unreadable: everything is to be subscribed anew, at once or, if that was just done, a little later. */
  renew(nowMs: number): void {
    if (this.#renewalDueMs !== Number.POSITIVE_INFINITY) return;
    const sinceMs = nowMs - this.#renewedMs;
    const recently = sinceMs < 2 * RENEWAL_MAX_MS;
    this.#renewalDelayMs = recently ? Math.min(RENEWAL_MAX_MS, Math.max(RENEWAL_MIN_MS, this.#renewalDelayMs * 2)) : 0;
    this.#renewalDueMs = recently ? Math.max(nowMs, this.#renewedMs + this.#renewalDelayMs) : nowMs;
  }

  /** MarketDataRequestReject (Y). */
  refused(mdReqID: string, nowMs: number): void {
    const symbols = this.#open.get(mdReqID);
    if (symbols === undefined) return;
    this.#open.delete(mdReqID);
    if (symbols.length === 1) {
      this.#waiting.push({ symbols, dueMs: nowMs + REFUSED_RETRY_MS });
      return;
    }
    const half = symbols.length >> 1;
    this.#waiting.push({ symbols: symbols.slice(0, half), dueMs: 0 }, { symbols: symbols.slice(half), dueMs: 0 });
  }

  /** The next request that is due, to be sent now; undefined when there is none. */
  next(nowMs: number): MarketDataRequest | undefined {
    if (nowMs >= this.#renewalDueMs) this.#startRenewal(nowMs);
    const cancelled = this.#cancel.shift();
    if (cancelled !== undefined) {
      const subscriptionRequestType = SubscriptionRequestType.DisablePreviousSnapshotPlusUpdateRequest;
      const symbols = this.#open.get(cancelled) ?? [];
      this.#open.delete(cancelled);
      return { mdReqID: cancelled, subscriptionRequestType, symbols };
    }
    const position = this.#waiting.findIndex((request) => request.dueMs <= nowMs);
    if (position === -1) return undefined;
    const [request] = this.#waiting.splice(position, 1) as [Request];
    const symbols = request.symbols.filter((symbol) => this.#wanted.has(symbol));
    if (symbols.length === 0) return this.next(nowMs);
    this.#requestCount++;
    const mdReqID = `S${this.#requestCount}`;
    this.#open.set(mdReqID, symbols);
    return { mdReqID, subscriptionRequestType: SubscriptionRequestType.SnapshotPlusUpdates, symbols };
  }

  #startRenewal(nowMs: number): void {
    this.#renewalDueMs = Number.POSITIVE_INFINITY;
    this.#renewedMs = nowMs;
    this.#cancel = [...this.#open.keys()];
    this.#waiting = [];
    this.#ask([...this.#wanted]);
  }

  #ask(symbols: readonly string[]): void {
    for (let i = 0; i < symbols.length; i += REQUEST_SYMBOLS_MAX) {
      this.#waiting.push({ symbols: symbols.slice(i, i + REQUEST_SYMBOLS_MAX), dueMs: 0 });
    }
  }
}
