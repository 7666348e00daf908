import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import t from 'tap';
import type { FixEncoder } from '../core/fix/fix-encoder.ts';
import type { FixMessage } from '../core/fix/fix-message.ts';
import { MemoryFixStore } from '../core/fix/fix-store.ts';
import { ExecType, MsgType, OrdStatus, Side } from '../core/fix/generated/fix-enums.gen.ts';
import { Tag } from '../core/fix/generated/fix-tags.gen.ts';
import { SESSION_DEFAULTS } from '../core/fix/session-contract.ts';
import { SessionDays } from '../core/fix/session-schedule.ts';
import { VenueRefusal } from '../core/fix/venue-refusals.ts';
import { EXCHANGE_DEFAULTS, type ExchangeSettings, runExchange } from '../exchange.ts';
import { listenFix } from './fix-tcp.ts';
import { BETWEEN_PAISE, cancelOf, cuttable, gateway, order, until, VENUE_COMP_ID } from './testing/venue-fixture.ts';

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

/** An ExecutionReport New or Filled, as short as may be. */
function report(encoder: FixEncoder, clOrdID: string, status: '0' | '2'): void {
  encoder.ascii(Tag.OrderID, 'V');
  encoder.ascii(Tag.ClOrdID, clOrdID);
  encoder.ascii(Tag.ExecID, 'E');
  encoder.ascii(Tag.ExecType, status === '0' ? '0' : 'F');
  encoder.ascii(Tag.OrdStatus, status);
  encoder.ascii(Tag.Symbol, 'ITC');
  encoder.char(Tag.Side, Side.Buy);
  for (const tag of [Tag.LeavesQty, Tag.CumQty, Tag.AvgPx]) encoder.int(tag, 0);
}

t.test('after a reconnect what was alive is asked after: still there, filled meanwhile, never arrived', async (t) => {
  const exchange = await runExchange(STILL);
  t.teardown(() => exchange.close());
  for (const beginString of ['FIX.4.4', 'FIX.4.2'] as const) {
    const line = await cuttable(t, exchange.port);
    const names = [`DESK-${beginString}`, `OTHER-${beginString}`];
    const pinned = new Map(names.map((name, i) => [`ACC${i + 1}`, name]));
    const ports = [line.port, exchange.port];
    const { gateway: venue, events, up } = await gateway(t, exchange.port, { names, ports, pinned, beginString });
    await up();
    await until(() => events.settledCount === 2, 'settled with nothing');
    venue.place(order('STAYS'));
    venue.place(order('FILLS', { pricePaise: BETWEEN_PAISE }));
    await until(() => events.reports.length === 2, 'both are in');
    t.equal(venue.adopt('ACC1', 'NEVER', 'ITC', Side.Buy), VenueRefusal.None);
    t.equal(venue.adopt('ACC1', 'NEVER', 'ITC', Side.Buy), VenueRefusal.DuplicateClOrdID);
    line.cut();
    await until(() => !venue.isUp(names[0]!), 'down');
    t.equal(venue.place(order('D')), VenueRefusal.SessionDown, 'an order of its account is refused');
    t.equal(
      venue.cancel('ACC1', cancelOf('C', 'STAYS')),
      VenueRefusal.SessionDown,
      'a cancel too, and never goes elsewhere',
    );
    t.equal(
      venue.place(order('S', { account: 'ACC2', side: Side.Sell, pricePaise: BETWEEN_PAISE })),
      VenueRefusal.None,
    );
    await events.report('S', ExecType.Trade);
    t.equal(events.of('FILLS', ExecType.Trade).length, 0);
    line.mend();
    await until(() => events.settledCount === 3, 'settled');
    t.match(
      events.of('FILLS', ExecType.Trade),
      [{ ordStatus: OrdStatus.Filled, standing: 'live' }],
      'its report waited',
    );
    t.match(events.of('STAYS', ExecType.OrderStatus).at(-1), {
      ordStatus: OrdStatus.New,
      leavesQty: 10,
      standing: 'live',
    });
    t.match(events.refused, [{ requestID: 'NEVER', code: VenueRefusal.NotAtVenue, msgType: MsgType.NewOrderSingle }]);
    t.equal(venue.cancel('ACC1', cancelOf('C', 'STAYS')), VenueRefusal.None);
    await events.report('C', ExecType.Canceled);
    t.same(events.unexpected, []);
    await venue.close('done');
    t.equal(venue.place(order('E')), VenueRefusal.Closing);
  }
});

t.test('cancel on disconnect: where it is set, the orders of the session that drops are canceled', async (t) => {
  for (const cancelOnDisconnect of [true, false]) {
    const exchange = await runExchange({ ...STILL, cancelOnDisconnect });
    t.teardown(() => exchange.close());
    const line = await cuttable(t, exchange.port);
    const {
      gateway: venue,
      events,
      up,
    } = await gateway(t, exchange.port, {
      names: ['A', 'B'],
      ports: [line.port, exchange.port],
      pinned: new Map([
        ['ACC1', 'A'],
        ['ACC2', 'B'],
      ]),
    });
    await up();
    venue.place(order('MINE'));
    venue.place(order('THEIRS', { account: 'ACC2' }));
    await until(() => events.reports.length === 2, 'both are in');
    const settled = events.settledCount;
    line.cut();
    await until(() => !venue.isUp('A'), 'down');
    line.mend();
    await until(() => events.settledCount === settled + 1, 'settled');
    t.equal(events.of('MINE', ExecType.Canceled).length, cancelOnDisconnect ? 1 : 0);
    if (cancelOnDisconnect) t.match(events.of('MINE', ExecType.Canceled)[0]?.text, /disconnected/);
    venue.status('ACC2', { ordStatusReqID: '', clOrdID: 'THEIRS', symbol: 'ITC', side: Side.Buy });
    t.match(await events.report('THEIRS', ExecType.OrderStatus), { ordStatus: OrdStatus.New }, 'of no other session');
  }
});

t.test('nothing that comes in is dropped in silence', async (t) => {
  const strange: { msgType: number; write: (encoder: FixEncoder, order: FixMessage) => void }[] = [
    { msgType: MsgType.ExecutionReport, write: (e) => report(e, 'NOBODY', '0') },
    { msgType: MsgType.ExecutionReport, write: (e) => e.ascii(Tag.OrderID, 'half') },
    { msgType: MsgType.TradingSessionStatus, write: (e) => e.ascii(Tag.TradingSessionID, 'X') },
    {
      msgType: MsgType.BusinessMessageReject,
      write: (e, m) => {
        e.int(Tag.RefSeqNum, m.msgSeqNum);
        e.char(Tag.RefMsgType, 68);
        e.int(Tag.BusinessRejectReason, 4);
        e.ascii(Tag.Text, 'closed');
      },
    },
    {
      msgType: MsgType.BusinessMessageReject,
      write: (e) => {
        e.int(Tag.RefSeqNum, 4_000);
        e.char(Tag.RefMsgType, 68);
        e.int(Tag.BusinessRejectReason, 0);
      },
    },
    { msgType: MsgType.Reject, write: (e) => e.int(Tag.RefSeqNum, 5_000) },
    { msgType: MsgType.OrderCancelReject, write: (e) => e.ascii(Tag.OrderID, 'half') },
    { msgType: MsgType.ExecutionReport, write: (e, m) => report(e, m.ascii(m.find(Tag.ClOrdID, 0)), '2') },
  ];
  const acceptor = await listenFix({
    port: 0,
    session: {
      ...SESSION_DEFAULTS,
      role: 'acceptor',
      senderCompID: VENUE_COMP_ID,
      targetCompID: '',
      gapPolicy: 'resend',
    },
    application: {
      onLogon() {},
      onMessage(session, message) {
        if (message.msgType !== MsgType.NewOrderSingle) return;
        for (const { msgType, write } of strange) {
          write(session.begin(msgType, session.nowMs), message);
          session.send(session.nowMs);
        }
      },
      onGap() {},
      onLogout() {},
    },
  });
  t.teardown(() => acceptor.close(''));
  const { gateway: venue, events, up } = await gateway(t, acceptor.port, { validated: false });
  await up();
  venue.place(order('O'));
  await until(() => events.reports.length === 2, 'all told');
  t.match(
    events.reports,
    [
      { clOrdID: 'NOBODY', standing: 'unknown' },
      { clOrdID: 'O', standing: 'late' },
    ],
    'late: the reject had ended it',
  );
  t.match(events.refused, [{ requestID: 'O', code: 464, text: 'closed' }]);
  t.match(events.unexpected, [
    /^8: tag/,
    /^h: no message about orders/,
    /^j: .* no request/,
    /^3: .* no request/,
    /^9: tag/,
  ]);
});

t.test('after a reset in the session a Reject by an old number names no request', async (t) => {
  const acceptor = await listenFix({
    port: 0,
    session: {
      ...SESSION_DEFAULTS,
      role: 'acceptor',
      senderCompID: VENUE_COMP_ID,
      targetCompID: '',
      gapPolicy: 'resend',
    },
    application: {
      onLogon() {},
      onMessage(session, message) {
        report(session.begin(MsgType.ExecutionReport, session.nowMs), message.ascii(message.find(Tag.ClOrdID, 0)), '0');
        session.send(session.nowMs);
        setImmediate(() => acceptor.resetSeqNums(session.counterpartyCompID));
      },
      onGap() {},
      onReset(session) {
        session.begin(MsgType.Reject, session.nowMs).int(Tag.RefSeqNum, 2);
        session.send(session.nowMs);
      },
      onLogout() {},
    },
  });
  t.teardown(() => acceptor.close(''));
  const { gateway: venue, events, up } = await gateway(t, acceptor.port, { validated: false });
  await up();
  t.equal(venue.place(order('O')), VenueRefusal.None);
  await until(() => events.unexpected.length === 1, 'a Reject of number 2, which O had');
  t.same(events.refused, [], 'O is alive');
  t.match(events.unexpected, [/^3: .* no request/]);
});

/** A time of day in India as a schedule has it. The exchange goes by the machine's clock and refuses a Logon two minutes off, so schedules are moved over now. */
function minuteOf(ms: number): string {
  return new Date(ms + 5.5 * 3_600_000).toISOString().slice(11, 16);
}

t.test('a schedule: connected while the session is held, logged out at its end', async (t) => {
  const exchange = await runExchange({ ...STILL });
  t.teardown(() => exchange.close());
  let nowMs = Date.now();
  const schedule = { days: SessionDays.All, start: minuteOf(nowMs - 60_000), end: minuteOf(nowMs + 120_000) };
  const { gateway: venue, events, up } = await gateway(t, exchange.port, { schedule, now: () => nowMs });
  await up();
  nowMs += 181_000;
  await until(() => !venue.isUp('DESK'), 'the session is over');
  t.equal(venue.place(order('LATE')), VenueRefusal.SessionDown);
  nowMs -= 181_000;
  await until(() => venue.isUp('DESK'), 'inside again');
  t.same(events.states, ['DESK up', 'DESK down', 'DESK up']);
});

t.test('a schedule: both numbers begin anew with the first logon of a day, and with no other', async (t) => {
  const exchange = await runExchange({ ...STILL });
  t.teardown(() => exchange.close());
  const nowMs = Date.now();
  const schedule = { days: SessionDays.All, start: minuteOf(nowMs - 60_000), end: minuteOf(nowMs + 120_000) };
  const store = new MemoryFixStore();
  for (const [lastActiveMs, epoch] of [
    [0, 1],
    [nowMs, 1],
    [nowMs - 180_000, 2],
    [nowMs, 2],
  ] as const) {
    const { gateway: venue, up } = await gateway(t, exchange.port, {
      schedule,
      store,
      lastActiveMs: () => lastActiveMs,
    });
    await up();
    t.equal(store.epoch, epoch, epoch === 1 && lastActiveMs === 0 ? 'nothing to begin anew' : `${lastActiveMs}`);
    await venue.close('done');
  }
});

t.test('a schedule: what is open of the day before is settled under the old numbers first, at any hour', async (t) => {
  const exchange = await runExchange({ ...STILL });
  t.teardown(() => exchange.close());
  let nowMs = Date.now();
  // Around the clock, with a new day two minutes ahead at most.
  const start = minuteOf(nowMs + 60_000);
  const store = new MemoryFixStore();
  let isClean = false;
  let askedCount = 0;
  const {
    gateway: venue,
    events,
    up,
  } = await gateway(t, exchange.port, {
    ...{ store, schedule: { days: SessionDays.All, start, end: start }, commitsLater: true },
    ...{ now: () => nowMs, lastActiveMs: () => nowMs },
    mayReset: () => {
      askedCount++;
      return isClean;
    },
  });
  const askedAgain = () => {
    const before = askedCount;
    return until(
      () => askedCount > before + 1,
      'it was asked whether the numbers may begin anew, and what was said has been done',
    );
  };
  const commit = () => {
    for (const { session, epoch, msgSeqNum } of events.deliveries) venue.committed(session, epoch, msgSeqNum);
  };
  await up();
  t.equal(askedCount, 0, 'the day goes on');
  venue.place(order('STAYS'));
  await events.report('STAYS', ExecType.New);
  commit();
  nowMs += 60_000;
  await askedAgain();
  t.same([store.epoch, venue.isUp('DESK')], [1, true], 'something of the day before is open');
  isClean = true;
  await askedAgain();
  t.same([store.epoch, venue.isUp('DESK')], [1, true], 'an order is alive');
  venue.cancel('ACC1', cancelOf('C', 'STAYS'));
  await events.report('C', ExecType.Canceled);
  await askedAgain();
  t.same([store.epoch, venue.isUp('DESK')], [1, true], 'its report is not committed');
  commit();
  await until(() => store.epoch === 2 && venue.isUp('DESK'), 'new numbers');
  t.same([store.nextSenderMsgSeqNum, store.nextTargetMsgSeqNum], [2, 2]);
  t.same(events.states, ['DESK up', 'DESK down', 'DESK up'], 'logged out of for them alone');
  const asked = askedCount;
  venue.place(order('NEXT'));
  await events.report('NEXT', ExecType.New);
  t.match(events.deliveries.at(-1), { epoch: 2, msgSeqNum: 2 });
  t.equal(store.nextTargetMsgSeqNum, 2, 'held under the new numbers');
  commit();
  t.equal(store.nextTargetMsgSeqNum, 3);
  t.equal(askedCount, asked, 'once a day');
});

t.test('a schedule: a process that dies before the answer to its new numbers asks for them again', async (t) => {
  const exchange = await runExchange({ ...STILL });
  t.teardown(() => exchange.close());
  const nowMs = Date.now();
  const schedule = { days: SessionDays.All, start: minuteOf(nowMs - 60_000), end: minuteOf(nowMs + 120_000) };
  const store = new MemoryFixStore();
  const yesterday = await gateway(t, exchange.port, { store });
  await yesterday.up();
  await yesterday.gateway.close('done');
  let taken = 0;
  const deaf = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      taken++;
      socket.destroy();
    });
  }).listen(0, '127.0.0.1');
  t.teardown(() => deaf.close());
  await once(deaf, 'listening');
  const { port } = deaf.address() as AddressInfo;
  const died = await gateway(t, port, { store, schedule, lastActiveMs: () => 1 });
  await until(() => taken > 0, 'the Logon has left');
  await died.gateway.close('');
  t.equal(store.epoch, 1, 'nobody knows whether the venue has begun anew');
  const next = await gateway(t, exchange.port, { store, schedule, lastActiveMs: () => 1, mayReset: () => false });
  await next.up();
  t.equal(store.epoch, 2);
});

t.test('a listener that commits later is told again, after a restart, of what it had not committed', async (t) => {
  const exchange = await runExchange({ ...STILL });
  t.teardown(() => exchange.close());
  const store = new MemoryFixStore();
  const start = () => gateway(t, exchange.port, { commitsLater: true, store });
  const first = await start();
  await first.up();
  first.gateway.place(order('KEPT'));
  await first.events.report('KEPT', ExecType.New);
  await first.gateway.close('');
  const second = await start();
  await second.up();
  await second.events.report('KEPT', ExecType.New);
  t.equal(second.events.deliveries.length, 1);
  for (const { session, epoch, msgSeqNum } of second.events.deliveries)
    second.gateway.committed(session, epoch, msgSeqNum);
  await second.gateway.close('');
  const third = await start();
  await third.up();
  third.gateway.place(order('NEXT'));
  await third.events.report('NEXT', ExecType.New);
  t.same(third.events.of('KEPT'), []);
});
