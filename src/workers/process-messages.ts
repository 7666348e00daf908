import type { ErrorCode } from '../core/errors.ts';
import type { Config } from '../net/config.ts';
import type { ControlRequest } from '../net/control-socket.ts';
import type { LedgerTarget } from '../net/ledger-target.ts';

/** How often a child process tells its supervisor that its event loop turns, milliseconds. */
export const PROCESS_BEAT_MS = 500;

/** What every child process reports. */
export type ChildReport =
  | { readonly type: 'beat' }
  /** It cannot serve, for a reason that a restart does not cure; it ends next. */
  | { readonly type: 'fatal'; readonly code: ErrorCode; readonly text: string };

export type EngineReport =
  | ChildReport
  /** Quotes flow. Sent once a process. */
  | { readonly type: 'ready'; readonly instrumentCount: number }
  | Answer;

/** A request of the control socket, on its way to who can answer it. */
export interface Question {
  readonly type: 'ask';
  readonly id: number;
  readonly request: ControlRequest;
}

export interface Answer {
  readonly type: 'answer';
  readonly id: number;
  readonly value?: unknown;
  readonly error?: AnswerError;
}

export interface AnswerError {
  readonly code: ErrorCode;
  readonly detail: string;
}

/** Supervisor to engine. */
export type EngineOrder =
  | {
      readonly type: 'start';
      readonly config: Config;
      /** The real port, also when the setting is 0. */
      readonly port: number;
      readonly engineRestarts: number;
      readonly exchangeRestarts: number;
      /** Undefined while the simulator has not told its port. */
      readonly venue: Venue | undefined;
      /** Null where no orders are taken. */
      readonly ledger: LedgerTarget | null;
    }
  | { readonly type: 'venue'; readonly venue: Venue; readonly exchangeRestarts: number }
  /** The database was started again, and is perhaps somewhere else. */
  | { readonly type: 'ledger'; readonly target: LedgerTarget }
  | Question
  | { readonly type: 'stop' };

export interface Venue {
  readonly host: string;
  readonly port: number;
  /** Which life of the simulator it is: a new one knows nothing of sessions and orders. '' for a venue. */
  readonly life: string;
}

export type ExchangeReport = ChildReport | { readonly type: 'listening'; readonly port: number };

/** Supervisor to exchange simulator. */
export type ExchangeOrder =
  | { readonly type: 'start'; readonly config: Config; readonly port: number }
  | { readonly type: 'stop' };
