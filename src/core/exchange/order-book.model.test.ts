import t from 'tap';
import type { Instrument } from '../market-data/instrument-master.ts';
import { CancelReason, type ExecutionListener, MatchingEngine, OrderType, TimeInForce } from './matching-engine.ts';
import { NO_ORDER, Side } from './order-pool.ts';
import { Prng } from './prng.ts';
import { RejectCode } from './reject-codes.ts';

const TICK = 5;
const LOT = 2;
const FREEZE = 400;
const CLOSE = 1_000;
const BAND_BPS = 500;
const LOW = 950;
const HIGH = 1_050;

interface TwinOrder {
  id: number;
  side: Side;
  price: number;
  leaves: number;
  cum: number;
  /** Place in time; a replace that loses its place gets a new one. */
  time: number;
}

/** The rules again, written to be read: one list of orders, sorted at each use. */
class TwinExchange {
  readonly events: string[] = [];
  resting: TwinOrder[] = [];
  #time = 0;

  ladder(side: Side): [price: number, quantity: number, orders: number][] {
    const levels = new Map<number, [number, number, number]>();
    for (const order of this.#sorted(side)) {
      const level = levels.get(order.price) ?? [order.price, 0, 0];
      level[1] += order.leaves;
      level[2]++;
      levels.set(order.price, level);
    }
    return [...levels.values()];
  }

  submit(id: number, side: Side, type: OrderType, time: TimeInForce, price: number, quantity: number): RejectCode {
    const refusal = this.#refusal(type, price, quantity);
    if (refusal !== RejectCode.None) return refusal;
    const limit = type === OrderType.Limit ? price : side === Side.Buy ? Infinity : 0;
    const order: TwinOrder = { id, side, price: limit, leaves: quantity, cum: 0, time: this.#time++ };
    this.events.push(`accepted ${id}`);
    if (time === TimeInForce.FillOrKill) {
      const available = this.#takeable(order).reduce((sum, maker) => sum + maker.leaves, 0);
      if (available < quantity) {
        this.events.push(`canceled ${id} ${CancelReason.Killed}`);
        return RejectCode.None;
      }
    }
    this.#match(order);
    if (order.leaves === 0) return RejectCode.None;
    if (type === OrderType.Limit && time === TimeInForce.Day) this.resting.push(order);
    else this.events.push(`canceled ${id} ${CancelReason.Unfilled}`);
    return RejectCode.None;
  }

  cancel(id: number): void {
    this.resting = this.resting.filter((order) => order.id !== id);
    this.events.push(`canceled ${id} ${CancelReason.Requested}`);
  }

  replace(id: number, price: number, quantity: number): RejectCode {
    const refusal = this.#refusal(OrderType.Limit, price, quantity);
    if (refusal !== RejectCode.None) return refusal;
    const order = this.resting.find((resting) => resting.id === id)!;
    if (quantity <= order.cum) return RejectCode.BelowExecuted;
    const keepsPlace = price === order.price && quantity - order.cum <= order.leaves;
    order.price = price;
    order.leaves = quantity - order.cum;
    this.events.push(`replaced ${id}`);
    if (keepsPlace) return RejectCode.None;
    order.time = this.#time++;
    this.resting = this.resting.filter((resting) => resting !== order);
    this.#match(order);
    if (order.leaves > 0) this.resting.push(order);
    return RejectCode.None;
  }

  #refusal(type: OrderType, price: number, quantity: number): RejectCode {
    if (quantity <= 0) return RejectCode.InvalidQuantity;
    if (quantity > FREEZE) return RejectCode.FreezeQuantity;
    if (quantity % LOT !== 0) return RejectCode.LotSize;
    if (type === OrderType.Market) return RejectCode.None;
    if (price <= 0) return RejectCode.InvalidPrice;
    if (price % TICK !== 0) return RejectCode.TickSize;
    return price < LOW || price > HIGH ? RejectCode.PriceBand : RejectCode.None;
  }

  #sorted(side: Side): TwinOrder[] {
    const own = this.resting.filter((order) => order.side === side);
    return own.sort((a, b) => (side === Side.Buy ? b.price - a.price : a.price - b.price) || a.time - b.time);
  }

  #takeable(taker: TwinOrder): TwinOrder[] {
    const buys = taker.side === Side.Buy;
    return this.#sorted(buys ? Side.Sell : Side.Buy).filter((maker) =>
      buys ? maker.price <= taker.price : maker.price >= taker.price,
    );
  }

  #match(taker: TwinOrder): void {
    for (const maker of this.#takeable(taker)) {
      if (taker.leaves === 0) break;
      const quantity = Math.min(taker.leaves, maker.leaves);
      taker.leaves -= quantity;
      taker.cum += quantity;
      maker.leaves -= quantity;
      maker.cum += quantity;
      this.events.push(`traded ${maker.id} ${taker.id} ${maker.price} ${quantity} ${maker.leaves} ${taker.leaves}`);
    }
    this.resting = this.resting.filter((order) => order.leaves > 0);
  }
}

const instrument: Instrument = {
  instrumentId: 1,
  kind: 'equity',
  from: '2026-01-01',
  symbol: 'TWIN',
  name: 'Twin',
  isin: 'INE000000000',
  tickPaise: TICK,
  lotSize: LOT,
  priceBandBps: BAND_BPS,
  freezeQuantity: FREEZE,
  previousClosePaise: CLOSE,
};

function runAgainstTwin(
  t: Pick<typeof import('tap').t, 'pass' | 'fail' | 'ok' | 'match'>,
  seed: number,
  commands: number,
): void {
  const random = new Prng(seed);
  const events: string[] = [];
  const rows = new Map<number, number>();
  const id = (row: number): number => engine.pool.reference[row]!;
  const listener: ExecutionListener = {
    accepted: (row) => events.push(`accepted ${id(row)}`),
    traded: (maker, taker, price, quantity) => {
      const { leavesQty } = engine.pool;
      events.push(`traded ${id(maker)} ${id(taker)} ${price} ${quantity} ${leavesQty[maker]} ${leavesQty[taker]}`);
      if (leavesQty[maker] === 0) rows.delete(id(maker));
    },
    canceled: (row, reason) => {
      events.push(`canceled ${id(row)} ${reason}`);
      rows.delete(id(row));
    },
    replaced: (row) => events.push(`replaced ${id(row)}`),
  };
  const engine: MatchingEngine = new MatchingEngine(1, 100_000, listener);
  engine.list(0, instrument);
  engine.marketOpen = true;
  const twin = new TwinExchange();

  for (let command = 0; command < commands; command++) {
    const choice = random.below(100);
    const side = random.below(2) as Side;
    // Now and then something that must be refused.
    const price = random.below(40) === 0 ? 900 + random.below(200) : LOW + random.below((HIGH - LOW) / TICK + 1) * TICK;
    const quantity = random.below(40) === 0 ? random.below(1_000) - 100 : (1 + random.below(50)) * LOT;
    const live = [...rows.keys()];
    let code: RejectCode = RejectCode.None;
    let twinCode: RejectCode = RejectCode.None;
    if (choice < 60 || live.length === 0) {
      const type = random.below(8) === 0 ? OrderType.Market : OrderType.Limit;
      const time = random.below(4) === 0 ? ((1 + random.below(2)) as TimeInForce) : TimeInForce.Day;
      code = engine.submit(0, side, type, time, price, quantity, 0, command);
      twinCode = twin.submit(command, side, type, time, price, quantity);
      if (code === RejectCode.None && engine.resting !== NO_ORDER) rows.set(command, engine.resting);
    } else if (choice < 75) {
      const target = live[random.below(live.length)]!;
      code = engine.cancel(rows.get(target)!);
      twin.cancel(target);
    } else {
      const target = live[random.below(live.length)]!;
      const row = rows.get(target)!;
      const newPrice = random.below(2) === 0 ? engine.pool.pricePaise[row]! : price;
      code = engine.replace(row, newPrice, quantity);
      twinCode = twin.replace(target, newPrice, quantity);
      if (code === RejectCode.None && engine.resting === NO_ORDER) rows.delete(target);
    }
    const ladder = (which: 'bids' | 'offers') => {
      const book = engine.book(0)[which];
      return Array.from({ length: book.levelCount }, (_, depth) => [
        book.pricePaiseAt(depth),
        book.quantityAt(depth),
        book.orderCountAt(depth),
      ]);
    };
    const same =
      code === twinCode &&
      JSON.stringify(events) === JSON.stringify(twin.events) &&
      JSON.stringify(ladder('bids')) === JSON.stringify(twin.ladder(Side.Buy)) &&
      JSON.stringify(ladder('offers')) === JSON.stringify(twin.ladder(Side.Sell)) &&
      engine.pool.liveCount === twin.resting.length;
    if (!same) {
      t.match(
        { code, events, bids: ladder('bids'), offers: ladder('offers') },
        { code: twinCode, events: twin.events },
        `command ${command}`,
      );
      t.fail(`differs from the twin at command ${command} of seed ${seed}`);
      return;
    }
    events.length = 0;
    twin.events.length = 0;
  }
  t.pass(`seed ${seed}: ${commands} commands, ${engine.figures.tradeCount[0]} trades`);
  t.ok(engine.figures.tradeCount[0]! > commands / 20, 'the commands traded');
}

t.test('every event, fill and book state is that of the naive twin', async (t) => {
  const seed = Number(process.env.OUTCRY_TEST_SEED ?? Date.now() % 1_000_000);
  t.comment(`OUTCRY_TEST_SEED=${seed}`);
  for (let run = 0; run < 5; run++) runAgainstTwin(t, seed + run, 4_000);
});
