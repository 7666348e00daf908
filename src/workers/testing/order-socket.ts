import { once } from 'node:events';
import { WebSocket } from 'ws';
import { type ControlMap, decodeControl, encodeControl } from '../../core/fan-out/control-codec.ts';
import { FrameType, SUBPROTOCOL_BINARY } from '../../core/fan-out/wire.ts';
import { until } from './running.ts';

/** A plain WebSocket that speaks `outcry.v1` about orders and keeps what it is told. */
export class OrderSocket {
  readonly events: ControlMap[] = [];
  /** Errors that nobody asked for. */
  readonly errors: ControlMap[] = [];
  closedWith = 0;
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, ControlMap>();
  #id = 0;

  private constructor(url: string) {
    this.#socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, SUBPROTOCOL_BINARY);
    this.#socket.on('message', (data: Buffer) => this.#receive(new Uint8Array(data)));
    this.#socket.on('error', () => {});
    this.#socket.on('close', (code) => {
      this.closedWith = code;
    });
  }

  static async open(url: string): Promise<OrderSocket> {
    const socket = new OrderSocket(url);
    await once(socket.#socket, 'open');
    return socket;
  }

  /** Opens and logs in. */
  static async loggedIn(url: string, token: string): Promise<OrderSocket> {
    const socket = await OrderSocket.open(url);
    const answer = await socket.ask({ action: 'login', token });
    if (answer.action !== 'loggedIn') throw new Error(JSON.stringify(answer));
    return socket;
  }

  /** The answer to a request. */
  async ask(map: ControlMap): Promise<ControlMap> {
    const id = ++this.#id;
    this.send({ id, ...map });
    await until(() => this.#answers.has(id) || this.closedWith !== 0, `the answer to ${JSON.stringify(map)}`);
    const answer = this.#answers.get(id);
    if (answer === undefined) throw new Error(`closed with ${this.closedWith}`);
    return answer;
  }

  send(map: ControlMap): void {
    this.#socket.send(encodeControl([FrameType.Control], map));
  }

  /** The first event of an order that is as wanted. */
  async event(orderId: number, wanted: Partial<ControlMap>): Promise<ControlMap> {
    const isWanted = (event: ControlMap): boolean =>
      event.orderId === orderId && Object.entries(wanted).every(([name, value]) => event[name] === value);
    await until(() => this.events.some(isWanted), `${JSON.stringify(wanted)} of order ${orderId}`);
    return this.events.find(isWanted) as ControlMap;
  }

  /** Numbers of the events, in the order in which they came. */
  get seqs(): number[] {
    return this.events.map(({ seq }) => seq as number);
  }

  close(): void {
    this.#socket.terminate();
  }

  #receive(message: Uint8Array): void {
    if (message[0] !== FrameType.Control) return;
    const map = { ...decodeControl(message, 1)! };
    if (map.action === 'event') this.events.push(map);
    else if (typeof map.id === 'number') this.#answers.set(map.id, map);
    else this.errors.push(map);
  }
}
