import { VenueRefusal } from '../fix/venue-refusals.ts';
import { EventType } from '../ledger/ledger-event.ts';
import { isTerminal, type Order, parseClOrdID } from '../ledger/order.ts';
import type { EndType } from '../ledger/order-events.ts';
import type { ChangeSettlement } from './change-settlement.ts';
import type { Decision } from './decision.ts';
import { AlarmKind, type VenueEffects } from './order-effects.ts';
import type { RequestOutcome } from './order-input.ts';
import type { ReportDecisions } from './report-decisions.ts';
import { accountOf } from './venue-terms.ts';

/** What the state of the sessions with the venue, and requests that came to nothing, mean for orders. */
export class SessionDecisions {
  readonly #reports: ReportDecisions;
  readonly #venue: Pick<VenueEffects, 'sessionNameOf'>;
  readonly #up = new Set<string>();
  readonly #settlement: ChangeSettlement;

  constructor(reports: ReportDecisions, settlement: ChangeSettlement, venue: Pick<VenueEffects, 'sessionNameOf'>) {
    this.#reports = reports;
    this.#settlement = settlement;
    this.#venue = venue;
  }

  /** Whether requests of the account can leave. */
  isUp(userId: number): boolean {
    return this.#up.has(this.#venue.sessionNameOf(accountOf(userId)));
  }

  state(sessionName: string, isUp: boolean): void {
    if (isUp) {
      this.#up.add(sessionName);
      this.#settlement.begin(sessionName);
    } else {
      this.#up.delete(sessionName);
      this.#settlement.abandon(sessionName);
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
