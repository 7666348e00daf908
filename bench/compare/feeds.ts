import { connect, type Socket } from 'node:net';
import type { Quote } from './quote-stream.ts';

/** How a server is told of a tick: the bytes that go over one TCP connection. Payloads are the entries of outcry.v1 for every server. */
export interface FeedFormat {
  /** What the connection begins with. */
  readonly opening: string;
  encode(tick: readonly Quote[]): Buffer;
}

/** For programs of the bench itself: u32 bytes of what follows, then for each quote u16 position, u8 length, entry. */
export const STREAM_FORMAT: FeedFormat = {
  opening: '',
  encode(tick) {
    const bytes = Buffer.alloc(4 + tick.reduce((sum, { entry }) => sum + 3 + entry.length, 0));
    let at = bytes.writeUInt32LE(bytes.length - 4);
    for (const { position, entry } of tick) {
      at = bytes.writeUInt16LE(position, at);
      at = bytes.writeUInt8(entry.length, at);
      bytes.set(entry, at);
      at += entry.length;
    }
    return bytes;
  },
};

/** The NATS protocol: a subject a symbol. */
export const NATS_FORMAT: FeedFormat = {
  opening: 'CONNECT {"verbose":false,"pedantic":false}\r\n',
  encode: (tick) =>
    Buffer.concat(
      tick.flatMap(({ position, entry }) => [
        Buffer.from(`PUB ${natsSubject(position)} ${entry.length}\r\n`, 'latin1'),
        entry,
        Buffer.from('\r\n'),
      ]),
    ),
};

/** HTTP requests to nchan's publisher, pipelined: a channel a symbol. */
export const NCHAN_FORMAT: FeedFormat = {
  opening: '',
  encode: (tick) =>
    Buffer.concat(
      tick.flatMap(({ position, entry }) => [
        Buffer.from(
          `POST /publish/${position} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/octet-stream\r\nContent-Length: ${entry.length}\r\n\r\n`,
          'latin1',
        ),
        entry,
      ]),
    ),
};

export function natsSubject(position: number): string {
  return `quote.${position}`;
}

/** The ticks of a stream, read from wherever TCP cut it. Entries are views of the bytes that are given. */
export class StreamReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Calls `take` with each tick that is whole. */
  read(bytes: Buffer, take: (tick: { position: number; entry: Buffer }[]) => void): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= 4) {
      const end = 4 + this.#rest.readUInt32LE();
      if (this.#rest.length < end) return;
      const tick: { position: number; entry: Buffer }[] = [];
      for (let at = 4; at < end; ) {
        const length = this.#rest.readUInt8(at + 2);
        tick.push({ position: this.#rest.readUInt16LE(at), entry: this.#rest.subarray(at + 3, at + 3 + length) });
        at += 3 + length;
      }
      this.#rest = this.#rest.subarray(end);
      take(tick);
    }
  }
}

/** The one connection that a server is fed by. */
export class FeedConnection {
  readonly #format: FeedFormat;
  readonly #socket: Socket;
  #failure: Error | undefined;

  constructor(port: number, format: FeedFormat) {
    this.#format = format;
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.#socket.on('error', (error) => {
      this.#failure = error;
    });
    if (format.opening !== '') this.#socket.write(format.opening);
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#answered(text));
  }

  publish(tick: readonly Quote[]): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#socket.write(this.#format.encode(tick));
  }

  close(): void {
    this.#socket.destroy();
  }

  /** What a server answers: of NATS its PINGs want one, and no status of nchan's may be an error. */
  #answered(text: string): void {
    if (text.includes('PING\r\n')) this.#socket.write('PONG\r\n');
    const refusal = /^(-ERR .*|HTTP\/1\.1 [45].*)$/m.exec(text);
    if (refusal !== null) this.#failure = new Error(`the feed was refused: ${refusal[1]}`);
  }
}
