import t from 'tap';
import { FixSession } from '../fix/fix-session.ts';
import { SESSION_DEFAULTS } from '../fix/session-contract.ts';
import { MarketHours } from '../market/calendar.ts';
import { InstrumentTable } from '../market-data/instrument-table.ts';
import { ExchangeApplication } from './exchange-application.ts';
import { generateInstrumentMaster } from './instrument-generator.ts';
import { STATUS_REQUESTS_MAX } from './market-status-sessions.ts';
import { Simulation } from './simulation.ts';

const SOH = '\u0001';
const NOW_MS = Date.parse('2026-11-23T06:30:00Z');
const MADE_UP = 400;

function exchange() {
  const table = new InstrumentTable(1_000);
  table.load(generateInstrumentMaster({ seed: 1, madeUpCount: MADE_UP, from: '2026-01-01' }), '2026-11-23');
  const application: ExchangeApplication = new ExchangeApplication(
    () => simulation,
    () => simulation,
    'T',
  );
  const simulation: Simulation = new Simulation(
    {
      ...{ seed: 1, table, startMicros: NOW_MS * 1000, updatesPerSecond: 0, openBurstFactor: 1, ordersMax: 100_000 },
      marketHours: MarketHours.Always,
    },
    application.marketData,
    application.orders,
  );
  const logOn = (beginString: string) => {
    const received: string[] = [];
    const session = new FixSession(
      { ...SESSION_DEFAULTS, role: 'acceptor', senderCompID: 'X', targetCompID: '', gapPolicy: 'resend' },
      {
        send: (buffer, start, end) =>
          received.push(new TextDecoder().decode(buffer.slice(start, end)).replaceAll(SOH, '|')),
        disconnect() {},
      },
      application,
    );
    let seqNum = 1;
    const send = (msgType: string, body: string) => {
      const header = `35=${msgType}|49=ME|56=X|34=${seqNum++}|52=20261123-06:30:00|`;
      const content = (header + body).replaceAll('|', SOH);
      const message = `8=${beginString}${SOH}9=${content.length}${SOH}${content}`;
      const sum = [...message].reduce((total, character) => total + character.charCodeAt(0), 0) % 256;
      const bytes = new TextEncoder().encode(`${message}10=${String(sum).padStart(3, '0')}${SOH}`);
      session.receive(bytes, 0, bytes.length, NOW_MS);
    };
    session.connected(NOW_MS);
    send('A', '98=0|108=0|141=Y|');
    const of = (msgType: string) => received.filter((message) => message.includes(`|35=${msgType}|`));
    return { send, received, of, last: () => received.at(-1) ?? '' };
  };
  return { simulation, table, logOn, publish: () => application.publishStatus(NOW_MS) };
}

t.test('g: the state of the market, once or with every change; a halt stops orders and trades', async (t) => {
  const { simulation, logOn, publish } = exchange();
  publish();
  const client = logOn('FIX.4.4');
  client.send('g', '335=ONCE|263=0|');
  t.match(client.last(), '|35=h|');
  t.match(client.last(), '|335=ONCE|336=NORMAL|340=2|', 'open');
  client.send('g', '335=ALL|263=1|');
  simulation.setMarketHalted(true);
  publish();
  publish();
  t.match(client.of('h').slice(2), [/\|335=ALL\|336=NORMAL\|340=1\|/], 'halted, told once');
  client.send('D', '11=O|55=ITC|54=1|60=20261123-06:30:00|38=1|40=2|44=400|59=0|');
  t.match(client.last(), '|103=2|', 'no order comes in');
  simulation.setMarketHalted(false);
  publish();
  t.match(client.last(), '|340=2|');
  client.send('g', '335=ALL|263=2|');
  simulation.setMarketHalted(true);
  publish();
  t.equal(client.of('h').length, 4, 'given up');
});

t.test('e: the state of one instrument', async (t) => {
  const { simulation, table, logOn, publish } = exchange();
  const client = logOn('FIX.4.2');
  client.send('e', '324=E1|55=ITC|263=1|');
  t.match(client.last(), '|35=f|');
  t.match(client.last(), '|324=E1|55=ITC|326=17|');
  simulation.setHalted(table.indexOfSymbol('ITC'), true);
  publish();
  t.match(client.last(), '|324=E1|55=ITC|326=2|');
  client.send('e', '324=E2|55=TCS|263=0|');
  t.match(client.last(), '|324=E2|55=TCS|326=17|');
  client.send('e', '324=E3|55=NOSUCH|263=1|');
  t.match(client.last(), '|35=j|');
  t.match(client.last(), '|380=2|');
  for (let i = 0; i < STATUS_REQUESTS_MAX; i++) client.send('e', `324=E|55=${table.symbol(i % table.count)}|263=1|`);
  t.equal(client.of('j').length, 1, 'a symbol asked for again takes no more room');
});

t.test('x: all securities in parts, one by its symbol, and what is no list', async (t) => {
  const { table, logOn } = exchange();
  const client = logOn('FIX.4.4');
  client.send('x', '320=X1|559=4|');
  const parts = client.of('y');
  t.equal(parts.length, Math.ceil(table.count / 150));
  t.ok(parts.every((part) => part.includes(`|320=X1|`) && part.includes(`|560=0|393=${table.count}|`)));
  t.same(
    parts.map((part) => part.includes('|893=Y|')),
    parts.map((_, i) => i === parts.length - 1),
  );
  const symbols = parts.flatMap((part) => [...part.matchAll(/\|55=([^|]*)/g)].map((match) => match[1]));
  t.equal(new Set(symbols).size, table.count, 'each once');
  client.send('x', '320=X2|559=0|55=RELIANCE|');
  const { instrumentId } = table.instrument(table.indexOfSymbol('RELIANCE'));
  const identity = `|55=RELIANCE|48=${instrumentId}|22=8|454=1|455=INE002A01018|456=4|461=ESXXXX|`;
  t.match(client.last(), `|893=Y|146=1${identity}`);
  client.send('x', '320=X3|559=0|55=NOSUCH|');
  t.match(client.last(), '|560=2|');
  client.send('x', '320=X4|559=2|');
  t.match(client.last(), '|560=1|');
});

t.test('4.2 has no lists and no mass cancel, and is told so', async (t) => {
  const client = exchange().logOn('FIX.4.2');
  for (const [msgType, body] of [
    ['x', '320=X|559=4|'],
    ['q', '11=Q|530=7|60=20261123-06:30:00|'],
    ['AF', '584=M|585=7|'],
  ] as const) {
    client.send(msgType, body);
    t.match(client.last(), `|372=${msgType}|380=3|`);
    t.ok(client.last().startsWith('8=FIX.4.2|'));
  }
});
