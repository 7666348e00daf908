import { connect, type Socket } from 'node:net';
import { clientFrame, FIN, type Opcode, upgradeRequest, WS_PATH } from './client-frames.ts';

/** What becomes of a raw socket. */
export interface RawListener {
  /** Connected and, if it was to be, upgraded. */
  onReady(socket: RawSocket): void;
  onClosed(socket: RawSocket): void;
}

/** Who connects, and as what: undefined speaks no WebSocket at all. */
export interface RawTarget {
  readonly host: string;
  readonly port: number;
  readonly subprotocol: string | undefined;
}

/** A connection that says whatever it is told to, right or wrong, and looks at nothing that it is sent but the first answer. */
export class RawSocket {
  readonly target: RawTarget;
  readonly #socket: Socket;
  #isReady = false;
  #isLeft = false;

  constructor(target: RawTarget, listener: RawListener) {
    const { host, port, subprotocol } = target;
    this.target = target;
    const socket = connect({ host, port, noDelay: true });
    this.#socket = socket;
    const ready = (): void => {
      this.#isReady = true;
      listener.onReady(this);
    };
    socket.on('connect', () => {
      if (subprotocol === undefined) ready();
      else socket.write(upgradeRequest(WS_PATH, subprotocol));
    });
    socket.on('data', (bytes: Buffer) => {
      if (this.#isReady) return;
      if (bytes.toString('latin1').startsWith('HTTP/1.1 101 ')) ready();
      else socket.destroy();
    });
    // A reset is as good an end as any here.
    socket.on('error', () => {});
    socket.on('close', () => {
      if (!this.#isLeft) listener.onClosed(this);
    });
  }

  write(bytes: Uint8Array | string): void {
    this.#socket.write(bytes);
  }

  /** A whole message. */
  message(opcode: Opcode, payload: Uint8Array): void {
    this.#socket.write(clientFrame(FIN | opcode, payload));
  }

  reset(): void {
    this.#isLeft = true;
    this.#socket.resetAndDestroy();
  }
}
