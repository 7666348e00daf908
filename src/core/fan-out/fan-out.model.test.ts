import t, { type Test } from 'tap';
import { DecodeStatus, QuoteDecoder } from '../../client/quote-decoder.ts';
import {
  QUOTE_SLOT_ASK_PAISE,
  QUOTE_SLOT_ASK_QTY,
  QUOTE_SLOT_BID_PAISE,
  QUOTE_SLOT_BID_QTY,
  QUOTE_SLOT_CLOSE_PAISE,
  QUOTE_SLOT_FLAGS,
  QUOTE_SLOT_HIGH_PAISE,
  QUOTE_SLOT_LAST_PAISE,
  QUOTE_SLOT_LAST_QTY,
  QUOTE_SLOT_LAST_TRADE_MICROS,
  QUOTE_SLOT_LOW_PAISE,
  QUOTE_SLOT_OPEN_INTEREST,
  QUOTE_SLOT_OPEN_PAISE,
  QUOTE_SLOT_TOTAL_ASK_QTY,
  QUOTE_SLOT_TOTAL_BID_QTY,
  QUOTE_SLOT_TS_MICROS,
  QUOTE_SLOT_TURNOVER_PAISE,
  QUOTE_SLOT_VOLUME,
} from '../shm/generated/quote-slot.gen.ts';
import {
  FAN_OUT_STATS_CONNECTIONS,
  FAN_OUT_STATS_QUOTES_OUT,
  FAN_OUT_STATS_SKIPPED,
  FAN_OUT_STATS_SLOW_CONNECTIONS,
  FAN_OUT_STATS_SNAPSHOTS_OUT,
  FAN_OUT_STATS_SUBSCRIPTIONS,
} from '../shm/generated/worker-stats.gen.ts';
import { UNACKED_MAX_BYTES } from './credit.ts';
import { createFanOutFixture, type FanOutFixture, serveAll } from './fan-out-fixture.ts';
import { FRAME_MAX_BYTES } from './frame-scratch.ts';
import { NO_PING, type QuoteSink, SendStatus, type Subscriber } from './subscriber.ts';
import {
  FIELDS_BY_MODE,
  FILTER_CLASSES_BPS,
  QUOTE_FIELD_COUNT,
  QuoteField,
  QuoteMode,
  WIRE_DEPTH_NUMBERS,
} from './wire.ts';

const INSTRUMENTS = 48;
const CLIENTS_MAX = 12;
const START_MS = 1_790_000_000_000;

/** A generator whose stream is told by its seed alone (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), 1 | state);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return Math.floor((((z ^ (z >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** The naive twin of the market: what a client in full mode should know. */
class Market {
  readonly fields = Array.from({ length: INSTRUMENTS }, () => new Array<number>(QUOTE_FIELD_COUNT).fill(0));
  readonly depth = Array.from({ length: INSTRUMENTS }, () => new Array<number>(WIRE_DEPTH_NUMBERS).fill(0));
  readonly #turnovers = new Array<number>(INSTRUMENTS).fill(0);

  update(fixture: FanOutFixture, next: (below: number) => number, nowMs: number): void {
    const { board } = fixture;
    const index = next(INSTRUMENTS);
    const fields = this.fields[index]!;
    const depth = this.depth[index]!;
    board.open(index);
    const i32 = (field: number, slotField: number, value: number): void => {
      fields[field] = value;
      board.setI32(slotField, value);
    };
    const f64 = (field: number, slotField: number, value: number): void => {
      fields[field] = value;
      board.setF64(slotField, value);
    };
    if (next(2) === 0) {
      const isWild = next(20) === 0;
      const price = isWild ? next(2 ** 31) : 100_000 + next(200);
      const qty = isWild ? next(2 ** 31) : next(500);
      i32(QuoteField.LastPaise, QUOTE_SLOT_LAST_PAISE, price);
      i32(QuoteField.LastQty, QUOTE_SLOT_LAST_QTY, qty);
      f64(QuoteField.Volume, QUOTE_SLOT_VOLUME, isWild ? 2 ** 50 + next(1_000) : fields[QuoteField.Volume]! + qty);
      const turnover = isWild ? 2 ** 52 : (this.#turnovers[index] ?? 0) + price * qty;
      this.#turnovers[index] = turnover;
      board.setF64(QUOTE_SLOT_TURNOVER_PAISE, turnover);
      const volume = fields[QuoteField.Volume]!;
      fields[QuoteField.AveragePaise] = volume > 0 ? Math.round(turnover / volume) : 0;
      f64(QuoteField.LastTradeMillis, QUOTE_SLOT_LAST_TRADE_MICROS, nowMs * 1_000);
      fields[QuoteField.LastTradeMillis] = Math.floor(nowMs);
    }
    if (next(2) === 0) {
      i32(QuoteField.BidPaise, QUOTE_SLOT_BID_PAISE, next(5) === 0 ? 0 : 99_000 + next(100));
      i32(QuoteField.BidQty, QUOTE_SLOT_BID_QTY, next(1_000));
    }
    if (next(2) === 0) {
      i32(QuoteField.AskPaise, QUOTE_SLOT_ASK_PAISE, next(5) === 0 ? 0 : 101_000 + next(100));
      i32(QuoteField.AskQty, QUOTE_SLOT_ASK_QTY, next(1_000));
    }
    if (next(8) === 0) {
      i32(QuoteField.Flags, QUOTE_SLOT_FLAGS, next(32));
      i32(QuoteField.HighPaise, QUOTE_SLOT_HIGH_PAISE, next(2 ** 31));
      i32(QuoteField.LowPaise, QUOTE_SLOT_LOW_PAISE, next(100_000));
      i32(QuoteField.OpenPaise, QUOTE_SLOT_OPEN_PAISE, next(100_000));
      i32(QuoteField.ClosePaise, QUOTE_SLOT_CLOSE_PAISE, next(3) === 0 ? 0 : next(200_000));
      f64(QuoteField.OpenInterest, QUOTE_SLOT_OPEN_INTEREST, next(2 ** 40));
    }
    if (next(2) === 0) {
      f64(QuoteField.TotalBidQty, QUOTE_SLOT_TOTAL_BID_QTY, next(2 ** 40));
      f64(QuoteField.TotalAskQty, QUOTE_SLOT_TOTAL_ASK_QTY, next(1_000));
      for (let n = next(4); n >= 0; n--) {
        const level = next(5);
        const isEmpty = next(6) === 0;
        const [price, qty, orders] = isEmpty ? [0, 0, 0] : [99_000 - level * 5, next(1_000), next(30)];
        const isAsk = next(2) === 1;
        if (isAsk) board.setAskLevel(level, price!, qty!, orders!);
        else board.setBidLevel(level, price!, qty!, orders!);
        depth.splice((isAsk ? 15 : 0) + level * 3, 3, price!, qty!, orders!);
      }
    }
    board.setF64(QUOTE_SLOT_TS_MICROS, Math.floor(nowMs * 1_000));
    fields[QuoteField.TsMillis] = Math.floor(nowMs);
    board.close((nowMs * 1_000) | 0);
  }
}

/** The naive twin of a client, and the sink that feeds it. */
class Client implements QuoteSink {
  readonly decoder = new QuoteDecoder(4);
  readonly wanted = new Map<number, QuoteMode>();
  readonly prices = new Map<string, { ltp: number; change: number }>();
  readonly isJson: boolean;
  readonly subscriber: Subscriber;
  status: SendStatus = SendStatus.Sent;
  isStalled = false;
  pingTick = NO_PING;
  unackedBytes = 0;
  readonly problems: string[] = [];

  constructor(fixture: FanOutFixture, isJson: boolean) {
    this.isJson = isJson;
    this.subscriber = fixture.fanOut.connect(this, isJson);
  }

  sendQuotes(bytes: Uint8Array, pingTick: number): SendStatus {
    if (bytes.length > FRAME_MAX_BYTES) this.problems.push(`a frame of ${bytes.length} bytes`);
    if (this.status === SendStatus.Dropped) return SendStatus.Dropped;
    this.unackedBytes += bytes.length;
    if (this.unackedBytes > UNACKED_MAX_BYTES + FRAME_MAX_BYTES) this.problems.push('more sent than credit allows');
    if (pingTick !== NO_PING) this.pingTick = pingTick;
    if (this.isJson) this.#takeJson(bytes);
    else this.#takeBinary(bytes);
    return this.status;
  }

  acknowledge(fixture: FanOutFixture): void {
    const tick = this.isJson ? this.pingTick : this.decoder.tick;
    if (tick <= 0) return;
    fixture.fanOut.acknowledge(this.subscriber, tick);
    // Of a JSON client's frames only those with a ping are told of: the rest stays a little longer on the account.
    if (!this.isJson) this.unackedBytes = 0;
    else this.unackedBytes = Math.min(this.unackedBytes, 8_192);
  }

  #takeBinary(bytes: Uint8Array): void {
    const status = this.decoder.decode(bytes);
    if (status !== DecodeStatus.Ok) this.problems.push(`decoding: ${status}`);
    for (let i = 0; i < this.decoder.changedCount; i++) {
      if (!this.wanted.has(this.decoder.changed[i]!)) this.problems.push(`not asked for ${this.decoder.changed[i]}`);
    }
  }

  #takeJson(bytes: Uint8Array): void {
    const parsed = JSON.parse(new TextDecoder().decode(bytes)) as unknown;
    for (const quote of Array.isArray(parsed) ? parsed : [parsed]) {
      if (!this.wanted.has(Number(quote.symbol.slice(1)))) this.problems.push(`not asked for ${quote.symbol}`);
      this.prices.set(quote.symbol, quote);
    }
  }

  /** What differs from the market. */
  differences(market: Market): string[] {
    const found = [...this.problems];
    for (const [index, mode] of this.wanted) {
      const fields = market.fields[index]!;
      if (mode === QuoteMode.Json) {
        const last = fields[QuoteField.LastPaise]!;
        const close = fields[QuoteField.ClosePaise]!;
        const got = this.prices.get(`S${index}`);
        if (last === 0) continue;
        if (got?.ltp !== last / 100) found.push(`S${index} ltp ${got?.ltp} for ${last / 100}`);
        const change = close === 0 ? 0 : last - close;
        if (got?.change !== Number((change / 100).toFixed(2)))
          found.push(`S${index} change ${got?.change} for ${change}`);
        continue;
      }
      for (const field of FIELDS_BY_MODE[mode]!) {
        const got = this.decoder.fields[index * QUOTE_FIELD_COUNT + field]!;
        if (got !== fields[field]) found.push(`S${index} mode ${mode} field ${field}: ${got} for ${fields[field]}`);
      }
      if (mode !== QuoteMode.Full) continue;
      for (let i = 0; i < WIRE_DEPTH_NUMBERS; i++) {
        const got = this.decoder.depth[index * WIRE_DEPTH_NUMBERS + i];
        if (got !== market.depth[index]![i]) found.push(`S${index} depth ${i}: ${got} for ${market.depth[index]![i]}`);
      }
    }
    return found;
  }
}

t.test('whatever happens, at rest every client knows the market in its mode', async (t) => {
  const seed = Number(process.env.OUTCRY_TEST_SEED ?? Date.now() % 2 ** 31);
  t.comment(`seed ${seed} (OUTCRY_TEST_SEED)`);
  for (let run = 0; run < 12; run++) await t.test(`run ${run}`, async (t) => play(t, seed + run, 4_000));
});

function play(t: Test, seed: number, steps: number): void {
  const next = random(seed);
  const phaseCount = 1 + next(4);
  const fixture = createFanOutFixture({
    instrumentCount: INSTRUMENTS,
    phaseCount,
    filterBps: 10,
    maxSubscriptions: 30,
  });
  const { fanOut } = fixture;
  const market = new Market();
  const clients: Client[] = [];
  let nowMs = START_MS;
  let phase = 0;

  const some = (): number[] => Array.from({ length: 1 + next(8) }, () => next(INSTRUMENTS));
  const act: Record<string, (client: Client) => void> = {
    subscribe(client) {
      const indices = some();
      const mode = client.isJson ? QuoteMode.Json : (next(3) as QuoteMode);
      const count = new Set([...client.wanted.keys(), ...indices]).size;
      const status = fanOut.subscribe(client.subscriber, indices, mode, nowMs * 1_000);
      if (status !== (count > 30 ? 1 : 0)) client.problems.push(`subscribe ${status} with ${count}`);
      if (status === 0) for (const index of indices) client.wanted.set(index, mode);
    },
    unsubscribe(client) {
      const indices = some();
      let count = 0;
      for (const index of indices) if (client.wanted.delete(index)) count++;
      if (fanOut.unsubscribe(client.subscriber, indices) !== count) client.problems.push('unsubscribe counts wrong');
      for (const index of indices) client.prices.delete(`S${index}`);
    },
    filter: (client) =>
      fanOut.setFilter(client.subscriber, FILTER_CLASSES_BPS[next(FILTER_CLASSES_BPS.length)]!, nowMs * 1_000),
    timing(client) {
      client.subscriber.withTiming = next(2) === 0;
    },
    stall(client) {
      client.isStalled = !client.isStalled;
    },
    congest(client) {
      client.status = next(2) === 0 ? SendStatus.Congested : SendStatus.Dropped;
    },
    drain(client) {
      client.status = SendStatus.Sent;
      fanOut.drained(client.subscriber);
    },
    leave(client) {
      fanOut.disconnect(client.subscriber);
      clients.splice(clients.indexOf(client), 1);
    },
  };
  const actions = [
    'subscribe',
    'subscribe',
    'subscribe',
    'unsubscribe',
    'filter',
    'timing',
    'stall',
    'congest',
    'drain',
    'drain',
    'drain',
  ];

  for (let step = 0; step < steps; step++) {
    nowMs += next(8);
    for (let n = next(12); n > 0; n--) market.update(fixture, next, nowMs);
    if (clients.length < CLIENTS_MAX && next(20) === 0) clients.push(new Client(fixture, next(4) === 0));
    const client = clients[next(clients.length)];
    if (client !== undefined && next(2) === 0) {
      act[next(60) === 0 ? 'leave' : actions[next(actions.length)]!]!(client);
    }
    for (const each of clients) if (!each.isStalled && next(10) === 0) each.acknowledge(fixture);
    if (!fanOut.isSweeping && next(3) === 0) {
      fanOut.beginTick(phase, nowMs);
      phase = (phase + 1) % phaseCount;
    }
    if (next(2) === 0) fanOut.sweep(1 + next(3), nowMs);
    if (next(3) === 0) fanOut.flush(1 + next(3), nowMs);
  }

  while (!fanOut.sweep(10, nowMs));
  for (const client of clients) act.drain!(client);
  // Acknowledged, served, a second later what was held back, and once more for those who had no credit then.
  for (let round = 0; round < 6; round++) {
    for (const client of clients) client.acknowledge(fixture);
    nowMs += 500;
    serveAll(fanOut, nowMs);
  }
  for (const client of clients) t.strictSame(client.differences(market), [], 'knows the market');
  let subscriptions = 0;
  for (const client of clients) subscriptions += client.wanted.size;
  t.equal(fixture.stat(FAN_OUT_STATS_CONNECTIONS), clients.length, 'connections counted');
  t.equal(fixture.stat(FAN_OUT_STATS_SUBSCRIPTIONS), subscriptions, 'subscriptions counted');
  t.equal(fixture.stat(FAN_OUT_STATS_SLOW_CONNECTIONS), 0, 'nobody is slow at rest');
  t.ok(fixture.stat(FAN_OUT_STATS_QUOTES_OUT) > fixture.stat(FAN_OUT_STATS_SNAPSHOTS_OUT), 'changes were sent');
  t.ok(fixture.stat(FAN_OUT_STATS_SKIPPED) > 0, 'and skipped');
}
