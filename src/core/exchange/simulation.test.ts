import { createHash } from 'node:crypto';
import t from 'tap';
import { MsgType } from '../fix/generated/fix-enums.gen.ts';
import { MARKET_DEPTH } from '../fix/market-data-messages.ts';
import { MarketHours } from '../market/calendar.ts';
import { INSTRUMENT_MASTER_FORMAT, InstrumentMaster } from '../market-data/instrument-master.ts';
import { InstrumentTable } from '../market-data/instrument-table.ts';
import { BodyReader } from './body-reader.ts';
import { generateInstrumentMaster } from './instrument-generator.ts';
import type { MarketDataBody } from './market-data-body.ts';
import { OrderType, TimeInForce } from './matching-engine.ts';
import { Side } from './order-pool.ts';
import { Prng } from './prng.ts';
import { LEVELS_EACH, PublishedState } from './published-state.ts';
import { Simulation, type SimulationSettings, TURN_MICROS } from './simulation.ts';

const ist = (text: string): number => Date.parse(`${text}+05:30`) * 1000;
const SECOND = 1_000_000;
const OUTSIDE = { accepted() {}, traded() {}, canceled() {}, replaced() {} };

interface MarketOptions extends Partial<SimulationSettings> {
  readonly madeUp?: number;
  readonly onBody?: (body: MarketDataBody) => void;
}

function market({ madeUp = 200, onBody = () => {}, ...settings }: MarketOptions = {}) {
  const seed = settings.seed ?? 3;
  const master = generateInstrumentMaster({ seed: 1, madeUpCount: madeUp, from: '2026-01-01' });
  const table = settings.table ?? new InstrumentTable(master.entries.length + 10);
  if (settings.table === undefined) table.load(master, '2026-01-01');
  const simulation = new Simulation(
    {
      seed,
      table,
      startMicros: ist('2026-11-23T12:00:00'),
      updatesPerSecond: 2_000,
      openBurstFactor: 1,
      marketHours: MarketHours.Always,
      ordersMax: 1_000_000,
      ...settings,
    },
    { published: onBody },
    OUTSIDE,
  );
  return { simulation, table, master };
}

function run(simulation: Simulation, micros: number, stepMicros = 5_000): number {
  let updates = 0;
  const end = simulation.clockMicros + micros;
  for (let now = simulation.clockMicros + stepMicros; now < end + stepMicros; now += stepMicros)
    updates += simulation.step(now);
  return updates;
}

/** A client that knows what it was sent and nothing else. */
class NaiveClient {
  readonly state: PublishedState;
  readonly #reader: BodyReader;
  readonly #body: MarketDataBody;
  wrong = 0;

  constructor(table: InstrumentTable, body: MarketDataBody) {
    this.#body = body;
    this.state = new PublishedState(table.capacity);
    this.#reader = new BodyReader(this.state, (buffer, start, end) => table.indexOfBytes(buffer, start, end));
  }

  take(body: MarketDataBody): void {
    const segments = [
      body.segmentInstruments.slice(0, body.segmentCount),
      body.segmentEnds.slice(0, body.segmentCount),
    ];
    const own = Object.assign(this.#body, {
      msgType: body.msgType,
      tsMicros: body.tsMicros,
      buffer: body.buffer.slice(),
      start: body.start,
      end: body.end,
    });
    if (!this.#reader.take(own)) this.wrong++;
    const found = [own.segmentInstruments.slice(0, own.segmentCount), own.segmentEnds.slice(0, own.segmentCount)];
    if (JSON.stringify(found) !== JSON.stringify(segments)) this.wrong++;
  }
}

/** Every way in which the client's picture differs from the exchange's own books and figures. */
function differences(simulation: Simulation, table: InstrumentTable, state: PublishedState): string[] {
  const found: string[] = [];
  const { engine } = simulation;
  const { figures } = engine;
  for (let index = 0; index < table.count; index++) {
    if (!table.isListed(index)) continue;
    const expect = (what: string, known: number | undefined, own: number | undefined) => {
      if (known !== own) found.push(`${table.symbol(index)} ${what}: published ${known}, is ${own}`);
    };
    const tradable = engine.hasBook(index);
    for (let i = 0; tradable && i < LEVELS_EACH; i++) {
      const side = i < MARKET_DEPTH ? engine.book(index).bids : engine.book(index).offers;
      const row = index * LEVELS_EACH + i;
      expect(`price ${i}`, state.levelPaise[row], side.pricePaiseAt(i % MARKET_DEPTH));
      expect(`quantity ${i}`, state.levelQty[row], side.quantityAt(i % MARKET_DEPTH));
      expect(`orders ${i}`, state.levelOrders[row], side.orderCountAt(i % MARKET_DEPTH));
    }
    expect('last', (tradable ? state.lastPaise : state.indexPaise)[index], figures.lastPaise[index]);
    expect('open', state.openPaise[index], figures.openPaise[index]);
    expect('high', state.highPaise[index], figures.highPaise[index]);
    expect('low', state.lowPaise[index], figures.lowPaise[index]);
    expect('previous close', state.previousClosePaise[index], figures.previousClosePaise[index]);
    if (!tradable) continue;
    expect('last quantity', state.lastQty[index], figures.lastQty[index]);
    expect('last time', state.lastMicros[index], figures.lastTradeMicros[index]);
    expect('volume', state.volume[index], figures.volume[index]);
    expect('average', state.averagePaise[index], figures.averagePaise(index));
  }
  return found;
}

t.test('one seed is one market, byte for byte, however it is stepped; another seed is another', async (t) => {
  const hash = (seed: number, stepMicros: number): string => {
    const sha = createHash('sha256');
    const { simulation } = market({ seed, onBody: (body) => sha.update(body.buffer.subarray(body.start, body.end)) });
    run(simulation, 3 * SECOND, stepMicros);
    return sha.digest('hex');
  };
  const first = hash(1, 5_000);
  t.equal(hash(1, 5_000), first);
  t.equal(hash(1, 20_000), first, 'stepped four turns at a time');
  t.not(hash(2, 5_000), first);
});

t.test('W and then X give a client the books, after every turn, with orders from outside among them', async (t) => {
  const seed = Date.now() % 1_000_000;
  t.comment(`seed ${seed}`);
  const random = new Prng(seed);
  let client: NaiveClient | undefined;
  const { simulation, table } = market({ seed, updatesPerSecond: 20_000, onBody: (body) => client?.take(body) });
  const { MarketDataBody } = await import('./market-data-body.ts');
  client = new NaiveClient(table, new MarketDataBody());
  for (let index = 0; index < table.count; index++) client.take(simulation.snapshot(index));
  let different: string[] = [];
  let outside = 0;
  for (let turn = 0; turn < 400 && different.length === 0; turn++) {
    for (let order = 0; order < 3; order++) {
      const index = random.below(250);
      const side = random.below(2) as Side;
      const price = simulation.engine.figures.lastPaise[index]!;
      const type = random.below(2) === 0 ? OrderType.Market : OrderType.Limit;
      if (simulation.submit(index, side, type, TimeInForce.ImmediateOrCancel, price, 1 + random.below(900), 0) === 0)
        outside++;
    }
    simulation.step(simulation.clockMicros + TURN_MICROS);
    different = differences(simulation, table, client.state);
  }
  t.same(different, []);
  t.equal(client.wrong, 0, 'every body is read back with the segments it was written with');
  t.ok(outside > 500, `${outside} outside orders`);
});

t.test('the rate is what was asked for, from 1 to 100,000 updates a second', async (t) => {
  for (const rate of [1, 50, 5_000, 100_000]) {
    const seconds = rate < 100 ? 20 : 2;
    const { simulation } = market({ updatesPerSecond: rate, madeUp: 2_000 });
    const updates = run(simulation, seconds * SECOND);
    const indices = 3 * 4 * seconds;
    t.ok(
      updates >= rate * seconds && updates <= rate * seconds + indices,
      `${updates} updates in ${seconds} s at ${rate}/s`,
    );
  }
});

t.test('each share of the NIFTY 50 changes at least once a second, at a modest rate too', async (t) => {
  for (const updatesPerSecond of [250, 2_000, 5_000]) {
    const changedMicros = new Map<number, number>();
    let longest = 0;
    const { simulation } = market({
      updatesPerSecond,
      madeUp: 2_000,
      onBody: (body) => {
        for (let i = 0; i < body.segmentCount; i++) changed(body.segmentInstruments[i]!, body.tsMicros);
      },
    });
    const start = simulation.clockMicros;
    const changed = (index: number, tsMicros: number): void => {
      if (index < 50) longest = Math.max(longest, tsMicros - (changedMicros.get(index) ?? start));
      changedMicros.set(index, tsMicros);
    };
    run(simulation, 10 * SECOND);
    for (let index = 0; index < 50; index++) changed(index, simulation.clockMicros);
    t.ok(longest <= SECOND, `longest pause at ${updatesPerSecond}/s: ${longest / 1000} ms`);
  }
});

t.test('the open begins with a burst that dies away', async (t) => {
  const { simulation } = market({
    startMicros: ist('2026-11-23T09:15:00'),
    updatesPerSecond: 1_000,
    openBurstFactor: 5,
  });
  const atOpen = run(simulation, SECOND);
  run(simulation, 59 * SECOND, 5_000);
  const afterOne = run(simulation, SECOND);
  run(simulation, 539 * SECOND, 5_000);
  const afterTen = run(simulation, SECOND);
  t.ok(atOpen > 4_900, `${atOpen} in the first second`);
  t.ok(afterOne > 2_800 && afterOne < 3_200, `${afterOne} a minute later`);
  t.ok(afterTen < 1_100, `${afterTen} ten minutes later`);
});

t.test('quotes stand five deep on both sides, uncrossed, on tick and in the band', async (t) => {
  const { simulation, table } = market({ updatesPerSecond: 50_000, madeUp: 500 });
  run(simulation, 2 * SECOND);
  const { engine } = simulation;
  for (let index = 0; index < table.count; index++) {
    if (!engine.hasBook(index)) continue;
    const { bids, offers } = engine.book(index);
    const deep = bids.levelCount >= MARKET_DEPTH && offers.levelCount >= MARKET_DEPTH;
    const uncrossed = bids.pricePaiseAt(0) < offers.pricePaiseAt(0);
    const inBand = bids.pricePaiseAt(bids.levelCount - 1) >= engine.lowerBandPaise(index);
    const below = offers.pricePaiseAt(offers.levelCount - 1) <= engine.upperBandPaise(index);
    if (!(deep && uncrossed && inBand && below))
      t.fail(`${table.symbol(index)}: ${bids.levelCount} × ${offers.levelCount}`);
  }
  t.pass('all books');
});

t.test('prices stay sane for weeks', async (t) => {
  const { simulation, table, master } = market({
    updatesPerSecond: 1,
    madeUp: 100,
    startMicros: ist('2026-01-01T10:00:00'),
  });
  const before = master.asOf('2026-01-01').map((i) => i.previousClosePaise);
  // One update in 5 ms of clock would take hours: the clock is moved by hours, and each step catches up a quarter of a second.
  for (let hour = 1; hour < 24 * 40; hour++) {
    simulation.step(ist('2026-01-01T10:00:00') + hour * 3_600 * SECOND);
    for (let i = 0; i < 5; i++) simulation.step(simulation.clockMicros + 250_000);
  }
  const { figures } = simulation.engine;
  for (let index = 0; index < table.count; index++) {
    const ratio = figures.closePaise(index) / before[index]!;
    if (!(ratio > 0.7 && ratio < 1.4)) t.fail(`${table.symbol(index)} is at ${ratio} of its close`);
  }
  t.ok(simulation.skippedMicros > 0, 'a clock that jumps is followed, and the jump counted');
});

t.test(
  'NSE hours: nothing before the open, everything at it, orders refused and books empty after the close',
  async (t) => {
    const counts = new Map<number, number>();
    const { simulation, table } = market({
      marketHours: MarketHours.Nse,
      startMicros: ist('2026-11-23T09:14:59'),
      onBody: (body) => counts.set(body.msgType, (counts.get(body.msgType) ?? 0) + 1),
    });
    run(simulation, SECOND - 5_000);
    t.equal(counts.size, 0, 'silence before the open');
    t.equal(simulation.submit(0, Side.Buy, OrderType.Market, TimeInForce.Day, 0, 1, 0), 3, 'market closed');
    run(simulation, 5_000);
    t.equal(counts.get(MsgType.MarketDataSnapshotFullRefresh), table.count, 'a W of everything at the open');
    run(simulation, SECOND);
    t.ok(counts.get(MsgType.MarketDataIncrementalRefresh)! > 100);
    simulation.step(ist('2026-11-23T15:29:59.995'));
    run(simulation, SECOND);
    t.equal(simulation.engine.marketOpen, false);
    t.equal(simulation.engine.pool.liveCount, 0, 'day orders expired');
    counts.clear();
    run(simulation, SECOND);
    t.equal(counts.size, 0, 'silence after the close');
    const close = simulation.engine.figures.lastPaise[0];
    simulation.step(ist('2026-11-25T09:15:00.005'));
    t.equal(simulation.engine.figures.previousClosePaise[0], close, 'the next day starts from the close');
  },
);

t.test('indices are the weighted mean of their constituents', async (t) => {
  const { simulation, table } = market({ updatesPerSecond: 10_000 });
  run(simulation, 2 * SECOND);
  const { figures } = simulation.engine;
  const it = table.indexOfSymbol('NIFTY IT');
  const weights = { TCS: 260, INFY: 470, HCLTECH: 150, WIPRO: 60, TECHM: 80 };
  let sum = 0;
  let total = 0;
  // The index is computed each quarter of a second: stand exactly behind one.
  for (const [symbol, weight] of Object.entries(weights)) {
    const index = table.indexOfSymbol(symbol);
    sum += (weight * figures.lastPaise[index]!) / figures.previousClosePaise[index]!;
    total += weight;
  }
  const expected = (figures.previousClosePaise[it]! * sum) / total;
  t.ok(Math.abs(figures.lastPaise[it]! - expected) / expected < 0.001, `${figures.lastPaise[it]} against ${expected}`);
  t.equal(figures.lastPaise[it]! % 5, 0);
});

t.test('listed while running: a book, quotes and a W; delisted: orders gone and an f', async (t) => {
  const types: string[] = [];
  const { simulation, table, master } = market({
    madeUp: 20,
    onBody: (body) => {
      if (body.msgType !== MsgType.MarketDataIncrementalRefresh)
        types.push(`${String.fromCharCode(body.msgType)} ${body.segmentInstruments[0]}`);
    },
  });
  run(simulation, SECOND / 2);
  const share = { ...master.entries[0]!.versions[0]!, symbol: 'NEWLISTED', previousClosePaise: 12_345, tickPaise: 5 };
  const fresh = { instrumentId: 99_999, kind: 'equity', delistedOn: null, versions: [share] };
  const next = InstrumentMaster.fromDocument({
    format: INSTRUMENT_MASTER_FORMAT,
    source: 'a test',
    instruments: [...master.entries.slice(1), fresh],
  });
  t.same(table.load(next, '2026-01-01'), [73]);
  simulation.reload();
  t.same(types, ['f 0', 'W 73']);
  const { engine } = simulation;
  t.equal(engine.book(0).bids.levelCount + engine.book(0).offers.levelCount, 0);
  t.equal(engine.figures.previousClosePaise[73], 12_345);
  t.equal(engine.book(73).bids.levelCount, 8);
  const before = engine.figures.tradeCount[73]!;
  run(simulation, 2 * SECOND);
  t.ok(engine.figures.tradeCount[73]! > before, 'it trades');
});

t.test('a halted instrument does not move, and says so once', async (t) => {
  const types: string[] = [];
  const seen = new Set<number>();
  const { simulation } = market({
    updatesPerSecond: 20_000,
    onBody: (body) => {
      if (body.msgType === MsgType.SecurityStatus)
        types.push(new TextDecoder().decode(body.buffer.subarray(body.start, body.end)));
      for (let i = 0; i < body.segmentCount; i++) seen.add(body.segmentInstruments[i]!);
    },
  });
  simulation.setHalted(5, true);
  simulation.setHalted(5, true);
  t.not(simulation.haltStatus(5), null);
  seen.clear();
  run(simulation, SECOND);
  t.notOk(seen.has(5));
  simulation.setHalted(5, false);
  t.equal(simulation.haltStatus(5), null);
  run(simulation, SECOND);
  t.ok(seen.has(5));
  t.equal(types.length, 2);
  t.ok(types[0]!.endsWith('326=2\u0001'));
  t.ok(types[1]!.endsWith('326=17\u0001'));
});

t.test('a new tick and lot come into force while it runs', async (t) => {
  const { simulation, table, master } = market({ madeUp: 5, updatesPerSecond: 5_000 });
  run(simulation, SECOND);
  const [first, ...rest] = master.entries;
  const changed = { ...first!.versions[0]!, from: '2026-02-01', tickPaise: 50, lotSize: 7, previousClosePaise: 98_950 };
  const next = InstrumentMaster.fromDocument({
    format: INSTRUMENT_MASTER_FORMAT,
    source: 'a test',
    instruments: [{ ...first!, versions: [first!.versions[0]!, changed] }, ...rest],
  });
  table.load(next, '2026-02-01');
  simulation.reload();
  run(simulation, 10 * SECOND);
  const { bids, offers } = simulation.engine.book(0);
  t.ok(bids.levelCount >= MARKET_DEPTH && offers.levelCount >= MARKET_DEPTH);
  const { tickPaise } = changed;
  t.equal(offers.pricePaiseAt(0) % tickPaise, 0);
  t.ok(offers.pricePaiseAt(0) > bids.pricePaiseAt(0));
});

t.test('an order that makes many trades has each of them published', async (t) => {
  const bodies: string[] = [];
  const { simulation, table } = market({
    madeUp: 0,
    updatesPerSecond: 0,
    onBody: (body) =>
      bodies.push(new TextDecoder().decode(body.buffer.subarray(body.start, body.end)).replaceAll('\u0001', '|')),
  });
  const index = table.indexOfSymbol('TCS');
  const price = simulation.engine.book(index).bids.pricePaiseAt(0);
  const volume = simulation.engine.figures.volume[index]!;
  for (let i = 0; i < 100; i++) simulation.submit(index, Side.Buy, OrderType.Limit, TimeInForce.Day, price, 1, i);
  run(simulation, 10_000);
  bodies.length = 0;
  simulation.submit(index, Side.Sell, OrderType.Market, TimeInForce.Day, 0, 2_000, 0);
  run(simulation, 10_000);
  const trades = bodies.join('').match(/\|269=2\|/g)!.length;
  const traded = [...bodies.join('').matchAll(/\|269=2\|55=TCS\|270=[\d.]+\|271=(\d+)\|/g)].reduce(
    (sum, match) => sum + Number(match[1]),
    0,
  );
  t.ok(trades > 100, `${trades} trades`);
  t.equal(traded, simulation.engine.figures.volume[index]! - volume);
});
