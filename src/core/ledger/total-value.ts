import { type Account, cashPaise } from './account.ts';
import { Product } from './order.ts';

/**
 * What an account is worth at the prices of its own last executions: cash, settled shares, shares on their way in and out, and what margined
 * positions have gained or lost since they were opened. A function of the account's events alone; what the market says since is not in it.
 */
export function totalValuePaise(account: Account): number {
  let totalPaise = cashPaise(account);
  for (const { quantity, markPaise } of account.holdings.values()) totalPaise += quantity * markPaise;
  for (const { product, quantity, markPaise, openValuePaise } of account.positions.values()) {
    totalPaise += quantity * markPaise;
    // A margined position was not paid for: its cost is still in the cash.
    if (product !== Product.CNC) totalPaise -= openValuePaise;
  }
  return totalPaise;
}
