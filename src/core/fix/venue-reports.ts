import type { ExecutionReportRecord } from './execution-report-record.ts';
import { ExecType, OrdRejReason, OrdStatus } from './generated/fix-enums.gen.ts';

/** The answer to an OrderStatusRequest about an order that the venue knows nothing of. */
export function isUnknownToVenue(report: ExecutionReportRecord): boolean {
  return (
    report.execType === ExecType.OrderStatus &&
    report.ordStatus === OrdStatus.Rejected &&
    report.ordRejReason === OrdRejReason.UnknownOrder
  );
}

/** Whether a report says that nothing more is to come of its order but busts and corrections. */
export function endsOrder(report: Pick<ExecutionReportRecord, 'ordStatus' | 'leavesQty'>): boolean {
  switch (report.ordStatus) {
    case OrdStatus.Filled:
    case OrdStatus.Canceled:
    case OrdStatus.Expired:
    case OrdStatus.Rejected:
    case OrdStatus.DoneForDay:
      return report.leavesQty === 0;
    default:
      return false;
  }
}
