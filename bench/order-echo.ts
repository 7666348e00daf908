/**
 * An engine that does nothing: it answers each order, and tells of its fill, out of what it was asked. What is left is the load client and
 * loopback. The module is also the process's entry.
 */
import uWS from 'uWebSockets.js';
import { type ControlMap, decodeControl, NO_REQUEST_ID } from '../src/core/fan-out/control-codec.ts';
import { FrameType } from '../src/core/fan-out/wire.ts';
import { encodeAnswer } from '../src/core/order-entry/order-messages.ts';
import { AskedChild } from './asked-child.ts';
import { modulePath } from './child-process.ts';

type EchoOrder = { readonly type: 'listen' };
type EchoReport = { readonly type: 'listening'; readonly port: number };

export class OrderEcho {
  readonly port: number;
  readonly #child: AskedChild<EchoOrder, EchoReport>;

  private constructor(child: AskedChild<EchoOrder, EchoReport>, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(): Promise<OrderEcho> {
    const child = new AskedChild<EchoOrder, EchoReport>('the echo', './order-echo', '');
    return new OrderEcho(child, (await child.ask({ type: 'listen' }, 'listening')).port);
  }

  close(): void {
    this.#child.close();
  }
}

/** Fields that an event has besides; the load client reads over them. */
const PLACED = { validity: 'DAY', pricePaise: 0, triggerPricePaise: 0, clientOrderId: '', holdPaise: 54_321 };
const FILLED = {
  execId: 'T1A2B3-123456',
  venue: 'EXCHANGE',
  tradingDay: '2026-01-01',
  lastPxPaise: 245_000,
  filledValuePaise: 245_000,
  leavesQty: 0,
  charges: { brokerage: 74, stt: 0, exchange: 7, sebi: 0, stamp: 7, gst: 15, dp: 0 },
  positionQty: 1,
  positionValuePaise: 245_000,
  positionMarginPaise: 49_000,
  realisedPaise: 0,
  holdPaise: 0,
  late: false,
};
const CASH = { availableChangePaise: -54_321, heldChangePaise: 54_321, marginChangePaise: 0 };

function serve(): void {
  let orderId = 2 ** 50;
  uWS
    .App()
    .ws('/ws', {
      open: (socket) => void socket.send(new Uint8Array([FrameType.Welcome, 1, 0x80]), true),
      message: (socket, message) => {
        const request = decodeControl(new Uint8Array(message), 1);
        if (request === undefined) return;
        const id = request.id as number;
        if (request.action === 'login') {
          socket.send(encodeAnswer(id, { action: 'loggedIn', userId: 1, seq: 0 }), true);
          return;
        }
        orderId++;
        const { symbol, product, side, orderType, quantity } = request as Record<string, string>;
        const event = (seq: number, type: string, status: string, more: ControlMap) => {
          const head = {
            action: 'event',
            seq,
            type,
            tsMicros: Date.now() * 1_000,
            orderId,
            symbol: symbol!,
            product: product!,
          };
          socket.send(encodeAnswer(NO_REQUEST_ID, { ...head, status, ...more, ...CASH }), true);
        };
        socket.send(encodeAnswer(id, { action: 'placed', orderId, status: 'PENDING', seq: 1, repeat: false }), true);
        event(1, 'OrderPlaced', 'PENDING', { side: side!, orderType: orderType!, quantity: quantity!, ...PLACED });
        event(2, 'OrderAccepted', 'OPEN', { venueOrderId: 'T1A2B3-123456' });
        event(3, 'OrderFilled', 'FILLED', { lastQty: quantity!, filledQty: quantity!, ...FILLED });
      },
    })
    .listen('127.0.0.1', 0, (socket) => {
      const report = socket
        ? { type: 'listening', port: uWS.us_socket_local_port(socket) }
        : { type: 'failed', text: 'no port' };
      process.send!(report);
    });
}

if (process.argv[1] === modulePath('./order-echo')) {
  process.title = 'outcry-echo';
  process.on('disconnect', () => process.exit(1));
  process.on('message', serve);
}
