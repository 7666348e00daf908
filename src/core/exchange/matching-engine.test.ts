import t from 'tap';
import type { Instrument } from '../market-data/instrument-master.ts';
import { CancelReason, MatchingEngine, OrderType, TimeInForce } from './matching-engine.ts';
import { NO_ORDER, Side } from './order-pool.ts';
import { RejectCode } from './reject-codes.ts';

const share: Instrument = {
  instrumentId: 1,
  kind: 'equity',
  from: '2026-01-01',
  symbol: 'SHARE',
  name: 'Share',
  isin: 'INE000000000',
  tickPaise: 5,
  lotSize: 10,
  priceBandBps: 1_000,
  freezeQuantity: 1_000,
  previousClosePaise: 10_000,
};

function exchange(ordersMax = 100) {
  const events: string[] = [];
  const engine: MatchingEngine = new MatchingEngine(3, ordersMax, {
    accepted: (order) => events.push(`accepted ${engine.pool.reference[order]}`),
    traded: (maker, taker, price, quantity) =>
      events.push(`traded ${engine.pool.reference[maker]} ${engine.pool.reference[taker]} ${quantity}@${price}`),
    canceled: (order, reason) => events.push(`canceled ${engine.pool.reference[order]} ${reason}`),
    replaced: (order) => events.push(`replaced ${engine.pool.reference[order]}`),
  });
  engine.list(0, share);
  engine.list(1, { ...share, instrumentId: 2, kind: 'index', isin: null, symbol: 'INDEX' });
  engine.marketOpen = true;
  const limit = (side: Side, price: number, quantity: number, reference: number, time: TimeInForce = TimeInForce.Day) =>
    engine.submit(0, side, OrderType.Limit, time, price, quantity, 9, reference);
  const market = (side: Side, quantity: number, reference: number, time: TimeInForce = TimeInForce.Day) =>
    engine.submit(0, side, OrderType.Market, time, 0, quantity, 9, reference);
  return { engine, events, limit, market };
}

t.test('price comes before time, and time before later', async (t) => {
  const { events, limit } = exchange();
  limit(Side.Sell, 10_010, 10, 1);
  limit(Side.Sell, 10_005, 10, 2);
  limit(Side.Sell, 10_005, 10, 3);
  events.length = 0;
  limit(Side.Buy, 10_010, 30, 4);
  t.same(events, ['accepted 4', 'traded 2 4 10@10005', 'traded 3 4 10@10005', 'traded 1 4 10@10010']);
});

t.test('a partly filled limit order rests with what is left', async (t) => {
  const { engine, limit } = exchange();
  limit(Side.Sell, 10_005, 10, 1);
  limit(Side.Buy, 10_005, 40, 2);
  t.equal(engine.book(0).bids.pricePaiseAt(0), 10_005);
  t.equal(engine.book(0).bids.quantityAt(0), 30);
  t.equal(engine.pool.cumQty[engine.resting], 10);
});

t.test('IOC: what cannot be filled at once is canceled', async (t) => {
  const { engine, events, limit } = exchange();
  limit(Side.Sell, 10_005, 10, 1);
  events.length = 0;
  limit(Side.Buy, 10_005, 40, 2, TimeInForce.ImmediateOrCancel);
  t.same(events, ['accepted 2', 'traded 1 2 10@10005', `canceled 2 ${CancelReason.Unfilled}`]);
  t.equal(engine.book(0).bids.levelCount, 0);
  t.equal(engine.resting, NO_ORDER);
});

t.test('FOK: all over several levels, or nothing', async (t) => {
  const { events, limit } = exchange();
  limit(Side.Sell, 10_005, 10, 1);
  limit(Side.Sell, 10_010, 10, 2);
  events.length = 0;
  limit(Side.Buy, 10_005, 20, 3, TimeInForce.FillOrKill);
  t.same(events, ['accepted 3', `canceled 3 ${CancelReason.Killed}`], 'not enough within the limit');
  events.length = 0;
  limit(Side.Buy, 10_010, 20, 4, TimeInForce.FillOrKill);
  t.same(events, ['accepted 4', 'traded 1 4 10@10005', 'traded 2 4 10@10010']);
});

t.test('a market order takes the book, and the rest is canceled even for the day', async (t) => {
  const { engine, events, limit, market } = exchange();
  limit(Side.Buy, 9_995, 10, 1);
  limit(Side.Buy, 9_000, 10, 2);
  events.length = 0;
  t.equal(market(Side.Sell, 30, 3), RejectCode.None);
  t.same(events, ['accepted 3', 'traded 1 3 10@9995', 'traded 2 3 10@9000', `canceled 3 ${CancelReason.Unfilled}`]);
  t.equal(engine.pool.liveCount, 0);
});

t.test('a replace keeps its place with fewer shares and loses it with more or another price', async (t) => {
  const { engine, events, limit } = exchange();
  const rows = [1, 2, 3].map((reference) => {
    limit(Side.Sell, 10_005, 50, reference);
    return engine.resting;
  });
  engine.replace(rows[0]!, 10_005, 20);
  engine.replace(rows[1]!, 10_005, 60);
  events.length = 0;
  limit(Side.Buy, 10_005, 100, 4);
  t.same(events, ['accepted 4', 'traded 1 4 20@10005', 'traded 3 4 50@10005', 'traded 2 4 30@10005']);
});

t.test('a replace that crosses trades at once', async (t) => {
  const { engine, events, limit } = exchange();
  limit(Side.Sell, 10_050, 10, 1);
  limit(Side.Buy, 10_000, 10, 2);
  events.length = 0;
  t.equal(engine.replace(engine.resting, 10_050, 10), RejectCode.None);
  t.same(events, ['replaced 2', 'traded 1 2 10@10050']);
  t.equal(engine.resting, NO_ORDER);
});

t.test('a replace may not go below what is executed', async (t) => {
  const { engine, limit } = exchange();
  limit(Side.Buy, 10_000, 30, 1);
  const row = engine.resting;
  limit(Side.Sell, 10_000, 10, 2);
  t.equal(engine.replace(row, 10_000, 10), RejectCode.BelowExecuted);
  t.equal(engine.replace(row, 10_000, 20), RejectCode.None);
  t.equal(engine.pool.leavesQty[row], 10);
});

t.test('refusals name the rule, and nothing of a refused order stays', async (t) => {
  const { engine, events, limit } = exchange();
  t.equal(engine.submit(2, Side.Buy, OrderType.Limit, 0, 100, 10, 9, 1), RejectCode.UnknownSymbol, 'not listed');
  t.equal(engine.submit(1, Side.Buy, OrderType.Market, 0, 0, 10, 9, 1), RejectCode.NotTradable, 'an index');
  t.equal(limit(Side.Buy, 10_000, 0, 1), RejectCode.InvalidQuantity);
  t.equal(limit(Side.Buy, 10_000, 1_010, 1), RejectCode.FreezeQuantity);
  t.equal(limit(Side.Buy, 10_000, 15, 1), RejectCode.LotSize);
  t.equal(limit(Side.Buy, 0, 10, 1), RejectCode.InvalidPrice);
  t.equal(limit(Side.Buy, 10_001, 10, 1), RejectCode.TickSize);
  t.equal(limit(Side.Buy, 8_995, 10, 1), RejectCode.PriceBand, 'below');
  t.equal(limit(Side.Sell, 11_005, 10, 1), RejectCode.PriceBand, 'above');
  t.equal(limit(Side.Buy, 9_000, 10, 1), RejectCode.None, 'the lower edge');
  t.equal(limit(Side.Sell, 11_000, 10, 2), RejectCode.None, 'the upper edge');
  t.same(events, ['accepted 1', 'accepted 2']);
});

t.test('closed, halted and resumed', async (t) => {
  const { engine, limit } = exchange();
  limit(Side.Buy, 10_000, 10, 1);
  const row = engine.resting;
  t.equal(engine.setHalted(0, true), true);
  t.equal(engine.setHalted(0, true), false, 'already halted');
  t.equal(limit(Side.Sell, 10_000, 10, 2), RejectCode.Halted);
  t.equal(engine.cancel(row), RejectCode.None, 'a cancel passes in a halt');
  engine.setHalted(0, false);
  t.equal(limit(Side.Sell, 10_000, 10, 3), RejectCode.None);
  engine.marketOpen = false;
  t.equal(limit(Side.Buy, 10_000, 10, 4), RejectCode.MarketClosed);
  t.equal(engine.cancel(engine.resting), RejectCode.MarketClosed);
});

t.test('the pool is bounded, and a full one refuses', async (t) => {
  const { engine, limit } = exchange(3);
  for (let reference = 1; reference <= 3; reference++) t.equal(limit(Side.Buy, 10_000, 10, reference), RejectCode.None);
  t.equal(limit(Side.Buy, 10_000, 10, 4), RejectCode.ExchangeFull);
  engine.cancelAll(0, CancelReason.Expired);
  t.equal(engine.pool.liveCount, 0);
  t.equal(limit(Side.Buy, 10_000, 10, 5), RejectCode.None);
});

t.test('the figures of the day', async (t) => {
  const { engine, limit } = exchange();
  engine.nowMicros = 77;
  for (const price of [10_000, 10_050, 9_950]) {
    limit(Side.Sell, price, 10, 1);
    limit(Side.Buy, price, 10, 2);
  }
  const { figures } = engine;
  t.same(
    [
      figures.openPaise[0],
      figures.highPaise[0],
      figures.lowPaise[0],
      figures.lastPaise[0],
      figures.volume[0],
      figures.tradeCount[0],
    ],
    [10_000, 10_050, 9_950, 9_950, 30, 3],
  );
  t.equal(figures.turnoverPaise[0], 300_000);
  t.equal(figures.averagePaise(0), 10_000);
  t.equal(figures.lastTradeMicros[0], 77);
  engine.beginDay(0, figures.closePaise(0), 200);
  t.same([engine.lowerBandPaise(0), engine.upperBandPaise(0)], [9_755, 10_145], 'whole ticks inside 2 % of 99.50');
  t.equal(figures.previousClosePaise[0], 9_950);
});
