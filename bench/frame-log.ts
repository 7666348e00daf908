// hot: `append` per frame received. Allocation once a chunk.

/** Label and length of a frame, two 32-bit numbers. */
const HEADER_BYTES = 8;
const CHUNK_BYTES = 1 << 26;

/** Called for each frame in the order of arrival; `bytes[start .. end)` is the frame. */
export type FrameReader = (label: number, bytes: Uint8Array, start: number, end: number) => void;

/**
 * Frames as they were received, to be looked into later: what a client does with a frame costs as much as receiving it, and on the machine of a
 * bench the time for it would be the server's.
 */
export class FrameLog {
  readonly #maxBytes: number;
  #chunks: Uint8Array[] = [];
  #chunk = new Uint8Array(0);
  #view = new DataView(this.#chunk.buffer);
  #used = 0;
  #ends: number[] = [];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Keeps a copy of a frame under a label of 32 bits; false when the log is full, and nothing was kept. */
  append(label: number, bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (this.#used + HEADER_BYTES + length > this.#chunk.length && !this.#nextChunk(HEADER_BYTES + length))
      return false;
    this.#view.setUint32(this.#used, label, true);
    this.#view.setUint32(this.#used + 4, length, true);
    this.#chunk.set(bytes.subarray(start, end), this.#used + HEADER_BYTES);
    this.#used += HEADER_BYTES + length;
    return true;
  }

  /** Hands on every frame kept, and forgets them. */
  replay(read: FrameReader): void {
    this.#ends[this.#chunks.length - 1] = this.#used;
    for (const [index, chunk] of this.#chunks.entries()) {
      const view = new DataView(chunk.buffer);
      for (let at = 0; at < this.#ends[index]!; ) {
        const start = at + HEADER_BYTES;
        const end = start + view.getUint32(at + 4, true);
        read(view.getUint32(at, true), chunk, start, end);
        at = end;
      }
    }
    this.#chunks = [];
    this.#ends = [];
    this.#chunk = new Uint8Array(0);
    this.#used = 0;
  }

  #nextChunk(needed: number): boolean {
    const size = Math.max(CHUNK_BYTES, needed);
    if (this.#chunks.length * CHUNK_BYTES + size > this.#maxBytes) return false;
    if (this.#chunks.length > 0) this.#ends[this.#chunks.length - 1] = this.#used;
    this.#chunk = new Uint8Array(size);
    this.#view = new DataView(this.#chunk.buffer);
    this.#chunks.push(this.#chunk);
    this.#used = 0;
    return true;
  }
}
