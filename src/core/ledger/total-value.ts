import { type Account, cashPaise } from './account.ts';
import { sharesPaise } from './open-exposure.ts';

/**
 * What an account is worth at the prices of its own last executions: cash, settled shares, shares on their way in and out, and what margined
 * positions have gained or lost since they were opened. A function of the account's events alone; what the market says since is not in it.
 */
export function totalValuePaise(account: Account): number {
  return cashPaise(account) + sharesPaise(account);
}
