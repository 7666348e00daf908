import { VenueRefusal } from '../fix/venue-refusals.ts';
import { EventType } from '../ledger/ledger-event.ts';
import { clOrdIDOf, isTerminal, type Order, parseClOrdID } from '../ledger/order.ts';
import type { EndType } from '../ledger/order-events.ts';
import type { Decision } from './decision.ts';
import type { OrderBooks } from './order-books.ts';
import { AlarmKind, type VenueEffects } from './order-effects.ts';
import type { RequestOutcome } from './order-input.ts';
import type { ReportDecisions } from './report-decisions.ts';
import { accountOf } from './venue-terms.ts';

/** What the state of the sessions with the venue, and requests that came to nothing, mean for orders. */
export class SessionDecisions {
  readonly #books: OrderBooks;
  readonly #reports: ReportDecisions;
  readonly #venue: Pick<VenueEffects, 'sessionNameOf'>;
  readonly #up = new Set<string>();
  /** Changes that were unanswered when a session came up, by ClOrdID(11); until it is settled. */
  readonly #unanswered = new Map<string, string[]>();

  constructor(books: OrderBooks, reports: ReportDecisions, venue: Pick<VenueEffects, 'sessionNameOf'>) {
    this.#books = books;
    this.#reports = reports;
    this.#venue = venue;
  }

  /** Whether requests of the account can leave. */
  isUp(userId: number): boolean {
    return this.#up.has(this.#venue.sessionNameOf(accountOf(userId)));
  }

  state(sessionName: string, isUp: boolean): void {
    this.#unanswered.delete(sessionName);
    if (!isUp) {
      this.#up.delete(sessionName);
      return;
    }
    this.#up.add(sessionName);
    const unanswered: string[] = [];
    for (const { userId, orders } of this.#books.accounts.accounts()) {
      if (this.#venue.sessionNameOf(accountOf(userId)) !== sessionName) continue;
      for (const { orderID, pendingChanges } of orders.values())
        for (const { version } of pendingChanges) unanswered.push(clOrdIDOf(orderID, version));
    }
    this.#unanswered.set(sessionName, unanswered);
  }

  /**
   * The venue has answered for every order, and it does so in the order in which it is told: a change of before the logon that it has said nothing of never
   * arrived, unless it says that it is still at it.
   */
  settled(decision: Decision, sessionName: string, nowMicros: number): void {
    const unanswered = this.#unanswered.get(sessionName) ?? [];
    this.#unanswered.delete(sessionName);
    for (const clOrdID of unanswered) {
      const subject = this.#reports.subject(clOrdID);
      if (subject === undefined || this.#reports.isBeingChanged(subject.order)) continue;
      const text = 'the venue knows nothing of the change';
      this.#reports.rejectChange(decision, subject, VenueRefusal.NotAtVenue, text, nowMicros);
    }
  }

  /** A request came to nothing, by the gateway or by the venue. */
  refused(decision: Decision, outcome: RequestOutcome, nowMicros: number): void {
    const { clOrdID, isOrder, code, text } = outcome;
    const subject = this.#reports.subject(clOrdID);
    if (subject === undefined) {
      if (parseClOrdID(clOrdID) === undefined) return;
      decision.alarm(AlarmKind.UnknownOrder, 0, 0, `refusal ${code} of ClOrdID ${clOrdID}: ${text}`);
      return;
    }
    const { account, order } = subject;
    if (code === VenueRefusal.DuplicateClOrdID) {
      // It has left before: what became of it the venue will say.
      decision.alarm(AlarmKind.VenueDiffers, account.userId, order.orderID, `${clOrdID} has been sent before`);
    } else if (!isOrder) {
      this.#reports.rejectChange(decision, subject, code, text, nowMicros);
    } else if (!isTerminal(order.status)) {
      if (code === VenueRefusal.NotAtVenue && wasThere(order))
        decision.alarm(
          AlarmKind.VenueDiffers,
          account.userId,
          order.orderID,
          'the venue does not know the order any more',
        );
      this.#reports.end(decision, account, order, endTypeOf(order, code), code, text, nowMicros);
    }
  }
}

function wasThere({ venueOrderID, cumQty }: Order): boolean {
  return venueOrderID !== '' || cumQty > 0;
}

/** What waited here and was taken out was canceled; so was what the venue had and has lost. What never arrived is rejected. */
function endTypeOf(order: Order, code: number): EndType {
  const isCanceled = code === VenueRefusal.Withdrawn || (code === VenueRefusal.NotAtVenue && wasThere(order));
  return isCanceled ? EventType.OrderCanceled : EventType.OrderRejected;
}
