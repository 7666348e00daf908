import { writeFileSync } from 'node:fs';
import t from 'tap';
import { DecodeStatus, QuoteDecoder } from '../client/quote-decoder.ts';
import { decodeControl, encodeControl } from '../core/fan-out/control-codec.ts';
import { createFanOutFixture, serveAll } from '../core/fan-out/fan-out-fixture.ts';
import { SendStatus } from '../core/fan-out/subscriber.ts';
import { unzigzag, VarintReader, writeVarint, zigzag } from '../core/fan-out/varint.ts';
import {
  FIELDS_BY_MODE,
  FrameType,
  QUOTE_FIELD_COUNT,
  QuoteField,
  QuoteMode,
  WIRE_DEPTH_NUMBERS,
  WIRE_VERSION,
} from '../core/fan-out/wire.ts';
import {
  QUOTE_SLOT_ASK_PAISE,
  QUOTE_SLOT_ASK_QTY,
  QUOTE_SLOT_BID_PAISE,
  QUOTE_SLOT_BID_QTY,
  QUOTE_SLOT_CLOSE_PAISE,
  QUOTE_SLOT_LAST_PAISE,
  QUOTE_SLOT_LAST_QTY,
  QUOTE_SLOT_TS_MICROS,
  QUOTE_SLOT_TURNOVER_PAISE,
  QUOTE_SLOT_VOLUME,
} from '../core/shm/generated/quote-slot.gen.ts';
import { orderVectors } from './testing/order-vectors.ts';
import vectors from './ws-protocol-vectors.json' with { type: 'json' };

const FIELD_NAMES = Object.entries(QuoteField).filter(([name]) => name !== 'Depth');
const START_MS = 1_790_000_000_000;

interface FrameVector {
  readonly name: string;
  readonly hex: string;
  readonly tick: number;
  readonly oldestArrivalMicros: number;
  /** What the frame told of, as it stands afterwards. Fields that are 0 are left out, and so is a depth of zeros. */
  readonly after: { index: number; fields: Record<string, number>; depth?: number[] }[];
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

function describe(name: string, frame: Uint8Array, decoder: QuoteDecoder): FrameVector {
  const after = [];
  for (let i = 0; i < decoder.changedCount; i++) {
    const index = decoder.changed[i]!;
    const fields: Record<string, number> = {};
    for (const [field, bit] of FIELD_NAMES) {
      const value = decoder.fields[index * QUOTE_FIELD_COUNT + bit]!;
      if (value !== 0) fields[field] = value;
    }
    const depth = [...decoder.depth.subarray(index * WIRE_DEPTH_NUMBERS, (index + 1) * WIRE_DEPTH_NUMBERS)];
    after.push({ index, fields, ...(depth.some((value) => value !== 0) ? { depth } : {}) });
  }
  return { name, hex: hex(frame), tick: decoder.tick, oldestArrivalMicros: decoder.oldestArrivalMicros, after };
}

/** One connection's life, and every frame of it. */
function playScenario(): FrameVector[] {
  const { fanOut, board } = createFanOutFixture({ instrumentCount: 300 });
  const decoder = new QuoteDecoder();
  const frames: FrameVector[] = [];
  let name = '';
  let nowMs = START_MS;
  const sink = {
    sendQuotes(bytes: Uint8Array): SendStatus {
      t.equal(decoder.decode(bytes), DecodeStatus.Ok, name);
      frames.push(describe(name, bytes.slice(), decoder));
      return SendStatus.Sent;
    },
  };
  const subscriber = fanOut.connect(sink, false);
  const step = (what: string, act: () => void): void => {
    name = what;
    nowMs += 100;
    act();
    serveAll(fanOut, nowMs);
  };
  const write = (index: number, act: () => void): void => {
    board.open(index);
    act();
    board.setF64(QUOTE_SLOT_TS_MICROS, nowMs * 1_000);
    board.close(((nowMs - 40) * 1_000) | 0);
  };
  write(5, () => {
    board.setI32(QUOTE_SLOT_LAST_PAISE, 245_075);
    board.setI32(QUOTE_SLOT_CLOSE_PAISE, 244_925);
  });
  step('keyframe in ltp mode', () => void fanOut.subscribe(subscriber, [5], QuoteMode.Ltp, nowMs * 1_000));
  step('ltp: the price rose by 5 paise', () => write(5, () => board.setI32(QUOTE_SLOT_LAST_PAISE, 245_080)));
  step('ltp: the price fell, and a flag was set', () =>
    write(5, () => {
      board.setI32(QUOTE_SLOT_LAST_PAISE, 245_000);
      board.setFlags(8, 0);
    }),
  );
  step(
    'keyframe of an instrument that was never quoted, and a two-byte index',
    () => void fanOut.subscribe(subscriber, [299], QuoteMode.Quote, nowMs * 1_000),
  );
  step('quote: a book, a trade, a volume beyond 32 bits', () =>
    write(299, () => {
      board.setI32(QUOTE_SLOT_BID_PAISE, 10_000);
      board.setI32(QUOTE_SLOT_BID_QTY, 250);
      board.setI32(QUOTE_SLOT_ASK_PAISE, 10_005);
      board.setI32(QUOTE_SLOT_ASK_QTY, 75);
      board.setI32(QUOTE_SLOT_LAST_PAISE, 10_005);
      board.setI32(QUOTE_SLOT_LAST_QTY, 25);
      board.setF64(QUOTE_SLOT_VOLUME, 6_000_000_000);
      board.setF64(QUOTE_SLOT_TURNOVER_PAISE, 60_012_000_000_000);
    }),
  );
  step('two instruments in a frame', () => {
    write(5, () => board.setI32(QUOTE_SLOT_LAST_PAISE, 245_005));
    write(299, () => board.setI32(QUOTE_SLOT_BID_QTY, 200));
  });
  const writeBook = (index: number, bid: number): void => {
    board.setI32(QUOTE_SLOT_BID_PAISE, bid);
    board.setI32(QUOTE_SLOT_BID_QTY, 100);
    board.setI32(QUOTE_SLOT_ASK_PAISE, bid + 5);
    board.setI32(QUOTE_SLOT_ASK_QTY, 300);
    for (let level = 0; level < 5; level++) {
      board.setBidLevel(level, bid - level * 5, 100 + level, 2 + level);
      board.setAskLevel(level, bid + 5 + level * 5, 300 + level, 4 + level);
    }
    t.ok(index >= 0);
  };
  write(7, () => writeBook(7, 50_000));
  step('keyframe in full mode', () => void fanOut.subscribe(subscriber, [7], QuoteMode.Full, nowMs * 1_000));
  step('full: the whole book rose by 10 paise', () => write(7, () => writeBook(7, 50_010)));
  step('full: the third bid changed and the fifth ask went', () =>
    write(7, () => {
      board.setBidLevel(2, 50_000, 90, 3);
      board.setAskLevel(4, 0, 0, 0);
    }),
  );
  step('with timing', () => {
    subscriber.withTiming = true;
    write(5, () => board.setI32(QUOTE_SLOT_LAST_PAISE, 245_010));
  });
  step(
    'keyframes with timing: the mode of one instrument was switched',
    () => void fanOut.subscribe(subscriber, [7], QuoteMode.Ltp, nowMs * 1_000),
  );
  return frames;
}

function buildVectors(): object {
  const varints = [0, 1, 127, 128, 16_383, 16_384, 2 ** 28 - 1, 2 ** 28, 2 ** 31, 2 ** 32, 2 ** 53 - 1];
  const zigzags = [0, -1, 1, -64, 64, -65, 2 ** 31, -(2 ** 31), 2 ** 52 - 1, -(2 ** 52 - 1)];
  const encode = (value: number): string => {
    const bytes = new Uint8Array(8);
    return hex(bytes.subarray(0, writeVarint(bytes, 0, value)));
  };
  const control = { id: 7, action: 'subscribe', symbols: ['RELIANCE', 'M&M'], mode: 'full' };
  return {
    version: WIRE_VERSION,
    varints: varints.map((value) => ({ value, hex: encode(value) })),
    zigzags: zigzags.map((value) => ({ value, hex: encode(zigzag(value)) })),
    control: [control, ...orderVectors()].map((map) => ({ map, hex: hex(encodeControl([FrameType.Control], map)) })),
    fieldBits: Object.fromEntries(Object.entries(QuoteField)),
    frames: playScenario(),
    malformed: [
      { name: 'no tick', hex: '01' },
      { name: 'a varint that is cut', hex: '01ff' },
      { name: 'a varint of nine bytes', hex: '01ffffffffffffffffff01' },
      { name: 'an entry without its numbers', hex: '0101000a01' },
      { name: 'a mask of more fields than there are', hex: '0101000a808020' },
      { name: 'a depth section of more levels than there are', hex: '0101000a80028010' },
      { name: 'no room for the time', hex: '04010000' },
      { name: 'another type', hex: '0501000a0102' },
    ],
  };
}

t.test('the vectors are what server and client speak', async (t) => {
  const built = JSON.parse(JSON.stringify(buildVectors())) as object;
  const target = process.env.OUTCRY_WRITE_VECTORS;
  if (target !== undefined) writeFileSync(target, `${JSON.stringify(built, undefined, 2)}\n`);
  t.strictSame(built, JSON.parse(JSON.stringify(vectors)));
});

t.test('a decoder reads the vectors', async (t) => {
  const reader = new VarintReader();
  for (const { value, hex: text } of vectors.varints) {
    reader.begin(bytesOf(text), 0, text.length / 2);
    t.equal(reader.unsigned(), value);
  }
  for (const { value, hex: text } of vectors.zigzags) {
    reader.begin(bytesOf(text), 0, text.length / 2);
    t.equal(reader.signed(), value);
    t.equal(unzigzag(zigzag(value)), value);
  }
  const decoder = new QuoteDecoder(1);
  for (const frame of vectors.frames as FrameVector[]) {
    const bytes = bytesOf(frame.hex);
    t.equal(decoder.decode(bytes), DecodeStatus.Ok, frame.name);
    t.strictSame(describe(frame.name, bytes, decoder), frame, frame.name);
  }
  for (const { name, hex: text } of vectors.malformed) {
    t.equal(new QuoteDecoder().decode(bytesOf(text)), DecodeStatus.Malformed, name);
  }
  for (const { map, hex: text } of vectors.control)
    t.strictSame(JSON.parse(JSON.stringify(decodeControl(bytesOf(text), 1))), map);
});

t.test('a frame that was lost is noticed', async (t) => {
  const decoder = new QuoteDecoder();
  const [first, , third] = vectors.frames;
  t.equal(decoder.decode(bytesOf(first!.hex)), DecodeStatus.Ok);
  t.equal(decoder.decode(bytesOf(third!.hex)), DecodeStatus.Desynced);
  decoder.reset();
  t.equal(decoder.decode(bytesOf(first!.hex)), DecodeStatus.Ok);
});

t.test('every cut and every flipped bit of a frame is read without a throw', async (t) => {
  let count = 0;
  for (const { hex: text } of vectors.frames) {
    const bytes = bytesOf(text);
    for (let length = 0; length < bytes.length; length++) {
      new QuoteDecoder(8).decode(bytes.subarray(0, length));
      for (let bit = 0; bit < 8; bit++) {
        const flipped = bytes.slice();
        flipped[length]! ^= 1 << bit;
        new QuoteDecoder(8).decode(flipped);
        count++;
      }
    }
  }
  t.ok(count > 1_000);
});

t.test('a mode’s fields are in the order of their bits', async (t) => {
  for (const fields of FIELDS_BY_MODE.slice(0, 3)) {
    t.strictSame(
      [...fields],
      [...fields].sort((a, b) => a - b),
    );
  }
});
