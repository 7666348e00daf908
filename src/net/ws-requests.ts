import { SubscribeStatus } from '../core/fan-out/fan-out.ts';
import { UNKNOWN_SYMBOL } from '../core/fan-out/instrument-directory.ts';
import { type QuoteMode, WireError } from '../core/fan-out/wire.ts';
import type { WsConnection } from './ws-connection.ts';
import { SYMBOLS_PER_MESSAGE_MAX, SYMBOLS_PER_TOKEN } from './ws-limits.ts';

/** Why a request was refused; nothing was changed by it. */
export interface Refusal {
  readonly code: WireError;
  readonly message: string;
}

/** Symbols of a request, looked up. */
export interface SymbolList {
  readonly indices: readonly number[];
  readonly unknown: readonly string[];
}

/** What a client may give as a symbol. The master's are shorter; this bounds what an answer repeats. */
const SYMBOL_MAX_LENGTH = 64;

/** Checks and looks up the symbols of a request, and charges for them. Undefined: the connection is closing. */
export function readSymbols(
  connection: WsConnection,
  symbols: unknown,
  nowMs: number,
): SymbolList | Refusal | undefined {
  if (!Array.isArray(symbols) || symbols.length === 0) {
    return { code: WireError.BAD_SYMBOLS, message: 'symbols must be a list of at least one symbol' };
  }
  if (symbols.length > SYMBOLS_PER_MESSAGE_MAX) {
    return {
      code: WireError.BAD_SYMBOLS,
      message: `symbols has ${symbols.length} entries; the limit is ${SYMBOLS_PER_MESSAGE_MAX} in one message`,
    };
  }
  if (!connection.spend(symbols.length / SYMBOLS_PER_TOKEN, nowMs)) return undefined;
  const directory = connection.host.fanOut.directory;
  const indices: number[] = [];
  const unknown: string[] = [];
  for (const symbol of symbols as unknown[]) {
    if (typeof symbol !== 'string' || symbol.length > SYMBOL_MAX_LENGTH) {
      return {
        code: WireError.BAD_SYMBOLS,
        message: `symbols must be strings of at most ${SYMBOL_MAX_LENGTH} characters`,
      };
    }
    const index = directory.indexOf(symbol);
    if (index === UNKNOWN_SYMBOL) unknown.push(symbol);
    else indices.push(index);
  }
  return { indices, unknown };
}

/** Subscribes, or says why not. */
export function subscribe(
  connection: WsConnection,
  indices: readonly number[],
  mode: QuoteMode,
  nowMs: number,
): Refusal | undefined {
  const fanOut = connection.host.fanOut;
  const status = fanOut.subscribe(connection.subscriber, indices, mode, nowMs * 1_000);
  if (status === SubscribeStatus.Subscribed) return undefined;
  return {
    code: WireError.TOO_MANY_SUBSCRIPTIONS,
    message: `the limit is ${fanOut.maxSubscriptions} subscriptions a connection; there are ${connection.subscriber.count}`,
  };
}

/** Moves the connection to a filter class, or says why not. */
export function setFilter(connection: WsConnection, filterBps: unknown, nowMs: number): Refusal | undefined {
  const fanOut = connection.host.fanOut;
  if (typeof filterBps !== 'number' || !fanOut.filterClasses.includes(filterBps)) {
    return { code: WireError.BAD_FILTER, message: `filterBps must be one of ${fanOut.filterClasses.join(', ')}` };
  }
  fanOut.setFilter(connection.subscriber, filterBps, nowMs * 1_000);
  return undefined;
}
