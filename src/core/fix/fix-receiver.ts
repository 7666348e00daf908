// hot: per socket read. Messages that lie whole in a read are framed where they are; only a cut one is copied.
import { MESSAGE_BYTES_MAX } from './fix-encoder.ts';
import { FixFramer, FrameVerdict } from './fix-framer.ts';

/** Takes what the receiver finds; false ends the receiving (the connection is given up). */
export interface FrameSink {
  /** A whole message: the framer's positions point into `buffer`. */
  onFrame(buffer: Uint8Array, framer: FixFramer): boolean;
  /** `byteCount` bytes were no message and are passed over. */
  onGarbled(byteCount: number): boolean;
}

/** Puts the messages of one connection together again, however TCP has cut them, in a buffer of the largest message's size. */
export class FixReceiver {
  readonly #framer: FixFramer = new FixFramer();
  readonly #sink: FrameSink;
  readonly #pending: Uint8Array = new Uint8Array(MESSAGE_BYTES_MAX);
  #pendingLength = 0;
  #stopped = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Drops a message that is not whole: the bytes that follow are of a new connection. */
  reset(): void {
    this.#framer.reset();
    this.#pendingLength = 0;
    this.#stopped = false;
  }

  receive(buffer: Uint8Array, start: number, end: number): void {
    const pending = this.#pending;
    let at = start;
    while (at < end && !this.#stopped) {
      if (this.#pendingLength === 0) {
        at = this.#scan(buffer, at, end);
        if (this.#stopped) return;
        for (; at < end; at++) pending[this.#pendingLength++] = buffer[at]!;
        return;
      }
      // Only as many bytes as the cut message is known to want: what follows it is framed in place again.
      const length = this.#pendingLength;
      const taken = Math.min(this.#framer.missing, end - at, pending.length - length);
      for (let i = 0; i < taken; i++) pending[length + i] = buffer[at + i]!;
      at += taken;
      const consumed = this.#scan(pending, 0, length + taken);
      if (consumed > 0) pending.copyWithin(0, consumed, length + taken);
      this.#pendingLength = length + taken - consumed;
    }
  }

  /** Hands on every message and returns where the first one begins that is not whole. */
  #scan(buffer: Uint8Array, start: number, end: number): number {
    const framer = this.#framer;
    const sink = this.#sink;
    let at = start;
    while (at < end) {
      const verdict = framer.frame(buffer, at, end);
      if (verdict === FrameVerdict.Partial) return at;
      if (verdict === FrameVerdict.Complete) {
        at = framer.messageEnd;
        if (!sink.onFrame(buffer, framer)) this.#stopped = true;
      } else {
        const byteCount = framer.resumeAt - at;
        at = framer.resumeAt;
        if (!sink.onGarbled(byteCount)) this.#stopped = true;
      }
      if (this.#stopped) return end;
    }
    return at;
  }
}
