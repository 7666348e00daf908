import t from 'tap';
import { FixSession } from '../fix/fix-session.ts';
import { SESSION_DEFAULTS } from '../fix/session-contract.ts';
import { MarketHours } from '../market/calendar.ts';
import { InstrumentTable } from '../market-data/instrument-table.ts';
import { generateInstrumentMaster } from './instrument-generator.ts';
import type { MarketDataBody, MarketDataSource } from './market-data-body.ts';
import { MarketDataSessions } from './market-data-sessions.ts';
import { Prng } from './prng.ts';
import { RecordingWriter } from './recording.ts';
import { Replay } from './replay.ts';
import { Simulation, TURN_MICROS } from './simulation.ts';

const SOH = '\u0001';
const NOW_MS = Date.parse('2026-11-23T06:30:00Z');
const EVERYTHING = '267=11|269=0|269=1|269=2|269=3|269=4|269=5|269=7|269=8|269=9|269=B|269=C|';
/** Top of book of one share, as a broker's first request looks. */
const TOP_OF_BOOK = '262=REQ_QUOTES|263=1|264=1|267=2|269=0|269=1|146=1|55=RELIANCE|';

const request = (id: string, depth: number, types: string, ...symbols: string[]) =>
  `262=${id}|263=1|264=${depth}|265=1|${types}146=${symbols.length}|${symbols.map((symbol) => `55=${symbol}|`).join('')}`;
const textOf = (body: MarketDataBody) =>
  new TextDecoder().decode(body.buffer.slice(body.start, body.end)).replaceAll(SOH, '|');
const typeOf = (message: string) => message.match(/\|35=(\w+)\|/)![1];

/** A session that keeps what it is sent, as text with `|` for SOH. */
function logOn(marketData: MarketDataSessions, compID: string) {
  const received: string[] = [];
  const session = new FixSession(
    { ...SESSION_DEFAULTS, role: 'acceptor', senderCompID: 'X', targetCompID: '', gapPolicy: 'resend' },
    {
      send: (buffer, start, end) =>
        received.push(new TextDecoder().decode(buffer.slice(start, end)).replaceAll(SOH, '|')),
      disconnect() {},
    },
    {
      onLogon() {},
      onMessage: (s, message) => marketData.request(s, message),
      onGap() {},
      onLogout: (s) => marketData.remove(s),
    },
  );
  let seqNum = 1;
  const send = (msgType: string, body: string): string[] => {
    const before = received.length;
    const content = `35=${msgType}|49=${compID}|56=X|34=${seqNum++}|52=20261123-06:30:00|${body}`.replaceAll('|', SOH);
    const message = `8=FIX.4.4${SOH}9=${content.length}${SOH}${content}`;
    const sum = [...message].reduce((total, character) => total + character.charCodeAt(0), 0) % 256;
    const bytes = Buffer.from(`${message}10=${String(sum).padStart(3, '0')}${SOH}`, 'latin1');
    session.receive(bytes, 0, bytes.length, NOW_MS);
    return received.slice(before);
  };
  session.connected(NOW_MS);
  send('A', '98=0|108=0|141=Y|');
  received.length = 0;
  return { received, send };
}

function venue(source: () => MarketDataSource) {
  const marketData = new MarketDataSessions(source);
  marketData.nowMs = NOW_MS;
  return { marketData, logOn: (compID: string) => logOn(marketData, compID) };
}

/** A running market; `published` has the bodies of the last turn. */
function market({ seed = 5, updatesPerSecond = 5_000, onBody = (_: MarketDataBody) => {} } = {}) {
  const table = new InstrumentTable(100);
  table.load(generateInstrumentMaster({ seed: 1, madeUpCount: 10, from: '2026-01-01' }), '2026-11-23');
  const { marketData, logOn } = venue(() => simulation);
  const published: string[] = [];
  const simulation: Simulation = new Simulation(
    {
      seed,
      table,
      startMicros: NOW_MS * 1000,
      updatesPerSecond,
      openBurstFactor: 1,
      marketHours: MarketHours.Always,
      ordersMax: 100_000,
    },
    {
      published(body) {
        published.push(textOf(body));
        onBody(body);
        marketData.published(body);
      },
    },
    { accepted() {}, traded() {}, canceled() {}, replaced() {} },
  );
  const turn = () => {
    published.length = 0;
    simulation.step(simulation.clockMicros + TURN_MICROS);
  };
  return { simulation, table, turn, published, logOn };
}

/** Entries of a W or X as text, without the fields around them. */
function entriesOf(message: string): string[] {
  const first = message.indexOf('|268=');
  const body = message.slice(message.indexOf('|', first + 1) + 1).replace(/10=\d{3}\|$/, '');
  const entries = body.split(typeOf(message) === 'X' ? /(?=279=)/ : /(?=269=)/).filter((entry) => entry !== '');
  if (Number(message.match(/\|268=(\d+)\|/)![1]) !== entries.length) throw new Error(`miscounted: ${message}`);
  return entries;
}

const field = (entry: string, tag: number) => entry.match(new RegExp(`(?:^|\\|)${tag}=([^|]*)\\|`))?.[1] ?? '';

/** A client that knows what it was sent of one instrument and nothing else. */
class NaiveBook {
  /** `269.290`, or 269 where there is no level, to `270 271`. */
  readonly known = new Map<string, string>();
  #seen = 0;

  take(received: readonly string[]): void {
    for (const message of received.slice(this.#seen)) {
      if (typeOf(message) === 'W') this.known.clear();
      for (const entry of entriesOf(message)) {
        const key = `${field(entry, 269)}.${field(entry, 290)}`;
        if (field(entry, 279) === '2') this.known.delete(key);
        else this.known.set(key, `${field(entry, 270)} ${field(entry, 271)}`);
      }
    }
    this.#seen = received.length;
  }
}

function engineBook(simulation: Simulation, index: number, levels: number): Map<string, string> {
  const found = new Map<string, string>();
  const { bids, offers } = simulation.engine.book(index);
  for (let i = 0; i < levels; i++) {
    if (bids.quantityAt(i) > 0) found.set(`0.${i + 1}`, `${bids.pricePaiseAt(i) / 100} ${bids.quantityAt(i)}`);
    if (offers.quantityAt(i) > 0) found.set(`1.${i + 1}`, `${offers.pricePaiseAt(i) / 100} ${offers.quantityAt(i)}`);
  }
  return found;
}

/** Prices as numbers: `2450.50` is 2450.5. */
const plain = (book: Map<string, string>) =>
  [...book].map(([key, value]) => `${key} ${value.split(' ').map(Number).join(' ')}`).sort();

t.test('top of book, three levels: W and X have no more, and give a client the best of the book', async (t) => {
  for (const [levels, body] of [
    [1, TOP_OF_BOOK],
    [3, TOP_OF_BOOK.replace('264=1', '264=3')],
    [5, TOP_OF_BOOK.replace('264=1', '264=0')],
    [5, TOP_OF_BOOK.replace('264=1', '264=20')],
  ] as const) {
    const { simulation, table, turn, logOn } = market();
    const index = table.indexOfSymbol('RELIANCE');
    const { received, send } = logOn('BROKER');
    const answer = send('V', body);
    t.equal(answer.length, 1);
    t.match(answer[0], /\|35=W\|.*\|262=REQ_QUOTES\|55=RELIANCE\|268=/);
    t.equal(entriesOf(answer[0]!).length, levels * 2);
    const book = new NaiveBook();
    let wrong = 0;
    for (let i = 0; i < 400; i++) {
      turn();
      book.take(received);
      if (plain(book.known).join() !== plain(engineBook(simulation, index, levels)).join()) wrong++;
    }
    t.equal(wrong, 0, `${levels} levels are the engine's after every turn`);
    const updates = received.slice(1);
    t.ok(updates.length > 20, `${updates.length} X`);
    const entries = updates.flatMap(entriesOf);
    t.ok(entries.every((entry) => '01'.includes(field(entry, 269)) && field(entry, 55) === 'RELIANCE'));
    t.ok(entries.every((entry) => Number(field(entry, 290)) >= 1 && Number(field(entry, 290)) <= levels));
    t.match(
      updates.map((message) => message.match(/\|34=(\d+)\|/)![1]),
      updates.map((_, i) => String(i + 3)),
      'an X of which nothing is left uses up no number',
    );
  }
});

t.test('trades alone: the last in the W, every one in an X', async (t) => {
  const { published, turn, logOn } = market();
  const { received, send } = logOn('TAPE');
  const [snapshot] = send('V', request('T', 0, '267=1|269=2|', 'RELIANCE'));
  t.same(
    entriesOf(snapshot!).map((entry) => field(entry, 269)),
    ['2'],
  );
  const trades: string[] = [];
  for (let i = 0; i < 400; i++) {
    turn();
    for (const body of published) trades.push(...(body.match(/279=0\|269=2\|55=RELIANCE\|[^:]*:\d\d:[\d.]+\|/g) ?? []));
  }
  t.ok(trades.length > 20, `${trades.length} trades`);
  t.same(received.slice(1).flatMap(entriesOf), trades);
});

t.test('a W with nothing in view answers all the same; a snapshot alone is cut too', async (t) => {
  const { logOn } = market();
  const { send } = logOn('BROKER');
  t.match(send('V', request('I', 1, '267=2|269=0|269=1|', 'NIFTY 50'))[0], /\|262=I\|55=NIFTY 50\|268=0\|10=/);
  const [snapshot] = send('V', TOP_OF_BOOK.replace('263=1|264=1', '263=0|264=1|265=0'));
  t.equal(entriesOf(snapshot!).length, 2);
});

t.test('a session that sees everything gets each X byte for byte as it was encoded', async (t) => {
  const { table, published, turn, logOn } = market();
  const symbols = Array.from({ length: table.count }, (_, index) => table.symbol(index));
  const all = logOn('ALL');
  logOn('NARROW').send('V', request('N', 1, '267=1|269=0|', ...symbols));
  all.send('V', request('A', 5, EVERYTHING, ...symbols));
  for (let i = 0; i < 50; i++) {
    all.received.length = 0;
    turn();
    const bodies = all.received.map((message) => message.match(/\|52=[^|]*\|(.*\|)10=\d{3}\|$/)![1]);
    if (bodies.join() !== published.join()) t.fail(`turn ${i}`);
  }
  t.ok(published.length > 0);
});

t.test('every view is the entries in it, of the instruments it is of, and no others', async (t) => {
  const seed = Date.now() % 1_000_000;
  t.comment(`seed ${seed}`);
  const random = new Prng(seed);
  const { table, published, turn, logOn } = market({ seed, updatesPerSecond: 20_000 });
  const TYPES = [...'01234578 9BC'].filter((type) => type !== ' ');
  const clients = Array.from({ length: 20 }, (_, i) => {
    const client = logOn(`C${i}`);
    /** By symbol, the entries in view: its types and levels. */
    const views = new Map<string, { types: string[]; levels: number }>();
    for (let r = 0; r < 6; r++) {
      const everything = random.below(4) === 0;
      const asked = TYPES.filter(() => everything || random.below(2) === 0);
      const types = asked.length === 0 ? ['9'] : asked;
      const depth = everything ? 5 : random.below(6);
      const symbols = new Set(
        Array.from({ length: 1 + random.below(30) }, () => table.symbol(random.below(table.count))),
      );
      const group = `267=${types.length}|${types.map((type) => `269=${type}|`).join('')}`;
      const answers = client.send('V', request(`R${r}`, depth, group, ...symbols));
      if (answers.length !== symbols.size) t.fail(`${answers.length} answers to ${symbols.size} symbols`);
      for (const symbol of symbols) views.set(symbol, { types, levels: depth === 0 ? 5 : depth });
    }
    client.received.length = 0;
    return { client, views };
  });
  let sent = 0;
  for (let i = 0; i < 100; i++) {
    turn();
    for (const { client, views } of clients) {
      const expected = published.flatMap((body) => {
        const seen = entriesOf(`|35=X|${body}`).filter((entry) => {
          const view = views.get(field(entry, 55));
          return view?.types.includes(field(entry, 269)) && Number(field(entry, 290)) <= view.levels;
        });
        return seen.length === 0 ? [] : [seen.join('')];
      });
      const got = client.received.map((message) => entriesOf(message).join(''));
      if (got.join('\n') !== expected.join('\n')) t.fail(`turn ${i}: ${got.length} X, expected ${expected.length}`);
      sent += got.length;
      client.received.length = 0;
    }
  }
  t.ok(sent > 1_000, `${sent} X`);
});

t.test('an instrument moves to the request that asks for it last, with what that asked for', async (t) => {
  const { simulation, table, turn, logOn } = market();
  const { received, send } = logOn('BROKER');
  const updates = (turns: number): string[] => {
    received.length = 0;
    for (let i = 0; i < turns; i++) turn();
    return received.flatMap(entriesOf);
  };
  const types = (entries: string[], symbol: string) =>
    [...new Set(entries.filter((entry) => field(entry, 55) === symbol).map((entry) => field(entry, 269)))].sort();
  send('V', request('WIDE', 0, EVERYTHING, 'RELIANCE', 'TCS'));
  t.same(types(updates(200), 'RELIANCE').slice(0, 3), ['0', '1', '2']);
  t.match(send('V', request('BIDS', 1, '267=1|269=0|', 'RELIANCE')), [/\|35=W\|.*\|262=BIDS\|55=RELIANCE\|268=1\|/]);
  const both = updates(400);
  t.same(types(both, 'RELIANCE'), ['0']);
  t.same(types(both, 'TCS').slice(0, 3), ['0', '1', '2'], 'the other stays as it was');

  const index = table.indexOfSymbol('RELIANCE');
  simulation.setHalted(index, true);
  simulation.setHalted(index, false);
  t.same(
    received.slice(-2).map((message) => message.match(/\|35=f\|.*\|326=(\d+)\|/)?.[1]),
    ['2', '17'],
    'a halt is told whatever is in view',
  );

  t.same(send('V', request('WIDE', 0, EVERYTHING, 'TCS').replace('263=1', '263=2')), [], 'given up');
  const rest = updates(200);
  t.same(types(rest, 'TCS'), []);
  t.same(types(rest, 'RELIANCE'), ['0'], 'no longer of the request that was given up');
  send('V', request('WIDE', 2, '267=1|269=1|', 'RELIANCE'));
  t.same(types(updates(200), 'RELIANCE'), ['1']);
  send('V', request('BIDS', 1, '267=1|269=0|', 'RELIANCE').replace('263=1', '263=2'));
  t.same(types(updates(200), 'RELIANCE'), ['1'], 'a request that serves nothing any more is given up without harm');
});

t.test('what cannot be served is refused by the field that says so', async (t) => {
  const { turn, logOn } = market();
  const { received, send } = logOn('BROKER');
  const refused = (body: string, reason: number) => {
    const answer = send('V', body);
    t.equal(answer.length, 1);
    t.match(answer[0], new RegExp(`\\|35=Y\\|.*\\|262=REQ_QUOTES\\|281=${reason}\\|58=`));
  };
  for (const type of ['6', 'A', 'J', 'z', '00', 'é']) refused(TOP_OF_BOOK.replace('|269=1|', `|269=${type}|`), 8);
  refused(TOP_OF_BOOK.replace('RELIANCE', 'RÉLIANCE'), 0);
  refused(TOP_OF_BOOK.replace('264=1|', '264=1|265=0|'), 6);
  refused(TOP_OF_BOOK.replace('264=1|', '264=1|265=full|'), 6);
  const rejected = (body: string, tag: number, reason: number) => {
    const answer = send('V', body);
    t.equal(answer.length, 1);
    t.match(answer[0], /\|35=3\|/);
    t.match(answer[0], `|371=${tag}|`);
    t.match(answer[0], `|373=${reason}|`);
  };
  rejected(TOP_OF_BOOK.replace('267=2|269=0|269=1|', ''), 267, 1);
  rejected(TOP_OF_BOOK.replace('267=2|269=0|269=1|', '267=0|'), 267, 5);
  rejected(TOP_OF_BOOK.replace('267=2', '267=3'), 267, 16);
  rejected(TOP_OF_BOOK.replace('264=1|', ''), 264, 1);
  rejected(TOP_OF_BOOK.replace('264=1', '264=-1'), 264, 5);
  rejected(TOP_OF_BOOK.replace('264=1', '264=top'), 264, 6);
  received.length = 0;
  for (let i = 0; i < 50; i++) turn();
  t.same(received, [], 'nothing was subscribed');
});

t.test('a replay serves the same views', async (t) => {
  const chunks: Uint8Array[] = [];
  let writer: RecordingWriter | undefined;
  const { simulation, table, turn } = market({ onBody: (body) => writer?.write(body) });
  writer = new RecordingWriter((chunk) => chunks.push(chunk.slice()), table.count, simulation.clockMicros);
  for (let index = 0; index < table.count; index++) writer.write(simulation.snapshot(index));
  for (let i = 0; i < 400; i++) turn();
  writer.flush();

  const bytes = Buffer.concat(chunks);
  let at = 0;
  const source = {
    read(into: Uint8Array): number {
      const length = Math.min(into.length, bytes.length - at);
      into.set(bytes.subarray(at, at + length));
      at += length;
      return length;
    },
    rewind() {
      at = 0;
    },
  };
  const { marketData, logOn } = venue(() => replay);
  const replay: Replay = new Replay(source, { speed: 1, loop: true }, marketData);
  const { received, send } = logOn('BROKER');
  send('V', TOP_OF_BOOK);
  replay.step(0);
  replay.step(400 * TURN_MICROS);
  const again = received.findLastIndex((message) => typeOf(message) === 'W');
  t.ok(again > 20, `${again} messages, and from the beginning again`);
  t.equal(entriesOf(received[again]!).length, 2);
  const book = new NaiveBook();
  book.take(received.slice(0, again));
  t.same(plain(book.known), plain(engineBook(simulation, table.indexOfSymbol('RELIANCE'), 1)));
});
