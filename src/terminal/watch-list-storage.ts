import { MAX_ROWS } from './worker-messages.ts';

const KEY = 'outcry.watch-list.v1';

/** The symbols that were watched last in this browser; undefined when the person has not changed the list yet. */
export function loadWatchList(): string[] | undefined {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? 'null');
    if (!Array.isArray(stored)) return undefined;
    const symbols = stored.filter((symbol) => typeof symbol === 'string' && symbol.length > 0 && symbol.length <= 32);
    return [...new Set<string>(symbols)].slice(0, MAX_ROWS);
  } catch {
    // Storage may be forbidden, or hold what another version wrote: the default list is shown.
    return undefined;
  }
}

/** Forgets nothing that matters when storage is full or forbidden: the list lives on until the page is closed. */
export function saveWatchList(symbols: readonly string[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(symbols));
  } catch {}
}
