import { test } from 'tap';
import { FixSession } from './fix-session.ts';
import { Side } from './generated/fix-enums.gen.ts';
import { type FixSessionSettings, SESSION_DEFAULTS } from './session-contract.ts';
import { START_MS, toBroker } from './testing/session-side.ts';
import { type VenueListener, VenueSession } from './venue-session.ts';

const OPEN = '39=0|55=ITC|54=1|38=5|40=2|44=10|59=0|151=5|14=0|6=0|60=20261122-04:00:00.000';

test('an order that was replaced while nobody looked is known by the question after it, and by its new name from then on', (t) => {
  const told: string[] = [];
  const listener: VenueListener = {
    onExecution: (_, report, standing) => told.push(`${report.text(report.clOrdIDAt)} ${standing}`),
    onCancelReject: () => {},
    onMassCancelReport: () => {},
    onRefused: (_, { requestID }) => told.push(`refused ${requestID}`),
    onState: () => {},
    onSettled: () => told.push('settled'),
    onUnexpected: () => told.push('unexpected'),
  };
  const throttle = { messagesPerSecond: 0, burst: 1, queueMax: 10 };
  const orders = new VenueSession({ name: 'BROKER', beginString: 'FIX.4.4', throttle, ordersMax: 10 }, listener);
  orders.adopt('A-0', 'ITC', Side.Buy);
  const settings: FixSessionSettings = {
    ...SESSION_DEFAULTS,
    role: 'initiator',
    senderCompID: 'BROKER',
    targetCompID: 'VENUE',
    gapPolicy: 'resend',
  };
  const sent: string[] = [];
  const transport = {
    send: (buffer: Uint8Array, start: number, end: number) =>
      void sent.push(Buffer.from(buffer.subarray(start, end)).toString('latin1').replaceAll('\u0001', '|')),
    disconnect: () => {},
  };
  const session = new FixSession(settings, transport, orders);
  const receive = (text: string): void => {
    const bytes = Buffer.from(text.replaceAll('|', '\u0001'), 'latin1');
    session.receive(bytes, 0, bytes.length, START_MS);
  };
  session.connected(START_MS);
  receive(toBroker('A', 1, '98=0|108=30|141=Y'));
  const massID = /\|584=([^|]*)\|/.exec(sent.at(-1)!)![1]!;
  receive(toBroker('8', 2, `37=V1|11=A-1|584=${massID}|911=1|912=Y|17=E1|150=I|${OPEN}`));
  orders.onTimer(START_MS);
  const statusID = /\|790=([^|]*)\|/.exec(sent.at(-1)!)![1]!;
  t.match(sent.at(-1), /\|35=H\|.*\|11=A-0\|/, 'it is asked after by the name that is known');
  receive(toBroker('8', 3, `37=V1|11=A-1|790=${statusID}|17=E2|150=I|${OPEN}`));
  t.same(told, ['A-1 live', 'settled']);
  receive(toBroker('8', 4, `37=V1|11=A-1|17=E3|150=I|${OPEN}`));
  t.equal(told.at(-1), 'A-1 live');
  t.end();
});
