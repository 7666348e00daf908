import { type ErrorCode, OutcryError } from '../core/errors.ts';

/** `NoReader` is what a shell tells of a program that SIGPIPE ended: who read its output, `head` perhaps, has seen enough. */
export const ExitCode = { Done: 0, Failed: 1, Usage: 2, NotRunning: 3, Refused: 4, NoReader: 141 } as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

const BY_ERROR: Partial<Record<ErrorCode, ExitCode>> = {
  CONFIG_INVALID: ExitCode.Usage,
  NOT_RUNNING: ExitCode.NotRunning,
  REQUEST_REFUSED: ExitCode.Refused,
  INSTRUMENTS_INVALID: ExitCode.Refused,
  INSTRUMENTS_FULL: ExitCode.Refused,
  RECORDING_INVALID: ExitCode.Refused,
  STORE_DAMAGED: ExitCode.Refused,
  LEDGER_DAMAGED: ExitCode.Refused,
};

export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof OutcryError ? (BY_ERROR[error.code] ?? ExitCode.Failed) : ExitCode.Failed;
}
