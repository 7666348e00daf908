import { type DayDuty, DayStep, dayDutyOf, squareOffAttempt, squareOffID } from '../day-roll/day-duty.ts';
import type { DayGate } from '../day-roll/day-gate.ts';
import type { Account, Position } from '../ledger/account.ts';
import { contractNoteIssued, positionSettled } from '../ledger/day-events.ts';
import { EventType } from '../ledger/ledger-event.ts';
import { type Order, OrderSide, OrderStatus, OrderType, Product, Validity } from '../ledger/order.ts';
import { orderEnded, orderPlaced } from '../ledger/order-events.ts';
import { type MarketHours, SessionPhase, sessionPhase } from '../market/calendar.ts';
import { RefusalCode } from '../refusal-codes.ts';
import type { ChangeDecisions } from './change-decisions.ts';
import type { Decision } from './decision.ts';
import type { OrderBooks } from './order-books.ts';
import { AlarmKind } from './order-effects.ts';
import type { OrderIds } from './order-ids.ts';
import type { SessionDecisions } from './session-decisions.ts';
import { newOrderSingle } from './venue-terms.ts';

/** Asked for by nobody: the answer goes nowhere. */
const NO_ORIGIN = { channel: 'day-roll', generation: 0, connection: 0, requestID: -1 };

/** The steps of a trading day's end, decided like everything else of an account: as events, by its one writer. */
export class DayDecisions {
  readonly #books: OrderBooks;
  readonly #sessions: SessionDecisions;
  readonly #changes: ChangeDecisions;
  readonly #marketHours: MarketHours;
  readonly #ids: OrderIds;
  readonly #days: DayGate;

  constructor(
    books: OrderBooks,
    sessions: SessionDecisions,
    changes: ChangeDecisions,
    marketHours: MarketHours,
    ids: OrderIds,
    days: DayGate,
  ) {
    this.#books = books;
    this.#sessions = sessions;
    this.#changes = changes;
    this.#marketHours = marketHours;
    this.#ids = ids;
    this.#days = days;
  }

  /** What the account's day asks for now: it may be less or something else than when the step was thought of. */
  step(decision: Decision, userId: number, isSettled: boolean, nowMicros: number): void {
    const account = this.#books.accounts.find(userId);
    if (account === undefined) return;
    const marks = this.#days.marks(nowMicros);
    const isMarketOpen = sessionPhase(nowMicros, this.#marketHours) === SessionPhase.Continuous;
    const duty = dayDutyOf(account, { marks, nowMicros, isMarketOpen, isSettled });
    if (duty !== null) this.#do(decision, account, duty, marks.current.date, nowMicros);
  }

  #do(decision: Decision, account: Account, duty: DayDuty, today: string, nowMicros: number): void {
    const { userId } = account;
    switch (duty.step) {
      case DayStep.Expire:
        for (const order of duty.orders) this.#expire(decision, account, order, nowMicros);
        break;
      case DayStep.ContractNote:
        this.#books.apply(decision, account, contractNoteIssued(account, nowMicros));
        break;
      case DayStep.Settle:
        for (const { instrumentId, tradingDay } of duty.positions) {
          const event = positionSettled(account, instrumentId, tradingDay, nowMicros);
          if (event !== null) this.#books.apply(decision, account, event);
        }
        break;
      case DayStep.CancelIntraday:
        for (const { orderID } of duty.orders)
          this.#changes.cancel(decision, { type: 'cancel', origin: NO_ORIGIN, userId, orderID }, nowMicros);
        break;
      case DayStep.SquareOff:
        if (!this.#sessions.isUp(userId)) return;
        for (const position of duty.positions) this.#close(decision, account, position, today, nowMicros);
        break;
      default:
        duty.step satisfies never;
    }
  }

  /** Only what the venue has been asked about comes here, or what it never had. */
  #expire(decision: Decision, account: Account, order: Order, nowMicros: number): void {
    const { orderID, status } = order;
    const text = 'the trading day is over';
    this.#books.apply(
      decision,
      account,
      orderEnded(account, order, EventType.OrderExpired, RefusalCode.None, text, nowMicros),
    );
    if (status !== OrderStatus.TriggerPending)
      decision.alarm(AlarmKind.Expired, account.userId, orderID, 'the venue did not end it at the close');
  }

  /** At the market, whatever the account has free: what it may cost is less than what the open position may. */
  #close(decision: Decision, account: Account, position: Position, today: string, nowMicros: number): void {
    const { instrumentId, quantity } = position;
    const { attempt, last } = squareOffAttempt(account, today, instrumentId);
    if (last !== undefined && last.status !== OrderStatus.Filled) {
      const text = `attempt ${attempt - 1} ended in status ${last.status} with ${last.cumQty} executed: ${last.text}`;
      decision.alarm(AlarmKind.SquareOff, account.userId, last.orderID, text);
    }
    const facts = this.#books.instruments.byId(instrumentId);
    if (facts === undefined) {
      const text = `instrument ${instrumentId} is not known: ${quantity} stay open`;
      decision.alarm(AlarmKind.SquareOff, account.userId, 0, text);
      return;
    }
    const orderMax = facts.freezeQuantity > 0 ? facts.freezeQuantity : Number.POSITIVE_INFINITY;
    const order = {
      orderID: this.#ids.next(nowMicros),
      instrumentId,
      side: quantity > 0 ? OrderSide.Sell : OrderSide.Buy,
      product: Product.MIS,
      validity: Validity.IOC,
      terms: {
        quantity: Math.min(Math.abs(quantity), orderMax),
        ordType: OrderType.Market,
        pricePaise: 0,
        triggerPricePaise: 0,
      },
      clientOrderID: squareOffID(today, instrumentId, attempt),
      holdPricePaise: 0,
      holdPaise: 0,
      exposureQty: 0,
    };
    this.#books.apply(decision, account, orderPlaced(account, order, nowMicros));
    const body = newOrderSingle(account.orders.get(order.orderID)!, facts.symbol, nowMicros);
    // It protects its user late, too.
    decision.requests.push({ type: 'place', body, expires: false });
  }
}
