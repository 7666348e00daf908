const CHUNK_BYTES = 65_536;

let chunk = new Uint8Array(CHUNK_BYTES);
let used = 0;

/** A copy of a message that nobody changes. Many share a buffer: one for each would cost more than its bytes. */
export function copyMessage(buffer: Uint8Array, start: number, end: number): Uint8Array {
  const length = end - start;
  if (length > CHUNK_BYTES) return buffer.slice(start, end);
  if (used + length > CHUNK_BYTES) {
    chunk = new Uint8Array(CHUNK_BYTES);
    used = 0;
  }
  const copy = chunk.subarray(used, used + length);
  copy.set(buffer.subarray(start, end));
  used += length;
  return copy;
}
