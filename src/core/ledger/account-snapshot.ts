import { type Account, newAccount } from './account.ts';

/** An account as JSON, whole. The same account is the same text, whatever its maps were filled in. */
export function renderAccount(account: Account): string {
  const { orders, clientOrders: _, references, positions, holdings, ...rest } = account;
  return JSON.stringify({
    ...rest,
    references: sorted(references),
    positions: sorted(positions),
    holdings: sorted(holdings),
    orders: sorted(orders),
  });
}

export function parseAccount(text: string): Account {
  const { references, positions, holdings, orders, ...rest } = JSON.parse(text);
  const account: Account = {
    ...newAccount(rest.userId),
    ...rest,
    references: new Map(references),
    positions: new Map(positions),
    holdings: new Map(holdings),
    orders: new Map(orders),
  };
  for (const { clientOrderID, orderID } of account.orders.values()) {
    if (clientOrderID !== '') account.clientOrders.set(clientOrderID, orderID);
  }
  return account;
}

function sorted<K extends string | number, V>(map: ReadonlyMap<K, V>): [K, V][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
