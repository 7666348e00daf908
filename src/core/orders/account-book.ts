import { assert } from '../assert.ts';
import type { Account } from '../ledger/account.ts';
import { parseClOrdID } from '../ledger/order.ts';

/** All accounts of the shard, and whose order an OrderID is. */
export class AccountBook {
  readonly #accounts = new Map<number, Account>();
  readonly #owners = new Map<number, Account>();

  get count(): number {
    return this.#accounts.size;
  }

  accounts(): Iterable<Account> {
    return this.#accounts.values();
  }

  find(userId: number): Account | undefined {
    return this.#accounts.get(userId);
  }

  get(userId: number): Account {
    const account = this.#accounts.get(userId);
    assert(account !== undefined, `user ${userId} has an account`);
    return account;
  }

  ownerOf(orderID: number): Account | undefined {
    return this.#owners.get(orderID);
  }

  /** The account with the order that a ClOrdID(11) names. */
  namedBy(clOrdID: string): Account | undefined {
    const parsed = parseClOrdID(clOrdID);
    return parsed === undefined ? undefined : this.#owners.get(parsed.orderID);
  }

  /** Puts an account in place, in that of the same user if there was one. */
  put(account: Account): void {
    this.remove(account.userId);
    this.#accounts.set(account.userId, account);
    for (const orderID of account.orders.keys()) this.#owners.set(orderID, account);
  }

  remove(userId: number): void {
    const account = this.#accounts.get(userId);
    if (account === undefined) return;
    for (const orderID of account.orders.keys()) this.#owners.delete(orderID);
    this.#accounts.delete(userId);
  }

  /** An order was placed in an account that is here. */
  placed(account: Account, orderID: number): void {
    this.#owners.set(orderID, account);
  }

  /** An order is no longer kept. */
  forgotten(orderID: number): void {
    this.#owners.delete(orderID);
  }
}
