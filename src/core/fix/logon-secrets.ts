/** Passwords do not belong on a disk or a screen: a Logon is stored with asterisks in their place. It is never sent again, as no administrative message is. */

const SOH = 1;
const EQUALS = 61;
const ASTERISK = 42;
const LETTER_A = 65;
/** `8=FIX.4.4|9=123|35=A|`: MsgType(35) is the third field. */
const MSG_TYPE_FIELD = 2;
/** Password(554), NewPassword(925). */
export const SECRET_TAGS: readonly number[] = [554, 925];

/** Whether the whole message at `buffer[start .. end)` is a Logon. */
export function isLogon(buffer: Uint8Array, start: number, end: number): boolean {
  let at = start;
  for (let field = 0; field < MSG_TYPE_FIELD; field++) {
    while (at < end && buffer[at] !== SOH) at++;
    at++;
  }
  return buffer[at + 3] === LETTER_A && buffer[at + 4] === SOH;
}

/** A copy of a Logon without its secrets, as long as it was. */
export function withoutSecrets(buffer: Uint8Array, start: number, end: number): Uint8Array {
  const copy = buffer.slice(start, end);
  let at = 0;
  while (at < copy.length) {
    let tag = 0;
    while (at < copy.length && copy[at] !== EQUALS) tag = tag * 10 + copy[at++]! - 48;
    at++;
    const isSecret = SECRET_TAGS.includes(tag);
    for (; at < copy.length && copy[at] !== SOH; at++) if (isSecret) copy[at] = ASTERISK;
    at++;
  }
  return copy;
}
