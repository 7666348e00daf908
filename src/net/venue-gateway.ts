import { assert } from '../core/assert.ts';
import { MemoryFixStore } from '../core/fix/fix-store.ts';
import { MsgType } from '../core/fix/generated/fix-enums.gen.ts';
import { HeldTargetStore } from '../core/fix/held-target-store.ts';
import type { NewOrderSingle, OrderCancelReplaceRequest, OrderCancelRequest } from '../core/fix/order-messages.ts';
import { OrderResendRule } from '../core/fix/order-resend-rule.ts';
import type {
  OrderMassCancelRequest,
  OrderMassStatusRequest,
  OrderStatusRequest,
} from '../core/fix/order-status-messages.ts';
import type { FixSessionSettings } from '../core/fix/session-contract.ts';
import { SessionRouter } from '../core/fix/session-router.ts';
import type { SessionScheduleSettings } from '../core/fix/session-schedule.ts';
import type { ThrottleSettings } from '../core/fix/throttle.ts';
import type { VenueOrder } from '../core/fix/venue-orders.ts';
import { VenueRefusal } from '../core/fix/venue-refusals.ts';
import type { VenueRequest } from '../core/fix/venue-requests.ts';
import { type VenueListener, VenueSession } from '../core/fix/venue-session.ts';
import type { FixInitiatorOptions } from './fix-tcp.ts';
import { ScheduledInitiator } from './scheduled-initiator.ts';

/** The longest that a session waits without being looked at, so that a clock that is set does not stop it. */
const LOOK_MS_MAX = 250;

/** One session of the gateway: where it connects to and as whom. */
export interface GatewaySessionOptions
  extends Omit<FixInitiatorOptions, 'application' | 'session' | 'now' | 'onReadEnd'> {
  /** By which accounts are given to it; SenderCompID(49) does. The same every day. */
  readonly name: string;
  /** Where it has no rule of its own for what is sent again, the one for orders holds. */
  readonly session: FixSessionSettings;
}

export interface VenueGatewayOptions {
  readonly sessions: readonly GatewaySessionOptions[];
  readonly listener: VenueListener;
  /**
   * The listener commits what it is told later, and says so with `committed`: until then the session's store does not learn the number, and a process that dies is
   * told again. Absent is false: what the listener was told counts as done.
   */
  readonly commitsLater?: boolean;
  /** The venue's limit, for each session. */
  readonly throttle: ThrottleSettings;
  /** Live orders that a session keeps at most; beyond, orders are refused. 100,000. */
  readonly ordersMax?: number;
  /** Accounts that must be on a certain session, by its name. */
  readonly pinned?: ReadonlyMap<string, string>;
  /** When sessions are held; absent is always. */
  readonly schedule?: SessionScheduleSettings;
  /**
   * Whether a session may begin a day with new numbers: nothing of the day before is open on it. Absent is always. Besides, no order may be alive on it and nothing may wait to be
   * committed, since what the venue has yet to tell, and what it would tell again, goes by the old numbers.
   */
  readonly mayReset?: (name: string, nowMs: number) => boolean;
  /** Epoch milliseconds of the last activity of a session of before this process, or of when its numbers began; 0 for none. */
  readonly lastActiveMs?: (name: string) => number;
  readonly now?: () => number;
}

const ORDERS_MAX = 100_000;

interface GatewaySession {
  readonly orders: VenueSession;
  readonly heldStore: HeldTargetStore | null;
  readonly initiator: ScheduledInitiator;
}

/**
 * Everything that goes to a venue about orders, and what comes back, over one session or several. All messages of an account go over its one session, up or
 * down. Each call returns None, when the request was sent or waits behind the venue's limit, or why it was not taken; what is taken and
 * comes to nothing later is told by `onRefused`.
 */
export class VenueGateway {
  readonly #sessions: readonly GatewaySession[];
  readonly #router: SessionRouter;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #closing = false;

  constructor(options: VenueGatewayOptions) {
    const { listener, throttle, ordersMax = ORDERS_MAX, schedule, now = Date.now } = options;
    this.#now = now;
    this.#router = new SessionRouter(
      options.sessions.map(({ name }) => name),
      options.pinned,
    );
    this.#sessions = options.sessions.map((each) => {
      const { name, ...connection } = each;
      const { beginString, resendable } = connection.session;
      const session = { ...connection.session, resendable: resendable ?? new OrderResendRule().resendable };
      const heldStore = options.commitsLater ? new HeldTargetStore(connection.store ?? new MemoryFixStore()) : null;
      const orders = new VenueSession({ name, beginString, throttle, ordersMax }, listener, heldStore);
      const held = heldStore === null ? {} : { store: heldStore };
      const initiator = new ScheduledInitiator({
        connection: { ...connection, ...held, session, application: orders, now },
        schedule: schedule ?? null,
        lastActiveMs: options.lastActiveMs?.(name) ?? 0,
        mayReset: (nowMs) =>
          (options.mayReset?.(name, nowMs) ?? true) && orders.liveCount === 0 && heldStore?.isOpen !== true,
      });
      return { orders, heldStore, initiator };
    });
    this.#look(now());
  }

  /** NewOrderSingle, over the session of its account. */
  place(order: NewOrderSingle): VenueRefusal {
    return this.#request(order.account, { msgType: MsgType.NewOrderSingle, body: order });
  }

  /** OrderCancelRequest. Withdrawn means that the order still waited here: it never leaves, and nothing was sent. */
  cancel(account: string, request: OrderCancelRequest): VenueRefusal {
    return this.#request(account, { msgType: MsgType.OrderCancelRequest, body: request });
  }

  /** OrderCancelReplaceRequest. */
  replace(request: OrderCancelReplaceRequest): VenueRefusal {
    return this.#request(request.account, { msgType: MsgType.OrderCancelReplaceRequest, body: request });
  }

  /** OrderStatusRequest. */
  status(account: string, request: OrderStatusRequest): VenueRefusal {
    return this.#request(account, { msgType: MsgType.OrderStatusRequest, body: request });
  }

  /** OrderMassCancelRequest: of all orders that went over the session, whatever their account; 4.4 has no narrower one. */
  massCancel(sessionName: string, request: OrderMassCancelRequest): VenueRefusal {
    return this.#requestOf(this.#named(sessionName), { msgType: MsgType.OrderMassCancelRequest, body: request });
  }

  /** OrderMassStatusRequest: as wide as a mass cancel. */
  massStatus(sessionName: string, request: OrderMassStatusRequest): VenueRefusal {
    return this.#requestOf(this.#named(sessionName), { msgType: MsgType.OrderMassStatusRequest, body: request });
  }

  /** Asks after every live order of a session, as at a logon: `onSettled` follows. */
  askAll(sessionName: string): void {
    this.#named(sessionName).orders.askAll(this.#now());
  }

  /** An order of before this process that may still be alive: it is asked after at the next logon. */
  adopt(account: string, clOrdID: string, symbol: string, side: VenueOrder['side']): VenueRefusal {
    return this.#sessionOf(account).orders.adopt(clOrdID, symbol, side);
  }

  /** What the listener did on this delivery, and on those before it, is durable. */
  committed(sessionName: string, epoch: number, msgSeqNum: number): void {
    this.#named(sessionName).heldStore?.committed(epoch, msgSeqNum);
  }

  /** The session of an account. */
  sessionNameOf(account: string): string {
    return this.#sessionOf(account).orders.name;
  }

  isUp(sessionName: string): boolean {
    return this.#named(sessionName).orders.loggedOn;
  }

  /** Logs out of all sessions and closes them; resolves when nothing is left. What waits is refused. */
  async close(text: string): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#timer);
    await Promise.all(this.#sessions.map(({ initiator }) => initiator.close(text)));
  }

  #request(account: string, request: VenueRequest): VenueRefusal {
    return this.#requestOf(this.#sessionOf(account), request);
  }

  #requestOf({ orders }: GatewaySession, request: VenueRequest): VenueRefusal {
    if (this.#closing) return VenueRefusal.Closing;
    const nowMs = this.#now();
    const refusal = orders.request(request, nowMs);
    // The first that waits sets the timer; those behind it are behind it.
    if (orders.queuedCount === 1) this.#look(nowMs);
    return refusal;
  }

  #sessionOf(account: string): GatewaySession {
    return this.#sessions[this.#router.sessionOf(account)]!;
  }

  #named(sessionName: string): GatewaySession {
    const session = this.#sessions.find(({ orders }) => orders.name === sessionName);
    assert(session !== undefined, `${sessionName} is a session of this gateway`);
    return session;
  }

  #onTimer(): void {
    const nowMs = this.#now();
    for (const { orders } of this.#sessions) orders.onTimer(nowMs);
    this.#look(nowMs);
  }

  /** Looks again when the next waiting message may go, or a little later for what begins by itself. */
  #look(nowMs: number): void {
    clearTimeout(this.#timer);
    let waitMs = LOOK_MS_MAX;
    for (const { orders } of this.#sessions) waitMs = Math.min(waitMs, orders.waitMs(nowMs));
    this.#timer = setTimeout(() => this.#onTimer(), Math.max(1, waitMs));
  }
}
