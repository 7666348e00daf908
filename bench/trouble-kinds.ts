import type { Prng } from '../src/core/exchange/prng.ts';
import { writeVarint } from '../src/core/fan-out/varint.ts';
import { FrameType, SUBPROTOCOL_BINARY, SUBPROTOCOL_JSON } from '../src/core/fan-out/wire.ts';
import { clientFrame, FIN, MASKED, Opcode } from './client-frames.ts';
import type { LoadConnection } from './load-connection.ts';
import type { RawSocket } from './raw-socket.ts';

/** What a client draws from. */
export interface Whims {
  readonly prng: Prng;
  readonly symbols: readonly string[];
}

/** How often: no kind does more than this, so that the trouble of a run is known beforehand. */
interface Pace {
  /** From one action to the next. */
  readonly everyMs: number;
  /** From the end of a connection to the next. */
  readonly comeBackMs: number;
}

/** Speaks the protocol, and uses it as it likes. False: it has left. */
interface Guest extends Pace {
  readonly as: 'guest';
  act(connection: LoadConnection, turn: number, whims: Whims): boolean;
}

/** Says what no client of ours would. False: it has left. */
interface Stranger extends Pace {
  readonly as: 'stranger';
  /** Undefined: what it speaks is not WebSocket. */
  readonly subprotocol: string | undefined;
  act(socket: RawSocket, turn: number, whims: Whims): boolean;
}

export type TroubleKind = Guest | Stranger;

const SYMBOLS_A_VISIT = 20;
const SYMBOLS_AT_ONCE = 5;
/** More than one client's credit is worth. */
const SYMBOLS_MANY = 200;
/** As many as the server takes in one message. */
const SYMBOLS_MOST = 1_000;
const UNKNOWN_SYMBOL_LENGTH = 58;
const VISIT_ENDS = 0.1;
const UNFINISHED_BYTES = 60_000;
const PINGS_AT_ONCE = 100;
const FRAGMENT_BYTES = 100;
const FRAGMENTS_AT_ONCE = 20;
const ACKS_AT_ONCE = 5;

/** One action a turn, of the messages in turn. */
function oneOf(opcode: Opcode, messages: readonly Uint8Array[]): Stranger['act'] {
  return (socket, turn) => {
    socket.message(opcode, messages[turn % messages.length]!);
    return true;
  };
}

function text(value: string): Buffer {
  return Buffer.from(value, 'utf8');
}

function control(...bytes: number[]): Buffer {
  return Buffer.from([FrameType.Control, ...bytes]);
}

function some(count: number, { prng, symbols }: Whims): string[] {
  const first = prng.below(symbols.length);
  return Array.from({ length: Math.min(count, symbols.length) }, (_, i) => symbols[(first + i) % symbols.length]!);
}

const UNKNOWN_SYMBOLS = Array.from({ length: SYMBOLS_MOST }, (_, i) => `${i}`.padStart(UNKNOWN_SYMBOL_LENGTH, 'X'));

/** Of MessagePack: cut short, announcing what does not come, too deep, not a map, and maps that mean nothing. */
const WRONG_CONTROLS = [
  control(0x82, 0xa2, 0x69, 0x64),
  control(0xdf, 0xff, 0xff, 0xff, 0xff),
  control(0x81, 0xa1, 0x61, 0xdd, 0xff, 0xff, 0xff, 0xff),
  control(0xdb, 0x7f, 0xff, 0xff, 0xff, 0x41),
  control(...Array.from({ length: 60_000 }, () => 0x91)),
  control(0x81, 0xa9, ...text('__proto__'), 0x80),
  control(0x81, 0xa6, ...text('action'), 0xa4, ...text('sell')),
  control(0x81, 0xa1, 0xff, 0xc0),
  control(0xc1),
  Buffer.of(),
  Buffer.of(0x77),
];

const WRONG_JSON = [
  text('{"action":'),
  text('['.repeat(60_000)),
  text(`{"action":"subscribe","symbols":[${'[],'.repeat(10_000)}1]}`),
  text('{"action":"subscribe","symbols":"RELIANCE"}'),
  text('{"__proto__":{"action":"ping"}}'),
  text('null'),
  text('1e999'),
];

const UNPRINTABLE = Buffer.from(Array.from({ length: 1_000 }, (_, i) => (i * 2_654_435_761) >>> 24));

/** A tick that no server of ours has come to. */
const UNSENT_ACK = ((): Buffer => {
  const message = Buffer.alloc(9);
  message[0] = FrameType.Ack;
  return message.subarray(0, writeVarint(message, 1, 2 ** 40));
})();

function many(frame: Uint8Array, count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => frame));
}

/**
 * Everything that a client may do to a server short of speaking well. Each is one small behaviour that comes again when it is thrown out; the rate is its own.
 */
export const TROUBLE_KINDS = {
  /** Watches for some seconds, changes what it watches, leaves by a close frame or without a word. */
  'comes-and-goes': {
    as: 'guest',
    everyMs: 250,
    comeBackMs: 500,
    act(connection, turn, whims) {
      connection.acknowledge();
      if (turn === 0) connection.subscribe(some(SYMBOLS_A_VISIT, whims), 'quote');
      else if (turn % 2 === 0) connection.subscribe(some(SYMBOLS_AT_ONCE, whims), 'quote');
      else connection.control({ id: 1, action: 'unsubscribe', symbols: some(SYMBOLS_AT_ONCE, whims) });
      if (whims.prng.unit() >= VISIT_ENDS) return true;
      if (whims.prng.unit() < 0.5) connection.leave();
      else connection.reset();
      return false;
    },
  },
  /** Takes what has come every third second, and much would come. */
  slow: {
    as: 'guest',
    everyMs: 1_500,
    comeBackMs: 1_000,
    act(connection, turn, whims) {
      if (turn === 0) connection.subscribe(some(SYMBOLS_MANY, whims), 'full');
      if (turn % 2 === 0) connection.pause();
      else connection.resume();
      return true;
    },
  },
  /** Never takes anything again, and stays. */
  stopped: {
    as: 'guest',
    everyMs: 20_000,
    comeBackMs: 1_000,
    act(connection, turn, whims) {
      if (turn === 0) connection.subscribe(some(SYMBOLS_MANY, whims), 'full');
      else connection.pong();
      connection.pause();
      return true;
    },
  },
  /** Asks for long answers, as fast as it may, and takes none of them. */
  'asks-and-never-reads': {
    as: 'guest',
    everyMs: 2_100,
    comeBackMs: 1_000,
    act(connection, _turn, whims) {
      connection.pause();
      connection.subscribe(some(SYMBOLS_MOST, whims), 'full');
      return true;
    },
  },
  /** Subscribes to a thousand instruments and ends it again, as fast as it may. */
  'changes-its-mind': {
    as: 'guest',
    everyMs: 2_100,
    comeBackMs: 1_000,
    act(connection, turn, whims) {
      connection.acknowledge();
      const symbols = whims.symbols.slice(0, SYMBOLS_MOST);
      if (turn % 2 === 0) connection.subscribe(symbols, 'full');
      else connection.control({ id: 1, action: 'unsubscribe', symbols });
      return true;
    },
  },
  'unknown-symbols': {
    as: 'guest',
    everyMs: 2_400,
    comeBackMs: 1_000,
    act(connection) {
      connection.subscribe(UNKNOWN_SYMBOLS, 'ltp');
      return true;
    },
  },
  /** Connects, and that was it. */
  'says-nothing': {
    as: 'stranger',
    subprotocol: undefined,
    everyMs: 60_000,
    comeBackMs: 1_000,
    act: () => true,
  },
  /** Slowloris: a header line more every second. */
  'upgrade-without-end': {
    as: 'stranger',
    subprotocol: undefined,
    everyMs: 1_000,
    comeBackMs: 1_000,
    act(socket, turn) {
      socket.write(turn === 0 ? 'GET /ws HTTP/1.1\r\n' : `X-Line-${turn}: more\r\n`);
      return true;
    },
  },
  /** Almost as much of a message as may be, then a byte every second. */
  'frame-without-end': {
    as: 'stranger',
    subprotocol: SUBPROTOCOL_BINARY,
    everyMs: 1_000,
    comeBackMs: 1_000,
    act(socket, turn) {
      const frame = clientFrame(FIN | Opcode.Binary, Buffer.alloc(UNFINISHED_BYTES));
      const at = UNFINISHED_BYTES - 100 + turn;
      if (turn === 0) socket.write(frame.subarray(0, at));
      else socket.write(frame.subarray(at, at + 1));
      return true;
    },
  },
  'absurd-length': {
    as: 'stranger',
    subprotocol: SUBPROTOCOL_BINARY,
    everyMs: 1_000,
    comeBackMs: 1_000,
    act(socket, turn) {
      const lengthHigh = turn % 2 === 0 ? 0x7f : 0;
      socket.write(Buffer.of(FIN | Opcode.Binary, MASKED | 127, lengthHigh, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff));
      return true;
    },
  },
  unmasked: {
    as: 'stranger',
    subprotocol: SUBPROTOCOL_BINARY,
    everyMs: 250,
    comeBackMs: 1_000,
    act(socket) {
      socket.write(Buffer.concat([Buffer.of(FIN | Opcode.Binary, 100), UNPRINTABLE.subarray(0, 100)]));
      return true;
    },
  },
  'fragments-without-end': {
    as: 'stranger',
    subprotocol: SUBPROTOCOL_BINARY,
    everyMs: 100,
    comeBackMs: 1_000,
    act(socket, turn) {
      if (turn === 0) socket.write(clientFrame(Opcode.Binary, UNPRINTABLE));
      else
        socket.write(
          many(clientFrame(Opcode.Continuation, UNPRINTABLE.subarray(0, FRAGMENT_BYTES)), FRAGMENTS_AT_ONCE),
        );
      return true;
    },
  },
  /** Fragments that carry nothing never come to be too long. */
  'empty-fragments': {
    as: 'stranger',
    subprotocol: SUBPROTOCOL_BINARY,
    everyMs: 100,
    comeBackMs: 1_000,
    act(socket, turn) {
      if (turn === 0) socket.write(clientFrame(Opcode.Binary, UNPRINTABLE));
      else socket.write(many(clientFrame(Opcode.Continuation, Buffer.of()), FRAGMENTS_AT_ONCE));
      return true;
    },
  },
  'not-utf-8': {
    as: 'stranger',
    subprotocol: SUBPROTOCOL_JSON,
    everyMs: 250,
    comeBackMs: 1_000,
    act: oneOf(Opcode.Text, [Buffer.of(0xff, 0xfe), UNPRINTABLE, Buffer.of(0xed, 0xa0, 0x80)]),
  },
  'wrong-controls': {
    as: 'stranger',
    subprotocol: SUBPROTOCOL_BINARY,
    everyMs: 100,
    comeBackMs: 1_000,
    act: oneOf(Opcode.Binary, WRONG_CONTROLS),
  },
  'wrong-json': {
    as: 'stranger',
    subprotocol: SUBPROTOCOL_JSON,
    everyMs: 100,
    comeBackMs: 1_000,
    act: oneOf(Opcode.Text, WRONG_JSON),
  },
  'ping-flood': {
    as: 'stranger',
    subprotocol: SUBPROTOCOL_BINARY,
    everyMs: 100,
    comeBackMs: 1_000,
    act(socket) {
      socket.write(many(clientFrame(FIN | Opcode.Ping, Buffer.alloc(125)), PINGS_AT_ONCE));
      return true;
    },
  },
  'acks-of-nothing': {
    as: 'stranger',
    subprotocol: SUBPROTOCOL_BINARY,
    everyMs: 100,
    comeBackMs: 1_000,
    act(socket) {
      socket.write(many(clientFrame(FIN | Opcode.Binary, UNSENT_ACK), ACKS_AT_ONCE));
      return true;
    },
  },
  'connects-and-resets': {
    as: 'stranger',
    subprotocol: SUBPROTOCOL_BINARY,
    everyMs: 100,
    comeBackMs: 200,
    act(socket) {
      socket.reset();
      return false;
    },
  },
} satisfies Record<string, TroubleKind>;

export type TroubleKindName = keyof typeof TROUBLE_KINDS;

/** Those of a soak: clients as there are, on bad lines. */
export const BAD_LINES: readonly TroubleKindName[] = ['comes-and-goes', 'slow', 'stopped'];

/** Those that mean harm, and those that do it. */
export const ALL_TROUBLE = Object.keys(TROUBLE_KINDS) as TroubleKindName[];
