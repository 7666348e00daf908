import type { FixMessage } from '../fix/fix-message.ts';
import { MsgType } from '../fix/generated/fix-enums.gen.ts';
import { Tag } from '../fix/generated/fix-tags.gen.ts';
import { EventType, LedgerAccount, type LedgerEvent } from '../ledger/ledger-event.ts';
import { OrderType, parseClOrdID } from '../ledger/order.ts';
import type { CommandOrigin, CommandReply, OrderCommand } from '../orders/order-command.ts';
import { RefusalCode } from '../refusal-codes.ts';
import type { AskedCommand } from './asked-command.ts';
import { type Findings, Invariant } from './findings.ts';
import type { ModelTables } from './model-tables.ts';

/** An order or a change of one may be sent again for 3 s, and is on its way for a second at most. */
const SENT_AGE_MICROS_MAX = 4_000_000;
/** It may have waited for the database for as long, and for one slow commit, before it was sent. */
const PLACED_AGE_MICROS_MAX = 9_000_000;

/** Where the numbers of a message stand: its header begins with them. */
const HEADER_BYTES_MAX = 120;
const MSG_SEQ_NUM = bytesOf('\u000134=');
const POSS_DUP = bytesOf('\u000143=Y');

/** Refusals that may come before the one that a command asks for. */
const AT_ANY_TIME: ReadonlySet<number> = new Set([
  RefusalCode.LedgerUnavailable,
  RefusalCode.LedgerBusy,
  RefusalCode.LedgerTooLate,
  RefusalCode.AccountFrozen,
  RefusalCode.MarketClosed,
  RefusalCode.OrdersPerSecond,
  RefusalCode.OrdersPerMinute,
]);

/** Looks at everything that leaves the engine: answers and pushes to traders, requests as they reach the exchange. */
export class OutwardAudit {
  readonly #findings: Findings;
  readonly #tables: ModelTables;
  readonly #asked = new Map<number, AskedCommand>();
  readonly #placed = new Map<string, number>();
  readonly #sent = new Set<string>();
  /** By session, the greatest MsgSeqNum(34) that has left. */
  readonly #numbers = new Map<string, number>();
  /** By user, the seq of the last push of this engine's life, or what it was loaded with. */
  readonly #pushed = new Map<number, number>();

  constructor(findings: Findings, tables: ModelTables) {
    this.#findings = findings;
    this.#tables = tables;
  }

  get unanswered(): Iterable<AskedCommand> {
    return this.#asked.values();
  }

  get unansweredCount(): number {
    return this.#asked.size;
  }

  asked(asked: AskedCommand): void {
    this.#asked.set(asked.command.origin.requestID, asked);
  }

  /** The engine died: what it has not answered it never will. */
  takeUnanswered(): AskedCommand[] {
    const unanswered = [...this.#asked.values()];
    this.#asked.clear();
    return unanswered;
  }

  /** An engine begins with what is committed. */
  lifeBegan(): void {
    this.#pushed.clear();
    for (const [userId, { lastSeq }] of this.#tables.accounts) this.#pushed.set(userId, lastSeq);
  }

  /** The command that is answered; undefined for an answer to nothing. */
  answered(origin: CommandOrigin, reply: CommandReply): OrderCommand | undefined {
    const asked = this.#asked.get(origin.requestID);
    if (asked === undefined) {
      this.#findings.add(Invariant.OneAnswer, `an answer to request ${origin.requestID}, which nobody waits for`);
      return undefined;
    }
    this.#asked.delete(origin.requestID);
    const { command, refusal } = asked;
    if (refusal !== RefusalCode.None) this.#auditRefusal(asked, reply);
    switch (reply.kind) {
      case 'placed':
        this.#auditPlaced(command, reply);
        break;
      case 'change-requested':
        this.#auditDurable(command.userId, reply.seq, (event) => event.orderID === reply.orderID);
        break;
      case 'cancels-requested':
        this.#auditDurable(command.userId, reply.seq, () => true);
        break;
      case 'done':
        this.#auditDurable(command.userId, reply.seq, (event) => isDone(command, event));
        break;
      default:
    }
    return command;
  }

  pushed(userId: number, events: readonly LedgerEvent[]): void {
    let last = this.#pushed.get(userId) ?? 0;
    for (const event of events) {
      const { seq } = event;
      this.#findings.check(
        event.userId === userId && seq === last + 1,
        Invariant.PushesInOrder,
        () => `event ${seq} of user ${event.userId} is pushed to ${userId} after ${last}`,
      );
      this.#auditDurable(userId, seq, (durable) => durable.detail.type === event.detail.type);
      last = seq;
    }
    this.#pushed.set(userId, last);
  }

  /** What is committed has been pushed, when nothing is under way. */
  auditAtRest(): void {
    for (const [userId, { lastSeq }] of this.#tables.accounts) {
      const last = this.#pushed.get(userId) ?? 0;
      this.#findings.check(
        last === lastSeq,
        Invariant.PushesInOrder,
        () => `user ${userId} was pushed up to ${last} of ${lastSeq}`,
      );
    }
    for (const { command } of this.#asked.values())
      this.#findings.add(Invariant.OneAnswer, `${command.type} of request ${command.origin.requestID} has no answer`);
  }

  /** A request of ours as the exchange takes it, in sequence. */
  reachedExchange(message: FixMessage, nowMicros: number): void {
    const { msgType } = message;
    const isNew = msgType === MsgType.NewOrderSingle;
    const isReplace = msgType === MsgType.OrderCancelReplaceRequest;
    if (!isNew && !isReplace && msgType !== MsgType.OrderCancelRequest) return;
    const clOrdID = message.ascii(message.find(Tag.ClOrdID, message.bodyPosition));
    const named = parseClOrdID(clOrdID);
    const order = named === undefined ? undefined : this.#tables.orders.get(named.orderID);
    if (named === undefined || order === undefined || order.version < named.version) {
      this.#findings.add(Invariant.SentIsDurable, `${clOrdID} reached the exchange and is not in the database`);
      return;
    }
    this.#findings.check(!this.#sent.has(clOrdID), Invariant.SentOnce, () => `${clOrdID} reached the exchange twice`);
    this.#sent.add(clOrdID);
    if (!isNew && !isReplace) return;
    const original = message.find(Tag.OrigSendingTime, 0);
    const sentMicros = original < 0 ? message.sendingTimeMicros : message.utcTimestampMicros(original);
    const isOld = nowMicros - sentMicros > SENT_AGE_MICROS_MAX;
    const isStop = order.terms.triggerPricePaise !== 0 || order.terms.ordType >= OrderType.StopLimit;
    const isLate = isNew && !isStop && nowMicros - order.placedMicros > PLACED_AGE_MICROS_MAX;
    this.#findings.check(
      !isOld && !isLate,
      Invariant.SentInTime,
      () => `${clOrdID} is ${nowMicros - sentMicros} µs old, placed ${nowMicros - order.placedMicros} µs ago`,
    );
  }

  /** A number is used once; a message that is sent again says so. */
  sent(name: string, bytes: Uint8Array): void {
    const number = numberAfter(bytes, MSG_SEQ_NUM);
    const isRepeat = endOf(bytes, POSS_DUP) > 0;
    const last = this.#numbers.get(name) ?? 0;
    this.#findings.check(
      isRepeat || number > last,
      Invariant.SessionNumbers,
      () => `${name} sent number ${number} after ${last}`,
    );
    if (!isRepeat) this.#numbers.set(name, number);
  }

  #auditRefusal({ command, refusal }: AskedCommand, reply: CommandReply): void {
    const isRight = reply.kind === 'refused' && (reply.code === refusal || AT_ANY_TIME.has(reply.code));
    this.#findings.check(
      isRight,
      Invariant.AnswerIsRight,
      () => `${JSON.stringify(command)} must be refused with ${refusal}, the answer is ${JSON.stringify(reply)}`,
    );
  }

  #auditPlaced(command: OrderCommand, reply: Extract<CommandReply, { kind: 'placed' }>): void {
    const { orderID, isRepeat } = reply;
    const order = this.#tables.orders.get(orderID);
    if (order === undefined) {
      this.#findings.add(Invariant.AcknowledgedIsDurable, `order ${orderID} is acknowledged and not in the database`);
      return;
    }
    const isHis =
      command.type === 'place' && order.userId === command.userId && order.clientOrderID === command.clientOrderID;
    this.#findings.check(
      isHis,
      Invariant.AnswerIsRight,
      () => `${JSON.stringify(command)} is answered with ${orderID}`,
    );
    if (command.type !== 'place' || command.clientOrderID === '') return;
    const key = `${command.userId} ${command.clientOrderID}`;
    const known = this.#placed.get(key);
    this.#findings.check(
      known === undefined || (known === orderID && isRepeat),
      Invariant.SentOnce,
      () => `client order id ${key} was order ${known} and is now ${orderID}`,
    );
    this.#placed.set(key, orderID);
  }

  #auditDurable(userId: number, seq: number, isIt: (event: LedgerEvent) => boolean): void {
    const event = this.#tables.events.get(userId)?.[seq - 1];
    this.#findings.check(
      event !== undefined && isIt(event),
      Invariant.AcknowledgedIsDurable,
      () => `event ${seq} of user ${userId} was told, the database has ${JSON.stringify(event)}`,
    );
  }
}

/** Whether the event is what the command asked for. */
function isDone(command: OrderCommand, { detail, postings, orderID }: LedgerEvent): boolean {
  switch (command.type) {
    case 'deposit':
    case 'withdraw': {
      const isType = detail.type === EventType.Deposited || detail.type === EventType.Withdrawn;
      const available = postings.find(({ account }) => account === LedgerAccount.Available)?.amountPaise ?? 0;
      const amount = command.type === 'deposit' ? command.amountPaise : -command.amountPaise;
      return isType && detail.reference === command.reference && available === amount;
    }
    case 'open-account':
      return detail.type === EventType.AccountOpened;
    case 'modify':
    case 'cancel':
      return orderID === command.orderID;
    default:
      return true;
  }
}

function bytesOf(ascii: string): Uint8Array {
  return Uint8Array.from(ascii, (character) => character.charCodeAt(0));
}

/** Where the first of these bytes in a header end; −1 when they are not in it. */
function endOf(message: Uint8Array, wanted: Uint8Array): number {
  const last = Math.min(message.length, HEADER_BYTES_MAX) - wanted.length;
  for (let at = 0; at <= last; at++) {
    let length = 0;
    while (length < wanted.length && message[at + length] === wanted[length]) length++;
    if (length === wanted.length) return at + length;
  }
  return -1;
}

/** The number that follows in a header; NaN when there is none. */
function numberAfter(message: Uint8Array, wanted: Uint8Array): number {
  let at = endOf(message, wanted);
  if (at < 0) return Number.NaN;
  let number = 0;
  for (; at < message.length && message[at]! >= 48 && message[at]! <= 57; at++)
    number = number * 10 + message[at]! - 48;
  return number;
}
