import { EventCursor } from '../core/order-entry/event-cursor.ts';
import type { CloseCode } from './close-codes.ts';

/** What orders need of a connection. */
export interface TraderConnection {
  /** More waits for the socket than events should add to. */
  readonly isCongested: boolean;
  /** Queues a whole message. */
  reply(message: Uint8Array): void;
  close(code: CloseCode): void;
}

/** One connection that has asked to be a user, and what is under way for it. */
export class Trader {
  /** Its name towards the order worker; never given to another. */
  readonly number: number;
  readonly connection: TraderConnection;
  /** Stays when the rights end: a connection is one user's for ever. 0 before the first token was good. */
  userId = 0;
  expiresMs = 0;
  /** A token is being looked at, or the order worker asked. */
  isEntering = false;
  /** It has the user's rights. */
  isIn = false;
  /** The order worker was replaced and does not know yet that events are wanted. */
  isForgotten = false;
  cursor = new EventCursor(0);
  #unanswered: number[] = [];

  constructor(number: number, connection: TraderConnection) {
    this.number = number;
    this.connection = connection;
  }

  get unansweredCount(): number {
    return this.#unanswered.length;
  }

  /** Gets the rights; events are told from `seq` on, unless they have been all along. */
  enter(seq: number): void {
    this.isEntering = false;
    if (!this.isIn) this.cursor = new EventCursor(seq);
    this.isIn = true;
  }

  push(message: Uint8Array): void {
    this.connection.reply(message);
    if (this.connection.isCongested) this.cursor.pause();
  }

  asked(requestID: number): void {
    this.#unanswered.push(requestID);
  }

  answered(requestID: number): void {
    const at = this.#unanswered.indexOf(requestID);
    if (at >= 0) this.#unanswered.splice(at, 1);
  }

  /** Takes all requests that have no answer. */
  takeUnanswered(): number[] {
    const unanswered = this.#unanswered;
    this.#unanswered = [];
    return unanswered;
  }
}
