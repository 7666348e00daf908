import type { ControlMap } from '../core/fan-out/control-codec.ts';
import type { Check } from './account-types.ts';

/** The server refused a request, or the client was closed; `code` is the protocol's, or `CLOSED`. */
export class OutcryClientError extends Error {
  override readonly name = 'OutcryClientError';
  readonly code: string;
  /** The number of a refusal about orders; 0 for others. */
  readonly refusal: number;
  /** The check that an order did not pass, with its numbers. */
  readonly check: Check | undefined;

  constructor(code: string, message: string, refusal = 0, check?: Check) {
    super(message);
    this.code = code;
    this.refusal = refusal;
    this.check = check;
  }
}

/** The error that an answer is; undefined for others. */
export function errorOf({ error }: ControlMap): OutcryClientError | undefined {
  if (typeof error !== 'object' || error === null || Array.isArray(error)) return undefined;
  const { code, message, refusal, check } = error;
  return new OutcryClientError(
    String(code),
    String(message),
    Number(refusal ?? 0),
    check as unknown as Check | undefined,
  );
}

/** Who shares the connection: see OutcryTrader. */
export interface ClientGuest {
  /** A connection stands. */
  opened(): void;
  lost(): void;
  ended(error: OutcryClientError): void;
  /** False for what is not the guest's. */
  receive(map: ControlMap): boolean;
}
