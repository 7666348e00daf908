// hot: per frame received. Allocation only while connecting and for acknowledgements.
import { connect, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { pack, unpack } from 'msgpackr';
import { writeVarint } from '../src/core/fan-out/varint.ts';
import { ACK_BYTES, FrameType, type ModeName, SUBPROTOCOL_BINARY } from '../src/core/fan-out/wire.ts';
import { clientFrame, FIN, Opcode, upgradeRequest, WS_PATH } from './client-frames.ts';

/** What a connection tells its owner. `bytes` are valid during the call only. */
export interface LoadListener {
  /** The server has welcomed the connection. */
  onOpen(connection: LoadConnection): void;
  /** The reply to one of the connection's own messages. */
  onControl(connection: LoadConnection, control: Record<string, unknown>): void;
  /** A message of quotes. The tick to acknowledge is returned. */
  onQuotes(connection: LoadConnection, bytes: Uint8Array, start: number, end: number): number;
  onClosed(connection: LoadConnection, reason: string): void;
}

export interface LoadTarget {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

const Phase = { Handshake: 0, Open: 1, Closed: 2 } as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/** A larger message would come from no server of ours. */
const MESSAGE_BYTES_MAX = 1 << 24;
const ACK_BYTES_MAX = 9;
/** Close code 1000. */
const NORMAL_CLOSURE = Buffer.from([0x03, 0xe8]);
const NO_PAYLOAD = Buffer.alloc(0);

/** Reads are handled one after the other and at once, so that all sockets of the process share one buffer. */
const readBuffer = Buffer.allocUnsafe(256 * 1024);

/**
 * A WebSocket client in as few instructions as will do: server frames are unmasked and mostly whole in one read, so that they are handed on where
 * the kernel put them.
 */
export class LoadConnection {
  readonly index: number;
  /** Bytes of quotes received since the last acknowledgement, and when that was, milliseconds of `performance.now`. */
  unackedBytes = 0;
  #lastTick = 0;
  readonly #socket: Socket;
  readonly #listener: LoadListener;
  #phase: Phase = Phase.Handshake;
  /** What the last read left of a message that is not whole. */
  #rest: Buffer = Buffer.alloc(0);
  #closeReason = 'connection lost';

  constructor(index: number, { host, port, tls }: LoadTarget, listener: LoadListener) {
    this.index = index;
    this.#listener = listener;
    const onread: OnReadOpts = {
      buffer: readBuffer,
      callback: (byteCount, buffer) => {
        this.#receive(buffer as Buffer, byteCount);
        return true;
      },
    };
    const target = { host, port, noDelay: true, onread };
    this.#socket = tls ? connectTls({ ...target, rejectUnauthorized: false }) : connect(target);
    this.#socket.on(tls ? 'secureConnect' : 'connect', () =>
      this.#socket.write(upgradeRequest(WS_PATH, SUBPROTOCOL_BINARY)),
    );
    this.#socket.on('error', (error) => {
      this.#closeReason = error.message;
    });
    this.#socket.on('close', () => this.#closed());
  }

  /** Sends a control map. */
  control(map: Record<string, unknown>): void {
    const packed = pack(map);
    const message = Buffer.allocUnsafe(packed.length + 1);
    message[0] = FrameType.Control;
    packed.copy(message, 1);
    this.#send(Opcode.Binary, message);
  }

  subscribe(symbols: readonly string[], mode: ModeName): void {
    this.control({ id: 1, action: 'subscribe', symbols, mode });
  }

  /** Acknowledges what was received. Called by the owner every second, and by the connection at the protocol's count of bytes. */
  acknowledge(): void {
    if (this.unackedBytes === 0 || this.#phase !== Phase.Open) return;
    this.unackedBytes = 0;
    const message = Buffer.allocUnsafe(ACK_BYTES_MAX);
    message[0] = FrameType.Ack;
    this.#send(Opcode.Binary, message.subarray(0, writeVarint(message, 1, this.#lastTick)));
  }

  close(): void {
    this.#phase = Phase.Closed;
    this.#socket.destroy();
  }

  /** Goes as the protocol wants it, with a close frame. */
  leave(): void {
    this.#send(Opcode.Close, NORMAL_CLOSURE);
    this.#phase = Phase.Closed;
    this.#socket.end();
  }

  /** Goes without a word: the server's next look at the socket finds it reset. */
  reset(): void {
    this.#phase = Phase.Closed;
    this.#socket.resetAndDestroy();
  }

  /** Takes nothing from the socket until `resume`: also not that the server has closed it. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Lets itself be heard, which keeps a connection that takes nothing from being idle. */
  pong(): void {
    this.#send(Opcode.Pong, NO_PAYLOAD);
  }

  #receive(buffer: Buffer, byteCount: number): void {
    if (this.#phase === Phase.Closed) return;
    let bytes = buffer;
    let end = byteCount;
    if (this.#rest.length > 0) {
      bytes = Buffer.concat([this.#rest, buffer.subarray(0, byteCount)]);
      end = bytes.length;
    }
    let at = this.#phase === Phase.Handshake ? this.#handshake(bytes, end) : 0;
    while (this.#phase === Phase.Open) {
      const next = this.#frame(bytes, at, end);
      if (next === at) break;
      at = next;
    }
    // A copy, since the next read of any socket overwrites the buffer.
    if (at < end) this.#rest = Buffer.from(bytes.subarray(at, end));
    else if (this.#rest.length > 0) this.#rest = Buffer.alloc(0);
  }

  /** Returns where the frames begin, or 0 while the answer is not whole. */
  #handshake(bytes: Buffer, end: number): number {
    const headEnd = bytes.subarray(0, end).indexOf('\r\n\r\n');
    if (headEnd < 0) return 0;
    const statusLine = bytes.toString('latin1', 0, bytes.indexOf('\r\n'));
    if (!statusLine.startsWith('HTTP/1.1 101 ')) {
      this.#fail(statusLine);
      return end;
    }
    this.#phase = Phase.Open;
    return headEnd + 4;
  }

  /** Handles the frame at `at` and returns where the next one begins; `at` itself when it is not whole. */
  #frame(bytes: Buffer, at: number, end: number): number {
    if (at + 2 > end) return at;
    let payload = at + 2;
    let length = bytes[at + 1]!;
    if (length === 126) {
      if (at + 4 > end) return at;
      length = bytes.readUInt16BE(payload);
      payload += 2;
    } else if (length === 127) {
      if (at + 10 > end) return at;
      length = Number(bytes.readBigUInt64BE(payload));
      payload += 8;
    }
    if (length > MESSAGE_BYTES_MAX) {
      this.#fail('a frame of absurd length');
      return end;
    }
    const next = payload + length;
    if (next > end) return at;
    const head = bytes[at]!;
    if (head === (FIN | Opcode.Binary)) this.#message(bytes, payload, next);
    else if (head === (FIN | Opcode.Ping)) this.#send(Opcode.Pong, Buffer.from(bytes.subarray(payload, next)));
    else if (head === (FIN | Opcode.Close)) this.#fail(`closed by the server, code ${closeCode(bytes, payload, next)}`);
    else if (head !== (FIN | Opcode.Pong)) this.#fail(`an unexpected frame, first byte ${head}`);
    return next;
  }

  #message(bytes: Buffer, start: number, end: number): void {
    const type = bytes[start];
    if (type === FrameType.Quotes || type === FrameType.TimedQuotes) {
      this.#lastTick = this.#listener.onQuotes(this, bytes, start, end);
      this.unackedBytes += end - start;
      if (this.unackedBytes >= ACK_BYTES) this.acknowledge();
    } else if (type === FrameType.Welcome) {
      this.#listener.onOpen(this);
    } else if (type === FrameType.Control) {
      this.#listener.onControl(this, unpack(bytes.subarray(start + 1, end)) as Record<string, unknown>);
    } else {
      this.#fail(`an unexpected message, type ${type}`);
    }
  }

  #send(opcode: Opcode, payload: Buffer): void {
    this.#socket.write(clientFrame(FIN | opcode, payload));
  }

  #fail(reason: string): void {
    this.#closeReason = reason;
    this.#socket.destroy();
  }

  #closed(): void {
    if (this.#phase === Phase.Closed) return;
    this.#phase = Phase.Closed;
    this.#listener.onClosed(this, this.#closeReason);
  }
}

function closeCode(bytes: Buffer, start: number, end: number): number {
  return end - start >= 2 ? bytes.readUInt16BE(start) : 0;
}
