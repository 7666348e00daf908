import t from 'tap';
import type { ExecutionReport } from '../fix/execution-report.ts';
import { ExecType, Side } from '../fix/generated/fix-enums.gen.ts';
import { clOrdIDOf } from '../ledger/order.ts';
import { tradeLinesOf } from './drop-copy-lines.ts';
import type { TradeLine } from './trade-line.ts';
import { BreakKind, describeBreak, type OwnTrade, TradeMatcher } from './trade-matcher.ts';

const ORDER_ID = 123_456_789;
const DAY = '2026-11-26';
const OURS: OwnTrade = {
  tradingDay: DAY,
  execID: 'E1',
  execRefID: '',
  symbol: 'ITC',
  side: 'BUY',
  quantity: 10,
  pricePaise: 41_005,
  userId: 7,
  orderID: ORDER_ID,
};
const { userId: _, orderID: __, ...TRADED } = OURS;
const THEIRS: TradeLine = { ...TRADED, clOrdID: clOrdIDOf(ORDER_ID, 2) };

t.test('the same on both sides, in whatever order', (t) => {
  const matcher = new TradeMatcher();
  const bust = { execID: 'E2', execRefID: 'E1' };
  t.same(matcher.ours(OURS), []);
  t.same(matcher.theirs({ ...THEIRS, ...bust }), []);
  t.same(matcher.theirs(THEIRS), []);
  t.same(matcher.ours({ ...OURS, ...bust }), []);
  t.same([...matcher.end()], []);
  t.equal(matcher.matchedCount, 2);
  t.end();
});

t.test('every kind of break, with its order', (t) => {
  for (const [kind, theirs] of [
    [BreakKind.Quantity, { quantity: 9 }],
    [BreakKind.Price, { pricePaise: 41_006 }],
    [BreakKind.Side, { side: 'SELL' }],
    [BreakKind.Symbol, { symbol: 'TCS' }],
    [BreakKind.Order, { clOrdID: clOrdIDOf(ORDER_ID + 1, 0) }],
    [BreakKind.Order, { clOrdID: 'somebody-else' }],
  ] as const) {
    const matcher = new TradeMatcher();
    matcher.ours(OURS);
    const breaks = matcher.theirs({ ...THEIRS, ...theirs });
    t.match(breaks, [{ kind, userId: 7, orderID: ORDER_ID, execID: 'E1' }]);
    t.equal(breaks.length, 1);
    t.same([...matcher.end()], [], 'and nothing is missing besides');
  }
  const there = new TradeMatcher();
  there.ours(OURS);
  t.match([...there.end()], [{ kind: BreakKind.MissingThere, userId: 7, orderID: ORDER_ID, theirs: null }]);
  const here = new TradeMatcher();
  here.theirs(THEIRS);
  t.match([...here.end()], [{ kind: BreakKind.MissingHere, userId: 0, orderID: ORDER_ID, ours: null }]);
  const twice = new TradeMatcher();
  twice.theirs(THEIRS);
  t.match(twice.theirs(THEIRS), [{ kind: BreakKind.Repeated, orderID: ORDER_ID }]);
  t.match(
    describeBreak(breaksOf({ pricePaise: 1 })[0]!),
    /order 123456789, execution E1: price \(here BUY 10 ITC at 41005 paise, at the venue BUY 10 ITC at 1 paise\)/,
  );
  t.end();
});

function breaksOf(theirs: Partial<TradeLine>) {
  const matcher = new TradeMatcher();
  matcher.ours(OURS);
  return matcher.theirs({ ...THEIRS, ...theirs });
}

t.test('a drop copy: what stays alone for too long is a break, once', (t) => {
  const matcher = new TradeMatcher();
  matcher.ours(OURS, 1_000);
  matcher.theirs({ ...THEIRS, execID: 'E9' }, 2_000);
  t.same([...matcher.overdue(1_000)], []);
  t.match([...matcher.overdue(1_500)], [{ kind: BreakKind.MissingThere, execID: 'E1' }]);
  t.match([...matcher.overdue(3_000)], [{ kind: BreakKind.MissingHere, execID: 'E9' }]);
  t.equal(matcher.unmatchedCount, 0);
  t.end();
});

t.test('reports of a drop copy as trades', (t) => {
  const report = {
    execID: 'E2',
    execRefID: 'E1',
    clOrdID: THEIRS.clOrdID,
    symbol: 'ITC',
    side: Side.Buy,
    lastQty: 9,
    lastPxPaise: 41_000,
    transactTimeMicros: Date.parse('2026-11-26T10:00:00+05:30') * 1_000,
  } as ExecutionReport;
  const of = (execType: ExecType) => tradeLinesOf({ ...report, execType }, 'nse');
  t.same(of(ExecType.New), []);
  t.match(of(ExecType.Trade), [{ tradingDay: DAY, execID: 'E2', execRefID: '', quantity: 9, pricePaise: 41_000 }]);
  t.match(of(ExecType.TradeCancel), [{ execRefID: 'E1', quantity: 0 }]);
  const matcher = new TradeMatcher();
  for (const line of of(ExecType.TradeCorrect)) matcher.theirs(line);
  t.same(
    matcher.ours({ ...OURS, execID: 'E2', execRefID: 'E1' }),
    [],
    'what is taken back is not told and not compared',
  );
  t.same(matcher.ours({ ...OURS, execID: 'E2', quantity: 9, pricePaise: 41_000 }), []);
  t.equal(matcher.matchedCount, 2);
  t.end();
});
