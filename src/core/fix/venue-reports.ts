import type { ExecutionReportRecord } from './execution-report-record.ts';
import { ExecType, OrdRejReason, OrdStatus } from './generated/fix-enums.gen.ts';

/** What a session knows of the order that a report is about. */
export const ReportStanding = {
  /** It is alive, or this report ends it. */
  Live: 'live',
  /** It had ended before: a late fill, a bust, a correction. */
  Late: 'late',
  /** No order went over this session under that name; one of before a restart, or one that is not ours. */
  Unknown: 'unknown',
} as const;
export type ReportStanding = (typeof ReportStanding)[keyof typeof ReportStanding];

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
