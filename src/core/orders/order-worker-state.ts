/** ORDER_STATS_STATE: what the order worker can do now. */
export const OrderWorkerState = {
  /** It loads accounts and asks the venue what became of their orders. */
  Starting: 0,
  Serving: 1,
  /** The database cannot be reached: commands are refused with a code, reads go on. */
  LedgerAway: 2,
  Closing: 3,
} as const;
export type OrderWorkerState = (typeof OrderWorkerState)[keyof typeof OrderWorkerState];
