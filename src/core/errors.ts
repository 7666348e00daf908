/**
 * Every operating error that Outcry raises off the hot path. Codes are stable: clients, scripts and alerts key on them.
 * `retryable` says whether the same call may succeed later with nothing changed by the caller.
 */
export const ERROR_TABLE = {
  CONFIG_INVALID: { retryable: false, text: 'a setting is wrong' },
  INSTRUMENTS_INVALID: { retryable: false, text: 'the instrument master is wrong' },
  INSTRUMENTS_FULL: { retryable: false, text: 'more instruments than the board has slots' },
  RECORDING_INVALID: { retryable: false, text: 'not a recording, or a damaged one' },
  LISTEN_FAILED: { retryable: true, text: 'the port cannot be listened on' },
  CONNECT_FAILED: { retryable: true, text: 'the peer cannot be reached' },
  NATIVE_UNSUPPORTED: { retryable: false, text: 'the native WebSocket library does not fit this machine' },
  WORKER_FAILED: { retryable: true, text: 'a worker ended unexpectedly' },
  PROTOCOL_VIOLATION: { retryable: false, text: 'the peer broke the protocol' },
  NOT_RUNNING: { retryable: true, text: 'no engine runs on this data directory' },
  REQUEST_REFUSED: { retryable: false, text: 'the engine refused the request' },
  STORE_FAILED: { retryable: true, text: 'the store of a FIX session cannot be read or written' },
  STORE_DAMAGED: { retryable: false, text: 'the store of a FIX session is damaged' },
  LEDGER_UNREACHABLE: { retryable: true, text: 'the ledger’s database cannot be reached' },
  LEDGER_UNSAFE: { retryable: false, text: 'the ledger’s database is not one to keep money in' },
  LEDGER_MIGRATION: { retryable: false, text: 'the ledger’s schema is not the one of this version' },
  LEDGER_DAMAGED: { retryable: false, text: 'the ledger does not agree with itself' },
  TIMED_OUT: { retryable: true, text: 'no answer in time' },
} as const satisfies Record<string, { retryable: boolean; text: string }>;

export type ErrorCode = keyof typeof ERROR_TABLE;

/** An operating error: the outside world or its input is at fault, and `code` says how. */
export class OutcryError extends Error {
  override readonly name = 'OutcryError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  /** The message without the code's own text: for an error that crosses to another process and is raised anew there. */
  readonly detail: string;

  constructor(code: ErrorCode, detail: string, cause?: unknown) {
    super(`${ERROR_TABLE[code].text}: ${detail}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.detail = detail;
    this.retryable = ERROR_TABLE[code].retryable;
  }
}
