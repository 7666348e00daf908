import type { Prng } from '../exchange/prng.ts';
import { FixSession } from '../fix/fix-session.ts';
import { MsgType } from '../fix/generated/fix-enums.gen.ts';
import { HeldTargetStore } from '../fix/held-target-store.ts';
import { OrderResendRule } from '../fix/order-resend-rule.ts';
import { SESSION_DEFAULTS } from '../fix/session-contract.ts';
import { SessionRouter } from '../fix/session-router.ts';
import type { VenueRefusal } from '../fix/venue-refusals.ts';
import type { VenueRequest } from '../fix/venue-requests.ts';
import { type VenueListener, VenueSession } from '../fix/venue-session.ts';
import type { VenueEffects } from '../orders/order-effects.ts';
import { EXCHANGE_COMP_ID, type ModelExchange } from './model-exchange.ts';
import { ModelFixStore, type ModelStoreDisk } from './model-fix-store.ts';
import { ModelWire, WireEnd, type WireProbe } from './model-wire.ts';
import type { Scheduler } from './scheduler.ts';
import type { Tampering } from './tampering.ts';

export const SESSION_NAMES = ['BROKER1', 'BROKER2'] as const;

const THROTTLE = { messagesPerSecond: 400, burst: 40, queueMax: 2_000 };
const ORDERS_MAX = 50_000;
const RECONNECT_MICROS_MIN = 5_000;
const RECONNECT_MICROS_RANGE = 150_000;
/** One connection in so many takes so long that what was sent before is old. */
const LONG_AWAY_ONE_IN = 10;
const LONG_AWAY_MICROS = 5_000_000;

/** What the order sessions of one engine's life are made of. */
export interface SessionsWorld {
  readonly scheduler: Scheduler;
  readonly random: Prng;
  readonly exchange: ModelExchange;
  readonly disks: ReadonlyMap<string, ModelStoreDisk>;
  readonly tampering: Tampering;
}

interface BrokerSession {
  readonly store: ModelFixStore;
  readonly held: HeldTargetStore;
  readonly end: WireEnd;
  readonly orders: VenueSession;
  readonly fix: FixSession;
  wire: ModelWire | null;
  isSettled: boolean;
}

/** The gateway of one engine's life: real FIX sessions over model wires and model disks. */
export class BrokerSessions {
  readonly #world: SessionsWorld;
  readonly #router = new SessionRouter(SESSION_NAMES);
  readonly #sessions: readonly BrokerSession[];
  #isDead = false;

  constructor(world: SessionsWorld, listener: VenueListener, probeOf: (name: string) => WireProbe) {
    this.#world = world;
    this.#sessions = SESSION_NAMES.map((name) => this.#session(name, listener, probeOf(name)));
  }

  /** Logged on, settled, and nothing on the way. */
  get isAtRest(): boolean {
    return this.#sessions.every(
      ({ orders, isSettled, end, wire }) =>
        orders.loggedOn && wire?.isCut === false && isSettled && orders.queuedCount === 0 && end.underWayCount === 0,
    );
  }

  isSettled(name: string): boolean {
    return this.#named(name).isSettled;
  }

  settled(name: string, isSettled: boolean): void {
    const session = this.#sessions.find(({ orders }) => orders.name === name);
    if (session !== undefined) session.isSettled = isSettled;
  }

  wireOf(name: string): ModelWire | null {
    return this.#named(name).wire;
  }

  endOf(name: string): WireEnd {
    return this.#named(name).end;
  }

  connect(): void {
    for (const session of this.#sessions) this.#connectSoon(session);
  }

  onTimer(nowMs: number): void {
    for (const session of this.#sessions) {
      session.orders.onTimer(nowMs);
      session.fix.onTimer(nowMs);
    }
  }

  /** The process dies; the disks keep what they had, and any part of what was not synced. */
  die(): void {
    this.#isDead = true;
    for (const { store, end, wire, orders } of this.#sessions) {
      store.die();
      end.abandon();
      wire?.cut();
      this.#world.disks.get(orders.name)!.crash(this.#world.random);
    }
  }

  /** The gateway as the service sees it; `leaving` is told before each request. */
  effects(leaving: () => void): VenueEffects {
    return {
      place: (order) => {
        leaving();
        return this.#request(order.account, { msgType: MsgType.NewOrderSingle, body: order });
      },
      cancel: (account, request) => {
        leaving();
        return this.#request(account, { msgType: MsgType.OrderCancelRequest, body: request });
      },
      replace: (request) => {
        leaving();
        return this.#request(request.account, { msgType: MsgType.OrderCancelReplaceRequest, body: request });
      },
      status: (account, request) => {
        leaving();
        return this.#request(account, { msgType: MsgType.OrderStatusRequest, body: request });
      },
      sessionNameOf: (account) => SESSION_NAMES[this.#router.sessionOf(account)]!,
      adopt: (account, clOrdID, symbol, side) =>
        this.#sessions[this.#router.sessionOf(account)]!.orders.adopt(clOrdID, symbol, side),
      askAll: (name) => this.#named(name).orders.askAll(this.#world.scheduler.nowMs),
      committed: (name, epoch, msgSeqNum) => {
        if (this.#world.tampering.learnsAtOnce !== true) this.#named(name).held.committed(epoch, msgSeqNum);
      },
    };
  }

  get whatMoves(): string {
    return this.#sessions
      .map(
        ({ orders, isSettled, end }) =>
          `${orders.name} ${orders.loggedOn ? 'up' : 'down'} ${isSettled ? 'settled' : 'not settled'} ${orders.queuedCount} queued ${end.underWayCount} under way`,
      )
      .join(', ');
  }
  #request(account: string, request: VenueRequest): VenueRefusal {
    return this.#sessions[this.#router.sessionOf(account)]!.orders.request(request, this.#world.scheduler.nowMs);
  }

  #named(name: string): BrokerSession {
    return this.#sessions.find(({ orders }) => orders.name === name)!;
  }

  #connectSoon(session: BrokerSession): void {
    const { scheduler, random } = this.#world;
    const longer = random.below(LONG_AWAY_ONE_IN) === 0 ? LONG_AWAY_MICROS : 0;
    const micros = RECONNECT_MICROS_MIN + longer + random.below(RECONNECT_MICROS_RANGE);
    scheduler.after(micros, () => this.#connect(session));
  }

  #connect(session: BrokerSession): void {
    const { scheduler, random, exchange } = this.#world;
    if (this.#isDead) return;
    const far = exchange.ends.get(session.orders.name)!;
    // The exchange may not have noticed yet that the connection before is gone.
    if (session.end.isConnected || far.isConnected) this.#connectSoon(session);
    else session.wire = new ModelWire(session.end, far, scheduler, random);
  }

  #session(name: string, listener: VenueListener, probe: WireProbe): BrokerSession {
    const { scheduler, random, disks, tampering } = this.#world;
    const store = new ModelFixStore(disks.get(name)!, scheduler, random);
    const held = new HeldTargetStore(store);
    const settings = { name, beginString: 'FIX.4.4', throttle: THROTTLE, ordersMax: ORDERS_MAX };
    const orders = new VenueSession(settings, listener, held);
    const end = new WireEnd(scheduler, random);
    const fixSettings = {
      ...SESSION_DEFAULTS,
      role: 'initiator' as const,
      senderCompID: name,
      targetCompID: EXCHANGE_COMP_ID,
      gapPolicy: 'resend' as const,
      resetOnLogon: false,
      heartBtIntSeconds: 0,
      resendable: tampering.resendsAll === true ? null : new OrderResendRule().resendable,
    };
    const fix = new FixSession(fixSettings, end, orders, tampering.learnsAtOnce === true ? store : held);
    const session: BrokerSession = { store, held, end, orders, fix, wire: null, isSettled: false };
    end.use(fix, tampering.leavesUnsynced === true ? null : store, probe);
    end.onLost = () => this.#connectSoon(session);
    return session;
  }
}
