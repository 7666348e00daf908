import type { InstrumentRow } from '../core/market-data/instrument-row.ts';
import type { LedgerTarget } from '../net/ledger-target.ts';
import type { Question, Venue } from './process-messages.ts';

/** What the main thread tells an agent. The runner keeps `close` and `drill` to itself: agents never see them. */
export type ControlMessage =
  /** The whole instrument table after a reload: rows are dense by `instrumentIndex`, known ones first, in the same order. */
  | { readonly type: 'instruments'; readonly rows: readonly InstrumentRow[] }
  /** The venue answers at another address from now on. */
  | ({ readonly type: 'venue' } & Venue)
  /** The database was started again, and is perhaps somewhere else. */
  | { readonly type: 'ledger'; readonly target: LedgerTarget }
  | Question;

/** A role's work. It sees neither the event loop it runs on nor the port it is controlled by. */
export interface Agent {
  /** `feed`, `fan-out-0`: unique in the process, used in logs, metrics and drills. */
  readonly roleName: string;
  /** Resolves when the worker serves; a rejection ends it like a throw. */
  onStart(): Promise<void>;
  /** Called about every 250 ms with the epoch milliseconds, after the runner has written the beat. */
  onTimer(nowMs: number): void;
  onControl(message: ControlMessage): void;
  /** Closes sockets and Apps; afterwards nothing of the agent keeps the thread alive. Called once, also after a throw. */
  onClose(): Promise<void>;
}
