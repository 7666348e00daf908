import t from 'tap';
import {
  ExecType,
  MassCancelRejectReason,
  MassCancelRequestType,
  MassStatusReqType,
  OrdStatus,
  Side,
  TimeInForce,
} from '../core/fix/generated/fix-enums.gen.ts';
import type { OrderMassStatusRequest } from '../core/fix/order-status-messages.ts';
import { VenueRefusal } from '../core/fix/venue-refusals.ts';
import { EXCHANGE_DEFAULTS, type ExchangeSettings, runExchange } from '../exchange.ts';
import {
  BETWEEN_PAISE,
  cancelAll,
  cancelOf,
  gateway,
  LOW_PAISE,
  order,
  replaceOf,
  until,
  VENUE_COMP_ID,
} from './testing/venue-fixture.ts';

/** A market in which nobody but the test acts. ITC stands at 410 or so. */
const STILL: ExchangeSettings = {
  ...EXCHANGE_DEFAULTS,
  compID: VENUE_COMP_ID,
  port: 0,
  updatesPerSecond: 0,
  openBurstFactor: 1,
  madeUpInstruments: 0,
  instrumentFile: null,
  replay: null,
};

for (const beginString of ['FIX.4.4', 'FIX.4.2'] as const) {
  t.test(`${beginString}: placed, filled in part, replaced twice, canceled`, async (t) => {
    const exchange = await runExchange(STILL);
    t.teardown(() => exchange.close());
    const { gateway: venue, events, up } = await gateway(t, exchange.port, { beginString });
    await up();
    t.equal(events.settledCount, 1, 'with no order there is nothing to settle');
    t.equal(venue.place(order('A', { orderQty: 100, pricePaise: BETWEEN_PAISE })), VenueRefusal.None);
    t.equal(venue.place(order('A')), VenueRefusal.DuplicateClOrdID);
    t.match(await events.report('A', ExecType.New), { ordStatus: OrdStatus.New, leavesQty: 100, standing: 'live' });
    venue.place(order('S', { side: Side.Sell, orderQty: 30, pricePaise: BETWEEN_PAISE }));
    t.match(await events.report('A', ExecType.Trade), {
      ...{ ordStatus: OrdStatus.PartiallyFilled, lastQty: 30, lastPxPaise: BETWEEN_PAISE, cumQty: 30, leavesQty: 70 },
    });
    t.match(await events.report('S', ExecType.Trade), { ordStatus: OrdStatus.Filled, leavesQty: 0 });
    t.equal(venue.replace(replaceOf('A2', 'A', { orderQty: 90, pricePaise: BETWEEN_PAISE })), VenueRefusal.None);
    t.match(await events.report('A2', ExecType.Replace), { origClOrdID: 'A', leavesQty: 60, cumQty: 30 });
    venue.replace(replaceOf('A3', 'A2', { orderQty: 80, pricePaise: LOW_PAISE }));
    t.match(await events.report('A3', ExecType.Replace), { origClOrdID: 'A2', leavesQty: 50, pricePaise: LOW_PAISE });
    venue.replace(replaceOf('A4', 'A3', { orderQty: 20 }));
    await until(() => events.cancelRejects.length === 1, 'refused: less than is executed');
    t.match(events.cancelRejects[0], { clOrdID: 'A4', code: 442 });
    venue.status('ACC1', { ordStatusReqID: 'Q1', clOrdID: 'A3', symbol: 'ITC', side: Side.Buy });
    t.match(await events.report('A3', ExecType.OrderStatus), { ordStatus: OrdStatus.PartiallyFilled, leavesQty: 50 });
    t.equal(venue.cancel('ACC1', cancelOf('C', 'A3')), VenueRefusal.None);
    t.match(await events.report('C', ExecType.Canceled), {
      origClOrdID: 'A3',
      ordStatus: OrdStatus.Canceled,
      cumQty: 30,
    });
    venue.cancel('ACC1', cancelOf('C2', 'A3'));
    await until(() => events.cancelRejects.length === 2, 'refused: too late');
    t.match(events.cancelRejects[1], { clOrdID: 'C2', code: 440 });
    venue.place(order('R', { symbol: 'NOSUCH' }));
    t.match(await events.report('R', ExecType.Rejected), { ordRejReason: 1, standing: 'live', text: /not listed/ });
    venue.place(order('I', { timeInForce: TimeInForce.ImmediateOrCancel }));
    t.match(await events.report('I', ExecType.Canceled), { leavesQty: 0, text: /nothing more/ });
    t.same(events.refused, []);
    t.same(events.unexpected, []);
  });
}

t.test('mass cancel: of a symbol, of all, and what is refused', async (t) => {
  const exchange = await runExchange(STILL);
  t.teardown(() => exchange.close());
  const { gateway: venue, events, up } = await gateway(t, exchange.port);
  await up();
  for (const clOrdID of ['I1', 'I2']) venue.place(order(clOrdID));
  venue.place(order('T1', { symbol: 'TCS', pricePaise: 300_000 }));
  await until(() => events.reports.length === 3, 'all are in');
  const ofSymbol = { ...cancelAll('M1'), symbol: 'ITC' };
  venue.massCancel('DESK', { ...ofSymbol, massCancelRequestType: MassCancelRequestType.CancelOrdersForASecurity });
  await until(() => events.of('M1', ExecType.Canceled).length === 2, 'both are canceled');
  t.match(events.massCancels[0], { clOrdID: 'M1', totalAffectedOrders: 2, code: 0 });
  t.same(
    events
      .of('M1')
      .map(({ origClOrdID, standing }) => [origClOrdID, standing])
      .sort(),
    [
      ['I1', 'live'],
      ['I2', 'live'],
    ],
  );
  const unknown = { ...ofSymbol, clOrdID: 'M2', symbol: 'NOSUCH' };
  venue.massCancel('DESK', { ...unknown, massCancelRequestType: MassCancelRequestType.CancelOrdersForASecurity });
  venue.massCancel('DESK', {
    ...cancelAll('M3'),
    massCancelRequestType: MassCancelRequestType.CancelOrdersForAProduct,
  });
  await until(() => events.massCancels.length === 3, 'refused');
  t.match(events.massCancels[1], {
    massCancelRejectReason: MassCancelRejectReason.InvalidOrUnknownSecurity,
    code: 451,
  });
  t.match(events.massCancels[2], { massCancelRejectReason: MassCancelRejectReason.MassCancelNotSupported, code: 450 });
  venue.massCancel('DESK', { ...cancelAll('M4'), side: Side.Sell });
  venue.massCancel('DESK', cancelAll('M5'));
  await until(() => events.of('M5', ExecType.Canceled).length === 1, 'the last');
  t.match(events.massCancels.slice(3), [{ totalAffectedOrders: 0 }, { totalAffectedOrders: 1 }]);
  t.match(events.of('M5'), [{ origClOrdID: 'T1' }]);
});

t.test('4.2 has no mass status and no mass cancel: a refusal of its own, and nothing is sent', async (t) => {
  const exchange = await runExchange(STILL);
  t.teardown(() => exchange.close());
  const { gateway: venue, up } = await gateway(t, exchange.port, { beginString: 'FIX.4.2' });
  await up();
  const all = { massStatusReqID: 'M', massStatusReqType: MassStatusReqType.StatusForAllOrders, symbol: '' };
  t.equal(venue.massStatus('DESK', all), VenueRefusal.NotInThisVersion);
  t.equal(venue.massCancel('DESK', cancelAll('M')), VenueRefusal.NotInThisVersion);
});

t.test('mass status: all live orders, those of a symbol, and none', async (t) => {
  const exchange = await runExchange(STILL);
  t.teardown(() => exchange.close());
  const { gateway: venue, events, up } = await gateway(t, exchange.port);
  await up();
  for (const clOrdID of ['I1', 'I2']) venue.place(order(clOrdID));
  venue.place(order('T1', { symbol: 'TCS', pricePaise: 300_000 }));
  await until(() => events.reports.length === 3, 'all are in');
  const all = { massStatusReqID: 'M1', massStatusReqType: MassStatusReqType.StatusForAllOrders, symbol: '' };
  const ask = async (id: string, change: Partial<OrderMassStatusRequest>) => {
    venue.massStatus('DESK', { ...all, ...change, massStatusReqID: id });
    await until(() => events.reports.some((r) => r.massStatusReqID === id && r.lastRptRequested), `${id} is answered`);
    return events.reports.filter((r) => r.massStatusReqID === id);
  };
  t.match(await ask('M1', {}), [
    { totNumReports: 3 },
    { totNumReports: 3 },
    { totNumReports: 3, lastRptRequested: true },
  ]);
  const massStatusReqType = MassStatusReqType.StatusForOrdersForASecurity;
  t.match(await ask('M2', { massStatusReqType, symbol: 'TCS' }), [{ clOrdID: 'T1', totNumReports: 1 }]);
  t.match(await ask('M3', { massStatusReqType, symbol: 'INFY' }), [
    { ordStatus: OrdStatus.Rejected, ordRejReason: 5, standing: 'unknown' },
  ]);
  venue.status('ACC1', { ordStatusReqID: 'Q', clOrdID: 'STRANGE', symbol: 'ITC', side: Side.Buy });
  t.match(await events.report('STRANGE', ExecType.OrderStatus), {
    ordStatus: OrdStatus.Rejected,
    ordStatusReqID: 'Q',
    standing: 'unknown',
  });
});

t.test('throttle: what the venue allows, then a queue with cancels first, then a refusal', async (t) => {
  const exchange = await runExchange(STILL);
  t.teardown(() => exchange.close());
  let nowMs = Date.now();
  const throttle = { messagesPerSecond: 1, burst: 3, queueMax: 3 };
  const { gateway: venue, events, up } = await gateway(t, exchange.port, { throttle, now: () => nowMs });
  await up();
  const taken = ['1', '2', '3', '4', '5', '6'].map((clOrdID) => venue.place(order(clOrdID)));
  t.same(taken, Array(6).fill(VenueRefusal.None), 'three at once, three wait');
  t.equal(venue.place(order('7')), VenueRefusal.ThrottleFull);
  t.equal(venue.cancel('ACC1', cancelOf('C1', '1')), VenueRefusal.None, 'a cancel finds room');
  t.equal(
    venue.cancel('ACC1', cancelOf('C5', '5')),
    VenueRefusal.Withdrawn,
    'what waits is taken out, and never leaves',
  );
  t.match(events.refused, [{ requestID: '5', code: VenueRefusal.Withdrawn }]);
  t.equal(venue.replace(replaceOf('4b', '4', { orderQty: 20 })), VenueRefusal.None);
  t.equal(
    venue.cancel('ACC1', cancelOf('C4', '4b')),
    VenueRefusal.ThrottleFull,
    'it may not overtake the replace it names',
  );
  await until(() => events.reports.length === 3, 'the three are in');
  for (const [clOrdID, execType] of [
    ['C1', ExecType.Canceled],
    ['4', ExecType.New],
    ['6', ExecType.New],
    ['4b', ExecType.Replace],
  ] as const) {
    const before = events.reports.length;
    nowMs += 1_000;
    await events.report(clOrdID, execType);
    t.equal(events.reports.length, before + 1, `${clOrdID} alone`);
  }
  for (const clOrdID of ['8', '9']) venue.place(order(clOrdID));
  venue.massCancel('DESK', cancelAll('M'));
  t.match(
    events.refused.slice(1),
    [
      { requestID: '8', code: 409 },
      { requestID: '9', code: 409 },
    ],
    'a mass cancel leaves nothing behind it',
  );
  nowMs += 1_000;
  await until(() => events.massCancels.length === 1, 'mass canceled');
  venue.place(order('10'));
  await venue.close('done');
  t.match(
    events.refused.slice(3),
    [{ requestID: '10', code: VenueRefusal.SessionDown }],
    'what waits at the end is refused',
  );
});

t.test('bust and correction: of a fill that stands, of an order that was done, for both sides', async (t) => {
  const exchange = await runExchange(STILL);
  t.teardown(() => exchange.close());
  const { gateway: venue, events, up } = await gateway(t, exchange.port);
  await up();
  venue.place(order('B', { orderQty: 100, pricePaise: BETWEEN_PAISE }));
  venue.place(order('S1', { side: Side.Sell, orderQty: 40, pricePaise: BETWEEN_PAISE }));
  const fill = await events.report('B', ExecType.Trade);
  exchange.correctTrade(fill.execID, BETWEEN_PAISE - 5, 30);
  const corrected = await events.report('B', ExecType.TradeCorrect);
  t.match(corrected, {
    execRefID: fill.execID,
    lastQty: 30,
    lastPxPaise: BETWEEN_PAISE - 5,
    cumQty: 30,
    leavesQty: 60,
    standing: 'live',
  });
  t.match(await events.report('S1', ExecType.TradeCorrect), {
    ordStatus: OrdStatus.Canceled,
    cumQty: 30,
    leavesQty: 0,
    standing: 'late',
  });
  t.throws(() => exchange.bustTrade(fill.execID), { code: 'REQUEST_REFUSED' }, 'the correction stands in its place');
  t.throws(() => exchange.correctTrade(corrected.execID, BETWEEN_PAISE, 31), /from 1 to the trade's own, 30/);
  t.throws(() => exchange.correctTrade(corrected.execID, 0, 30), /above 0/);
  exchange.bustTrade(corrected.execID);
  t.match(await events.report('B', ExecType.TradeCancel), {
    execRefID: corrected.execID,
    ordStatus: OrdStatus.New,
    cumQty: 0,
    leavesQty: 60,
    avgPxPaise: 0,
  });
  t.match(await events.report('S1', ExecType.TradeCancel), { ordStatus: OrdStatus.Canceled, cumQty: 0 });
  t.throws(() => exchange.bustTrade(corrected.execID), { code: 'REQUEST_REFUSED' }, 'once');
  venue.place(order('S2', { side: Side.Sell, orderQty: 60, pricePaise: BETWEEN_PAISE }));
  t.match(await events.report('S2', ExecType.Trade), { ordStatus: OrdStatus.Filled });
  t.match(
    await events.report('B', ExecType.Trade),
    { cumQty: 60, leavesQty: 0, ordStatus: OrdStatus.Canceled },
    'done: what was busted counts as canceled',
  );
});

t.test('several sessions: the orders of an account go over one, and its neighbours over theirs', async (t) => {
  const exchange = await runExchange(STILL);
  t.teardown(() => exchange.close());
  const names = ['NSE-A', 'NSE-B', 'NSE-C'];
  const { gateway: venue, events, up } = await gateway(t, exchange.port, { names });
  await up();
  for (let i = 0; i < 60; i++) venue.place(order(`O${i}`, { account: `ACC${i % 12}` }));
  await until(() => events.reports.length === 60, 'all are in');
  t.ok(events.reports.every(({ session, account }) => session === venue.sessionNameOf(account)));
  t.equal(new Set(events.reports.map(({ session }) => session)).size, 3, 'every session has some');
});

t.test('what the venue rejects as a message ends the order, with a code of its band', async (t) => {
  const exchange = await runExchange(STILL);
  t.teardown(() => exchange.close());
  const { gateway: venue, events, up } = await gateway(t, exchange.port);
  await up();
  t.equal(venue.place(order('BAD', { symbol: 'a\u0001b' })), VenueRefusal.BadValue);
  t.equal(venue.place(order('EMPTY', { symbol: '' })), VenueRefusal.BadValue);
  t.equal(venue.place(order('LONG', { symbol: 'x'.repeat(65) })), VenueRefusal.None);
  await until(() => events.refused.length === 1, 'rejected');
  t.match(events.refused[0], { requestID: 'LONG', code: 475, text: /longer/ });
  t.equal(venue.place(order('BAD')), VenueRefusal.None, 'what was never sent left its ClOrdID free');
  await events.report('BAD', ExecType.New);
});
