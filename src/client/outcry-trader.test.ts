import t from 'tap';
import type { ControlMap } from '../core/fan-out/control-codec.ts';
import { type ClientGuest, OutcryClientError } from './client-guest.ts';
import type { OutcryClient } from './outcry-client.ts';
import { OutcryTrader, type OutcryTraderOptions } from './outcry-trader.ts';

/** A connection whose other end is the test. */
class FakeClient {
  state = 'waiting';
  guest: ClientGuest | undefined;
  #sent: ControlMap[] = [];

  attach(guest: ClientGuest): void {
    this.guest = guest;
  }

  send(map: ControlMap): void {
    this.#sent.push(map);
  }

  take(): ControlMap[] {
    const sent = this.#sent;
    this.#sent = [];
    return sent;
  }

  async open(): Promise<void> {
    this.state = 'open';
    this.guest!.opened();
    await Promise.resolve();
  }

  lose(): void {
    this.state = 'waiting';
    this.guest!.lost();
  }

  receive(map: ControlMap): boolean {
    return this.guest!.receive(map);
  }

  /** Opens, and answers the login; what was sent then. */
  async logIn(seq: number): Promise<ControlMap[]> {
    await this.open();
    const [login] = this.take();
    t.match(login, { action: 'login', token: 'T' });
    this.receive({ id: login!.id!, action: 'loggedIn', userId: 42, seq });
    return this.take();
  }
}

function start(options: Partial<OutcryTraderOptions> = {}) {
  const client = new FakeClient();
  const events: number[] = [];
  const trader = new OutcryTrader({
    client: client as unknown as OutcryClient,
    token: () => 'T',
    onEvent: ({ seq }) => void events.push(seq),
    ...options,
  });
  return { client, trader, events };
}

const ORDER = { symbol: 'TCS', side: 'BUY', product: 'CNC', orderType: 'MARKET', quantity: 1 } as const;

t.test(
  'requests wait for the login; a place is asked again after a loss, under the same client order id',
  async (t) => {
    const { client, trader } = start();
    const placed = trader.place(ORDER);
    t.strictSame(client.take(), []);
    const [first] = await client.logIn(5);
    t.match(first, { action: 'place', symbol: 'TCS' });
    t.match(first!.clientOrderId, /^[0-9a-f-]{36}$/);
    const canceled = trader.cancel(9);
    t.match(client.take(), [{ action: 'cancel', orderId: 9 }]);
    client.lose();
    await t.rejects(canceled, { code: 'LOST' }, 'it may have been done');
    t.strictSame(await client.logIn(5), [first], 'the very same');
    client.receive({ id: first!.id!, action: 'placed', orderId: 9, status: 'PENDING', seq: 6, repeat: true });
    t.match(await placed, { orderId: 9, repeat: true });
    t.notOk(client.receive({ id: 1, action: 'subscribed' }), 'that is not for it');
  },
);

t.test('events are told once and in order, over reconnects', async (t) => {
  const { client, events } = start({ fromSeq: 3 });
  const event = (seq: number) => client.receive({ action: 'event', seq, type: 'Deposited' });
  t.match(await client.logIn(5), [{ action: 'resume', fromSeq: 3 }]);
  for (const seq of [4, 5, 6]) event(seq);
  client.lose();
  t.match(await client.logIn(8), [{ action: 'resume', fromSeq: 6 }]);
  for (const seq of [6, 7]) event(seq);
  event(9);
  t.match(client.take(), [{ action: 'resume', fromSeq: 7 }], 'a gap is asked for');
  for (const seq of [8, 9]) event(seq);
  t.strictSame(events, [4, 5, 6, 7, 8, 9]);
});

t.test('a refusal has its number and its check; an expired token is replaced', async (t) => {
  const refusals: OutcryClientError[] = [];
  const { client, trader } = start({ onRefused: (error) => void refusals.push(error) });
  await client.logIn(0);
  const check = { check: 'buying-power', unit: 'paise', limit: 1, used: 0, after: 2, passed: false };
  const refused = trader.place(ORDER);
  const [request] = client.take();
  const error = { code: 'BUYING_POWER', message: 'buying-power', refusal: 200, check };
  client.receive({ id: request!.id!, error });
  await t.rejects(refused, { code: 'BUYING_POWER', refusal: 200, check });

  const funds = trader.funds();
  const [late] = client.take();
  client.receive({ id: late!.id!, error: { code: 'TOKEN_EXPIRED', message: '', refusal: 104 } });
  t.notOk(trader.isLoggedIn);
  await Promise.resolve();
  const [login] = client.take();
  client.receive({ id: login!.id!, action: 'loggedIn', userId: 42, seq: 0 });
  t.strictSame(client.take(), [late], 'asked again');
  client.receive({ id: late!.id!, action: 'funds', availablePaise: 7 });
  t.match(await funds, { availablePaise: 7 });

  client.lose();
  await client.open();
  const [again] = client.take();
  client.receive({ id: again!.id!, error: { code: 'UNKNOWN_ACCOUNT', message: '', refusal: 120 } });
  t.match(refusals, [{ code: 'UNKNOWN_ACCOUNT', refusal: 120 }]);
  const unanswered = trader.orders();
  client.guest!.ended(new OutcryClientError('CLOSED', ''));
  await t.rejects(unanswered, { code: 'CLOSED' });
});
