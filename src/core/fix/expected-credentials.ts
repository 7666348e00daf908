import { assert } from '../assert.ts';
import type { FixMessage } from './fix-message.ts';
import { Tag } from './generated/fix-tags.gen.ts';
import type { LogonCredentials } from './session-contract.ts';

/** Longest username and password. */
export const CREDENTIAL_LENGTH_MAX = 256;

const PRINTABLE = /^[\x20-\x7e]+$/;

interface ExpectedValue {
  /** As long as any may be, so that each comparison takes as many steps as every other. */
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** What Username(553) and Password(554) of a Logon must be. How long the answer takes tells nothing about either. */
export class ExpectedCredentials {
  readonly #username: ExpectedValue;
  readonly #password: ExpectedValue;

  constructor({ username, password }: LogonCredentials) {
    this.#username = expectedValue(username);
    this.#password = expectedValue(password);
  }

  areIn(message: FixMessage): boolean {
    const difference =
      differenceOf(message, Tag.Username, this.#username) | differenceOf(message, Tag.Password, this.#password);
    return difference === 0;
  }
}

function expectedValue(text: string): ExpectedValue {
  assert(PRINTABLE.test(text) && text.length <= CREDENTIAL_LENGTH_MAX, 'credentials are printable ASCII');
  const bytes = new Uint8Array(CREDENTIAL_LENGTH_MAX);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return { bytes, length: text.length };
}

/** 0 for the same bytes. A field that is not there is an empty one, which nothing expected is. */
function differenceOf(message: FixMessage, tag: number, expected: ExpectedValue): number {
  const position = message.find(tag, message.bodyPosition);
  const start = position < 0 ? 0 : message.starts[position]!;
  const length = position < 0 ? 0 : message.ends[position]! - start;
  let difference = length ^ expected.length;
  for (let i = 0; i < CREDENTIAL_LENGTH_MAX; i++) {
    const byte = i < length ? message.buffer[start + i]! : 0;
    difference |= byte ^ expected.bytes[i]!;
  }
  return difference;
}
