import { ExecType, type OrdStatus } from './generated/fix-enums.gen.ts';

/**
 * How FIX 4.2 says what an ExecutionReport of 4.4 says: a kind of transaction, ExecTransType(20), beside ExecType(150), which has a fill and a partial one in place of
 * a trade (FIX 4.2 volume 4; FIX 4.3 took 20 away).
 */

/** Tag of ExecTransType, of 4.2 alone. */
export const EXEC_TRANS_TYPE = 20;
const ExecTransType = { New: 48, Cancel: 49, Correct: 50, Status: 51 } as const;
const PARTIAL_FILL = 49;
const FILL = 50;

/** ExecType of 4.4 for what 4.2 says; −1 for an ExecTransType that does not exist. */
export function execTypeFrom42(execTransType: number, execType: number): number {
  switch (execTransType) {
    case ExecTransType.New:
      return execType === PARTIAL_FILL || execType === FILL ? ExecType.Trade : execType;
    case ExecTransType.Cancel:
      return ExecType.TradeCancel;
    case ExecTransType.Correct:
      return ExecType.TradeCorrect;
    case ExecTransType.Status:
      return ExecType.OrderStatus;
    default:
      return -1;
  }
}

/** ExecTransType for an ExecType of 4.4. */
export function execTransTypeOf(execType: ExecType): number {
  if (execType === ExecType.TradeCancel) return ExecTransType.Cancel;
  if (execType === ExecType.TradeCorrect) return ExecTransType.Correct;
  return execType === ExecType.OrderStatus ? ExecTransType.Status : ExecTransType.New;
}

/** ExecType of 4.2: a fill is partial or not, and what undoes one, or answers a status request, has the order's OrdStatus(39). */
export function execType42Of(execType: ExecType, ordStatus: OrdStatus, leavesQty: number): number {
  if (execType < ExecType.Trade) return execType;
  if (execType === ExecType.Trade) return leavesQty === 0 ? FILL : PARTIAL_FILL;
  return ordStatus;
}
