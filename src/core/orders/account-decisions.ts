import { type Account, newAccount } from '../ledger/account.ts';
import { accountFrozen, accountOpened, accountUnfrozen, deposited, withdrawn } from '../ledger/cash-events.ts';
import { RefusalCode } from '../refusal-codes.ts';
import type { Decision } from './decision.ts';
import type { OrderBooks } from './order-books.ts';
import type { CommandReply, FreezeAccount, MoveCash, OpenAccount } from './order-command.ts';
import { AlarmKind } from './order-effects.ts';

const AMOUNT_MAX_PAISE = 1e13;
const TEXT_LENGTH_MAX = 200;

/** Accounts and the money in them, by an operator's command. */
export class AccountDecisions {
  readonly #books: OrderBooks;

  constructor(books: OrderBooks) {
    this.#books = books;
  }

  open(decision: Decision, { userId }: OpenAccount, nowMicros: number): CommandReply {
    if (this.#books.accounts.find(userId) !== undefined)
      return refused(RefusalCode.AccountExists, 'the user has an account');
    const account = newAccount(userId);
    this.#books.accounts.put(account);
    this.#books.apply(decision, account, accountOpened(account, nowMicros));
    return done(account);
  }

  move(decision: Decision, { type, userId, amountPaise, reference }: MoveCash, nowMicros: number): CommandReply {
    const account = this.#books.accounts.find(userId);
    if (account === undefined) return refused(RefusalCode.UnknownAccount, 'no such account');
    if (!Number.isSafeInteger(amountPaise) || amountPaise <= 0 || amountPaise > AMOUNT_MAX_PAISE)
      return refused(RefusalCode.BadAmount, `an amount must be a whole number of paise from 1 to ${AMOUNT_MAX_PAISE}`);
    if (reference === '' || reference.length > TEXT_LENGTH_MAX)
      return refused(RefusalCode.BadAmount, `a reference must have 1 to ${TEXT_LENGTH_MAX} characters`);
    const seq = account.references.get(reference);
    if (seq !== undefined) return { kind: 'done', orderID: 0, seq, isRepeat: true };
    if (type === 'withdraw' && amountPaise > account.availablePaise)
      return refused(RefusalCode.InsufficientFunds, `${account.availablePaise} paise are free`);
    const build = type === 'deposit' ? deposited : withdrawn;
    this.#books.apply(decision, account, build(account, amountPaise, reference, nowMicros));
    return done(account);
  }

  freeze(decision: Decision, { type, userId, reason }: FreezeAccount, nowMicros: number): CommandReply {
    const account = this.#books.accounts.find(userId);
    if (account === undefined) return refused(RefusalCode.UnknownAccount, 'no such account');
    if (reason === '' || reason.length > TEXT_LENGTH_MAX)
      return refused(RefusalCode.BadField, `a reason must have 1 to ${TEXT_LENGTH_MAX} characters`);
    const isFrozen = account.frozenReason !== '';
    if (isFrozen === (type === 'freeze')) return { kind: 'done', orderID: 0, seq: account.seq, isRepeat: true };
    const build = type === 'freeze' ? accountFrozen : accountUnfrozen;
    this.#books.apply(decision, account, build(account, reason, nowMicros));
    if (type === 'freeze') decision.alarm(AlarmKind.Frozen, userId, 0, reason);
    return done(account);
  }
}

function done(account: Account): CommandReply {
  return { kind: 'done', orderID: 0, seq: account.seq, isRepeat: false };
}

function refused(code: RefusalCode, text: string): CommandReply {
  return { kind: 'refused', code, text, check: null };
}
