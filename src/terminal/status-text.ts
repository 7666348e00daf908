import type { Connection } from './worker-messages.ts';

/** Silence that is worth a word: quotes of a market watch come several times a second while the market trades. */
const QUIET_AFTER_SECONDS = 5;

/** How many of the rows are not what they should be; for the status line. */
export interface TableCounts {
  readonly rows: number;
  readonly stale: number;
  readonly halted: number;
  readonly feedDown: number;
}

export interface StatusFacts {
  readonly connection: Connection;
  /** Why the connection is closed for good; empty otherwise. */
  readonly reason: string;
  readonly counts: TableCounts;
  /** Time since the last quote of any row arrived; undefined before the first. */
  readonly quietSeconds: number | undefined;
}

/** What the status line says: `headline` is announced to a screen reader when it changes, `detail` is not. */
export function statusText(facts: StatusFacts): { readonly headline: string; readonly detail: string } {
  return { headline: headlineOf(facts), detail: detailOf(facts) };
}

function headlineOf({ connection, reason, counts }: StatusFacts): string {
  switch (connection) {
    case 'connecting':
      return 'Connecting…';
    case 'reconnecting':
      return 'Connection lost. Reconnecting…';
    case 'closed':
      return `Disconnected. ${reason || 'Reload the page to connect again.'}`;
    case 'connected':
      return counts.rows > 0 && counts.feedDown === counts.rows ? 'Connected. Exchange feed is down' : 'Connected';
  }
}

function detailOf({ connection, counts, quietSeconds }: StatusFacts): string {
  if (connection === 'reconnecting' || connection === 'closed')
    return counts.rows > 0 ? 'Prices are the last known' : '';
  const parts = [counts.rows === 1 ? '1 instrument' : `${counts.rows} instruments`];
  if (counts.stale > 0) parts.push(`${counts.stale} stale`);
  if (counts.halted > 0) parts.push(`${counts.halted} halted`);
  if (connection === 'connected' && quietSeconds !== undefined && quietSeconds >= QUIET_AFTER_SECONDS) {
    parts.push(`no change for ${quietText(quietSeconds)}`);
  }
  return parts.join(' · ');
}

function quietText(seconds: number): string {
  return seconds < 120 ? `${Math.floor(seconds)} s` : `${Math.floor(seconds / 60)} min`;
}
