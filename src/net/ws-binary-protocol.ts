import { type ControlMap, decodeControl, encodeControl, NO_REQUEST_ID } from '../core/fan-out/control-codec.ts';
import { AckStatus } from '../core/fan-out/subscriber.ts';
import { VarintReader } from '../core/fan-out/varint.ts';
import {
  ACK_BYTES,
  ACK_INTERVAL_MS,
  FrameType,
  MODE_BY_NAME,
  type ModeName,
  WIRE_VERSION,
  WireError,
} from '../core/fan-out/wire.ts';
import type { OrderDesk } from './order-desk.ts';
import type { WsConnection, WsProtocol } from './ws-connection.ts';
import { MESSAGE_MAX_BYTES } from './ws-limits.ts';
import { type Refusal, readSymbols, setFilter, subscribe } from './ws-requests.ts';

const ackReader = new VarintReader();
const QUOTE_ACTIONS = 'action must be subscribe, unsubscribe, set or ping';

/** `outcry.v1`: see `ws-protocol.md`. */
export class WsBinaryProtocol implements WsProtocol {
  readonly #tickMs: number;
  readonly #orders: OrderDesk | undefined;

  constructor(tickMs: number, orders: OrderDesk | undefined) {
    this.#tickMs = tickMs;
    this.#orders = orders;
  }

  /** The server's first message. */
  welcome(connection: WsConnection, nowMs: number): void {
    const { fanOut } = connection.host;
    connection.reply(
      encodeControl([FrameType.Welcome, WIRE_VERSION], {
        tickMs: this.#tickMs,
        filterBps: connection.subscriber.filterBps,
        maxSubscriptions: fanOut.maxSubscriptions,
        maxMessageBytes: MESSAGE_MAX_BYTES,
        ackIntervalMs: ACK_INTERVAL_MS,
        ackBytes: ACK_BYTES,
        timeMs: Math.floor(nowMs),
      }),
    );
  }

  receive(connection: WsConnection, message: Uint8Array, isBinary: boolean, nowMs: number): void {
    const type = message[0];
    if (isBinary && type === FrameType.Ack) {
      receiveAck(connection, message, nowMs);
      return;
    }
    if (!connection.spendMessage(message, nowMs)) return;
    const request = isBinary && type === FrameType.Control ? decodeControl(message, 1) : undefined;
    if (request === undefined) {
      refuse(connection, {}, { code: WireError.BAD_MESSAGE, message: 'not a control map, nor an acknowledgement' });
      return;
    }
    const { id } = request;
    if (id !== undefined && !(typeof id === 'number' && Number.isInteger(id) && id >= 0 && id <= 0xffff_ffff)) {
      refuse(connection, {}, { code: WireError.BAD_MESSAGE, message: 'id must be an integer from 0 to 4294967295' });
      return;
    }
    this.#act(connection, request, id === undefined ? {} : { id }, nowMs);
  }

  #act(connection: WsConnection, request: ControlMap, id: ControlMap, nowMs: number): void {
    switch (request.action) {
      case 'subscribe':
        this.#subscribe(connection, request, id, nowMs);
        return;
      case 'unsubscribe': {
        const symbols = readSymbols(connection, request.symbols, nowMs);
        if (symbols === undefined) return;
        if ('code' in symbols) {
          refuse(connection, id, symbols);
          return;
        }
        const count = connection.host.fanOut.unsubscribe(connection.subscriber, symbols.indices);
        answer(connection, { ...id, action: 'unsubscribed', count });
        return;
      }
      case 'set':
        this.#set(connection, request, id, nowMs);
        return;
      case 'ping':
        answer(connection, { ...id, action: 'pong', timeMs: Math.floor(nowMs) });
        return;
      default:
        if (this.#orders?.receive(connection, request, requestIDOf(request), nowMs)) return;
        refuse(connection, id, {
          code: WireError.UNKNOWN_ACTION,
          message: this.#orders === undefined ? QUOTE_ACTIONS : `${QUOTE_ACTIONS}, or one of those about orders`,
        });
    }
  }

  #subscribe(connection: WsConnection, request: ControlMap, id: ControlMap, nowMs: number): void {
    const mode = request.mode ?? 'quote';
    if (typeof mode !== 'string' || !Object.hasOwn(MODE_BY_NAME, mode)) {
      refuse(connection, id, { code: WireError.BAD_MODE, message: 'mode must be ltp, quote or full' });
      return;
    }
    const symbols = readSymbols(connection, request.symbols, nowMs);
    if (symbols === undefined) return;
    const refusal =
      'code' in symbols ? symbols : subscribe(connection, symbols.indices, MODE_BY_NAME[mode as ModeName], nowMs);
    if (refusal !== undefined) {
      refuse(connection, id, refusal);
      return;
    }
    const { indices, unknown } = symbols as { indices: readonly number[]; unknown: readonly string[] };
    const directory = connection.host.fanOut.directory;
    const instruments = indices.map((index) => {
      const { symbol, name, kind, tickPaise, lotSize } = directory.row(index);
      return [symbol, index, name, kind, tickPaise, lotSize];
    });
    answer(connection, { ...id, action: 'subscribed', mode, instruments, unknown: [...unknown] });
  }

  #set(connection: WsConnection, request: ControlMap, id: ControlMap, nowMs: number): void {
    const { filterBps, timing } = request;
    if (timing !== undefined && typeof timing !== 'boolean') {
      refuse(connection, id, { code: WireError.BAD_TIMING, message: 'timing must be true or false' });
      return;
    }
    const refusal = filterBps === undefined ? undefined : setFilter(connection, filterBps, nowMs);
    if (refusal !== undefined) {
      refuse(connection, id, refusal);
      return;
    }
    const { subscriber } = connection;
    if (timing !== undefined) subscriber.withTiming = timing;
    answer(connection, { ...id, action: 'set', filterBps: subscriber.filterBps, timing: subscriber.withTiming });
  }
}

function receiveAck(connection: WsConnection, message: Uint8Array, nowMs: number): void {
  ackReader.begin(message, 1, message.length);
  const tick = ackReader.unsigned();
  if (ackReader.failed || ackReader.at !== message.length) {
    if (connection.spend(1, nowMs)) {
      refuse(connection, {}, { code: WireError.BAD_MESSAGE, message: 'an acknowledgement is one varint' });
    }
    return;
  }
  const status = connection.acknowledge(tick);
  if (status === AckStatus.Advanced || !connection.spend(1, nowMs) || status === AckStatus.Repeated) return;
  refuse(connection, {}, { code: WireError.BAD_MESSAGE, message: `tick ${tick} was not sent` });
}

function requestIDOf({ id }: ControlMap): number {
  return typeof id === 'number' ? id : NO_REQUEST_ID;
}

function answer(connection: WsConnection, map: ControlMap): void {
  connection.reply(encodeControl([FrameType.Control], map));
}

function refuse(connection: WsConnection, id: ControlMap, refusal: Refusal): void {
  const error = { code: refusal.code, message: refusal.message };
  connection.replyError(encodeControl([FrameType.Control], { ...id, error }));
}
