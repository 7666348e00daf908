import { addCharges, NO_CHARGES } from './charges.ts';
import type { Charges, ExecutionDetail } from './ledger-event.ts';

/** What the next contract note is about: the executions since the last one, busts and corrections among them. */
export interface NoteDue {
  readonly executionCount: number;
  /** The latest that one of them is of; '' for none. */
  readonly tradingDay: string;
  /** What they were charged in all. */
  readonly charges: Charges;
}

export const NO_NOTE_DUE: NoteDue = { executionCount: 0, tradingDay: '', charges: NO_CHARGES };

export function withExecution(
  noteDue: NoteDue,
  { tradingDay, charges }: Pick<ExecutionDetail, 'tradingDay' | 'charges'>,
): NoteDue {
  return {
    executionCount: noteDue.executionCount + 1,
    tradingDay: tradingDay > noteDue.tradingDay ? tradingDay : noteDue.tradingDay,
    charges: addCharges(noteDue.charges, charges),
  };
}
