// hot: per changed instrument and tick, once for all JSON connections. No allocation, no exception, no float arithmetic on money.
import { VARINT_MAX_BYTES } from './varint.ts';

const COMMA = 0x2c;
const DOT = 0x2e;
const MINUS = 0x2d;
const ZERO = 0x30;
const CLOSE_BRACE = 0x7d;

const CHANGE_NAME = ascii('"change":');
const TIMESTAMP_NAME = ascii('"timestamp":');

/** Bytes of a quote without its symbol: the names, three numbers and punctuation, generously. */
export const JSON_QUOTE_MAX_BYTES = 96 + 3 * 2 * VARINT_MAX_BYTES;

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** `{"symbol":"M&M","ltp":` as UTF-8: what every quote of the instrument begins with. Made once an instrument. */
export function jsonPrefix(symbol: string): Uint8Array {
  return new TextEncoder().encode(`{"symbol":${JSON.stringify(symbol)},"ltp":`);
}

/**
 * Writes `{"symbol":…,"ltp":2450.75,"change":1.5,"timestamp":1609459200000}`; returns where it ends. The change is from
 * `closePaise`, and 0 when that is unknown.
 */
export function writeJsonQuote(
  out: Uint8Array,
  at: number,
  prefix: Uint8Array,
  lastPaise: number,
  closePaise: number,
  tsMillis: number,
): number {
  let end = writeBytes(out, at, prefix);
  end = writeRupees(out, end, lastPaise);
  out[end++] = COMMA;
  end = writeBytes(out, end, CHANGE_NAME);
  end = writeRupees(out, end, closePaise === 0 ? 0 : lastPaise - closePaise);
  out[end++] = COMMA;
  end = writeBytes(out, end, TIMESTAMP_NAME);
  end = writeUnsigned(out, end, tsMillis);
  out[end++] = CLOSE_BRACE;
  return end;
}

/** Paise as a JSON number of rupees: at most two decimals, none that is a trailing zero. */
export function writeRupees(out: Uint8Array, at: number, paise: number): number {
  let end = at;
  let rest = paise;
  if (rest < 0) {
    out[end++] = MINUS;
    rest = -rest;
  }
  const hundredths = rest % 100;
  end = writeUnsigned(out, end, (rest - hundredths) / 100);
  if (hundredths === 0) return end;
  out[end++] = DOT;
  const tenth = (hundredths / 10) | 0;
  out[end++] = ZERO + tenth;
  if (hundredths % 10 !== 0) out[end++] = ZERO + (hundredths % 10);
  return end;
}

function writeUnsigned(out: Uint8Array, at: number, value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    const digit = rest % 10;
    out[i] = ZERO + digit;
    rest = (rest - digit) / 10;
  }
  return at + digits;
}

function writeBytes(out: Uint8Array, at: number, bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) out[at + i] = bytes[i]!;
  return at + bytes.length;
}
