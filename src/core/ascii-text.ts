// hot: per identifier of a message. One call makes the whole string; put together letter by letter it would be a tree that is flattened later.

const SHORT_MAX = 64;
/** By length, filled anew each time. */
const UNITS: readonly number[][] = Array.from({ length: SHORT_MAX + 1 }, (_, length) =>
  Array.from({ length }, () => 0),
);

/** The text of bytes that are ASCII. */
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at += SHORT_MAX) {
    const length = Math.min(SHORT_MAX, end - at);
    const units = UNITS[length]!;
    for (let i = 0; i < length; i++) units[i] = bytes[at + i]!;
    const piece: string = String.fromCharCode.apply(null, units);
    text = at === start ? piece : text + piece;
  }
  return text;
}
