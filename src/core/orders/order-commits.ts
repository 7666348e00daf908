import { VenueRefusal } from '../fix/venue-refusals.ts';
import { batchRows } from '../ledger/batch-rows.ts';
import { CLIENT_ORDER_ONCE, type FixSessionRow, type LedgerBatch } from '../ledger/ledger-batch.ts';
import type { LedgerEvent } from '../ledger/ledger-event.ts';
import { RefusalCode } from '../refusal-codes.ts';
import type { CommitHost } from './commit-queue.ts';
import type { Decision, OutgoingRequest, SessionNote } from './decision.ts';
import type { OrderBooks } from './order-books.ts';
import type { OrderDecider } from './order-decider.ts';
import { AlarmKind, type OrderEffects } from './order-effects.ts';
import type { OrderInput } from './order-input.ts';
import { OrderRecall } from './order-recall.ts';

export interface CommitParts {
  readonly effects: OrderEffects;
  readonly books: OrderBooks;
  readonly decider: OrderDecider;
  readonly shard: number;
  readonly epoch: number;
  readonly orderMaxAgeMicros: number;
  /** Whether everything that was decided is durable. */
  readonly isAllDurable: () => boolean;
  /** One more input, which follows from what was released or dropped. */
  readonly offer: (input: OrderInput) => void;
  /** An input is done with; `isDone` is false when it was dropped, or nothing came of it. */
  readonly onDone: (input: OrderInput, isDone: boolean) => void;
}

/** What inputs are to the commit queue: how one is decided, what its batch looks like, and what leaves when that is durable, or when nothing came of it. */
export class OrderCommits implements CommitHost<OrderInput, Decision> {
  readonly #parts: CommitParts;
  /** As they are committed. */
  readonly #sessions: Map<string, FixSessionRow>;
  /** The users whose accounts are being read anew. */
  reloading: readonly number[] = [];
  readonly recall: OrderRecall;

  constructor(parts: CommitParts, sessions: readonly FixSessionRow[]) {
    this.#parts = parts;
    this.recall = new OrderRecall(parts.books, parts.effects.ledger);
    this.#sessions = new Map(sessions.map((row) => [row.sessionName, row]));
  }

  decide(input: OrderInput, again: boolean): Decision | null | 'wait' {
    const { books, decider, isAllDurable } = this.#parts;
    if (!this.recall.isReady(input)) return 'wait';
    const decision = decider.decide(input, again);
    for (const { type, body } of decision.requests) if (type !== 'status') books.unsent.add(body.clOrdID);
    if (decision.events.length > 0 || decision.session !== null) return decision;
    // What was seen of memory is told when it is durable, and what has to be asked after follows from what was seen; a refusal holds whatever becomes of that.
    const isSeen = decision.tell !== null || isOfOrder(decision) || input.type === 'settled';
    if (isSeen && !isAllDurable()) return decision;
    this.release(input, decision, input.nowMicros);
    return null;
  }

  render(batchId: number, decisions: readonly Decision[], inFlight: LedgerBatch | null): LedgerBatch | null {
    const { books, shard, epoch } = this.#parts;
    const events = decisions.flatMap((decision) => decision.events);
    const sessions = new Map<string, FixSessionRow>();
    for (const { session } of decisions) {
      if (session === null) continue;
      const name = session.delivery.sessionName;
      const before = sessions.get(name) ?? inFlight?.sessions.find((row) => row.sessionName === name);
      sessions.set(name, sessionRow(before ?? this.#sessions.get(name), session));
    }
    if (events.length + sessions.size === 0) return null;
    const rows = batchRows(events, (userId) => books.accounts.get(userId));
    return { batchId, shard, epoch, ...rows, sessions: [...sessions.values()] };
  }

  prepare(batch: LedgerBatch): void {
    this.#parts.effects.ledger.prepare(batch);
  }

  commit(batch: LedgerBatch): void {
    this.#parts.effects.ledger.commit(batch);
  }

  askBatch(batchId: number): void {
    this.#parts.effects.ledger.askBatch(batchId);
  }

  release(input: OrderInput, decision: Decision, nowMicros: number): void {
    const { effects, onDone } = this.#parts;
    const { reply, session } = decision;
    if (reply !== null && input.type === 'command') effects.answer(input.command.origin, reply);
    decision.tell?.();
    this.#push(decision.events);
    for (const alarm of decision.alarms) effects.alarm(alarm);
    for (const request of decision.requests) this.#send(request, input, nowMicros);
    if (session !== null) {
      const { sessionName, epoch, msgSeqNum } = session.delivery;
      this.#sessions.set(sessionName, sessionRow(this.#sessions.get(sessionName), session));
      if (msgSeqNum > 0) effects.venue.committed(sessionName, epoch, msgSeqNum);
    }
    onDone(input, decision.events.length > 0);
  }

  isTooLate(input: OrderInput, nowMicros: number): boolean {
    if (input.type !== 'command') return false;
    const { type } = input.command;
    return (type === 'place' || type === 'modify') && this.#isOld(input, nowMicros);
  }

  drop(input: OrderInput, code: RefusalCode, text: string): void {
    const { effects, offer, onDone } = this.#parts;
    const userId = this.#userOf(input);
    if (input.type === 'command' && !input.isKnown && text.startsWith(CLIENT_ORDER_ONCE)) {
      // The same request as on a former day, or a mistake: the order that it made then says which.
      offer({ ...input, isKnown: true });
      return;
    }
    if (input.type === 'command') effects.answer(input.command.origin, { kind: 'refused', code, text, check: null });
    if (code === RefusalCode.LedgerRefused)
      effects.alarm({ kind: AlarmKind.LedgerRefused, userId, orderID: 0, text: `${input.type}: ${text}` });
    onDone(input, false);
    // What the venue said has happened all the same: nothing may be built on an account that does not have it.
    if (userId === 0 || input.type === 'command' || input.type === 'quarantine') return;
    const reason = `the database refused ${input.type}: ${text}`;
    offer({ type: 'quarantine', userId, reason, nowMicros: input.nowMicros });
  }

  reload(undone: readonly Decision[]): void {
    for (const { requests } of undone) for (const { body } of requests) this.#parts.books.unsent.delete(body.clOrdID);
    const userIds = new Set(undone.flatMap(({ events }) => events.map(({ userId }) => userId)));
    this.reloading = [...userIds];
    this.#parts.effects.ledger.reload(this.reloading);
  }

  fatal(text: string): void {
    this.#parts.effects.fatal(text);
  }

  #isOld(input: OrderInput, nowMicros: number): boolean {
    return nowMicros - input.nowMicros > this.#parts.orderMaxAgeMicros;
  }

  #push(events: readonly LedgerEvent[]): void {
    let from = 0;
    for (let to = 1; to <= events.length; to++) {
      const { userId } = events[from]!;
      if (events[to]?.userId === userId) continue;
      this.#parts.effects.push(userId, events.slice(from, to));
      from = to;
    }
  }

  #send(request: OutgoingRequest, input: OrderInput, nowMicros: number): void {
    const { effects, books } = this.#parts;
    const { venue } = effects;
    // Without an answer, the next logon asks again.
    if (request.type === 'status') {
      venue.status(request.account, request.body);
      return;
    }
    books.unsent.delete(request.body.clOrdID);
    if (request.type !== 'cancel' && request.expires && this.#isOld(input, nowMicros)) {
      this.#refused(
        request,
        RefusalCode.LedgerTooLate,
        'it was older than an order may be when it could leave',
        nowMicros,
      );
      return;
    }
    let refusal: VenueRefusal;
    if (request.type === 'place') refusal = venue.place(request.body);
    else if (request.type === 'replace') refusal = venue.replace(request.body);
    else refusal = venue.cancel(request.account, request.body);
    // What was withdrawn, its own refusal tells of.
    if (refusal === VenueRefusal.None || refusal === VenueRefusal.Withdrawn) return;
    this.#refused(request, refusal, 'it did not leave', nowMicros);
  }

  #refused({ type, body }: OutgoingRequest, code: number, text: string, nowMicros: number): void {
    const outcome = { clOrdID: body.clOrdID, isOrder: type === 'place', code, text };
    this.#parts.offer({ type: 'request-refused', outcome, delivery: null, nowMicros });
  }

  /** 0 when it is about no account that is known. */
  #userOf(input: OrderInput): number {
    const { accounts } = this.#parts.books;
    switch (input.type) {
      case 'command':
        return input.command.userId;
      case 'read':
      case 'day-step':
      case 'quarantine':
        return input.userId;
      case 'trigger':
        return accounts.ownerOf(input.orderID)?.userId ?? 0;
      case 'execution':
        return (
          accounts.namedBy(input.report.clOrdID)?.userId ?? accounts.namedBy(input.report.origClOrdID)?.userId ?? 0
        );
      case 'change-rejected':
        return accounts.namedBy(input.reject.clOrdID)?.userId ?? 0;
      case 'request-refused':
        return accounts.namedBy(input.outcome.clOrdID)?.userId ?? 0;
      default:
        return 0;
    }
  }
}

/** A reply about an order that may not be durable itself. */
function isOfOrder({ reply }: Decision): boolean {
  return reply !== null && reply.kind !== 'refused' && reply.kind !== 'dry-run';
}

function sessionRow(before: FixSessionRow | undefined, { delivery, state }: SessionNote): FixSessionRow {
  const { sessionName, epoch, msgSeqNum, lastSentSeqNum } = delivery;
  // A session that is down does not know its epoch.
  const known = epoch === 0 ? (before?.epoch ?? 0) : epoch;
  const received = before?.epoch === known ? before.lastReceivedSeqNum : 0;
  return { sessionName, epoch: known, lastSentSeqNum, lastReceivedSeqNum: Math.max(received, msgSeqNum), state };
}
