import { pack, unpack } from 'msgpackr';
import t from 'tap';
import { QuoteDecoder } from '../../client/quote-decoder.ts';
import {
  QUOTE_SLOT_BID_PAISE,
  QUOTE_SLOT_BID_QTY,
  QUOTE_SLOT_CLOSE_PAISE,
  QUOTE_SLOT_LAST_PAISE,
  QUOTE_SLOT_TS_MICROS,
  QUOTE_SLOT_VOLUME,
} from '../shm/generated/quote-slot.gen.ts';
import {
  FAN_OUT_STATS_CHANGES_TAKEN,
  FAN_OUT_STATS_FILTERED,
  FAN_OUT_STATS_LATENCY_BUCKETS,
  FAN_OUT_STATS_LATENCY_COUNT,
  FAN_OUT_STATS_QUOTES_OUT,
  FAN_OUT_STATS_SKIPPED,
  FAN_OUT_STATS_SLOT_RETRIES,
} from '../shm/generated/worker-stats.gen.ts';
import { type ControlMap, decodeControl, encodeControl } from './control-codec.ts';
import { CreditBook, UNACKED_MAX_BYTES, UNACKED_MAX_MS } from './credit.ts';
import { createFanOutFixture, type FanOutFixture, instrumentRow, serveAll } from './fan-out-fixture.ts';
import { HoldQueue, NONE_DUE } from './hold-queue.ts';
import { jsonPrefix, writeJsonQuote, writeRupees } from './json-encoder.ts';
import { AckStatus, type QuoteSink, SendStatus, type Subscriber } from './subscriber.ts';
import { SubscriptionLists } from './subscription-lists.ts';
import { QUOTE_FIELD_COUNT, QuoteField, QuoteMode } from './wire.ts';

const START_MS = 1_790_000_000_000;

class Listener implements QuoteSink {
  readonly decoder = new QuoteDecoder();
  readonly subscriber: Subscriber;
  frames: Uint8Array[] = [];

  constructor({ fanOut }: FanOutFixture, isJson = false) {
    this.subscriber = fanOut.connect(this, isJson);
  }

  sendQuotes(bytes: Uint8Array): SendStatus {
    this.frames.push(bytes.slice());
    if (!this.subscriber.isJson) t.equal(this.decoder.decode(bytes), 0, 'decodes');
    return SendStatus.Sent;
  }

  field(index: number, field: number): number {
    return this.decoder.fields[index * QUOTE_FIELD_COUNT + field]!;
  }

  get last(): number {
    return this.field(0, QuoteField.LastPaise);
  }

  texts(): string[] {
    return this.frames.map((frame) => new TextDecoder().decode(frame));
  }
}

function write({ board }: FanOutFixture, nowMs: number, values: Record<number, number>, index = 0): void {
  board.open(index);
  for (const [field, value] of Object.entries(values)) board.setI32(Number(field), value);
  board.close((nowMs * 1_000) | 0);
}

t.test('the differential filter holds back small changes of the trade, for a second, and nothing else', async (t) => {
  const fixture = createFanOutFixture({ filterBps: 10 });
  const { fanOut } = fixture;
  const ltp = new Listener(fixture);
  const quote = new Listener(fixture);
  const full = new Listener(fixture);
  const unfiltered = new Listener(fixture);
  fanOut.setFilter(unfiltered.subscriber, 0, 0);
  let nowMs = START_MS;
  write(fixture, nowMs, { [QUOTE_SLOT_LAST_PAISE]: 100_000, [QUOTE_SLOT_BID_PAISE]: 99_990 });
  fanOut.subscribe(ltp.subscriber, [0], QuoteMode.Ltp, nowMs * 1_000);
  fanOut.subscribe(quote.subscriber, [0], QuoteMode.Quote, nowMs * 1_000);
  fanOut.subscribe(full.subscriber, [0], QuoteMode.Full, nowMs * 1_000);
  fanOut.subscribe(unfiltered.subscriber, [0], QuoteMode.Ltp, nowMs * 1_000);
  const serve = (): number[] => {
    nowMs += 100;
    serveAll(fanOut, nowMs);
    for (const { subscriber } of [ltp, quote, full, unfiltered]) fanOut.acknowledge(subscriber, subscriber.lastTick);
    return [ltp.last, quote.last, full.last, unfiltered.last];
  };
  t.strictSame(serve(), [100_000, 100_000, 100_000, 100_000], 'keyframes');

  write(fixture, nowMs, { [QUOTE_SLOT_LAST_PAISE]: 100_099 });
  t.strictSame(serve(), [100_000, 100_000, 100_099, 100_099], 'less than a tenth of a per cent waits');
  write(fixture, nowMs, { [QUOTE_SLOT_LAST_PAISE]: 100_100 });
  t.strictSame(serve(), [100_100, 100_100, 100_100, 100_100], 'a tenth of a per cent does not');

  write(fixture, nowMs, { [QUOTE_SLOT_LAST_PAISE]: 100_150 });
  serve();
  write(fixture, nowMs, { [QUOTE_SLOT_BID_PAISE]: 99_995 });
  t.strictSame(serve(), [100_100, 100_150, 100_150, 100_150], 'a bid takes the newest trade along');
  t.equal(quote.field(0, QuoteField.BidPaise), 99_995);

  const startMs = nowMs;
  while (ltp.last !== 100_150) serve();
  t.ok(nowMs - startMs <= 1_000, `a change held back goes out within a second: ${nowMs - startMs} ms`);
  t.ok(fixture.stat(FAN_OUT_STATS_FILTERED) > 0, 'and is counted');

  write(fixture, nowMs, { [QUOTE_SLOT_LAST_PAISE]: 100_160 });
  serve();
  write(fixture, nowMs, { [QUOTE_SLOT_LAST_PAISE]: 100_150 });
  const before = ltp.frames.length;
  for (let i = 0; i < 20; i++) serve();
  t.equal(ltp.frames.length, before, 'a change that was taken back is never told');

  fixture.board.open(0);
  fixture.board.setF64(QUOTE_SLOT_VOLUME, 50);
  fixture.board.close(0);
  serve();
  t.equal(quote.field(0, QuoteField.Volume), 0, 'a trade at the same price waits too');
  for (let i = 0; i < 10; i++) serve();
  t.equal(quote.field(0, QuoteField.Volume), 50, 'and goes out');
});

t.test('one encoding serves a group, and only what changed is in it', async (t) => {
  const fixture = createFanOutFixture();
  const a = new Listener(fixture);
  const b = new Listener(fixture);
  for (const listener of [a, b]) fixture.fanOut.subscribe(listener.subscriber, [0, 1], QuoteMode.Quote, 0);
  write(fixture, START_MS, { [QUOTE_SLOT_LAST_PAISE]: 5_000 }, 1);
  serveAll(fixture.fanOut, START_MS);
  write(fixture, START_MS, { [QUOTE_SLOT_LAST_PAISE]: 5_005, [QUOTE_SLOT_BID_QTY]: 3 }, 1);
  write(fixture, START_MS, { [QUOTE_SLOT_LAST_PAISE]: 1 }, 63);
  serveAll(fixture.fanOut, START_MS + 30);
  t.strictSame(a.frames.at(-1), b.frames.at(-1));
  t.equal(a.decoder.changedCount, 1);
  t.equal(a.field(1, QuoteField.LastPaise), 5_005);
  t.equal(fixture.stat(FAN_OUT_STATS_CHANGES_TAKEN), 3, 'each change is taken, subscribed to or not');
  const frames = a.frames.length;
  serveAll(fixture.fanOut, START_MS + 60);
  t.equal(a.frames.length, frames, 'no change, no frame');
  t.ok(fixture.stat(FAN_OUT_STATS_LATENCY_COUNT) >= 2);
  t.ok(fixture.stat(FAN_OUT_STATS_LATENCY_BUCKETS + 2 * 5) >= 2, '30 ms is above 20 and not above 35');
});

t.test('a slot whose writer is inside is read at the next tick', async (t) => {
  const fixture = createFanOutFixture();
  const listener = new Listener(fixture);
  fixture.fanOut.subscribe(listener.subscriber, [0], QuoteMode.Full, 0);
  serveAll(fixture.fanOut, START_MS);
  write(fixture, START_MS, { [QUOTE_SLOT_LAST_PAISE]: 700 });
  fixture.board.open(0);
  fixture.board.setI32(QUOTE_SLOT_LAST_PAISE, 705);
  serveAll(fixture.fanOut, START_MS + 10);
  t.equal(listener.last, 0);
  t.equal(fixture.stat(FAN_OUT_STATS_SLOT_RETRIES), 1);
  fixture.board.close(0);
  serveAll(fixture.fanOut, START_MS + 20);
  t.equal(listener.last, 705);
});

t.test('a subscription made while the writer is inside gets its quote a tick later', async (t) => {
  const fixture = createFanOutFixture();
  const listener = new Listener(fixture);
  fixture.board.open(0);
  fixture.board.setI32(QUOTE_SLOT_LAST_PAISE, 705);
  fixture.board.setBidLevel(0, 700, 1, 1);
  fixture.fanOut.subscribe(listener.subscriber, [0], QuoteMode.Full, 0);
  serveAll(fixture.fanOut, START_MS);
  fixture.board.close(0);
  serveAll(fixture.fanOut, START_MS + 10);
  t.equal(listener.last, 705);
  t.equal(listener.decoder.depth[0], 700);
});

t.test('a tick larger than a frame comes in several, and stops where credit does', async (t) => {
  const count = 2_000;
  const fixture = createFanOutFixture({ instrumentCount: count, maxSubscriptions: count });
  const listener = new Listener(fixture, true);
  const all = Array.from({ length: count }, (_, index) => index);
  for (const index of all) write(fixture, START_MS, { [QUOTE_SLOT_LAST_PAISE]: 100 + index }, index);
  fixture.fanOut.subscribe(listener.subscriber, all, QuoteMode.Json, START_MS * 1_000);
  serveAll(fixture.fanOut, START_MS);
  const sent = listener.frames.reduce((sum, frame) => sum + frame.length, 0);
  t.ok(sent > UNACKED_MAX_BYTES && sent <= 2 * UNACKED_MAX_BYTES, `${sent} bytes before the first acknowledgement`);
  const symbols = (): number => listener.texts().flatMap((text) => JSON.parse(text) as unknown).length;
  t.ok(symbols() < count);
  for (const index of all) write(fixture, START_MS, { [QUOTE_SLOT_LAST_PAISE]: 200 + index }, index);
  serveAll(fixture.fanOut, START_MS + 100);
  t.ok(fixture.stat(FAN_OUT_STATS_SKIPPED) > 0);
  for (let i = 0; i < 10; i++) {
    fixture.fanOut.acknowledge(listener.subscriber, listener.subscriber.lastTick);
    serveAll(fixture.fanOut, START_MS + 200 + i);
  }
  const newest = new Map<string, number>();
  for (const quote of listener.texts().flatMap((text) => JSON.parse(text) as { symbol: string; ltp: number }[])) {
    newest.set(quote.symbol, quote.ltp);
  }
  t.equal(newest.size, count);
  for (const index of all) if (newest.get(`S${index}`) !== (200 + index) / 100) t.fail(`S${index}`);
  t.equal(fixture.fanOut.acknowledge(listener.subscriber, 1), AckStatus.Repeated);
  t.equal(fixture.fanOut.acknowledge(listener.subscriber, 1e9), AckStatus.Unsent);
});

t.test('a connection that changes its group in the middle of a sweep is not served twice', async (t) => {
  const fixture = createFanOutFixture({ filterBps: 0 });
  const listeners = Array.from({ length: 6 }, () => new Listener(fixture));
  const { fanOut } = fixture;
  for (const { subscriber } of listeners) fanOut.subscribe(subscriber, [0], QuoteMode.Ltp, 0);
  fanOut.setFilter(listeners[5]!.subscriber, 5, 0);
  serveAll(fanOut, START_MS);
  write(fixture, START_MS, { [QUOTE_SLOT_LAST_PAISE]: 50_000 });
  fanOut.beginTick(0, START_MS);
  fanOut.sweep(1, START_MS);
  // Joins, is flushed beyond the sweep's tick, and is moved down among those still to come.
  fanOut.setFilter(listeners[5]!.subscriber, 0, 0);
  fanOut.flush(10, START_MS);
  fanOut.disconnect(listeners[0]!.subscriber);
  while (!fanOut.sweep(1, START_MS));
  for (const listener of listeners.slice(1)) t.equal(listener.last, 50_000);
  t.equal(listeners[5]!.frames.length, 2, 'two keyframes, nothing else');
});

t.test('a symbol that is renamed is told by its new name, one that is delisted no longer resolves', async (t) => {
  const fixture = createFanOutFixture({ instrumentCount: 64 });
  const listener = new Listener(fixture, true);
  write(fixture, START_MS, { [QUOTE_SLOT_LAST_PAISE]: 100 });
  fixture.fanOut.subscribe(listener.subscriber, [0], QuoteMode.Json, 0);
  serveAll(fixture.fanOut, START_MS);
  fixture.directory.load([instrumentRow(0, 'NEW"NAME'), { ...instrumentRow(1, 'GONE'), listed: false }]);
  write(fixture, START_MS, { [QUOTE_SLOT_LAST_PAISE]: 110 });
  serveAll(fixture.fanOut, START_MS + 100);
  t.strictSame(
    listener.texts().map((text) => JSON.parse(text).symbol),
    ['S0', 'NEW"NAME'],
  );
  t.equal(fixture.directory.indexOf('GONE'), -1);
  t.equal(fixture.directory.indexOf('S0'), -1);
});

t.test('JSON numbers are exact and as short as they can be', async (t) => {
  const out = new Uint8Array(64);
  const rupees = (paise: number): string => new TextDecoder().decode(out.subarray(0, writeRupees(out, 0, paise)));
  for (const [paise, text] of [
    [0, '0'],
    [5, '0.05'],
    [10, '0.1'],
    [99, '0.99'],
    [100, '1'],
    [245_075, '2450.75'],
    [-30, '-0.3'],
    [-1, '-0.01'],
    [-12_300, '-123'],
    [2_147_483_647, '21474836.47'],
    [-2_147_483_648, '-21474836.48'],
  ] as const) {
    t.equal(rupees(paise), text);
    t.equal(JSON.parse(text), paise / 100);
  }
  for (let paise = -100_000; paise < 100_000; paise += 7) {
    if (rupees(paise) !== String(paise / 100)) t.equal(rupees(paise), String(paise / 100));
  }
  const bytes = new Uint8Array(256);
  const end = writeJsonQuote(bytes, 0, jsonPrefix('M&M-"é"'), 1_009, 0, 1_609_459_200_000);
  t.strictSame(JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))), {
    symbol: 'M&M-"é"',
    ltp: 10.09,
    change: 0,
    timestamp: 1_609_459_200_000,
  });
});

t.test('an instrument without a price is not told of in JSON', async (t) => {
  const fixture = createFanOutFixture();
  const listener = new Listener(fixture, true);
  write(fixture, START_MS, { [QUOTE_SLOT_LAST_PAISE]: 105, [QUOTE_SLOT_CLOSE_PAISE]: 100 }, 1);
  fixture.fanOut.subscribe(listener.subscriber, [0, 1, 2], QuoteMode.Json, 0);
  serveAll(fixture.fanOut, START_MS);
  t.strictSame(listener.texts(), ['{"symbol":"S1","ltp":1.05,"change":0.05,"timestamp":0}']);
  fixture.board.open(2);
  fixture.board.setF64(QUOTE_SLOT_TS_MICROS, 5_999);
  fixture.board.close(0);
  serveAll(fixture.fanOut, START_MS + 100);
  t.equal(listener.frames.length, 1);
});

t.test('credit: bytes, time, and checkpoints that overflow', async (t) => {
  const book = new CreditBook();
  book.open(700);
  t.ok(book.has(700, 0), 'nothing sent');
  book.sent(700, 1, 20_000, 0);
  t.ok(book.has(700, 0));
  book.sent(700, 2, 20_000, 0);
  t.notOk(book.has(700, 0), 'too many bytes');
  book.acknowledge(700, 1);
  t.ok(book.has(700, 0), 'of the second frame only');
  book.acknowledge(700, 2);
  t.ok(book.has(700, 1e9), 'all acknowledged: time does not matter');
  book.sent(700, 3, 10, 2_000);
  t.ok(book.has(700, 2_000 + UNACKED_MAX_MS));
  t.notOk(book.has(700, 2_001 + UNACKED_MAX_MS), 'too old');
  // More checkpoints than there are places: the last frame's acknowledgement must free everything all the same.
  for (let tick = 4; tick < 20; tick++) book.sent(700, tick, 9_000, 2_000 + tick);
  t.notOk(book.has(700, 2_100));
  book.acknowledge(700, 18);
  t.notOk(book.has(700, 2_100), 'the newest checkpoint is still out');
  book.acknowledge(700, 19);
  t.ok(book.has(700, 2_100));
});

t.test('a hold queue keeps its order while it grows', async (t) => {
  const queue = new HoldQueue();
  let pushed = 0;
  let taken = 0;
  for (; pushed < 40; pushed++) queue.push(pushed, pushed);
  for (; taken < 30; taken++) t.equal(queue.takeDue(1_000), taken);
  for (; pushed < 90; pushed++) queue.push(pushed, pushed);
  queue.reserve(256);
  for (; pushed < 200; pushed++) queue.push(pushed, pushed);
  for (; taken < 200; taken++) if (queue.takeDue(1_000) !== taken) t.fail('order');
  t.equal(queue.takeDue(1_000), NONE_DUE);
  queue.push(1, 500);
  t.equal(queue.takeDue(499), NONE_DUE);
  t.equal(queue.count, 1);
});

t.test('subscription lists reuse freed room and keep what others hold', async (t) => {
  const lists = new SubscriptionLists();
  const rooms = Array.from({ length: 2_000 }, (_, i) => SubscriptionLists.roomFor(1 + (i % 40)));
  const places = rooms.map((room) => lists.allocate(room));
  for (let i = 0; i < places.length; i++) lists.words.fill(i, places[i]!, places[i]! + rooms[i]!);
  for (let i = 0; i < places.length; i++) {
    if (lists.words.subarray(places[i]!, places[i]! + rooms[i]!).some((word) => word !== i)) t.fail(`list ${i}`);
  }
  const length = lists.words.length;
  for (let i = 0; i < places.length; i++) lists.free(places[i]!, rooms[i]!);
  for (const room of rooms) lists.allocate(room);
  t.equal(lists.words.length, length, 'no growth');
  t.equal(SubscriptionLists.roomFor(0), 0);
  t.equal(SubscriptionLists.roomFor(20), 32);
});

t.test('control messages are MessagePack that another library writes and reads', async (t) => {
  const maps: ControlMap[] = [
    {},
    { id: 0, action: 'ping' },
    { id: 4_294_967_295, a: -1, b: -32, c: -33, d: -40_000, e: 2 ** 53 - 1, f: -(2 ** 53 - 1), g: 0.5 },
    { text: 'é'.repeat(300), long: 'x'.repeat(70_000), yes: true, no: false, none: null },
    { list: Array.from({ length: 70_000 }, (_, i) => i), nested: [[[1]]], map: { a: { b: 'c' } } },
  ];
  for (const map of maps) {
    const ours = encodeControl([9, 9], map);
    t.strictSame(unpack(ours.subarray(2)), map, 'theirs reads ours');
    t.strictSame(JSON.parse(JSON.stringify(decodeControl(ours, 2))), map, 'ours reads ours');
    t.strictSame(JSON.parse(JSON.stringify(decodeControl(pack(map), 0))), map, 'ours reads theirs');
  }
  const good = encodeControl([], { id: 1, action: 'subscribe', symbols: ['A', 'B'], mode: 'ltp' });
  for (let length = 0; length < good.length; length++) t.equal(decodeControl(good.subarray(0, length), 0), undefined);
  t.equal(decodeControl(Uint8Array.from([...good, 0]), 0), undefined, 'bytes behind the map');
  t.equal(decodeControl(pack({ a: [[[[1]]]] }), 0), undefined, 'nested too deep');
  t.equal(decodeControl(pack([1]), 0), undefined, 'no map');
  t.equal(decodeControl(pack({ a: 2n ** 60n }), 0), undefined, 'a number beyond 53 bits');
});

t.test('disconnecting counts and frees everything', async (t) => {
  const fixture = createFanOutFixture({ maxConnections: 2 });
  const { fanOut } = fixture;
  for (let round = 0; round < 50; round++) {
    const a = new Listener(fixture);
    const b = new Listener(fixture);
    t.notOk(fanOut.hasRoom);
    fanOut.subscribe(a.subscriber, [1, 2, 3], QuoteMode.Full, 0);
    fanOut.disconnect(a.subscriber);
    fanOut.disconnect(a.subscriber);
    fanOut.disconnect(b.subscriber);
    t.equal(fanOut.connectionCount, 0);
    serveAll(fanOut, START_MS);
    t.equal(a.frames.length + b.frames.length, 0, 'nothing is sent to who is gone');
  }
  t.equal(fixture.stat(FAN_OUT_STATS_QUOTES_OUT), 0);
});

t.test('a phase is filled before the next is begun, and the one begun next is far from it', async (t) => {
  const { fanOut } = createFanOutFixture({ phaseCount: 8, phaseFill: 2 });
  const sink: QuoteSink = { sendQuotes: () => SendStatus.Sent };
  const subscribers = Array.from({ length: 18 }, () => fanOut.connect(sink, false));
  const phases = subscribers.map((subscriber) => subscriber.phase);
  t.strictSame(phases.slice(0, 16), [0, 0, 4, 4, 2, 2, 6, 6, 1, 1, 5, 5, 3, 3, 7, 7]);
  t.not(phases[16], phases[17], 'when all are full the emptiest takes the next');
  fanOut.disconnect(subscribers[2]!);
  t.equal(fanOut.connect(sink, false).phase, 4, 'a place that was given up is taken again');
});
