/** A simulator that died and began anew is still a fair counterparty: what it executed stands and is told again, under the same ExecIDs; what rested is canceled. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ExecType, OrdStatus, Side } from '../core/fix/generated/fix-enums.gen.ts';
import { VenueRefusal } from '../core/fix/venue-refusals.ts';
import { EXCHANGE_DEFAULTS, type ExchangeSettings, runExchange } from '../exchange.ts';
import {
  BETWEEN_PAISE,
  cancelOf,
  gateway,
  LOW_PAISE,
  order,
  replaceOf,
  until,
  VENUE_COMP_ID,
} from './testing/venue-fixture.ts';

/** A market in which nobody but the test acts. */
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

t.test('what was executed before the death is told again, and the rest is over', async (t) => {
  const directory = t.testdir();
  const before = join(directory, 'before');
  const exchange = await runExchange({ ...STILL, tradesDirectory: before });
  const first = await gateway(t, exchange.port);
  await first.up();
  const { gateway: venue, events } = first;
  venue.place(order('FULL', { pricePaise: BETWEEN_PAISE }));
  venue.place(order('PART', { pricePaise: BETWEEN_PAISE, orderQty: 20 }));
  venue.place(order('RESTS'));
  venue.place(order('TAKEN'));
  venue.place(order('MOVES'));
  await events.report('MOVES', ExecType.New);
  venue.replace(replaceOf('MOVES-1', 'MOVES', { orderQty: 7, pricePaise: LOW_PAISE - 100 }));
  await events.report('MOVES-1', ExecType.Replace);
  venue.place(order('SELLS', { side: Side.Sell, orderQty: 13, pricePaise: BETWEEN_PAISE }));
  await events.report('SELLS', ExecType.Trade);
  await until(() => events.of('PART', ExecType.Trade).length === 1, 'both are executed');
  const executions = events.reports.filter(({ execType }) => execType === ExecType.Trade);
  t.equal(executions.length, 4, 'two trades with two sides of ours');
  // As a kill leaves it: nothing more is written.
  const after = join(directory, 'after');
  cpSync(before, after, { recursive: true });
  await venue.close('');
  await exchange.close();

  const anew = await runExchange({ ...STILL, tradesDirectory: after });
  t.teardown(() => anew.close());
  const second = await gateway(t, anew.port);
  const clOrdIDs = ['FULL', 'PART', 'RESTS', 'MOVES', 'SELLS', 'NEVER'];
  for (const clOrdID of clOrdIDs)
    second.gateway.adopt('ACC1', clOrdID, 'ITC', clOrdID === 'SELLS' ? Side.Sell : Side.Buy);
  await second.up();
  await until(() => second.events.settledCount === 1, 'every order is answered for');
  await second.events.report('MOVES-1', ExecType.OrderStatus);
  const told = second.events.reports.filter(({ execType }) => execType === ExecType.Trade);
  const facts = (reports: typeof told) =>
    reports
      .map(({ execID, clOrdID, lastQty, lastPxPaise, cumQty, leavesQty, ordStatus, orderID }) =>
        [execID, clOrdID, lastQty, lastPxPaise, cumQty, leavesQty, ordStatus, orderID].join(' '),
      )
      .sort();
  t.strictSame(facts(told), facts(executions), 'the same executions');
  const statusOf = (clOrdID: string) => second.events.of(clOrdID, ExecType.OrderStatus).at(-1);
  t.match(statusOf('FULL'), { ordStatus: OrdStatus.Filled, cumQty: 10, leavesQty: 0 });
  t.match(statusOf('PART'), { ordStatus: OrdStatus.Canceled, cumQty: 3, leavesQty: 0 });
  t.match(statusOf('SELLS'), { ordStatus: OrdStatus.Filled, cumQty: 13, leavesQty: 0 });
  t.match(statusOf('RESTS'), { ordStatus: OrdStatus.Canceled, cumQty: 0, leavesQty: 0 });
  t.match(second.events.of('MOVES-1', ExecType.Replace), [
    { orderQty: 7, origClOrdID: 'MOVES', ordStatus: OrdStatus.New },
  ]);
  t.match(statusOf('MOVES-1'), { ordStatus: OrdStatus.Canceled, orderQty: 7 }, 'asked after by its first name');
  t.match(second.events.refused, [{ requestID: 'NEVER', code: VenueRefusal.NotAtVenue }]);

  // Its names are taken, and it can no more be changed.
  second.gateway.place(order('TAKEN'));
  t.match(await second.events.report('TAKEN', ExecType.Rejected), { cumQty: 0 });
  second.gateway.cancel('ACC1', cancelOf('C', 'PART'));
  await until(() => second.events.cancelRejects.length === 1, 'the refusal');
  second.gateway.place(order('NEW', { pricePaise: BETWEEN_PAISE }));
  second.gateway.place(order('NEW-SELL', { side: Side.Sell, pricePaise: BETWEEN_PAISE }));
  const { execID } = await second.events.report('NEW', ExecType.Trade);
  t.notOk(
    executions.some((execution) => execution.execID === execID),
    'no ExecID comes twice on a day',
  );
});
