import type { TroubleKindName } from './trouble-kinds.ts';

/** What the process of the troublesome clients is to do. */
export interface TroubleSettings {
  readonly host: string;
  readonly port: number;
  /** The kinds take turns. */
  readonly clients: number;
  readonly kinds: readonly TroubleKindName[];
  /** Every symbol of the server. */
  readonly symbols: readonly string[];
  readonly seed: number;
}

/** What the clients of a kind have done since they began, and what was done to them. */
export interface TroubleCounts {
  /** Connections that stood. */
  opened: number;
  actions: number;
  /** Connections, or attempts at one, that the server ended. */
  closed: number;
}

export interface TroubleFigures {
  readonly kinds: Readonly<Partial<Record<TroubleKindName, TroubleCounts>>>;
  readonly cpuSeconds: number;
}

/** Bench to trouble process. */
export type TroubleOrder =
  | { readonly type: 'begin'; readonly settings: TroubleSettings }
  /** What was done until now. */
  | { readonly type: 'report' };

/** Trouble process to bench. */
export type TroubleReport = { readonly type: 'begun' } | { readonly type: 'figures'; readonly figures: TroubleFigures };
