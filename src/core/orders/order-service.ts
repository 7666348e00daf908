import { DayRoll, type DayRollHost } from '../day-roll/day-roll.ts';
import { DeliveryMark } from '../fix/delivery-mark.ts';
import type { ExecutionReportRecord } from '../fix/execution-report-record.ts';
import type { FixMessage } from '../fix/fix-message.ts';
import { MsgType } from '../fix/generated/fix-enums.gen.ts';
import type { OrderCancelReject } from '../fix/order-messages.ts';
import { type RequestRefused, VenueRefusal } from '../fix/venue-refusals.ts';
import type { VenueListener, VenueSession } from '../fix/venue-session.ts';
import type { Account } from '../ledger/account.ts';
import type { BatchAnswer, CommitOutcome } from '../ledger/ledger-batch.ts';
import { clOrdIDOf, isTerminal, OrderStatus } from '../ledger/order.ts';
import { RefusalCode } from '../refusal-codes.ts';
import { CommitQueue } from './commit-queue.ts';
import type { Decision } from './decision.ts';
import { type LoadedAccount, type LoadedOrder, OrderBooks, type RiskSource } from './order-books.ts';
import type { CommandReply, OrderCommand } from './order-command.ts';
import { OrderCommits } from './order-commits.ts';
import { OrderDecider } from './order-decider.ts';
import { AlarmKind, type OrderEffects, type WantedOrder } from './order-effects.ts';
import { OrderIds } from './order-ids.ts';
import type { Delivery, OrderInput } from './order-input.ts';
import type { CommittedState, OrderServiceParts, OrderServiceSettings } from './order-service-parts.ts';
import { StopWatch } from './stop-watch.ts';
import { accountOf, sideOf } from './venue-terms.ts';

const MICROS_A_MILLI = 1_000;

/**
 * Orders, executions and the money of every account of a shard: the one writer of them all. Sans-I/O and deterministic: commands, reports, trades, the database's
 * answers and the time come in, effects go out. Memory decides at once; what leaves, leaves when the database has it. `flush` ends each turn.
 */
export class OrderService implements VenueListener {
  readonly #effects: OrderEffects;
  readonly #settings: OrderServiceSettings;
  readonly #books: OrderBooks;
  readonly #decider: OrderDecider;
  readonly #commits: OrderCommits;
  readonly #queue: CommitQueue<OrderInput, Decision>;
  /** How far each session's deliveries have been taken in. */
  readonly #marks = new Map<string, DeliveryMark>();
  readonly #commandsOf = new Map<number, number>();
  readonly #dayRoll: DayRoll;
  readonly #stops: StopWatch;
  #commandCount = 0;
  #nowMicros: number;

  /** `nowMicros` must not be before anything that is committed. The orders that were alive are taken over, and asked after at the next logon. */
  constructor(settings: OrderServiceSettings, parts: OrderServiceParts, committed: CommittedState, nowMicros: number) {
    const { effects, instruments, risk, market } = parts;
    const { shard, epoch, venue, orderMaxAgeMicros, stopOrdersMax } = settings;
    const { batchInputsFull, backOffMinMicros, backOffMaxMicros } = settings;
    const { lastOrderID, lastBatchId, sessions } = committed;
    this.#effects = effects;
    this.#settings = settings;
    this.#nowMicros = nowMicros;
    const books = new OrderBooks(instruments, risk, stopOrdersMax);
    const decider = new OrderDecider(books, market, venue, new OrderIds(shard, lastOrderID), effects.venue);
    const isAllDurable = (): boolean => this.#queue.count === 0;
    const offer = (input: OrderInput): void => this.#queue.offer(input);
    const onDone = (input: OrderInput, isDone: boolean): void => this.#done(input, isDone);
    const commitParts = { effects, books, decider, shard, epoch, orderMaxAgeMicros, isAllDurable, offer, onDone };
    this.#books = books;
    this.#decider = decider;
    this.#commits = new OrderCommits(commitParts, sessions);
    const queueSettings = { lastBatchId, batchInputsFull, backOffMinMicros, backOffMaxMicros };
    this.#queue = new CommitQueue(queueSettings, this.#commits);
    this.#dayRoll = new DayRoll(venue.marketHours, this.#dayRollHost());
    this.#stops = new StopWatch(books.triggers, market, venue.marketHours, offer);
    for (const { sessionName, epoch, lastReceivedSeqNum } of sessions)
      this.#mark(sessionName).advance(epoch, lastReceivedSeqNum);
    for (const loaded of committed.accounts) this.#takeOver(loaded);
  }

  /** Inputs that are not durable yet. */
  get pendingCount(): number {
    return this.#queue.count;
  }

  /** Whether the database answered when it was last spoken to. */
  get isLedgerAvailable(): boolean {
    return this.#queue.isAvailable;
  }

  /** Executions that came again and had been applied before. */
  get repeatCount(): number {
    return this.#decider.repeatCount;
  }

  /** When `onTimer` has something to do. */
  get dueMicros(): number {
    return Math.min(this.#queue.dueMicros, this.#dayRoll.dueMicros, this.#stops.dueMicros);
  }

  /** How the ends of the trading days go. */
  get dayRoll(): Pick<DayRoll, 'isDone' | 'doneDate' | 'progress' | 'mayReset'> {
    return this.#dayRoll;
  }

  get accountCount(): number {
    return this.#books.accounts.count;
  }

  /** Orders that are not done. */
  get liveOrderCount(): number {
    return this.#books.liveOrderCount;
  }

  /** Memory's own accounts, what is not durable included; not to be changed. Answers to users come by `read`. */
  get accounts(): Iterable<Account> {
    return this.#books.accounts.accounts();
  }

  /** As in `accounts`. */
  findAccount(userId: number): Account | undefined {
    return this.#books.accounts.find(userId);
  }

  /** Decides a command; the reply comes by `answer`, at once or when what it did is durable. */
  command(command: OrderCommand, nowMicros: number): void {
    this.#tell(nowMicros);
    const refusal = this.#commandRefusal(command);
    if (refusal !== null) {
      this.#effects.answer(command.origin, refusal);
      return;
    }
    this.#commandCount++;
    this.#commandsOf.set(command.userId, (this.#commandsOf.get(command.userId) ?? 0) + 1);
    this.#offer({ type: 'command', command, nowMicros: this.#nowMicros });
  }

  /** `view` looks at an account now and copies what it needs; what it returns is called when all that it can have seen is durable. False: as much waits as may. */
  read(userId: number, view: (account: Account | undefined) => () => void, nowMicros: number): boolean {
    this.#tell(nowMicros);
    if (this.#queue.count >= this.#settings.inputsMax || this.#queue.hasEnded) return false;
    this.#offer({ type: 'read', userId, view, nowMicros: this.#nowMicros });
    return true;
  }

  /** A trade in the market: stop orders whose price it reaches are fired, in order. */
  trade(instrumentIndex: number, pricePaise: number, nowMicros: number): void {
    this.#tell(nowMicros);
    this.#stops.trade(instrumentIndex, pricePaise, this.#nowMicros);
  }

  /** The inputs of a turn are in: what is decided goes to the database, if nothing else is on its way there. */
  flush(nowMicros: number): void {
    this.#tell(nowMicros);
    this.#queue.flush(nowMicros);
  }

  onTimer(nowMicros: number): void {
    this.#tell(nowMicros);
    this.#queue.onTimer(nowMicros);
    this.#commits.recall.onTimer();
    this.#stops.onTimer(this.#nowMicros);
    this.#dayRoll.onTimer(this.#nowMicros);
  }

  /** The answer to `ledger.commit`. */
  committed(batchId: number, outcome: CommitOutcome, nowMicros: number): void {
    this.#tell(nowMicros);
    this.#queue.committed(batchId, outcome, nowMicros);
  }

  /** The answer to `ledger.askBatch`. */
  batchAnswer(batchId: number, answer: BatchAnswer, nowMicros: number): void {
    this.#tell(nowMicros);
    this.#queue.batchAnswer(batchId, answer, nowMicros);
  }

  /** The answer to `ledger.reload`: the accounts that are there, or null when the database cannot be reached. */
  reloaded(accounts: readonly LoadedAccount[] | null, nowMicros: number): void {
    this.#tell(nowMicros);
    if (accounts !== null) {
      for (const userId of this.#commits.reloading) this.#books.drop(userId);
      for (const loaded of accounts) this.#books.put(loaded);
    }
    this.#queue.reloaded(accounts !== null, nowMicros);
  }

  /** The answer to `ledger.recall`: null for an order that is not there. */
  recalled(wanted: WantedOrder, found: LoadedOrder | null | 'unavailable', nowMicros: number): void {
    this.#tell(nowMicros);
    this.#commits.recall.recalled(wanted, found);
    this.#queue.flush(nowMicros);
  }

  /** Limits and rates of a new day, or changed by an operator: from the next decision on. */
  setRisk(risk: RiskSource): void {
    this.#books.risk = risk;
  }

  /** Orders that ended before this are no longer kept. To be called when nothing is pending, once a day. */
  forgetDoneBefore(micros: number): void {
    this.#books.forgetDoneBefore(micros);
  }

  onExecution(session: VenueSession, report: ExecutionReportRecord): void {
    const delivery = this.#delivery(session);
    if (delivery !== null)
      this.#offer({ type: 'execution', report: report.toReport(), delivery, nowMicros: this.#nowMicros });
  }

  onCancelReject(session: VenueSession, reject: OrderCancelReject, code: number): void {
    const delivery = this.#delivery(session);
    if (delivery !== null) this.#offer({ type: 'change-rejected', reject, code, delivery, nowMicros: this.#nowMicros });
  }

  /** Nobody here asks for a mass cancel: the reports of its orders tell what it did. */
  onMassCancelReport(session: VenueSession): void {
    const delivery = this.#delivery(session);
    if (delivery !== null) this.#offer({ type: 'unexpected', text: '', delivery, nowMicros: this.#nowMicros });
  }

  onRefused(session: VenueSession, { msgType, requestID, code, text }: RequestRefused): void {
    const delivery = this.#delivery(session);
    if (delivery === null) return;
    const isOrder = msgType === MsgType.NewOrderSingle;
    const isChange = msgType === MsgType.OrderCancelRequest || msgType === MsgType.OrderCancelReplaceRequest;
    if (isOrder || isChange)
      this.#offer({
        type: 'request-refused',
        outcome: { clOrdID: requestID, isOrder, code, text },
        delivery,
        nowMicros: this.#nowMicros,
      });
    else this.#offer({ type: 'unexpected', text: '', delivery, nowMicros: this.#nowMicros });
  }

  onState(session: VenueSession, isUp: boolean): void {
    this.#tell(session.nowMs * MICROS_A_MILLI);
    this.#offer({ type: 'session', isUp, delivery: deliveryOf(session, 0), nowMicros: this.#nowMicros });
    this.#dayRoll.state(session.name, isUp, this.#nowMicros);
  }

  onSettled(session: VenueSession): void {
    this.#tell(session.nowMs * MICROS_A_MILLI);
    this.#offer({ type: 'settled', sessionName: session.name, nowMicros: this.#nowMicros });
    this.#dayRoll.settled(session.name);
  }

  onUnexpected(session: VenueSession, message: FixMessage, text: string): void {
    const delivery = this.#delivery(session);
    if (delivery !== null)
      this.#offer({
        type: 'unexpected',
        text: `MsgSeqNum ${message.msgSeqNum}: ${text}`,
        delivery,
        nowMicros: this.#nowMicros,
      });
  }

  #takeOver(loaded: LoadedAccount): void {
    const { account } = loaded;
    this.#books.put(loaded);
    this.#decider.placing.recall(account, this.#nowMicros);
    for (const { orderID, instrumentId, venueVersion, side, status } of account.orders.values()) {
      if (isTerminal(status) || status === OrderStatus.TriggerPending) continue;
      const symbol = this.#books.instruments.byId(instrumentId)?.symbol ?? '';
      const clOrdID = clOrdIDOf(orderID, venueVersion);
      const refusal = this.#effects.venue.adopt(accountOf(account.userId), clOrdID, symbol, sideOf(side));
      if (refusal === VenueRefusal.None) continue;
      const text = `the gateway does not take the order over: ${refusal}`;
      this.#effects.alarm({ kind: AlarmKind.VenueDiffers, userId: account.userId, orderID, text });
    }
  }

  #commandRefusal({ userId }: OrderCommand): CommandReply | null {
    const { commandsMax, commandsPerUserMax } = this.#settings;
    if (this.#queue.hasEnded) return refused(RefusalCode.NotServing, 'the engine is ending');
    if (!this.#queue.isAvailable) return refused(RefusalCode.LedgerUnavailable, 'the database cannot be reached');
    if (this.#commandCount >= commandsMax) return refused(RefusalCode.LedgerBusy, 'too many commands wait');
    const isOverUsed = (this.#commandsOf.get(userId) ?? 0) >= commandsPerUserMax;
    return isOverUsed ? refused(RefusalCode.LedgerBusy, 'too many commands of the user wait') : null;
  }

  #dayRollHost(): DayRollHost {
    const { accounts } = this.#books;
    const { venue } = this.#effects;
    return {
      accounts: () => accounts.accounts(),
      find: (userId) => accounts.find(userId),
      step: (userId, isSettled) => this.#offer({ type: 'day-step', userId, isSettled, nowMicros: this.#nowMicros }),
      sessionNameOf: (userId) => venue.sessionNameOf(accountOf(userId)),
      askVenue: (sessionName) => venue.askAll(sessionName),
      whenDurable: (told) => this.#offer({ type: 'read', userId: 0, view: () => told, nowMicros: this.#nowMicros }),
      carried: (userId, instrumentIds) => {
        const text = `intraday positions in ${instrumentIds.join(', ')} were open at the close`;
        this.#effects.alarm({ kind: AlarmKind.SquareOff, userId, orderID: 0, text });
      },
    };
  }

  #done(input: OrderInput, isDone: boolean): void {
    if (input.type === 'day-step') this.#dayRoll.answered(input.userId, isDone, this.#nowMicros);
    if (input.type === 'execution' && this.#dayRoll.isSquaringOff) {
      const account = this.#books.accounts.namedBy(input.report.clOrdID);
      if (account !== undefined) this.#dayRoll.executed(account.userId);
    }
    if (input.type !== 'command') return;
    const { userId } = input.command;
    this.#commandCount--;
    const count = this.#commandsOf.get(userId)! - 1;
    if (count === 0) this.#commandsOf.delete(userId);
    else this.#commandsOf.set(userId, count);
  }

  /** The delivery on hand; null when it must not be dealt with: it has been before, or as much waits as may. */
  #delivery(session: VenueSession): Delivery | null {
    this.#tell(session.nowMs * MICROS_A_MILLI);
    const { name, deliverySeqNum, epoch } = session;
    if (deliverySeqNum === 0) return deliveryOf(session, 0);
    const mark = this.#mark(name);
    if (!mark.isNew(epoch, deliverySeqNum)) return null;
    if (this.#queue.count >= this.#settings.inputsMax) {
      const text = `session ${name} is dropped at MsgSeqNum ${deliverySeqNum}: ${this.#queue.count} inputs wait`;
      this.#effects.alarm({ kind: AlarmKind.ReportsHeldUp, userId: 0, orderID: 0, text });
      session.notTaken();
      return null;
    }
    mark.advance(epoch, deliverySeqNum);
    return deliveryOf(session, deliverySeqNum);
  }

  /** Time never goes back: events of an account have ascending times. */
  #tell(nowMicros: number): void {
    this.#nowMicros = Math.max(this.#nowMicros, nowMicros);
  }

  #mark(sessionName: string): DeliveryMark {
    let mark = this.#marks.get(sessionName);
    if (mark === undefined) {
      mark = new DeliveryMark();
      this.#marks.set(sessionName, mark);
    }
    return mark;
  }

  #offer(input: OrderInput): void {
    this.#queue.offer(input);
  }
}

function deliveryOf({ name, epoch, lastSentSeqNum }: VenueSession, msgSeqNum: number): Delivery {
  return { sessionName: name, epoch, msgSeqNum, lastSentSeqNum };
}

function refused(code: RefusalCode, text: string): CommandReply {
  return { kind: 'refused', code, text, check: null };
}
