/** What a WebSocket client sends (RFC 6455), byte by byte: for clients that count each instruction, and for those that mean harm. */

export const Opcode = { Continuation: 0, Text: 1, Binary: 2, Close: 8, Ping: 9, Pong: 10 } as const;
export type Opcode = (typeof Opcode)[keyof typeof Opcode];
export const FIN = 0x80;
export const MASKED = 0x80;
/** Where the engine takes WebSockets. */
export const WS_PATH = '/ws';
const MASK_BYTES = 4;
/** More is never sent in one frame. */
const PAYLOAD_BYTES_MAX = 0xffff;

/** A frame whose first byte is `head`. Its mask is zero, which servers cannot tell from any other mask. */
export function clientFrame(head: number, payload: Uint8Array): Buffer {
  if (payload.length > PAYLOAD_BYTES_MAX) throw new RangeError(`a frame of ${payload.length} bytes`);
  const isLong = payload.length > 125;
  const headBytes = isLong ? 4 : 2;
  const frame = Buffer.alloc(headBytes + MASK_BYTES + payload.length);
  frame[0] = head;
  frame[1] = MASKED | (isLong ? 126 : payload.length);
  if (isLong) frame.writeUInt16BE(payload.length, 2);
  frame.set(payload, headBytes + MASK_BYTES);
  return frame;
}

/** An upgrade of `path`; `subprotocol` may be ''. */
export function upgradeRequest(path: string, subprotocol: string): string {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Upgrade: websocket',
    'Connection: Upgrade',
    // Always the same: the server in C knows the answer to this one alone.
    'Sec-WebSocket-Key: b3V0Y3J5LWJlbmNoLWtleQ==',
    'Sec-WebSocket-Version: 13',
    ...(subprotocol === '' ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
    '\r\n',
  ].join('\r\n');
}
