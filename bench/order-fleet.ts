import { LoadConnection, type LoadListener } from './load-connection.ts';
import type { OrderGroup } from './order-group.ts';
import type { OrderLoadSettings, OrderTrader } from './order-load-messages.ts';

/** One socket of a trader, logged in. */
export interface OrderSocket {
  readonly trader: OrderTrader;
  readonly connection: LoadConnection;
  placedCount: number;
}

/** An order on its way. */
interface SentOrder {
  readonly socket: OrderSocket;
  readonly group: OrderGroup;
  readonly dueMs: number;
}

const LOGIN_ID = 0;
/** Orders of a socket differ in quantity too, from 1 to so many. */
const QUANTITIES = 5;

/** The sockets of a load process, and the orders that were sent on them and have not ended. */
export class OrderFleet implements LoadListener {
  readonly sockets: OrderSocket[] = [];
  readonly noisySockets: OrderSocket[] = [];
  loggedIn = 0;
  /** Why the first connection was lost, or the first login refused. */
  failure: string | undefined;
  /** Called with the socket of each order that ended. */
  onEnd: (socket: OrderSocket) => void = () => {};
  readonly #settings: OrderLoadSettings;
  readonly #all: OrderSocket[] = [];
  readonly #byRequest = new Map<number, SentOrder>();
  readonly #byOrder = new Map<number, SentOrder>();
  #requestID = LOGIN_ID;

  constructor(settings: OrderLoadSettings) {
    this.#settings = settings;
  }

  get waiting(): number {
    return this.#byRequest.size + this.#byOrder.size;
  }

  open(trader: OrderTrader): void {
    const { host, port, noisy } = this.#settings;
    const connection = new LoadConnection(this.#all.length, { host, port, tls: false }, this);
    const socket = { trader, connection, placedCount: 0 };
    this.#all.push(socket);
    (trader === noisy ? this.noisySockets : this.sockets).push(socket);
  }

  /** Market orders, to and fro and from share to share: positions stay small, and no book is emptied faster than its market maker fills it. */
  place(socket: OrderSocket, group: OrderGroup, dueMs: number): void {
    const count = socket.placedCount++;
    const { symbols } = this.#settings;
    this.#requestID = (this.#requestID % 0xffff_ffff) + 1;
    const id = this.#requestID;
    this.#byRequest.set(id, { socket, group, dueMs });
    group.sent++;
    socket.connection.control({
      id,
      action: 'place',
      symbol: symbols[(socket.trader.firstSymbol + socket.connection.index + (count >> 1)) % symbols.length]!,
      side: count % 2 === 0 ? 'BUY' : 'SELL',
      product: 'MIS',
      orderType: 'MARKET',
      quantity: 1 + ((count >> 1) % QUANTITIES),
    });
  }

  /** Gives up what has not ended, and says how many there were. */
  forget(): number {
    const { waiting } = this;
    this.#byRequest.clear();
    this.#byOrder.clear();
    return waiting;
  }

  onOpen(connection: LoadConnection): void {
    const { token } = this.#all[connection.index]!.trader;
    connection.control({ id: LOGIN_ID, action: 'login', token });
  }

  onControl(connection: LoadConnection, control: Record<string, unknown>): void {
    if (control.action === 'event') this.#onEvent(connection, control);
    else if (control.id === LOGIN_ID) this.#onLogin(control);
    else this.#onAnswer(control);
  }

  onQuotes(): number {
    throw new Error('quotes without a subscription');
  }

  onClosed(_connection: LoadConnection, reason: string): void {
    this.failure ??= `a connection was lost: ${reason}`;
  }

  #onLogin(control: Record<string, unknown>): void {
    if (control.action === 'loggedIn') this.loggedIn++;
    else this.failure ??= `a login was refused: ${JSON.stringify(control)}`;
  }

  #onAnswer(control: Record<string, unknown>): void {
    const id = control.id as number;
    const sent = this.#byRequest.get(id);
    if (sent === undefined) return;
    this.#byRequest.delete(id);
    if (control.action === 'placed') {
      sent.group.acknowledge(performance.now() - sent.dueMs);
      this.#byOrder.set(control.orderId as number, sent);
    } else {
      sent.group.refuse(String((control.error as Record<string, unknown> | undefined)?.code));
      this.onEnd(sent.socket);
    }
  }

  #onEvent(connection: LoadConnection, { orderId, status }: Record<string, unknown>): void {
    if (status === 'PENDING' || status === 'OPEN' || status === 'PARTIALLY_FILLED' || status === undefined) return;
    const sent = this.#byOrder.get(orderId as number);
    // Each socket of a user is told of all of his orders.
    if (sent === undefined || sent.socket.connection !== connection) return;
    this.#byOrder.delete(orderId as number);
    if (status === 'FILLED') sent.group.fill(performance.now() - sent.dueMs);
    else sent.group.ended++;
    this.onEnd(sent.socket);
  }
}
