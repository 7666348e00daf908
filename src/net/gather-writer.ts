// hot: per outbound message. What one turn of the event loop sends is one write; the bytes are copied once, into reused chunks.
import type { Socket } from 'node:net';

const CHUNK_BYTES = 65_536;

/**
 * Gathers small messages into few writes: a system call a message would cost more than the message. Bytes wait in a chunk until
 * the end of the turn (a microtask), or until it is full. A chunk handed to the socket is not touched before the kernel
 * has all of it; meanwhile the next ones fill. More than `bytesMax` waiting is refused: the reader is too slow.
 */
export class GatherWriter {
  readonly #socket: Socket;
  readonly #bytesMax: number;
  /** Full chunks that wait their turn; the last chunk is the one being filled. */
  readonly #waiting: Buffer[] = [];
  readonly #free: Buffer[] = [];
  #chunk: Buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  #filled = 0;
  /** The chunk that the kernel has not taken whole; nothing is written while there is one. */
  #blockedChunk: Buffer | null = null;
  #unansweredWrites = 0;
  #flushIsDue = false;
  readonly #flushAtTurnsEnd = (): void => {
    this.#flushIsDue = false;
    this.flush();
  };
  readonly #onWritten = (): void => {
    this.#unansweredWrites--;
    if (this.#unansweredWrites > 0 || this.#blockedChunk === null) return;
    this.#free.push(this.#blockedChunk);
    this.#blockedChunk = null;
    this.flush();
  };

  constructor(socket: Socket, bytesMax: number) {
    this.#socket = socket;
    this.#bytesMax = bytesMax;
  }

  /** Bytes that are not yet the kernel's. */
  get waitingBytes(): number {
    return this.#socket.writableLength + this.#waiting.length * CHUNK_BYTES + this.#filled;
  }

  /** Takes a copy of `bytes[start .. end)`; false, and nothing is taken, when too much waits already. */
  append(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.waitingBytes + end - start > this.#bytesMax) return false;
    let at = start;
    while (at < end) {
      const taken = Math.min(end - at, CHUNK_BYTES - this.#filled);
      this.#chunk.set(bytes.subarray(at, at + taken), this.#filled);
      this.#filled += taken;
      at += taken;
      if (this.#filled === CHUNK_BYTES) this.#turnChunk();
    }
    if (!this.#flushIsDue && this.#filled > 0) {
      this.#flushIsDue = true;
      queueMicrotask(this.#flushAtTurnsEnd);
    }
    return true;
  }

  /** Writes what waits, now. */
  flush(): void {
    while (this.#blockedChunk === null && this.#waiting.length > 0)
      this.#write(this.#waiting.shift() as Buffer, CHUNK_BYTES);
    if (this.#blockedChunk !== null || this.#filled === 0) return;
    const chunk = this.#chunk;
    const filled = this.#filled;
    this.#chunk = this.#emptyChunk();
    this.#filled = 0;
    this.#write(chunk, filled);
  }

  /** Puts a full chunk behind those that wait and starts the next. */
  #turnChunk(): void {
    this.#waiting.push(this.#chunk);
    this.#chunk = this.#emptyChunk();
    this.#filled = 0;
    this.flush();
  }

  #emptyChunk(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
  }

  #write(chunk: Buffer, length: number): void {
    const socket = this.#socket;
    if (!socket.writable) {
      this.#free.push(chunk);
      return;
    }
    this.#unansweredWrites++;
    socket.write(length === CHUNK_BYTES ? chunk : chunk.subarray(0, length), this.#onWritten);
    // Nothing queued: the kernel took all of it during the call, and the chunk is ours again.
    if (socket.writableLength === 0) this.#free.push(chunk);
    else this.#blockedChunk = chunk;
  }
}
