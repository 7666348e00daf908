import t from 'tap';
import { ExecType, OrdStatus } from '../fix/generated/fix-enums.gen.ts';
import { seededRandom } from '../fix/testing/seeded-random.ts';
import { isTerminal, type Order, OrderSide, OrderStatus, Product, parseClOrdID, Validity } from '../ledger/order.ts';
import { ACME, limit, limitOrder, market, OTHER_USER, stopMarket, TestDesk, USER } from './testing/test-desk.ts';

const STEPS = 3_000;
const USERS = [USER, OTHER_USER];

/** A desk to which everything happens at random; it keeps what was promised. */
class RandomDay {
  readonly desk = TestDesk.open({
    settings: { inputsMax: 40, commandsMax: 20, batchInputsFull: 2 },
    limits: { positionQty: null },
  });
  readonly counts = { deaths: 0, cuts: 0, faults: 0, poisons: 0, fills: 0, busts: 0, placed: 0 };
  readonly #pick: (below: number) => number;
  readonly #acknowledged = new Set<number>();
  readonly #pushed = new Map<number, number>();
  readonly #executions: { name: string; execID: string; quantity: number; pricePaise: number }[] = [];
  #clientOrder = 0;
  #reference = 0;

  constructor(seed: number) {
    this.#pick = seededRandom(seed);
    for (const userId of USERS) this.#pushed.set(userId, 2);
    // One batch in so many has something that the database does not take.
    this.desk.ledger.constraint = ({ newOrders }) =>
      newOrders.some(({ terms }) => terms.quantity === 13) ? 'orders_check' : '';
  }

  step(): void {
    const { desk } = this;
    const pick = this.#pick;
    const kind = pick(100);
    if (kind < 22) this.#place();
    else if (kind < 30) this.#change();
    else if (kind < 48) this.#venueAnswers();
    else if (kind < 58) this.#fill();
    else if (kind < 60) this.#bust();
    else if (kind < 62) this.#trade();
    else if (kind < 72) desk.venue.carry();
    else if (kind < 80) desk.service.flush(desk.nowMicros);
    else if (kind < 90) this.desk.ledger.answer();
    else if (kind < 94) this.#time();
    else if (kind < 96) this.#fault();
    else if (kind === 96) this.#cut();
    else if (kind === 97) this.#die();
    else this.#move();
    this.#hear();
  }

  /** Everything comes to rest; what is found wrong. */
  end(): string[] {
    const { desk } = this;
    desk.ledger.faults.length = 0;
    for (let round = 0; round < 6; round++) {
      if (!desk.venue.isUp) desk.reconnect();
      desk.wait(3_000_000);
      while (desk.venue.inbox.length > 0) desk.venue.accept();
      desk.settle();
    }
    this.#hear();
    return this.#wrong();
  }

  #place(): void {
    const pick = this.#pick;
    const quantity = 1 + pick(20);
    if (quantity === 13) this.counts.poisons++;
    const pricePaise = 9_900 + 5 * pick(40);
    const side = pick(2) === 0 ? OrderSide.Buy : OrderSide.Sell;
    const product = [Product.CNC, Product.MIS, Product.NRML][pick(3)]!;
    const trigger = side === OrderSide.Buy ? 10_400 : 9_600;
    const terms = [limit(quantity, pricePaise), market(quantity), stopMarket(quantity, trigger)][
      Math.max(0, pick(8) - 5)
    ]!;
    const validity = pick(5) === 0 && terms.triggerPricePaise === 0 ? Validity.IOC : Validity.DAY;
    const clientOrderID = pick(3) === 0 ? `c${pick(4) === 0 ? pick(this.#clientOrder + 1) : ++this.#clientOrder}` : '';
    this.desk.send(limitOrder({ userId: this.#user(), side, product, terms, validity, clientOrderID }));
  }

  #change(): void {
    const order = this.#anyOrder();
    if (order === undefined) return;
    const { userId, orderID } = order;
    if (this.#pick(2) === 0) this.desk.send({ type: 'cancel', userId, orderID });
    else
      this.desk.send({ type: 'modify', userId, orderID, terms: limit(1 + this.#pick(30), 9_900 + 5 * this.#pick(40)) });
  }

  #venueAnswers(): void {
    const { venue } = this.desk;
    if (venue.inbox.length === 0) return;
    if (this.#pick(6) === 0) venue.reject();
    else venue.accept();
  }

  #fill(): void {
    const live = [...new Set(this.desk.venue.orders.values())].filter(({ ordStatus }) => isLiveThere(ordStatus));
    const order = live[this.#pick(Math.max(1, live.length))];
    if (order === undefined) return;
    const { clOrdID, orderQty, pricePaise, side } = order.terms;
    const leaves = orderQty - order.cumQty;
    if (this.#pick(8) === 0) {
      this.desk.venue.end(clOrdID, OrdStatus.Canceled, ExecType.Canceled);
      return;
    }
    const quantity = 1 + this.#pick(leaves);
    const better = 5 * this.#pick(10);
    const at = pricePaise === 0 ? 10_000 : side === 49 ? pricePaise - better : pricePaise + better;
    const execID = this.desk.venue.fill(clOrdID, quantity, at);
    this.#executions.push({ name: clOrdID, execID, quantity, pricePaise: at });
    this.counts.fills++;
  }

  /** Also of executions that it has told of twice. */
  #bust(): void {
    const { venue } = this.desk;
    const execution = this.#executions[this.#pick(Math.max(1, this.#executions.length))];
    if (execution === undefined) return;
    const { name, execID, quantity, pricePaise } = execution;
    if (this.#pick(3) > 0) {
      venue.report(name, { execType: ExecType.Trade, execID, lastQty: quantity, lastPxPaise: pricePaise });
      return;
    }
    this.#executions.splice(this.#executions.indexOf(execution), 1);
    const order = venue.orders.get(name)!;
    // What is busted does not return to the market.
    if (isLiveThere(order.ordStatus)) return;
    order.cumQty -= quantity;
    this.counts.busts++;
    venue.report(name, { execType: ExecType.TradeCancel, execRefID: execID });
  }

  #trade(): void {
    const { desk } = this;
    const pricePaise = [9_500, 10_000, 10_500][this.#pick(3)]!;
    desk.service.trade(ACME.instrumentIndex, pricePaise, desk.nowMicros);
  }

  #time(): void {
    const { desk } = this;
    desk.nowMicros += this.#pick(200_000);
    desk.venue.setNow(Math.floor(desk.nowMicros / 1000));
    desk.venue.onTimer();
    desk.service.onTimer(desk.nowMicros);
  }

  #fault(): void {
    this.counts.faults++;
    this.desk.ledger.faults.push((['unavailable', 'lost-after', 'lost-before'] as const)[this.#pick(3)]!);
  }

  #cut(): void {
    this.counts.cuts++;
    if (this.desk.venue.isUp) this.desk.venue.cut();
    else this.desk.venue.connect();
  }

  #die(): void {
    const { desk } = this;
    this.counts.deaths++;
    desk.pushed.length = 0;
    // A later process pushes what is new: the clients resume from the events.
    for (const userId of USERS) this.#pushed.set(userId, desk.ledger.account(userId).seq);
    desk.restart();
  }

  #move(): void {
    const type = this.#pick(2) === 0 ? 'deposit' : 'withdraw';
    const reference = `r${this.#pick(4) === 0 ? this.#pick(this.#reference + 1) : ++this.#reference}`;
    this.desk.send({ type, userId: this.#user(), amountPaise: 1 + this.#pick(10_000), reference });
  }

  #hear(): void {
    const { desk } = this;
    for (const reply of desk.takeReplies()) {
      if (reply.kind !== 'placed') continue;
      this.#acknowledged.add(reply.orderID);
      this.counts.placed++;
      const isThere = USERS.some((userId) => desk.ledger.account(userId).orders.has(reply.orderID));
      if (!isThere) throw new Error(`order ${reply.orderID} was acknowledged and is not durable`);
    }
    for (const { userId, seq } of desk.pushed.splice(0)) {
      if (seq !== this.#pushed.get(userId)! + 1) throw new Error(`event ${seq} after ${this.#pushed.get(userId)}`);
      this.#pushed.set(userId, seq);
    }
  }

  #wrong(): string[] {
    const { desk } = this;
    const wrong: string[] = [];
    const ours = new Map<number, Order>();
    for (const userId of USERS) {
      const account = desk.ledger.account(userId);
      let heldPaise = 0;
      for (const order of account.orders.values()) {
        ours.set(order.orderID, order);
        heldPaise += order.holdPaise;
        if (isTerminal(order.status) && order.holdPaise !== 0) wrong.push(`${order.orderID} has ended and holds`);
        if (order.pendingChanges.length > 0) wrong.push(`${order.orderID} has unanswered changes`);
        if (order.status === OrderStatus.Pending) wrong.push(`${order.orderID} is unconfirmed`);
      }
      for (const { instrumentId, product, quantity } of account.positions.values()) {
        if (product === Product.CNC) continue;
        for (const side of [OrderSide.Buy, OrderSide.Sell]) {
          const closing = [...account.orders.values()]
            .filter((order) => order.instrumentId === instrumentId && order.product === product && order.side === side)
            .filter(({ status }) => !isTerminal(status))
            .reduce((sum, { terms, cumQty, exposureQty }) => sum + terms.quantity - cumQty - exposureQty, 0);
          const closable = Math.max(0, side === OrderSide.Buy ? -quantity : quantity);
          if (closing > closable) wrong.push(`orders of user ${userId} count on ${closing} of ${closable} units`);
        }
      }
      if (heldPaise !== account.heldPaise) wrong.push(`user ${userId} holds ${account.heldPaise}, for ${heldPaise}`);
      const memory = desk.account(userId);
      if (
        JSON.stringify([memory.seq, memory.availablePaise, [...memory.orders]]) !==
        JSON.stringify([account.seq, account.availablePaise, [...account.orders]])
      )
        wrong.push(`memory of user ${userId} is not what the database has`);
    }
    const liveCount = [...ours.values()].filter(({ status }) => !isTerminal(status)).length;
    if (desk.service.liveOrderCount !== liveCount)
      wrong.push(`${desk.service.liveOrderCount} orders are counted as live, ${liveCount} are`);
    const there = new Map([...desk.venue.orders].map(([name, order]) => [parseClOrdID(name)!.orderID, order]));
    for (const [orderID, order] of there) {
      const mine = ours.get(orderID);
      if (mine === undefined) wrong.push(`${orderID} is at the venue and not here`);
      else if (mine.cumQty !== order.cumQty)
        wrong.push(`${orderID}: executed ${order.cumQty} there, ${mine.cumQty} here`);
      else if (isLiveThere(order.ordStatus) === isTerminal(mine.status))
        wrong.push(`${orderID}: status ${order.ordStatus} there, ${mine.status} here`);
    }
    for (const orderID of this.#acknowledged)
      if (!ours.has(orderID)) wrong.push(`${orderID} was acknowledged and is gone`);
    for (const { orderID, cumQty, status } of ours.values())
      if (!there.has(orderID) && (cumQty > 0 || status === OrderStatus.Open))
        wrong.push(`${orderID} is not at the venue`);
    for (const { kind, text } of desk.alarms)
      if (kind !== 'late-fill' && kind !== 'reports-held-up' && kind !== 'account-short' && kind !== 'ledger-refused')
        wrong.push(`${kind}: ${text}`);
    return wrong;
  }

  #user(): number {
    return USERS[this.#pick(2)]!;
  }

  #anyOrder(): Order | undefined {
    const orders = [...this.desk.account(this.#user()).orders.values()].slice(-8);
    return orders[this.#pick(Math.max(1, orders.length))];
  }
}

function isLiveThere(ordStatus: OrdStatus): boolean {
  return ordStatus === OrdStatus.New || ordStatus === OrdStatus.PartiallyFilled;
}

for (const seed of [1, 2, 3, 4]) {
  t.test(`a day at random (seed ${seed}): venue and ledger agree, and nothing that was promised is gone`, (t) => {
    const day = new RandomDay(seed);
    for (let step = 0; step < STEPS; step++) day.step();
    t.same(day.end(), []);
    t.comment(`seed ${seed}: ${JSON.stringify(day.counts)}`);
    t.ok(Object.values(day.counts).every((count) => count > 0));
    t.end();
  });
}

t.test('the same inputs make the same events', (t) => {
  const events = [1, 1].map(() => {
    const day = new RandomDay(5);
    for (let step = 0; step < 500; step++) day.step();
    return JSON.stringify(day.desk.ledger.batches);
  });
  t.ok(events[0] === events[1] && events[0]!.length > 10_000);
  t.end();
});
