import t from 'tap';
import { seededRandom } from '../fix/testing/seeded-random.ts';
import { OrderSide } from '../ledger/order.ts';
import { type StopOrder, TriggerBook } from './trigger-book.ts';

const SEED = 20_261_126;

/** The naive twin: a list that is searched whole. */
function naiveNext(stops: StopOrder[], instrumentIndex: number, lastPaise: number): StopOrder | undefined {
  const fires = stops.filter(
    (stop) =>
      stop.instrumentIndex === instrumentIndex &&
      (stop.side === OrderSide.Buy ? lastPaise >= stop.triggerPricePaise : lastPaise <= stop.triggerPricePaise),
  );
  fires.sort((a, b) => {
    if (a.side !== b.side) return a.side - b.side;
    const byPrice = a.triggerPricePaise - b.triggerPricePaise;
    return (a.side === OrderSide.Buy ? byPrice : -byPrice) || a.orderID - b.orderID;
  });
  const first = fires[0];
  if (first !== undefined) stops.splice(stops.indexOf(first), 1);
  return first;
}

t.test('random stops, changes and trades fire as a list searched whole would', (t) => {
  t.comment(`seed ${SEED}`);
  const pick = seededRandom(SEED);
  const book = new TriggerBook(100_000);
  let twin: StopOrder[] = [];
  let differences = 0;
  let fired = 0;
  for (let step = 1; step <= 20_000; step++) {
    const instrumentIndex = pick(3);
    const kind = pick(10);
    if (kind < 5) {
      const orderID = pick(4) === 0 && twin.length > 0 ? twin[pick(twin.length)]!.orderID : step;
      const known = twin.find((stop) => stop.orderID === orderID);
      const side = pick(2) === 0 ? OrderSide.Buy : OrderSide.Sell;
      const stop = { orderID, instrumentIndex, side, triggerPricePaise: 100 + pick(50) * 5, ...pickPlace(known) };
      twin = twin.filter((each) => each.orderID !== orderID);
      twin.push(stop);
      book.add(stop);
    } else if (kind < 6) {
      const orderID = pick(step);
      const isThere = twin.some((stop) => stop.orderID === orderID);
      twin = twin.filter((stop) => stop.orderID !== orderID);
      if (book.remove(orderID) !== isThere) differences++;
    } else {
      const lastPaise = 100 + pick(250);
      for (;;) {
        const expected = naiveNext(twin, instrumentIndex, lastPaise);
        const actual = book.next(instrumentIndex, lastPaise);
        if (expected?.orderID !== actual?.orderID) differences++;
        if (expected === undefined || actual === undefined) break;
        fired++;
      }
    }
    if (book.count !== twin.length) differences++;
  }
  t.equal(differences, 0);
  t.ok(fired > 2_000, `${fired} fired`);
  t.end();
});

/** A change of a stop keeps its instrument and side. */
function pickPlace(known: StopOrder | undefined): Partial<StopOrder> {
  return known === undefined ? {} : { instrumentIndex: known.instrumentIndex, side: known.side };
}

t.test('a buy fires at its trigger or above, a sell at its trigger or below', (t) => {
  const book = new TriggerBook(2);
  book.add({ orderID: 1, instrumentIndex: 0, side: OrderSide.Buy, triggerPricePaise: 105 });
  book.add({ orderID: 2, instrumentIndex: 0, side: OrderSide.Sell, triggerPricePaise: 95 });
  t.ok(book.isFull);
  t.equal(book.next(0, 100), undefined);
  t.equal(book.next(1, 105), undefined, 'another instrument');
  t.equal(book.next(0, 105)?.orderID, 1);
  t.equal(book.next(0, 105), undefined, 'once');
  t.equal(book.next(0, 95)?.orderID, 2);
  t.equal(book.count, 0);
  t.end();
});
