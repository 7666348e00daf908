/** Both sides of a session against QuickFIX C++: its session, its parser, its validation. Skipped where it cannot be compiled. */
import t from 'tap';
import { fixDictionary } from '../core/fix/fix-dictionaries.ts';
import type { FixMessage } from '../core/fix/fix-message.ts';
import type { FixSession } from '../core/fix/fix-session.ts';
import { FixVersion } from '../core/fix/fix-version.ts';
import { MsgType, OrdType, Side, SubscriptionRequestType, TimeInForce } from '../core/fix/generated/fix-enums.gen.ts';
import { writeMarketDataRequest } from '../core/fix/market-data-messages.ts';
import {
  type NewOrderSingle,
  writeNewOrderSingle,
  writeOrderCancelReplaceRequest,
  writeOrderCancelRequest,
} from '../core/fix/order-messages.ts';
import { SESSION_DEFAULTS } from '../core/fix/session-contract.ts';
import { FeedHandler } from '../core/market-data/feed-handler.ts';
import { QuoteBoardReader, QuoteBoardWriter, quoteBoardByteLength } from '../core/market-data/quote-board.ts';
import { QuoteFreshness } from '../core/market-data/quote-freshness.ts';
import { type Quote, readQuote } from '../core/market-data/testing/board-probe.ts';
import { BroadcastRingProducer, broadcastRingByteLength } from '../core/shm/broadcast-ring.ts';
import { TRADE_RECORD_STRIDE_WORDS } from '../core/shm/generated/broadcast-ring.gen.ts';
import { EXCHANGE_DEFAULTS, runExchange } from '../exchange.ts';
import { connectFix, type FixInitiator } from './fix-tcp.ts';
import { CuttableWire, freePort } from './testing/cuttable-wire.ts';
import { LineProcess } from './testing/line-process.ts';
import { dictionaryFile, nativeProgram } from './testing/native-program.ts';

const WAIT_MS = 30_000;
const TEST_TIMEOUT_MS = 60_000;
const SYMBOLS = ['RELIANCE', 'M&M', 'NIFTY 50'];
const MICROS_PER_DAY = 86_400_000_000;

const [acceptorProgram, initiatorProgram] = await Promise.all([
  nativeProgram('src/net/testing/quickfix/acceptor.cpp', 'quickfix'),
  nativeProgram('src/net/testing/quickfix/initiator.cpp', 'quickfix'),
]);
const skip = reasonToSkip();
const programs = {
  acceptor: 'path' in acceptorProgram ? acceptorProgram.path : '',
  initiator: 'path' in initiatorProgram ? initiatorProgram.path : '',
};

function reasonToSkip(): string | false {
  const missing = [acceptorProgram, initiatorProgram].flatMap((program) =>
    'missing' in program ? program.missing : [],
  );
  return missing.length === 0 ? false : `${missing[0]} (scripts/ci-setup.sh installs it)`;
}

type Tap = typeof t;
type Fields = Record<number, string>;

/** Our side, told as fields by tag: application messages and rejects in order of arrival. */
class Client {
  readonly initiator: FixInitiator;
  readonly received: Fields[] = [];
  readonly events: string[] = [];
  handler: FeedHandler | undefined;
  #position = 0;
  #wake: () => void = () => {};

  constructor(t: Tap, port: number, senderCompID: string, beginString: FixVersion, gapPolicy: 'resend' | 'feed') {
    this.initiator = connectFix({
      host: '127.0.0.1',
      port,
      reconnectMinMs: 20,
      reconnectMaxMs: 200,
      session: {
        ...SESSION_DEFAULTS,
        beginString,
        role: 'initiator',
        senderCompID,
        targetCompID: 'QUICKFIX',
        resetOnLogon: gapPolicy === 'feed',
        gapPolicy,
        dictionary: fixDictionary(beginString),
      },
      application: {
        onLogon: () => this.#event('logon'),
        onMessage: (session, message) => {
          this.handler?.onMessage(message, session.nowMs * 1_000);
          this.#take(message);
        },
        onReject: (_session, message) => this.#take(message),
        onGap: (_session, from, to) => this.#event(`gap ${from}-${to}`),
        onReset: () => this.#event('reset'),
        onLogout: (_session, text) => this.#event(`logout ${text}`),
      },
    });
    t.teardown(() => this.initiator.close('the test ends'));
  }

  get session(): FixSession {
    return this.initiator.session;
  }

  /** The next message not yet asked for. */
  async next(): Promise<Fields> {
    await this.until(() => this.received.length > this.#position, 'a message');
    return this.received[this.#position++]!;
  }

  async until(holds: () => boolean, what: string): Promise<void> {
    const deadlineMs = Date.now() + WAIT_MS;
    while (!holds()) {
      const leftMs = deadlineMs - Date.now();
      if (leftMs <= 0) throw new Error(`waited for ${what}: ${this.events.join(', ')}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async loggedOn(times: number): Promise<void> {
    await this.until(() => this.events.filter((event) => event === 'logon').length === times, `logon ${times}`);
  }

  place(order: Partial<NewOrderSingle>, version: FixVersion = FixVersion.Fix44): void {
    const { session } = this;
    writeNewOrderSingle(session.begin(MsgType.NewOrderSingle, Date.now()), { ...ORDER, ...order }, version);
    session.send(Date.now());
  }

  cancel(clOrdID: string, origClOrdID: string): void {
    const { symbol, side, orderQty, transactTimeMicros } = ORDER;
    const request = { clOrdID, origClOrdID, symbol, side, orderQty, transactTimeMicros };
    writeOrderCancelRequest(this.session.begin(MsgType.OrderCancelRequest, Date.now()), request);
    this.session.send(Date.now());
  }

  replace(clOrdID: string, origClOrdID: string, orderQty: number, pricePaise: number): void {
    const request = { ...ORDER, clOrdID, origClOrdID, orderQty, pricePaise };
    writeOrderCancelReplaceRequest(this.session.begin(MsgType.OrderCancelReplaceRequest, Date.now()), request);
    this.session.send(Date.now());
  }

  #take(message: FixMessage): void {
    const fields: Fields = {};
    for (let position = 0; position < message.count; position++) {
      fields[message.tags[position]!] = message.ascii(position);
    }
    this.received.push(fields);
    this.#wake();
  }

  #event(event: string): void {
    this.events.push(event);
    this.#wake();
  }
}

const ORDER: NewOrderSingle = {
  clOrdID: 'A1',
  account: 'ACC1',
  symbol: 'RELIANCE',
  side: Side.Buy,
  orderQty: 10,
  ordType: OrdType.Limit,
  pricePaise: 244_005,
  timeInForce: TimeInForce.Day,
  transactTimeMicros: Date.UTC(2026, 2, 2, 4, 30) * 1_000,
};

async function startVenue(t: Tap): Promise<{ venue: LineProcess; port: number }> {
  const port = await freePort();
  const args = [String(port), dictionaryFile('FIX44'), dictionaryFile('FIX42')];
  const venue = new LineProcess(programs.acceptor, args, WAIT_MS);
  t.teardown(() => venue.stop());
  await venue.next('ready');
  return { venue, port };
}

/** The fields of a report that do not depend on when it came. */
function report(fields: Fields): Fields {
  const { 8: _begin, 9: _length, 34: _seqNum, 49: _sender, 52: _sent, 56: _target, 60: _time, ...rest } = fields;
  return rest;
}

const LIMIT = { 55: 'RELIANCE', 54: '1', 38: '10', 40: '2', 44: '2440.05', 6: '0' };

t.test('market data of a QuickFIX acceptor reaches the board, field by field', { skip }, async (t) => {
  t.setTimeout(TEST_TIMEOUT_MS);
  const { venue, port } = await startVenue(t as Tap);
  const capacity = 4;
  const buffer = new SharedArrayBuffer(quoteBoardByteLength(capacity));
  const ring = new SharedArrayBuffer(broadcastRingByteLength(TRADE_RECORD_STRIDE_WORDS, 16));
  const board = new QuoteBoardWriter(buffer, capacity, []);
  const symbols = {
    count: SYMBOLS.length,
    indexOfBytes: (bytes: Uint8Array, start: number, end: number): number =>
      SYMBOLS.indexOf(Buffer.from(bytes.subarray(start, end)).toString('latin1')),
  };
  const freshness = new QuoteFreshness(board, symbols, capacity, 60_000);
  const trades = new BroadcastRingProducer(ring, TRADE_RECORD_STRIDE_WORDS);
  const client = new Client(t as Tap, port, 'OUTCRY', FixVersion.Fix44, 'feed');
  client.handler = new FeedHandler(board, trades, symbols, freshness);
  await client.loggedOn(1);
  const encoder = client.session.begin(MsgType.MarketDataRequest, Date.now());
  const subscriptionRequestType = SubscriptionRequestType.SnapshotPlusUpdates;
  writeMarketDataRequest(encoder, { mdReqID: 'md-1', subscriptionRequestType, symbols: SYMBOLS });
  client.session.send(Date.now());
  const types = [];
  for (let i = 0; i < 4; i++) types.push((await client.next())[35]);
  t.same(types, ['W', 'W', 'W', 'X']);
  t.equal(venue.count('out ', '|35=3|'), 0, 'it rejected nothing');
  const reader = new QuoteBoardReader(buffer, capacity);
  const timeOfDay = (hour: number, minute: number, ms: number) => ((hour * 60 + minute) * 60_000 + ms) * 1_000;
  const onDayOf = (tsMicros: number, micros: number): number => {
    const at = tsMicros - (tsMicros % MICROS_PER_DAY) + micros;
    return at > tsMicros + MICROS_PER_DAY / 2 ? at - MICROS_PER_DAY : at;
  };
  const mahindra = readQuote(reader, 1);
  const snapshot: Quote = {
    flags: 0,
    bidPaise: 245_075,
    bidQty: 10,
    askPaise: 245_100,
    askQty: 5,
    lastPaise: 245_080,
    lastQty: 3,
    volume: 1_200_300,
    turnoverPaise: 244_725 * 1_200_300,
    tsMicros: mahindra.tsMicros,
    tradeCount: 0,
    openPaise: 244_000,
    highPaise: 246_050,
    lowPaise: 243_510,
    closePaise: 243_055,
    totalBidQty: 35,
    totalAskQty: 24,
    openInterest: 42,
    lastTradeMicros: onDayOf(mahindra.tsMicros, timeOfDay(4, 30, 15_250)),
    bids: [245_075, 10, 2, 245_070, 25, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    asks: [245_100, 5, 0, 245_105, 12, 1, 0, 0, 0, 0, 0, 0, 245_110, 7, 3],
  };
  t.same(mahindra, snapshot, 'a W');
  const reliance = readQuote(reader, 0);
  const changed: Quote = {
    ...snapshot,
    bidPaise: 245_090,
    bidQty: 40,
    lastPaise: 245_095,
    lastQty: 8,
    volume: 1_200_308,
    turnoverPaise: 244_725 * 1_200_300 + 245_095 * 8,
    tsMicros: reliance.tsMicros,
    tradeCount: 1,
    totalBidQty: 65,
    totalAskQty: 12,
    lastTradeMicros: onDayOf(reliance.tsMicros, timeOfDay(4, 30, 16_500)),
    bids: [245_090, 40, 7, 245_070, 25, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    asks: [245_100, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 245_110, 7, 3],
  };
  t.same(reliance, changed, 'a W and an X');
  await client.initiator.close('done');
  await venue.next('logout FIX.4.4:QUICKFIX->OUTCRY');
});

t.test('orders at a QuickFIX acceptor: new, canceled, replaced, traded, rejected', { skip }, async (t) => {
  t.setTimeout(TEST_TIMEOUT_MS);
  const { venue, port } = await startVenue(t as Tap);
  const client = new Client(t as Tap, port, 'OUTCRY', FixVersion.Fix44, 'resend');
  await client.loggedOn(1);
  client.place({ clOrdID: 'A1' });
  const resting = { 35: '8', 37: 'V1', 39: '0', 151: '10', 14: '0', ...LIMIT };
  t.same(report(await client.next()), { ...resting, 11: 'A1', 17: 'X1', 150: '0' }, 'D, New');
  client.replace('A2', 'A1', 20, 244_010);
  const replaced = { ...resting, 38: '20', 44: '2440.1', 151: '20' };
  t.same(report(await client.next()), { ...replaced, 11: 'A2', 41: 'A1', 17: 'X2', 150: '5' }, 'G, Replaced');
  venue.send('trade A2 5 2440.05');
  const partly = { ...replaced, 39: '1', 151: '15', 14: '5', 6: '2440.05', 32: '5', 31: '2440.05' };
  t.same(report(await client.next()), { ...partly, 11: 'A2', 17: 'X3', 150: 'F' }, 'Trade, partly');
  client.cancel('A3', 'A2');
  const canceled = { ...replaced, 39: '4', 151: '0', 14: '5', 6: '0' };
  t.same(report(await client.next()), { ...canceled, 11: 'A3', 41: 'A2', 17: 'X4', 150: '4' }, 'F, Canceled');
  client.cancel('A4', 'A2');
  const refused = { 35: '9', 37: 'NONE', 11: 'A4', 41: 'A2', 39: '8', 434: '1', 102: '1', 58: 'unknown order' };
  t.same(report(await client.next()), refused, 'F of what is done, OrderCancelReject');
  client.replace('A5', 'A0', 20, 244_010);
  t.same(report(await client.next()), { ...refused, 11: 'A5', 41: 'A0', 434: '2' }, 'G of what is not there');
  client.place({ clOrdID: 'A6', symbol: 'NOSUCH' });
  const rejected = { ...LIMIT, 35: '8', 37: 'V2', 11: 'A6', 17: 'X5', 39: '8', 150: '8', 55: 'NOSUCH' };
  t.same(
    report(await client.next()),
    { ...rejected, 103: '1', 58: 'no such symbol', 151: '0', 14: '0' },
    'D, Rejected',
  );
  client.place({ clOrdID: 'A7', ordType: OrdType.Market, pricePaise: 0 });
  const market = { 35: '8', 37: 'V3', 11: 'A7', 55: 'RELIANCE', 54: '1', 38: '10', 40: '1' };
  t.same(report(await client.next()), { ...market, 17: 'X6', 39: '0', 150: '0', 151: '10', 14: '0', 6: '0' }, 'New');
  const filled = { 39: '2', 150: 'F', 32: '10', 31: '2450.8', 151: '0', 14: '10', 6: '2450.8' };
  t.same(report(await client.next()), { ...market, 17: 'X7', ...filled }, 'and Trade');
  t.equal(venue.count('out ', '|35=3|'), 0, 'its validation found nothing');
  await client.initiator.close('done');
  t.same(client.events.slice(0, 1), ['logon']);
});

for (const [version, compID] of [
  [FixVersion.Fix44, 'OUTCRY'],
  [FixVersion.Fix42, 'OUTCRY42'],
] as const) {
  t.test(
    `${version}: what a QuickFIX acceptor sent into a broken connection is asked for again`,
    { skip },
    async (t) => {
      t.setTimeout(TEST_TIMEOUT_MS);
      const { venue, port } = await startVenue(t as Tap);
      const wire = await CuttableWire.to(port);
      t.teardown(() => wire.close());
      const client = new Client(t as Tap, wire.port, compID, version, 'resend');
      await client.loggedOn(1);
      client.place({ clOrdID: 'A1' }, version);
      t.equal((await client.next())[17], 'X1');
      wire.loseFromServer = true;
      for (let i = 1; i <= 3; i++) {
        venue.send('trade A1 1 2440.05');
        await venue.next('out ', `|17=X${i + 1}|`);
      }
      wire.cut();
      for (let i = 1; i <= 3; i++) {
        const trade = await client.next();
        t.match(trade, { 17: `X${i + 1}`, 14: String(i), 43: 'Y' }, 'the message as it was, marked as a repeat');
        t.ok(trade[122], 'with its OrigSendingTime');
      }
      await client.loggedOn(2);
      t.equal(venue.count('in ', '|35=2|'), 1, 'one ResendRequest');
      venue.send('trade A1 1 2440.05');
      t.match(await client.next(), { 17: 'X5', 14: '4', 43: undefined }, 'and on');
      t.equal(client.received.length, 5, 'each once');
    },
  );

  t.test(`${version}: a QuickFIX acceptor asks for what we sent into a broken connection`, { skip }, async (t) => {
    t.setTimeout(TEST_TIMEOUT_MS);
    const { venue, port } = await startVenue(t as Tap);
    const wire = await CuttableWire.to(port);
    t.teardown(() => wire.close());
    const client = new Client(t as Tap, wire.port, compID, version, 'resend');
    await client.loggedOn(1);
    client.place({ clOrdID: 'A1' }, version);
    t.equal((await client.next())[11], 'A1');
    wire.loseFromClient = true;
    client.place({ clOrdID: 'A2' }, version);
    client.place({ clOrdID: 'A3' }, version);
    wire.cut();
    await venue.next('out ', '|35=2|');
    for (const clOrdID of ['A2', 'A3']) t.match(await client.next(), { 11: clOrdID, 150: '0' }, 'it got the order');
    client.place({ clOrdID: 'A4' }, version);
    t.match(await client.next(), { 11: 'A4', 150: '0' }, 'and on');
    t.equal(venue.count('in ', '|35=D|', '|43=Y|', '|122='), 2, 'both as repeats');
    t.equal(client.received.length, 4, 'each once');
  });
}

t.test('a QuickFIX acceptor begins anew with us in a session that goes on', { skip }, async (t) => {
  t.setTimeout(TEST_TIMEOUT_MS);
  const { venue, port } = await startVenue(t as Tap);
  const client = new Client(t as Tap, port, 'OUTCRY', FixVersion.Fix44, 'resend');
  await client.loggedOn(1);
  client.place({ clOrdID: 'A1' });
  t.equal((await client.next())[11], 'A1');
  const { epoch } = client.session.store;
  t.ok(client.initiator.resetSeqNums());
  await client.until(() => client.session.store.epoch > epoch, 'its answer');
  t.same([client.session.nextOutSeqNum, client.session.nextInSeqNum], [2, 2]);
  client.place({ clOrdID: 'A2' });
  t.match(await client.next(), { 11: 'A2', 34: '2' });
  venue.send('trade A1 1 2440.05');
  t.match(await client.next(), { 11: 'A1', 34: '3' }, 'an order of before goes on');
  t.equal(venue.count('out ', '|35=5|') + venue.count('out ', '|35=3|') + venue.count('in ', '|35=2|'), 0);
  t.same(client.events, ['logon', 'reset']);
});

t.test('our exchange serves a QuickFIX initiator', { skip }, async (t) => {
  t.setTimeout(TEST_TIMEOUT_MS);
  const exchange = await runExchange({
    ...EXCHANGE_DEFAULTS,
    port: 0,
    updatesPerSecond: 0,
    openBurstFactor: 1,
    madeUpInstruments: 10,
    instrumentFile: null,
    replay: null,
  });
  t.teardown(() => exchange.close());
  const wire = await CuttableWire.to(exchange.port);
  t.teardown(() => wire.close());
  const args = [String(wire.port), 'FIX.4.4', dictionaryFile('FIX44'), 'QUICKFIX', EXCHANGE_DEFAULTS.compID];
  const client = new LineProcess(programs.initiator, args, WAIT_MS);
  t.teardown(() => client.stop());
  await client.next('logon FIX.4.4:QUICKFIX->OUTCRYX');

  const entries = ['0', '1', '2', '4', '5', '7', '8', '9', 'B'].map((type) => `269=${type}|`).join('');
  client.send(`send 35=V|262=md-1|263=1|264=5|265=1|267=9|${entries}146=2|55=RELIANCE|55=NOSUCH|`);
  await client.next('in ', '|35=Y|', '|262=md-1|', '|281=0|');
  client.send(`send 35=V|262=md-2|263=1|264=5|265=1|267=9|${entries}146=2|55=RELIANCE|55=TCS|`);
  const snapshot = await client.next('in ', '|35=W|', '|55=RELIANCE|', '|262=md-2|', '|290=5|');
  await client.next('in ', '|35=W|', '|55=TCS|');
  const bid = /\|269=0\|270=([\d.]+)\|/.exec(snapshot)![1]!;

  const order = (clOrdID: string, qty: number, terms: string): string =>
    `send 35=D|11=${clOrdID}|1=ACC1|55=RELIANCE|54=1|60=now|38=${qty}|${terms}`;
  client.send(order('C1', 100, `40=2|44=${bid}|59=0|`));
  await client.next('in ', '|35=8|', '|11=C1|', '|150=0|', '|39=0|', '|151=100|');
  t.match(await client.next('in ', '|35=X|', '|55=RELIANCE|'), `|270=${bid}|`, 'the order shows in the book');
  client.send(`send 35=G|11=C2|41=C1|55=RELIANCE|54=1|60=now|38=150|40=2|44=${bid}|59=0|`);
  await client.next('in ', '|35=8|', '|11=C2|', '|41=C1|', '|150=5|', '|151=150|');
  client.send('send 35=F|11=C3|41=C2|55=RELIANCE|54=1|60=now|38=150|');
  await client.next('in ', '|35=8|', '|11=C3|', '|41=C2|', '|150=4|', '|39=4|', '|151=0|');
  client.send('send 35=F|11=C4|41=C2|55=RELIANCE|54=1|60=now|38=150|');
  await client.next('in ', '|35=9|', '|11=C4|', '|434=1|');
  client.send(order('C5', 10, '40=1|59=0|'));
  await client.next('in ', '|35=8|', '|11=C5|', '|150=F|', '|14=10|', '|151=0|');
  client.send('send 35=D|11=C6|1=ACC1|55=NOSUCH|54=1|60=now|38=10|40=2|44=1|59=0|');
  await client.next('in ', '|35=8|', '|11=C6|', '|150=8|', '|39=8|', '|103=');
  t.equal(client.count('out ', '|35=3|'), 0, 'QuickFIX finds every message of ours valid');
  t.equal(client.count('in ', '|35=3|'), 0, 'and we its');

  await t.test('what it missed is resent', async (t) => {
    wire.loseFromServer = true;
    client.send(order('C7', 10, '40=1|59=0|'));
    client.send(order('C8', 10, `40=2|44=${bid}|59=0|`));
    await client.next('out ', '|11=C8|');
    client.send('send 35=F|11=C9|41=C8|55=RELIANCE|54=1|60=now|38=10|');
    await client.next('out ', '|11=C9|');
    wire.cut();
    await client.next('logon ');
    for (const pieces of [
      ['|11=C7|', '|150=0|'],
      ['|11=C7|', '|150=F|', '|14=10|'],
      ['|11=C8|', '|150=0|'],
      ['|11=C9|', '|150=4|'],
    ]) {
      await client.next('in ', '|35=8|', ...pieces);
      t.equal(client.count('in ', '|35=8|', ...pieces), 1, `${pieces.join(' ')} came once`);
    }
    t.ok(client.count('out ', '|35=2|') >= 1, 'it asked');
  });

  await t.test('and what it sent into a broken connection is asked for', async (t) => {
    wire.loseFromClient = true;
    client.send(order('C10', 10, `40=2|44=${bid}|59=0|`));
    client.send('send 35=F|11=C11|41=C10|55=RELIANCE|54=1|60=now|38=10|');
    await client.next('out ', '|11=C11|');
    wire.cut();
    await client.next('in ', '|35=2|');
    await client.next('in ', '|35=8|', '|11=C10|', '|150=0|');
    await client.next('in ', '|35=8|', '|11=C11|', '|150=4|');
    t.equal(client.count('in ', '|35=8|', '|11=C10|', '|150=0|'), 1, 'the order was taken once');
    t.ok(client.count('out ', '|35=D|', '|11=C10|', '|43=Y|') >= 1, 'as a repeat');
  });
  t.equal(client.count('out ', '|35=3|'), 0, 'and it still finds every message of ours valid');
});
