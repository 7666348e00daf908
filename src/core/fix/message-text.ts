import { asciiText } from '../ascii-text.ts';
import { FIELD_NAMES, MESSAGE_NAMES } from './generated/fix-names.gen.ts';
import { SECRET_TAGS } from './logon-secrets.ts';

/** Messages as people read them. Not for the hot path: everything here makes strings. */

const SOH = '\u0001';

interface FieldName {
  readonly name: string;
  readonly values: ReadonlyMap<string, string>;
}

export interface NamedField {
  readonly tag: string;
  readonly value: string;
  /** '' for a tag of no dictionary. */
  readonly name: string;
  /** Of a value of a closed set; '' otherwise. */
  readonly meaning: string;
}

const fields = new Map<string, FieldName>();
for (const line of FIELD_NAMES) {
  const [tag, name, ...values] = line.split(' ') as [string, string, ...string[]];
  const meanings = values.map((text): [string, string] => {
    const at = text.indexOf('=', 1);
    return [text.slice(0, at), text.slice(at + 1)];
  });
  fields.set(tag, { name, values: new Map(meanings) });
}
const messages = new Map(MESSAGE_NAMES.map((line) => line.split(' ') as [string, string]));

/** The name of a MsgType(35), '' for none of the dictionaries'. */
export function messageName(msgType: string): string {
  return messages.get(msgType) ?? '';
}

/** The fields of a whole message; a value that has the separator in it (a data field) is one. Asterisks stand for passwords, whatever message has them. */
export function namedFields(bytes: Uint8Array): NamedField[] {
  const parts: [string, string][] = [];
  for (const part of asciiText(bytes, 0, bytes.length).split(SOH)) {
    const match = /^(\d{1,9})=/.exec(part);
    const last = parts.at(-1);
    if (match !== null) parts.push([match[1]!, part.slice(match[0].length)]);
    else if (last !== undefined && part !== '') last[1] += SOH + part;
  }
  return parts.map(([tag, value]) => {
    const known = fields.get(tag);
    const meaning = tag === '35' ? messageName(value) : (known?.values.get(value) ?? '');
    const shown = SECRET_TAGS.includes(Number(tag)) ? '*'.repeat(value.length) : value;
    return { tag, value: shown, name: known?.name ?? '', meaning };
  });
}

/** One line: `35 MsgType=D NewOrderSingle | 11 ClOrdID=A1 | …`; bytes that are no printable ASCII as \\xNN. */
export function renderFields(named: readonly NamedField[]): string {
  return named
    .map(({ tag, value, name, meaning }) => {
      const key = name === '' ? tag : `${tag} ${name}`;
      return `${key}=${printable(value)}${meaning === '' ? '' : ` ${meaning}`}`;
    })
    .join(' | ');
}

function printable(value: string): string {
  return value.replace(/[^ -~]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
