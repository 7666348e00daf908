import type { Account } from '../ledger/account.ts';
import { Product } from '../ledger/order.ts';
import type { MarketHours } from '../market/calendar.ts';
import { closingDuty } from './day-duty.ts';
import { type DayMarks, dayMarksAt } from './trading-day.ts';

/** Whether an account may begin something new by where its trading days stand. */
export class DayGate {
  readonly #hours: MarketHours;
  #marks: DayMarks | null = null;
  /** Accounts whose closed days were found in order since the marks last moved. */
  readonly #inOrder = new Set<number>();

  constructor(hours: MarketHours) {
    this.#hours = hours;
  }

  /** Why it may not be placed, or '' . */
  refusal(account: Account, product: Product, nowMicros: number): string {
    const { current } = this.marks(nowMicros);
    if (product === Product.MIS && nowMicros >= current.squareOffMicros)
      return 'intraday positions of the day are being closed';
    return this.#isInOrder(account, nowMicros) ? '' : 'the day before is being closed';
  }

  marks(nowMicros: number): DayMarks {
    if (this.#marks === null || nowMicros >= this.#marks.nextMicros) {
      this.#marks = dayMarksAt(nowMicros, this.#hours);
      this.#inOrder.clear();
    }
    return this.#marks;
  }

  #isInOrder(account: Account, nowMicros: number): boolean {
    if (this.#inOrder.has(account.userId)) return true;
    const outlook = { marks: this.marks(nowMicros), nowMicros, isMarketOpen: true, isSettled: false };
    if (closingDuty(account, outlook) !== null) return false;
    this.#inOrder.add(account.userId);
    return true;
  }
}
