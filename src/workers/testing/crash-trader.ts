import { WebSocket } from 'ws';
import { type ControlMap, decodeControl, encodeControl } from '../../core/fan-out/control-codec.ts';
import { FrameType, SUBPROTOCOL_BINARY } from '../../core/fan-out/wire.ts';
import { RefusalCode } from '../../core/refusal-codes.ts';

/** What the events of an account say of one of its orders. */
export interface OrderView {
  readonly clientOrderId: string;
  readonly orderType: string;
  status: string;
  quantity: number;
  pricePaise: number;
  filledQty: number;
}

interface Sent {
  readonly map: ControlMap;
  readonly clientOrderId: string;
}

export interface CrashTraderOptions {
  readonly url: string;
  readonly userId: number;
  readonly token: string;
  readonly random: (below: number) => number;
  readonly symbols: readonly string[];
  /** 0 when it is not known yet. */
  readonly lastPaise: (symbol: string) => number;
  readonly counts: CommandCounts;
  /** A rule that was broken. */
  readonly onFault: (text: string) => void;
}

/** Over all traders. */
export interface CommandCounts {
  place: number;
  modify: number;
  cancel: number;
  acknowledged: number;
  /** Refusals by name. */
  readonly refused: Record<string, number>;
  resumes: number;
}

const RECONNECT_MS = 50;
const FAR_BPS = 250;
const NEAR_BPS = 60;
const LIVE = new Set(['PENDING', 'TRIGGER_PENDING', 'OPEN', 'PARTIALLY_FILLED']);

/**
 * One user under load: places, changes and cancels at random, comes back whenever the connection is lost, places anew with the same client order id what was not answered, and resumes its
 * events from the last one that it has. Every event must be the next one, and no execution may be told twice.
 */
export class CrashTrader {
  readonly userId: number;
  readonly orders = new Map<number, OrderView>();
  /** OrderID by client order id. */
  readonly acknowledged = new Map<string, number>();
  /** Client order ids that were refused, once and for all. */
  readonly refused = new Map<string, string>();
  seq = 0;
  readonly #options: CrashTraderOptions;
  readonly #execIds = new Set<string>();
  readonly #live = new Set<number>();
  readonly #unanswered = new Map<number, Sent>();
  /** Orders whose answer was lost, to be placed again. */
  #uncertain: ControlMap[] = [];
  /** Of which it is not known whether the first attempt did it: a refusal of the second says nothing of the first. */
  readonly #repeated = new Set<string>();
  #socket: WebSocket | undefined;
  #id = 0;
  #number = 0;
  /** Logged in, and events flow. */
  #isResumed = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CrashTraderOptions) {
    this.userId = options.userId;
    this.#options = options;
    this.#connect();
  }

  get isResumed(): boolean {
    return this.#isResumed;
  }

  /** Nothing is under way, and nothing is left to be asked again. */
  get isQuiet(): boolean {
    return this.#isResumed && this.#unanswered.size === 0 && this.#uncertain.length === 0;
  }

  /** One command. */
  act(): void {
    if (!this.#isResumed) return;
    const roll = this.#options.random(100);
    const again = this.#uncertain.pop();
    if (again !== undefined) this.#send(again);
    else if (roll < 60 || this.#live.size === 0) this.#place();
    else if (roll < 80) this.#modify();
    else this.#cancel(this.#pick());
  }

  get liveCount(): number {
    return this.#live.size;
  }

  /** Cancels this share of the orders that live. */
  cancelAbout(share: number): void {
    if (!this.#isResumed) return;
    for (const orderId of this.#live) if (this.#options.random(1_000) < share * 1_000) this.#cancel(orderId);
  }

  /** Asks again what was not answered. */
  settle(): void {
    while (this.#isResumed && this.#uncertain.length > 0) this.#send(this.#uncertain.pop()!);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.terminate();
  }

  #connect(): void {
    const { url } = this.#options;
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, SUBPROTOCOL_BINARY);
    this.#socket = socket;
    socket.on('open', () => this.#request({ action: 'login', token: this.#options.token }));
    socket.on('message', (data: Buffer) => this.#receive(new Uint8Array(data)));
    socket.on('error', () => {});
    socket.on('close', () => this.#lost());
  }

  #lost(): void {
    this.#isResumed = false;
    for (const { map, clientOrderId } of this.#unanswered.values()) this.#isUncertain(map, clientOrderId);
    this.#unanswered.clear();
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => this.#connect(), RECONNECT_MS + this.#options.random(RECONNECT_MS));
  }

  #isUncertain(map: ControlMap, clientOrderId: string): void {
    if (clientOrderId === '') return;
    this.#repeated.add(clientOrderId);
    this.#uncertain.push(map);
  }

  #request(map: ControlMap, clientOrderId = ''): void {
    const id = ++this.#id;
    this.#unanswered.set(id, { map, clientOrderId });
    this.#socket!.send(encodeControl([FrameType.Control], { id, ...map }));
  }

  #send(map: ControlMap): void {
    this.#options.counts.place++;
    this.#request(map, map.clientOrderId as string);
  }

  #place(): void {
    const { random, symbols, lastPaise } = this.#options;
    const symbol = symbols[random(symbols.length)]!;
    const last = lastPaise(symbol);
    if (last === 0) return;
    const side = random(2) === 0 ? 'BUY' : 'SELL';
    const product = ['MIS', 'NRML', side === 'BUY' ? 'CNC' : 'MIS'][random(3)]!;
    const order = {
      ...{ action: 'place', symbol, side, product, quantity: 1 + random(40) },
      clientOrderId: `${this.userId}-${++this.#number}`,
    };
    const roll = random(100);
    if (roll < 8) this.#send({ ...order, orderType: 'MARKET' });
    else if (roll < 14) this.#send({ ...order, orderType: 'LIMIT', validity: 'IOC', pricePaise: this.#near(last) });
    else if (roll < 20) {
      const bps = 10 + random(100);
      const triggerPricePaise = at(last, side === 'BUY' ? bps : -bps);
      this.#send({ ...order, orderType: 'SL-M', triggerPricePaise });
    } else
      this.#send({ ...order, orderType: 'LIMIT', pricePaise: roll < 60 ? this.#near(last) : this.#far(last, side) });
  }

  #modify(): void {
    const orderId = this.#pick();
    const order = this.orders.get(orderId)!;
    if (order.orderType !== 'LIMIT') return;
    const quantity = Math.max(order.filledQty + 1, 1 + this.#options.random(40));
    this.#options.counts.modify++;
    const pricePaise = at(order.pricePaise, this.#options.random(60) - 30);
    this.#request({ action: 'modify', orderId, orderType: 'LIMIT', quantity, pricePaise });
  }

  #cancel(orderId: number): void {
    this.#options.counts.cancel++;
    this.#request({ action: 'cancel', orderId });
  }

  /** A live order. */
  #pick(): number {
    let skip = this.#options.random(Math.min(this.#live.size, 20));
    for (const orderId of this.#live) if (skip-- === 0) return orderId;
    return 0;
  }

  #near(last: number): number {
    return at(last, this.#options.random(2 * NEAR_BPS) - NEAR_BPS);
  }

  /** Where it rests. */
  #far(last: number, side: string): number {
    const bps = NEAR_BPS + this.#options.random(FAR_BPS);
    return at(last, side === 'BUY' ? -bps : bps);
  }

  #receive(message: Uint8Array): void {
    if (message[0] !== FrameType.Control) return;
    const map = decodeControl(message, 1)!;
    if (map.action === 'event') {
      // What is pushed between login and resume is told again.
      if (this.#isResumed) this.#onEvent(map);
      return;
    }
    if (typeof map.id !== 'number') return;
    const sent = this.#unanswered.get(map.id);
    this.#unanswered.delete(map.id);
    if (sent !== undefined) this.#onAnswer(sent, map);
  }

  #onAnswer({ map, clientOrderId }: Sent, answer: ControlMap): void {
    const { counts, onFault } = this.#options;
    const error = answer.error as ControlMap | undefined;
    if (map.action === 'login' || map.action === 'resume') {
      if (error !== undefined) this.#socket!.terminate();
      else if (map.action === 'login') this.#request({ action: 'resume', fromSeq: this.seq });
      else {
        counts.resumes++;
        this.#isResumed = true;
      }
    } else if (error !== undefined) {
      const code = String(error.code);
      counts.refused[code] = (counts.refused[code] ?? 0) + 1;
      if (error.refusal === RefusalCode.NotServing) this.#isUncertain(map, clientOrderId);
      else if (clientOrderId !== '' && !this.#repeated.has(clientOrderId)) this.refused.set(clientOrderId, code);
    } else if (clientOrderId !== '') {
      counts.acknowledged++;
      const orderId = answer.orderId as number;
      const before = this.acknowledged.get(clientOrderId) ?? orderId;
      if (before !== orderId) onFault(`user ${this.userId}: ${clientOrderId} is order ${before} and order ${orderId}`);
      this.acknowledged.set(clientOrderId, orderId);
    }
  }

  #onEvent(event: ControlMap): void {
    const { onFault } = this.#options;
    const seq = event.seq as number;
    if (seq !== this.seq + 1) onFault(`user ${this.userId}: event ${seq} after event ${this.seq}`);
    this.seq = seq;
    const orderId = event.orderId as number | undefined;
    if (orderId === undefined) return;
    if (event.type === 'OrderPlaced') {
      const { clientOrderId, status, orderType, quantity, pricePaise } = event as unknown as OrderView;
      this.orders.set(orderId, { clientOrderId, status, orderType, quantity, pricePaise, filledQty: 0 });
      this.#live.add(orderId);
      return;
    }
    const order = this.orders.get(orderId);
    if (order === undefined) {
      onFault(`user ${this.userId}: ${event.type} of order ${orderId}, which was never placed`);
      return;
    }
    if (event.type === 'OrderFilled') this.#onFill(order, orderId, event);
    if (event.type === 'OrderModified') {
      order.quantity = event.quantity as number;
      order.pricePaise = event.pricePaise as number;
    }
    if (typeof event.status === 'string') order.status = event.status;
    if (LIVE.has(order.status)) this.#live.add(orderId);
    else this.#live.delete(orderId);
  }

  #onFill(order: OrderView, orderId: number, { execId, lastQty, filledQty }: ControlMap): void {
    const key = `${orderId} ${execId}`;
    if (this.#execIds.has(key)) this.#options.onFault(`user ${this.userId}: execution ${key} was told twice`);
    this.#execIds.add(key);
    order.filledQty += lastQty as number;
    if (order.filledQty !== filledQty)
      this.#options.onFault(`order ${orderId}: ${order.filledQty} by its fills, ${filledQty} as told`);
  }
}

/** So many basis points away, in whole rupees, which every tick divides. */
function at(paise: number, bps: number): number {
  return Math.max(100, Math.round((paise * (1 + bps / 10_000)) / 100) * 100);
}
