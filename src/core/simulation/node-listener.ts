import type { ExecutionReportRecord } from '../fix/execution-report-record.ts';
import type { FixMessage } from '../fix/fix-message.ts';
import { MsgType } from '../fix/generated/fix-enums.gen.ts';
import type { OrderCancelReject } from '../fix/order-messages.ts';
import type { OrderMassCancelReport } from '../fix/order-status-messages.ts';
import { type RequestRefused, VenueRefusal } from '../fix/venue-refusals.ts';
import type { ReportStanding } from '../fix/venue-reports.ts';
import type { VenueListener, VenueSession } from '../fix/venue-session.ts';
import type { Tampering } from './tampering.ts';

/** What the node itself wants to know of its sessions. */
export interface SessionsWatch {
  settled(name: string, isSettled: boolean): void;
  /** The service has been told of something: its turn is over. */
  after(): void;
  /** ClOrdIDs of the orders of a session that were alive when the engine began. */
  inherited(name: string): readonly string[];
}

/** Stands between the sessions and the order service: tells the node which sessions are settled, and is where a planted bug may keep a report back. */
export class NodeListener implements VenueListener {
  readonly #listener: () => VenueListener;
  readonly #tampering: Tampering;
  readonly #watch: SessionsWatch;

  constructor(listener: () => VenueListener, tampering: Tampering, watch: SessionsWatch) {
    this.#listener = listener;
    this.#tampering = tampering;
    this.#watch = watch;
  }

  onExecution(session: VenueSession, report: ExecutionReportRecord, standing: ReportStanding): void {
    if (this.#tampering.report?.(report) === false) return;
    this.#listener().onExecution(session, report, standing);
    this.#watch.after();
  }

  onCancelReject(session: VenueSession, reject: OrderCancelReject, code: number, message: FixMessage): void {
    if (this.#tampering.cancelReject?.() === false) return;
    this.#listener().onCancelReject(session, reject, code, message);
    this.#watch.after();
  }

  onMassCancelReport(session: VenueSession, report: OrderMassCancelReport, code: number, message: FixMessage): void {
    this.#listener().onMassCancelReport(session, report, code, message);
    this.#watch.after();
  }

  onRefused(session: VenueSession, refused: RequestRefused): void {
    this.#listener().onRefused(session, refused);
    this.#watch.after();
  }

  onState(session: VenueSession, loggedOn: boolean, text: string): void {
    this.#watch.settled(session.name, false);
    this.#listener().onState(session, loggedOn, text);
    if (loggedOn && this.#tampering.guessesLost === true) this.#guessLost(session);
    this.#watch.after();
  }

  onSettled(session: VenueSession): void {
    this.#watch.settled(session.name, true);
    this.#listener().onSettled(session);
    this.#watch.after();
  }

  onUnexpected(session: VenueSession, message: FixMessage, text: string): void {
    this.#listener().onUnexpected(session, message, text);
    this.#watch.after();
  }

  /** The planted bug that takes what was alive for what never arrived. */
  #guessLost(session: VenueSession): void {
    const { NewOrderSingle: msgType } = MsgType;
    for (const requestID of this.#watch.inherited(session.name))
      this.#listener().onRefused(session, { msgType, requestID, code: VenueRefusal.NotAtVenue, text: '' });
  }
}
