import t from 'tap';
import { FixSession } from '../fix/fix-session.ts';
import { SESSION_DEFAULTS } from '../fix/session-contract.ts';
import { MarketHours } from '../market/calendar.ts';
import { InstrumentTable } from '../market-data/instrument-table.ts';
import { ExchangeApplication } from './exchange-application.ts';
import { generateInstrumentMaster } from './instrument-generator.ts';
import { OrderEntry } from './order-entry.ts';
import { NO_RECORD } from './past-orders.ts';
import { MAILBOX_REPORTS_MAX, MAILBOXES_MAX, ReportMailboxes } from './report-mailboxes.ts';
import { Simulation } from './simulation.ts';

const SOH = '\u0001';
const NOW_MS = Date.parse('2026-11-23T06:30:00Z');

/** A market where nobody acts but the test, and order entry with the bound under test. */
function exchange(ordersKeptMax: number) {
  const table = new InstrumentTable(100);
  table.load(generateInstrumentMaster({ seed: 1, madeUpCount: 0, from: '2026-01-01' }), '2026-11-23');
  const application = new ExchangeApplication(
    () => simulation,
    () => simulation,
    'T',
  );
  const mailboxes = new ReportMailboxes();
  const orders = new OrderEntry(() => simulation, mailboxes, 'T', NO_RECORD, ordersKeptMax);
  const simulation: Simulation = new Simulation(
    {
      seed: 1,
      table,
      startMicros: NOW_MS * 1000,
      updatesPerSecond: 0,
      openBurstFactor: 1,
      marketHours: MarketHours.Always,
      ordersMax: 10_000,
    },
    application.marketData,
    orders,
  );
  const logOn = (compID: string) => {
    const received: string[] = [];
    const session = new FixSession(
      { ...SESSION_DEFAULTS, role: 'acceptor', senderCompID: 'X', targetCompID: '', gapPolicy: 'resend' },
      {
        send: (buffer, start, end) =>
          received.push(new TextDecoder().decode(buffer.slice(start, end)).replaceAll(SOH, '|')),
        disconnect() {},
      },
      {
        onLogon: (s) => mailboxes.logon(s),
        onMessage: (s, message) => orders.take(s, message),
        onGap() {},
        onLogout: (s) => mailboxes.logout(s),
      },
    );
    let seqNum = 1;
    const send = (msgType: string, body: string) => {
      const content = `35=${msgType}|49=${compID}|56=X|34=${seqNum++}|52=20261123-06:30:00|${body}`.replaceAll(
        '|',
        SOH,
      );
      const message = `8=FIX.4.4${SOH}9=${content.length}${SOH}${content}`;
      const sum = [...message].reduce((total, character) => total + character.charCodeAt(0), 0) % 256;
      const bytes = new TextEncoder().encode(`${message}10=${String(sum).padStart(3, '0')}${SOH}`);
      session.receive(bytes, 0, bytes.length, NOW_MS);
    };
    session.connected(NOW_MS);
    send('A', '98=0|108=0|141=Y|');
    const order = (clOrdID: string, side: 1 | 2, quantity: number, price: string, timeInForce = 0) =>
      send(
        'D',
        `11=${clOrdID}|55=ITC|54=${side}|60=20261123-06:30:00|38=${quantity}|40=2|44=${price}|59=${timeInForce}|`,
      );
    const cancel = (clOrdID: string, origClOrdID: string) =>
      send('F', `41=${origClOrdID}|11=${clOrdID}|55=ITC|54=1|60=20261123-06:30:00|38=1|`);
    return { session, received, send, order, cancel, hangUp: () => session.disconnected(NOW_MS) };
  };
  return { simulation, mailboxes, logOn };
}

/** Between ITC's best bid and best offer in the market of seed 1. */
const BETWEEN = '410.25';

const last = (messages: string[]) => messages.at(-1) ?? '';

t.test('the oldest done orders are forgotten at the bound, live ones never', async (t) => {
  const { logOn } = exchange(10);
  const client = logOn('A');
  client.order('LIVE', 1, 1, '400');
  for (let i = 0; i < 50; i++) client.order(`IOC${i}`, 1, 1, '400', 3);
  t.notOk(
    client.received.some((message) => message.includes('|150=8|')),
    'nothing was refused',
  );
  client.order('LIVE', 1, 1, '400');
  t.match(last(client.received), '|103=6|');
  client.order('IOC49', 1, 1, '400', 3);
  t.match(last(client.received), '|103=6|', 'a recent ClOrdID is still known');
  client.cancel('C', 'LIVE');
  t.match(last(client.received), '|150=4|');
});

t.test('with live orders alone at the bound the exchange is full', async (t) => {
  const { logOn } = exchange(5);
  const client = logOn('A');
  for (let i = 0; i < 5; i++) client.order(`L${i}`, 1, 1, '400');
  client.order('L5', 1, 1, '400');
  t.match(last(client.received), '|103=0|');
  t.match(last(client.received), 'as many orders as it can');
});

t.test('the market closes for the day: orders expire', async (t) => {
  const { simulation, logOn } = exchange(100);
  const client = logOn('A');
  client.order('D1', 1, 5, '400');
  simulation.step(Date.parse('2026-11-24T09:15:00.005+05:30') * 1000);
  t.match(last(client.received), '|150=C|39=C|');
  t.match(last(client.received), '|151=0|');
  client.cancel('D2', 'D1');
  t.match(last(client.received), '|102=0|');
});

t.test('reports for a CompID that is away wait in order, up to a bound', async (t) => {
  const { mailboxes, logOn } = exchange(100_000);
  const maker = logOn('MAKER');
  const taker = logOn('TAKER');
  const tooMany = MAILBOX_REPORTS_MAX + 5;
  // The best bid of all, below every offer: it rests whole.
  maker.order('M', 1, tooMany, BETWEEN);
  t.match(last(maker.received), `|150=0|39=0|`);
  t.match(last(maker.received), `|151=${tooMany}|`);
  maker.hangUp();
  for (let i = 0; i < tooMany; i++) taker.order(`T${i}`, 2, 1, BETWEEN, 3);
  t.match(last(taker.received), '|39=2|');
  t.equal(mailboxes.droppedCount, 5, 'the oldest are dropped, and counted');
  const back = logOn('MAKER');
  const fills = back.received.filter((message) => message.includes('|150=F|'));
  t.equal(fills.length, MAILBOX_REPORTS_MAX);
  t.ok(
    fills.every((message, i) => message.includes(`|14=${i + 6}|`)),
    'in order, up to the last',
  );
});

t.test('mailboxes are bounded too', async (t) => {
  const { logOn } = exchange(100_000);
  for (let i = 0; i < MAILBOXES_MAX; i++) logOn(`C${i}`).order('O', 1, 1, '400', 3);
  const late = logOn('LATE');
  late.order('O', 1, 1, '400', 3);
  t.match(last(late.received), '35=j|');
  t.match(last(late.received), 'no more CompIDs');
});
