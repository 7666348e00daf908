import { QuoteMode, WireError } from '../core/fan-out/wire.ts';
import type { WsConnection, WsProtocol } from './ws-connection.ts';
import { type Refusal, readSymbols, setFilter, subscribe } from './ws-requests.ts';

/** Lists and objects inside each other: a request has a list in an object. */
const MAX_DEPTH = 4;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const decoder = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();

/** `outcry.json.v1`, and no subprotocol: see `ws-protocol.md`. */
export class WsJsonProtocol implements WsProtocol {
  receive(connection: WsConnection, message: Uint8Array, isBinary: boolean, nowMs: number): void {
    if (!connection.spendMessage(message, nowMs)) return;
    const request = isBinary ? undefined : parseObject(message);
    if (request === undefined) {
      refuse(connection, { code: WireError.BAD_MESSAGE, message: 'not a text message of one JSON object' });
      return;
    }
    switch (request.action) {
      case 'subscribe':
      case 'unsubscribe': {
        const symbols = readSymbols(connection, request.symbols, nowMs);
        if (symbols === undefined) return;
        let refusal = 'code' in symbols ? symbols : undefined;
        if (!('code' in symbols)) {
          if (request.action === 'subscribe') {
            refusal = subscribe(connection, symbols.indices, QuoteMode.Json, nowMs);
          } else {
            connection.host.fanOut.unsubscribe(connection.subscriber, symbols.indices);
          }
          if (refusal === undefined && symbols.unknown.length > 0) answer(connection, { unknown: symbols.unknown });
        }
        if (refusal !== undefined) refuse(connection, refusal);
        return;
      }
      case 'set': {
        const refusal = setFilter(connection, request.filterBps, nowMs);
        if (refusal === undefined) answer(connection, { action: 'set', filterBps: connection.subscriber.filterBps });
        else refuse(connection, refusal);
        return;
      }
      case 'ping':
        answer(connection, { action: 'pong' });
        return;
      default:
        refuse(connection, {
          code: WireError.UNKNOWN_ACTION,
          message: 'action must be subscribe, unsubscribe, set or ping',
        });
    }
  }
}

/** Whether it is nested deeper than any request: to find that out by parsing takes milliseconds for each message of brackets alone. */
function isTooDeep(message: Uint8Array): boolean {
  let depth = 0;
  let isInString = false;
  for (let i = 0; i < message.length; i++) {
    const byte = message[i]!;
    if (isInString) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) isInString = false;
    } else if (byte === QUOTE) {
      isInString = true;
    } else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) {
      if (++depth > MAX_DEPTH) return true;
    } else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) {
      depth--;
    }
  }
  return false;
}

function parseObject(message: Uint8Array): Record<string, unknown> | undefined {
  if (isTooDeep(message)) return undefined;
  try {
    const value: unknown = JSON.parse(decoder.decode(message));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // Neither UTF-8 nor JSON; what it is instead helps nobody.
    return undefined;
  }
}

function answer(connection: WsConnection, value: object): void {
  connection.reply(encoder.encode(JSON.stringify(value)));
}

function refuse(connection: WsConnection, refusal: Refusal): void {
  connection.replyError(encoder.encode(JSON.stringify({ error: { code: refusal.code, message: refusal.message } })));
}
