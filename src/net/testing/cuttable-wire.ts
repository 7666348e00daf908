import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP relay that can lose what is sent and break connections: between a client that connects to `port` and a server. */
export class CuttableWire {
  /** Bytes that the server, or the client, sends are lost while set; the connection stands. */
  loseFromServer = false;
  loseFromClient = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(targetPort: number) {
    this.#server = createServer((client) => {
      const server = connect(targetPort, '127.0.0.1');
      this.#join(client, server, () => this.loseFromClient);
      this.#join(server, client, () => this.loseFromServer);
    });
  }

  static async to(targetPort: number): Promise<CuttableWire> {
    const wire = new CuttableWire(targetPort);
    wire.#server.listen(0, '127.0.0.1');
    await once(wire.#server, 'listening');
    return wire;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Breaks all connections; nothing is lost of those that come next. */
  cut(): void {
    this.loseFromServer = false;
    this.loseFromClient = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }

  #join(from: Socket, to: Socket, isLost: () => boolean): void {
    this.#sockets.add(from);
    from.on('data', (bytes) => {
      if (!isLost() && !to.destroyed) to.write(bytes);
    });
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}

/** A port that nobody listened on a moment ago, for programs that cannot be told to choose one. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
