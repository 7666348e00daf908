import type { TemplatedApp } from 'uWebSockets.js';
import { PerformanceObserver } from 'node:perf_hooks';
import { OutcryError } from '../core/errors.ts';
import { FanOut } from '../core/fan-out/fan-out.ts';
import { InstrumentDirectory } from '../core/fan-out/instrument-directory.ts';
import { OrderRingReader, OrderRingWriter } from '../core/order-entry/order-ring.ts';
import { FAN_OUT_STATS_COLLECTIONS } from '../core/shm/generated/worker-stats.gen.ts';
import { WakeBell } from '../core/shm/wake-bell.ts';
import { FanOutLoop } from '../net/fan-out-loop.ts';
import { type HttpRoutes, mountHttpRoutes } from '../net/http-routes.ts';
import { OrderDesk } from '../net/order-desk.ts';
import { OrderLine } from '../net/order-line.ts';
import { verifyToken } from '../net/token.ts';
import { readTokenSecret } from '../net/token-secret.ts';
import { openApp, WsServer } from '../net/ws-server.ts';
import type { Agent, ControlMessage } from './agent.ts';
import { RingWatch } from './ring-watch.ts';
import { COMMAND_RING_BYTES, type FanOutWiring } from './topology.ts';

/** Half as many sockets may be on their way as there may be connections, which files are provided for; a small server takes so many. */
const PENDING_SOCKETS_LEAST = 256;

/** How long closed sockets get to take their close message before the App is closed over them. */
const CLOSE_GRACE_MS = 50;

/** Epoch milliseconds with a fraction, on the clock by which the feed worker tells arrivals. */
function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** The fan-out role: serves WebSocket clients, and HTTP on the same port. */
export class FanOutAgent implements Agent {
  readonly roleName: string;
  readonly #wiring: FanOutWiring;
  readonly #directory: InstrumentDirectory;
  readonly #loop: FanOutLoop;
  readonly #server: WsServer;
  #app: TemplatedApp | undefined;
  readonly #orders: OrderDesk | undefined;
  readonly #orderNews: RingWatch | undefined;
  #http: HttpRoutes | undefined;
  readonly #collections: PerformanceObserver;

  constructor(wiring: FanOutWiring) {
    const { settings, buffers, stats, instrumentCapacity, workerIndex } = wiring;
    this.roleName = wiring.roleName;
    this.#wiring = wiring;
    this.#directory = new InstrumentDirectory(instrumentCapacity);
    this.#directory.load(wiring.rows);
    const fanOut = new FanOut({
      board: buffers.board,
      dirtySet: buffers.dirtySets[workerIndex]!,
      stats,
      instrumentCapacity,
      directory: this.#directory,
      // Without a tick there is nothing to spread.
      phaseCount: settings.tickMs === 0 ? 1 : settings.phaseGroups,
      filterBps: settings.filterBps,
      maxConnections: settings.maxConnections,
      maxSubscriptions: settings.maxSubscriptionsPerConnection,
    });
    const counters = new Float64Array(stats);
    this.#collections = new PerformanceObserver((list) => {
      counters[FAN_OUT_STATS_COLLECTIONS >> 1]! += list.getEntries().length;
    });
    this.#loop = new FanOutLoop({ fanOut, stats, tickMs: settings.tickMs, nowMs });
    if (settings.tokens !== null) {
      const secret = readTokenSecret({ ...settings.tokens, environment: process.env });
      const orders = this.#openDesk(secret);
      this.#orders = orders;
      this.#orderNews = new RingWatch(buffers.fanOutBells[workerIndex]!, () => {
        orders.poll();
        return false;
      });
    }
    this.#server = new WsServer({
      fanOut,
      stats,
      tickMs: settings.tickMs,
      nowMs,
      onWork: () => this.#loop.wake(),
      allowedOrigins: settings.allowedOrigins,
      maxPendingSockets: Math.max(PENDING_SOCKETS_LEAST, Math.ceil(settings.maxConnections / 2)),
      ...(this.#orders === undefined ? {} : { orders: this.#orders }),
    });
  }

  async onStart(): Promise<void> {
    const { settings, buffers, rows } = this.#wiring;
    this.#collections.observe({ entryTypes: ['gc'] });
    const app = openApp(settings.tls);
    this.#app = app;
    this.#server.mount(app);
    const view = {
      engine: new Float64Array(buffers.engineStats),
      feed: new Float64Array(buffers.feedStats),
      orders: settings.tokens === null ? undefined : new Float64Array(buffers.orderStats),
      fanOut: buffers.fanOutStats.map((block) => new Float64Array(block)),
      marketHours: settings.marketHours,
    };
    this.#http = mountHttpRoutes(app, { view, rows, publicDir: settings.publicDir });
    await new Promise<void>((resolve, reject) => {
      app.listen(settings.host, settings.port, (socket) => {
        if (socket) resolve();
        else reject(new OutcryError('LISTEN_FAILED', `${settings.host}:${settings.port}`));
      });
    });
    this.#loop.start(this.#server);
    this.#orderNews?.start();
  }

  /** The loop keeps its own time; what is looked at here is who may still do what. */
  onTimer(nowMs: number): void {
    this.#orders?.onTimer(nowMs);
  }

  onControl(message: ControlMessage): void {
    if (message.type !== 'instruments') return;
    this.#directory.load(message.rows);
    this.#http?.setInstruments(message.rows);
  }

  async onClose(): Promise<void> {
    this.#collections.disconnect();
    this.#orderNews?.stop();
    this.#loop.stop();
    this.#server.closeAll();
    await new Promise((resolve) => setTimeout(resolve, CLOSE_GRACE_MS));
    this.#app?.close();
    this.#app = undefined;
  }

  #openDesk(secret: Uint8Array): OrderDesk {
    const { buffers, workerIndex, generation } = this.#wiring;
    const bell = new WakeBell(buffers.orderBell);
    const commands = new OrderRingWriter(buffers.commandRings[workerIndex]!, COMMAND_RING_BYTES, bell);
    return new OrderDesk({
      line: new OrderLine(commands, buffers.orderStats, generation),
      answers: new OrderRingReader(buffers.answerRings[workerIndex]!),
      generation,
      verify: (token, nowMs) => verifyToken(secret, token, nowMs),
    });
  }
}
