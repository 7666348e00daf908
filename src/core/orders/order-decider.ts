import { DayGate } from '../day-roll/day-gate.ts';
import { accountFrozen } from '../ledger/cash-events.ts';
import { AccountDecisions } from './account-decisions.ts';
import { ChangeDecisions } from './change-decisions.ts';
import { ChangeSettlement } from './change-settlement.ts';
import { DayDecisions } from './day-decisions.ts';
import { Decision } from './decision.ts';
import { ExecutionDecisions, type Venue } from './execution-decisions.ts';
import type { MarketView } from './market-view.ts';
import type { OrderBooks } from './order-books.ts';
import type { CommandReply, OrderCommand, PlaceOrder } from './order-command.ts';
import { AlarmKind, type VenueEffects } from './order-effects.ts';
import type { OrderIds } from './order-ids.ts';
import type { Delivery, OrderInput } from './order-input.ts';
import { PlaceDecisions } from './place-decisions.ts';
import { ReportDecisions } from './report-decisions.ts';
import { SessionDecisions } from './session-decisions.ts';

/** Decides one input after another from what memory has, and applies what it decides to it. Nothing leaves from here. */
export class OrderDecider {
  readonly placing: PlaceDecisions;
  readonly #books: OrderBooks;
  readonly #accounts: AccountDecisions;
  readonly #changes: ChangeDecisions;
  readonly #days: DayDecisions;
  readonly #executions: ExecutionDecisions;
  readonly #reports: ReportDecisions;
  readonly #sessions: SessionDecisions;
  readonly #settlement: ChangeSettlement;

  constructor(
    books: OrderBooks,
    market: MarketView,
    venue: Venue,
    ids: OrderIds,
    sessionOf: Pick<VenueEffects, 'sessionNameOf'>,
  ) {
    this.#books = books;
    this.#executions = new ExecutionDecisions(books, venue);
    this.#settlement = new ChangeSettlement(books, sessionOf);
    this.#reports = new ReportDecisions(books, this.#executions, this.#settlement, market);
    this.#sessions = new SessionDecisions(this.#reports, this.#settlement, sessionOf);
    const gate = new DayGate(venue.marketHours);
    this.placing = new PlaceDecisions(books, this.#sessions, market, venue.marketHours, ids, gate);
    this.#changes = new ChangeDecisions(books, this.#sessions, market, venue.marketHours);
    this.#days = new DayDecisions(books, this.#sessions, this.#changes, venue.marketHours, ids, gate);
    this.#accounts = new AccountDecisions(books);
  }

  /** Executions that had been applied before. */
  get repeatCount(): number {
    return this.#executions.repeatCount;
  }

  /** `again`: the input was decided before, and that was undone. */
  decide(input: OrderInput, again: boolean): Decision {
    const decision = new Decision();
    const { nowMicros } = input;
    switch (input.type) {
      case 'command':
        decision.reply =
          input.command.type === 'place'
            ? this.placing.decide(decision, input.command, nowMicros, again, input.isKnown)
            : this.#command(decision, input.command, nowMicros);
        break;
      case 'read':
        decision.tell = input.view(this.#books.accounts.find(input.userId));
        break;
      case 'execution':
        decision.session = dealtWith(input.delivery);
        this.#reports.decide(decision, input.report, nowMicros);
        break;
      case 'change-rejected':
        decision.session = dealtWith(input.delivery);
        this.#reports.changeRejected(decision, input.reject, input.code, nowMicros);
        break;
      case 'request-refused':
        decision.session = dealtWith(input.delivery);
        this.#sessions.refused(decision, input.outcome, nowMicros);
        break;
      case 'unexpected':
        decision.session = dealtWith(input.delivery);
        if (input.text !== '') decision.alarm(AlarmKind.UnexpectedMessage, 0, 0, input.text);
        break;
      case 'trigger':
        this.#changes.trigger(decision, input.orderID, input.lastPaise, nowMicros);
        break;
      case 'session':
        decision.session = { delivery: input.delivery, state: input.isUp ? 'up' : 'down' };
        this.#sessions.state(input.delivery.sessionName, input.isUp);
        break;
      case 'settled':
        this.#settlement.ask(decision, input.sessionName, nowMicros);
        break;
      case 'day-step':
        this.#days.step(decision, input.userId, input.isSettled, nowMicros);
        break;
      case 'quarantine':
        this.#quarantine(decision, input.userId, input.reason, nowMicros);
        break;
      default:
        input satisfies never;
    }
    return decision;
  }

  #command(decision: Decision, command: Exclude<OrderCommand, PlaceOrder>, nowMicros: number): CommandReply {
    switch (command.type) {
      case 'modify':
        return this.#changes.modify(decision, command, nowMicros);
      case 'cancel':
        return this.#changes.cancel(decision, command, nowMicros);
      case 'cancel-all':
        return this.#changes.cancelAll(decision, command, nowMicros);
      case 'deposit':
      case 'withdraw':
        return this.#accounts.move(decision, command, nowMicros);
      case 'open-account':
        return this.#accounts.open(decision, command, nowMicros);
      default:
        return this.#accounts.freeze(decision, command, nowMicros);
    }
  }

  #quarantine(decision: Decision, userId: number, reason: string, nowMicros: number): void {
    const account = this.#books.accounts.find(userId);
    if (account === undefined || account.frozenReason !== '') return;
    this.#books.apply(decision, account, accountFrozen(account, reason, nowMicros));
  }
}

function dealtWith(delivery: Delivery | null): Decision['session'] {
  return delivery === null || delivery.msgSeqNum === 0 ? null : { delivery, state: 'up' };
}
