import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type ExecutionReport, readExecutionReport } from '../core/fix/execution-report.ts';
import type { FixMessage } from '../core/fix/fix-message.ts';
import type { FixSession } from '../core/fix/fix-session.ts';
import { MemoryFixStore } from '../core/fix/fix-store.ts';
import {
  CxlRejReason,
  CxlRejResponseTo,
  ExecType,
  MassCancelRejectReason,
  MassCancelRequestType,
  MassCancelResponse,
  MsgType,
  OrdRejReason,
  OrdStatus,
  OrdType,
  Side,
  TimeInForce,
} from '../core/fix/generated/fix-enums.gen.ts';
import {
  type NewOrderSingle,
  type OrderCancelReject,
  readOrderCancelReject,
  writeNewOrderSingle,
  writeOrderCancelReplaceRequest,
  writeOrderCancelRequest,
} from '../core/fix/order-messages.ts';
import {
  type OrderMassCancelReport,
  readOrderMassCancelReport,
  writeOrderMassCancelRequest,
  writeOrderStatusRequest,
} from '../core/fix/order-status-messages.ts';
import { type FixApplication, SESSION_DEFAULTS } from '../core/fix/session-contract.ts';
import { Product } from '../core/ledger/order.ts';
import { parseExecID } from '../core/order-entry/client-reports.ts';
import type { OrderCommand } from '../core/orders/order-command.ts';
import { ACME, OTHER_USER, stopLimit, stopMarket, TestDesk, USER } from '../core/orders/testing/test-desk.ts';
import { readFixClients } from './fix-clients.ts';
import { connectFix, type FixInitiator } from './fix-tcp.ts';
import { type FixTlsClient, type FixTlsServer, tlsServerOptions } from './fix-tls.ts';
import { type ClientLedger, OrderAcceptor } from './order-acceptor.ts';
import { testAuthority } from './testing/test-certificate.ts';
import { until } from './testing/venue-fixture.ts';

const COMP_ID = 'OUTCRY';
const PASSWORD = 'open sesame';

/** An order service with a ledger and a venue in memory, behind an acceptor on a real port and disk. */
class Broker {
  readonly desk = TestDesk.open();
  acceptor!: OrderAcceptor;
  readonly #directory: string;
  #told: number;

  constructor(directory: string) {
    this.#directory = directory;
    this.#told = this.desk.ledger.events.length;
    writeFileSync(join(directory, 'password'), `${PASSWORD}\n`);
    writeFileSync(
      join(directory, 'clients.json'),
      JSON.stringify([
        { kind: 'orders', compID: 'FUND', username: 'fund', passwordFile: 'password', userId: USER },
        { kind: 'drop-copy', compID: 'COPY', username: 'copy', passwordFile: 'password', userIds: [USER, OTHER_USER] },
      ]),
    );
  }

  async open(tls: FixTlsServer | null = null): Promise<this> {
    const events = (userId: number) => this.desk.ledger.events.filter((event) => event.userId === userId);
    const ledger: ClientLedger = {
      eventsAfter: async (userId, seq, limit) =>
        events(userId)
          .filter((event) => event.seq > seq)
          .slice(0, limit),
      newestSeq: async (userId) => events(userId).at(-1)?.seq ?? 0,
      eventsOfOpenOrders: async (userId, seq, visit) =>
        events(userId)
          .filter((event) => event.seq <= seq)
          .forEach(visit),
    };
    this.acceptor = await new OrderAcceptor({
      ...{ host: '127.0.0.1', port: 0, compID: COMP_ID, ledger, tls, log: () => {} },
      clients: readFixClients(join(this.#directory, 'clients.json')),
      storesDirectory: join(this.#directory, 'fix'),
      symbolOf: (instrumentId) => (instrumentId === ACME.instrumentId ? 'ACME' : '?'),
      command: (command) => this.#take(command),
    }).open();
    return this;
  }

  /** Lets everything come to rest, and tells of what became durable. */
  settle(): void {
    this.desk.settle();
    for (const event of this.desk.ledger.events.slice(this.#told)) this.acceptor.push(event.userId, [event]);
    this.#told = this.desk.ledger.events.length;
  }

  #take(command: OrderCommand): void {
    const { desk } = this;
    desk.service.command(command, desk.nowMicros);
    desk.settle();
    this.acceptor.answer(command.origin, desk.replies.at(-1)!);
    this.settle();
  }
}

/** A client at the other end. */
class Client implements FixApplication {
  readonly reports: ExecutionReport[] = [];
  readonly rejects: OrderCancelReject[] = [];
  readonly massCancels: OrderMassCancelReport[] = [];
  readonly logouts: string[] = [];
  readonly store: MemoryFixStore;
  readonly initiator: FixInitiator;

  constructor(
    t: Test,
    port: number,
    compID: string,
    { password = PASSWORD, store = new MemoryFixStore(), tls = null as FixTlsClient | null } = {},
  ) {
    this.store = store;
    this.initiator = connectFix({
      ...{ host: '127.0.0.1', port, application: this, store, tls, reconnectMinMs: 5, reconnectMaxMs: 10 },
      session: {
        ...SESSION_DEFAULTS,
        role: 'initiator',
        senderCompID: compID,
        targetCompID: COMP_ID,
        resetOnLogon: false,
        gapPolicy: 'resend',
        credentials: { username: compID.toLowerCase(), password },
      },
    });
    t.teardown(() => this.close());
  }

  get session(): FixSession {
    return this.initiator.session;
  }

  async up(): Promise<this> {
    await until(() => this.session.loggedOn, 'logged on');
    return this;
  }

  close(): Promise<void> {
    return this.initiator.close('bye');
  }

  place(fields: Partial<NewOrderSingle>): void {
    writeNewOrderSingle(this.session.begin(MsgType.NewOrderSingle, Date.now()), { ...ORDER, ...fields });
    this.session.send(Date.now());
  }

  replace(origClOrdID: string, fields: Partial<NewOrderSingle>): void {
    const encoder = this.session.begin(MsgType.OrderCancelReplaceRequest, Date.now());
    writeOrderCancelReplaceRequest(encoder, { ...ORDER, ...fields, origClOrdID });
    this.session.send(Date.now());
  }

  cancel(origClOrdID: string, clOrdID: string): void {
    const { symbol, side, orderQty, transactTimeMicros } = ORDER;
    const request = { clOrdID, origClOrdID, symbol, side, orderQty, transactTimeMicros };
    writeOrderCancelRequest(this.session.begin(MsgType.OrderCancelRequest, Date.now()), request);
    this.session.send(Date.now());
  }

  cancelAll(clOrdID: string, symbol = '', side: Side | null = null): void {
    const massCancelRequestType =
      symbol === '' ? MassCancelRequestType.CancelAllOrders : MassCancelRequestType.CancelOrdersForASecurity;
    const request = { clOrdID, massCancelRequestType, symbol, side, transactTimeMicros: ORDER.transactTimeMicros };
    writeOrderMassCancelRequest(this.session.begin(MsgType.OrderMassCancelRequest, Date.now()), request);
    this.session.send(Date.now());
  }

  status(clOrdID: string): void {
    const request = { ordStatusReqID: 'Q', clOrdID, symbol: 'ACME', side: Side.Buy };
    writeOrderStatusRequest(this.session.begin(MsgType.OrderStatusRequest, Date.now()), request);
    this.session.send(Date.now());
  }

  /** The nth report, once it is there, in short. */
  async report(count: number): Promise<ExecutionReport> {
    await until(() => this.reports.length >= count, `report ${count}`);
    return this.reports[count - 1]!;
  }

  onLogon(): void {}
  onGap(): void {}
  onMessage(_session: FixSession, message: FixMessage): void {
    if (message.msgType === MsgType.ExecutionReport) {
      const parsed = readExecutionReport(message);
      if (parsed.ok) this.reports.push(parsed.value);
    } else if (message.msgType === MsgType.OrderCancelReject) {
      const parsed = readOrderCancelReject(message);
      if (parsed.ok) this.rejects.push(parsed.value);
    } else if (message.msgType === MsgType.OrderMassCancelReport) {
      const parsed = readOrderMassCancelReport(message);
      if (parsed.ok) this.massCancels.push(parsed.value);
    }
  }
  onLogout(_session: FixSession, text: string): void {
    this.logouts.push(text);
  }
}

const ORDER: NewOrderSingle = {
  clOrdID: 'A',
  account: '',
  symbol: 'ACME',
  side: Side.Buy,
  orderQty: 10,
  ordType: OrdType.Limit,
  pricePaise: 10_000,
  timeInForce: TimeInForce.Day,
  transactTimeMicros: Date.UTC(2026, 10, 26) * 1_000,
};

async function broker(t: Test, tls: FixTlsServer | null = null): Promise<Broker> {
  const directory = mkdtempSync(join(tmpdir(), 'outcry-test-'));
  const opened = await new Broker(directory).open(tls);
  t.teardown(async () => {
    await opened.acceptor.close();
    rmSync(directory, { recursive: true });
  });
  return opened;
}

t.test('only who knows the password comes in', async (t) => {
  const { acceptor } = await broker(t);
  const guess = new Client(t, acceptor.port, 'FUND', { password: 'guess' });
  await until(() => guess.logouts.length > 0, 'refused');
  t.notOk(guess.session.loggedOn);
  const stranger = new Client(t, acceptor.port, 'NOBODY');
  await until(() => stranger.initiator.connectCount > 1, 'dropped without a word, and again');
  await (await new Client(t, acceptor.port, 'FUND').up()).close();
});

t.test('the life of an order', async (t) => {
  const { desk, acceptor, settle } = withSettle(await broker(t));
  const client = await new Client(t, acceptor.port, 'FUND').up();
  client.place({});
  const { orderID } = await client.report(1);
  desk.venue.accept();
  settle();
  const venueID = [...desk.venue.orders.keys()][0]!;
  const execID = desk.venue.fill(venueID, 4, 9_995);
  settle();
  client.replace('A', { clOrdID: 'B', orderQty: 8 });
  await client.report(4);
  desk.venue.accept();
  settle();
  await client.report(5);
  client.cancel('B', 'C');
  await client.report(6);
  desk.venue.accept();
  settle();
  await client.report(7);
  desk.venue.report(venueID, { execType: ExecType.TradeCancel, execRefID: execID, lastQty: 4, lastPxPaise: 9_995 });
  settle();
  await client.report(8);
  t.same(
    client.reports.map(({ execType, ordStatus, clOrdID, origClOrdID, orderQty, cumQty, leavesQty, lastQty }) => {
      const type = String.fromCharCode(execType, ordStatus);
      return [type, clOrdID, origClOrdID, orderQty, cumQty, leavesQty, lastQty].join(' ');
    }),
    [
      'AA A  10 0 10 0',
      '00 A  10 0 10 0',
      'F1 A  10 4 6 4',
      'EE B A 10 4 6 0',
      '51 B A 8 4 4 0',
      '66 C B 8 4 4 0',
      '44 C B 8 4 0 0',
      'H4 B  8 0 0 4',
    ],
  );
  t.ok(client.reports.every((report) => report.orderID === orderID && report.account === String(USER)));
  const [, , fill, , , , , bust] = client.reports;
  t.equal(bust!.execRefID, fill!.execID);
  t.equal(fill!.avgPxPaise, 9_995);
  t.equal(desk.account().heldPaise, 0);
});

/** With `settle` on its own, for short. */
function withSettle(broker: Broker) {
  return { desk: broker.desk, acceptor: broker.acceptor, settle: () => broker.settle() };
}

t.test('what is refused, asked after and repeated', async (t) => {
  const { desk, acceptor, settle } = withSettle(await broker(t));
  const client = await new Client(t, acceptor.port, 'FUND').up();
  for (const [fields, reason, text] of [
    [{ symbol: 'NONE' }, OrdRejReason.UnknownSymbol, /^UNKNOWN_SYMBOL \(121\)/],
    [{ orderQty: 100_000, pricePaise: 10_000 }, OrdRejReason.OrderExceedsLimit, /\(20\d\)/],
    [{ pricePaise: 10_003 }, OrdRejReason.Other, /^TICK_SIZE \(126\)/],
    [{ side: Side.SellShort }, OrdRejReason.UnsupportedOrderCharacteristic, /Side/],
    [{ ordType: OrdType.LimitOrBetter }, OrdRejReason.UnsupportedOrderCharacteristic, /OrdType/],
    [{ timeInForce: TimeInForce.GoodTillCancel }, OrdRejReason.UnsupportedOrderCharacteristic, /TimeInForce/],
    [{ account: String(OTHER_USER) }, OrdRejReason.UnknownAccount, /Account/],
    [{ clOrdID: 'X'.repeat(37) }, OrdRejReason.UnsupportedOrderCharacteristic, /ClOrdID/],
  ] as const) {
    const count = client.reports.length;
    client.place(fields);
    const report = await client.report(count + 1);
    t.match(report, { execType: ExecType.Rejected, orderID: 'NONE', ordRejReason: reason, text });
  }
  const before = client.reports.length;
  client.cancel('NONE', 'C1');
  await until(() => client.rejects.length === 1, 'a reject');
  t.match(client.rejects[0], {
    orderID: 'NONE',
    clOrdID: 'C1',
    origClOrdID: 'NONE',
    cxlRejReason: CxlRejReason.UnknownOrder,
    cxlRejResponseTo: CxlRejResponseTo.OrderCancelRequest,
  });
  client.status('NONE');
  t.match(await client.report(before + 1), { execType: ExecType.OrderStatus, ordStatus: OrdStatus.Rejected });
  client.place({});
  await client.report(before + 2);
  client.place({});
  const again = await client.report(before + 3);
  t.match(again, { execType: ExecType.OrderStatus, ordStatus: OrdStatus.PendingNew, clOrdID: 'A' }, 'the same order');
  t.equal(desk.venue.inbox.length, 1);
  client.place({ orderQty: 11 });
  t.match(await client.report(before + 4), { ordRejReason: OrdRejReason.DuplicateOrder });
  client.status('A');
  t.match(await client.report(before + 5), { execType: ExecType.OrderStatus, ordStatusReqID: 'Q', leavesQty: 10 });
  client.replace('A', { clOrdID: 'B' });
  await until(() => client.rejects.length === 2, 'nothing would change');
  t.match(client.rejects[1], { cxlRejResponseTo: CxlRejResponseTo.OrderCancelReplaceRequest, text: /NOTHING_CHANGED/ });
  desk.venue.accept();
  settle();
  client.cancel('A', 'C2');
  await client.report(before + 7);
  desk.venue.reject();
  settle();
  await until(() => client.rejects.length === 3, 'the venue refused');
  t.match(client.rejects[2], { clOrdID: 'C2', origClOrdID: 'A', ordStatus: OrdStatus.New });
});

t.test(
  'a drop copy has every report once and in order, whatever connections and processes did meanwhile',
  async (t) => {
    const opened = await broker(t);
    const { desk } = opened;
    const fund = await new Client(t, opened.acceptor.port, 'FUND').up();
    const copy = await new Client(t, opened.acceptor.port, 'COPY').up();
    const other = desk.place({ userId: OTHER_USER, product: Product.MIS });
    opened.settle();
    fund.place({ clOrdID: 'A' });
    await copy.report(2);
    t.same(
      copy.reports.map(({ account, clOrdID }) => [account, clOrdID]),
      [
        [String(OTHER_USER), String(other)],
        [String(USER), 'A'],
      ],
    );
    await copy.close();
    fund.place({ clOrdID: 'B' });
    await fund.report(2);
    const second = await new Client(t, opened.acceptor.port, 'COPY', { store: copy.store }).up();
    t.match(await second.report(1), { clOrdID: 'B', execType: ExecType.PendingNew }, 'while it was away');
    t.equal(second.reports.length, 1);
    await Promise.all([second.close(), fund.close()]);
    await opened.acceptor.close();
    // Nobody is there to be told.
    desk.venue.accept();
    desk.venue.accept();
    desk.settle();
    const venueID = [...desk.venue.orders.keys()].at(-1)!;
    desk.venue.fill(venueID, 3, 10_000);
    desk.settle();
    await opened.open();
    const third = await new Client(t, opened.acceptor.port, 'COPY', { store: copy.store }).up();
    const fundAgain = await new Client(t, opened.acceptor.port, 'FUND', { store: fund.store }).up();
    await third.report(3);
    await fundAgain.report(2);
    fundAgain.cancel('B', 'C');
    await third.report(4);
    t.match(third.reports.at(-1), { execType: ExecType.PendingCancel, clOrdID: 'C', origClOrdID: 'B' });
    const all = [...copy.reports, ...second.reports, ...third.reports];
    for (const userId of [USER, OTHER_USER]) {
      const seqs = all.flatMap(({ execID }) => {
        const found = parseExecID(execID)!;
        return found.userId === userId ? [found.seq] : [];
      });
      const wanted = desk.ledger.events.flatMap((event) =>
        event.userId === userId && event.orderID !== 0 ? [event.seq] : [],
      );
      t.same(seqs, wanted, `user ${userId}: every event once`);
    }
    t.same(
      third.reports
        .filter(({ account }) => account === String(USER))
        .map(({ execType, clOrdID, cumQty, leavesQty }) => [execType, clOrdID, cumQty, leavesQty]),
      [
        [ExecType.New, 'A', 0, 10],
        [ExecType.Trade, 'A', 3, 7],
        [ExecType.PendingCancel, 'C', 0, 10],
      ],
      'as it was at the time',
    );
    const waiting = desk.venue.inbox.length;
    const before = third.session.messagesIn;
    third.place({});
    await until(() => third.session.messagesIn > before, 'an answer');
    t.equal(desk.venue.inbox.length, waiting, 'a drop copy takes no orders');
  },
);

t.test('clients that cannot be', (t) => {
  const directory = t.testdir({ password: 'x', empty: '' });
  const path = join(directory, 'clients.json');
  const good = { kind: 'orders', compID: 'A', username: 'a', passwordFile: 'password', userId: 1 };
  for (const [text, wanted] of [
    ['{', /clients.json/],
    [JSON.stringify([{ ...good, userId: 0 }]), /userId/],
    [JSON.stringify([{ ...good, kind: 'x' }]), /kind/],
    [JSON.stringify([{ ...good, password: 'x' }]), /password/],
    [JSON.stringify([good, good]), /A is there twice/],
    [JSON.stringify([{ ...good, passwordFile: 'empty' }]), /empty/],
    [JSON.stringify([{ ...good, passwordFile: 'none' }]), /none/],
  ] as const) {
    writeFileSync(path, text);
    t.throws(() => readFixClients(path), { code: 'CONFIG_INVALID', message: wanted });
  }
  t.end();
});

t.test('a mass cancel: how many it affects, the reports of each, and why one is refused', async (t) => {
  const { desk, acceptor, settle } = withSettle(await broker(t));
  const client = await new Client(t, acceptor.port, 'FUND').up();
  client.place({ clOrdID: 'A' });
  await client.report(1);
  client.place({ clOrdID: 'B', orderQty: 5 });
  await client.report(2);
  desk.venue.accept();
  desk.venue.accept();
  settle();
  await client.report(4);
  const answer = async (count: number) => {
    await until(() => client.massCancels.length >= count, `answer ${count}`);
    return client.massCancels[count - 1]!;
  };
  client.cancelAll('M1', 'NONE');
  t.match(await answer(1), {
    massCancelResponse: MassCancelResponse.CancelRequestRejected,
    massCancelRejectReason: MassCancelRejectReason.InvalidOrUnknownSecurity,
    text: /^UNKNOWN_SYMBOL \(121\)/,
  });
  client.cancelAll('M2', '', Side.Buy);
  t.match(await answer(2), { massCancelRejectReason: MassCancelRejectReason.Other, text: /^BAD_FIELD \(101\): Side/ });
  client.cancelAll('M3', 'ACME');
  t.match(await answer(3), {
    clOrdID: 'M3',
    massCancelResponse: MassCancelResponse.CancelOrdersForASecurity,
    totalAffectedOrders: 2,
  });
  desk.venue.accept();
  desk.venue.accept();
  settle();
  await client.report(8);
  t.same(
    client.reports
      .slice(4)
      .map(({ execType, clOrdID, origClOrdID }) => [String.fromCharCode(execType), clOrdID, origClOrdID]),
    [
      ['6', 'M3', 'A'],
      ['6', 'M3', 'B'],
      ['4', 'M3', 'A'],
      ['4', 'M3', 'B'],
    ],
  );
  client.cancelAll('M4');
  t.match(await answer(4), { massCancelResponse: MassCancelResponse.CancelAllOrders, totalAffectedOrders: 0 });
  t.equal(desk.account().heldPaise, 0);
});

t.test(
  'a stop order: it waits here, is replaced and canceled by name, and goes out when its price has traded',
  async (t) => {
    const { desk, acceptor, settle } = withSettle(await broker(t));
    const client = await new Client(t, acceptor.port, 'FUND').up();
    const stop = { ordType: OrdType.StopLimit, stopPxPaise: 10_100, pricePaise: 10_200 };
    client.place({ clOrdID: 'S', ...stop });
    t.match(await client.report(1), { execType: ExecType.PendingNew, ordType: OrdType.StopLimit, pricePaise: 10_200 });
    t.match([...desk.account().orders.values()].at(-1), { terms: stopLimit(10, 10_100, 10_200) });
    client.replace('S', { clOrdID: 'S2', ...stop, stopPxPaise: 10_150 });
    t.match(await client.report(2), { execType: ExecType.Replace, clOrdID: 'S2', origClOrdID: 'S' });
    client.cancel('S2', 'S3');
    t.match(await client.report(3), { execType: ExecType.Canceled, clOrdID: 'S3', origClOrdID: 'S2' });
    client.place({ clOrdID: 'M', ordType: OrdType.Stop, stopPxPaise: 10_100, pricePaise: 0 });
    await client.report(4);
    t.match([...desk.account().orders.values()].at(-1), { terms: stopMarket(10, 10_100) });
    desk.trade(ACME, 10_100);
    t.match(desk.venue.inbox, [{ terms: { ordType: OrdType.Market } }]);
    desk.venue.accept();
    settle();
    t.match(await client.report(5), { execType: ExecType.New, clOrdID: 'M', ordType: OrdType.Market });
    client.place({ clOrdID: 'X', stopPxPaise: 10_100 });
    t.match(await client.report(6), {
      execType: ExecType.Rejected,
      text: /^BAD_TRIGGER \(128\): StopPx\(99\) belongs to/,
    });
    client.place({ clOrdID: 'Y', ordType: OrdType.Stop });
    t.match(await client.report(7), { execType: ExecType.Rejected, text: /^BAD_TRIGGER \(128\)/ });
  },
);

t.test('over TLS alone, and with a certificate where one is asked for', async (t) => {
  const directory = t.testdir();
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  const authority = testAuthority('Test Authority');
  const [ours, theirs] = [authority.sign('entry.test'), authority.sign('fund.test')];
  const caFile = file('ca.pem', authority.certificate);
  const certFile = file('entry.pem', ours.certificate);
  const { acceptor } = await broker(t, { certFile, keyFile: file('entry.key', ours.key), caFile });
  t.throws(() => tlsServerOptions({ certFile, keyFile: '', caFile }), { code: 'CONFIG_INVALID' });
  const plain = new Client(t, acceptor.port, 'FUND');
  const nameless = { caFile, certFile: '', keyFile: '', serverName: 'entry.test' };
  const stranger = new Client(t, acceptor.port, 'FUND', { tls: nameless });
  await until(() => plain.initiator.connectCount > 1 && stranger.initiator.connectCount > 1, 'neither gets anywhere');
  t.notOk(plain.session.loggedOn || stranger.session.loggedOn);
  await Promise.all([plain.close(), stranger.close()]);
  const certificate = { certFile: file('fund.pem', theirs.certificate), keyFile: file('fund.key', theirs.key) };
  const client = await new Client(t, acceptor.port, 'FUND', { tls: { ...nameless, ...certificate } }).up();
  client.place({});
  t.match(await client.report(1), { execType: ExecType.PendingNew });
});
