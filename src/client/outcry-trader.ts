import type { ControlMap } from '../core/fan-out/control-codec.ts';
import type {
  AccountEvent,
  CancelsRequested,
  Change,
  DryRun,
  Funds,
  Holding,
  NewOrder,
  Order,
  OrderTerms,
  Page,
  Placed,
  Position,
  Trade,
} from './account-types.ts';
import { errorOf, OutcryClientError } from './client-guest.ts';
import type { OutcryClient } from './outcry-client.ts';

export interface OutcryTraderOptions {
  readonly client: OutcryClient;
  /** Asked for before each login: on every connection, and when the last one expired. */
  readonly token: () => string | Promise<string>;
  /** Every event of the account once, in the order of `seq` and without a gap, over any number of reconnects. */
  readonly onEvent?: (event: AccountEvent) => void;
  /** The last event that is known already: those after it are told first. Those from now on when left out. */
  readonly fromSeq?: number;
  /** Logged in, and events flow. */
  readonly onLoggedIn?: (userId: number, seq: number) => void;
  /** The server refused a login; none is tried until the next connection. */
  readonly onRefused?: (error: OutcryClientError) => void;
}

/** Where a page of rows begins, and how many it has at most. */
export interface PageRequest {
  readonly from?: number;
  readonly limit?: number;
}

interface Request {
  readonly map: ControlMap;
  /** Sent again on a new connection: asking twice does no more than asking once. */
  readonly isRepeatable: boolean;
  isSent: boolean;
  readonly resolve: (reply: ControlMap) => void;
  readonly reject: (error: OutcryClientError) => void;
}

/** Apart from those of quotes. */
const FIRST_ID = 2 ** 31;
const REQUESTS_MAX = 1_000;
const TOKEN_EXPIRED = 'TOKEN_EXPIRED';

/** An account at Outcry: orders, reads and the stream of its events, over the connection of an OutcryClient, which it logs in. */
export class OutcryTrader {
  readonly #options: OutcryTraderOptions;
  readonly #client: OutcryClient;
  readonly #requests = new Map<number, Request>();
  #nextId = FIRST_ID;
  /** Of the login that is under way. */
  #loginId = 0;
  #isLoggedIn = false;
  #seq: number | undefined;

  constructor(options: OutcryTraderOptions) {
    this.#options = options;
    this.#client = options.client;
    this.#seq = options.fromSeq;
    this.#client.attach({
      opened: () => void this.#logIn(),
      lost: () => this.#lost(),
      ended: (error) => this.#ended(error),
      receive: (map) => this.#receive(map),
    });
  }

  get isLoggedIn(): boolean {
    return this.#isLoggedIn;
  }

  /** The last event that was told; undefined before the first login. */
  get seq(): number | undefined {
    return this.#seq;
  }

  /** Resolves when the order is durable. Without a `clientOrderId` it gets one, so that a lost connection never places it twice. */
  async place(order: NewOrder): Promise<Placed> {
    const clientOrderId = order.clientOrderId ?? globalThis.crypto.randomUUID();
    return (await this.#ask({ ...order, action: 'place', clientOrderId }, true)) as unknown as Placed;
  }

  /** Every check with its numbers, margin and charges; changes nothing. */
  async dryRun(order: NewOrder): Promise<DryRun> {
    return (await this.#ask({ ...order, action: 'place', dryRun: true }, true)) as unknown as DryRun;
  }

  async modify(orderId: number, terms: OrderTerms): Promise<Change> {
    return (await this.#ask({ ...terms, action: 'modify', orderId }, false)) as unknown as Change;
  }

  async cancel(orderId: number): Promise<Change> {
    return (await this.#ask({ action: 'cancel', orderId }, false)) as unknown as Change;
  }

  /** Every open order, or those in one instrument. */
  async cancelAll(symbol?: string): Promise<CancelsRequested> {
    const of = symbol === undefined ? {} : { symbol };
    return (await this.#ask({ ...of, action: 'cancel_all' }, false)) as unknown as CancelsRequested;
  }

  /** Orders that are not done and those of today, newest first. */
  async orders(page: PageRequest = {}): Promise<Page<Order>> {
    return (await this.#ask({ ...page, action: 'orders' }, true)) as unknown as Page<Order>;
  }

  async trades(page: PageRequest = {}): Promise<Page<Trade>> {
    return (await this.#ask({ ...page, action: 'trades' }, true)) as unknown as Page<Trade>;
  }

  async positions(page: PageRequest = {}): Promise<Page<Position>> {
    return (await this.#ask({ ...page, action: 'positions' }, true)) as unknown as Page<Position>;
  }

  async holdings(page: PageRequest = {}): Promise<Page<Holding>> {
    return (await this.#ask({ ...page, action: 'holdings' }, true)) as unknown as Page<Holding>;
  }

  async funds(): Promise<Funds> {
    return (await this.#ask({ action: 'funds' }, true)) as unknown as Funds;
  }

  async #logIn(): Promise<void> {
    const id = this.#newId();
    this.#loginId = id;
    try {
      const token = await this.#options.token();
      // The connection may be another one by now.
      if (this.#loginId === id) this.#client.send({ id, action: 'login', token });
    } catch (error) {
      this.#options.onRefused?.(new OutcryClientError('NO_TOKEN', String((error as Error).message)));
    }
  }

  #receive(map: ControlMap): boolean {
    const { id } = map;
    if (map.action === 'event') {
      this.#onEvent(map as unknown as AccountEvent);
      return true;
    }
    const error = errorOf(map);
    if (error?.code === TOKEN_EXPIRED && this.#isLoggedIn) {
      this.#isLoggedIn = false;
      void this.#logIn();
      const tooLate = typeof id === 'number' ? this.#requests.get(id) : undefined;
      if (tooLate !== undefined) tooLate.isSent = false;
      return true;
    }
    if (typeof id !== 'number' || id < FIRST_ID) return false;
    if (id === this.#loginId) {
      if (error !== undefined) this.#options.onRefused?.(error);
      else this.#loggedIn(Number(map.userId), Number(map.seq));
      return true;
    }
    const request = this.#requests.get(id);
    this.#requests.delete(id);
    if (error !== undefined) request?.reject(error);
    else request?.resolve(map);
    return true;
  }

  #loggedIn(userId: number, seq: number): void {
    this.#isLoggedIn = true;
    this.#seq ??= seq;
    if (this.#seq < seq) this.#resume();
    for (const [id, request] of this.#requests) if (!request.isSent) this.#send(id, request);
    this.#options.onLoggedIn?.(userId, seq);
  }

  #onEvent(event: AccountEvent): void {
    if (this.#seq === undefined || event.seq <= this.#seq) return;
    if (event.seq > this.#seq + 1) {
      this.#resume();
      return;
    }
    this.#seq = event.seq;
    this.#options.onEvent?.(event);
  }

  #resume(): void {
    this.#client.send({ id: this.#newId(), action: 'resume', fromSeq: this.#seq as number });
  }

  /** What was asked may have been done: only what does no more when it is asked twice is asked again. */
  #lost(): void {
    this.#isLoggedIn = false;
    this.#loginId = 0;
    for (const [id, request] of this.#requests) {
      const mayBeDone = request.isSent && !request.isRepeatable;
      request.isSent = false;
      if (!mayBeDone) continue;
      this.#requests.delete(id);
      request.reject(
        new OutcryClientError('LOST', 'the connection was lost before the answer: the events tell what became of it'),
      );
    }
  }

  #ended(error: OutcryClientError): void {
    this.#lost();
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    for (const { reject } of requests) reject(error);
  }

  #ask(map: object, isRepeatable: boolean): Promise<ControlMap> {
    return new Promise((resolve, reject) => {
      if (this.#client.state === 'closed') {
        reject(new OutcryClientError('CLOSED', 'the client is closed'));
      } else if (this.#requests.size >= REQUESTS_MAX) {
        reject(new OutcryClientError('TOO_MANY_REQUESTS', `${REQUESTS_MAX} requests wait for an answer already`));
      } else {
        const id = this.#newId();
        const request = { map: map as ControlMap, isRepeatable, isSent: false, resolve, reject };
        this.#requests.set(id, request);
        if (this.#isLoggedIn) this.#send(id, request);
      }
    });
  }

  #send(id: number, request: Request): void {
    request.isSent = true;
    this.#client.send({ id, ...request.map });
  }

  #newId(): number {
    const id = this.#nextId;
    this.#nextId = id === 0xffff_ffff ? FIRST_ID : id + 1;
    return id;
  }
}
