import type { ExecutionReportRecord } from '../core/fix/execution-report-record.ts';
import type { FixMessage } from '../core/fix/fix-message.ts';
import type { OrderCancelReject } from '../core/fix/order-messages.ts';
import type { RequestRefused } from '../core/fix/venue-refusals.ts';
import type { VenueListener, VenueSession } from '../core/fix/venue-session.ts';
import type { OrderService } from '../core/orders/order-service.ts';

/** What a venue tells, passed on to the order service; `onInput` is called after each, so that the turn is ended when all of a read have been told; `onSession` when a session came up or went down. */
export class FlushingListener implements VenueListener {
  readonly #service: () => OrderService;
  readonly #onInput: () => void;
  readonly #onSession: () => void;

  constructor(service: () => OrderService, onInput: () => void, onSession: () => void) {
    this.#service = service;
    this.#onInput = onInput;
    this.#onSession = onSession;
  }

  onExecution(session: VenueSession, report: ExecutionReportRecord): void {
    this.#service().onExecution(session, report);
    this.#onInput();
  }

  onCancelReject(session: VenueSession, reject: OrderCancelReject, code: number): void {
    this.#service().onCancelReject(session, reject, code);
    this.#onInput();
  }

  onMassCancelReport(session: VenueSession): void {
    this.#service().onMassCancelReport(session);
    this.#onInput();
  }

  onRefused(session: VenueSession, refused: RequestRefused): void {
    this.#service().onRefused(session, refused);
    this.#onInput();
  }

  onState(session: VenueSession, loggedOn: boolean): void {
    this.#service().onState(session, loggedOn);
    this.#onInput();
    this.#onSession();
  }

  onSettled(session: VenueSession): void {
    this.#service().onSettled(session);
    this.#onInput();
  }

  onUnexpected(session: VenueSession, message: FixMessage, text: string): void {
    this.#service().onUnexpected(session, message, text);
    this.#onInput();
  }
}
