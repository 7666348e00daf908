/** What the comparison is fed and what it expects: that all rows do the same work hangs on it. */
import t from 'tap';
import { DecodeStatus, QuoteDecoder } from '../../src/client/quote-decoder.ts';
import { generateInstrumentMaster } from '../../src/core/exchange/instrument-generator.ts';
import { FrameType, QUOTE_FIELD_COUNT, QuoteField } from '../../src/core/fan-out/wire.ts';
import { InstrumentTable } from '../../src/core/market-data/instrument-table.ts';
import { NATS_FORMAT, NCHAN_FORMAT, STREAM_FORMAT, StreamReader } from './feeds.ts';
import { encodePlan, natsOpening, nchanOpening, positionsOpening } from './openings.ts';
import { type Quote, QuoteStream } from './quote-stream.ts';
import { WatchLists } from './watch-lists.ts';

const SEED = 7;
const DATE = '2026-01-01';

function newStream(): { stream: QuoteStream; table: InstrumentTable } {
  const table = new InstrumentTable(256);
  table.load(generateInstrumentMaster({ seed: SEED, madeUpCount: 30, from: DATE }), DATE);
  return { stream: new QuoteStream(table, SEED), table };
}

t.test('a tick brings every connection as many quotes as every other', async (t) => {
  const { stream } = newStream();
  const watching = new WatchLists(50, 10, stream.symbols.length, SEED);
  for (let i = 0; i < 4; i++) {
    const tick = stream.next();
    const changed = new Map(tick.map((quote) => [quote.position, quote]));
    let byteSum = 0;
    for (const list of watching.lists) {
      t.equal(new Set(list).size, 20);
      const quotes = list.flatMap((position) => changed.get(position) ?? []);
      t.equal(quotes.length, 10);
      for (const { entry } of quotes) byteSum += entry.reduce((sum, byte) => sum + byte, 0);
    }
    t.equal(watching.byteSum(tick), byteSum);
  }
});

t.test('entries are the changes that the prices tell of, and the same for the same seed', async (t) => {
  const { stream, table } = newStream();
  const twin = newStream().stream;
  const decoder = new QuoteDecoder();
  const apply = (quotes: readonly Quote[]): void => {
    const frame = Buffer.concat([Buffer.from([FrameType.Quotes, 1, 0]), ...quotes.map(({ entry }) => entry)]);
    t.equal(decoder.decode(frame), DecodeStatus.Ok);
  };
  const before = stream.now();
  t.same(twin.now(), before);
  for (const tick of [stream.next(), stream.next(), stream.next()]) {
    apply(tick);
    t.same(twin.next(), tick);
    for (const quote of tick) {
      const base = table.indexOfSymbol(quote.symbol) * QUOTE_FIELD_COUNT;
      const { bidPaise, askQty } = before[quote.position]!;
      t.equal(decoder.fields[base + QuoteField.BidPaise], quote.bidPaise - bidPaise);
      t.equal(decoder.fields[base + QuoteField.AskQty], quote.askQty - askQty);
      t.ok(quote.askPaise > quote.bidPaise);
    }
  }
});

t.test('a stream is read wherever it was cut', async (t) => {
  const { stream } = newStream();
  const ticks = [stream.next(), stream.next()];
  const bytes = Buffer.concat(ticks.map((tick) => STREAM_FORMAT.encode(tick)));
  const expected = ticks.map((tick) => tick.map(({ position, entry }) => ({ position, entry: Buffer.from(entry) })));
  for (const cut of [1, 3, 4, 5, 100, bytes.length - 1, bytes.length]) {
    const reader = new StreamReader();
    const read: unknown[] = [];
    reader.read(bytes.subarray(0, cut), (tick) => read.push(tick));
    reader.read(bytes.subarray(cut), (tick) => read.push(tick));
    t.same(read, expected, `cut at ${cut}`);
  }
});

t.test('each server is asked in its own words', async (t) => {
  const entry = Buffer.from('xyz');
  const tick = [{ position: 12, entry } as unknown as Quote];
  t.equal(NATS_FORMAT.encode(tick).toString('latin1'), 'PUB quote.12 3\r\nxyz\r\n');
  t.match(NCHAN_FORMAT.encode(tick).toString('latin1'), /^POST \/publish\/12 HTTP.*Content-Length: 3\r\n\r\nxyz$/s);
  t.same([...positionsOpening([1, 258]).after], [0x82, 0x84, 0, 0, 0, 0, 1, 0, 2, 1]);
  t.match(nchanOpening([1, 2]).request, /^GET \/subscribe\/1,2 HTTP/);
  t.match(Buffer.from(natsOpening([5]).after).toString('latin1'), /SUB quote\.5 1\r\nPING\r\n$/);
  const plan = encodePlan([{ request: 'ab', after: new Uint8Array([9]) }]);
  t.same([...plan], [2, 0, 0, 0, 97, 98, 1, 0, 0, 0, 9]);
});
