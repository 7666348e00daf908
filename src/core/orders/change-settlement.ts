import type { ExecutionReport } from '../fix/execution-report.ts';
import { OrdStatus } from '../fix/generated/fix-enums.gen.ts';
import { clOrdIDOf } from '../ledger/order.ts';
import type { Decision } from './decision.ts';
import type { OrderBooks } from './order-books.ts';
import type { VenueEffects } from './order-effects.ts';
import { accountOf, sideOf } from './venue-terms.ts';

/** The venue has a request that it has not dealt with. */
const PENDING: ReadonlySet<OrdStatus> = new Set([
  OrdStatus.PendingNew,
  OrdStatus.PendingCancel,
  OrdStatus.PendingReplace,
]);

interface Question {
  readonly sessionName: string;
  readonly ordStatusReqID: string;
  /** Of the changes that had left before the logon. */
  readonly clOrdIDs: string[];
}

/**
 * What became of changes that had left when a session broke, and that are unanswered when it is up again and settled. A report that came in since may be older than the
 * logon, so each such order is asked after once more: a venue takes requests in the order of their numbers, so its answer to this question comes after all that it
 * will ever say of them, unless it says that it is still at one.
 */
export class ChangeSettlement {
  readonly #books: OrderBooks;
  readonly #venue: Pick<VenueEffects, 'sessionNameOf'>;
  /** Orders with such changes, by session, until it is settled. */
  readonly #unanswered = new Map<string, ReadonlyMap<number, string[]>>();
  /** By OrderID; kept until the session breaks again, since an answer may be decided again. */
  readonly #questions = new Map<number, Question>();

  constructor(books: OrderBooks, venue: Pick<VenueEffects, 'sessionNameOf'>) {
    this.#books = books;
    this.#venue = venue;
  }

  /** The session is up. */
  begin(sessionName: string): void {
    const unanswered = new Map<number, string[]>();
    for (const { userId, orders } of this.#books.accounts.accounts()) {
      if (this.#venue.sessionNameOf(accountOf(userId)) !== sessionName) continue;
      for (const { orderID, pendingChanges } of orders.values()) {
        if (pendingChanges.length === 0) continue;
        const left = pendingChanges
          .map(({ version }) => clOrdIDOf(orderID, version))
          .filter((clOrdID) => !this.#books.unsent.has(clOrdID));
        if (left.length > 0) unanswered.set(orderID, left);
      }
    }
    this.#unanswered.set(sessionName, unanswered);
  }

  /** The session is down: the next logon begins again. */
  abandon(sessionName: string): void {
    this.#unanswered.delete(sessionName);
    for (const [orderID, question] of this.#questions)
      if (question.sessionName === sessionName) this.#questions.delete(orderID);
  }

  /** The session is settled: asks after what is still unanswered. */
  ask(decision: Decision, sessionName: string, nowMicros: number): void {
    const unanswered = this.#unanswered.get(sessionName) ?? new Map<number, string[]>();
    for (const [orderID, clOrdIDs] of unanswered) {
      const order = this.#books.accounts.ownerOf(orderID)?.orders.get(orderID);
      const symbol = order === undefined ? undefined : this.#books.instruments.byId(order.instrumentId)?.symbol;
      if (order === undefined || symbol === undefined || order.pendingChanges.length === 0) continue;
      const ordStatusReqID = `${nowMicros.toString(36)}-${clOrdIDOf(orderID, order.venueVersion)}`;
      this.#questions.set(orderID, { sessionName, ordStatusReqID, clOrdIDs });
      const clOrdID = clOrdIDOf(orderID, order.venueVersion);
      const body = { ordStatusReqID, clOrdID, symbol, side: sideOf(order.side) };
      decision.requests.push({ type: 'status', body, account: accountOf(order.userId) });
    }
  }

  /** ClOrdIDs of the changes that the venue, which answers here, knows nothing of if they are still unanswered. FIX 4.2 does not say what it answers. */
  unknownBy({ ordStatus, ordStatusReqID, massStatusReqID }: ExecutionReport, orderID: number): readonly string[] {
    const question = this.#questions.get(orderID);
    if (question === undefined || PENDING.has(ordStatus)) return [];
    const isAnswer = ordStatusReqID === question.ordStatusReqID || (ordStatusReqID === '' && massStatusReqID === '');
    return isAnswer ? question.clOrdIDs : [];
  }
}
