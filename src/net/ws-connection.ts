import type { WebSocket } from 'uWebSockets.js';
import type { FanOut } from '../core/fan-out/fan-out.ts';
import { AckStatus, NO_PING, type QuoteSink, SendStatus, type Subscriber } from '../core/fan-out/subscriber.ts';
import { VARINT_MAX_BYTES, VarintReader, writeVarint } from '../core/fan-out/varint.ts';
import { CLOSE_REASONS, CloseCode } from './close-codes.ts';
import type { TraderConnection } from './trader.ts';
import {
  BUFFERED_MAX_BYTES,
  BYTES_PER_TOKEN,
  EVENTS_MAX_BYTES,
  MESSAGE_MAX_BYTES,
  MESSAGES_A_SECOND,
  MESSAGES_BURST,
  PROTOCOL_ERRORS_MAX,
  REPLIES_MAX_BYTES,
  SYMBOLS_PER_TOKEN,
} from './ws-limits.ts';

/** What the requests of a protocol come to. */
export interface WsProtocol {
  /** Acts on one message and answers through the connection. */
  receive(connection: WsConnection, message: Uint8Array, isBinary: boolean, nowMs: number): void;
}

/** What a connection needs of its server. */
export interface WsHost {
  readonly fanOut: FanOut;
  /** The connection has answers that are due, or a close that is: `flush` it soon, outside of the socket's callbacks. */
  requestFlush(connection: WsConnection, isClosing: boolean): void;
  /** A message was wrong, or a connection is closed for one. */
  countProtocolError(): void;
  /** The socket has taken what it was given, or nearly. */
  hasRoom(connection: WsConnection): void;
}

/** What uWebSockets.js returns from `send`. */
const UWS_DROPPED = 2;
const UWS_BACKPRESSURE = 0;

/** Pings and pongs that carry a tick; one buffer is enough, since the library copies. */
const pingBytes = new Uint8Array(VARINT_MAX_BYTES);
const pingViews = Array.from({ length: VARINT_MAX_BYTES + 1 }, (_, length) => pingBytes.subarray(0, length));
const pongReader = new VarintReader();

/**
 * One WebSocket: what is sent on it, and what its client may do. Nothing is sent from inside the library's callbacks, where
 * it costs many times as much: answers and closes wait for `flush`.
 */
export class WsConnection implements QuoteSink, TraderConnection {
  readonly host: WsHost;
  readonly subscriber: Subscriber;
  /** When answers were last sent. */
  repliedMs = 0;
  readonly #socket: WebSocket<unknown>;
  readonly #protocol: WsProtocol;
  readonly #isJson: boolean;
  #isOpen = true;
  #isFlushRequested = false;
  #closeWith: CloseCode | 0 = 0;
  #replies: Uint8Array[] | undefined = undefined;
  #replyBytes = 0;
  #errors = 0;
  /** Token bucket of the message rate. */
  readonly #burst: number;
  #tokens: number;
  #tokensAtMs: number;

  constructor(socket: WebSocket<unknown>, host: WsHost, protocol: WsProtocol, isJson: boolean, nowMs: number) {
    this.#socket = socket;
    this.host = host;
    this.#protocol = protocol;
    this.#isJson = isJson;
    this.#burst = MESSAGES_BURST + host.fanOut.maxSubscriptions / SYMBOLS_PER_TOKEN;
    this.#tokens = this.#burst;
    this.#tokensAtMs = nowMs;
    this.subscriber = host.fanOut.connect(this, isJson);
  }

  // From the library's callbacks.

  receive(message: Uint8Array, isBinary: boolean, nowMs: number): void {
    if (this.#closeWith !== 0) return;
    if (message.length > MESSAGE_MAX_BYTES) {
      this.host.countProtocolError();
      this.close(CloseCode.MessageTooLarge);
      return;
    }
    this.#protocol.receive(this, message, isBinary, nowMs);
  }

  receivePong(payload: Uint8Array, nowMs: number): void {
    if (this.#closeWith !== 0) return;
    pongReader.begin(payload, 0, payload.length);
    const tick = pongReader.unsigned();
    // Others than ours, the library's own among them, carry nothing that we sent.
    if (!this.#isJson || pongReader.failed || this.acknowledge(tick) !== AckStatus.Advanced) this.spend(1, nowMs);
  }

  receivePing(nowMs: number): void {
    if (this.#closeWith === 0) this.spend(1, nowMs);
  }

  drained(): void {
    if (this.#socket.getBufferedAmount() > BUFFERED_MAX_BYTES) return;
    this.host.fanOut.drained(this.subscriber);
    this.host.hasRoom(this);
  }

  /** The socket is gone: from now on the connection must not touch it. */
  closed(): void {
    this.#isOpen = false;
    this.#replies = undefined;
    this.host.fanOut.disconnect(this.subscriber);
  }

  // From the protocols.

  acknowledge(tick: number): AckStatus {
    return this.host.fanOut.acknowledge(this.subscriber, tick);
  }

  get isCongested(): boolean {
    return this.#isOpen && this.#replyBytes + this.#socket.getBufferedAmount() > EVENTS_MAX_BYTES;
  }

  /** Takes from the message allowance; false when it is used up, and the connection closes. */
  spend(tokens: number, nowMs: number): boolean {
    const earned = ((nowMs - this.#tokensAtMs) / 1_000) * MESSAGES_A_SECOND;
    this.#tokens = Math.min(this.#burst, this.#tokens + earned) - tokens;
    this.#tokensAtMs = nowMs;
    if (this.#tokens >= 0) return true;
    this.host.countProtocolError();
    this.close(CloseCode.TooManyMessages);
    return false;
  }

  /** Takes what a message costs, whatever it says. */
  spendMessage(message: Uint8Array, nowMs: number): boolean {
    return this.spend(1 + Math.floor(message.length / BYTES_PER_TOKEN), nowMs);
  }

  /** Queues an answer: bytes of a whole message. */
  reply(message: Uint8Array): void {
    if (!this.#isOpen || this.#closeWith !== 0) return;
    this.#replyBytes += message.length;
    if (this.#replyBytes > REPLIES_MAX_BYTES) {
      this.close(CloseCode.TooSlow);
      return;
    }
    this.#replies ??= [];
    this.#replies.push(message);
    if (this.#isFlushRequested) return;
    this.#isFlushRequested = true;
    this.host.requestFlush(this, false);
  }

  /** Queues an answer that says what was wrong; too many of them close the connection. */
  replyError(message: Uint8Array): void {
    this.host.countProtocolError();
    this.reply(message);
    if (++this.#errors >= PROTOCOL_ERRORS_MAX) this.close(CloseCode.TooManyErrors);
  }

  close(code: CloseCode): void {
    if (!this.#isOpen || this.#closeWith !== 0) return;
    this.#closeWith = code;
    this.host.requestFlush(this, true);
  }

  // From the loop.

  /** Sends the answers that wait, then the close if there is one. */
  flush(): void {
    this.#isFlushRequested = false;
    if (!this.#isOpen) return;
    if (this.#replies !== undefined) this.#socket.cork(() => this.#sendReplies());
    if (this.#closeWith !== 0) {
      this.#socket.end(this.#closeWith, CLOSE_REASONS[this.#closeWith]);
      return;
    }
    const bufferedBytes = this.#socket.getBufferedAmount();
    if (bufferedBytes > REPLIES_MAX_BYTES) this.#socket.end(CloseCode.TooSlow, CLOSE_REASONS[CloseCode.TooSlow]);
    else if (bufferedBytes <= BUFFERED_MAX_BYTES) this.host.hasRoom(this);
  }

  sendQuotes(bytes: Uint8Array, pingTick: number): SendStatus {
    if (!this.#isOpen || this.#closeWith !== 0) return SendStatus.Dropped;
    // An answer that names instruments must be there before their quotes.
    if (this.#replies !== undefined) this.flush();
    if (!this.#isOpen) return SendStatus.Dropped;
    // One message alone is one system call without a cork too.
    if (pingTick === NO_PING) return this.#status(this.#socket.send(bytes, !this.#isJson));
    let status = 0;
    this.#socket.cork(() => {
      status = this.#socket.send(bytes, !this.#isJson);
      this.#socket.ping(pingViews[writeVarint(pingBytes, 0, pingTick)]);
    });
    return this.#status(status);
  }

  #status(uwsStatus: number): SendStatus {
    if (uwsStatus === UWS_DROPPED) return SendStatus.Dropped;
    if (uwsStatus !== UWS_BACKPRESSURE || this.#socket.getBufferedAmount() <= BUFFERED_MAX_BYTES)
      return SendStatus.Sent;
    return SendStatus.Congested;
  }

  #sendReplies(): void {
    for (const reply of this.#replies ?? []) this.#socket.send(reply, !this.#isJson);
    this.#replies = undefined;
    this.#replyBytes = 0;
  }
}
