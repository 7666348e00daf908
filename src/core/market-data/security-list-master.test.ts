import t from 'tap';
import { generateInstrumentMaster } from '../exchange/instrument-generator.ts';
import { InstrumentKind } from './instrument-master.ts';
import { listedSecurity, masterOfSecurityList } from './security-list-master.ts';

const generated = generateInstrumentMaster({ seed: 1, madeUpCount: 20, from: '2026-01-01' });
const listed = generated.asOf('2026-11-23').map(listedSecurity);

t.test('a venue that lists what our generator writes gives the same instruments', (t) => {
  const master = masterOfSecurityList(listed, null, '2026-11-23');
  t.same(
    master.asOf('2026-11-23'),
    generated.asOf('2026-11-23').map((instrument) => ({ ...instrument, from: '2026-11-23' })),
  );
  t.end();
});

t.test('what changed is a further version, what is gone is delisted, what is new is added', (t) => {
  const [first, second, ...rest] = listed;
  const before = masterOfSecurityList([first!, second!], null, '2026-11-20');
  const renamed = { ...first!, symbol: 'RENAMED', attributes: new Map([...first!.attributes, ['TICK', 5]]) };
  const after = masterOfSecurityList([renamed, rest[0]!], before, '2026-11-23');
  t.same(
    after.entries[0]?.versions.map(({ from, symbol }) => [from, symbol]),
    [
      ['2026-11-20', first!.symbol],
      ['2026-11-23', 'RENAMED'],
    ],
  );
  t.equal(
    after.entries.find(({ instrumentId }) => String(instrumentId) === second!.securityID)?.delistedOn,
    '2026-11-23',
  );
  t.same(
    after.asOf('2026-11-23').map(({ symbol }) => symbol),
    ['RENAMED', rest[0]!.symbol],
  );
  const again = masterOfSecurityList([renamed, rest[0]!], after, '2026-11-25');
  t.same(again.toText(), after.toText(), 'nothing new writes nothing new');
  const back = masterOfSecurityList([renamed, rest[0]!, second!], after, '2026-11-26');
  t.equal(back.asOf('2026-11-26').length, 3, 'listed again');
  const sameDay = masterOfSecurityList([first!, rest[0]!], after, '2026-11-23');
  t.equal(sameDay.entries[0]?.versions.length, 2, 'of the same day the last counts');
  t.end();
});

t.test('a venue that says less gets defaults, one that says what cannot be is refused by name', (t) => {
  const bare = {
    ...{ symbol: 'BARE', securityID: '7', isin: 'INE002A01018', cfiCode: 'ESVUFR', securityDesc: '', roundLot: 25 },
    attributes: new Map<string, number>(),
  };
  t.match(masterOfSecurityList([bare], null, '2026-11-23').asOf('2026-11-23'), [
    { symbol: 'BARE', name: 'BARE', lotSize: 25, tickPaise: 5, priceBandBps: null, kind: InstrumentKind.Equity },
  ]);
  for (const [wrong, message] of [
    [[{ ...bare, securityID: 'A1' }], /BARE .*SecurityID\(48\)/],
    [[bare, bare], /listed twice/],
    [[{ ...bare, isin: '' }], /isin/],
    [[{ ...bare, roundLot: 0 }], /lotSize/],
  ] as const)
    t.throws(() => masterOfSecurityList(wrong, null, '2026-11-23'), { code: 'INSTRUMENTS_INVALID', message });
  const known = masterOfSecurityList([bare], null, '2026-11-20');
  t.throws(() => masterOfSecurityList([{ ...bare, cfiCode: 'MRIXXX' }], known, '2026-11-23'), /was equity/);
  t.end();
});
