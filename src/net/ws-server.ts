import uWS, { type HttpRequest, type HttpResponse, type TemplatedApp, type us_socket_context_t } from 'uWebSockets.js';
import type { FanOut } from '../core/fan-out/fan-out.ts';
import { SUBPROTOCOL_BINARY, SUBPROTOCOL_JSON } from '../core/fan-out/wire.ts';
import { FAN_OUT_STATS_PROTOCOL_ERRORS, FAN_OUT_STATS_REFUSED } from '../core/shm/generated/worker-stats.gen.ts';
import type { ClientTls } from './client-tls.ts';
import { CloseCode } from './close-codes.ts';
import type { OrderDesk } from './order-desk.ts';
import { PendingSockets } from './pending-sockets.ts';
import { WsBinaryProtocol } from './ws-binary-protocol.ts';
import { WsConnection, type WsHost } from './ws-connection.ts';
import { WsJsonProtocol } from './ws-json-protocol.ts';
import { IDLE_TIMEOUT_SECONDS, MESSAGE_HARD_MAX_BYTES, REPLIES_EVERY_MS } from './ws-limits.ts';

export const WS_PATH = '/ws';

/** Bytes that one socket may have buffered before the library refuses more; ours are bounded well below. */
const MAX_BACKPRESSURE_BYTES = 1 << 20;

export interface WsServerOptions {
  readonly fanOut: FanOut;
  /** A `fanOutStatsLayout` block. */
  readonly stats: SharedArrayBuffer;
  /** Told to clients. */
  readonly tickMs: number;
  /** Epoch milliseconds with a fraction. */
  readonly nowMs: () => number;
  /** Something waits for `flush`, here or in the fan-out. Called in the library's callbacks. */
  readonly onWork: () => void;
  /** Browser origins that are welcome besides the page's own host, such as `https://trade.example`. */
  readonly allowedOrigins?: readonly string[];
  /** Takes requests about orders; a server without one refuses them. */
  readonly orders?: OrderDesk;
  /** Sockets that are no WebSockets, or not yet; what is more is closed as it connects. */
  readonly maxPendingSockets: number;
  /** 60 when left out. */
  readonly idleTimeoutSeconds?: number;
}

/** An App of the library, which speaks TLS alone when there is a certificate. The files are read now: a renewed one takes another App. */
export function openApp(tls: ClientTls | null): TemplatedApp {
  return tls === null ? uWS.App({}) : uWS.SSLApp({ cert_file_name: tls.certFile, key_file_name: tls.keyFile });
}

/** What `upgrade` leaves for `open`, which puts the connection there. */
interface SocketData {
  readonly isJson: boolean;
  connection: WsConnection | undefined;
}

/** The WebSocket side of one uWebSockets.js App: upgrades, sockets, and what waits to be said on them. */
export class WsServer implements WsHost {
  readonly fanOut: FanOut;
  readonly #options: WsServerOptions;
  readonly #stats: Float64Array;
  readonly #binary: WsBinaryProtocol;
  readonly #json = new WsJsonProtocol();
  readonly #connections = new Set<WsConnection>();
  readonly #pendingSockets: PendingSockets;
  #pending: WsConnection[] = [];
  /** Those that were written to a moment ago. */
  #deferred: WsConnection[] = [];
  #deferredTimer: NodeJS.Timeout | undefined;

  constructor(options: WsServerOptions) {
    this.#options = options;
    this.fanOut = options.fanOut;
    this.#stats = new Float64Array(options.stats);
    this.#binary = new WsBinaryProtocol(options.tickMs, options.orders);
    this.#pendingSockets = new PendingSockets(options.maxPendingSockets, () => this.#countRefused());
  }

  mount(app: TemplatedApp): void {
    const { nowMs } = this.#options;
    this.#pendingSockets.mount(app);
    app.ws<SocketData>(WS_PATH, {
      compression: uWS.DISABLED,
      maxPayloadLength: MESSAGE_HARD_MAX_BYTES,
      maxBackpressure: MAX_BACKPRESSURE_BYTES,
      idleTimeout: this.#options.idleTimeoutSeconds ?? IDLE_TIMEOUT_SECONDS,
      sendPingsAutomatically: true,
      upgrade: (response, request, context) => this.#upgrade(response, request, context),
      open: (socket) => {
        const data = socket.getUserData();
        const protocol = data.isJson ? this.#json : this.#binary;
        const connection = new WsConnection(socket, this, protocol, data.isJson, nowMs());
        data.connection = connection;
        this.#connections.add(connection);
        if (!data.isJson) this.#binary.welcome(connection, nowMs());
      },
      message: (socket, message, isBinary) => {
        socket.getUserData().connection?.receive(new Uint8Array(message), isBinary, nowMs());
        this.#announce();
      },
      pong: (socket, message) => {
        socket.getUserData().connection?.receivePong(new Uint8Array(message), nowMs());
        this.#announce();
      },
      ping: (socket) => socket.getUserData().connection?.receivePing(nowMs()),
      drain: (socket) => {
        socket.getUserData().connection?.drained();
        this.#announce();
      },
      close: (socket) => {
        const { connection } = socket.getUserData();
        if (connection === undefined) return;
        this.#connections.delete(connection);
        connection.closed();
        this.#options.orders?.closed(connection);
      },
    });
  }

  requestFlush(connection: WsConnection, isClosing: boolean): void {
    if (isClosing || this.#options.nowMs() - connection.repliedMs >= REPLIES_EVERY_MS) {
      this.#pending.push(connection);
      this.#options.onWork();
      return;
    }
    this.#deferred.push(connection);
    this.#deferredTimer ??= setTimeout(() => this.#onDeferred(), REPLIES_EVERY_MS);
  }

  hasRoom(connection: WsConnection): void {
    this.#options.orders?.drained(connection);
  }

  countProtocolError(): void {
    this.#stats[FAN_OUT_STATS_PROTOCOL_ERRORS >> 1]! += 1;
  }

  /** Sends all answers and closes that wait. Not from inside a socket's callback. */
  flush(): void {
    if (this.#pending.length === 0) return;
    const pending = this.#pending;
    this.#pending = [];
    const nowMs = this.#options.nowMs();
    for (const connection of pending) {
      connection.repliedMs = nowMs;
      connection.flush();
    }
  }

  /** Tells every client that the server goes away, and closes. */
  closeAll(): void {
    for (const connection of this.#connections) connection.close(CloseCode.GoingAway);
    this.flush();
    clearTimeout(this.#deferredTimer);
  }

  #onDeferred(): void {
    this.#deferredTimer = undefined;
    this.#pending.push(...this.#deferred);
    this.#deferred = [];
    this.#options.onWork();
  }

  #announce(): void {
    if (this.fanOut.needsFlush) this.#options.onWork();
  }

  #upgrade(response: HttpResponse, request: HttpRequest, context: us_socket_context_t): void {
    const offered = request.getHeader('sec-websocket-protocol');
    const protocol = chooseProtocol(offered);
    if (!this.fanOut.hasRoom) {
      this.#refuse(response, '503 Service Unavailable', 'no room for another connection');
    } else if (protocol === undefined) {
      this.#refuse(response, '400 Bad Request', `offer ${SUBPROTOCOL_BINARY}, ${SUBPROTOCOL_JSON} or no subprotocol`);
    } else if (!this.#isOriginAllowed(request.getHeader('origin'), request.getHeader('host'))) {
      this.#refuse(response, '403 Forbidden', 'this origin is not allowed');
    } else {
      const data: SocketData = { isJson: protocol !== SUBPROTOCOL_BINARY, connection: undefined };
      const key = request.getHeader('sec-websocket-key');
      const extensions = request.getHeader('sec-websocket-extensions');
      this.#pendingSockets.upgraded();
      response.upgrade(data, key, protocol, extensions, context);
    }
  }

  #countRefused(): void {
    this.#stats[FAN_OUT_STATS_REFUSED >> 1]! += 1;
  }

  #refuse(response: HttpResponse, status: string, text: string): void {
    this.#countRefused();
    response.writeStatus(status).writeHeader('Content-Type', 'text/plain; charset=utf-8').end(`${text}\n`);
  }

  /** Browsers name the page's origin and cannot lie about it: other sites' pages must not use a trader's browser. */
  #isOriginAllowed(origin: string, host: string): boolean {
    if (origin === '') return true;
    if (this.#options.allowedOrigins?.includes(origin) === true) return true;
    return origin === `http://${host}` || origin === `https://${host}`;
  }
}

/** The subprotocol to answer with: '' when none was offered, undefined when none of the offered is ours. */
function chooseProtocol(offered: string): string | undefined {
  if (offered === '') return '';
  for (const name of offered.split(',')) {
    const protocol = name.trim();
    if (protocol === SUBPROTOCOL_BINARY || protocol === SUBPROTOCOL_JSON) return protocol;
  }
  return undefined;
}
