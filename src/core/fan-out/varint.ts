// hot: several times per changed quote. No allocation, no closure, no exception.

/** Bytes of the longest varint: 53 bits, seven a byte. */
export const VARINT_MAX_BYTES = 8;

/** Writes an unsigned integer up to 2^53 − 1, seven bits a byte, lowest first; returns where it ends. */
export function writeVarint(out: Uint8Array, at: number, value: number): number {
  let rest = value;
  // Bit operations see 32 bits only: what is above goes by division, which is exact on integers in a number.
  while (rest > 0x7fffffff) {
    out[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  while (rest > 0x7f) {
    out[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[at++] = rest;
  return at;
}

/** A signed integer below 2^52 in size as an unsigned one, small for small sizes. */
export function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

export function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/**
 * Reads varints from untrusted bytes. `at` moves past what was read; a varint that is cut short or longer than 53 bits sets
 * `failed`, which stays set, so that a run of reads is checked once.
 */
export class VarintReader {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  end = 0;
  failed = false;

  begin(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.failed = false;
  }

  unsigned(): number {
    const bytes = this.bytes;
    const end = this.end;
    let at = this.at;
    let value = 0;
    // Four bytes fit in a small integer; most numbers end there.
    for (let shift = 0; shift < 28; shift += 7) {
      if (at >= end) return this.#fail();
      const byte = bytes[at++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.at = at;
        return value;
      }
    }
    let scale = 2 ** 28;
    for (let n = 4; n < VARINT_MAX_BYTES; n++) {
      if (at >= end) return this.#fail();
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) return this.#fail();
        this.at = at;
        return value;
      }
    }
    return this.#fail();
  }

  signed(): number {
    const value = this.unsigned();
    if (value <= 0x7fffffff) return (value >>> 1) ^ -(value & 1);
    return unzigzag(value);
  }

  #fail(): number {
    this.failed = true;
    this.at = this.end;
    return 0;
  }
}
