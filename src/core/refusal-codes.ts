/**
 * Why a command is refused: one number that never changes its meaning, in bands. 400 to 499 are the venue's, see `fix/venue-refusals.ts`.
 *
 * | band | said by |
 * | --- | --- |
 * | 100 to 119 | the way in: shape of the request, token |
 * | 120 to 159 | validation: instrument, terms, market, state of the order |
 * | 200 to 239 | pre-trade risk |
 * | 300 to 319 | the ledger: not durable, or not now |
 */
export const RefusalCode = {
  None: 0,
  // The way in.
  BadRequest: 100,
  BadField: 101,
  NotAuthenticated: 102,
  TokenInvalid: 103,
  TokenExpired: 104,
  TooManyRequests: 105,
  /** The engine takes no orders: it is starting, closing, or the order worker is away. */
  NotServing: 106,
  // Validation.
  UnknownAccount: 120,
  UnknownSymbol: 121,
  NotTradable: 122,
  BadQuantity: 123,
  LotSize: 124,
  BadPrice: 125,
  TickSize: 126,
  PriceBand: 127,
  BadTrigger: 128,
  MarketClosed: 129,
  ProductNotAllowed: 130,
  ValidityNotAllowed: 131,
  /** No such order of this user; another user's order looks the same. */
  UnknownOrder: 132,
  OrderDone: 133,
  /** A change of this order is unanswered. */
  ChangePending: 134,
  NothingChanged: 135,
  /** The same client order id with other terms. */
  IdempotencyConflict: 136,
  BelowExecuted: 137,
  AccountExists: 138,
  BadAmount: 139,
  // Pre-trade risk.
  BuyingPower: 200,
  Holdings: 201,
  PositionLimit: 202,
  PriceCollar: 203,
  OrdersPerSecond: 204,
  OrdersPerMinute: 205,
  OrdersPerDay: 206,
  DailyNotional: 207,
  FreezeQuantity: 208,
  DuplicateOrder: 209,
  Concentration: 210,
  MarketHalted: 211,
  InstrumentHalted: 212,
  StaleReferencePrice: 213,
  AccountFrozen: 214,
  // The ledger.
  LedgerUnavailable: 300,
  /** As much waits for the database as may. */
  LedgerBusy: 301,
  /** The database refused what memory allowed: nothing was changed, and an alarm was raised. */
  LedgerRefused: 302,
  /** The database was away for longer than an order may be old; it was not placed. */
  LedgerTooLate: 303,
  InsufficientFunds: 304,
} as const;
export type RefusalCode = (typeof RefusalCode)[keyof typeof RefusalCode];
