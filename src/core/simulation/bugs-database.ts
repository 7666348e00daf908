import { newAccount } from '../ledger/account.ts';
import type { PlantedBug } from './planted-bugs.ts';

/** Wrong ways with the database: what is durable, who may write, and what must be there once. */
export const DATABASE_BUGS = {
  'acknowledged-before-commit': () => ({ isToldAtOnce: true }),
  'failed-commit-taken-for-done': () => ({
    outcome: (outcome) => (outcome.kind === 'unavailable' ? { kind: 'committed' } : outcome),
  }),
  'unknown-outcome-taken-for-done': () => ({
    outcome: (outcome) => (outcome.kind === 'unknown' ? { kind: 'committed' } : outcome),
  }),
  'unknown-outcome-taken-for-failed': () => ({
    outcome: (outcome) => (outcome.kind === 'unknown' ? { kind: 'unavailable', text: outcome.text } : outcome),
  }),
  'not-committed-taken-for-committed': () => ({ batchAnswer: () => 'committed' }),
  'committed-taken-for-not-committed': () => ({
    batchAnswer: (answer) => (answer === 'committed' ? 'not-committed' : answer),
  }),
  'stale-epoch-accepted': () => ({ without: ['owner'] }),
  'duplicate-placing': () => ({
    without: ['client-order-once'],
    loaded: (loaded) => {
      loaded.account.clientOrders.clear();
      return loaded;
    },
  }),
  'deposit-booked-twice': () => ({
    without: ['reference-once'],
    loaded: (loaded) => {
      loaded.account.references.clear();
      return loaded;
    },
  }),
  'fill-applied-twice': () => ({
    without: ['execution-once', 'sessions'],
    forgetsDeliveries: true,
    loaded: ({ account }) => ({ account, executions: [] }),
  }),
  'positions-not-loaded': () => ({
    loaded: ({ account, executions }) => ({
      account: { ...account, positions: newAccount(account.userId).positions },
      executions,
    }),
  }),
} satisfies Record<string, PlantedBug>;
