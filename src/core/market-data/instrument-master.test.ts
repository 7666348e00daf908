import t from 'tap';
import { generateInstrumentMaster } from '../exchange/instrument-generator.ts';
import { Prng } from '../exchange/prng.ts';
import { INSTRUMENT_MASTER_FORMAT, InstrumentMaster } from './instrument-master.ts';
import { INSTRUMENT_NOT_FOUND, InstrumentTable } from './instrument-table.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

function version(symbol: string, from = '2026-01-01', extra: object = {}) {
  return {
    from,
    symbol,
    name: `${symbol} Limited`,
    isin: 'INE002A01018',
    tickPaise: 5,
    lotSize: 1,
    priceBandBps: 1000,
    freezeQuantity: 1000,
    previousClosePaise: 10_000,
    ...extra,
  };
}

function entry(instrumentId: number, ...versions: object[]) {
  return { instrumentId, kind: 'equity', delistedOn: null as string | null, versions };
}

function master(...instruments: object[]) {
  return InstrumentMaster.fromDocument({ format: INSTRUMENT_MASTER_FORMAT, source: 'a test', instruments });
}

t.test('a master is dated: each day sees its own versions', async (t) => {
  const dated = master(
    entry(7, version('ZOMATO'), version('ETERNAL', '2026-04-01', { tickPaise: 10 })),
    { ...entry(8, version('GONE')), delistedOn: '2026-03-01' },
    entry(9, version('LATER', '2026-05-01')),
  );
  const on = (date: string) => dated.asOf(date).map((i) => `${i.instrumentId} ${i.symbol} ${i.tickPaise}`);
  t.same(on('2025-12-31'), []);
  t.same(on('2026-02-28'), ['7 ZOMATO 5', '8 GONE 5']);
  t.same(on('2026-03-01'), ['7 ZOMATO 5']);
  t.same(on('2026-05-01'), ['7 ETERNAL 10', '9 LATER 5']);
  const names = (date: string) => [...dated.symbolsOn(date).values()];
  t.same(names('2026-03-31'), ['ZOMATO', 'GONE', 'LATER'], 'what was traded has a name on any day');
  t.same(names('2026-04-01'), ['ETERNAL', 'GONE', 'LATER']);
});

t.test('it survives its own text', async (t) => {
  const original = master(entry(1, version('A'), version('B', '2026-02-01')), {
    ...entry(2, version('M&M-X')),
    delistedOn: '2026-09-01',
  });
  t.same(InstrumentMaster.fromText(original.toText()).entries, original.entries);
});

t.test('a wrong master names the entry, the field and the limit', async (t) => {
  const cases: [string, object[], RegExp][] = [
    [
      'kind',
      [{ ...entry(1, version('A')), kind: 'bond' }],
      /instruments\[0\]\.kind must be "equity" or "index", is "bond"/,
    ],
    ['id', [entry(0, version('A'))], /instruments\[0\]\.instrumentId must be a whole number from 1/],
    [
      'tick',
      [entry(1, version('A')), entry(2, version('B', '2026-01-01', { tickPaise: 0 }))],
      /instruments\[1\]\.versions\[0\]\.tickPaise/,
    ],
    [
      'band',
      [entry(1, version('A', '2026-01-01', { priceBandBps: 10_000 }))],
      /priceBandBps must be a whole number from 1 to 9999, is 10000/,
    ],
    [
      'off tick',
      [entry(1, version('A', '2026-01-01', { previousClosePaise: 10_001 }))],
      /previousClosePaise 10001 is not a multiple of tickPaise 5/,
    ],
    ['symbol', [entry(1, version('A|B\u0001'))], /symbol must be printable ASCII/],
    ['isin', [entry(1, version('A', '2026-01-01', { isin: 'nothing' }))], /isin must be a string of 12 characters/],
    ['date', [entry(1, version('A', '01/01/2026'))], /from must be a date as YYYY-MM-DD/],
    ['order', [entry(1, version('A', '2026-02-01'), version('B'))], /versions\[1\]\.from must be after 2026-02-01/],
    ['none', [entry(1)], /versions must be an array with at least one/],
    [
      'same id',
      [entry(1, version('A')), entry(1, version('B'))],
      /instruments\[1\]\.instrumentId 1 is already instruments\[0\]/,
    ],
    [
      'same symbol',
      [entry(1, version('A')), entry(2, version('A', '2026-06-01'))],
      /"A" from 2026-06-01 is instruments\[0\] at that time/,
    ],
    [
      'freeze',
      [entry(1, version('A', '2026-01-01', { lotSize: 5000 }))],
      /freezeQuantity 1000 is less than lotSize 5000/,
    ],
  ];
  for (const [name, instruments, fault] of cases) {
    t.throws(() => master(...instruments), { code: 'INSTRUMENTS_INVALID', message: fault }, name);
  }
  t.throws(() => InstrumentMaster.fromText('{'), { code: 'INSTRUMENTS_INVALID', message: /not JSON/ });
  t.throws(() => InstrumentMaster.fromDocument({ format: 'x' }), { message: /format must be "outcry-instruments\/1"/ });
});

t.test('a symbol may be used again by another instrument once it is free', async (t) => {
  const reused = master(entry(1, version('A'), version('B', '2026-02-01')), entry(2, version('A', '2026-02-01')));
  t.same(
    reused.asOf('2026-02-01').map((i) => i.symbol),
    ['B', 'A'],
  );
});

t.test('indices are stable: renamed, delisted, listed and listed again', async (t) => {
  const table = new InstrumentTable(4);
  t.same(table.load(master(entry(10, version('OLD')), entry(20, version('STAYS'))), '2026-01-01'), [0, 1]);
  const renamed = master(
    entry(30, version('NEW')),
    entry(20, version('STAYS')),
    entry(10, version('OLD'), version('RENAMED', '2026-02-01')),
  );
  t.same(table.load(renamed, '2026-02-01'), [2], 'only what is new is told');
  t.equal(table.indexOfSymbol('RENAMED'), 0);
  t.equal(table.indexOfSymbol('OLD'), INSTRUMENT_NOT_FOUND, 'an old symbol resolves to nothing');
  t.equal(table.indexOfBytes(bytes('OLD'), 0, 3), INSTRUMENT_NOT_FOUND);
  t.equal(table.indexOfId(10), 0);
  table.load(master(entry(30, version('NEW'))), '2026-03-01');
  t.equal(table.count, 3);
  t.equal(table.isListed(1), false);
  t.equal(table.symbol(1), 'STAYS', 'the slot of a delisted one is kept');
  t.equal(table.indexOfSymbol('STAYS'), INSTRUMENT_NOT_FOUND);
  t.same(table.load(master(entry(20, version('BACK'))), '2026-04-01'), [], 'back in its own slot');
  t.equal(table.indexOfSymbol('BACK'), 1);
  t.equal(table.generation, 4);
});

t.test('a full table refuses and stays as it was', async (t) => {
  const table = new InstrumentTable(2);
  table.load(master(entry(1, version('A')), entry(2, version('B'))), '2026-01-01');
  const tooMany = master(entry(2, version('BB')), entry(3, version('C')));
  t.throws(() => table.load(tooMany, '2026-01-01'), {
    code: 'INSTRUMENTS_FULL',
    message: /2 held and 1 new ones, the capacity is 2/,
  });
  t.same([table.indexOfSymbol('A'), table.indexOfSymbol('B'), table.indexOfSymbol('BB')], [0, 1, -1]);
  t.equal(table.generation, 1);
});

t.test('bytes find what a map finds', async (t) => {
  const seed = Date.now() % 1_000_000;
  t.comment(`seed ${seed}`);
  const random = new Prng(seed);
  const generated = generateInstrumentMaster({ seed, madeUpCount: 3_000, from: '2026-01-01' });
  const table = new InstrumentTable(4_096);
  table.load(generated, '2026-01-01');
  let wrong = 0;
  for (let index = 0; index < table.count; index++) {
    const symbol = table.symbol(index);
    const padded = bytes(`xx${symbol}yy`);
    if (table.indexOfBytes(padded, 2, 2 + symbol.length) !== index || table.indexOfSymbol(symbol) !== index) wrong++;
    const other = symbol.slice(0, -1) + String.fromCharCode(97 + random.below(26));
    if (table.indexOfBytes(bytes(other), 0, other.length) !== INSTRUMENT_NOT_FOUND) wrong++;
    if (table.indexOfBytes(padded, 2, 1 + symbol.length) !== table.indexOfSymbol(symbol.slice(0, -1))) wrong++;
  }
  t.equal(wrong, 0);
  t.equal(table.indexOfBytes(bytes(''), 0, 0), INSTRUMENT_NOT_FOUND);
});

t.test('the generated master: the NIFTY 50, the rest in their style, three indices, the same for a seed', async (t) => {
  const settings = { seed: 5, madeUpCount: 2_000, from: '2026-01-01' };
  const generated = generateInstrumentMaster(settings);
  const listed = generated.asOf('2026-01-01');
  t.equal(listed.length, 2_053);
  t.same(
    listed.slice(-3).map((i) => i.symbol),
    ['NIFTY 50', 'NIFTY BANK', 'NIFTY IT'],
  );
  for (const symbol of ['RELIANCE', 'TCS', 'INFY', 'M&M', 'BAJAJ-AUTO']) {
    t.ok(
      listed.slice(0, 50).some((i) => i.symbol === symbol),
      symbol,
    );
  }
  const madeUp = listed.slice(50, -3);
  t.ok(
    madeUp.every((i) => /^[A-Z]{4,10}$/.test(i.symbol)),
    'at most ten capitals',
  );
  t.equal(new Set(listed.map((i) => i.symbol)).size, listed.length);
  t.equal(new Set(listed.map((i) => i.isin)).size, 2_051, 'ISINs differ, and indices have none');
  t.ok(listed.every((i) => i.previousClosePaise % i.tickPaise === 0));
  t.equal(generateInstrumentMaster(settings).toText(), generated.toText());
  t.not(generateInstrumentMaster({ ...settings, seed: 6 }).toText(), generated.toText());
});
