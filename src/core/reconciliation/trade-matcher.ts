import { parseClOrdID } from '../ledger/order.ts';
import type { TradeLine } from './trade-line.ts';

/** A trade of ours: what the venue's side of it must be, and whose it is. */
export interface OwnTrade extends Omit<TradeLine, 'clOrdID'> {
  readonly userId: number;
  readonly orderID: number;
}

export const BreakKind = {
  /** The venue has it, we do not. */
  MissingHere: 'missing-here',
  /** We have it, the venue does not. */
  MissingThere: 'missing-there',
  Quantity: 'quantity',
  Price: 'price',
  Side: 'side',
  Symbol: 'symbol',
  /** The venue gives it to another order. */
  Order: 'order',
  /** One side has it twice. */
  Repeated: 'repeated',
} as const;
export type BreakKind = (typeof BreakKind)[keyof typeof BreakKind];

/** One trade on which we and the venue do not agree. */
export interface TradeBreak {
  readonly kind: BreakKind;
  /** 0 when nobody here has the order. */
  readonly userId: number;
  /** Of ours, or what the venue's ClOrdID names; 0 for a stranger's. */
  readonly orderID: number;
  readonly execID: string;
  readonly execRefID: string;
  readonly ours: OwnTrade | null;
  readonly theirs: TradeLine | null;
}

interface Unmatched {
  readonly ours: OwnTrade | null;
  readonly theirs: TradeLine | null;
  readonly tsMicros: number;
}

/**
 * Holds two streams of the same trades against each other, in whatever order they come: what has met its other side is forgotten, what has not is kept. A bust or a correction is
 * compared like a trade.
 */
export class TradeMatcher {
  matchedCount = 0;
  /** In the order in which they came. */
  readonly #unmatched = new Map<string, Unmatched>();

  /** Trades that wait for their other side. */
  get unmatchedCount(): number {
    return this.#unmatched.size;
  }

  /** `tsMicros` says when it came, for `overdue`. */
  ours(trade: OwnTrade, tsMicros: number = 0): readonly TradeBreak[] {
    return this.#take(trade, { ours: trade, theirs: null, tsMicros });
  }

  theirs(trade: TradeLine, tsMicros: number = 0): readonly TradeBreak[] {
    return this.#take(trade, { ours: null, theirs: trade, tsMicros });
  }

  /** What came before `tsMicros` and has not met its other side: it is missing there. Each is told once. */
  *overdue(tsMicros: number): Generator<TradeBreak> {
    for (const [key, unmatched] of this.#unmatched) {
      if (unmatched.tsMicros >= tsMicros) return;
      this.#unmatched.delete(key);
      yield breakOf(unmatched.ours === null ? BreakKind.MissingHere : BreakKind.MissingThere, unmatched);
    }
  }

  /** Both streams have ended. */
  end(): Generator<TradeBreak> {
    return this.overdue(Number.POSITIVE_INFINITY);
  }

  #take(trade: OwnTrade | TradeLine, side: Unmatched): readonly TradeBreak[] {
    const key = `${trade.tradingDay},${trade.execID},${trade.execRefID}`;
    const other = this.#unmatched.get(key);
    if (other === undefined) {
      this.#unmatched.set(key, side);
      return [];
    }
    if ((other.ours === null) === (side.ours === null)) return [breakOf(BreakKind.Repeated, side)];
    this.#unmatched.delete(key);
    const pair = { ours: side.ours ?? other.ours!, theirs: side.theirs ?? other.theirs! };
    const kinds = differences(pair.ours, pair.theirs);
    if (kinds.length === 0) this.matchedCount++;
    return kinds.map((kind) => breakOf(kind, pair));
  }
}

function differences(ours: OwnTrade, theirs: TradeLine): BreakKind[] {
  const kinds: BreakKind[] = [];
  const isTold = theirs.quantity > 0;
  if (isTold && ours.quantity !== theirs.quantity) kinds.push(BreakKind.Quantity);
  if (isTold && ours.pricePaise !== theirs.pricePaise) kinds.push(BreakKind.Price);
  if (ours.side !== theirs.side) kinds.push(BreakKind.Side);
  if (ours.symbol !== theirs.symbol) kinds.push(BreakKind.Symbol);
  if (ours.orderID !== parseClOrdID(theirs.clOrdID)?.orderID) kinds.push(BreakKind.Order);
  return kinds;
}

function breakOf(kind: BreakKind, { ours, theirs }: Pick<Unmatched, 'ours' | 'theirs'>): TradeBreak {
  const { execID, execRefID } = (ours ?? theirs)!;
  const named = theirs === null ? undefined : parseClOrdID(theirs.clOrdID)?.orderID;
  return { kind, userId: ours?.userId ?? 0, orderID: ours?.orderID ?? named ?? 0, execID, execRefID, ours, theirs };
}

/** One break in words, for a log and for the reason that an account is frozen for. */
export function describeBreak({ kind, orderID, execID, execRefID, ours, theirs }: TradeBreak): string {
  const what = execRefID === '' ? `execution ${execID}` : `execution ${execID}, which undoes ${execRefID}`;
  return `order ${orderID}, ${what}: ${kind} (here ${termsOf(ours)}, at the venue ${termsOf(theirs)})`;
}

function termsOf(trade: OwnTrade | TradeLine | null): string {
  return trade === null ? 'nothing' : `${trade.side} ${trade.quantity} ${trade.symbol} at ${trade.pricePaise} paise`;
}
