import t from 'tap';
import { type ExecutionReport, writeExecutionReport } from '../core/fix/execution-report.ts';
import type { FixSession } from '../core/fix/fix-session.ts';
import { ExecType, MsgType, OrdStatus, OrdType, Side, TimeInForce } from '../core/fix/generated/fix-enums.gen.ts';
import { SESSION_DEFAULTS } from '../core/fix/session-contract.ts';
import { clOrdIDOf } from '../core/ledger/order.ts';
import { market, TestDesk, USER } from '../core/orders/testing/test-desk.ts';
import { DropCopy } from '../core/reconciliation/drop-copy.ts';
import { ownTradesOf } from '../core/reconciliation/own-trades.ts';
import { BreakKind, type TradeBreak } from '../core/reconciliation/trade-matcher.ts';
import { DropCopyClient } from './drop-copy-client.ts';
import { listenFix } from './fix-tcp.ts';
import type { LedgerReader } from './ledger-reader.ts';
import { until } from './testing/venue-fixture.ts';

const SECOND = 1_000_000;

/** A desk with one order that was executed in two parts, and the reports that a venue would copy. */
function traded(): { desk: TestDesk; reports: ExecutionReport[]; orderID: number } {
  const desk = TestDesk.open();
  const orderID = desk.place({ terms: market(10) });
  desk.venue.accept();
  const clOrdID = clOrdIDOf(orderID, 0);
  const reports = [4, 6].map((lastQty) => {
    const execID = desk.venue.fill(clOrdID, lastQty, 9_900);
    return { ...REPORT, clOrdID, execID, lastQty, cumQty: lastQty, transactTimeMicros: desk.nowMicros };
  });
  desk.settle();
  return { desk, reports, orderID };
}

const REPORT: ExecutionReport = {
  ...{ orderID: 'V', clOrdID: '', origClOrdID: '', execID: '', execRefID: '', execType: ExecType.Trade },
  ...{ ordStatus: OrdStatus.PartiallyFilled, ordRejReason: null, account: '', symbol: 'ACME', side: Side.Buy },
  ...{ orderQty: 10, ordType: OrdType.Market, pricePaise: 0, timeInForce: TimeInForce.Day, lastQty: 0 },
  ...{ lastPxPaise: 9_900, leavesQty: 0, cumQty: 0, avgPxPaise: 9_900, transactTimeMicros: 0, text: '' },
  ...{ ordStatusReqID: '', massStatusReqID: '', totNumReports: 0, lastRptRequested: false },
};

t.test('both sides as they come', (t) => {
  const { desk, reports, orderID } = traded();
  const found: (TradeBreak & { strange?: boolean })[] = [];
  const copy = new DropCopy('nse', {
    onBreak: (each) => found.push(each),
    onStrange: (each) => found.push({ ...each, strange: true }),
    onBehind: () => t.fail('it is not'),
  });
  const own = desk.ledger.events.flatMap((event) => ownTradesOf(event, 1, 'ACME'));
  t.equal(own.length, 2);
  copy.theirs(reports[0]!, 0);
  copy.ours(own[0]!, SECOND);
  copy.theirs(reports[0]!, SECOND);
  t.same(found, [], 'told twice is told once');
  copy.ours(own[1]!, SECOND);
  copy.theirs({ ...reports[1]!, lastPxPaise: 9_905 }, 2 * SECOND);
  t.match(found.splice(0), [{ kind: BreakKind.Price, userId: USER, orderID }]);
  copy.ours({ ...own[0]!, execID: 'ONLY-HERE' }, 3 * SECOND);
  copy.theirs({ ...reports[0]!, execID: 'ONLY-THERE' }, 3 * SECOND);
  copy.onTimer(100 * SECOND);
  t.same(found, [], 'while the copy is down nothing is missing');
  copy.state(true, 100 * SECOND);
  copy.onTimer(129 * SECOND);
  t.same(found, []);
  copy.onTimer(131 * SECOND);
  t.match(found, [
    { kind: BreakKind.MissingHere, execID: reports[0]!.execID, strange: true },
    { kind: BreakKind.MissingThere, userId: USER, orderID, execID: 'ONLY-HERE' },
    { kind: BreakKind.MissingHere, execID: 'ONLY-THERE', strange: true },
  ]);
  t.end();
});

t.test('over TCP: a copy that agrees, and a copy that does not', async (t) => {
  const { desk, reports, orderID } = traded();
  let venue: FixSession | undefined;
  const acceptor = await listenFix({
    port: 0,
    application: {
      onLogon: (session) => {
        venue = session;
      },
      onMessage() {},
      onGap() {},
      onLogout() {},
    },
    session: {
      ...SESSION_DEFAULTS,
      ...{ role: 'acceptor', senderCompID: 'VENUE', targetCompID: '', gapPolicy: 'resend', resetOnLogon: false },
    },
  });
  const breaks: [number, number, string][] = [];
  const client = new DropCopyClient({
    ...{ host: '127.0.0.1', port: acceptor.port, senderCompID: 'COPY', targetCompID: 'VENUE', credentials: null },
    ...{ storesDirectory: t.testdir(), marketHours: 'nse', reader: {} as LedgerReader, log: () => {} },
    symbolOf: () => 'ACME',
    sideOf: (_userId, id) => desk.order(id)?.side,
    onBreak: (...found) => breaks.push(found),
  });
  const send = (report: ExecutionReport): void => {
    writeExecutionReport(venue!.begin(MsgType.ExecutionReport, Date.now()), report);
    venue!.send(Date.now());
  };
  await until(() => venue !== undefined, 'logged on');
  client.push(
    USER,
    desk.ledger.events.filter(({ userId }) => userId === USER),
    0,
  );
  send(reports[0]!);
  send({ ...reports[1]!, lastQty: 5 });
  await until(() => breaks.length > 0, 'a break');
  t.match(breaks, [[USER, orderID, /: quantity \(here BUY 6 ACME at 9900 paise, at the venue BUY 5/]]);
  t.equal(client.matchedCount, 1);
  await client.close();
  await acceptor.close('');
});
