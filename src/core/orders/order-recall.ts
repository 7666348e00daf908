import { isTerminal, parseClOrdID } from '../ledger/order.ts';
import type { LoadedOrder, OrderBooks } from './order-books.ts';
import type { LedgerEffects, WantedOrder } from './order-effects.ts';
import type { OrderInput } from './order-input.ts';

/** What is asked of the database, or was and has not been used. */
interface Question {
  readonly wanted: WantedOrder;
  /** Undefined while it is not answered; null when there is no such order. */
  found: LoadedOrder | null | undefined;
  /** The database could not be reached. */
  hasFailed: boolean;
}

/**
 * Orders of former days that an input is about: memory let go of them, and the database has them all. An input that needs one waits, and all behind it, until it is there: what
 * is decided is then the same as if it had never been forgotten.
 */
export class OrderRecall {
  readonly #books: OrderBooks;
  readonly #ledger: Pick<LedgerEffects, 'recall'>;
  /** One, unless inputs before the one that waits have to be decided again. */
  readonly #questions = new Map<string, Question>();

  constructor(books: OrderBooks, ledger: Pick<LedgerEffects, 'recall'>) {
    this.#books = books;
    this.#ledger = ledger;
  }

  /** Whether memory has what there is of the order that the input is about. Else it is asked for. */
  isReady(input: OrderInput): boolean {
    const wanted = input.type === 'execution' || input.type === 'command' ? this.#wanted(input) : null;
    if (wanted === null) return true;
    const key = keyOf(wanted);
    const question = this.#questions.get(key);
    if (question === undefined) {
      this.#questions.set(key, { wanted, found: undefined, hasFailed: false });
      this.#ledger.recall(wanted);
      return false;
    }
    const { found } = question;
    if (found === undefined) return false;
    this.#questions.delete(key);
    if (found !== null && isTerminal(found.order.status)) this.#books.recall(found);
    return true;
  }

  /** The answer to `ledger.recall`: `unavailable` is asked again. */
  recalled(wanted: WantedOrder, found: LoadedOrder | null | 'unavailable'): void {
    const question = this.#questions.get(keyOf(wanted));
    if (question === undefined) return;
    if (found === 'unavailable') question.hasFailed = true;
    else question.found = found;
  }

  onTimer(): void {
    for (const question of this.#questions.values()) {
      if (!question.hasFailed) continue;
      question.hasFailed = false;
      this.#ledger.recall(question.wanted);
    }
  }

  #wanted(input: Extract<OrderInput, { type: 'execution' | 'command' }>): WantedOrder | null {
    const { accounts } = this.#books;
    if (input.type === 'execution') {
      const { clOrdID, origClOrdID } = input.report;
      if (accounts.namedBy(clOrdID) !== undefined || accounts.namedBy(origClOrdID) !== undefined) return null;
      const named = parseClOrdID(clOrdID) ?? parseClOrdID(origClOrdID);
      return named === undefined ? null : { orderID: named.orderID };
    }
    const { command } = input;
    if (command.type !== 'place' || !input.isKnown) return null;
    const { userId, clientOrderID } = command;
    return accounts.find(userId)?.clientOrders.has(clientOrderID) ? null : { userId, clientOrderID };
  }
}

function keyOf(wanted: WantedOrder): string {
  return 'orderID' in wanted ? `${wanted.orderID}` : `${wanted.userId} ${wanted.clientOrderID}`;
}
