import type { Match } from './worker-messages.ts';

/** What the page needs of an instrument of `/instruments.json`. */
export interface ListedInstrument {
  readonly symbol: string;
  readonly name: string;
  readonly kind: 'equity' | 'index';
}

const DEFAULT_EQUITIES = 50;
const MATCHES_MAX = 8;

/** What a newcomer watches: every index, then the first equities of the list, which are the constituents of the NIFTY 50. */
export function defaultSymbols(instruments: readonly ListedInstrument[]): string[] {
  const indices = instruments.filter((instrument) => instrument.kind === 'index');
  const equities = instruments.filter((instrument) => instrument.kind === 'equity').slice(0, DEFAULT_EQUITIES);
  return [...indices, ...equities].map((instrument) => instrument.symbol);
}

/** Instruments that a text may mean, best first: symbols that begin with it, then a word of the name that does, then symbols that have it inside. */
export function searchInstruments(instruments: readonly ListedInstrument[], text: string): Match[] {
  const wanted = normalSymbol(text);
  if (wanted === '') return [];
  const ranks: Match[][] = [[], [], [], []];
  for (const { symbol, name } of instruments) {
    const rank = rankOf(symbol, name.toUpperCase(), wanted);
    if (rank !== undefined && ranks[rank]!.length < MATCHES_MAX) ranks[rank]!.push({ symbol, name });
  }
  return ranks.flat().slice(0, MATCHES_MAX);
}

/** A symbol as people type it, to a symbol as the exchange writes it. */
export function normalSymbol(text: string): string {
  return text.trim().replace(/\s+/g, ' ').toUpperCase();
}

function rankOf(symbol: string, name: string, wanted: string): number | undefined {
  if (symbol === wanted) return 0;
  if (symbol.startsWith(wanted)) return 1;
  if (name.startsWith(wanted) || name.includes(` ${wanted}`)) return 2;
  return symbol.includes(wanted) ? 3 : undefined;
}
