import type { LedgerEvent } from '../ledger/ledger-event.ts';
import type { ClientReport, ClientReports } from './client-reports.ts';

/** Where the events of an account come from when they are not told as they happen. */
export interface EventSource {
  /** Events after `seq`, oldest first, and no more than a page; `FeedOfReports.page` answers. */
  askEvents(feed: FeedOfReports, seq: number): void;
}

/**
 * The reports of one account on their way to one FIX session: each event once and in order, told as it happens or read from the ledger when something was missed. What waits, waits in the
 * ledger and not here.
 */
export class FeedOfReports {
  readonly userId: number;
  readonly reports: ClientReports;
  readonly #source: EventSource;
  /** Hands a report to the session, false when that is down: then the event was not taken. */
  readonly #isUp: () => boolean;
  readonly #send: (report: ClientReport) => void;
  /** Of the last event that was reported, or had nothing to report. */
  #seq: number;
  #newestSeq: number;
  #isAsking = false;
  #newestWhenAsked = 0;

  constructor(
    userId: number,
    seq: number,
    reports: ClientReports,
    source: EventSource,
    session: { readonly isUp: () => boolean; readonly send: (report: ClientReport) => void },
  ) {
    this.userId = userId;
    this.reports = reports;
    this.#source = source;
    this.#isUp = session.isUp;
    this.#send = session.send;
    this.#seq = seq;
    this.#newestSeq = seq;
  }

  get seq(): number {
    return this.#seq;
  }

  /** Events became durable. */
  push(events: readonly LedgerEvent[]): void {
    this.#newestSeq = Math.max(this.#newestSeq, events.at(-1)!.seq);
    if (!this.#isAsking) this.#take(events);
    this.pump();
  }

  /** The answer to `askEvents`; null when the ledger cannot be read now. */
  page(events: readonly LedgerEvent[] | null): void {
    this.#isAsking = false;
    if (events === null) return;
    this.#take(events);
    // What became durable while the ledger was read is asked for again.
    if (events.length === 0 && this.#newestSeq === this.#newestWhenAsked) this.#newestSeq = this.#seq;
    this.pump();
  }

  /** The session came up, or it is time to try again: nobody knows here what happened meanwhile. */
  resume(): void {
    this.#newestSeq = Math.max(this.#newestSeq, this.#seq + 1);
    this.pump();
  }

  pump(): void {
    if (this.#isAsking || this.#seq >= this.#newestSeq || !this.#isUp()) return;
    this.#isAsking = true;
    this.#newestWhenAsked = this.#newestSeq;
    this.#source.askEvents(this, this.#seq);
  }

  #take(events: readonly LedgerEvent[]): void {
    for (const event of events) {
      if (event.seq <= this.#seq) continue;
      if (event.seq !== this.#seq + 1 || !this.#isUp()) return;
      this.#seq = event.seq;
      const report = this.reports.take(event);
      if (report !== null) this.#send(report);
    }
  }
}
