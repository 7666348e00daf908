import type { ControlMap } from '../core/fan-out/control-codec.ts';
import { NO_REQUEST_ID } from '../core/fan-out/control-codec.ts';
import { type Refused, refused } from '../core/order-entry/order-fields.ts';
import { encodeAnswer, refusalMap } from '../core/order-entry/order-messages.ts';
import { OrderRecordFlag, OrderRecordType, type OrderRingReader } from '../core/order-entry/order-ring.ts';
import { isCommandAction, parseCommand } from '../core/order-entry/parse-command.ts';
import { isReadKind, parseRead } from '../core/order-entry/parse-read.ts';
import { encodeCommand, encodeRead } from '../core/order-entry/ring-bodies.ts';
import { RefusalCode } from '../core/refusal-codes.ts';
import { CloseCode } from './close-codes.ts';
import type { OrderLine } from './order-line.ts';
import type { TokenClaims, TokenRefusal } from './token.ts';
import { Trader, type TraderConnection } from './trader.ts';

/** Requests of one connection that wait for the order worker. */
const UNANSWERED_MAX = 256;
/** The newest event that `resume` may name. */
const SEQ_MAX = Number.MAX_SAFE_INTEGER;
const NOTHING = new Uint8Array(0);

export interface OrderDeskOptions {
  readonly line: OrderLine;
  readonly answers: OrderRingReader;
  /** Of this worker: what was meant for a former one is dropped. */
  readonly generation: number;
  readonly verify: (token: string, nowMs: number) => Promise<TokenClaims | TokenRefusal>;
}

/**
 * The orders' side of a fan-out worker: who is logged in on which connection, what they ask of the order worker, and what comes back. Nothing is decided
 * here but shape and rights.
 */
export class OrderDesk {
  readonly #line: OrderLine;
  readonly #answers: OrderRingReader;
  readonly #generation: number;
  readonly #verify: OrderDeskOptions['verify'];
  readonly #byConnection = new Map<TraderConnection, Trader>();
  readonly #byNumber = new Map<number, Trader>();
  readonly #byUser = new Map<number, Set<Trader>>();
  #lastNumber = 0;

  constructor(options: OrderDeskOptions) {
    this.#line = options.line;
    this.#answers = options.answers;
    this.#generation = options.generation;
    this.#verify = options.verify;
  }

  /** Acts on a request about orders; false when it is about something else. */
  receive(connection: TraderConnection, request: ControlMap, requestID: number, nowMs: number): boolean {
    const { action } = request;
    if (action === 'login') {
      this.#login(connection, request, requestID, nowMs);
    } else if (isCommandAction(action) || isReadKind(action) || action === 'resume') {
      const trader = this.#byConnection.get(connection);
      if (trader === undefined || !trader.isIn) {
        refuse(connection, requestID, refused(RefusalCode.NotAuthenticated, 'log in first'));
      } else if (nowMs >= trader.expiresMs) {
        this.#expire(trader, requestID);
      } else if (action === 'resume') {
        this.#resume(trader, request, requestID);
      } else if (isReadKind(action)) {
        const read = parseRead(request, action);
        if ('code' in read) refuse(connection, requestID, read);
        else this.#ask(trader, OrderRecordType.Read, requestID, encodeRead(read));
      } else {
        this.#command(trader, request, requestID);
      }
    } else {
      return false;
    }
    return true;
  }

  /** The socket took what it had been given. */
  drained(connection: TraderConnection): void {
    const trader = this.#byConnection.get(connection);
    if (trader === undefined) return;
    trader.cursor.unpause();
    this.#fillIfBehind(trader);
  }

  closed(connection: TraderConnection): void {
    const trader = this.#byConnection.get(connection);
    if (trader === undefined) return;
    this.#byConnection.delete(connection);
    this.#byNumber.delete(trader.number);
    this.#leave(trader);
  }

  /** Ends what has expired, and makes good for what was lost: a full ring, a replaced order worker. */
  onTimer(nowMs: number): void {
    if (this.#line.renew()) this.#orderWorkerReplaced();
    for (const trader of this.#byNumber.values()) {
      if (trader.isIn && nowMs >= trader.expiresMs) this.#expire(trader, NO_REQUEST_ID);
      else if (trader.isIn) this.#fillIfBehind(trader);
    }
  }

  /** Takes everything that the order worker has for this worker. */
  poll(): void {
    const answers = this.#answers;
    while (answers.poll()) {
      const { record, body } = answers;
      if (record.generation !== this.#generation) continue;
      switch (record.type) {
        case OrderRecordType.Event:
          this.#onEvent(record.userId, record.seq, body);
          break;
        case OrderRecordType.Behind:
          this.#onBehind(record.userId, record.seq, (record.flags & OrderRecordFlag.AnswersLost) !== 0);
          break;
        default:
          this.#onRecord(body);
      }
    }
  }

  /** What is for one connection. */
  #onRecord(body: Uint8Array): void {
    const { record } = this.#answers;
    const trader = this.#byNumber.get(record.connection);
    if (trader === undefined) return;
    switch (record.type) {
      case OrderRecordType.Answer:
        trader.answered(record.requestID);
        trader.connection.reply(body);
        return;
      case OrderRecordType.LoggedIn:
        trader.answered(record.requestID);
        trader.isEntering = false;
        trader.connection.reply(body);
        if ((record.flags & OrderRecordFlag.Refused) === 0) this.#enter(trader, record.seq);
        else if (!trader.isIn) trader.userId = 0;
        return;
      case OrderRecordType.Filled:
        if (trader.cursor.filled(record.requestID, record.seq)) trader.push(body);
        return;
      case OrderRecordType.FillEnd:
        trader.cursor.endFill(record.requestID, record.seq);
        this.#fillIfBehind(trader);
        return;
    }
  }

  #onEvent(userId: number, seq: number, body: Uint8Array): void {
    const traders = this.#byUser.get(userId);
    // The word that they left found no room.
    if (traders === undefined) this.#line.send(OrderRecordType.Leave, 0, userId, 0, 0);
    for (const trader of traders ?? []) {
      if (trader.cursor.live(seq)) trader.push(body);
      else this.#fillIfBehind(trader);
    }
  }

  #onBehind(userId: number, seq: number, answersLost: boolean): void {
    for (const trader of this.#byUser.get(userId) ?? []) {
      trader.cursor.lost(seq);
      this.#fillIfBehind(trader);
    }
    if (!answersLost) return;
    // An answer is not kept anywhere: the client has to come back and look. It may be that of a login.
    for (const trader of this.#byNumber.values()) {
      if (trader.userId === userId && trader.unansweredCount > 0) trader.connection.close(CloseCode.TooSlow);
    }
  }

  #login(connection: TraderConnection, request: ControlMap, requestID: number, nowMs: number): void {
    const { token } = request;
    const trader = this.#byConnection.get(connection);
    if (typeof token !== 'string') {
      refuse(connection, requestID, refused(RefusalCode.BadField, 'token must be a string'));
    } else if (trader?.isEntering) {
      refuse(connection, requestID, refused(RefusalCode.BadRequest, 'a login of this connection is under way'));
    } else {
      const entering = trader ?? this.#newTrader(connection);
      entering.isEntering = true;
      this.#verify(token, nowMs).then(
        (claims) => this.#verified(entering, claims, requestID),
        (error: Error) => {
          this.#verified(entering, { code: RefusalCode.TokenInvalid, text: error.message }, requestID);
        },
      );
    }
  }

  #newTrader(connection: TraderConnection): Trader {
    const trader = new Trader(++this.#lastNumber, connection);
    this.#byConnection.set(connection, trader);
    this.#byNumber.set(trader.number, trader);
    return trader;
  }

  #verified(trader: Trader, claims: TokenClaims | TokenRefusal, requestID: number): void {
    trader.isEntering = false;
    const { connection } = trader;
    if (this.#byConnection.get(connection) !== trader) return;
    if ('code' in claims) {
      refuse(connection, requestID, refused(claims.code, claims.text));
    } else if (trader.userId !== 0 && trader.userId !== claims.userId) {
      const text = 'this connection is another user’s: open a new one';
      refuse(connection, requestID, refused(RefusalCode.NotAuthenticated, text));
    } else {
      trader.userId = claims.userId;
      trader.expiresMs = claims.expiresMs;
      trader.isEntering = this.#ask(trader, OrderRecordType.Login, requestID, NOTHING);
    }
  }

  #command(trader: Trader, request: ControlMap, requestID: number): void {
    const command = parseCommand(request);
    if ('code' in command) refuse(trader.connection, requestID, command);
    else this.#ask(trader, OrderRecordType.Command, requestID, encodeCommand(command));
  }

  /** Puts a question to the order worker; false when it is refused here. */
  #ask(trader: Trader, type: OrderRecordType, requestID: number, body: Uint8Array): boolean {
    const refusal = this.#put(trader, type, requestID, body);
    if (refusal === undefined) trader.asked(requestID);
    else refuse(trader.connection, requestID, refusal);
    return refusal === undefined;
  }

  #put(trader: Trader, type: OrderRecordType, requestID: number, body: Uint8Array): Refused | undefined {
    if (!this.#line.isServing)
      return refused(RefusalCode.NotServing, 'orders are not taken now: come back in a moment');
    if (trader.unansweredCount >= UNANSWERED_MAX) {
      return refused(RefusalCode.TooManyRequests, `${UNANSWERED_MAX} requests of this connection wait for an answer`);
    }
    if (this.#line.send(type, trader.number, trader.userId, requestID, 0, body)) return undefined;
    return refused(RefusalCode.TooManyRequests, 'as many requests wait as may');
  }

  #enter(trader: Trader, seq: number): void {
    trader.enter(seq);
    const traders = this.#byUser.get(trader.userId);
    if (traders === undefined) this.#byUser.set(trader.userId, new Set([trader]));
    else traders.add(trader);
  }

  #expire(trader: Trader, requestID: number): void {
    this.#leave(trader);
    refuse(trader.connection, requestID, refused(RefusalCode.TokenExpired, 'the token has expired: log in again'));
  }

  #leave(trader: Trader): void {
    trader.isIn = false;
    const traders = this.#byUser.get(trader.userId);
    if (traders === undefined || !traders.delete(trader) || traders.size > 0) return;
    this.#byUser.delete(trader.userId);
    this.#line.send(OrderRecordType.Leave, trader.number, trader.userId, 0, 0);
  }

  #resume(trader: Trader, request: ControlMap, requestID: number): void {
    const { fromSeq } = request;
    const { cursor, connection } = trader;
    const isSeq = typeof fromSeq === 'number' && Number.isInteger(fromSeq) && fromSeq >= 0 && fromSeq <= SEQ_MAX;
    if (!isSeq || !cursor.resume(fromSeq)) {
      const text = `fromSeq must be a whole number from 0 to ${cursor.latestSeq}, the newest event`;
      refuse(connection, requestID, refused(RefusalCode.BadField, text));
      return;
    }
    connection.reply(encodeAnswer(requestID, { action: 'resumed', fromSeq, seq: cursor.latestSeq }));
    this.#fillIfBehind(trader);
  }

  /** What the former order worker had not answered it never will; whoever was to hear of events asks the new one for them. */
  #orderWorkerReplaced(): void {
    // Its last words.
    this.poll();
    for (const trader of this.#byNumber.values()) {
      trader.isEntering = false;
      for (const requestID of trader.takeUnanswered()) {
        const text = 'the engine lost it half way: what became of it is in the events and the order book';
        refuse(trader.connection, requestID, refused(RefusalCode.NotServing, text));
      }
      trader.cursor.lost(trader.cursor.latestSeq);
      trader.isForgotten = trader.isIn;
    }
  }

  #fillIfBehind(trader: Trader): void {
    const { cursor } = trader;
    if (!(cursor.isBehind || trader.isForgotten) || !trader.isIn || !this.#line.isServing) return;
    const fill = cursor.beginFill();
    if (this.#line.send(OrderRecordType.Fill, trader.number, trader.userId, fill, cursor.sentSeq)) {
      trader.isForgotten = false;
    } else {
      // The timer comes back to it.
      cursor.endFill(fill, cursor.latestSeq);
    }
  }
}

function refuse(connection: TraderConnection, requestID: number, refusal: Refused): void {
  connection.reply(encodeAnswer(requestID, refusalMap(refusal)));
}
