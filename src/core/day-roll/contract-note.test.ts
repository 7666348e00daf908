import t from 'tap';
import { ExecType } from '../fix/generated/fix-enums.gen.ts';
import { chargesPaise } from '../ledger/charges.ts';
import { OrderSide, Product } from '../ledger/order.ts';
import { limitOrder, market, TestDesk, USER } from '../orders/testing/test-desk.ts';
import { type ContractNote, ContractNoteReader } from './contract-note.ts';

/** Places an order and has the whole of it executed; its ExecID. */
function traded(desk: TestDesk, product: Product, side: OrderSide, quantity: number, pricePaise: number): string {
  desk.ask(limitOrder({ terms: market(quantity), product, side }));
  const { clOrdID } = desk.venue.inbox[0]!;
  desk.venue.accept();
  const execID = desk.venue.fill(clOrdID, quantity, pricePaise);
  desk.settle();
  return execID;
}

function read(desk: TestDesk): { issued: ContractNote[]; pending: ContractNote | null } {
  const reader = new ContractNoteReader(USER, (orderID) => desk.order(orderID).side);
  const events = desk.ledger.events.filter(({ userId }) => userId === USER);
  return { issued: events.flatMap((event) => reader.take(event) ?? []), pending: reader.pending() };
}

function close(desk: TestDesk): void {
  desk.nowMicros = Date.parse('2026-11-26T15:30:01+05:30') * 1_000;
  desk.wait(100_000);
  desk.wait(100_000);
}

t.test('a contract note to the paisa', (t) => {
  const desk = TestDesk.open();
  traded(desk, Product.CNC, OrderSide.Buy, 10, 9_900);
  traded(desk, Product.MIS, OrderSide.Sell, 20, 9_900);
  traded(desk, Product.MIS, OrderSide.Buy, 20, 9_900);
  t.match(read(desk).pending, { seq: 0, tradingDay: '2026-11-26', netPaise: -99_258 }, 'as it would be now');
  const freePaise = desk.account().availablePaise;
  close(desk);
  const { issued, pending } = read(desk);
  t.equal(pending, null);
  t.equal(issued.length, 1);
  const note = issued[0]!;
  // By hand. Delivery, 990.00 bought: STT 0.1 % 0.99; stamp 0.015 % 0.15; exchange 0.00297 % 0.03; GST 18 % of 0.03 0.01.
  // Intraday, 1,980.00 sold: brokerage 0.03 % 0.59; STT 0.025 % 0.50; exchange 0.06; GST of 0.65 0.12.
  // Intraday, 1,980.00 bought: brokerage 0.59; stamp 0.003 % 0.06; exchange 0.06; GST of 0.65 0.12.
  t.same(note.charged, {
    brokeragePaise: 118,
    sttPaise: 149,
    exchangePaise: 15,
    sebiPaise: 0,
    stampDutyPaise: 21,
    gstPaise: 25,
    depositoryPaise: 0,
  });
  t.same([note.rounding.sttPaise, note.rounding.stampDutyPaise], [-49, -21], '1.49 is 1 rupee, 0.21 is none');
  t.equal(chargesPaise(note.charges), 258);
  t.same([note.buyValuePaise, note.sellValuePaise, note.netPaise], [297_000, 198_000, -99_258]);
  t.equal(desk.account().availablePaise - freePaise, 70, 'the rounding is posted');
  t.same(
    note.lines.map(({ kind, side, product, quantity, valuePaise }) => [kind, side, product, quantity, valuePaise]),
    [
      ['trade', OrderSide.Buy, Product.CNC, 10, -99_000],
      ['trade', OrderSide.Sell, Product.MIS, 20, 198_000],
      ['trade', OrderSide.Buy, Product.MIS, 20, -198_000],
    ],
  );
  t.end();
});

t.test('a bust takes back what its trade was charged; one after the note is in the next', (t) => {
  const desk = TestDesk.open();
  const cashPaise = desk.account().availablePaise;
  const first = traded(desk, Product.CNC, OrderSide.Buy, 10, 9_900);
  const second = traded(desk, Product.CNC, OrderSide.Buy, 10, 9_900);
  const [one = '', two = ''] = desk.venue.orders.keys();
  bust(desk, one, first);
  close(desk);
  const { issued } = read(desk);
  t.same(
    issued[0]!.lines.map(({ kind, execRefID, valuePaise }) => [kind, execRefID, valuePaise]),
    [
      ['trade', '', -99_000],
      ['trade', '', -99_000],
      ['bust', first, 99_000],
    ],
  );
  // One trade stands: STT 0.99 is a rupee, stamp 0.15 nothing, exchange 0.03, GST 0.01.
  t.equal(issued[0]!.netPaise, -99_104);
  t.equal(desk.account().availablePaise, cashPaise - 99_104);
  bust(desk, two, second);
  const { pending } = read(desk);
  t.match(pending, { tradingDay: '2026-11-26', charged: { sttPaise: -99, stampDutyPaise: -15 } });
  t.equal(pending!.charges.sttPaise, -100, 'rounded like what it takes back');
  t.end();
});

function bust(desk: TestDesk, clOrdID: string, execRefID: string): void {
  desk.venue.report(clOrdID, { execType: ExecType.TradeCancel, execRefID, lastQty: 10, lastPxPaise: 9_900 });
  desk.settle();
}
