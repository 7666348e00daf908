import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { ECHO_COUNTERPARTIES } from '../core/fix/echo-application.ts';
import type { FixVersion } from '../core/fix/fix-version.ts';
import { parseScenarios, playScenario, type ScenarioStage } from '../core/fix/testing/scenario.ts';
import { listenFixEcho } from './fix-echo.ts';
import type { FixAcceptor } from './fix-tcp.ts';

/** The session scenarios over TCP, against the real clock. Those in which more seconds go by are for the one without sockets. */
const SECONDS_MAX = 2;
const WAIT_MS = 30_000;
const AT_ONCE = 16;
const VECTORS = 'src/core/fix/vectors';

/** The messages and the end of one connection, as they come. */
class Peer {
  readonly socket: Socket;
  #text = '';
  #ended = false;
  #wake: () => void = () => {};

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text) => {
      this.#text += String(text).replaceAll('\u0001', '|');
      this.#wake();
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** The next whole message, '' for the end. */
  async next(): Promise<string> {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const message = this.take();
      if (message !== '') return message;
      if (this.#ended) return '';
      if (Date.now() > deadline) throw new Error(`nothing in ${WAIT_MS} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadline - Date.now() + 1);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** A whole message that is there, or ''. */
  take(): string {
    const found = /^8=[^|]*\|9=(\d+)\|/.exec(this.#text);
    if (found === null) return '';
    const length = found[0].length + Number(found[1]) + 7;
    if (this.#text.length < length) return '';
    const message = this.#text.slice(0, length);
    this.#text = this.#text.slice(length);
    return message;
  }
}

class TcpStage implements ScenarioStage {
  readonly #port: number;
  readonly #peers: Map<string, Peer> = new Map();
  readonly #acceptor: FixAcceptor | null;

  /** Without the acceptor, which may be another process, a connection that is dropped is not waited for. */
  constructor(port: number, acceptor: FixAcceptor | null) {
    this.#port = port;
    this.#acceptor = acceptor;
  }

  nowMs(): number {
    return Date.now();
  }

  async connect(connection: string): Promise<void> {
    const peer = new Peer(this.#port);
    this.#peers.set(connection, peer);
    await once(peer.socket, 'connect');
  }

  async send(connection: string, bytes: Uint8Array): Promise<void> {
    this.#peer(connection).socket.write(bytes);
  }

  next(connection: string): Promise<string> {
    return this.#peer(connection).next();
  }

  unread(connection: string): string {
    return this.#peer(connection).take();
  }

  async drop(connection: string): Promise<void> {
    const before = this.#connectionCount;
    this.#peer(connection).socket.destroy();
    const deadline = Date.now() + WAIT_MS;
    while (this.#connectionCount >= before && before > 0 && Date.now() < deadline) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async reset(_connection: string, version: FixVersion): Promise<void> {
    if (!this.#acceptor?.resetSeqNums(ECHO_COUNTERPARTIES[version])) throw new Error('no reset was asked for');
  }

  async wait(seconds: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }

  dropAll(): void {
    for (const { socket } of this.#peers.values()) socket.destroy();
  }

  get #connectionCount(): number {
    return this.#acceptor?.connectionCount ?? 0;
  }

  #peer(connection: string): Peer {
    const peer = this.#peers.get(connection);
    if (peer === undefined) throw new Error(`no connection ${connection}`);
    return peer;
  }
}

t.test('the session scenarios over TCP', async (t) => {
  const scenarios = readdirSync(VECTORS)
    .filter((file) => file.startsWith('session-'))
    .flatMap((file) => parseScenarios(readFileSync(`${VECTORS}/${file}`, 'utf8')))
    .filter(({ seconds }) => seconds <= SECONDS_MAX);
  const waiting = [...scenarios];
  // Each has an acceptor of its own, so that the time-outs of one are not waited for by the next.
  const playAll = async (): Promise<void> => {
    for (let scenario = waiting.pop(); scenario !== undefined; scenario = waiting.pop()) {
      const acceptor = await listenFixEcho('127.0.0.1', 0, scenario.credentials);
      const stage = new TcpStage(acceptor.port, acceptor);
      t.equal(await playScenario(scenario, stage).catch(String), '', scenario.name);
      stage.dropAll();
      await acceptor.close('the test ends');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, playAll));
});

t.test('outcry fix echo: one line when it listens, SIGINT ends it', async (t) => {
  const cli = join(dirname(fileURLToPath(import.meta.url)), '../cli.js');
  const child = spawn(process.execPath, [cli, 'fix', 'echo', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  const port = Number(/^The FIX echo listens on 127\.0\.0\.1:(\d+)\n$/.exec(line)?.[1] ?? 0);
  t.ok(port > 0, line);
  const stage = new TcpStage(port, null);
  const steps = ['I 35=A|34=1|98=0|108=30', 'E 35=A|34=1|98=0|108=30', 'I 35=1|34=2|112=a', 'E 35=0|34=2|112=a'];
  t.equal(await playScenario({ name: '', version: 'FIX.4.4', steps, seconds: 0, credentials: null }, stage), '');
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  t.equal(code, 0);
});
