import t from 'tap';
import { ExecType, OrdStatus, OrdType } from '../fix/generated/fix-enums.gen.ts';
import { EventType } from '../ledger/ledger-event.ts';
import { clOrdIDOf, OrderSide, OrderStatus, OrderType, Product } from '../ledger/order.ts';
import type { PlaceOrder } from '../orders/order-command.ts';
import { AlarmKind } from '../orders/order-effects.ts';
import { ACME, limit, limitOrder, market, stopLimit, TestDesk, USER } from '../orders/testing/test-desk.ts';
import { RefusalCode } from '../refusal-codes.ts';

const SECOND = 1_000_000;
const MINUTE = 60 * SECOND;

/** Epoch microseconds of a time of day in India. */
function india(date: string, time: string): number {
  return Date.parse(`${date}T${time}:00+05:30`) * 1_000;
}

/** A process dies when it sends its nth batch: before the database has it, or after, and before anybody is told. */
class Death extends Error {}

/** A desk whose venue takes everything, fills market orders at 99 rupees, and ends what is alive at the close. */
class RollingDesk {
  readonly desk: TestDesk;
  /** How a market order is filled: the whole of it unless told otherwise. */
  fills: (quantity: number) => number = (quantity) => quantity;
  saysExpired = true;
  #isClosed = false;

  constructor(desk: TestDesk = TestDesk.open()) {
    this.desk = desk;
  }

  /** Everything that comes to rest at this moment. */
  settle(): void {
    const { desk } = this;
    desk.settle();
    for (let request = desk.venue.inbox[0]; request !== undefined; request = desk.venue.inbox[0]) {
      desk.venue.accept();
      const { clOrdID, terms } = request;
      if (terms?.ordType === OrdType.Market) this.#execute(clOrdID, terms.orderQty);
      desk.settle();
    }
  }

  #execute(clOrdID: string, quantity: number): void {
    const filled = this.fills(quantity);
    if (filled > 0) this.desk.venue.fill(clOrdID, filled, 9_900);
    if (filled < quantity) this.desk.venue.end(clOrdID, OrdStatus.Canceled, ExecType.Canceled);
  }

  /** Goes on to a moment, with half a minute of seconds at the end of the way. */
  goTo(micros: number): void {
    const { desk } = this;
    const closing = india('2026-11-26', '15:30');
    if (desk.nowMicros < closing && micros > closing) this.goTo(closing);
    desk.nowMicros = Math.max(desk.nowMicros, micros - 30 * SECOND);
    while (desk.nowMicros < micros) this.#second();
    if (micros >= closing) this.#close();
    for (let i = 0; i < 30; i++) this.#second();
  }

  /** At a moment at once: what the process had been doing until then it was not there for. */
  wakeAt(micros: number): void {
    this.desk.venue.kill();
    this.#close();
    this.desk.nowMicros = micros;
    this.desk.venue.setNow(micros / 1_000);
    this.desk.restart();
    for (let i = 0; i < 30; i++) this.#second();
  }

  #second(): void {
    this.desk.wait(SECOND);
    this.settle();
  }

  /** The venue's own end of the day. */
  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { venue } = this.desk;
    for (const [clOrdID, order] of venue.orders) {
      if (order.ordStatus !== OrdStatus.New && order.ordStatus !== OrdStatus.PartiallyFilled) continue;
      if (this.saysExpired) venue.end(clOrdID, OrdStatus.Expired, ExecType.Expired);
      else order.ordStatus = OrdStatus.Expired;
    }
  }

  place(fields: Partial<PlaceOrder>): number {
    const orderID = this.desk.place(fields);
    this.settle();
    return orderID;
  }

  /** What a day leaves: money, shares, and nothing held. */
  end(): unknown {
    const { availablePaise, heldPaise, marginPaise, holdings, positions, orders, noteDue } = this.desk.account();
    const left = [...positions.values()].filter(({ quantity }) => quantity !== 0);
    const live = [...orders.values()].filter(({ status }) => status < OrderStatus.Filled);
    return { availablePaise, heldPaise, marginPaise, holdings: [...holdings.values()], left, live, noteDue };
  }

  notes(): string[] {
    return this.desk.ledger.events.flatMap(({ detail }) =>
      detail.type === EventType.ContractNoteIssued ? [detail.tradingDay] : [],
    );
  }
}

/** A purchase and a sale for delivery, an intraday position, and orders of every kind that are still open. */
function trade(rolling: RollingDesk, isIntraday = true): void {
  rolling.place({ terms: market(10) });
  if (isIntraday) rolling.place({ terms: market(20), product: Product.MIS, side: OrderSide.Sell });
  rolling.place({ terms: limit(5, 9_500) });
  rolling.place({ terms: stopLimit(5, 10_500, 10_600) });
  rolling.place({ terms: limit(5, 9_400), product: Product.MIS });
  rolling.place({ terms: stopLimit(5, 10_500, 10_600), product: Product.MIS });
}

t.test('a day: squared off, expired, noted, settled', (t) => {
  const rolling = new RollingDesk();
  const { desk } = rolling;
  trade(rolling);
  t.ok(desk.account().heldPaise > 0);
  rolling.goTo(india('2026-11-26', '15:19'));
  t.equal(desk.account().positions.get(`${ACME.instrumentId}:${Product.MIS}`)!.quantity, -20);
  rolling.goTo(india('2026-11-26', '15:21'));
  t.equal(desk.account().positions.get(`${ACME.instrumentId}:${Product.MIS}`)!.quantity, 0, 'squared off');
  const intraday = [...desk.account().orders.values()].filter(({ product }) => product === Product.MIS);
  t.ok(
    intraday.every(({ status }) => status >= OrderStatus.Filled),
    'and its orders are gone',
  );
  t.equal(rolling.place({ terms: market(1), product: Product.MIS }), -RefusalCode.MarketClosed, 'no new one');
  t.ok(rolling.place({ terms: limit(1, 9_000) }) > 0, 'delivery goes on');
  t.same(rolling.notes(), []);
  rolling.goTo(india('2026-11-26', '15:31'));
  t.equal(desk.account().heldPaise, 0, 'nothing is held');
  t.same(rolling.notes(), ['2026-11-26']);
  t.equal(desk.account().holdings.size, 0, 'T+1 is not today');
  rolling.goTo(india('2026-11-27', '08:59'));
  t.equal(desk.account().holdings.size, 0);
  rolling.goTo(india('2026-11-27', '09:01'));
  t.equal(desk.account().holdings.get(ACME.instrumentId)?.quantity, 10);
  t.same(rolling.notes(), ['2026-11-26']);
  t.ok(desk.service.dayRoll.isDone);
  t.same(desk.alarms, []);
  t.end();
});

t.test('death at every batch of a roll, before and after it is durable, gives the same end', (t) => {
  const plain = new RollingDesk();
  trade(plain);
  const before = plain.desk.ledger.sent.length;
  plain.goTo(india('2026-11-27', '09:01'));
  const batches = plain.desk.ledger.sent.length - before;
  t.ok(batches >= 8, `${batches} batches`);
  for (const isAfter of [false, true]) {
    for (let nth = 0; nth < batches; nth++) {
      const rolling = new RollingDesk();
      trade(rolling);
      dieAt(rolling.desk, before + nth, isAfter);
      for (const micros of [india('2026-11-26', '15:29'), india('2026-11-27', '09:01')]) {
        for (;;) {
          try {
            rolling.goTo(micros);
            break;
          } catch (error) {
            if (!(error instanceof Death)) throw error;
            rolling.desk.restart();
          }
        }
      }
      t.same(rolling.end(), plain.end(), `death ${isAfter ? 'after' : 'before'} batch ${nth}`);
    }
  }
  t.end();
});

function dieAt({ ledger }: TestDesk, sentCount: number, isAfter: boolean): void {
  const commit = ledger.commit.bind(ledger);
  ledger.commit = (batch) => {
    if (ledger.sent.length < sentCount) {
      commit(batch);
      return;
    }
    ledger.commit = commit;
    if (isAfter) {
      ledger.answers = null;
      commit(batch);
      ledger.answer();
    }
    throw new Death();
  };
}

t.test('a start that is late by a day, a weekend or a week gives the same end', (t) => {
  const plain = new RollingDesk();
  trade(plain, false);
  plain.goTo(india('2026-11-27', '09:01'));
  for (const [date, time] of [
    ['2026-11-27', '09:01'],
    ['2026-11-27', '14:00'],
    ['2026-11-29', '12:00'],
    ['2026-12-03', '15:25'],
  ] as const) {
    const rolling = new RollingDesk();
    trade(rolling, false);
    rolling.wakeAt(india(date, time));
    t.same(rolling.end(), plain.end(), `${date} ${time}`);
    t.same(rolling.notes(), ['2026-11-26']);
  }
  t.end();
});

t.test('the venue says nothing at the close: it is asked, and what it ended has ended', (t) => {
  const rolling = new RollingDesk();
  rolling.saysExpired = false;
  const orderID = rolling.place({ terms: limit(5, 9_500) });
  rolling.goTo(india('2026-11-26', '15:29'));
  t.equal(rolling.desk.order(orderID).status, OrderStatus.Open);
  rolling.goTo(india('2026-11-26', '15:31'));
  t.equal(rolling.desk.order(orderID).status, OrderStatus.Expired);
  t.same(rolling.desk.alarms, []);
  t.end();
});

t.test('what the venue lets live after the close expires here, with an alarm', (t) => {
  const rolling = new RollingDesk();
  const orderID = rolling.place({ terms: limit(5, 9_500) });
  const { desk } = rolling;
  desk.nowMicros = india('2026-11-26', '15:30');
  desk.wait(SECOND);
  t.equal(desk.order(orderID).status, OrderStatus.Open, 'the venue has its time');
  t.notOk(desk.service.dayRoll.mayReset(desk.venue.sessionNameOf(), desk.nowMicros));
  t.equal(desk.service.dayRoll.doneDate, '');
  for (let i = 0; i < 10; i++) desk.wait(SECOND);
  t.equal(desk.order(orderID).status, OrderStatus.Expired);
  t.same(
    desk.alarms.map(({ kind, orderID }) => ({ kind, orderID })),
    [{ kind: AlarmKind.Expired, orderID }],
  );
  t.ok(desk.service.dayRoll.mayReset(desk.venue.sessionNameOf(), desk.nowMicros));
  t.equal(desk.service.dayRoll.doneDate, '2026-11-26');
  t.equal(desk.account().heldPaise, 0);
  t.end();
});

t.test('the numbers of a session may begin anew when what ended its orders is durable', (t) => {
  const rolling = new RollingDesk();
  const { desk } = rolling;
  rolling.saysExpired = false;
  const orderID = rolling.place({ terms: limit(5, 9_500) });
  rolling.goTo(india('2026-11-26', '15:29'));
  const closeMicros = india('2026-11-26', '15:30');
  desk.nowMicros = closeMicros;
  desk.wait(SECOND);
  const mayReset = (): boolean => desk.service.dayRoll.mayReset(desk.venue.sessionNameOf(), desk.nowMicros);
  t.equal(mayReset(), false, 'an order of the day is alive');
  desk.venue.end(clOrdIDOf(orderID, 0), OrdStatus.Expired, ExecType.Expired);
  desk.venue.carry();
  desk.service.flush(desk.nowMicros);
  desk.service.onTimer(desk.nowMicros + SECOND);
  t.equal(desk.order(orderID).status, OrderStatus.Expired);
  t.equal(mayReset(), false, 'in memory alone');
  desk.settle();
  t.equal(mayReset(), true);
  t.end();
});

t.test('with the session down nothing is guessed: holds stay until the venue has spoken', (t) => {
  const rolling = new RollingDesk();
  const orderID = rolling.place({ terms: limit(5, 9_500) });
  const { desk } = rolling;
  desk.venue.cut();
  desk.nowMicros = india('2026-11-26', '15:31');
  for (let i = 0; i < 20; i++) desk.wait(SECOND);
  t.equal(desk.order(orderID).status, OrderStatus.Open);
  t.ok(desk.account().heldPaise > 0);
  t.same(desk.service.dayRoll.progress(), { expire: 1 });
  desk.venue.connect();
  rolling.goTo(india('2026-11-26', '15:33'));
  t.equal(desk.order(orderID).status, OrderStatus.Expired);
  t.equal(desk.account().heldPaise, 0);
  t.end();
});

t.test('squaring off goes on until the position is closed: parts, refusals, alarms', (t) => {
  const rolling = new RollingDesk();
  const { desk } = rolling;
  rolling.place({ terms: market(20), product: Product.MIS });
  const left = [0, 12];
  rolling.fills = (quantity) => Math.min(quantity, left.shift() ?? quantity);
  rolling.goTo(india('2026-11-26', '15:22'));
  const attempts = [...desk.account().orders.values()].filter(({ clientOrderID }) =>
    clientOrderID.startsWith('SQUAREOFF-2026-11-26-'),
  );
  t.same(
    attempts.map(({ status, cumQty, terms }) => [status, cumQty, terms.quantity, terms.ordType]),
    [
      [OrderStatus.Canceled, 0, 20, OrderType.Market],
      [OrderStatus.Canceled, 12, 20, OrderType.Market],
      [OrderStatus.Filled, 8, 8, OrderType.Market],
    ],
  );
  t.equal(desk.account().positions.get(`${ACME.instrumentId}:${Product.MIS}`)!.quantity, 0);
  t.equal(desk.account().marginPaise, 0);
  t.same(
    desk.alarms.map(({ kind, orderID }) => [kind, orderID]),
    attempts.slice(0, 2).map(({ orderID }) => [AlarmKind.SquareOff, orderID]),
  );
  t.end();
});

t.test('a position that a bust opens anew after it was squared off is squared off again', (t) => {
  const rolling = new RollingDesk();
  const { desk } = rolling;
  trade(rolling);
  rolling.goTo(india('2026-11-26', '15:21'));
  const quantity = (): number => desk.account().positions.get(`${ACME.instrumentId}:${Product.MIS}`)!.quantity;
  t.equal(quantity(), 0);
  const squareOff = [...desk.account().orders.values()].find(({ clientOrderID }) =>
    clientOrderID.startsWith('SQUAREOFF'),
  )!;
  const fill = desk.ledger.events.find(({ orderID, detail }) => orderID === squareOff.orderID && 'execID' in detail)!;
  const execRefID = 'execID' in fill.detail ? fill.detail.execID : '';
  const undone = { execType: ExecType.TradeCancel, execRefID, lastQty: 20, lastPxPaise: 9_900 };
  desk.venue.report(clOrdIDOf(squareOff.orderID, 0), undone);
  desk.settle();
  t.equal(quantity(), -20);
  rolling.goTo(india('2026-11-26', '15:23'));
  t.equal(quantity(), 0);
  t.end();
});

t.test('a position that nobody takes is carried with an alarm, and closed at the next open', (t) => {
  const rolling = new RollingDesk();
  const { desk } = rolling;
  rolling.place({ terms: market(20), product: Product.MIS });
  rolling.fills = () => 0;
  rolling.goTo(india('2026-11-26', '15:31'));
  t.equal(desk.account().positions.get(`${ACME.instrumentId}:${Product.MIS}`)!.quantity, 20);
  t.match(desk.alarms.at(-1), { kind: AlarmKind.SquareOff, userId: USER, text: /were open at the close/ });
  t.same(rolling.notes(), ['2026-11-26']);
  rolling.fills = (quantity) => quantity;
  rolling.goTo(india('2026-11-27', '09:15') + MINUTE);
  t.equal(desk.account().positions.get(`${ACME.instrumentId}:${Product.MIS}`)!.quantity, 0);
  t.end();
});

t.test('an order that its user rests in the morning does not keep a carried position open', (t) => {
  const rolling = new RollingDesk();
  const { desk } = rolling;
  rolling.place({ terms: market(20), product: Product.MIS });
  rolling.fills = () => 0;
  rolling.goTo(india('2026-11-27', '09:15') + MINUTE);
  t.equal(desk.account().positions.get(`${ACME.instrumentId}:${Product.MIS}`)!.quantity, 20);
  const orderID = rolling.place({ terms: limit(5, 9_500), product: Product.MIS });
  t.ok(orderID > 0);
  rolling.fills = (quantity) => quantity;
  rolling.goTo(india('2026-11-27', '09:15') + 3 * MINUTE);
  t.equal(desk.account().positions.get(`${ACME.instrumentId}:${Product.MIS}`)!.quantity, 0);
  t.equal(desk.order(orderID).status, OrderStatus.Open);
  t.end();
});

t.test('what its user rests to close a carried position is held for what it opens once that is squared off', (t) => {
  const rolling = new RollingDesk();
  const { desk } = rolling;
  rolling.place({ terms: market(20), product: Product.MIS });
  rolling.fills = () => 0;
  rolling.goTo(india('2026-11-27', '09:15') + MINUTE);
  const orderID = rolling.place({ side: OrderSide.Sell, terms: limit(25, 10_500), product: Product.MIS });
  t.equal(desk.order(orderID).exposureQty, 5);
  const { holdPaise } = desk.order(orderID);
  rolling.fills = (quantity) => quantity;
  rolling.goTo(india('2026-11-27', '09:15') + 3 * MINUTE);
  t.equal(desk.account().positions.get(`${ACME.instrumentId}:${Product.MIS}`)!.quantity, 0);
  t.match(desk.order(orderID), { status: OrderStatus.Open, exposureQty: 25 });
  t.ok(desk.order(orderID).holdPaise > 4 * holdPaise, 'five times the units open a position');
  const raised = desk.ledger.events.filter(({ detail }) => detail.type === EventType.HoldRaised);
  t.same(
    new Set(raised.map((event) => event.orderID)),
    new Set([orderID]),
    'the square-off itself is held for nothing',
  );
  t.end();
});

t.test('an account whose day is not closed does not trade in the next one', (t) => {
  const rolling = new RollingDesk();
  const { desk } = rolling;
  rolling.place({ terms: limit(5, 9_500) });
  desk.venue.kill();
  desk.nowMicros = india('2026-11-27', '10:00');
  desk.venue.setNow(desk.nowMicros / 1_000);
  desk.restart();
  t.match(desk.ask(limitOrder()), { kind: 'refused', code: RefusalCode.MarketClosed });
  for (let i = 0; i < 5; i++) desk.wait(SECOND);
  t.match(desk.ask(limitOrder()), { kind: 'placed' });
  t.end();
});

t.test('settlement over a holiday and a weekend', (t) => {
  const desk = new TestDesk();
  desk.nowMicros = india('2026-12-24', '10:00');
  desk.venue.setNow(desk.nowMicros / 1_000);
  desk.restart();
  const rolling = new RollingDesk(desk);
  desk.ask({ type: 'open-account', userId: USER });
  desk.ask({ type: 'deposit', userId: USER, amountPaise: 10_000_000, reference: 'first' });
  rolling.place({ terms: market(10) });
  // 25 December is a holiday, and after it comes a weekend.
  for (const [date, time, quantity] of [
    ['2026-12-25', '12:00', undefined],
    ['2026-12-27', '12:00', undefined],
    ['2026-12-28', '08:59', undefined],
    ['2026-12-28', '09:01', 10],
  ] as const) {
    rolling.goTo(india(date, time));
    t.equal(desk.account().holdings.get(ACME.instrumentId)?.quantity, quantity, `${date} ${time}`);
  }
  const settled = desk.ledger.events.find(({ detail }) => detail.type === EventType.PositionSettled)!.detail;
  t.match(settled, { tradingDay: '2026-12-24', holdingQuantity: 10, holdingValuePaise: 99_000 });
  t.end();
});

t.test('around the clock a day runs from one 09:15 to the next', (t) => {
  const desk = TestDesk.open({ settings: { venue: { name: 'NSE', marketHours: 'always' } } });
  const rolling = new RollingDesk(desk);
  rolling.place({ terms: market(10) });
  rolling.place({ terms: market(10), product: Product.MIS });
  rolling.goTo(india('2026-11-27', '09:04'));
  t.equal(desk.account().positions.get(`${ACME.instrumentId}:${Product.MIS}`)!.quantity, 10);
  t.same(rolling.notes(), []);
  rolling.goTo(india('2026-11-27', '09:06'));
  t.equal(desk.account().positions.get(`${ACME.instrumentId}:${Product.MIS}`)!.quantity, 0);
  rolling.goTo(india('2026-11-27', '09:16'));
  t.same(rolling.notes(), ['2026-11-26']);
  t.equal(desk.account().holdings.get(ACME.instrumentId)?.quantity, 10);
  t.match(desk.ask(limitOrder({ product: Product.MIS })), { kind: 'placed' });
  t.end();
});
