import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { generateInstrumentMaster } from './core/exchange/instrument-generator.ts';
import { INSTRUMENT_MASTER_FORMAT, InstrumentMaster } from './core/market-data/instrument-master.ts';
import { EXCHANGE_DEFAULTS, type ExchangeSettings, recordExchange, runExchange } from './exchange.ts';
import { writeInstrumentFile } from './net/instrument-file.ts';

const WAIT_MS = 30_000;
const SOH = '\u0001';

const settings: ExchangeSettings = {
  ...EXCHANGE_DEFAULTS,
  port: 0,
  updatesPerSecond: 2_000,
  openBurstFactor: 1,
  madeUpInstruments: 50,
  instrumentFile: null,
  replay: null,
};

/** A market in which nobody but the test acts. */
const STILL: ExchangeSettings = { ...settings, updatesPerSecond: 0 };

/** A FIX counterparty of the test's own, written apart from the engine's codec: fields as `tag=value|…`, text in and out. */
class TestClient {
  readonly received: string[] = [];
  readonly closed: Promise<unknown>;
  readonly #socket: Socket;
  readonly #compID: string;
  #seqNum = 1;
  #pending = '';
  #seen = 0;
  #wake: () => void = () => {};

  private constructor(socket: Socket, compID: string) {
    this.#socket = socket;
    this.#compID = compID;
    this.closed = once(socket, 'close');
    socket.on('error', () => {});
    socket.on('data', (data) => {
      this.#pending += data.toString('latin1').replaceAll(SOH, '|');
      const messages = this.#pending.split(/(?<=\|10=\d{3}\|)/);
      this.#pending = /\|10=\d{3}\|$/.test(messages.at(-1)!) ? '' : messages.pop()!;
      this.received.push(...messages);
      this.#wake();
    });
  }

  static async connect(port: number, compID: string): Promise<TestClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new TestClient(socket, compID);
  }

  static async logOn(port: number, compID: string): Promise<TestClient> {
    const client = await TestClient.connect(port, compID);
    client.send('A', '98=0|108=30|141=Y|');
    await client.next('|35=A|');
    return client;
  }

  get socket(): Socket {
    return this.#socket;
  }

  send(msgType: string, body: string): void {
    const sendingTime = new Date().toISOString().replace(/-/g, '').replace('T', '-').slice(0, -1);
    const header = `35=${msgType}|49=${this.#compID}|56=OUTCRYX|34=${this.#seqNum++}|52=${sendingTime}|`;
    const content = (header + body).replaceAll('|', SOH);
    const message = `8=FIX.4.4${SOH}9=${content.length}${SOH}${content}`;
    let sum = 0;
    for (let i = 0; i < message.length; i++) sum += message.charCodeAt(i);
    this.#socket.write(`${message}10=${String(sum % 256).padStart(3, '0')}${SOH}`, 'latin1');
  }

  /** The next message not yet asked for that has all of these pieces; what comes before it is passed over. */
  async next(...pieces: string[]): Promise<string> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, WAIT_MS);
    try {
      for (;;) {
        while (this.#seen < this.received.length) {
          const message = this.received[this.#seen++]!;
          if (pieces.every((piece) => message.includes(piece))) return message;
        }
        if (late) throw new Error(`no message with ${pieces.join(' ')}; the last was ${this.received.at(-1)}`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }

  order(clOrdID: string, symbol: string, side: 1 | 2, quantity: number, price: string | null, timeInForce = 0): void {
    const type = price === null ? '40=1|' : `40=2|44=${price}|`;
    this.send(
      'D',
      `11=${clOrdID}|55=${symbol}|54=${side}|60=20260101-00:00:00|38=${quantity}|${type}59=${timeInForce}|`,
    );
  }

  end(): void {
    this.#socket.destroy();
  }
}

const REQUEST = (id: string, symbols: string[], type = 1) =>
  `262=${id}|263=${type}|264=5|265=1|267=11|269=0|269=1|269=2|269=3|269=4|269=5|269=7|269=8|269=9|269=B|269=C|146=${symbols.length}|${symbols.map((symbol) => `55=${symbol}|`).join('')}`;

function field(message: string, tag: number): string {
  return message.match(new RegExp(`\\|${tag}=([^|]*)\\|`))?.[1] ?? '';
}

/** Best bid and offer of a W. */
function touch(snapshot: string): { bid: string; offer: string; bidQty: number; offerQty: number } {
  const [, bid, bidQty] = snapshot.match(/\|269=0\|270=([\d.]+)\|271=(\d+)\|346=\d+\|290=1\|/)!;
  const [, offer, offerQty] = snapshot.match(/\|269=1\|270=([\d.]+)\|271=(\d+)\|346=\d+\|290=1\|/)!;
  return { bid: bid!, offer: offer!, bidQty: Number(bidQty), offerQty: Number(offerQty) };
}

t.test('V is answered by W and then X, of the symbols asked for alone', async (t) => {
  const exchange = await runExchange(settings);
  t.teardown(() => exchange.close());
  t.ok(exchange.port > 0);
  const client = await TestClient.logOn(exchange.port, 'FEED');
  t.teardown(() => client.end());
  client.send('V', REQUEST('R1', ['RELIANCE', 'NIFTY 50']));
  const reliance = await client.next('|35=W|', '|55=RELIANCE|');
  t.equal(field(reliance, 262), 'R1');
  t.ok(/\|269=0\|270=[\d.]+\|271=\d+\|346=\d+\|290=5\|/.test(reliance), 'five bids');
  for (const entry of ['269=1', '269=2', '269=4', '269=5', '269=7', '269=8', '269=9', '269=B'])
    t.ok(reliance.includes(`|${entry}|`), entry);
  const index = await client.next('|35=W|', '|55=NIFTY 50|');
  t.ok(/\|269=3\|270=[\d.]+\|/.test(index), 'an index value');
  const update = await client.next('|35=X|', '|55=RELIANCE|');
  t.equal(update.match(/\|279=/g)!.length, Number(field(update, 268)), 'NoMDEntries counts the entries');
  await client.next('|35=X|', '|55=NIFTY 50|', '|269=3|');
  const others = client.received.filter((message) => /\|55=(?!RELIANCE\||NIFTY 50\|)/.test(message));
  t.same(others, []);

  client.send('V', REQUEST('R2', ['TCS', 'NOSUCH']));
  const reject = await client.next('|35=Y|');
  t.equal(field(reject, 262), 'R2');
  t.equal(field(reject, 281), '0');
  t.match(field(reject, 58), /NOSUCH/);
  client.send('V', REQUEST('R1', ['TCS']));
  t.equal(field(await client.next('|35=Y|'), 281), '1', 'a MDReqID in use');
  client.send('V', REQUEST('R3', ['TCS'], 0));
  await client.next('|35=W|', '|55=TCS|');
  client.send('V', '262=R4|263=1|264=1|267=2|269=0|269=1|146=1|55=INFY|');
  const level = (type: number) => `269=${type}\\|270=[\\d.]+\\|271=\\d+\\|346=\\d+\\|290=1\\|`;
  const topOfBook = new RegExp(`\\|55=INFY\\|268=2\\|${level(0)}${level(1)}10=`);
  t.match(await client.next('|35=W|', '|262=R4|'), topOfBook);
  client.send('V', '262=R5|263=1|264=1|267=1|269=6|146=1|55=INFY|');
  t.equal(field(await client.next('|35=Y|'), 281), '8', 'an entry type that is not published');
  client.send('V', REQUEST('R1', ['RELIANCE'], 2));
  client.send('V', REQUEST('R9', ['TCS'], 2));
  t.match(field(await client.next('|35=j|'), 58), /MDReqID/);
  const after = client.received.length;
  client.send('V', REQUEST('R5', ['TCS']));
  await client.next('|35=X|', '|55=TCS|');
  t.notOk(
    client.received.slice(after).some((message) => message.includes('|55=RELIANCE|')),
    'unsubscribed',
  );
});

t.test('orders: accepted, filled in part and whole, canceled, replaced, refused', async (t) => {
  const exchange = await runExchange(STILL);
  t.teardown(() => exchange.close());
  const client = await TestClient.logOn(exchange.port, 'BROKER');
  t.teardown(() => client.end());
  const snapshot = async () => {
    client.send('V', REQUEST(`S${Math.random()}`, ['INFY'], 0));
    return touch(await client.next('|35=W|', '|55=INFY|'));
  };
  const book = await snapshot();
  const cents = (price: string, ticks: number) => (Number(price) + ticks * 0.1).toFixed(2);

  client.order('C1', 'INFY', 1, 10, cents(book.bid, -40));
  const accepted = await client.next('|35=8|', '|11=C1|');
  t.same(
    [150, 39, 151, 14, 6].map((tag) => field(accepted, tag)),
    ['0', '0', '10', '0', '0'],
  );
  const orderID = field(accepted, 37);
  client.send('G', `41=C1|11=C2|55=INFY|54=1|60=20260101-00:00:00|38=25|40=2|44=${cents(book.bid, -30)}|59=0|`);
  const replaced = await client.next('|35=8|', '|11=C2|');
  t.same(
    [150, 39, 41, 37, 38, 151].map((tag) => field(replaced, tag)),
    ['5', '0', 'C1', orderID, '25', '25'],
  );
  client.send('F', '41=C1|11=C3|55=INFY|54=1|60=20260101-00:00:00|38=25|');
  const stale = await client.next('|35=9|', '|11=C3|');
  t.same(
    [102, 434, 37, 39].map((tag) => field(stale, tag)),
    ['1', '1', orderID, '0'],
    'an order is named by its latest ClOrdID',
  );
  client.send('F', '41=C2|11=C4|55=INFY|54=1|60=20260101-00:00:00|38=25|');
  const canceled = await client.next('|35=8|', '|11=C4|');
  t.same(
    [150, 39, 41, 151, 14].map((tag) => field(canceled, tag)),
    ['4', '4', 'C2', '0', '0'],
  );
  client.send('F', '41=C2|11=C5|55=INFY|54=1|60=20260101-00:00:00|38=25|');
  t.equal(field(await client.next('|35=9|', '|11=C5|'), 102), '0', 'too late');

  const now = await snapshot();
  client.order('M1', 'INFY', 1, now.offerQty + 1, null);
  const first = await client.next('|35=8|', '|11=M1|', '|150=F|');
  t.same(
    [39, 32, 31].map((tag) => field(first, tag)),
    ['1', String(now.offerQty), now.offer],
    'partly filled at the best offer',
  );
  const second = await client.next('|35=8|', '|11=M1|', '|150=F|');
  t.same(
    [39, 151, 14].map((tag) => field(second, tag)),
    ['2', '0', String(now.offerQty + 1)],
    'filled at the next',
  );
  t.not(field(first, 17), field(second, 17), 'each ExecID is its own');
  const average = (Number(field(first, 31)) * now.offerQty + Number(field(second, 31))) / (now.offerQty + 1);
  t.ok(Math.abs(Number(field(second, 6)) - average) <= 0.005, `AvgPx ${field(second, 6)}`);

  client.order('I1', 'INFY', 1, 10, cents(book.bid, -40), 3);
  t.equal(field(await client.next('|35=8|', '|11=I1|', '|150=4|'), 39), '4', 'an IOC that meets nothing');
  client.order('K1', 'INFY', 1, 20_000, cents(book.offer, 0), 4);
  t.equal(field(await client.next('|35=8|', '|11=K1|', '|150=4|'), 14), '0', 'a FOK fills whole or not at all');
  const mine = await snapshot();
  client.order('P1', 'INFY', 1, mine.offerQty + 50, mine.offer);
  await client.next('|35=8|', '|11=P1|', '|150=F|');
  client.order('P2', 'INFY', 2, 20, mine.offer);
  const maker = await client.next('|35=8|', '|11=P1|', '|150=F|', '|32=20|');
  t.same(
    [39, 151].map((tag) => field(maker, tag)),
    ['1', '30'],
    'a resting order is filled as maker',
  );

  const refusals: [string, () => void, string, RegExp][] = [
    ['X1', () => client.order('X1', 'NOSUCH', 1, 10, '100'), '1', /not listed/],
    ['X2', () => client.order('X2', 'NIFTY 50', 1, 10, '100'), '11', /index/],
    ['X3', () => client.order('X3', 'INFY', 1, 10, '1500.01'), '99', /tick/],
    ['X4', () => client.order('X4', 'INFY', 1, 10, '3000'), '3', /band/],
    ['X5', () => client.order('X5', 'INFY', 1, 0, '1500'), '13', /OrderQty/],
    ['X6', () => client.order('X6', 'INFY', 1, 90_000_000, '1500'), '3', /freeze/],
    ['X7', () => client.order('X7', 'INFY', 1, 10, '1500', 1), '11', /TimeInForce/],
    ['M1', () => client.order('M1', 'INFY', 1, 10, '1500'), '6', /ClOrdID/],
  ];
  for (const [clOrdID, send, reason, text] of refusals) {
    send();
    const report = await client.next('|35=8|', `|11=${clOrdID}|`, '|150=8|');
    t.same(
      [39, 103, 151].map((tag) => field(report, tag)),
      ['8', reason, '0'],
      clOrdID,
    );
    t.match(field(report, 58), text);
  }
  client.send('D', '11=BAD|55=INFY|54=1|38=10|40=2|44=1.234|60=20260101-00:00:00|');
  t.equal(field(await client.next('|35=3|'), 371), '44', 'a third decimal is a session Reject that names the tag');
  exchange.setHalted('INFY', true);
  client.order('H1', 'INFY', 1, 10, '1500');
  t.equal(field(await client.next('|35=8|', '|11=H1|'), 103), '2', 'halted');
  t.throws(() => exchange.setHalted('NOSUCH', true), { code: 'REQUEST_REFUSED' });
});

t.test('day orders outlive the connection, and their reports wait for it', async (t) => {
  const exchange = await runExchange(STILL);
  t.teardown(() => exchange.close());
  const away = await TestClient.logOn(exchange.port, 'AWAY');
  away.send('V', REQUEST('S', ['WIPRO'], 0));
  const { bid } = touch(await away.next('|35=W|'));
  away.order('A1', 'WIPRO', 1, 10, bid);
  await away.next('|35=8|', '|11=A1|', '|150=0|');
  away.end();
  await away.closed;
  const other = await TestClient.logOn(exchange.port, 'OTHER');
  t.teardown(() => other.end());
  other.order('B1', 'WIPRO', 2, 15_000, bid, 3);
  await other.next('|35=8|', '|11=B1|', '|150=F|');
  const back = await TestClient.logOn(exchange.port, 'AWAY');
  t.teardown(() => back.end());
  const fill = await back.next('|35=8|', '|11=A1|', '|150=F|');
  t.same(
    [39, 32].map((tag) => field(fill, tag)),
    ['2', '10'],
  );
});

t.test('garbage and a client that stopped reading do no harm to another', async (t) => {
  const exchange = await runExchange({ ...settings, updatesPerSecond: 20_000 });
  t.teardown(() => exchange.close());
  const symbols = ['RELIANCE', 'TCS', 'INFY', 'HDFCBANK', 'SBIN'];
  const stopped = await TestClient.logOn(exchange.port, 'STOPPED');
  stopped.send('V', REQUEST('A', symbols));
  await stopped.next('|35=X|');
  stopped.socket.pause();
  const garbage = await TestClient.connect(exchange.port, 'GARBAGE');
  garbage.socket.write(Buffer.alloc(200_000, 'GET / HTTP/1.1\r\n'));
  await garbage.closed;
  t.pass('garbage is cut off');
  const client = await TestClient.logOn(exchange.port, 'GOOD');
  client.send('V', REQUEST('B', symbols));
  await client.next('|35=W|');
  for (let i = 0; i < 200; i++) await client.next('|35=X|');
  const second = await TestClient.connect(exchange.port, 'GOOD');
  second.send('A', '98=0|108=30|141=Y|');
  await second.closed;
  await client.next('|35=X|');
  t.pass('a second logon under the same CompID is refused, and the first goes on');
  for (const each of [stopped, client]) each.end();
});

t.test(
  'a share written into the master file is listed while the exchange runs; a wrong file changes nothing',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'outcry-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'instruments.json');
    const master = generateInstrumentMaster({ seed: 1, madeUpCount: 5, from: '2026-01-01' });
    writeInstrumentFile(file, master);
    const events: string[] = [];
    let told = () => {};
    const exchange = await runExchange({
      ...settings,
      instrumentFile: file,
      onEvent: (text) => {
        events.push(text);
        told();
      },
    });
    t.teardown(() => exchange.close());
    const event = async (count: number) => {
      while (events.length < count) await new Promise<void>((resolve) => (told = resolve));
      return events[count - 1]!;
    };
    t.equal(exchange.instrumentCount, 58);
    const client = await TestClient.logOn(exchange.port, 'FEED');
    t.teardown(() => client.end());
    client.send('V', REQUEST('R1', ['FRESHCO']));
    await client.next('|35=Y|', '|262=R1|');
    const [first, ...rest] = master.entries;
    const wrong = { ...first!, versions: [{ ...first!.versions[0]!, tickPaise: 0 }] };
    writeInstrumentFile(file, {
      toText: () => JSON.stringify({ format: INSTRUMENT_MASTER_FORMAT, source: 't', instruments: [wrong] }),
    } as InstrumentMaster);
    t.match(await event(1), /not taken: .*instruments\[0\]\.versions\[0\]\.tickPaise/);
    client.send('V', REQUEST('R2', [first!.versions[0]!.symbol]));
    await client.next('|35=W|', '|262=R2|');
    const fresh = {
      ...rest[0]!,
      instrumentId: 77_777,
      versions: [{ ...rest[0]!.versions[0]!, symbol: 'FRESHCO', isin: 'INE002A01018' }],
    };
    writeInstrumentFile(
      file,
      InstrumentMaster.fromDocument({
        format: INSTRUMENT_MASTER_FORMAT,
        source: 't',
        instruments: [...master.entries, fresh],
      }),
    );
    t.match(await event(2), /1 new, 59 in all/);
    client.send('V', REQUEST('R3', ['FRESHCO']));
    touch(await client.next('|35=W|', '|55=FRESHCO|'));
    await client.next('|35=X|', '|55=FRESHCO|');
  },
);

t.test('two recordings of a seed have one SHA-256, and a replay serves one without taking orders', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'outcry-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const recordAs = async (name: string, seed: number) => {
    const out = join(folder, name);
    const result = await recordExchange({ ...settings, seed, out, seconds: 2, startMicros: null });
    const bytes = readFileSync(out);
    t.equal(result.bytes, bytes.length);
    t.ok(result.updateCount >= 4_000, `${result.updateCount} updates`);
    return createHash('sha256').update(bytes).digest('hex');
  };
  const first = await recordAs('a', 1);
  t.equal(await recordAs('b', 1), first);
  t.not(await recordAs('c', 2), first);

  const exchange = await runExchange({ ...settings, replay: { file: join(folder, 'a'), speed: 2, loop: true } });
  t.teardown(() => exchange.close());
  const client = await TestClient.logOn(exchange.port, 'FEED');
  t.teardown(() => client.end());
  client.send('V', REQUEST('R1', ['RELIANCE', 'NIFTY IT']));
  touch(await client.next('|35=W|', '|55=RELIANCE|', '|262=R1|'));
  await client.next('|35=X|', '|55=NIFTY IT|', '|269=3|');
  touch(await client.next('|35=W|', '|55=RELIANCE|', '|262=R1|'));
  t.pass('it began again');
  t.notOk(client.received.some((message) => message.includes('|55=TCS|')));
  client.order('O1', 'RELIANCE', 1, 1, null);
  const refused = await client.next('|35=8|', '|11=O1|');
  t.equal(field(refused, 150), '8');
  t.match(field(refused, 58), /replayed: this venue takes no orders/);
  client.send('F', '41=O1|11=O2|55=RELIANCE|54=1|60=20260101-00:00:00|38=1|');
  t.match(field(await client.next('|35=9|', '|11=O2|'), 58), /takes no orders/);
});

t.test('what cannot start says why', async (t) => {
  const running = await runExchange(settings);
  t.teardown(() => running.close());
  await t.rejects(runExchange({ ...settings, port: running.port }), { code: 'LISTEN_FAILED' });
  await t.rejects(runExchange({ ...settings, instrumentFile: '/nowhere/instruments.json' }), {
    code: 'INSTRUMENTS_INVALID',
  });
  const replay = { file: '/nowhere/recording', speed: 1, loop: false };
  await t.rejects(runExchange({ ...settings, replay }), { code: 'RECORDING_INVALID' });
});
