// hot: per frame. No allocation, no closure, no exception.

/**
 * How far each connection is behind with acknowledging. The kernel takes megabytes for a reader that has stopped, so what
 * was *sent* says nothing about what was *received*: only the client's acknowledgement does.
 *
 * A connection keeps a few checkpoints (tick, bytes sent so far, time) rather than one a frame. Of what lies after the last
 * acknowledged checkpoint all counts as unacknowledged, so the book errs on the side of caution by at most
 * CHECKPOINT_BYTES and CHECKPOINT_MS.
 */
export const UNACKED_MAX_BYTES = 32_768;
export const UNACKED_MAX_MS = 2_000;
const CHECKPOINT_BYTES = 8_192;
const CHECKPOINT_MS = 1_000;
const CHECKPOINTS = 4;

/** Growing doubles. Indices are connections'. */
const FIRST_CAPACITY = 256;

export class CreditBook {
  #capacity = FIRST_CAPACITY;
  #ticks: Float64Array = new Float64Array(FIRST_CAPACITY * CHECKPOINTS);
  #bytes: Float64Array = new Float64Array(FIRST_CAPACITY * CHECKPOINTS);
  #times: Float64Array = new Float64Array(FIRST_CAPACITY * CHECKPOINTS);
  #counts = new Uint8Array(FIRST_CAPACITY);
  #sentBytes: Float64Array = new Float64Array(FIRST_CAPACITY);
  #ackedBytes: Float64Array = new Float64Array(FIRST_CAPACITY);
  #checkpointBytes: Float64Array = new Float64Array(FIRST_CAPACITY);
  #checkpointTimes: Float64Array = new Float64Array(FIRST_CAPACITY);

  /** A connection begins with nothing sent. */
  open(connectionIndex: number): void {
    while (connectionIndex >= this.#capacity) this.#grow();
    this.#counts[connectionIndex] = 0;
    this.#sentBytes[connectionIndex] = 0;
    this.#ackedBytes[connectionIndex] = 0;
    this.#checkpointBytes[connectionIndex] = 0;
    this.#checkpointTimes[connectionIndex] = 0;
  }

  has(connectionIndex: number, nowMs: number): boolean {
    if (this.#sentBytes[connectionIndex]! - this.#ackedBytes[connectionIndex]! > UNACKED_MAX_BYTES) return false;
    return this.#counts[connectionIndex] === 0 || nowMs - this.#times[connectionIndex * CHECKPOINTS]! <= UNACKED_MAX_MS;
  }

  /** Whether a frame of so many bytes will be a checkpoint: then a client that acknowledges by pong must be pinged with it. */
  isCheckpointDue(connectionIndex: number, frameBytes: number, nowMs: number): boolean {
    return (
      this.#sentBytes[connectionIndex]! + frameBytes - this.#checkpointBytes[connectionIndex]! >= CHECKPOINT_BYTES ||
      nowMs - this.#checkpointTimes[connectionIndex]! >= CHECKPOINT_MS
    );
  }

  /** A frame was handed over. */
  sent(connectionIndex: number, tick: number, frameBytes: number, nowMs: number): void {
    const isDue = this.isCheckpointDue(connectionIndex, frameBytes, nowMs);
    this.#sentBytes[connectionIndex]! += frameBytes;
    if (!isDue) return;
    const sentBytes = this.#sentBytes[connectionIndex]!;
    const count = this.#counts[connectionIndex]!;
    // With no place left the newest is moved on, or frames after it could never be acknowledged; it keeps its older time.
    const slot = connectionIndex * CHECKPOINTS + Math.min(count, CHECKPOINTS - 1);
    if (count < CHECKPOINTS) {
      this.#counts[connectionIndex] = count + 1;
      this.#times[slot] = nowMs;
    }
    this.#ticks[slot] = tick;
    this.#bytes[slot] = sentBytes;
    this.#checkpointBytes[connectionIndex] = sentBytes;
    this.#checkpointTimes[connectionIndex] = nowMs;
  }

  /** The client has received everything up to this tick. */
  acknowledge(connectionIndex: number, tick: number): void {
    const base = connectionIndex * CHECKPOINTS;
    const count = this.#counts[connectionIndex]!;
    let done = 0;
    while (done < count && this.#ticks[base + done]! <= tick) done++;
    if (done === 0) return;
    this.#ackedBytes[connectionIndex] = this.#bytes[base + done - 1]!;
    for (let i = done; i < count; i++) {
      this.#ticks[base + i - done] = this.#ticks[base + i]!;
      this.#bytes[base + i - done] = this.#bytes[base + i]!;
      this.#times[base + i - done] = this.#times[base + i]!;
    }
    this.#counts[connectionIndex] = count - done;
  }

  #grow(): void {
    this.#capacity *= 2;
    this.#ticks = grown(this.#ticks, this.#capacity * CHECKPOINTS);
    this.#bytes = grown(this.#bytes, this.#capacity * CHECKPOINTS);
    this.#times = grown(this.#times, this.#capacity * CHECKPOINTS);
    this.#sentBytes = grown(this.#sentBytes, this.#capacity);
    this.#ackedBytes = grown(this.#ackedBytes, this.#capacity);
    this.#checkpointBytes = grown(this.#checkpointBytes, this.#capacity);
    this.#checkpointTimes = grown(this.#checkpointTimes, this.#capacity);
    const counts = new Uint8Array(this.#capacity);
    counts.set(this.#counts);
    this.#counts = counts;
  }
}

function grown(from: Float64Array, capacity: number): Float64Array {
  const to = new Float64Array(capacity);
  to.set(from);
  return to;
}
