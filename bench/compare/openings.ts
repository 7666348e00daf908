import { encodeControl } from '../../src/core/fan-out/control-codec.ts';
import { FrameType, SUBPROTOCOL_BINARY } from '../../src/core/fan-out/wire.ts';
import { clientFrame, FIN, Opcode, upgradeRequest, WS_PATH } from '../client-frames.ts';
import { natsSubject } from './feeds.ts';

/** What a connection of the load client sends first: the upgrade request, and bytes of whole frames after the upgrade. */
export interface Opening {
  readonly request: string;
  readonly after: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** Subscriptions of outcry.v1, in mode quote. */
export function outcryOpening(symbols: readonly string[]): Opening {
  const subscribe = encodeControl(
    [FrameType.Control],
    { action: 'subscribe', symbols: [...symbols], mode: 'quote' },
    1,
  );
  return { request: upgradeRequest(WS_PATH, SUBPROTOCOL_BINARY), after: frame(subscribe) };
}

/** Subscriptions of the programs of the bench itself: u16 positions, little-endian. */
export function positionsOpening(positions: readonly number[]): Opening {
  return { request: upgradeRequest('/', ''), after: frame(new Uint8Array(Uint16Array.from(positions).buffer)) };
}

export function natsOpening(positions: readonly number[]): Opening {
  const subscribe = positions.map((position, i) => `SUB ${natsSubject(position)} ${i + 1}\r\n`);
  const text = `CONNECT {"verbose":false,"pedantic":false}\r\n${subscribe.join('')}PING\r\n`;
  return { request: upgradeRequest('/', ''), after: frame(Buffer.from(text, 'latin1')) };
}

/** The path names the channels: nothing follows. */
export function nchanOpening(positions: readonly number[]): Opening {
  return { request: upgradeRequest(`/subscribe/${positions.join(',')}`, ''), after: NOTHING };
}

/** The openings as the load client reads them: u32 length and bytes, of the request and of what follows. */
export function encodePlan(openings: readonly Opening[]): Buffer {
  return Buffer.concat(
    openings.flatMap(({ request, after }) => [counted(Buffer.from(request, 'latin1')), counted(Buffer.from(after))]),
  );
}

function counted(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A whole message in one frame. */
function frame(payload: Uint8Array): Uint8Array {
  return clientFrame(FIN | Opcode.Binary, payload);
}
