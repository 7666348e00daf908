import type { Socket } from 'node:net';
import type { Durability } from '../core/fix/fix-store.ts';
import { DisconnectReason, type FixTransport } from '../core/fix/session-contract.ts';
import { DurableWriter } from './durable-writer.ts';
import { GatherWriter } from './gather-writer.ts';

/** How long a closing connection may take to hand over its last bytes. */
const LINGER_MS = 1_000;

/** One TCP connection of one session. */
export class FixConnection implements FixTransport {
  bytesIn = 0;
  reason: DisconnectReason = DisconnectReason.ConnectionLost;
  readonly #socket: Socket;
  readonly #writer: GatherWriter;
  readonly #outboundBytesMax: number;
  readonly #onOverflow: () => void;
  #durableWriter: DurableWriter | null = null;
  #lingerTimer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, outboundBytesMax: number, onOverflow: () => void) {
    this.#socket = socket;
    this.#writer = new GatherWriter(socket, outboundBytesMax);
    this.#outboundBytesMax = outboundBytesMax;
    this.#onOverflow = onOverflow;
    socket.once('close', () => clearTimeout(this.#lingerTimer));
  }

  /** From here on no byte leaves before the store has what belongs to it; `onFailure` is called if it will never have it. */
  waitFor(durability: Durability, onFailure: () => void): void {
    const durableWriter = new DurableWriter(this.#writer, durability, this.#outboundBytesMax);
    this.#durableWriter = durableWriter;
    const stop = durability.listen(() => {
      durableWriter.release();
      if (durability.failure !== null) onFailure();
    });
    this.#socket.once('close', stop);
    // It may have failed between two connections.
    if (durability.failure !== null) queueMicrotask(onFailure);
  }

  send(buffer: Uint8Array, start: number, end: number): void {
    const taken =
      this.#durableWriter === null
        ? this.#writer.append(buffer, start, end)
        : this.#durableWriter.append(buffer, start, end);
    if (!taken) this.#onOverflow();
  }

  disconnect(reason: DisconnectReason): void {
    this.reason = reason;
    if (reason === DisconnectReason.SlowConsumer || reason === DisconnectReason.StoreFailed) {
      this.destroy();
      return;
    }
    if (this.#durableWriter === null) this.#end();
    else this.#durableWriter.whenEmpty(() => this.#end());
    this.#lingerTimer = setTimeout(() => this.#socket.destroy(), LINGER_MS);
  }

  /** Ends the connection without another byte. */
  destroy(): void {
    this.#socket.destroy();
  }

  #end(): void {
    this.#writer.flush();
    this.#socket.end();
  }
}
