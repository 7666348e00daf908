import uWS, { type TemplatedApp } from 'uWebSockets.js';
import { OutcryError } from '../core/errors.ts';
import { FanOut } from '../core/fan-out/fan-out.ts';
import { InstrumentDirectory } from '../core/fan-out/instrument-directory.ts';
import { FanOutLoop } from '../net/fan-out-loop.ts';
import { type HttpRoutes, mountHttpRoutes } from '../net/http-routes.ts';
import { WsServer } from '../net/ws-server.ts';
import type { Agent, ControlMessage } from './agent.ts';
import type { FanOutWiring } from './topology.ts';

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
  #http: HttpRoutes | undefined;

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
    this.#loop = new FanOutLoop({ fanOut, stats, tickMs: settings.tickMs, nowMs });
    this.#server = new WsServer({
      fanOut,
      stats,
      tickMs: settings.tickMs,
      nowMs,
      onWork: () => this.#loop.wake(),
      allowedOrigins: settings.allowedOrigins,
    });
  }

  async onStart(): Promise<void> {
    const { settings, buffers, rows } = this.#wiring;
    const app = uWS.App({});
    this.#app = app;
    this.#server.mount(app);
    const view = {
      engine: new Float64Array(buffers.engineStats),
      feed: new Float64Array(buffers.feedStats),
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
  }

  onTimer(): void {
    // The loop keeps its own time.
  }

  onControl(message: ControlMessage): void {
    if (message.type !== 'instruments') return;
    this.#directory.load(message.rows);
    this.#http?.setInstruments(message.rows);
  }

  async onClose(): Promise<void> {
    this.#loop.stop();
    this.#server.closeAll();
    await new Promise((resolve) => setTimeout(resolve, CLOSE_GRACE_MS));
    this.#app?.close();
    this.#app = undefined;
  }
}
