/** Who trades: the account, which of the symbols it begins with, and how many sockets it has. */
export interface OrderTrader {
  readonly userId: number;
  readonly token: string;
  readonly firstSymbol: number;
  readonly sockets: number;
}

/** One run, begun by a warm-up at the same load: of all traders in turn, or of them on a schedule and, beside them, the noisy one on its own. */
export type OrderPlan =
  | {
      readonly kind: 'in-flight';
      /** Orders that wait for their fill, at any time. */
      readonly inFlight: number;
      readonly warmupSeconds: number;
      readonly seconds: number;
    }
  | {
      readonly kind: 'scheduled';
      readonly ordersPerSecond: number;
      /** 0 for a silent neighbour. */
      readonly noisyPerSecond: number;
      readonly warmupSeconds: number;
      readonly seconds: number;
    };

export interface OrderLoadSettings {
  readonly host: string;
  readonly port: number;
  readonly traders: readonly OrderTrader[];
  readonly noisy: OrderTrader;
  readonly symbols: readonly string[];
}

/** What became of one group's orders. Latencies are from when an order was due, in microseconds: base64. */
export interface OrderOutcome {
  readonly sent: number;
  readonly acknowledged: number;
  /** Whole, seen on the socket that placed it. */
  readonly filled: number;
  /** Canceled, rejected or expired. */
  readonly ended: number;
  /** By code. */
  readonly refused: Readonly<Record<string, number>>;
  readonly pending: string;
  readonly fill: string;
}

export interface OrderFigures {
  /** Orders without an end when the run was given up. */
  readonly lost: number;
  /** Of the measured time alone. */
  readonly filledPerSecond: number;
  /** Of everybody, with those of the warm-up: what the CPU time of the run was for. */
  readonly filledInAll: number;
  readonly others: OrderOutcome;
  readonly noisy: OrderOutcome;
  /** How much later than due an order was sent, microseconds: base64. */
  readonly lateness: string;
  readonly cpuSeconds: number;
}

/** Bench to load process. */
export type OrderLoadOrder =
  | { readonly type: 'connect'; readonly settings: OrderLoadSettings }
  | { readonly type: 'run'; readonly plan: OrderPlan };

/** Load process to bench. */
export type OrderLoadReport =
  | { readonly type: 'connected' }
  | { readonly type: 'figures'; readonly figures: OrderFigures };
