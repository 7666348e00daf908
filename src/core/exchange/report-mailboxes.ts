import { type ExecutionReport, writeExecutionReport } from '../fix/execution-report.ts';
import type { FixSession } from '../fix/fix-session.ts';
import { fixVersionOf } from '../fix/fix-version.ts';
import { MsgType } from '../fix/generated/fix-enums.gen.ts';
import { type OrderCancelReject, writeOrderCancelReject } from '../fix/order-messages.ts';
import { type OrderMassCancelReport, writeOrderMassCancelReport } from '../fix/order-status-messages.ts';

export type OrderReport =
  | { readonly msgType: typeof MsgType.ExecutionReport; readonly report: ExecutionReport }
  | { readonly msgType: typeof MsgType.OrderCancelReject; readonly reject: OrderCancelReject }
  | { readonly msgType: typeof MsgType.OrderMassCancelReport; readonly massCancel: OrderMassCancelReport };

/** Reports that wait for a CompID; more are dropped, oldest first, and counted. */
export const MAILBOX_REPORTS_MAX = 10_000;
/** CompIDs that may send orders in the life of a process. */
export const MAILBOXES_MAX = 1_024;

interface Mailbox {
  /** The session that the CompID's reports go to: the one that last sent an order, while it is logged on. */
  session: FixSession | null;
  readonly waiting: OrderReport[];
}

/** Where reports of orders go, by CompID. A mailbox exists from the first order of its CompID. */
export class ReportMailboxes {
  /** The wall clock, epoch milliseconds; its owner moves it before each call. */
  nowMs = 0;
  /** Reports that were dropped because their owner stayed away. */
  droppedCount = 0;
  readonly #mailboxes = new Map<string, Mailbox>();

  /** The session sends orders of its CompID: reports go to it. False when there are as many mailboxes as may be. */
  bind(session: FixSession): boolean {
    const compID = session.counterpartyCompID;
    const mailbox = this.#mailboxes.get(compID);
    if (mailbox !== undefined) mailbox.session = session;
    else if (this.#mailboxes.size >= MAILBOXES_MAX) return false;
    else this.#mailboxes.set(compID, { session, waiting: [] });
    return true;
  }

  /** A session logged on: if its CompID has a mailbox and no session, it gets what waits there. */
  logon(session: FixSession): void {
    const mailbox = this.#mailboxes.get(session.counterpartyCompID);
    if (mailbox === undefined || mailbox.session !== null) return;
    mailbox.session = session;
    for (const report of mailbox.waiting.splice(0)) this.deliver(session.counterpartyCompID, report);
  }

  /** A session ended; true when it was the one that its CompID's reports went to. */
  logout(session: FixSession): boolean {
    const mailbox = this.#mailboxes.get(session.counterpartyCompID);
    if (mailbox?.session !== session) return false;
    mailbox.session = null;
    return true;
  }

  deliver(compID: string, report: OrderReport): void {
    const mailbox = this.#mailboxes.get(compID)!;
    const { session, waiting } = mailbox;
    if (session?.loggedOn && this.#send(session, report)) return;
    if (waiting.length >= MAILBOX_REPORTS_MAX) {
      waiting.shift();
      this.droppedCount++;
    }
    waiting.push(report);
  }

  #send(session: FixSession, report: OrderReport): boolean {
    const encoder = session.begin(report.msgType, this.nowMs);
    const version = fixVersionOf(session.settings.beginString);
    if (report.msgType === MsgType.ExecutionReport) writeExecutionReport(encoder, report.report, version);
    else if (report.msgType === MsgType.OrderCancelReject) writeOrderCancelReject(encoder, report.reject, version);
    else writeOrderMassCancelReport(encoder, report.massCancel);
    return session.send(this.nowMs) > 0;
  }
}
